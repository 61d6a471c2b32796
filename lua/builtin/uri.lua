-- The module uri: addresses such as scheme://login:password@host:service/path?query#fragment, and unix sockets.
local core = require('internal.core')

local uri = {}

local problem = 'Incorrect URI: expected host:service or /unix.socket'

-- Which bytes of a text stay as they are when it is escaped, by options tables that users pass on.

--- unreserved(pattern) is the set of characters that a pattern's set matches.
function uri.unreserved(pattern)
    if type(pattern) ~= 'string' then error("Usage: uri.unreserved(str)", 2) end
    local set = {}
    for i = 0, 255 do
        local c = string.char(i)
        if c:match('[' .. pattern .. ']') then set[c] = true end
    end
    return set
end

local function encoding(pattern, plus)
    return { unreserved = uri.unreserved(pattern), plus = plus }
end

local letters = 'a-zA-Z0-9%-._~'
uri.RFC3986 = encoding(letters, false)
uri.PATH = encoding(letters .. "!$&'()*+,;=:@/", false)
uri.PATH_PART = encoding(letters .. "!$&'()*+,;=:@", false)
uri.QUERY = encoding(letters .. "!$&'()*+,;=:@/?", false)
uri.QUERY_PART = encoding(letters .. "!$'()*+,;:@/?", false)
uri.FRAGMENT = encoding(letters .. "!$&'()*+,;=:@/?", false)
uri.FORM_URLENCODED = encoding('a-zA-Z0-9%-._*', true)

function uri.escape(text, options)
    if type(text) ~= 'string' or options ~= nil and type(options) ~= 'table' then
        error('Usage: uri.escape(string, [opts])', 2)
    end
    options = options or uri.RFC3986
    local keep = options.unreserved or uri.RFC3986.unreserved
    return (text:gsub('.', function(c)
        if keep[c] then return c end
        if c == ' ' and options.plus then return '+' end
        return ('%%%02X'):format(c:byte())
    end))
end

function uri.unescape(text, options)
    if type(text) ~= 'string' or options ~= nil and type(options) ~= 'table' then
        error('Usage: uri.unescape(string, [opts])', 2)
    end
    if options ~= nil and options.plus then text = text:gsub('%+', ' ') end
    return (text:gsub('%%(%x%x)', function(digits) return string.char(tonumber(digits, 16)) end))
end

--- values(...) is a list of values of one parameter.
function uri.values(...) return { ... } end

-- Parameters: every name has a list of values, empty when it stands alone.
local function parse_query(query)
    local params = {}
    for pair in query:gmatch('[^&]+') do
        local name, value = pair:match('^([^=]*)=(.*)$')
        if name == nil then name = pair end
        params[name] = params[name] or {}
        if value ~= nil then table.insert(params[name], value) end
    end
    return params
end

local function parse_host(result, text)
    local address, rest = text:match('^%[([%x:.]+)%](.*)$')
    if address ~= nil then
        result.host, result.ipv6 = address, address
    else
        address, rest = text:match('^([^:]*)(.*)$')
        if address == '' and rest ~= '' then return false end
        if address:find('^%d+$') and rest == '' and result.scheme == nil then
            result.service = address
            return true
        end
        if address ~= '' then
            if not address:find('^[%w%-._~%%]+$') and not address:find('^[%w%-._~%%\128-\255]+$') then return false end
            result.host = address
            if address:find('^%d+%.%d+%.%d+%.%d+$') then result.ipv4 = address end
        end
    end
    if rest ~= '' then
        local service = rest:match('^:([%w%-._]+)$')
        if service == nil then return false end
        result.service = service
    end
    return result.host ~= nil
end

local function parse_text(text)
    local result = {}
    local fragment
    text, fragment = text:match('^([^#]*)#?(.*)$')
    if fragment ~= '' then result.fragment = fragment end
    local before, query = text:match('^([^?]*)%?(.*)$')
    if before ~= nil then
        text = before
        if query ~= '' then
            result.query = query
            result.params = parse_query(query)
        end
    end
    local scheme, rest = text:match('^([%a][%w+%-.]*)://(.*)$')
    if scheme ~= nil then
        result.scheme = scheme
        text = rest
    end
    if text:find('^/') and scheme == nil then
        result.host, result.service, result.unix = 'unix/', text, text
        return result
    end
    local userinfo, host = text:match('^([^@/]*)@(.*)$')
    if userinfo ~= nil then
        text = host
        local login, password = userinfo:match('^([^:]*):(.*)$')
        result.login, result.password = login or userinfo, password
    end
    local socket = text:match('^unix/:(.+)$')
    if socket ~= nil then
        result.host, result.service, result.unix = 'unix/', socket, socket
        return result
    end
    local authority, path = text:match('^([^/]*)(/.*)$')
    if authority ~= nil then
        result.path = path
        text = authority
    end
    if not parse_host(result, text) then return nil end
    return result
end

local function as_values(v)
    if type(v) ~= 'table' then return { tostring(v) } end
    local list = {}
    for i, x in ipairs(v) do list[i] = tostring(x) end
    return list
end

local function refuse(text) return nil, core.new_error('IllegalParams', text, 4) end

local shape = 'Invalid URI table: expected {uri = string, params = table} or {string, params = table}'

-- What is wrong with a table of parameters, nil if nothing is.
local function params_problem(params)
    if type(params) ~= 'table' then return 'Incorrect type for URI parameters: should be a table' end
    for name, value in pairs(params) do
        if type(name) ~= 'string' then return 'Incorrect type for URI parameter name: should be a string' end
        if type(value) == 'table' then
            for _, v in pairs(value) do
                if type(v) ~= 'string' and type(v) ~= 'number' then
                    return 'Incorrect type for URI parameter value: should be string or number'
                end
            end
        elseif type(value) ~= 'string' and type(value) ~= 'number' then
            return 'Incorrect type for URI parameter value: should be string, number or table'
        end
    end
end

-- Adds parameters to those of an address; the ones it has stay if they are defaults that are added.
local function add_params(result, params, are_defaults)
    for name, value in pairs(params or {}) do
        result.params = result.params or {}
        if not are_defaults or result.params[name] == nil then result.params[name] = as_values(value) end
    end
end

local function parse_one(text)
    local result = parse_text(tostring(text))
    if result == nil then return refuse(problem) end
    return result
end

local function parse_table(t)
    if t.default_params ~= nil then return refuse('Default URI parameters are not allowed for single URI') end
    local text = t.uri
    if text == nil then text = t[1] elseif t[1] ~= nil then return refuse(shape) end
    if text == nil or t[2] ~= nil then return refuse(shape) end
    if type(text) ~= 'string' and type(text) ~= 'number' then
        return refuse('Incorrect type for URI in nested table: should be string, number')
    end
    local wrong = t.params ~= nil and params_problem(t.params)
    if wrong then return refuse(wrong) end
    local result, err = parse_one(text)
    if result == nil then return nil, err end
    if t.login ~= nil then result.login = t.login end
    if t.password ~= nil then result.password = t.password end
    add_params(result, t.params)
    return result
end

--- parse(text or table): a table of the parts, or nil and an error.
function uri.parse(source)
    if type(source) == 'table' then return parse_table(source) end
    if type(source) ~= 'string' and type(source) ~= 'number' then error('Usage: uri.parse(string|table)', 2) end
    return parse_one(source)
end

-- The addresses of a list, with the parameters that go for those that don't have them.
local function parse_list(list)
    if list.uri ~= nil then return refuse(shape) end
    if list.params ~= nil then return refuse('URI parameters are not allowed for multiple URIs') end
    local wrong = list.default_params ~= nil and params_problem(list.default_params)
    if wrong then return refuse(wrong) end
    local results = {}
    for i, item in ipairs(list) do
        local result, err
        if type(item) == 'table' then
            result, err = parse_table(item)
        elseif type(item) == 'string' or type(item) == 'number' then
            result, err = parse_one(item)
        else
            return refuse('Incorrect type for URI: should be string, number or table')
        end
        if result == nil then return nil, err end
        add_params(result, list.default_params, true)
        results[i] = result
    end
    return results
end

--- parse_many(text or table): the parts of each of several addresses, which a text separates by commas, or nil and an
--- error. A table is a list, or a single address with its parameters.
function uri.parse_many(source)
    if type(source) == 'string' or type(source) == 'number' then
        local list = {}
        for text in tostring(source):gmatch('[^,]+') do list[#list + 1] = text:match('^%s*(.-)%s*$') end
        return parse_list(list)
    end
    if type(source) ~= 'table' then return refuse('Incorrect type for URI: should be string, number or table') end
    if source[2] ~= nil or source.uri == nil and (source[1] == nil or type(source[1]) == 'table') then
        return parse_list(source)
    end
    local result, err = parse_table(source)
    if result == nil then return nil, err end
    return { result }
end

local function format_params(params)
    local names, parts = {}, {}
    for name in pairs(params) do names[#names + 1] = name end
    table.sort(names)
    for _, name in ipairs(names) do
        local values = as_values(params[name])
        if #values == 0 then parts[#parts + 1] = name end
        for _, v in ipairs(values) do parts[#parts + 1] = name .. '=' .. v end
    end
    return table.concat(parts, '&')
end

--- format(parts [, with_password]): the text of an address; without the password unless asked for.
function uri.format(t, with_password)
    if type(t) ~= 'table' then error('Usage: uri.format(table[, write_password])', 2) end
    local out = {}
    local function put(...)
        for i = 1, select('#', ...) do out[#out + 1] = (select(i, ...)) end
    end
    if t.scheme ~= nil then put(t.scheme, '://') end
    if t.login ~= nil then
        put(t.login)
        if t.password ~= nil and with_password then put(':', t.password) end
        put('@')
    end
    if t.host == 'unix/' then
        put('unix/:', t.service or t.unix)
    else
        if t.ipv6 ~= nil then put('[', t.ipv6, ']') elseif t.host ~= nil then put(t.host) end
        if t.service ~= nil then
            if t.host ~= nil or t.ipv6 ~= nil then put(':') end
            put(tostring(t.service))
        end
    end
    if t.path ~= nil then put(t.path) end
    if t.params ~= nil and next(t.params) ~= nil then put('?', format_params(t.params)) end
    if t.fragment ~= nil then put('#', t.fragment) end
    return table.concat(out)
end

return uri

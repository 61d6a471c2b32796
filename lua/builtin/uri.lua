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

local function incorrect() return nil, core.new_error('IllegalParams', problem, 3) end

local function parse_table(t)
    local text = t.uri or t[1]
    if type(text) == 'number' then text = tostring(text) end
    if type(text) ~= 'string' then return incorrect() end
    local result = parse_text(text)
    if result == nil then return incorrect() end
    if t.login ~= nil then result.login = t.login end
    if t.password ~= nil then result.password = t.password end
    for _, source in ipairs { t.default_params or {}, t.params or {} } do
        for name, v in pairs(source) do
            result.params = result.params or {}
            if source == t.params or result.params[name] == nil then result.params[name] = as_values(v) end
        end
    end
    return result
end

--- parse(text or table): a table of the parts, or nil and an error.
function uri.parse(source)
    if type(source) == 'number' then source = tostring(source) end
    if type(source) == 'table' then return parse_table(source) end
    if type(source) ~= 'string' then error('Usage: uri.parse(string|table)', 2) end
    local result = parse_text(source)
    if result == nil then return incorrect() end
    return result
end

--- parse_many(text or table): the parts of each of several addresses, which a text separates by commas.
function uri.parse_many(source)
    if type(source) == 'number' then source = tostring(source) end
    local list = {}
    if type(source) == 'string' then
        for text in source:gmatch('[^,]+') do list[#list + 1] = text:match('^%s*(.-)%s*$') end
    elseif type(source) == 'table' then
        if source.uri ~= nil then list = { source } else
            for i, item in ipairs(source) do list[i] = item end
            if #list == 1 and source.params ~= nil then list = { source } end
        end
    else
        error('Usage: uri.parse_many(string|table)', 2)
    end
    local results = {}
    for i, item in ipairs(list) do
        local result, err = uri.parse(item)
        if result == nil then return nil, err end
        if source ~= item and type(source) == 'table' and source.default_params ~= nil then
            for name, v in pairs(source.default_params) do
                result.params = result.params or {}
                result.params[name] = result.params[name] or as_values(v)
            end
        end
        results[i] = result
    end
    return results
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

-- The module http.client: requests to HTTP servers. The fiber waits, nothing else does.
local core = require('internal.core')
local json = require('json')
local uri = require('uri')

local go_request = core.fn('http.request')

local client = {}
local client_mt = { __index = client }

local option_types = {
    ca_path = 'string', ca_file = 'string', verify_host = 'boolean', verify_peer = 'boolean', ssl_key = 'string',
    ssl_cert = 'string', headers = 'table', keepalive_idle = 'number', keepalive_interval = 'number',
    low_speed_time = 'number', low_speed_limit = 'number', timeout = 'number', max_header_name_length = 'number',
    verbose = 'boolean', unix_socket = 'string', interface = 'string', no_proxy = 'string', proxy = 'string',
    proxy_port = 'number', proxy_user_pwd = 'string', follow_location = 'boolean', accept_encoding = 'string',
    params = 'table', chunked = 'boolean',
}

local not_there = { interface = 'the choice of a network interface', chunked = 'HTTP requests in chunks',
    proxy_user_pwd = 'HTTP proxies with a password', low_speed_limit = 'a least speed of HTTP requests',
    low_speed_time = 'a least speed of HTTP requests' }

local usage = 'request(method, url[, body, [options]])'

local function media_type(headers)
    local v = headers['content-type']
    return v and v:match('^%s*([^;%s]+)')
end

local function lower_keys(headers)
    local out = {}
    for name, v in pairs(headers or {}) do out[tostring(name):lower()] = tostring(v) end
    return out
end

-- query makes a text of parameters; one with several values stands there as often.
local function query(params)
    local names, parts = {}, {}
    for name in pairs(params) do names[#names + 1] = name end
    table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
    for _, name in ipairs(names) do
        local v = params[name]
        for _, x in ipairs(type(v) == 'table' and v or { v }) do
            parts[#parts + 1] = uri.escape(tostring(name)) .. '=' .. uri.escape(tostring(x))
        end
    end
    return table.concat(parts, '&')
end

local function encode_body(c, body, headers)
    if type(body) == 'nil' or body == nil then return '' end
    if type(body) == 'string' then return body end
    local kind = media_type(headers)
    if kind == nil then
        kind = 'application/json'
        headers['content-type'] = 'application/json; charset=utf-8'
    end
    local encode = c.encoders[kind]
    if encode == nil then
        error(('Unable to encode body: encode function is not found (%s)'):format(kind), 4)
    end
    local ok, text = pcall(encode, body, kind)
    if not ok then error(('Unable to encode body: %s'):format(tostring(text)), 4) end
    return text
end

-- parse_cookies: name -> {value, {attributes}}.
local function parse_cookies(values)
    local cookies = {}
    for _, text in ipairs(values) do
        local parts = {}
        for part in text:gmatch('[^;]+') do parts[#parts + 1] = part:match('^%s*(.-)%s*$') end
        local name, value = (parts[1] or ''):match('^([^=]+)=(.*)$')
        if name ~= nil then
            table.remove(parts, 1)
            cookies[name] = { value, parts }
        end
    end
    return cookies
end

local response_mt = {}
response_mt.__index = {
    --- decode(): the value that the body is, by its media type.
    decode = function(response)
        local kind = media_type(response.headers or {}) or 'application/json'
        local decode = response.ly_decoders[kind]
        if decode == nil then
            error(('Unable to decode body: decode function is not found (%s)'):format(kind), 2)
        end
        return decode(response.body, kind)
    end,
}
response_mt.__serialize = function(response)
    local t = {}
    for k, v in pairs(response) do
        if k ~= 'ly_decoders' then t[k] = v end
    end
    return t
end

local longest_name = 32

local function make_response(c, options, status, problem, body, major, minor, list)
    local response = setmetatable({ status = status, ly_decoders = c.decoders }, response_mt)
    if problem ~= nil then
        response.reason = problem
        return response
    end
    response.reason = status >= 200 and status < 300 and 'Ok' or 'Unknown'
    if body ~= '' then response.body = body end
    response.proto = { major, minor }
    local headers, cookies = {}, {}
    local longest = options.max_header_name_length or longest_name
    for i = 1, #list, 2 do
        local name, value = list[i], list[i + 1]
        if name == 'set-cookie' then cookies[#cookies + 1] = value end
        if #name <= longest then
            headers[name] = headers[name] and headers[name] .. ',' .. value or value
        end
    end
    response.headers = headers
    if #cookies > 0 then response.cookies = parse_cookies(cookies) end
    return response
end

local function check_options(options)
    for name, v in pairs(options) do
        local kind = option_types[name]
        if kind ~= nil and v ~= nil and type(v) ~= kind then
            error(("http: option '%s' must be of type %s"):format(name, kind), 4)
        end
        if not_there[name] ~= nil and v then
            core.client_error(box.error.UNSUPPORTED, 'Lycosa', ("%s (option '%s')"):format(not_there[name], name))
        end
    end
end

--- request(method, url [, body [, options]]): the response: status, reason, headers, body, proto, cookies.
function client.request(c, method, url, body, options)
    if type(c) ~= 'table' or type(method) ~= 'string' or type(url) ~= 'string' then error(usage, 3) end
    options = options or {}
    if type(options) ~= 'table' then error(usage, 3) end
    check_options(options)
    local headers = lower_keys(options.headers)
    if options.params ~= nil then
        local text = query(options.params)
        if body == nil and (method == 'POST' or method == 'PUT' or method == 'PATCH') then
            body = text
            headers['content-type'] = headers['content-type'] or 'application/x-www-form-urlencoded'
        elseif text ~= '' then
            url = url .. (url:find('?', 1, true) and '&' or '?') .. text
        end
    end
    local text = encode_body(c, body, headers)
    local list = setmetatable({}, core.seq_mt)
    for name, v in pairs(headers) do
        list[#list + 1] = name
        list[#list + 1] = v
    end
    local proxy = options.proxy
    if proxy ~= nil and options.proxy_port ~= nil then proxy = ('%s:%d'):format(proxy, options.proxy_port) end
    if options.accept_encoding ~= nil and options.accept_encoding ~= 'gzip' and options.accept_encoding ~= '' then
        list[#list + 1] = 'accept-encoding'
        list[#list + 1] = options.accept_encoding
    end
    local stat = c.statistics
    stat.total_requests, stat.active_requests = stat.total_requests + 1, stat.active_requests + 1
    local function finish(status, ...)
        stat.active_requests = stat.active_requests - 1
        local field = select('#', ...) == 1 and 'failed_requests' or status == 200 and 'http_200_responses'
            or 'http_other_responses'
        stat[field] = stat[field] + 1
        core.check_cancelled()
        if status < 0 then error((...), 4) end
        return make_response(c, options, status, ...)
    end
    return finish(go_request(method, url, text, list, {
        unix_socket = options.unix_socket, proxy = proxy, ca_file = options.ca_file, ca_path = options.ca_path,
        ssl_cert = options.ssl_cert, ssl_key = options.ssl_key, insecure = options.verify_peer == false,
        any_host = options.verify_host == false, compressed = options.accept_encoding == 'gzip',
        stay = options.follow_location == false, timeout = options.timeout,
    }))
end

for _, name in ipairs { 'get', 'head', 'delete', 'options', 'trace', 'connect' } do
    client[name] = function(c, url, options) return (client.request(c, name:upper(), url, nil, options)) end
end
for _, name in ipairs { 'post', 'put', 'patch' } do
    client[name] = function(c, url, body, options) return (client.request(c, name:upper(), url, body, options)) end
end

--- stat(): how many requests there were, by how they ended.
function client.stat(c)
    return table.copy(c.statistics)
end

local function decode_text(text) return text end

local function new()
    local yaml, msgpack = require('yaml'), require('msgpack')
    return setmetatable({
        encoders = { ['application/json'] = function(v) return json.encode(v) end,
            ['application/yaml'] = function(v) return yaml.encode(v) end,
            ['application/msgpack'] = function(v) return msgpack.encode(v) end },
        decoders = { ['application/json'] = function(text) return json.decode(text) end,
            ['application/yaml'] = function(text) return yaml.decode(text) end,
            ['application/msgpack'] = function(text) return (msgpack.decode(text)) end,
            ['text/plain'] = decode_text },
        statistics = { active_requests = 0, sockets_added = 0, sockets_deleted = 0, total_requests = 0,
            http_200_responses = 0, http_other_responses = 0, failed_requests = 0 },
    }, client_mt)
end

local http = { new = new }
local common = new()
for name in pairs(client) do
    http[name] = function(...) return client[name](common, ...) end
end
http.encoders, http.decoders = common.encoders, common.decoders

return http

-- net.box: the client of other servers, and of this one. This file reads the arguments of connect; the connection itself
-- is in net.box.connection.
local core = require('internal.core')
local check = require('box.check')
local connection = require('net.box.connection')

local parse = core.fn('netbox.parse')

local net_box = {}

local option_types = {
    user = 'string',
    password = 'string',
    wait_connected = 'number, boolean',
    reconnect_after = 'number',
    call_16 = 'boolean',
    console = 'boolean',
    connect_timeout = 'number',
    fetch_schema = 'boolean',
    auth_type = 'string',
    required_protocol_version = 'number',
    required_protocol_features = 'table',
    _disable_graceful_shutdown = 'boolean',
}

local connect_usage = 'usage: connect(uri[, opts] | host, port[, opts])'

local function refuse(message) core.client_error(box.error.PROC_LUA, message) end

-- The address that a table stands for: {'uri', params = ...} or {uri = ..., login = ..., password = ...}.
local function read_table(t)
    local uri = t.uri or t[1]
    if uri == nil and (t.host ~= nil or t.service ~= nil) then
        return t.host, t.service and tostring(t.service), t.login, t.password
    end
    if type(uri) ~= 'string' and type(uri) ~= 'number' then refuse(connect_usage) end
    local transport = type(t.params) == 'table' and t.params.transport
    if type(transport) == 'table' then transport = transport[1] end
    if transport then
        uri = ('%s%stransport=%s'):format(uri, tostring(uri):find('?', 1, true) and '&' or '?', transport)
    end
    local host, service, user, password = parse(tostring(uri))
    return host, service, t.login or user, t.password or password
end

-- read_address takes what the arguments of connect say apart: host, service, user, password and the table of options.
local function read_address(...)
    local first, second, third = ...
    local kind = type(first)
    if first == nil or kind ~= 'string' and kind ~= 'number' and kind ~= 'table' then refuse(connect_usage) end
    local port, options
    if type(second) == 'number' or type(second) == 'string' then
        port, options = second, third
    else
        options = second
    end
    if options ~= nil and type(options) ~= 'table' then refuse(connect_usage) end
    if port ~= nil then
        if kind == 'table' then refuse(connect_usage) end
        return tostring(first), tostring(port), nil, nil, options
    end
    if kind == 'table' then
        local host, service, user, password = read_table(first)
        return host, service, user, password, options
    end
    local host, service, user, password = parse(tostring(first))
    return host, service, user, password, options
end

-- read_options checks the table of options and completes it.
local function read_options(options, user, password)
    check.options(options, option_types)
    local o = {}
    for name, value in pairs(options or {}) do
        if value ~= nil then o[name] = value end
    end
    if o.user == nil then
        if o.password ~= nil then refuse('net.box: user is not defined') end
        o.user, o.password = user, password
    end
    if o.console then
        core.client_error(box.error.UNSUPPORTED, 'net.box', 'the console protocol')
    end
    local auth = o.auth_type
    if auth ~= nil and auth ~= 'chap-sha1' and auth ~= 'pap-sha256' then
        core.client_error(box.error.UNKNOWN_AUTH_METHOD, auth)
    end
    return o
end

local function open(target, options)
    local conn = connection.new(target, options)
    if options.wait_connected ~= false then
        conn:wait_connected(tonumber(options.wait_connected))
    end
    return conn
end

--- connect(uri [, options]) or connect(host, port [, options]): a connection, which may not have succeeded.
function net_box.connect(...)
    local host, service, user, password, options = read_address(...)
    return open({ host = host, port = service }, read_options(options, user, password))
end
net_box.new = net_box.connect

--- from_fd(fd [, options]): a connection over an open socket, which it owns from then on.
function net_box.from_fd(...)
    local fd, options = ...
    if type(fd) ~= 'number' or options ~= nil and type(options) ~= 'table' then
        refuse('usage: from_fd(fd[, opts])')
    end
    options = read_options(options)
    if options.reconnect_after ~= nil then
        refuse("net.box: from_fd doesn't support reconnect_after")
    end
    return open({ fd = fd }, options)
end

net_box.self = require('net.box.self')

return net_box

-- The connection object and streams: what programs call.
local core = require('internal.core')
local check = require('box.check')
local request = require('net.box.request')
local space = require('net.box.space')
local transport = require('net.box.transport')
local triggers = require('net.box.triggers')
local txn = require('box.txn')
local watch = require('net.box.watch')

local NOTHING, TUPLES, VALUES = request.NOTHING, request.TUPLES, request.VALUES
local perform, check_options = request.perform, request.check_options

-- Types of requests.
local CALL_16, EVAL, CALL, EXECUTE, PREPARE, BEGIN, COMMIT, ROLLBACK, PING, WATCH_ONCE =
    6, 8, 10, 11, 13, 14, 15, 16, 64, 77

local connection = {}
local methods = {}

local function refuse(message) core.client_error(box.error.PROC_LUA, message) end

local function check_remote(object, method)
    if type(object) ~= 'table' or object._transport == nil then
        refuse(('Use remote:%s(...) instead of remote.%s(...):'):format(method, method))
    end
end

local function check_arguments(args, method, first)
    if args ~= nil and type(args) ~= 'table' and not core.is_tuple(args) then
        error(('Use remote:%s(%s, {arg1, arg2, ...}, opts) instead of remote:%s(%s, arg1, arg2, ...)'):format(
            method, first, method, first), 3)
    end
end

local function send(conn, mode, options, code, ...)
    return perform(conn._transport, conn._stream_id or 0, mode, 0, options, code, ...)
end

-- State.

function methods.close(conn)
    check_remote(conn, 'close')
    conn._transport:close()
end

function methods.is_connected(conn)
    check_remote(conn, 'is_connected')
    local t = conn._transport
    return t.state == 'active' or t.state == 'fetch_schema'
end

local function check_timeout(timeout, usage)
    if timeout ~= nil and type(timeout) ~= 'number' then error('Usage: ' .. usage, 3) end
end

function methods.wait_connected(conn, timeout)
    check_remote(conn, 'wait_connected')
    check_timeout(timeout, 'remote:wait_connected(timeout)')
    return conn._transport:wait_state({ active = true }, timeout)
end

--- wait_state(state or {state = true, ...} [, timeout]) waits for a state.
function methods.wait_state(conn, states, timeout)
    check_remote(conn, 'wait_state')
    check_timeout(timeout, 'remote:wait_state(state, timeout)')
    if type(states) == 'table' then
        local set = {}
        for k, v in pairs(states) do
            if type(k) == 'number' then set[v] = true elseif v then set[k] = true end
        end
        states = set
    else
        states = { [states] = true }
    end
    return conn._transport:wait_state(states, timeout)
end

for _, name in ipairs { 'on_connect', 'on_disconnect', 'on_schema_reload', 'on_shutdown' } do
    methods[name] = function(conn, ...)
        check_remote(conn, name)
        return triggers.set(conn._transport[name], ...)
    end
end

-- Requests.

function methods.ping(conn, options)
    check_remote(conn, 'ping')
    check_options(options)
    if options ~= nil and options.is_async then
        error("conn:ping() doesn't support `is_async` argument", 2)
    end
    return (pcall(send, conn, NOTHING, options, PING))
end

--- The answer of a ping tells whether the schema has changed.
function methods.reload_schema(conn)
    check_remote(conn, 'reload_schema')
    methods.ping(conn)
end

local no_arguments = {}

function methods.call(conn, name, args, options)
    check_remote(conn, 'call')
    check_arguments(args, 'call', 'func_name')
    check_options(options)
    local t = conn._transport
    local text = t:encode_arguments(args or no_arguments)
    if not t.options.call_16 then
        return send(conn, VALUES, options, CALL, tostring(name), text)
    end
    local list = send(conn, TUPLES, options, CALL_16, tostring(name), text)
    if type(list) == 'table' and not (options ~= nil and options.is_async) then return unpack(list) end
    return list
end

function methods.eval(conn, code, args, options)
    check_remote(conn, 'eval')
    check_arguments(args, 'eval', 'expression')
    check_options(options)
    return send(conn, VALUES, options, EVAL, code == nil and '' or tostring(code),
        conn._transport:encode_arguments(args or no_arguments))
end

-- SQL. Keys of answers and of the descriptions of columns.

local DATA, METADATA, BIND_METADATA, BIND_COUNT, SQL_INFO, STMT_ID = 0x30, 0x32, 0x33, 0x34, 0x42, 0x43
local ROW_COUNT, AUTOINCREMENT_IDS = 0, 1
local column_keys = { [0] = 'name', 'type', 'collation', 'is_nullable', 'is_autoincrement', 'span' }

local function columns_of(list)
    local columns = {}
    for i, column in ipairs(list or {}) do
        local c = {}
        for key, value in pairs(column) do c[column_keys[key] or key] = value end
        columns[i] = c
    end
    return columns
end

local function sql_result(body)
    if body[METADATA] == nil then
        local info = body[SQL_INFO] or {}
        local result = { row_count = info[ROW_COUNT] }
        local ids = info[AUTOINCREMENT_IDS]
        if ids ~= nil then result.autoincrement_ids = setmetatable(ids, nil) end
        return result
    end
    local rows = {}
    for i, row in ipairs(body[DATA] or {}) do rows[i] = box.tuple.new(row) end
    return { metadata = columns_of(body[METADATA]), rows = rows }
end

local statement = {}
statement.__index = statement

local function prepared(conn, body)
    return setmetatable({
        stmt_id = body[STMT_ID], param_count = body[BIND_COUNT], params = columns_of(body[BIND_METADATA]),
        metadata = body[METADATA] and columns_of(body[METADATA]) or nil, _conn = conn,
    }, statement)
end

local function refuse_sql_options(sql_options, method)
    if sql_options ~= nil and next(sql_options) ~= nil then
        core.client_error(box.error.UNSUPPORTED, method, 'options')
    end
end

-- sql performs a request of SQL whose whole body matters.
local function sql(conn, options, shape, code, ...)
    check_options(options)
    for _, name in ipairs { 'is_async', 'buffer', 'skip_header', 'return_raw' } do
        if options ~= nil and options[name] then
            core.client_error(box.error.UNSUPPORTED, 'SQL over net.box', "the option '" .. name .. "'")
        end
    end
    return shape(request.decode_body(send(conn, request.BODY, options, code, ...)))
end

function methods.execute(conn, query, parameters, sql_options, options)
    check_remote(conn, 'execute')
    refuse_sql_options(sql_options, 'execute')
    return sql(conn, options, sql_result, EXECUTE, query, conn._transport:encode_arguments(parameters or no_arguments))
end

function methods.prepare(conn, query, _, sql_options, options)
    check_remote(conn, 'prepare')
    if type(query) ~= 'string' then error('conn:prepare: expected string as query', 2) end
    refuse_sql_options(sql_options, 'prepare')
    return sql(conn, options, function(body) return prepared(conn, body) end, PREPARE, query)
end

function methods.unprepare(conn, id, _, sql_options, options)
    check_remote(conn, 'unprepare')
    if type(id) ~= 'number' then error('conn:unprepare: expected number as statement id', 2) end
    refuse_sql_options(sql_options, 'unprepare')
    sql(conn, options, function() end, PREPARE, id)
end

function statement.execute(s, parameters, sql_options, options)
    return s._conn:execute(s.stmt_id, parameters, sql_options, options)
end

function statement.unprepare(s, ...) return s._conn:unprepare(s.stmt_id, ...) end

statement.__serialize = function(s)
    return { stmt_id = s.stmt_id, param_count = s.param_count, params = s.params, metadata = s.metadata }
end

-- Watchers.

function methods.watch(conn, key, func)
    check_remote(conn, 'watch')
    if type(key) ~= 'string' then refuse('key must be a string') end
    if type(func) ~= 'function' then refuse('func must be a function') end
    local t = conn._transport
    if t.state == 'active' and not t.features.watchers then
        core.client_error(box.error.UNSUPPORTED, 'Remote server', 'watchers')
    end
    return watch.new(t, rawget(conn, '_conn') or conn, key, func)
end

function methods.watch_once(conn, key, options)
    check_remote(conn, 'watch_once')
    if type(key) ~= 'string' then refuse('key must be a string') end
    check_options(options)
    local t = conn._transport
    if t.state == 'active' and not t.features.watch_once then
        core.client_error(box.error.UNSUPPORTED, 'Remote server', 'watch_once')
    end
    local value = send(conn, VALUES, options, WATCH_ONCE, key)
    return value
end

-- Showing.

local shown = { 'host', 'port', 'state', 'error', 'schema_version', 'peer_uuid', 'peer_version_id', 'peer_protocol_version',
    'peer_protocol_features' }

local function serialize(conn)
    local t = { protocol = 'Binary', stream_id = conn._stream_id }
    for _, name in ipairs(shown) do t[name] = conn[name] end
    if next(conn.opts) ~= nil then
        t.opts = {}
        for k, v in pairs(conn.opts) do
            if k ~= 'password' then t.opts[k] = v end
        end
    end
    return t
end

local conn_mt = { __index = methods, __serialize = serialize }

--- A connection to a target {host, port} or {fd}; options were checked. It begins to connect at once.
function connection.new(target, options)
    local conn = { host = target.host, port = target.port, opts = options, state = 'initial', _streams = 0 }
    conn.space = options.fetch_schema == false and space.by_names(conn) or {}
    conn._transport = transport.new(conn, target, options)
    conn._fiber = conn._transport.fiber
    return setmetatable(conn, conn_mt)
end

-- Streams.

local stream_methods = {}

local function check_stream(object, method)
    if type(object) ~= 'table' or object._stream_id == nil then
        refuse(('Use stream:%s(...) instead of stream.%s(...):'):format(method, method))
    end
end

local txn_options = { timeout = 'any', txn_isolation = 'any', is_sync = 'any' }

local function is_sync_of(options)
    if options.is_sync ~= nil and options.is_sync ~= true then error('is_sync can only be true', 3) end
    return options.is_sync
end

-- ended returns the future of a request that is asynchronous, otherwise nothing.
local function ended(options, result)
    if options ~= nil and options.is_async then return result end
end

function stream_methods.begin(stream, options, net_options)
    check_stream(stream, 'begin')
    check_options(net_options)
    check.options(options, txn_options)
    local timeout, level, is_sync
    if options ~= nil then
        timeout, level, is_sync = options.timeout, options.txn_isolation, is_sync_of(options)
        if timeout ~= nil and (type(timeout) ~= 'number' or timeout <= 0) then
            error('timeout must be a number greater than 0', 2)
        end
        if level ~= nil then
            level = txn.isolation_level(level)
            if level == nil then
                error('txn_isolation must be one of box.txn_isolation_level (keys or values)', 2)
            end
        end
    end
    return ended(net_options, send(stream, NOTHING, net_options, BEGIN, timeout, level, is_sync))
end

--- commit([transaction's options] [, request's options]); with one table, is_sync tells that it is the former.
function stream_methods.commit(stream, options, net_options)
    check_stream(stream, 'commit')
    local is_sync
    if type(options) == 'table' and (net_options ~= nil or options.is_sync ~= nil) then
        check.options(options, { is_sync = 'any' })
        is_sync = is_sync_of(options)
    else
        net_options = net_options or options
    end
    check_options(net_options)
    return ended(net_options, send(stream, NOTHING, net_options, COMMIT, is_sync))
end

function stream_methods.rollback(stream, options, net_options)
    check_stream(stream, 'rollback')
    net_options = net_options or options
    check_options(net_options)
    return ended(net_options, send(stream, NOTHING, net_options, ROLLBACK))
end

-- What a stream hasn't of its own it has of its connection.
local stream_mt = {
    __index = function(stream, key)
        local own = stream_methods[key]
        if own ~= nil then return own end
        return rawget(stream, '_conn')[key]
    end,
    __serialize = serialize,
}

--- A stream of requests that the server runs one after the other, and that may be a transaction.
function methods.new_stream(conn)
    check_remote(conn, 'new_stream')
    conn = rawget(conn, '_conn') or conn
    if conn._transport.state == 'active' and not conn._transport.features.streams then
        core.client_error(box.error.UNSUPPORTED, 'Remote server', 'streams')
    end
    conn._streams = conn._streams + 1
    local stream = setmetatable({ _conn = conn, _stream_id = conn._streams }, stream_mt)
    rawset(stream, 'space', space.of_stream(stream, conn))
    return stream
end

return connection

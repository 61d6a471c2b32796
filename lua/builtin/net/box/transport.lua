-- The life of a connection: a fiber that connects, fetches the schema, hears of events, and reconnects.
--
-- A transport doesn't keep its connection object alive, so that one that a program has lost is closed. The states are
-- initial, fetch_schema, active, graceful_shutdown, error_reconnect, error and closed.
local bridge = require('internal.bridge')
local core = require('internal.core')
local ffi = require('ffi')
local request = require('net.box.request')
local space = require('net.box.space')
local triggers = require('net.box.triggers')
local watch = require('net.box.watch')

local go_open, go_dial, go_poll, go_disconnect, go_close, go_drain = core.fn('netbox.open'), core.fn('netbox.dial'),
    core.fn('netbox.poll'), core.fn('netbox.disconnect'), core.fn('netbox.close'), core.fn('netbox.drain')
local now = core.fn('fiber.monotonic')

local transport = {}
local methods = {}
local mt = { __index = methods }

-- The key by which a server says that it is going to stop.
local shutdown_key = 'box.shutdown'

local all = {} -- the transports whose fibers run, by number

local function no_connection(message)
    return box.error.new { code = box.error.NO_CONNECTION, reason = message }
end

-- A connection that nobody holds any more is closed by the next one that is made.
local new_handle, close_forgotten = require('internal.handles')(function(id)
    local t = all[id]
    if t ~= nil then t:close() end
end)

local function version_id(text)
    local major, minor, patch = text:match('(%d+)%.(%d+)%.(%d+)')
    return bit.bor(bit.lshift(major, 16), bit.lshift(minor, 8), patch)
end

-- set_state enters a state. Triggers of being connected run before anybody hears of it.
local function set_state(t, state, e)
    t.state, t.error = state, e
    local conn = t.owner.conn
    if conn ~= nil then
        conn.state = state
        conn.error = e and e.message or nil
    end
end

local function changed(t) t.changed:broadcast() end

-- next_event waits for something to happen, until a deadline.
local function next_event(t, deadline)
    while true do
        local rest = deadline and math.max(deadline - now(), 0)
        local kind, a, b, c, d, e = go_poll(t.id, rest)
        if kind ~= nil then return kind, a, b, c, d, e end
        if deadline ~= nil and now() >= deadline then return nil end
    end
end

-- missing says what the server lacks of what the connection requires, nil when it has it all.
local function missing(options, protocol, features)
    local version = options.required_protocol_version
    if version ~= nil and protocol < version then
        return ('Protocol version (%d) < required (%d)'):format(protocol, version)
    end
    local list = {}
    for _, name in ipairs(options.required_protocol_features or {}) do
        if not features[name] then list[#list + 1] = tostring(name) end
    end
    if #list > 0 then return 'Missing required protocol features: ' .. table.concat(list, ', ') end
    return nil
end

-- fetch gets the schema and installs it; it returns an error when that fails.
local function fetch(t)
    local definitions, e = space.fetch(t)
    if definitions == nil then return e end
    local conn = t.owner.conn
    if conn ~= nil then
        conn.space = space.install(conn, definitions)
        conn.schema_version = t.schema_version
        triggers.run(t.on_schema_reload, conn)
    end
    return nil
end

-- shut_down runs in a fiber of its own when the server is going to stop: what is running may end, then the connection
-- is given up.
local function shut_down(t)
    triggers.run(t.on_shutdown, t.owner.conn)
    if t.state ~= 'active' then return end
    set_state(t, 'graceful_shutdown')
    changed(t)
    go_drain(t.id)
end

local function watch_shutdown(t)
    if t.options._disable_graceful_shutdown or not t.features.watchers or t.keys[shutdown_key] ~= nil then return end
    watch.new(t, nil, shutdown_key, function(_, value)
        if value == true and t.state == 'active' then
            require('fiber').new(shut_down, t):name('net.box.shutdown')
        end
    end)
end

-- serve hears of events until the connection ends, and returns why it did.
local function serve(t)
    while true do
        local kind, a, b = next_event(t)
        if kind == 'lost' then return core.remote_error(a) end
        if kind == 'closed' then return nil end
        if kind == 'event' then
            watch.event(t, a, b)
        elseif kind == 'drained' then
            return no_connection('Peer closed')
        elseif kind == 'schema' and t.fetches then
            t.schema_version = a
            local before = t.state
            if before == 'active' then
                set_state(t, 'fetch_schema')
                changed(t)
            end
            local e = fetch(t)
            if e ~= nil then return e end
            if t.state == 'fetch_schema' then
                set_state(t, before)
                changed(t)
            end
        end
    end
end

-- connect connects, and returns the error when that fails.
local function connect(t)
    local o = t.options
    go_dial(t.id, t.host, t.port, o.user, o.password, o.auth_type, o.connect_timeout or 10, t.fd)
    local kind, version, uuid, protocol, features, schema_version = next_event(t)
    if kind == 'failed' then return core.remote_error(version) end
    if kind ~= 'connected' then return no_connection('Connection closed') end
    setmetatable(features, nil)
    t.features = features
    t.arguments_codec = features.call_arg_tuple_extension and transport.tuple_codec or transport.plain_codec
    t.schema_version = schema_version
    local conn = t.owner.conn
    if conn ~= nil then
        conn.peer_uuid, conn.peer_version_id = uuid, version_id(version)
        conn.peer_protocol_version, conn.peer_protocol_features = protocol, features
        conn = nil -- luacheck: ignore
    end
    local lack = missing(o, protocol, features)
    if lack ~= nil then return no_connection(lack) end
    if t.fetches then
        set_state(t, 'fetch_schema')
        changed(t)
        local e = fetch(t)
        if e ~= nil then return e end
    end
    return nil
end

-- once is one connection from its beginning to its end. It returns why it ended.
local function once(t)
    local e = connect(t)
    if e ~= nil or t.is_closed then return e end
    set_state(t, 'active')
    watch.renew(t)
    watch_shutdown(t)
    t.connected = true
    triggers.run(t.on_connect, t.owner.conn)
    changed(t)
    return serve(t)
end

local function disconnected(t)
    if not t.connected then return end
    t.connected = false
    triggers.run(t.on_disconnect, t.owner.conn)
end

-- live is the fiber of the transport.
local function live(t)
    while not t.is_closed do
        local ok, e = pcall(once, t)
        if t.is_closed then break end
        if not ok and not core.is_error(e) then e = no_connection(tostring(e)) end -- a schema that is none
        go_disconnect(t.id)
        local pause = t.options.reconnect_after
        set_state(t, pause and 'error_reconnect' or 'error', e)
        disconnected(t)
        changed(t)
        if not pause then
            if not t.is_closed then go_close(t.id) end
            break
        end
        if next_event(t, now() + pause) == 'closed' then break end
    end
    disconnected(t)
    all[t.id] = nil
end

--- A transport to a target {host, port} or {fd}, for a connection that is told of states.
function transport.new(conn, target, options)
    close_forgotten()
    local t = setmetatable({
        id = go_open(), owner = setmetatable({ conn = conn }, { __mode = 'v' }),
        host = target.host or '', port = target.port or '', fd = target.fd,
        options = options, fetches = options.fetch_schema ~= false, state = 'initial',
        changed = require('fiber').cond(), keys = {}, features = {}, arguments_codec = transport.plain_codec,
        on_connect = triggers.new(), on_disconnect = triggers.new(), on_schema_reload = triggers.new(),
        on_shutdown = triggers.new(),
    }, mt)
    all[t.id] = t
    conn._handle = new_handle(t.id)
    t.fiber = require('fiber').new(live, t)
    t.fiber:name(('%s:%s (net.box)'):format(t.host, t.port), { truncate = true })
    return t
end

--- Close the connection for good.
function methods:close()
    if self.is_closed then return end
    self.is_closed = true
    local was_over = self.state == 'error'
    go_close(self.id)
    set_state(self, 'closed', no_connection('Connection closed'))
    self.changed:broadcast()
    if was_over then all[self.id] = nil end
end

--- Raise unless requests can be sent.
function methods:check_active()
    local state = self.state
    if state == 'active' or state == 'fetch_schema' and self.connected then return end
    local e = self.error
    if e == nil then
        e = no_connection(state == 'graceful_shutdown' and 'Peer is shutting down' or 'Connection is not established')
    end
    core.set_last_error(e)
    error(e, 0)
end

local over = { error = true, closed = true }

--- wait_state(states, timeout) waits for one of a set of states; false when there is no more hope or time.
function methods:wait_state(states, timeout)
    local deadline = timeout and now() + timeout
    while not states[self.state] do
        if over[self.state] then return false end
        local rest = deadline and deadline - now()
        if rest ~= nil and rest <= 0 then return false end
        self.changed:wait(rest)
    end
    return true
end

-- How arguments of calls are encoded: with tuples as such, for servers that know them, or as arrays.
local codec_type = ffi.typeof('struct lycosa_codec')
transport.tuple_codec = codec_type { 1, 2, 10, 128, 0, 0, 1, 1, 2, 0, 1, 0 }
transport.plain_codec = codec_type { 1, 2, 10, 128, 0, 0, 1, 1, 0, 0, 1, 0 }

--- The encoded arguments of a call.
function methods:encode_arguments(args) return bridge.encode(self.arguments_codec, args) end

transport.request = request

return transport

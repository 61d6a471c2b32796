-- Watchers of a connection. An event that came while a watcher still runs waits; of several only the last one counts.
-- The server sends the next event of a key when all watchers of the key have taken the last one.
local bridge = require('internal.bridge')
local core = require('internal.core')

local go_watch = core.fn('netbox.watch')
local codec = bridge.wire_codec

local watch = {}

local methods = {}
local watcher_mt = { __index = methods, __tostring = function() return 'net.box.watcher' end }
watcher_mt.__serialize = watcher_mt.__tostring

local function value_of(k)
    if k.text == nil then return nil end
    return (bridge.decode(codec, k.text))
end

-- acknowledge tells the server that an event was taken, once all watchers have.
local function acknowledge(t, k)
    if k.acknowledged == k.version then return end
    for _, w in ipairs(k.watchers) do
        if w._version < k.version or w._running then return end
    end
    k.acknowledged = k.version
    go_watch(t.id, k.key, true)
end

local function run(t, k, w)
    while w._registered and w._version < k.version do
        w._version = k.version
        local ok, reason = pcall(w._func, k.key, value_of(k))
        if not ok then require('log').error(reason) end
    end
    w._running = false
    if w._registered then acknowledge(t, k) end
end

local function notify(t, k, w)
    if w._running then return end
    w._running = true
    require('fiber').new(run, t, k, w):name('net.box.watcher')
end

--- Watch a key on a transport. conn is kept alive by the watcher, nil for one of the connection's own.
function watch.new(t, conn, key, func)
    local k = t.keys[key]
    if k == nil then
        k = { key = key, version = 0, acknowledged = 0, watchers = {} }
        t.keys[key] = k
        go_watch(t.id, key, true)
    end
    local w = setmetatable({ conn = conn, _transport = t, _key = k, _func = func, _version = 0, _registered = true }, watcher_mt)
    table.insert(k.watchers, w)
    if k.version > 0 then notify(t, k, w) end
    return w
end

--- An event has come; text is the encoded value, nil without one.
function watch.event(t, key, text)
    local k = t.keys[key]
    if k == nil then return end
    k.version = k.version + 1
    k.text = text
    for _, w in ipairs(k.watchers) do notify(t, k, w) end
end

--- A new connection to the server: all keys are watched again.
function watch.renew(t)
    for key, k in pairs(t.keys) do
        k.acknowledged = k.version
        go_watch(t.id, key, true)
    end
end

function methods.unregister(w)
    if getmetatable(w) ~= watcher_mt then error('Usage: watcher:unregister()', 2) end
    if not w._registered then
        core.client_error(box.error.PROC_LUA, 'Watcher is already unregistered')
    end
    w._registered = false
    local t, k = w._transport, w._key
    for i, x in ipairs(k.watchers) do
        if x == w then
            table.remove(k.watchers, i)
            break
        end
    end
    if #k.watchers > 0 then
        acknowledge(t, k)
    else
        t.keys[k.key] = nil
        go_watch(t.id, k.key, false)
    end
end

return watch

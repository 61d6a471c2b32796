-- box.watch and box.broadcast: keys with values that watchers are told of.
local go = require('internal.go')

local watch = go.fn('box.watch')
local unwatch = go.fn('box.unwatch')
local watch_once = go.fn('box.watch_once')
local broadcast = go.fn('box.broadcast')

local events = {}

-- A watcher is an object with one method.
local watchers = setmetatable({}, {__mode = 'k'})
local template = newproxy(true)
local mt = getmetatable(template)

local methods = {}
mt.__index = methods
mt.__tostring = function(watcher)
    return string.format("<watcher '%s'>", watchers[watcher] and watchers[watcher].key or '')
end

function methods.unregister(watcher)
    local state = watchers[watcher]
    if state == nil then
        error('Usage: watcher:unregister()', 2)
    end
    if state.id == nil then
        error('Watcher is already unregistered', 2)
    end
    unwatch(state.id)
    state.id = nil
end

function events.watch(key, callback)
    if type(key) ~= 'string' or type(callback) ~= 'function' then
        error('Usage: box.watch(key, function)', 2)
    end
    local watcher = newproxy(template)
    watchers[watcher] = {key = key, id = watch(key, callback)}
    return watcher
end

function events.watch_once(...)
    local key = ...
    if select('#', ...) ~= 1 or type(key) ~= 'string' and type(key) ~= 'number' then
        error('Usage: box.watch_once(key)', 2)
    end
    -- The value comes in a list, in which a null stays what it is.
    local list = watch_once(tostring(key))
    if list ~= nil then
        return list[1]
    end
end

function events.broadcast(...)
    local key, value = ...
    local n = select('#', ...)
    if n < 1 or n > 2 or type(key) ~= 'string' then
        error('Usage: box.broadcast(key[, value])', 2)
    end
    if key:sub(1, 4) == 'box.' then
        error("System event can't be override", 2)
    end
    if type(value) == 'nil' then
        broadcast(key)
    else
        broadcast(key, {value})
    end
end

return events

-- The old way to set triggers: one function for setting, replacing, deleting and listing. It works on the events of
-- the module trigger, where a function without a name has its address for a name.
local core = require('internal.core')
local trigger = require('trigger')

local triggers = {}

local function is_callable(value)
    if type(value) == 'function' then
        return true
    end
    local mt = debug.getmetatable(value)
    return type(mt) == 'table' and mt.__call ~= nil
end

local function name_of(handler)
    return tostring(handler)
end

local function handlers(event)
    local list = {}
    for i, entry in ipairs(trigger.info(event)[event] or {}) do
        list[i] = entry[2]
    end
    return list
end

-- triggers.set(event): the list of handlers.
-- triggers.set(event, new, old, name): sets new in the place of old. Either may be nil. With a name only the handler
-- with that name is concerned.
-- triggers.set(event, {func = f, name = n}): the same by names of arguments.
-- Returns the handler that was set, if any.
function triggers.set(event, ...)
    local new, old, name = ...
    if select('#', ...) == 0 or new == nil and old == nil and name == nil then
        return handlers(event)
    end
    if type(new) == 'table' and not is_callable(new) and old == nil and name == nil then
        name = new.name
        if type(name) ~= 'string' then
            error('name must be a string', 2)
        end
        new = new.func
        if new ~= nil and not is_callable(new) then
            error('func must be a callable object or nil', 2)
        end
    end
    if new ~= nil and not is_callable(new) or old ~= nil and not is_callable(old) or
            name ~= nil and type(name) ~= 'string' then
        error('trigger reset: incorrect arguments', 2)
    end
    if name ~= nil then
        if new == nil then
            core.set_trigger(event, name)
            return
        end
        trigger.set(event, name, new)
        return new
    end
    if old ~= nil and core.set_trigger(event, name_of(old)) == nil then
        error('trigger reset: Trigger is not found', 2)
    end
    if new == nil then
        return
    end
    trigger.set(event, name_of(new), new)
    return new
end

-- A function that works on one event.
function triggers.setter(event)
    return function(...)
        return triggers.set(event, ...)
    end
end

return triggers

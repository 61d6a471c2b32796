-- The module trigger: named handlers on named events.
local bridge = require('internal.bridge')
local core = require('internal.core')
local escape = require('internal.escape')

local go_set, go_del, go_handlers, go_names = core.fn('trigger.set'), core.fn('trigger.del'), core.fn('trigger.handlers'),
    core.fn('trigger.names')
local new_ref, ref_value = bridge.new_ref, bridge.ref_value

local trigger = {}

local function callable(f)
    if type(f) == 'function' then return true end
    local mt = debug.getmetatable(f)
    return type(mt) == 'table' and mt.__call ~= nil
end
core.callable = callable

--- How many parameters a handler declares; what can't be told has none.
local function parameters(f)
    if type(f) ~= 'function' then return 0 end
    return debug.getinfo(f, 'u').nparams
end

-- Whether a handler of requests can be lent their objects. What is callable and no function might do anything with them.
local function borrows(f)
    return type(f) == 'function' and escape.impossible(f)
end

--- core.set_trigger(event, name, f, ...) makes f a handler; nil deletes it. What follows is a policy.
function core.set_trigger(event, name, f, ...)
    if f == nil then return go_del(event, name) end
    return go_set(event, name, new_ref(f), parameters(f), borrows(f), ...)
end

function trigger.set(event, name, f, ...)
    if select('#', ...) > 0 or event == nil or name == nil or f == nil then
        error('Usage: trigger.set(event, trigger, function)', 2)
    end
    if type(event) == 'number' then event = tostring(event) end
    if type(name) ~= 'string' then
        error(("bad argument #2 to 'set' (string expected, got %s)"):format(type(name)), 2)
    end
    if not callable(f) then
        error(("bad argument #3 to '?' (callable expected, got %s)"):format(type(f)), 2)
    end
    core.set_trigger(event, name, f)
    return f
end

function trigger.del(event, name)
    if type(event) ~= 'string' or type(name) ~= 'string' then error('Usage: trigger.del(event, trigger)', 2) end
    go_del(event, name)
end

-- handlers lists {name, function} in running order.
local function handlers(event)
    local list = go_handlers(event)
    local out = {}
    for i, h in ipairs(list) do out[i] = { h[1], ref_value(h[2]) } end
    return out
end

function trigger.call(event, ...)
    if type(event) ~= 'string' then error('Usage: trigger.call(event, [args...])', 2) end
    for _, h in ipairs(handlers(event)) do
        local ok, e = pcall(h[2], ...)
        if not ok then
            if not core.is_error(e) then e = core.new_error('LuajitError', tostring(e), 2) end
            core.set_last_error(e)
            error(e, 0)
        end
    end
end

function trigger.pairs(event)
    if type(event) ~= 'string' then error('Usage: trigger.pairs(event)', 2) end
    local list, i = handlers(event), 0
    return function()
        i = i + 1
        if list[i] ~= nil then return list[i][1], list[i][2] end
    end
end

function trigger.info(event)
    if event ~= nil and type(event) ~= 'string' then error('Usage: trigger.info([event])', 2) end
    local info = {}
    for _, name in ipairs(event and { event } or go_names()) do
        local list = handlers(name)
        if #list > 0 then info[name] = list end
    end
    return info
end

return trigger

-- The triggers of a connection: lists of functions that are run newest first.
local function is_callable(value)
    if type(value) == 'function' then return true end
    local mt = debug.getmetatable(value)
    return type(mt) == 'table' and mt.__call ~= nil
end

local triggers = {}

function triggers.new() return {} end

--- set(list, new, old): new takes the place of old; either may be nil. Without arguments a copy of the list is returned.
function triggers.set(list, ...)
    local new, old = ...
    if select('#', ...) == 0 or new == nil and old == nil then
        local copy = {}
        for i, f in ipairs(list) do copy[i] = f end
        return copy
    end
    if new ~= nil and not is_callable(new) or old ~= nil and not is_callable(old) then
        error('trigger reset: incorrect arguments', 3)
    end
    if old ~= nil then
        for i, f in ipairs(list) do
            if f == old then
                if new == nil then table.remove(list, i) else list[i] = new end
                return new
            end
        end
        error('trigger reset: Trigger is not found', 3)
    end
    table.insert(list, 1, new)
    return new
end

--- run(list, ...): call all that are in the list now. One that raises is logged and doesn't keep the others from running.
function triggers.run(list, ...)
    if #list == 0 then return end
    for _, f in ipairs(triggers.set(list)) do
        local ok, reason = pcall(f, ...)
        if not ok then require('log').error(reason) end
    end
end

return triggers

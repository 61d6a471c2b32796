-- fiber.cond: a list of fibers that wait to be woken.
local core = require('internal.core')

local methods = {}
local mt = { __index = methods, __tostring = function() return 'cond' end }

local function check(c, usage)
    if getmetatable(c) ~= mt then core.illegal(usage, 3) end
end

function methods.signal(c)
    check(c, 'Usage: cond:signal()')
    local id = table.remove(c, 1)
    if id ~= nil then core.wake(id) end
end

function methods.broadcast(c)
    check(c, 'Usage: cond:broadcast()')
    local waiting = {}
    for i, id in ipairs(c) do waiting[i] = id end
    for i = #c, 1, -1 do c[i] = nil end
    for _, id in ipairs(waiting) do core.wake(id) end
end

--- Wait to be signalled: true, or false when the time ran out.
function methods.wait(c, timeout)
    check(c, 'Usage: cond:wait([timeout])')
    if timeout ~= nil and (type(timeout) ~= 'number' or timeout < 0) then
        core.illegal('Usage: cond:wait([timeout])', 2)
    end
    core.check_cancelled()
    local id = core.self_id()
    c[#c + 1] = id
    local in_time = core.wait(timeout)
    for i, waiter in ipairs(c) do
        if waiter == id then
            table.remove(c, i)
            break
        end
    end
    core.check_cancelled()
    if not in_time then
        core.set_last_error(core.new_error('TimedOut', 'timed out', 2))
    end
    return in_time
end

return function() return setmetatable({}, mt) end

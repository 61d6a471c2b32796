-- The module clock: the system's clocks in seconds, and in nanoseconds as 64-bit integers.
local ffi = require('ffi')

ffi.cdef [[
struct lycosa_timespec { long sec; long nsec; };
int clock_gettime(int clock, struct lycosa_timespec *t) __asm__("clock_gettime");
]]

local C = ffi.C
local t = ffi.new('struct lycosa_timespec')
local billion = 1000000000LL

local function seconds(id)
    return function()
        C.clock_gettime(id, t)
        return tonumber(t.sec) + tonumber(t.nsec) / 1e9
    end
end

local function nanoseconds(id)
    return function()
        C.clock_gettime(id, t)
        return t.sec * billion + t.nsec
    end
end

local clock = {}
for name, id in pairs { realtime = 0, monotonic = 1, proc = 2, thread = 3 } do
    clock[name] = seconds(id)
    clock[name .. '64'] = nanoseconds(id)
end
clock.time, clock.time64 = clock.realtime, clock.realtime64

--- bench(f, ...) -> {processor seconds that f(...) took, what it returned...}
function clock.bench(f, ...)
    local start = clock.proc()
    local function finish(...)
        return { clock.proc() - start, ... }
    end
    return finish(f(...))
end

return clock

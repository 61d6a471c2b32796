-- Fibers: coroutines on the cord. Go knows a fiber by its id and can start, park and wake it; names, storage, results
-- and whoever joins are kept here.
local core = require('internal.core')
local entries = require('internal.fibers')
local ffi = require('ffi')

local shared = core.shared
local new, start, ready, wake, cancel, alive, state_of, set_name, park, all, now, realtime, backtrace =
    core.fn('fiber.new'), core.fn('fiber.start'), core.fn('fiber.ready'), core.fn('fiber.wake'), core.fn('fiber.cancel'),
    core.fn('fiber.alive'), core.fn('fiber.state'), core.fn('fiber.set_name'), core.fn('fiber.park'), core.fn('fiber.all'),
    core.fn('fiber.monotonic'), core.fn('fiber.realtime'), core.fn('fiber.backtrace')

local fiber = {}
local methods = {}

local function self_id() return tonumber(shared.fiber_id) end

-- A fiber object is a userdata with the common metatable; ids tells which fiber it is.
local prototype = newproxy(true)
local ids = setmetatable({}, { __mode = 'k' })
local objects = setmetatable({}, { __mode = 'v' })
local storages = {}  -- by id, while the fiber lives
local joinables = {} -- by id: {results, done, waiters}
-- Slices limit how long a fiber may compute without yielding. The start of one is noted when somebody first asks.
local max_slice = { warn = 0.5, err = 1.0 }
local slices = {}    -- by id: {start, limit, max, csw}

local function object_of(id)
    local o = objects[id]
    if o == nil then
        o = newproxy(prototype)
        ids[o] = id
        objects[id] = o
    end
    return o
end

local function dead() core.illegal('the fiber is dead', 3) end

-- id_of is the id behind a fiber object, living only behind that of a fiber that lives or whose result waits.
local function id_of(f)
    local id = ids[f]
    if id == nil then core.illegal('expected fiber as 1 argument', 3) end
    return id
end

local function living(f)
    local id = id_of(f)
    if not alive(id) and joinables[id] == nil then dead() end
    return id
end

-- Fibers of requests come and go without Lua hearing of it: what they left is swept now and then.
local stored = 0
local function storage_of(id)
    local s = storages[id]
    if s == nil then
        s = {}
        storages[id] = s
        stored = stored + 1
        if stored > 1024 then
            stored = 0
            for k in pairs(storages) do
                if alive(k) then stored = stored + 1 else storages[k] = nil end
            end
        end
    end
    return s
end

-- cancelled raises when the current fiber was cancelled.
local function check_cancelled()
    local _, is_cancelled = state_of(self_id())
    if is_cancelled then
        local e = core.new_error('FiberIsCancelled', 'fiber is cancelled', 3)
        core.set_last_error(e)
        error(e, 0)
    end
end

-- wait parks the current fiber for at most that many seconds (nil: without limit); false when the time ran out.
local function wait(seconds)
    return park(seconds)
end
fiber._wait = wait
core.wait = wait
core.wake = function(id) return wake(id) end
core.check_cancelled = check_cancelled
core.self_id = self_id
core.state = state_of

local function finished(id, ok, ...)
    local j = joinables[id]
    storages[id] = nil
    if j ~= nil and j.joinable then
        j.done, j.ok, j.n, j.results = true, ok, select('#', ...), { ... }
        for _, waiter in ipairs(j.waiters) do wake(waiter) end
        return
    end
    joinables[id] = nil
    slices[id] = nil
    if not ok then error((...), 0) end
end

local function spawn(what, immediate, f, ...)
    if type(f) ~= 'function' then core.illegal(("fiber.%s(function, ...): bad arguments"):format(what), 3) end
    local n = select('#', ...)
    local id = new()
    if n == 0 then
        entries.starting[id] = function() return finished(id, pcall(f)) end
    else
        local args = { ... }
        entries.starting[id] = function() return finished(id, pcall(f, unpack(args, 1, n))) end
    end
    local object = object_of(id)
    if immediate then start(id) else ready(id) end
    return object
end

function fiber.create(...) return spawn('create', true, ...) end

function fiber.new(...) return spawn('new', false, ...) end

function fiber.self() return object_of(self_id()) end

function fiber.id(f)
    if f == nil then return self_id() end
    return id_of(f)
end
methods.id = fiber.id

function fiber.find(id)
    if id == nil then core.illegal('Usage: fiber.find(id)', 2) end
    id = tonumber(id)
    if id == nil then return nil end
    local j = joinables[id]
    if alive(id) or j ~= nil and j.joinable then return object_of(id) end
    return nil
end

-- target is the id that a fiber object or a number names, of a fiber that lives.
local function target(f)
    local id = f
    if type(f) ~= 'number' then
        id = ids[f]
        if id == nil then core.illegal('expected fiber as 1 argument', 3) end
    end
    if not alive(id) and joinables[id] == nil then dead() end
    return id
end

function fiber.yield() fiber.sleep(0) end

function fiber.sleep(seconds)
    if type(seconds) ~= 'number' then core.illegal('Usage: fiber.sleep(delay)', 2) end
    if seconds < 0 then seconds = 0 end
    park(seconds)
    check_cancelled()
end

function fiber.testcancel() check_cancelled() end

-- A fiber that has ended and that somebody will join counts as suspended until then.
local function status_of(id)
    local j = joinables[id]
    if not alive(id) then return j ~= nil and j.joinable and 'suspended' or 'dead' end
    if id == self_id() then return 'running' end
    return 'suspended'
end

function fiber.status(f)
    if f == nil then return 'running' end
    return status_of(id_of(f))
end
methods.status = fiber.status

function fiber.wakeup(f)
    wake(target(f))
end
methods.wakeup = fiber.wakeup

function fiber.cancel(f)
    local id = target(f)
    cancel(id)
    if id == self_id() then check_cancelled() end
end
methods.cancel = fiber.cancel

function fiber.kill(f) return fiber.cancel(f) end
methods.kill = fiber.kill

function fiber.name(f, ...)
    local id, name, options
    if f == nil or type(f) == 'string' then
        id, name, options = self_id(), f, (...)
        if f == nil then return (select(3, state_of(id))) end
    else
        id = living(f)
        if select('#', ...) == 0 then return (select(3, state_of(id))) end
        name, options = ...
    end
    if type(name) ~= 'string' then core.illegal('expected string as 2 argument', 2) end
    if #name > 255 then
        if type(options) ~= 'table' or not options.truncate then core.illegal('Fiber name is too long', 2) end
        name = name:sub(1, 255)
    end
    set_name(id, name)
end
methods.name = fiber.name

function fiber.set_joinable(f, yes)
    local id = living(f)
    if yes == nil then core.illegal('fiber.set_joinable(id, yesno): bad arguments', 2) end
    local j = joinables[id]
    if j == nil then
        j = { waiters = {} }
        joinables[id] = j
    end
    if j.done and not yes then joinables[id] = nil end
    j.joinable = yes and true or false
end
methods.set_joinable = fiber.set_joinable

function fiber.join(f, timeout)
    local id = id_of(f)
    local j = joinables[id]
    if j == nil then
        if not alive(id) then dead() end
        core.illegal('the fiber is not joinable', 2)
    end
    if not j.joinable then core.illegal('the fiber is not joinable', 2) end
    if timeout ~= nil and (type(timeout) ~= 'number' or timeout < 0) then
        core.illegal('fiber:join(timeout): bad arguments', 2)
    end
    local deadline = timeout and now() + timeout
    while not j.done do
        local left
        if deadline ~= nil then
            left = deadline - now()
            if left <= 0 then
                local e = core.new_error('TimedOut', 'timed out', 2)
                core.set_last_error(e)
                return false, e
            end
        end
        table.insert(j.waiters, self_id())
        park(left)
        for i, w in ipairs(j.waiters) do
            if w == self_id() then table.remove(j.waiters, i) break end
        end
    end
    joinables[id] = nil
    if j.ok then return true, unpack(j.results, 1, j.n) end
    local e = j.results[1]
    if not core.is_error(e) then
        e = core.new_error('LuajitError', tostring(e), 2)
    end
    core.set_last_error(e)
    return false, e
end
methods.join = fiber.join

function methods.csw(f)
    local _, _, _, csw = state_of(living(f))
    return csw
end

function methods.info(f, options)
    local id = living(f)
    return fiber.info(options)[id]
end

-- The clocks of a fiber stand still until it yields.
local clock_at, clock_value, time_value = -1, 0, 0
local function refresh()
    local n = tonumber(shared.switches)
    if n ~= clock_at then
        clock_at = n
        clock_value, time_value = now(), realtime()
    end
end

function fiber.clock()
    refresh()
    return clock_value
end

function fiber.time()
    refresh()
    return time_value
end

function fiber.clock64()
    refresh()
    return ffi.cast('int64_t', clock_value * 1e6)
end

function fiber.time64()
    refresh()
    return ffi.cast('int64_t', time_value * 1e6)
end


local function slice_of(id)
    local own = slices[id]
    return own and own.max or max_slice.err
end

function fiber.info(options)
    local with_trace = not (type(options) == 'table' and (options.backtrace == false or options.bt == false))
    local r = {}
    for _, item in ipairs(all()) do
        local id, name, csw = item[1], item[2], item[3]
        local info = { fid = id, name = name, csw = csw, time = 0, max_slice = slice_of(id),
            memory = { total = 0, used = 0 } }
        if with_trace then
            info.backtrace = {}
            for line in (backtrace(id) or ''):gmatch('[^\n]+') do
                info.backtrace[#info.backtrace + 1] = { L = (line:gsub('^%s+', '')) }
            end
        end
        r[id] = info
    end
    return r
end

local top_enabled = false

--- The shares of time are not measured: every fiber has the same row of zeros.
function fiber.top()
    if not top_enabled then core.illegal('fiber.top() is disabled. Enable it with fiber.top_enable() first', 2) end
    local rows = {}
    for _, item in ipairs(all()) do
        rows[item[1] .. '/' .. item[2]] = { instant = 0, average = 0, time = 0 }
    end
    return { cpu = rows, cpu_misses = 0 }
end

function fiber.top_enable() top_enabled = true end

function fiber.top_disable() top_enabled = false end

local function check_slice_argument(s, usage)
    if s == nil then core.illegal(usage .. ': bad arguments', 3) end
    if type(s) == 'number' then s = { warn = s, err = s } end
    if type(s) ~= 'table' or type(s.warn) ~= 'number' or type(s.err) ~= 'number' then
        core.illegal('slice must be a number or a table {warn = <number>, err = <number>}', 3)
    end
    if s.warn < 0 or s.err < 0 then core.illegal('slice value must be >= 0', 3) end
    return s
end

-- begun is when the fiber's slice began: a yield begins a new one.
local function begun(id)
    local own = slices[id]
    local csw = select(4, state_of(id))
    if own == nil then
        own = {}
        slices[id] = own
    end
    if own.csw ~= csw then own.csw, own.start, own.limit = csw, now(), nil end
    return own
end

function fiber.set_max_slice(s)
    max_slice = check_slice_argument(s, 'fiber.set_max_slice(slice)')
end

function methods.set_max_slice(f, s)
    local id = living(f)
    s = check_slice_argument(s, 'fiber:set_max_slice(slice)')
    begun(id).max = s.err
end

function fiber.set_slice(s)
    s = check_slice_argument(s, 'fiber.set_slice(slice)')
    local own = begun(self_id())
    own.start, own.limit = now(), s.err
end

function fiber.extend_slice(s)
    s = check_slice_argument(s, 'fiber.extend_slice(slice)')
    local own = begun(self_id())
    own.limit = (own.limit or own.max or max_slice.err) + s.err
end

function fiber.check_slice()
    local id = self_id()
    local own = begun(id)
    if now() - own.start > (own.limit or own.max or max_slice.err) then
        slices[id] = nil
        local e = core.new_error('FiberSliceIsExceeded', 'fiber slice is exceeded', 2)
        core.set_last_error(e)
        error(e, 0)
    end
end

local mt = getmetatable(prototype)
mt.__index = function(f, key)
    if key == 'storage' then return storage_of(living(f)) end
    return methods[key]
end
mt.__tostring = function(f)
    local id = ids[f]
    return alive(id) and ('fiber: %d'):format(id) or ('fiber: %d (dead)'):format(id)
end
mt.__serialize = function(f)
    local id = ids[f]
    if not alive(id) then return { id = id, status = 'dead' } end
    return { id = id, name = (select(3, state_of(id))), status = fiber.status(f), storage = storages[id] or {} }
end
mt.__metatable = nil

fiber.cond = require('internal.cond')
fiber.channel = require('internal.channel')
fiber._wait = nil
setmetatable(fiber, { __serialize = function() return fiber.info() end })

return fiber

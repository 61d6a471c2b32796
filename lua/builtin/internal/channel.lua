-- fiber.channel: a queue between fibers, with a bound; of size 0 it hands over from one to the other.
local core = require('internal.core')

local methods = {}
local clock = core.fn('fiber.monotonic')

local function usage(text) error(text, 3) end

local mt
local function check(ch, text)
    if getmetatable(ch) ~= mt then usage(text) end
end

local function check_self(ch)
    if getmetatable(ch) ~= mt then
        error(("bad argument #1 to '?' (fiber.channel expected, got %s)"):format(type(ch)), 3)
    end
end

-- A channel holds: size, items from first to last, the waiting readers and writers {id, value, done}, closed.
local function take_item(ch)
    if ch.first > ch.last then return nil end
    local item = ch.items[ch.first]
    ch.items[ch.first] = nil
    ch.first = ch.first + 1
    return item
end

local function put_item(ch, value)
    ch.last = ch.last + 1
    ch.items[ch.last] = { value }
end

local function remove(list, entry)
    for i, e in ipairs(list) do
        if e == entry then
            table.remove(list, i)
            return
        end
    end
end

-- pause waits until entry.done or the deadline; false when the time ran out.
local function pause(ch, list, entry, deadline)
    table.insert(list, entry)
    while not entry.done and not ch.closed do
        local left
        if deadline ~= nil then
            left = deadline - clock()
            if left <= 0 then break end
        end
        core.wait(left)
        local _, cancelled = core.state(entry.id)
        if cancelled and not entry.done then break end
    end
    if not entry.done then
        remove(list, entry)
        core.check_cancelled()
    end
    return entry.done
end

local function bad_timeout(timeout)
    return timeout ~= nil and (type(timeout) ~= 'number' or timeout < 0)
end

function methods.put(ch, ...)
    local text = 'usage: channel:put(var [, timeout])'
    check(ch, text)
    local value, timeout = ...
    if select('#', ...) == 0 or bad_timeout(timeout) then usage(text) end
    if ch.closed or ch.closing then return false end
    local reader = table.remove(ch.readers, 1)
    if reader ~= nil then
        reader.done, reader.value = true, value
        core.wake(reader.id)
        return true
    end
    if ch.last - ch.first + 1 < ch.limit then
        put_item(ch, value)
        return true
    end
    if timeout == 0 then return false end
    local entry = { id = core.self_id(), value = value }
    return pause(ch, ch.writers, entry, timeout and clock() + timeout) or false
end

function methods.get(ch, ...)
    local text = 'usage: channel:get([timeout])'
    check(ch, text)
    local timeout = ...
    if bad_timeout(timeout) then usage(text) end
    local item = take_item(ch)
    if item ~= nil then
        local writer = table.remove(ch.writers, 1)
        if writer ~= nil then
            put_item(ch, writer.value)
            writer.done = true
            core.wake(writer.id)
        end
        return item[1]
    end
    local writer = table.remove(ch.writers, 1)
    if writer ~= nil then
        writer.done = true
        core.wake(writer.id)
        return writer.value
    end
    if ch.closed or ch.closing then return nil end
    if timeout == 0 then return nil end
    local entry = { id = core.self_id() }
    if pause(ch, ch.readers, entry, timeout and clock() + timeout) then return entry.value end
    return nil
end

function methods.close(ch)
    check_self(ch)
    if ch.closed then return end
    ch.closed = true
    if core.channels_drop then ch.items, ch.first, ch.last = {}, 1, 0 end
    local waiting = {}
    for _, e in ipairs(ch.readers) do waiting[#waiting + 1] = e.id end
    for _, e in ipairs(ch.writers) do waiting[#waiting + 1] = e.id end
    for _, id in ipairs(waiting) do core.wake(id) end
end

function methods.is_closed(ch)
    check_self(ch)
    return ch.closed
end

function methods.is_full(ch)
    check_self(ch)
    return ch.last - ch.first + 1 >= ch.limit
end

function methods.is_empty(ch)
    check_self(ch)
    return ch.first > ch.last
end

function methods.count(ch)
    check_self(ch)
    return ch.last - ch.first + 1
end

function methods.size(ch)
    check_self(ch)
    return ch.limit
end

function methods.has_readers(ch)
    check_self(ch)
    return #ch.readers > 0
end

function methods.has_writers(ch)
    check_self(ch)
    return #ch.writers > 0
end

mt = {
    __index = methods,
    __tostring = function(ch)
        if ch.closed then return 'channel: closed' end
        return ('channel: %d'):format(methods.count(ch))
    end,
    __serialize = function(ch) return tostring(ch) end,
}

return function(size)
    if size ~= nil and type(size) ~= 'number' then error('fiber.channel(size): bad arguments', 2) end
    if size ~= nil and size < 0 then error('fiber.channel(size): negative size', 2) end
    return setmetatable({ limit = math.floor(size or 0), items = {}, first = 1, last = 0, readers = {}, writers = {},
        closed = false }, mt)
end

-- Intervals of the module datetime: a structure of counts, which do not carry over into each other.
local bridge = require('internal.bridge')
local core = require('internal.core')
local ffi = require('ffi')

local interval_t = ffi.typeof('struct interval')
local go_new, go_add, go_sub, go_compare, go_tostring = core.fn('interval.new'), core.fn('interval.add'),
    core.fn('interval.sub'), core.fn('interval.compare'), core.fn('interval.tostring')
local encode, decode_at, codec = bridge.encode, bridge.decode_at, bridge.wire_codec

-- Fields by the keys that they have in MessagePack.
local names = { [0] = 'year', 'month', 'week', 'day', 'hour', 'min', 'sec', 'nsec', 'adjust' }
local adjustments = { [0] = 'excess', 'none', 'last' }

-- The extension is a number of pairs, then the keys and values.
local function make(p, size)
    local i = interval_t()
    p = ffi.cast('const char *', p)
    local at = 1
    for _ = 1, size > 0 and p[0] or 0 do
        local name = at < size - 1 and names[p[at]]
        if not name then core.invalid_extension() end
        local value, n = decode_at(codec, p + at + 1, size - at - 1)
        if tonumber(value) == nil then core.invalid_extension() end
        i[name] = value
        at = at + 1 + n
    end
    if at ~= size then core.invalid_extension() end
    return i
end

local function pack(i)
    local parts = {}
    for key = 0, 8 do
        local value = tonumber(i[names[key]])
        if value ~= 0 then parts[#parts + 1] = string.char(key) .. encode(codec, value) end
    end
    return string.char(#parts) .. table.concat(parts)
end

core.set_kind('interval', interval_t, make, pack)

local function is_interval(v) return ffi.istype(interval_t, v) end
core.is_interval = is_interval

local interval = { is_interval = is_interval }

function interval.new(fields)
    if fields ~= nil and type(fields) ~= 'table' then
        error(('interval.new(): expected table, but received %s'):format(type(fields)), 2)
    end
    local i, problem = go_new(fields or {})
    if i == nil then error(problem, 2) end
    return i
end

--- of(v, what) is v as an interval, which a table may stand for.
function interval.of(v, what)
    if is_interval(v) then return v end
    if type(v) ~= 'table' then error(('%s: expected interval or table, but received %s'):format(what, type(v)), 3) end
    local i, problem = go_new(v)
    if i == nil then error(problem, 3) end
    return i
end

local methods = {}

function methods.totable(i)
    local t = {}
    for key = 0, 7 do t[names[key]] = tonumber(i[names[key]]) end
    t.adjust = adjustments[i.adjust]
    return t
end

methods.__serialize = go_tostring

-- Set by the module datetime: what to do when the other operand is a datetime.
local with_datetime = {}

local function combine(go, sign)
    return function(a, b)
        if core.is_datetime(a) or core.is_datetime(b) then return with_datetime[sign](a, b) end
        local i, problem = go(interval.of(a, 'operator ' .. sign), interval.of(b, 'operator ' .. sign))
        if i == nil then error(problem, 2) end
        return i
    end
end

local function compare(a, b)
    if not is_interval(a) or not is_interval(b) then error('incompatible types for interval comparison', 3) end
    return go_compare(a, b)
end

ffi.metatype(interval_t, {
    __tostring = go_tostring,
    __add = combine(go_add, '+'),
    __sub = combine(go_sub, '-'),
    __eq = function(a, b) return is_interval(a) and is_interval(b) and go_compare(a, b) == 0 end,
    __lt = function(a, b) return compare(a, b) < 0 end,
    __le = function(a, b) return compare(a, b) <= 0 end,
    __index = function(_, name) return methods[name] end,
})

return { interval = interval, with_datetime = with_datetime }

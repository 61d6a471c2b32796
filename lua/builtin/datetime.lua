-- The module datetime: an instant in nanoseconds with the zone that it is shown in. A value is a structure; calendar,
-- zones, texts and arithmetic are in Go.
local core = require('internal.core')
local ffi = require('ffi')

local datetime_t = ffi.typeof('struct datetime')
local packed_t = ffi.typeof('struct { int64_t epoch; int32_t nsec; int16_t tzoffset, tzindex; }')
local go_new, go_now, go_set, go_add, go_sub, go_diff, go_get, go_format, go_parse, go_scan = core.fn('datetime.new'),
    core.fn('datetime.now'), core.fn('datetime.set'), core.fn('datetime.add'), core.fn('datetime.sub'),
    core.fn('datetime.diff'), core.fn('datetime.get'), core.fn('datetime.format'), core.fn('datetime.parse'),
    core.fn('datetime.scan')

local function make(p, size)
    if size ~= 8 and size ~= 16 then core.invalid_extension() end
    local packed = packed_t()
    ffi.copy(packed, p, size)
    if packed.nsec < 0 or packed.nsec > 1000000000 or packed.tzoffset < -720 or packed.tzoffset > 840 or
        packed.tzindex < 0 or packed.tzindex > 1024 then
        core.invalid_extension()
    end
    return datetime_t(tonumber(packed.epoch), packed.nsec, packed.tzoffset, packed.tzindex)
end

-- Without anything but seconds only those are there.
local function pack(d)
    local packed = packed_t(d.epoch, d.nsec, d.tzoffset, d.tzindex)
    local size = 16
    if d.nsec == 0 and d.tzoffset == 0 and d.tzindex == 0 then size = 8 end
    return ffi.string(packed, size)
end

core.set_kind('datetime', datetime_t, make, pack)

local function is_datetime(v) return ffi.istype(datetime_t, v) end
core.is_datetime = is_datetime

local intervals = require('internal.interval')
local interval = intervals.interval

-- zones holds the numbers of zones by name, and their names by number.
local zones = require('timezones')

local function check(level, v, ...)
    if v == nil then error((...), level + 1) end
    return v, ...
end

local function wrong_type(what, expected, v)
    error(('%s: expected %s, but received %s'):format(what, expected, type(v)), 3)
end

local datetime = { is_datetime = is_datetime, interval = interval, TZ = zones, now = go_now }

function datetime.new(fields)
    if fields ~= nil and type(fields) ~= 'table' then wrong_type('datetime.new()', 'table', fields) end
    return (check(2, go_new(fields or {})))
end

function datetime.parse(text, options)
    if type(text) ~= 'string' then wrong_type('datetime.parse()', 'string', text) end
    options = options or {}
    if type(options) ~= 'table' then wrong_type('datetime.parse()', 'table', options) end
    local format, tzoffset, tz = options.format, options.tzoffset, options.tz
    if format ~= nil and type(format) ~= 'string' then wrong_type('datetime.parse()', 'string', format) end
    if tz ~= nil and type(tz) ~= 'string' then wrong_type('parse_tzname()', 'string', tz) end
    if format == nil or format == 'iso8601' or format == 'rfc3339' then
        return check(2, go_parse(text, tzoffset or 0, tz or ''))
    end
    return check(2, go_scan(text, format))
end

function datetime.parse_date(text)
    if type(text) ~= 'string' then wrong_type('datetime.parse_date()', 'string', text) end
    return check(2, go_parse(text, 0, ''))
end

local methods = {}

local function self_check(d, name)
    if not is_datetime(d) then wrong_type('datetime.' .. name, 'datetime', d) end
end

local function assign(d, value)
    d.epoch, d.nsec, d.tzoffset, d.tzindex = value.epoch, value.nsec, value.tzoffset, value.tzindex
    return d
end

function methods.set(d, fields)
    self_check(d, 'set()')
    if type(fields) ~= 'table' then wrong_type('datetime.set()', 'table', fields) end
    return assign(d, (check(2, go_set(d, fields))))
end

function methods.add(d, i)
    i = interval.of(i, 'datetime.add')
    self_check(d, 'add')
    return assign(d, (check(2, go_add(d, i))))
end

function methods.sub(d, i)
    i = interval.of(i, 'datetime.sub')
    self_check(d, 'sub')
    return assign(d, (check(2, go_sub(d, i))))
end

function methods.format(d, format)
    self_check(d, 'format()')
    if format ~= nil and type(format) ~= 'string' then wrong_type('datetime.strftime()', 'string', format) end
    return go_format(d, format)
end

local function zone_name(d) return zones[d.tzindex] or '' end

local function timestamp(d) return d.epoch + d.nsec / 1e9 end

function methods.totable(d)
    self_check(d, 'totable()')
    local year, month, day, hour, min, sec, wday, yday, isdst = go_get(d)
    return { year = year, month = month, day = day, hour = hour, min = min, sec = sec, wday = wday, yday = yday,
        isdst = isdst, nsec = d.nsec, timestamp = timestamp(d), tz = zone_name(d), tzoffset = d.tzoffset }
end

local function text(d) return go_format(d) end
methods.__serialize = text

local getters = {
    timestamp = timestamp,
    usec = function(d) return d.nsec / 1e3 end,
    msec = function(d) return d.nsec / 1e6 end,
    tz = zone_name,
}
for place, name in ipairs { 'year', 'month', 'day', 'hour', 'min', 'sec', 'wday', 'yday', 'isdst' } do
    getters[name] = function(d) return (select(place, go_get(d))) end
end

local function subtract(a, b)
    if is_datetime(a) and is_datetime(b) then return (check(2, go_diff(a, b))) end
    if not is_datetime(a) then error('datetime:operator -() - incompatible type of arguments', 2) end
    return (check(2, go_sub(a, interval.of(b, 'operator -'))))
end

local function add(a, b)
    if not is_datetime(a) then a, b = b, a end
    return (check(2, go_add(a, interval.of(b, 'operator +'))))
end

intervals.with_datetime['+'], intervals.with_datetime['-'] = add, subtract

local function compare(a, b)
    if not is_datetime(a) or not is_datetime(b) then error('incompatible types for datetime comparison', 3) end
    if a.epoch ~= b.epoch then return a.epoch - b.epoch end
    return a.nsec - b.nsec
end

ffi.metatype(datetime_t, {
    __tostring = text,
    __add = add,
    __sub = subtract,
    __eq = function(a, b) return is_datetime(a) and is_datetime(b) and a.epoch == b.epoch and a.nsec == b.nsec end,
    __lt = function(a, b) return compare(a, b) < 0 end,
    __le = function(a, b) return compare(a, b) <= 0 end,
    __index = function(d, name)
        local get = getters[name]
        if get ~= nil then return get(d) end
        return methods[name]
    end,
})

return datetime

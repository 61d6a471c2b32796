-- box.tuple: a tuple is a cdata that holds its MessagePack; fields are decoded when they are asked for.
local bridge = require('internal.bridge')
local core = require('internal.core')
local ffi = require('ffi')

local shared = core.shared
local codec = bridge.wire_codec
local fields = bridge.fields
local tuple_t

local function make(p, size, format, live)
    local t = tuple_t(size)
    t.ly_size = size
    if format then t.ly_format = format end
    if live then t.ly_address = shared.scratch.u64 end
    ffi.copy(t.ly_data, p, size)
    return t
end

-- read makes a tuple of what Go has written at p, and returns it with the place behind it.
local live_t = ffi.typeof('const struct lycosa_live_tuple *')
local live_size = ffi.sizeof('struct lycosa_live_tuple')

local function read(p)
    local h = ffi.cast(live_t, p)
    local size = ((h.len[0] * 256 + h.len[1]) * 256 + h.len[2]) * 256 + h.len[3] - 12
    local t = tuple_t(size)
    t.ly_address, t.ly_format, t.ly_size = h.address, h.format, size
    ffi.copy(t.ly_data, p + live_size, size)
    return t, p + live_size + size
end

--- core.read_tuple(p): the tuple that Go has written at p, and the place behind it.
core.read_tuple = read

--- core.tuple_fn(name): a Go function that returns a tuple or nothing.
function core.tuple_fn(name)
    local f = core.raw_fn(name)
    return function(...)
        if f(...) == 0 then return end
        return (read(shared.result))
    end
end

--- core.read_tuples(p): the list of tuples at p, and the place behind it.
function core.read_tuples(p)
    local n = p[0]
    if n < 0xa0 then
        n, p = n - 0x90, p + 1
    elseif n == 0xdc then
        n, p = p[1] * 256 + p[2], p + 3
    else
        n, p = ((p[1] * 256 + p[2]) * 256 + p[3]) * 256 + p[4], p + 5
    end
    local list = {}
    for i = 1, n do list[i], p = read(p) end
    return list, p
end

--- core.read_string(p): the string at p, which is shorter than 65536 bytes.
function core.read_string(p)
    local n = p[0]
    if n < 0xc0 then return ffi.string(p + 1, n - 0xa0) end
    if n == 0xd9 then return ffi.string(p + 2, p[1]) end
    return ffi.string(p + 3, p[1] * 256 + p[2])
end

local function is_tuple(t) return ffi.istype(tuple_t, t) end
core.is_tuple = is_tuple

local go_new, go_tostring, go_names, go_update, go_upsert, go_path, go_transform, go_info =
    core.fn('tuple.new'), core.fn('tuple.tostring'), core.fn('tuple.names'), core.fn('tuple.update'),
    core.fn('tuple.upsert'), core.fn('tuple.path'), core.fn('tuple.transform'), core.fn('tuple.info')

-- Names of the fields of a format, by its id: good until the definition of a space changes.
local names = {}

function core.forget_names() names = {} end

local function names_of(format)
    local n = names[format]
    if n == nil then
        n = { list = {}, number = {} }
        if format ~= 0 then
            n.list = go_names(format) or {}
            for i, name in ipairs(n.list) do n.number[name] = i end
        end
        names[format] = n
    end
    return n
end

-- Raises an error that says how a method is called unless it got a tuple.
local function check(t, usage)
    if not is_tuple(t) then error('Usage: tuple:' .. usage, 3) end
end

-- check for the methods that say what they got instead.
local function check_first(...)
    if is_tuple((...)) then return end
    local got = select('#', ...) == 0 and 'no value' or type((...))
    error('Invalid argument #1 (box.tuple expected, got ' .. got .. ')', 3)
end

-- len reads the array's header.
local function len(t)
    local p = ffi.cast('const uint8_t *', t.ly_data)
    local c = p[0]
    if c < 0xa0 then return c - 0x90 end
    if c == 0xdc then return p[1] * 256 + p[2] end
    return ((p[1] * 256 + p[2]) * 256 + p[3]) * 256 + p[4]
end

local methods = {}

function methods.bsize(t)
    check(t, 'bsize()')
    return t.ly_size
end

function methods.totable(t, from, to)
    check(t, 'totable([from[, to]])')
    local n = len(t)
    if from == nil then from = 1 elseif from < 1 then error('tuple.totable: invalid second argument', 2) end
    if to == nil then to = n elseif to < 1 then error('tuple.totable: invalid third argument', 2) end
    if from == 1 and to >= n and n > 6000 then
        return (bridge.decode_tuple(codec, t))
    end
    return setmetatable({ fields(codec, t, from - 1, math.min(to, n)) }, core.seq_mt)
end

function methods.unpack(t, from, to)
    check(t, 'totable([from[, to]])')
    local n = len(t)
    if from == nil then from = 1 elseif from < 1 then error('tuple.totable: invalid second argument', 2) end
    if to == nil then to = n elseif to < 1 then error('tuple.totable: invalid third argument', 2) end
    return fields(codec, t, from - 1, math.min(to, n))
end

function methods.slice(...)
    check_first(...)
    local t, from, to = ...
    if from == nil then error('tuple.slice(): bad arguments', 2) end
    from = tonumber(from) or 0
    local n = len(t)
    local first, last
    if from >= 0 and from < n then first = from elseif from < 0 and from >= -n then first = n + from
    else error('tuple.slice(): start >= field count', 2) end
    if to == nil then last = n
    elseif to > 0 and to <= n then last = to
    elseif to < 0 and to > -n then last = n + to
    else error('tuple.slice(): end > field count', 2) end
    if last <= first then error('tuple.slice(): start must be less than end', 2) end
    return fields(codec, t, first, last)
end

function methods.transform(...)
    check_first(...)
    if select('#', ...) < 3 then error('tuple.transform(): bad arguments', 2) end
    local t, offset, count = ...
    offset, count = tonumber(offset) or 0, tonumber(count) or 0
    local n = len(t)
    if offset == 0 or offset < -n then error('tuple.transform(): offset is out of bound', 2) end
    if offset > n + 1 then offset = n + 1 end
    if count < 0 then error('tuple.transform(): len is negative', 2) end
    local added = {select(4, ...)}
    for i = 1, select('#', ...) - 3 do
        if added[i] == nil then added[i] = box.NULL end
    end
    return go_transform(t, offset, count, added)
end

function methods.update(t, ops)
    if not is_tuple(t) or type(ops) ~= 'table' then error('Usage: tuple:update({ { op, field, arg}+ })', 2) end
    return go_update(t, t.ly_format, ops)
end

function methods.upsert(t, ops)
    if not is_tuple(t) or type(ops) ~= 'table' then error('Usage: tuple:upsert({ { op, field, arg}+ })', 2) end
    return go_upsert(t, t.ly_format, ops)
end

function methods.next(t, i)
    check(t, 'next(tuple[, pos])')
    local n = len(t)
    if i == nil then i = 0 end
    if type(i) ~= 'number' then error('Usage: tuple:next([pos])', 2) end
    if i < 0 then error('error: invalid key to \'next\'', 2) end
    if i >= n then return nil end
    return i + 1, (fields(codec, t, i, i + 1))
end

local function step(t, i)
    if i == nil then i = 0 end
    if i >= len(t) then return nil end
    return i + 1, (fields(codec, t, i, i + 1))
end

-- pairs() and ipairs() walk tuples too; LuaJIT's own know only tables.
local raw_pairs, raw_ipairs = pairs, ipairs

function pairs(t)
    if is_tuple(t) then return step, t, nil end
    return raw_pairs(t)
end

function ipairs(...)
    local t = ...
    if is_tuple(t) then return step, t, nil end
    return raw_ipairs(...)
end

function methods.pairs(t, i)
    check(t, 'pairs(tuple[, pos])')
    return require('fun').wrap(step, t, i)
end
methods.ipairs = methods.pairs

-- Fields are counted from 1, and the walk begins behind the offset.
local function search(t, all, ...)
    local offset, value = 0, (...)
    if select('#', ...) > 1 then offset, value = ... end
    local n = len(t)
    if type(offset) ~= 'number' or offset < 0 or offset > n then error("error: invalid key to 'next'", 2) end
    local found = {}
    for i = offset, n - 1 do
        if (fields(codec, t, i, i + 1)) == value then
            if not all then return i + 1 end
            found[#found + 1] = i + 1
        end
    end
    if not all then return nil end
    return found
end

function methods.find(t, ...)
    check(t, 'find([offset, ]val)')
    return search(t, false, ...)
end

function methods.findall(t, ...)
    check(t, 'findall([offset, ]val)')
    return search(t, true, ...)
end

function methods.tomap(...)
    if select('#', ...) == 0 or select('#', ...) > 2 then error('Usage: tuple:tomap(opts)', 2) end
    check_first(...)
    local t, options = ...
    if options ~= nil and (type(options) ~= 'table' or options.names_only ~= nil and type(options.names_only) ~= 'boolean') then
        error('Usage: tuple:tomap(opts)', 2)
    end
    local m = {}
    local list = names_of(t.ly_format).list
    local n = len(t)
    local only = options and options.names_only
    for i = 1, n do
        local v = (fields(codec, t, i - 1, i))
        if list[i] then m[list[i]] = v end
        if not only then m[i] = v end
    end
    return m
end

function methods.info(...)
    check_first(...)
    return go_info((...))
end

local field_list = core.fn('tuple.format')

function methods.format(...)
    check_first(...)
    return field_list((...).ly_format)
end

methods.__serialize = function(t) return methods.totable(t) end

local function to_string(t) return go_tostring(t) end

tuple_t = ffi.typeof('struct tuple')
ffi.metatype(tuple_t, {
    __index = function(t, key)
        local kind = type(key)
        if kind == 'number' then
            if key < 1 or key > 2 ^ 31 then return nil end
            return (fields(codec, t, key - 1, key))
        end
        if kind == 'string' then
            local i = names_of(t.ly_format).number[key]
            if i ~= nil then return (fields(codec, t, i - 1, i)) end
            local m = methods[key]
            if m ~= nil then return m end
            if key:find('[.%[]') then return go_path(t, t.ly_format, key) end
            return nil
        end
        return nil
    end,
    __len = len,
    __tostring = to_string,
    __eq = function(a, b)
        if not is_tuple(a) or not is_tuple(b) then return false end
        if a.ly_address ~= 0 then
            return a.ly_address == b.ly_address and a.ly_size == b.ly_size
                and ffi.string(a.ly_data, a.ly_size) == ffi.string(b.ly_data, b.ly_size)
        end
        return ffi.cast('char *', a.ly_data) == ffi.cast('char *', b.ly_data)
    end,
    __serialize = to_string,
})
core.set_kind('tuple', tuple_t, make)

local box_tuple = {}

-- Formats that programs make: a userdata each, whose number tells it from others.
local go_format_new, go_format = core.fn('tuple.format_new'), core.fn('tuple.format')
local prototype = newproxy(true)
local format_ids = setmetatable({}, { __mode = 'k' })

local function is_format(f) return format_ids[f] ~= nil end

local format_mt = getmetatable(prototype)
format_mt.__index = {
    totable = function(f) return go_format(format_ids[f]) end,
}
format_mt.__tostring = function() return 'box.tuple.format' end
format_mt.__len = function(f) return #go_format(format_ids[f]) end
format_mt.__serialize = function(f) return go_format(format_ids[f]) end
format_mt.__metatable = nil

-- normalized writes the fields of a format as maps: {'id', 'number'} stands for {name = 'id', type = 'number'}.
local function normalized(fields_of)
    local list = setmetatable({}, core.seq_mt)
    for i, field in ipairs(fields_of) do
        local f = {}
        if type(field) == 'string' then
            f.name = field
        else
            for k, v in pairs(field) do
                if k == 1 then f.name = v elseif k == 2 then f.type = v else f[k] = v end
            end
        end
        f.type = f.type or 'any'
        list[i] = setmetatable(f, core.map_mt)
    end
    return list
end

local function new_format(fields_of)
    if is_format(fields_of) then return fields_of end
    if type(fields_of) ~= 'table' then core.illegal('format should be a table', 3) end
    local f = newproxy(prototype)
    format_ids[f] = go_format_new(normalized(fields_of))
    return f
end

box_tuple.format = { new = new_format, is = is_format }

local function format_option(options)
    if options == nil then return 0 end
    if type(options) ~= 'table' then core.illegal('options should be a table', 3) end
    for name in pairs(options) do
        if name ~= 'format' then core.illegal(("unexpected option '%s'"):format(tostring(name)), 3) end
    end
    local f = options.format
    if f == nil then return 0 end
    if type(f) ~= 'table' and not is_format(f) then
        core.illegal("options parameter 'format' should be of type table, box.tuple.format", 3)
    end
    return format_ids[new_format(f)]
end

--- box.tuple.new(value, {options}): a table or a tuple is the tuple, any other value its only field.
function box_tuple.new(...)
    local n = select('#', ...)
    if core.tuple_of_fields and (n > 1 or type((...)) ~= 'table' and not is_tuple((...))) then
        return go_new(setmetatable({ ... }, core.seq_mt))
    end
    local value, options = ...
    if n == 0 or n == 1 and type(value) == 'nil' then return go_new(setmetatable({}, core.seq_mt)) end
    local format = n > 1 and format_option(options) or 0
    if type(value) ~= 'table' and not is_tuple(value) then
        value = setmetatable({ value }, core.seq_mt)
    elseif type(value) == 'table' and getmetatable(value) == nil and next(value) == nil then
        value = setmetatable({}, core.seq_mt)
    end
    return go_new(value, format)
end

function box_tuple.is(t) return is_tuple(t) end

-- The methods are functions here too, all but format, which is the table of what makes formats.
for name, method in raw_pairs(methods) do
    if name ~= 'format' and name ~= '__serialize' then box_tuple[name] = method end
end

core.tuple_names = names_of
core.tuple_len = len

return box_tuple

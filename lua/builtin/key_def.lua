-- The module key_def: definitions of keys, which take keys out of tuples and order both.
local core = require('internal.core')
local ffi = require('ffi')

ffi.cdef [[struct lycosa_key_def { uint32_t number; };]]

local key_def_t = ffi.typeof('struct lycosa_key_def')
local go = {}
for _, name in ipairs { 'new', 'free', 'merge', 'parts', 'extract', 'compare', 'compare_with_key', 'compare_keys',
    'validate_key', 'validate_tuple' } do
    go[name] = core.fn('key_def.' .. name)
end

local function is_key_def(k) return ffi.istype(key_def_t, k) end

-- Definitions that the program has lost are freed when the next one is made: a finalizer can't call Go.
local lost = {}

local function object_of(number)
    for i = #lost, 1, -1 do
        go.free(lost[i])
        lost[i] = nil
    end
    return key_def_t(number)
end

local methods = {}

local function check(k, usage)
    if not is_key_def(k) then error('Usage: key_def:' .. usage, 3) end
    return k.number
end

local function is_array(v) return type(v) == 'table' or core.is_tuple(v) end

-- An array stays one even when it has holes or is empty.
local function array(v)
    if type(v) ~= 'table' or getmetatable(v) ~= nil then return v end
    local copy = setmetatable({}, core.seq_mt)
    for i = 1, table.maxn(v) do
        local x = v[i]
        if x == nil then copy[i] = core.NULL else copy[i] = x end
    end
    return copy
end

--- define(name, usage, count) makes a method of that many arrays.
local function define(name, usage, count)
    local f = go[name]
    methods[name] = function(k, a, b, ...)
        local number = check(k, usage)
        if not is_array(a) or count == 2 and not is_array(b) then error('Usage: key_def:' .. usage, 2) end
        if count == 1 then return f(number, array(a)) end
        return f(number, array(a), array(b), ...)
    end
end

define('compare', 'compare(tuple_a, tuple_b)', 2)
define('compare_with_key', 'compare_with_key(tuple, key)', 2)
define('compare_keys', 'compare_keys(key_a, key_b)', 2)
define('validate_tuple', 'validate_tuple(tuple)', 1)

function methods.extract_key(k, t)
    local number = check(k, 'extract_key(tuple)')
    if not is_array(t) then error('Usage: key_def:extract_key(tuple)', 2) end
    return go.extract(number, array(t))
end

function methods.validate_key(k, key)
    local number = check(k, 'validate_key(key)')
    if not is_array(key) then error('Usage: key_def:validate_key(key)', 2) end
    go.validate_key(number, array(key), false)
end

function methods.validate_full_key(k, key)
    local number = check(k, 'validate_full_key(key)')
    if not is_array(key) then error('Usage: key_def:validate_full_key(key)', 2) end
    go.validate_key(number, array(key), true)
end

function methods.merge(k, other)
    local number = check(k, 'merge(second_key_def)')
    if not is_key_def(other) then error('Usage: key_def:merge(second_key_def)', 2) end
    return object_of(go.merge(number, other.number))
end

local function totable(k)
    local parts = setmetatable(go.parts(check(k, 'totable()')), nil)
    for i, part in ipairs(parts) do parts[i] = setmetatable(part, nil) end
    return parts
end
methods.totable, methods.__serialize = totable, totable

ffi.metatype(key_def_t, {
    __index = function(_, name) return methods[name] end,
    __tostring = function() return '<struct key_def &>' end,
    __len = function(k) return #totable(k) end,
    __gc = function(k) lost[#lost + 1] = k.number end,
})

local usage = 'Bad params, use: key_def.new({{fieldno = fieldno, type = type[, is_nullable = <boolean>]'
    .. '[, exclude_null = <boolean>][, sort_order = <string>][, path = <string>][, collation_id = <number>]'
    .. '[, collation = <string>]}, ...}'

local key_def = { is_key_def = is_key_def }

--- new(parts): a key definition of a list of {field, type, ...}.
function key_def.new(...)
    local parts = ...
    if select('#', ...) ~= 1 or type(parts) ~= 'table' then error(usage, 0) end
    local list = setmetatable({}, core.seq_mt)
    for i, part in ipairs(parts) do
        if type(part) ~= 'table' then error(usage, 0) end
        list[i] = part
    end
    return object_of(go.new(list))
end

--- part_count(k): how many parts a definition has.
function key_def.part_count(k) return #totable(k) end

for name, f in pairs(methods) do
    if key_def[name] == nil and name ~= '__serialize' then key_def[name] = f end
end

return key_def

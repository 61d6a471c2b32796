-- The module decimal: numbers of 38 digits. A value holds its packed form; arithmetic happens in Go.
local core = require('internal.core')
local ffi = require('ffi')

local decimal_t = ffi.typeof('decimal_t')
local parse, to_string, unary, binary, compare = core.fn('decimal.parse'), core.fn('decimal.tostring'),
    core.fn('decimal.unary'), core.fn('decimal.binary'), core.fn('decimal.compare')

-- The most digits, two in a byte, of which the last half is the sign.
local most_bytes = 20

-- is_packed tells whether bytes are a scale and digits, as the extension has them.
local function is_packed(p, size)
    local at = 1
    if p[0] == 0xcc or p[0] == 0xd0 then at = 2 elseif p[0] >= 0x80 and p[0] < 0xe0 then return false end
    if size <= at or size - at > most_bytes then return false end
    for i = at, size - 1 do
        if p[i] >= 0xa0 or p[i] % 16 >= 10 and i < size - 1 then return false end
    end
    return p[size - 1] % 16 >= 10
end

local function make(p, size)
    if not is_packed(ffi.cast('const uint8_t *', p), size) then core.invalid_extension() end
    local d = decimal_t()
    d.size = size
    ffi.copy(d.data, p, size)
    return d
end
core.set_kind('decimal', decimal_t, make)

local function is_decimal(v) return ffi.istype(decimal_t, v) end
core.is_decimal = is_decimal

local function is_number(v)
    local kind = type(v)
    return kind == 'number' or kind == 'cdata' and (ffi.istype('int64_t', v) or ffi.istype('uint64_t', v))
end

local function convert(v, argument, level)
    if is_decimal(v) then return v end
    if type(v) == 'string' or is_number(v) then
        if type(v) == 'number' then v = ('%.15g'):format(v) end -- the digits that a number is good for
        local d = parse(v)
        if d == nil then error(('incorrect value to convert to decimal as %d argument'):format(argument), level + 1) end
        return d
    end
    error(('expected decimal, number or string as %d argument'):format(argument), level + 1)
end

--- result raises what Go says against an operation.
local function result(d, problem)
    if type(d) == 'nil' then error(problem, 3) end
    return d
end

local decimal = { is_decimal = is_decimal }

function decimal.new(...)
    if select('#', ...) < 1 then error('usage: decimal.new(value)', 2) end
    local v = ...
    local d = convert(v, 1, 2) -- no tail call: errors name the caller's line
    return d
end

for _, name in ipairs { 'abs', 'exp', 'ln', 'log10', 'sqrt' } do
    decimal[name] = function(...)
        if select('#', ...) < 1 then error(('usage: decimal.%s(decimal)'):format(name), 2) end
        return result(unary(name, convert((...), 1, 2)))
    end
end

for _, name in ipairs { 'trim', 'precision', 'scale' } do
    decimal[name] = function(...)
        if select('#', ...) < 1 then error(('usage: decimal.%s(decimal)'):format(name), 2) end
        if not is_decimal((...)) then core.illegal('expected cdata as 1 argument', 2) end
        return unary(name, (...))
    end
end

for _, name in ipairs { 'round', 'rescale' } do
    decimal[name] = function(...)
        if select('#', ...) < 2 then error(('usage: decimal.%s(decimal, scale)'):format(name), 2) end
        local d, scale = ...
        if not is_decimal(d) then core.illegal('expected cdata as 1 argument', 2) end
        return unary(name, d, scale)
    end
end

local function arithmetic(name)
    return function(a, b)
        return result(binary(name, convert(a, 1, 2), convert(b, 2, 2)))
    end
end

local function is_nil(v) return type(v) == 'nil' or ffi.istype('void *', v) and v == nil end

local function comparison(check)
    return function(a, b)
        if is_nil(a) or is_nil(b) then error('attempt to compare decimal with nil', 2) end
        return check(compare(convert(a, 1, 2), convert(b, 2, 2)))
    end
end

local function text(d) return to_string(d) end

ffi.metatype(decimal_t, {
    __tostring = text,
    __concat = function(a, b)
        return (is_decimal(a) and text(a) or a) .. (is_decimal(b) and text(b) or b)
    end,
    __add = arithmetic('add'),
    __sub = arithmetic('sub'),
    __mul = arithmetic('mul'),
    __div = arithmetic('div'),
    __mod = arithmetic('mod'),
    __pow = arithmetic('pow'),
    __unm = function(a) return unary('neg', a) end,
    __eq = function(a, b)
        if is_nil(a) or is_nil(b) then return false end
        return compare(convert(a, 1, 2), convert(b, 2, 2)) == 0
    end,
    __lt = comparison(function(c) return c < 0 end),
    __le = comparison(function(c) return c <= 0 end),
    __index = { __serialize = text },
})

return decimal

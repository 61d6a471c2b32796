-- The module pickle: numbers and strings as packed bytes, by a format of one letter for each.
local core = require('internal.core')
local ffi = require('ffi')

local u64 = ffi.typeof('uint64_t')
local box_number = ffi.typeof('union { uint64_t u64; float f32; double f64; }')

-- Integers by letter: size, and whether the most significant byte comes first when packing and when unpacking. The two
-- forms of 64 bits differ in that only.
local integers = {
    b = { 1, false }, s = { 2, false }, i = { 4, false }, l = { 8, false }, q = { 8, true }, n = { 2, true }, N = { 4, true },
    B = { 1, false }, S = { 2, false }, I = { 4, false }, L = { 8, false }, Q = { 8, true },
}

local function bytes_of(v, size, big)
    local out = {}
    for i = 1, size do
        out[big and size - i + 1 or i] = string.char(tonumber(v % 256))
        v = v / 256
    end
    return table.concat(out)
end

local function value_of(s, at, size, big)
    local v = u64(0)
    for i = 0, size - 1 do
        local place = big and at + i or at + size - 1 - i
        v = v * 256 + s:byte(place)
    end
    return v
end

local function is_number(v)
    local kind = type(v)
    return kind == 'number' or kind == 'cdata' and tonumber(v) ~= nil
end

local pickle = {}

function pickle.pack(format, ...)
    if type(format) ~= 'string' then core.illegal('expected string as 1 argument', 2) end
    local parts, n, count = {}, 0, select('#', ...)
    for c in format:gmatch('.') do
        local integer = integers[c]
        if not (integer or c == 'f' or c == 'd' or c == 'a' or c == 'A') then
            core.illegal(("pickle.pack: unsupported pack format specifier '%s'"):format(c), 2)
        end
        n = n + 1
        if n > count then core.illegal('pickle.pack: argument count does not match the format', 2) end
        local v = (select(n, ...))
        if integer then
            if not is_number(v) then core.illegal(('pickle.pack: expected %d-bit int'):format(integer[1] * 8), 2) end
            if type(v) == 'number' then v = ffi.cast(u64, ffi.cast('int64_t', v)) else v = ffi.cast(u64, v) end
            parts[n] = bytes_of(v, integer[1], integer[2])
        elseif c == 'a' or c == 'A' then
            if type(v) ~= 'string' then core.illegal('pickle.pack: expected string', 2) end
            parts[n] = v
        else
            if not is_number(v) then
                core.illegal(('pickle.pack: expected %s'):format(c == 'f' and 'float' or 'double'), 2)
            end
            local number = box_number()
            if c == 'f' then number.f32 = tonumber(v) else number.f64 = tonumber(v) end
            parts[n] = ffi.string(number, c == 'f' and 4 or 8)
        end
    end
    if n < count then core.illegal('pickle.pack: argument count does not match the format', 2) end
    return table.concat(parts)
end

local function plain(v)
    if v < 100000000000000ULL then return tonumber(v) end
    return v
end

function pickle.unpack(format, s)
    if type(format) ~= 'string' then core.illegal('expected string as 1 argument', 2) end
    if type(s) ~= 'string' then core.illegal('expected string as 2 argument', 2) end
    local at, values, n = 1, {}, 0
    for c in format:gmatch('.') do
        local integer = integers[c]
        n = n + 1
        if c == 'a' or c == 'A' then
            values[n] = s:sub(at)
            at = #s + 1
        else
            local size = integer and integer[1] or c == 'f' and 4 or c == 'd' and 8
            if not size then core.illegal(("pickle.unpack: unsupported format specifier '%s'"):format(c), 2) end
            if #s - at + 1 < size then
                core.illegal(("pickle.unpack('%s'): got %d bytes (expected: %d+)"):format(c, #s - at + 1, size), 2)
            end
            if integer then
                values[n] = plain(value_of(s, at, size, integer[2]))
            else
                local number = box_number()
                ffi.copy(number, s:sub(at, at + size - 1), size)
                values[n] = tonumber(c == 'f' and number.f32 or number.f64)
            end
            at = at + size
        end
    end
    if at <= #s then
        core.illegal(("pickle.unpack('%s'): too many bytes: unpacked %d, total %d"):format(format:sub(-1), at - 1, #s), 2)
    end
    return unpack(values, 1, n)
end

return pickle

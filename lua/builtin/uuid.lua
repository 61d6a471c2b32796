-- The module uuid.
local core = require('internal.core')
local ffi = require('ffi')

local uuid_t = ffi.typeof('struct tt_uuid')
local new_bytes, parse = core.fn('uuid.new'), core.fn('uuid.parse')

local function from_network(b)
    local u = uuid_t()
    local function byte(i) return b:byte(i) end
    u.time_low = ((byte(1) * 256 + byte(2)) * 256 + byte(3)) * 256 + byte(4)
    u.time_mid = byte(5) * 256 + byte(6)
    u.time_hi_and_version = byte(7) * 256 + byte(8)
    u.clock_seq_hi_and_reserved = byte(9)
    u.clock_seq_low = byte(10)
    for i = 0, 5 do u.node[i] = byte(11 + i) end
    return u
end

local function is_uuid(u) return ffi.istype(uuid_t, u) end

local function check(u)
    if not is_uuid(u) then error('Usage: uuid:method()', 3) end
end

local function to_string(u)
    local n = u.node
    return ('%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x'):format(u.time_low, u.time_mid, u.time_hi_and_version,
        u.clock_seq_hi_and_reserved, u.clock_seq_low, n[0], n[1], n[2], n[3], n[4], n[5])
end

-- Byte orders: little and host are the memory's, big and network have the most significant byte first.
local swapped = { l = false, h = ffi.abi('be'), b = true, n = true }

local function order(name)
    local s = swapped[name or 'h']
    if s == nil then error('invalid byteorder, valid is l, b, h, n', 3) end
    return s
end

local function swap(b)
    return b:sub(1, 4):reverse() .. b:sub(5, 6):reverse() .. b:sub(7, 8):reverse() .. b:sub(9)
end

local function to_binary(u, byteorder)
    check(u)
    local big = order(byteorder)
    local b = ffi.string(u, 16)
    return big and swap(b) or b
end

local function from_binary(b, byteorder)
    if type(b) ~= 'string' or #b ~= 16 then error('frombin(bin, [byteorder])', 2) end
    if not order(byteorder) then b = swap(b) end
    return from_network(b)
end

local function from_string(s)
    if type(s) ~= 'string' then error('fromstr(str)', 2) end
    local b = parse(s)
    if b == nil then return nil end
    return from_network(b)
end

local function new() return from_network(new_bytes()) end

local function is_nil(u)
    check(u)
    return u == uuid_t()
end

local function same(a, b) return ffi.string(a, 16) == ffi.string(b, 16) end

local function coerce(v, argument)
    if is_uuid(v) then return v end
    local u
    if type(v) == 'string' then u = from_string(v) end
    if u == nil then error(('incorrect value to convert to uuid as %d argument'):format(argument), 4) end
    return u
end

local function less(a, b, equal)
    local s, t = to_string(coerce(a, 1)), to_string(coerce(b, 2))
    return s < t or equal and s == t
end

ffi.metatype(uuid_t, {
    __tostring = to_string,
    __eq = function(a, b)
        if not is_uuid(b) then
            if type(b) ~= 'string' then return false end
            b = from_string(b)
            return b ~= nil and same(a, b)
        end
        if not is_uuid(a) then
            if type(a) ~= 'string' then return false end
            a = from_string(a)
            return a ~= nil and same(a, b)
        end
        return same(a, b)
    end,
    __lt = function(a, b) return less(a, b, false) end,
    __le = function(a, b) return less(a, b, true) end,
    __index = { isnil = is_nil, bin = to_binary, str = to_string, __serialize = to_string },
})
core.set_kind('uuid', uuid_t, function(p, size)
    if size ~= 16 then core.invalid_extension() end
    return from_network(ffi.string(p, 16))
end)
core.is_uuid = is_uuid

return setmetatable({
    NULL = uuid_t(),
    new = new,
    fromstr = from_string,
    frombin = from_binary,
    bin = function(byteorder) return to_binary(new(), byteorder) end,
    str = function() return to_string(new()) end,
    is_uuid = is_uuid,
}, { __call = new })

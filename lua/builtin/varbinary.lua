-- The module varbinary: strings that are binary on the wire and in tuples.
local core = require('internal.core')
local ffi = require('ffi')

local varbinary_t = ffi.typeof('struct varbinary')

local function copy(p, size)
    local v = varbinary_t(size)
    v.size = size
    ffi.copy(v.data, p, size)
    return v
end

local function is(v) return ffi.istype(varbinary_t, v) end

local function text(v) return ffi.string(v.data, v.size) end

ffi.metatype(varbinary_t, {
    __len = function(v) return v.size end,
    __tostring = text,
    __eq = function(a, b)
        if is(a) then a = text(a) end
        if is(b) then b = text(b) end
        return type(a) == 'string' and type(b) == 'string' and a == b
    end,
})
--- core.decode_binary_as_string(yes) makes strings of binary data in MessagePack, as older servers did.
function core.decode_binary_as_string(yes)
    core.set_kind('varbinary', varbinary_t, function(p, size)
        p = ffi.cast('const char *', p)
        if yes then return ffi.string(p, size) end
        return copy(p, size)
    end)
end
core.decode_binary_as_string(false)
core.varbinary_text = text
core.is_varbinary = is

local usage = 'Usage: varbinary.new(str) or varbinary.new(ptr, size)'

return {
    is = is,
    new = function(p, size)
        if p == nil and size == nil then return copy('', 0) end
        if type(p) == 'string' then return copy(p, #p) end
        if type(p) == 'cdata' and (ffi.istype('const char *', p) or ffi.istype('char *', p)) and type(size) == 'number' then
            return copy(p, size)
        end
        if is(p) then return copy(p.data, p.size) end
        error(usage, 2)
    end,
}

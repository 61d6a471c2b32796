-- The module msgpack: encode and decode with options, values kept encoded, headers read one by one.
local bridge = require('internal.bridge')
local core = require('internal.core')
local ffi = require('ffi')

local codec_t = ffi.typeof('struct lycosa_codec')
local options = {
    encode_sparse_convert = 'sparse_convert', encode_sparse_ratio = 'sparse_ratio', encode_sparse_safe = 'sparse_safe',
    encode_max_depth = 'max_depth', encode_deep_as_nil = 'deep_as_nil', encode_invalid_as_nil = 'invalid_as_nil',
    encode_load_metatables = 'load_metatables', decode_save_metatables = 'save_metatables',
    encode_error_as_ext = 'error_ext',
}
-- Options that are known, shown and kept, but change nothing for MessagePack.
local others = { encode_invalid_numbers = true, encode_number_precision = 14, encode_use_tostring = false,
    decode_invalid_numbers = true, decode_max_depth = 128 }

local function is_pointer(p)
    return type(p) == 'cdata' and (ffi.istype('char *', p) or ffi.istype('const char *', p))
end

local function new_module()
    local codec = codec_t { 1, 2, 10, 128, 0, 0, 1, 1, 0, 0, 1 }
    local msgpack = { NULL = core.NULL, array_mt = core.seq_mt, map_mt = core.map_mt }

    msgpack.cfg = setmetatable({}, {
        __call = function(self, t)
            for k, v in pairs(t or {}) do
                local field = options[k]
                if field ~= nil then
                    codec[field] = type(v) == 'boolean' and (v and 1 or 0) or v
                    rawset(self, k, v)
                elseif others[k] ~= nil then
                    rawset(self, k, v)
                end
            end
        end,
    })
    for k, field in pairs(options) do
        local v = codec[field]
        if k:find('ratio') or k:find('safe') or k == 'encode_max_depth' then msgpack.cfg[k] = v else msgpack.cfg[k] = v ~= 0 end
    end
    for k, v in pairs(others) do msgpack.cfg[k] = v end

    function msgpack.encode(...)
        if select('#', ...) == 0 then error('msgpack.encode: a Lua object expected', 2) end
        local value, buffer = ...
        local text = bridge.encode(codec, value)
        if buffer == nil then return text end
        local p = buffer:alloc(#text)
        ffi.copy(p, text, #text)
        return #text
    end

    local function decode(s, at, name)
        if type(s) == 'string' then
            if at == nil then
                at = 1
            elseif type(at) ~= 'number' then
                error(('bad argument #2 to \'%s\' (number expected, got %s)'):format(name, type(at)), 3)
            elseif at < 1 or at > #s then
                error(("%s: offset is out of bounds"):format('msgpack.' .. name), 3)
            end
            if name == 'decode' and not bridge.check(s, at) then error(core.hooks.invalid('truncated input'), 0) end
            return bridge.decode(codec, s, at)
        end
        if is_pointer(s) then
            if name == 'decode' and type(at) ~= 'number' then
                error('msgpack.decode: number expected as 2nd argument', 3)
            end
            local size = name == 'decode' and at or 2 ^ 40
            if size < 0 then error('msgpack.decode: size can\'t be negative', 3) end
            local v, n = bridge.decode_at(codec, s, size)
            return v, s + n
        end
        error(('msgpack.%s: a Lua string or \'char *\' expected'):format(name), 3)
    end

    function msgpack.decode(s, at) return decode(s, at, 'decode') end

    function msgpack.decode_unchecked(s, at) return decode(s, at, 'decode_unchecked') end
    msgpack.ibuf_decode = msgpack.decode_unchecked

    local function header(s, at, map, name)
        if type(s) == 'string' then
            if at ~= nil and type(at) ~= 'number' then
                error(('bad argument #2 to \'%s\' (number expected, got %s)'):format(name, type(at)), 3)
            end
            if #s == 0 then error(core.hooks.invalid('truncated input'), 0) end
            local n, next_at = bridge.header(s, at or 1, map)
            if n == nil then error(("msgpack.%s: unexpected msgpack type"):format(name), 3) end
            return n, next_at
        end
        if is_pointer(s) then
            if type(at) ~= 'number' then error(("msgpack.%s: number expected as 2nd argument"):format(name), 3) end
            if at < 0 then error(("msgpack.%s: size can't be negative"):format(name), 3) end
            local text = ffi.string(s, math.min(at, 5))
            local n, next_at = bridge.header(text, 1, map)
            if n == nil then error(("msgpack.%s: unexpected msgpack type"):format(name), 3) end
            return n, s + (next_at - 1)
        end
        error(('msgpack.%s: a Lua string or \'char *\' expected'):format(name), 3)
    end

    function msgpack.decode_array_header(s, at) return header(s, at, false, 'decode_array_header') end

    function msgpack.decode_map_header(s, at) return header(s, at, true, 'decode_map_header') end

    function msgpack.object(...)
        if select('#', ...) == 0 then error('msgpack.object: a Lua object expected', 2) end
        return bridge.new_object(bridge.encode(codec, (...)))
    end

    function msgpack.object_from_raw(s, size)
        if is_pointer(s) then
            if type(size) ~= 'number' then error('msgpack.object_from_raw: number expected as 2nd argument', 2) end
            s = ffi.string(s, size)
        elseif type(s) ~= 'string' then
            error("msgpack.object_from_raw: a Lua string or 'char *' expected", 2)
        end
        if bridge.check(s, 1) ~= #s + 1 then error(core.hooks.invalid('truncated input'), 0) end
        return bridge.new_object(s)
    end

    msgpack.is_object = bridge.is_object
    msgpack.new = new_module
    return msgpack
end

return new_module()

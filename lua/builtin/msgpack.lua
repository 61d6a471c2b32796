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
-- Options that the encoder doesn't know: the first two have their own place here, the others change nothing.
local others = { encode_use_tostring = false, encode_invalid_numbers = true, encode_number_precision = 14,
    decode_invalid_numbers = true, decode_max_depth = 128 }

local explain = core.fn('iproto.explain')
local unbounded = 2 ^ 40

local function is_pointer(p)
    return type(p) == 'cdata' and (ffi.istype('char *', p) or ffi.istype('const char *', p))
end

local function new_module()
    local codec = codec_t { 1, 2, 10, 128, 0, 0, 1, 1, 0, 0, 1, 0, 0 }
    local msgpack = { NULL = core.NULL, array_mt = core.seq_mt, map_mt = core.map_mt }

    msgpack.cfg = setmetatable({}, {
        __call = function(self, t)
            if type(t) ~= 'table' then
                error(("bad argument #2 to 'cfg' (table expected, got %s)"):format(type(t)), 2)
            end
            for k, v in pairs(t) do
                local field = options[k]
                if field ~= nil then
                    codec[field] = type(v) == 'boolean' and (v and 1 or 0) or v
                    rawset(self, k, v)
                elseif others[k] ~= nil then
                    rawset(self, k, v)
                    if k == 'encode_invalid_numbers' then codec.finite = v and 0 or 1 end
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
        if msgpack.cfg.encode_use_tostring then value = require('internal.serializer').with_tostring(value) end
        local text = bridge.encode(codec, value)
        if buffer == nil then return text end
        local p = buffer:alloc(#text)
        ffi.copy(p, text, #text)
        return #text
    end

    local function wrong_number(got) error(("bad argument #2 to '?' (number expected, got %s)"):format(got), 3) end

    -- position checks where in a string decoding starts.
    local function position(s, at)
        if at == nil then return 1 end
        if type(at) ~= 'number' then wrong_number(type(at)) end
        if at < 1 or at > #s then error('msgpack.decode: offset is out of bounds', 3) end
        return at
    end

    local expected = "msgpack.decode: a Lua string or 'char *' expected"

    --- decode(string [, position]), decode(pointer, size): the value, and where the next one starts.
    function msgpack.decode(s, ...)
        local at = ...
        if type(s) == 'string' then
            at = position(s, at)
            if not bridge.check(s, at) then error(core.hooks.invalid(explain(s:sub(at))), 0) end
            return bridge.decode(codec, s, at)
        end
        if not is_pointer(s) then error(expected, 2) end
        if type(at) ~= 'number' then wrong_number(select('#', ...) == 0 and 'no value' or type(at)) end
        if at < 0 then error("msgpack.decode: size can't be negative", 2) end
        local v, n = bridge.decode_at(codec, s, at)
        return v, s + n
    end

    --- decode_unchecked is decode for what is known to be well-formed: a pointer needs no size.
    function msgpack.decode_unchecked(s, at)
        if type(s) == 'string' then return bridge.decode(codec, s, position(s, at)) end
        if not is_pointer(s) then error(expected, 2) end
        local v, n = bridge.decode_at(codec, s, unbounded)
        return v, s + n
    end

    --- ibuf_decode(pointer): where the next value starts, and the value.
    function msgpack.ibuf_decode(s)
        local v, behind = msgpack.decode_unchecked(s)
        return behind, v
    end

    -- header reads the header of an array or map at a pointer: the count, and the pointer behind it.
    local function header(name, map, s, size)
        if not is_pointer(s) or type(size) ~= 'number' then error(('Usage: msgpack.%s(ptr, size)'):format(name), 3) end
        if size <= 0 then error(('msgpack.%s: non-positive size'):format(name), 3) end
        local text = ffi.string(s, math.min(size, 5))
        local n, behind = bridge.header(text, 1, map)
        if n == nil then
            local c = text:byte()
            local is_header = map and (c == 0xde or c == 0xdf) or not map and (c == 0xdc or c == 0xdd)
            error(('msgpack.%s: %s'):format(name, is_header and 'unexpected end of buffer' or 'unexpected msgpack type'), 3)
        end
        return n, s + (behind - 1)
    end

    function msgpack.decode_array_header(s, size)
        local n, behind = header('decode_array_header', false, s, size)
        return n, behind
    end

    function msgpack.decode_map_header(s, size)
        local n, behind = header('decode_map_header', true, s, size)
        return n, behind
    end

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

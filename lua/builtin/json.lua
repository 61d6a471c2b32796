-- The module json: values are encoded to MessagePack by the bridge, which honours the options, and Go makes text of it;
-- decoding goes the other way round.
local bridge = require('internal.bridge')
local core = require('internal.core')
local serializer = require('internal.serializer')

local go_encode, go_decode, transcode = core.fn('json.encode'), core.fn('json.decode'), core.fn('json.transcode')
local encode_msgpack, decode_msgpack = bridge.encode, bridge.decode
local NULL = core.NULL

local function fail(e)
    if core.is_error(e) and e.message:find('^Too high nest level') then error('Too high nest level', 0) end
    error(e, 0)
end

local function encode(options, codec, v)
    if options.encode_use_tostring then v = serializer.with_tostring(v) end
    local ok, packed = pcall(encode_msgpack, codec, v)
    if not ok then fail(packed) end
    local text, problem, as_object = go_encode(packed, options.encode_number_precision, options.encode_invalid_numbers,
        options.encode_invalid_as_nil, serializer.escape_slash)
    if text ~= nil then return text end
    if as_object then serializer.raise(problem) end
    error(problem, 0)
end

local function decode(options, codec, text)
    if options.decode_save_metatables then
        local v, problem = go_decode(text, options.decode_max_depth, options.decode_invalid_numbers)
        if problem ~= nil then error(problem, 0) end
        if v == nil then return NULL end
        return v
    end
    local packed, problem = transcode(text, options.decode_max_depth, options.decode_invalid_numbers)
    if packed == nil then error(problem, 0) end
    return (decode_msgpack(codec, packed, 1))
end

local function check_options(o)
    if type(o) ~= 'table' then error(('attempt to index a %s value'):format(type(o)), 0) end
    return o
end

local function new_module()
    local json = { NULL = NULL, null = NULL, array_mt = core.seq_mt, map_mt = core.map_mt }
    local codec
    json.cfg = serializer.new_cfg(function() codec = serializer.codec(json.cfg) end)
    codec = serializer.codec(json.cfg)

    function json.encode(...)
        local n = select('#', ...)
        if n == 1 then return encode(json.cfg, codec, (...)) end
        if n ~= 2 then error("bad argument #1 to '?' (expected 1 or 2 arguments)", 0) end
        local v, options = ...
        if options == nil then return encode(json.cfg, codec, v) end
        local o = serializer.override(json.cfg, check_options(options))
        return encode(o, serializer.codec(o), v)
    end

    function json.decode(...)
        local n = select('#', ...)
        if n < 1 or n > 2 then error("bad argument #1 to '?' (expected 1 or 2 arguments)", 0) end
        local text, options = ...
        if type(text) == 'number' then text = tostring(text) end
        if type(text) ~= 'string' then
            error(("bad argument #1 to '?' (string expected, got %s)"):format(type(text)), 0)
        end
        if options == nil then return decode(json.cfg, codec, text) end
        local o = serializer.override(json.cfg, check_options(options))
        return decode(o, serializer.codec(o), text)
    end

    json.new = new_module
    return json
end

return new_module()

-- The module msgpackffi: the part of msgpack that programs know by this name.
local core = require('internal.core')
local msgpack = require('msgpack')

return {
    NULL = msgpack.NULL,
    array_mt = msgpack.array_mt,
    map_mt = msgpack.map_mt,
    encode = msgpack.encode,
    decode = msgpack.decode,
    decode_unchecked = msgpack.decode_unchecked,
    -- Encoders of C types would have to be called by C.
    on_encode = function()
        core.client_error(box.error.UNSUPPORTED, 'Lycosa', 'encoders of C types')
    end,
    internal = {},
}

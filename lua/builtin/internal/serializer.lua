-- What the modules json and yaml have in common: their options, and how a value is prepared for encoding.
local core = require('internal.core')
local ffi = require('ffi')

local codec_t = ffi.typeof('struct lycosa_codec')

local defaults = {
    encode_sparse_convert = true, encode_sparse_ratio = 2, encode_sparse_safe = 10, encode_max_depth = 128,
    encode_deep_as_nil = false, encode_invalid_numbers = true, encode_number_precision = 14, encode_load_metatables = true,
    encode_use_tostring = false, encode_invalid_as_nil = false, encode_error_as_ext = true,
    decode_invalid_numbers = true, decode_save_metatables = true, decode_max_depth = 128,
}

-- Set by the module compat.
local serializer = { escape_slash = false, pretty_multiline = true }

local function truth(v) return v and 1 or 0 end

--- codec(options) is the form of options that the bridge's encoder takes.
function serializer.codec(o)
    return codec_t {
        sparse_convert = truth(o.encode_sparse_convert), sparse_ratio = o.encode_sparse_ratio,
        sparse_safe = o.encode_sparse_safe, max_depth = o.encode_max_depth, deep_as_nil = truth(o.encode_deep_as_nil),
        invalid_as_nil = truth(o.encode_invalid_as_nil), load_metatables = truth(o.encode_load_metatables),
        save_metatables = truth(o.decode_save_metatables),
    }
end

--- override(options, changes) is a copy of options with the changes that name one.
function serializer.override(options, changes)
    local o = {}
    for name in pairs(defaults) do
        local v = changes[name]
        if v == nil then o[name] = options[name] else o[name] = v end
    end
    return o
end

--- new_cfg(changed) is a module's table cfg. Called with options it takes those that it knows and calls changed().
function serializer.new_cfg(changed)
    local cfg = {}
    for name, v in pairs(defaults) do cfg[name] = v end
    return setmetatable(cfg, {
        __call = function(self, options)
            if type(options) ~= 'table' then error('Usage: cfg(options)', 2) end
            for name in pairs(defaults) do
                if options[name] ~= nil then rawset(self, name, options[name]) end
            end
            changed()
        end,
    })
end

local encodable = { ['nil'] = true, boolean = true, number = true, string = true, table = true, cdata = true }

local function has_serialize(v)
    local mt = debug.getmetatable(v)
    return type(mt) == 'table' and mt.__serialize ~= nil
end

--- with_tostring(value) replaces what can't be encoded in value by its tostring().
function serializer.with_tostring(v, seen)
    local kind = type(v)
    if not encodable[kind] then
        if has_serialize(v) then return v end
        return tostring(v)
    end
    if kind ~= 'table' then return v end
    seen = seen or {}
    if seen[v] ~= nil then return seen[v] end
    local mt = getmetatable(v)
    if type(mt) == 'table' and type(mt.__serialize) == 'function' then return v end
    local copy = setmetatable({}, mt)
    seen[v] = copy
    for k, x in next, v do rawset(copy, k, serializer.with_tostring(x, seen)) end
    return copy
end

function serializer.raise(message)
    error(core.hooks.raise(message), 0)
end

return serializer

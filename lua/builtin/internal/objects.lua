-- Fields of msgpack objects, read so that LuaJIT compiles it: in the header and body of a request, where a handler asks for
-- one scalar after another. Everything else is left to the bridge.
local bridge = require('internal.bridge')
local core = require('internal.core')
local ffi = require('ffi')

local shared, numbers = core.shared, core.key_names
local text = ffi.string
local find = ffi.cast('int32_t (*)(const void *object, int32_t key, struct lycosa_shared *)', bridge.find_field)
local scalar = core.scalar
local absent, no, yes, number, string = scalar.absent, scalar.no, scalar.yes, scalar.number, scalar.text

local object, methods = bridge.object, bridge.object_methods
local get = methods.get

function object.__index(o, key)
    local method = methods[key]
    if method then return method end
    local n = numbers[key] or key
    if type(o) == 'userdata' and type(n) == 'number' and n >= 0 and n < 128 and n % 1 == 0 then
        local kind = find(o, n, shared)
        if kind == number then
            return shared.number
        elseif kind == string then
            return text(shared.result, shared.result_end - shared.result)
        elseif kind == absent then
            return nil
        elseif kind == yes or kind == no then
            return kind == yes
        end
    end
    return get(o, key)
end

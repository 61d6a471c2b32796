-- Getting a tuple by a key. Of a number or a text, which most keys are, in a way that LuaJIT compiles.
local bridge = require('internal.bridge')
local core = require('internal.core')
local ffi = require('ffi')

local shared, read_tuple = core.shared, core.read_tuple
local vm = ffi.cast('void *', bridge.vm)
local find_number = ffi.cast('int32_t (*)(void *vm, uint32_t space, uint32_t index, double key)', bridge.find_number)
local find_text = ffi.cast(
    'int32_t (*)(void *vm, uint32_t space, uint32_t index, const char *key, size_t size)', bridge.find_text)
local absent, found = core.scalar.absent, core.scalar.found

local index_get = core.tuple_fn('box.index_get')

local point = {}

--- point.get(space, index, key): the tuple, or nothing.
function point.get(space, index, key)
    local result
    if type(key) == 'number' then
        result = find_number(vm, space, index, key)
    elseif type(key) == 'string' then
        result = find_text(vm, space, index, key, #key)
    end
    if result == found then
        return (read_tuple(shared.result))
    elseif result == absent then
        return
    end
    return index_get(space, index, key)
end

return point

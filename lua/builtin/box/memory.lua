-- box.slab, box.runtime and box.malloc: where the memory is.
local go = require('internal.go')

local runtime_info = go.fn('box.runtime_info')
local malloc_info = go.fn('box.malloc_info')

local function called(f)
    return setmetatable({}, {__call = f, __serialize = f})
end

return {
    slab = {
        info = go.fn('box.slab_info'),
        stats = go.fn('box.slab_stats'),
        check = function() end,
    },
    runtime = {
        info = called(function() return runtime_info() end),
    },
    malloc = {
        info = called(function() return malloc_info() end),
    },
}

-- Loads the built-in modules: the first chunk that a VM runs.
local bridge = require('internal.bridge')
local source, list = bridge.functions['builtin.source'], bridge.functions['builtin.list']

local function load_builtin(name)
    local chunk, err = load(source(name), '@builtin/' .. name:gsub('%.', '/') .. '.lua')
    if chunk == nil then error(err, 0) end
    return chunk
end

-- The core replaces require, so it comes first; the others are loaded when they are first required.
package.loaded['internal.core'] = load_builtin('internal.core')('internal.core')
local core = package.loaded['internal.core']
for _, name in ipairs(list()) do
    if name ~= 'internal.init' and name ~= 'internal.core' then
        package.preload[name] = function(...) return load_builtin(name)(...) end
    end
end

require('error')
require('tuple')
require('msgpack')
require('internal.objects')
require('uuid')
require('decimal')
require('varbinary')
if package.preload['datetime'] then require('datetime') end
local entries = require('internal.fibers')
for _, name in ipairs { 'call', 'call_ref', 'call_raw', 'eval', 'handle3', 'fiber', 'run', 'compile', 'txn', 'wrap' } do
    bridge.functions['entry.' .. name](entries[name])
end
entries.set_undefined(function(name) core.client_error(33, name) end)
require('fiber')
require('internal.globals')
require('box')
require('internal.reload')

-- What is global before a program has begun is not the program's.
for name in pairs(_G) do
    bridge.functions['builtin.global'](name)
end

-- Globals that programs of this ecosystem count on beyond LuaJIT's own.
local core = require('internal.core')
local ffi = require('ffi')

local exit = core.fn('os.exit')

--- os.exit([code]): the process ends after the shutdown triggers have run.
os.exit = function(code) -- luacheck: ignore
    if code == nil or type(code) == "boolean" then code = 0 end
    if type(code) ~= 'number' then error('bad argument #1 to \'exit\' (number expected, got ' .. type(code) .. ')', 2) end
    io.stdout:flush()
    io.stderr:flush()
    exit(code)
    while true do core.wait() end
end

local parse = core.fn('tonumber64')

--- tonumber64(value [, base]): a number, or a 64-bit integer where a number would lose digits.
function tonumber64(...) -- luacheck: ignore
    if select('#', ...) < 1 then core.illegal('Usage: tonumber64(arg)', 2) end
    local value, base = ...
    local kind = type(value)
    if kind == 'number' then return value end
    if kind == 'cdata' then
        if ffi.istype('int64_t', value) or ffi.istype('uint64_t', value) then return value end
        return tonumber(value)
    end
    if kind ~= 'string' then return nil end
    if base ~= nil and (type(base) ~= 'number' or base < 2 or base > 36) then
        core.illegal('invalid argument 2, base out of range', 2)
    end
    return parse(value, base)
end

_TARANTOOL = core.fn('version')() -- luacheck: ignore

utf8 = require('utf8')

--- dostring(text, ...) runs a chunk and returns what it returns.
function dostring(text, ...) -- luacheck: ignore
    local chunk, err = loadstring(text)
    if chunk == nil then error(err, 2) end
    return chunk(...)
end

--- coroutine.isyieldable() tells whether the program may yield here.
function coroutine.isyieldable() return coroutine.running() ~= nil end

-- What a console shows for these words.
local function lazily(name)
    local mt = { __index = function(_, key) return require('help')[name][key] end }
    mt.__serialize = function() return getmetatable(require('help')[name]).__serialize() end
    mt.__call = mt.__serialize
    return setmetatable({}, mt)
end
help, tutorial = lazily('help'), lazily('tutorial')

--- misc.getmetrics(): figures of the Lua machine.
misc = {
    getmetrics = function() return { gc_total = collectgarbage('count') * 1024 } end,
}

package.loaded.misc = misc

require('internal.tables')
require('internal.strings')
require('internal.system')
require('internal.modules')

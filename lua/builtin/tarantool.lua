-- The module tarantool: what the process is.
local core = require('internal.core')

local info = setmetatable(core.fn('process.info')(), nil)

return {
    version = _TARANTOOL, -- luacheck: ignore
    package = 'Tarantool',
    build = setmetatable(info, nil),
    uptime = core.fn('process.uptime'),
    pid = core.fn('process.pid'),
    debug = {
        getsources = function(name)
            if type(name) ~= 'string' then return nil end
            return core.fn('builtin.source')(name)
        end,
    },
}

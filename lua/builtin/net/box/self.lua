-- net.box.self: this server with the methods of a connection, without one.
local core = require('internal.core')
local entries = require('internal.fibers')

local own = {}

local function check_self(object, method)
    if type(object) ~= 'table' then
        core.client_error(box.error.PROC_LUA, ('Use remote:%s(...) instead of remote.%s(...):'):format(method, method))
    end
end

-- raise makes what a called function has raised an error object.
local function finish(ok, ...)
    if ok then return ... end
    local e = ...
    if core.is_error(e) then
        core.set_last_error(e)
        error(e, 0)
    end
    core.client_error(box.error.PROC_LUA, tostring(e))
end

local function arguments(args)
    if args == nil then return {}, 0 end
    if core.is_tuple(args) then args = args:totable() end
    if type(args) ~= 'table' then
        error('Use remote:call(func_name, {arg1, arg2, ...}, opts) instead of remote:call(func_name, arg1, arg2, ...)', 3)
    end
    return args, table.maxn(args)
end

function own.ping() return true end

function own.reload_schema() end

function own.close() end

function own.is_connected() return true end

function own.wait_connected() return true end

function own.wait_state() return true end

function own:call(name, args, _)
    check_self(self, 'call')
    local list, n = arguments(args)
    local stored = box.func and box.func[name]
    if stored ~= nil and stored.call ~= nil then
        return finish(pcall(stored.call, stored, list))
    end
    local f, object = entries.resolve(tostring(name))
    if f == nil then core.client_error(box.error.NO_SUCH_PROC, tostring(name)) end
    if object ~= nil then return finish(pcall(f, object, unpack(list, 1, n))) end
    return finish(pcall(f, unpack(list, 1, n)))
end

function own:eval(code, args, _)
    check_self(self, 'eval')
    local list, n = arguments(args)
    local f, reason = core.load(tostring(code), '=eval')
    if f == nil then core.client_error(box.error.PROC_LUA, reason) end
    return finish(pcall(f, unpack(list, 1, n)))
end

function own.watch(_, ...) return box.watch(...) end

function own.watch_once(_, key) return box.watch_once(key) end

function own.execute(_, ...) return box.execute(...) end

return setmetatable(own, {
    __index = function(_, key)
        if key == 'space' then return box.space end
        return nil
    end,
    __serialize = function() return { self = true } end,
})

-- box.schema.func and the objects in box.func.
local go = require('internal.go')
local check = require('box.check')
local lookup = require('box.lookup')

local func_create = go.fn('box.func_create')
local func_drop = go.fn('box.func_drop')
local func_enter = go.fn('box.func_enter')
local func_leave = go.fn('box.func_leave')
local raise_text = go.fn('box.raise_text')

local func = {schema = {}}
local methods = {}

local map_mt = {__serialize = 'map'}
local seq_mt = {__serialize = 'seq'}

local create_options = {
    setuid = 'boolean',
    if_not_exists = 'boolean',
    language = 'string',
    body = 'string',
    is_deterministic = 'boolean',
    is_sandboxed = 'boolean',
    is_multikey = 'boolean',
    takes_raw_args = 'boolean',
    aggregate = 'string',
    comment = 'string',
    param_list = 'table',
    returns = 'string',
    exports = 'table',
    opts = 'table',
    trigger = 'string, table',
}

function func.schema.create(name, options)
    check.options(options, create_options)
    options = check.defaults(options, {
        setuid = false,
        language = 'LUA',
        body = '',
        is_deterministic = false,
        is_sandboxed = false,
        aggregate = 'none',
        comment = '',
        param_list = {},
        returns = 'any',
        exports = {'LUA'},
        opts = {},
        trigger = {},
    })
    if box.space._vfunc.index.name:get({name}) ~= nil then
        if options.if_not_exists then
            return
        end
        box.error(box.error.FUNCTION_EXISTS, name)
    end
    local opts = check.defaults(options.opts,
                                {is_multikey = options.is_multikey, takes_raw_args = options.takes_raw_args})
    local handles = type(options.trigger) == 'string' and {options.trigger} or options.trigger
    func_create(name, options.setuid, options.language:upper(), options.body, setmetatable(options.param_list, seq_mt),
                options.returns, options.aggregate, options.is_deterministic, options.is_sandboxed,
                setmetatable(options.exports, seq_mt), setmetatable(opts, map_mt), options.comment,
                setmetatable(handles, seq_mt))
end

function func.schema.drop(name, options)
    check.options(options, {if_exists = 'boolean'})
    local id = lookup.func(name)
    if id == nil then
        if options ~= nil and options.if_exists then
            return
        end
        box.error(box.error.NO_SUCH_FUNCTION, name)
    end
    func_drop(id)
end

function func.schema.exists(name_or_id)
    local t = type(name_or_id)
    return (t == 'string' or t == 'number') and lookup.func(name_or_id) ~= nil
end

-- Finds a global function by its name, "f", "m.f" or "m:f"; for the last form also the object it is called with.
local function global(name)
    local path, method = name:match('^(.*):([^:]+)$')
    local object = _G
    for part in (path or name):gmatch('[^.]+') do
        if type(object) ~= 'table' and type(object) ~= 'userdata' and type(object) ~= 'cdata' then
            return nil
        end
        object = object[part]
    end
    if method ~= nil and object ~= nil then
        return object[method], object
    end
    return object
end

-- Goes back to the user that the code ran as before a call, if that was another one, and on with the call's results.
local function leave(user, ok, ...)
    if user ~= nil then
        func_leave(user)
    end
    if ok then
        return ...
    end
    local reason = ...
    if type(reason) == 'string' then
        raise_text(reason)
    end
    error(reason, 0)
end

-- Calls a function of _func. Its body runs as part of the caller, so it may yield.
local function call(name, ...)
    local body, user = func_enter(name)
    if body ~= nil then
        return leave(user, pcall(body, ...))
    end
    local f, object = global(name)
    if f == nil then
        leave(user, true)
        box.error(box.error.NO_SUCH_PROC, name)
    end
    if object ~= nil then
        return leave(user, pcall(f, object, ...))
    end
    return leave(user, pcall(f, ...))
end

function func.schema.call(name, ...)
    if type(name) ~= 'string' then
        error('Use func:call(...)', 2)
    end
    return call(name, ...)
end

local function check_self(self, method)
    if type(self) ~= 'table' or self.name == nil then
        check.illegal('Use func:%s(...) instead of func.%s(...)', method, method)
    end
end

function methods.call(self, args)
    check_self(self, 'call')
    if args == nil then
        return call(self.name)
    elseif type(args) ~= 'table' then
        check.illegal('Usage: func:call(table)')
    end
    return call(self.name, unpack(args, 1, table.maxn(args)))
end

function methods.drop(self, options)
    check_self(self, 'drop')
    func.schema.drop(self.name, options)
end

-- Compiles the bodies of functions written in C again, of which there are none here.
function func.schema.reload(name)
    check.param(name, 'name', 'string')
    box.error(box.error.UNSUPPORTED, 'Lycosa', 'functions written in C')
end

-- Gives a function object its methods again.
function func.schema.bless(object)
    return setmetatable(object, func.object_mt)
end

func.object_mt = {__index = methods}

return func

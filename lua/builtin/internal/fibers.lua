-- What runs first in the coroutine of a fiber: the entry functions that Go starts. Each takes its input, runs it, and
-- leaves the results; errors go through to Go.
local bridge = require('internal.bridge')
local core = require('internal.core')

local take, take_wire = bridge.take, bridge.take_wire
local take_function, take_request = bridge.take_function, bridge.take_request
local finish, finish_wire = bridge.finish, bridge.finish_wire
local shared = core.shared
local find, sub = string.find, string.sub

local entries = {}

-- Names of functions without a dot or a colon, which clients call again and again.
local max_plain = 512
local plain, plain_count = {}, 0

-- resolve finds the function that a CALL names: a path of tables with dots, a method behind a colon. What isn't there is
-- told by returning nil.
local function resolve(name)
    local f = rawget(_G, name)
    if f ~= nil and not find(name, '[.:]') then
        if plain_count == max_plain then plain, plain_count = {}, 0 end
        plain[name], plain_count = true, plain_count + 1
        return f
    end
    local object, from = _G, 1
    while true do
        local at = find(name, '[.:]', from)
        local part = sub(name, from, at and at - 1)
        local kind = type(object)
        if kind ~= 'table' and kind ~= 'userdata' and kind ~= 'cdata' then return nil end
        local ok, value = pcall(function() return object[part] end)
        if not ok or value == nil then return nil end
        if at == nil then return value end
        if sub(name, at, at) == ':' then
            local method = sub(name, at + 1)
            ok, f = pcall(function() return value[method] end)
            if not ok or f == nil then return nil end
            return f, value
        end
        object, from = value, at + 1
    end
end
entries.resolve = resolve

-- check_callable keeps what can't be called from being called with a message that says so.
local undefined
function entries.set_undefined(f) undefined = f end

local function call_with(f, object, ...)
    if object ~= nil then return finish_wire(f(object, ...)) end
    return finish_wire(f(...))
end

local function call(name, ...)
    local f, object
    if plain[name] then
        f = rawget(_G, name)
        if type(f) == 'function' then return finish_wire(f(...)) end
    end
    f, object = resolve(name)
    local kind = type(f)
    if kind ~= 'function' and kind ~= 'table' and kind ~= 'cdata' and kind ~= 'userdata' then undefined(name) end
    return call_with(f, object, ...)
end

--- CALL: the input is the name, then the arguments.
function entries.call()
    return call(take_wire())
end

local function call_ref(f, ...)
    return finish_wire(f(...))
end

--- CALL of a function that Go holds: the input are the arguments.
function entries.call_ref()
    return call_ref(take_function(), take_wire())
end

-- Expressions are sent again and again: what they compile to is kept, by their text. Once there are many, those that were
-- not sent lately are forgotten: recent moves to older, and what is found there moves back.
local max_chunks, max_chunk_size = 512, 4096
local recent, older, count = {}, {}, 0

-- compiled returns the function of an expression. One whose environment a run has changed is not used again.
local function compiled(text)
    local f = recent[text]
    if f ~= nil and getfenv(f) == _G then return f end
    f = older[text]
    if f == nil or getfenv(f) ~= _G then
        local err
        f, err = core.load(text, '=eval')
        if f == nil then error(err, 0) end
    end
    if #text > max_chunk_size then return f end
    if count == max_chunks then recent, older, count = {}, recent, 0 end
    recent[text], count = f, count + 1
    return f
end

local function eval(text, ...)
    return finish_wire(compiled(text)(...))
end

--- EVAL: the input is the expression, then the arguments.
function entries.eval()
    return eval(take_wire())
end

local function handle3(f, header, body)
    return finish((f(shared.session_id, header, body)))
end

--- An override that declares three parameters: f(session id, header, body). Others run without an entry.
function entries.handle3()
    return handle3(take_request())
end

local around
--- How a handler around requests is run, set by the module iproto: f, header and body to what finish() gets.
function entries.set_around(f) around = f end

--- A handler around requests: f(request, next).
function entries.wrap()
    return finish((around(take_request())))
end

-- Functions of fibers that have not started, by the fiber's id.
local starting = {}
entries.starting = starting

--- A fiber of fiber.create or fiber.new.
function entries.fiber()
    local id = tonumber(shared.fiber_id)
    local body = starting[id]
    starting[id] = nil
    body()
end

local function call_raw(f, _, args)
    return finish_wire(f(args))
end

--- CALL of a function that takes its arguments as one msgpack object.
function entries.call_raw()
    return call_raw(take_request())
end

-- What a sandboxed function may use.
local safe = { 'assert', 'error', 'ipairs', 'math', 'next', 'pairs', 'pcall', 'print', 'select', 'string', 'table',
    'tonumber', 'tostring', 'type', 'unpack', 'xpcall', 'utf8' }

--- compile makes a function of the body of a persistent function, and returns how many parameters it declares, too.
function entries.compile(body, sandboxed)
    local chunk, err = core.load('return ' .. body) -- whose errors name it by its text
    if chunk == nil then error(err, 0) end
    if sandboxed then
        local env = {}
        for _, name in ipairs(safe) do
            local v = _G[name]
            if type(v) == 'table' then
                local copy = {}
                for k, x in pairs(v) do copy[k] = x end
                v = copy
            end
            env[name] = v
        end
        setfenv(chunk, env)
    end
    local f = chunk()
    if type(f) ~= 'function' then error("given body doesn't define a function", 0) end
    return f, debug.getinfo(f, 'u').nparams
end

local function next_statement(list, i)
    i = i + 1
    local s = list[i]
    if s == nil then return nil end
    local old, new = s[1], s[2]
    if old == nil then old = nil end
    if new == nil then new = nil end
    return i, old, new, s[3]
end

--- txn calls a handler of the end of a transaction with a function that makes an iterator over its statements.
function entries.txn(f, list)
    f(function() return next_statement, list, 0 end)
end

local function run(f, ...)
    return finish(f(...))
end

--- Any other function that Go holds: a script, a chunk, a trigger that may yield. The input are the arguments.
function entries.run()
    return run(take_function(), take())
end

return entries

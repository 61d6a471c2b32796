-- box.session: who is connected, and as whom the code runs.
local bridge = require('internal.bridge')
local core = require('internal.core')
local ffi = require('ffi')
local go = require('internal.go')
local check = require('box.check')
local triggers = require('box.triggers')

local session_exists = go.fn('box.session_exists')
local session_fd = go.fn('box.session_fd')
local session_peer = go.fn('box.session_peer')
local session_push = go.fn('box.session_push')
local session_storage = go.fn('box.session_storage')
local session_set_storage = go.fn('box.session_set_storage')
local session_su = go.fn('box.session_su')
local session_enter = go.fn('box.session_enter')
local session_leave = go.fn('box.session_leave')
local serve = go.fn('socket.serve')
local int64 = ffi.typeof('int64_t')

local shared = core.shared
local new_id = go.fn('box.session_id')

local session = {
    id = function()
        local id = shared.session_id
        if id == 0 then return new_id() end -- which gives a fiber of the background its session
        return tonumber(id)
    end,
    type = go.fn('box.session_type'),
    sync = go.fn('box.session_sync'),
    user = go.fn('box.session_user'),
    uid = go.fn('box.session_uid'),
    effective_user = go.fn('box.session_effective_user'),
    euid = go.fn('box.session_euid'),
}

for _, event in ipairs{'on_connect', 'on_disconnect', 'on_auth', 'on_access_denied'} do
    session[event] = triggers.setter('box.session.' .. event)
end

-- The number of a session that an argument names, nil for the caller's.
local function number_of(id)
    if type(id) == 'nil' then
        return nil
    end
    local ok, number = pcall(int64, id)
    if not ok then
        error('expected int64_t as 1 argument', 0)
    end
    return number
end

function session.exists(id)
    return session_exists(number_of(id))
end

function session.fd(id)
    return session_fd(number_of(id))
end

function session.peer(id)
    return (session_peer(number_of(id))) -- nil without one
end

-- Sends an out-of-band message to the client. It returns true, or nil and an error.
function session.push(...)
    if select('#', ...) ~= 1 then
        check.illegal('Usage: box.session.push(data)')
    end
    local message = ...
    if type(message) == 'function' then
        return nil, core.hooks.raise("unsupported Lua type 'function'")
    end
    local ok, reason = pcall(session_push, message)
    if not ok then
        return nil, reason
    end
    return true
end

local function restore(user, ok, ...)
    session_leave(user)
    if not ok then
        error((...), 0)
    end
    return ...
end

-- Becomes another user: for the time of f(...), or without f for good.
function session.su(user, f, ...)
    if user == nil then
        check.illegal('session.su(): bad arguments')
    end
    if f == nil then
        session_su(user)
        return
    end
    return restore(session_enter(user), pcall(f, ...))
end

-- Has the server talk with whoever is at the other end of a socket that is open already: fd is its number and belongs to
-- the session from now on. user is who the session starts as, storage is its box.session.storage.
function session.new(options)
    if options ~= nil and type(options) ~= 'table' then
        check.illegal('options should be a table')
    end
    options = options or {}
    local fd, user, storage = options.fd, options.user, options.storage
    if options.type ~= nil and options.type ~= 'binary' then
        check.illegal("invalid session type '%s', the only supported type is 'binary'", tostring(options.type))
    elseif type(fd) ~= 'number' or fd < 0 or fd ~= math.floor(fd) then
        check.illegal("options parameter 'fd' should be nonnegative integer")
    elseif user ~= nil and type(user) ~= 'string' then
        check.illegal("options parameter 'user' should be a string")
    elseif storage ~= nil and type(storage) ~= 'table' then
        check.illegal("options parameter 'storage' should be a table")
    end
    serve(fd, user or 'guest', storage and bridge.new_ref(storage))
end

-- The values of _session_settings.
session.settings = setmetatable({}, {
    __index = function(_, name)
        local row = box.space._session_settings:get(name)
        if row == nil then
            box.error(box.error.PROC_LUA, string.format("Session setting %s doesn't exist", name))
        end
        return row[2]
    end,
    __newindex = function(_, name, value)
        if value == nil then
            value = box.NULL -- so that the operation has it
        end
        if box.space._session_settings:update(name, {{'=', 'value', value}}) == nil then
            box.error(box.error.NO_SUCH_SESSION_SETTING, name)
        end
    end,
    __serialize = function()
        local out = {}
        for _, row in box.space._session_settings:pairs() do
            out[row[1]] = row[2]
        end
        return out
    end,
})

-- Each session has a table of its own for whatever a program wants to keep.
setmetatable(session, {
    __index = function(_, name)
        if name == 'storage' then
            local ref = session_storage()
            if ref ~= nil then
                return bridge.ref_value(ref)
            end
            local storage = {}
            session_set_storage(bridge.new_ref(storage))
            return storage
        end
    end,
})

return session

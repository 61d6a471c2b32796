-- box.iproto: the protocol's names and numbers, packets by hand, and handlers in place of the built-in ones.
local bridge = require('internal.bridge')
local core = require('internal.core')
local ffi = require('ffi')
require('trigger')

local iproto = core.fn('iproto.constants')()
for _, group in pairs(iproto) do
    if type(group) == 'table' then setmetatable(group, nil) end
end
setmetatable(iproto, nil)

-- Names of keys in handlers' objects and in packets: upper or lower case, nothing between.
for name, number in pairs(iproto.key) do
    core.key_names[name] = number
    core.key_names[name:lower()] = number
end

-- Tables are encoded in place where LuaJIT keeps them in the way that the bridge knows.
if ffi.abi('gc64') then
    bridge.learn_layout({ 1, 0.5, -7, 'text', true, false, core.NULL, {}, 1e300 },
        setmetatable({ one = 1, two = 'text', three = {}, four = false }, {}), core.key_names)
end

local packet = bridge.packet
local send = core.fn('iproto.send')
local u64, i64 = ffi.typeof('uint64_t'), ffi.typeof('int64_t')

local function is_part(v)
    local kind = type(v)
    return kind == 'table' or kind == 'string'
end

--- send(sid, header [, body]): a packet to the client of a session. Tables may use names for keys.
function iproto.send(...)
    local n = select('#', ...)
    if n < 2 or n > 3 then error('Usage: box.iproto.send(sid, header[, body])', 2) end
    local sid, header, body = ...
    if type(sid) ~= 'number' then
        if type(sid) == 'string' then
            sid = tonumber64(sid)
        elseif type(sid) ~= 'cdata' or not (ffi.istype(u64, sid) or ffi.istype(i64, sid)) then
            sid = nil
        end
        if sid == nil then error('expected uint64_t as 1 argument', 2) end
    end
    if not is_part(header) then error('expected table or string as 2 argument', 2) end
    if n == 2 then
        send(sid, header)
        return
    end
    if not is_part(body) then error('expected table or string as 3 argument', 2) end
    send(sid, header, body)
end

function iproto.encode_packet(...)
    local n = select('#', ...)
    if n < 1 or n > 2 then error('Usage: box.iproto.encode_packet(header[, body])', 2) end
    local header, body = ...
    if not is_part(header) then error('header must be a string or a table', 2) end
    if type(body) == 'nil' then return packet(header) end
    if not is_part(body) then error('body must be a string or a table', 2) end
    return packet(header, body)
end

local invalid_length = function() core.client_error(104, 'invalid fixheader') end

-- read_length reads the packet's length at a position: it and the position behind it, or how many bytes are missing.
local function read_length(s, at)
    local c = s:byte(at)
    if c == nil then return nil, at - #s end
    if c < 0x80 then
        if c == 0 then invalid_length() end
        return c, at + 1
    end
    local size = ({ [0xcc] = 1, [0xcd] = 2, [0xce] = 4, [0xcf] = 8 })[c]
    if size == nil then invalid_length() end
    if #s - at < size then return nil, size - (#s - at) end
    local v = 0
    for i = 1, size do v = v * 256 + s:byte(at + i) end
    if v == 0 then invalid_length() end
    return v, at + size + 1
end

local explain = core.fn('iproto.explain')

--- decode_packet(string [, position]) -> header, body, next position; nil and the missing bytes when it is cut short.
function iproto.decode_packet(...)
    local n = select('#', ...)
    local s, at = ...
    if n < 1 or n > 2 or type(s) ~= 'string' or n == 2 and type(at) ~= 'number' then
        error('Usage: box.iproto.decode_packet(string[, pos])', 2)
    end
    if n == 1 then at = 1 end
    at = math.floor(at)
    if at <= 0 then error('position must be greater than 0', 2) end
    local len, from = read_length(s, at)
    if len == nil then return nil, from end
    local left = #s - from + 1
    if left < len then return nil, len - left end
    local text = s:sub(from, from + len - 1)
    local body_at = bridge.check(text, 1)
    if body_at == nil then error(core.hooks.invalid(explain(text)), 0) end
    local header = bridge.new_object(text:sub(1, body_at - 1), true)
    if body_at > #text then return header, nil, from + len end
    local body_end = bridge.check(text, body_at)
    if body_end == nil then error(core.hooks.invalid(explain(text:sub(body_at))), 0) end
    if body_end <= #text then error(core.hooks.invalid('junk after input'), 0) end
    return header, bridge.new_object(text:sub(body_at), true), from + len
end

local greeting_usage = 'Usage: box.iproto.encode_greeting({version = x, uuid = x, salt = x})'
local encode_greeting, decode_greeting = core.fn('iproto.encode_greeting'), core.fn('iproto.decode_greeting')

function iproto.encode_greeting(...)
    local t = ...
    if select('#', ...) > 1 or select('#', ...) == 1 and type(t) ~= 'table' then error(greeting_usage, 2) end
    t = t or {}
    for _, key in ipairs { 'version', 'uuid', 'salt' } do
        if t[key] ~= nil and type(t[key]) ~= 'string' then error(key .. ' must be a string', 2) end
    end
    local text, err = encode_greeting(t.version, t.uuid, t.salt)
    if text == nil then error(err, 2) end
    return text
end

function iproto.decode_greeting(...)
    local text = ...
    if select('#', ...) ~= 1 or type(text) ~= 'string' then error('Usage: box.iproto.decode_greeting(string)', 2) end
    if #text ~= iproto.GREETING_SIZE then error(('greeting length must equal %d'):format(iproto.GREETING_SIZE), 2) end
    local t, err = decode_greeting(text)
    if t == nil then error(err, 2) end
    return setmetatable(t, nil)
end

local function refuse(message)
    core.client_error(32, message)
end

local handler_name = 'box.iproto.override.lua.user_handler'

-- What a handler may be asked beyond serving, with the types of the options.
local option_types = {
    timeout = 'number', shadow = 'boolean', trace = 'number', max_errors = 'number', per = 'number', pause = 'number',
    otherwise = 'string',
}

local function check_options(options)
    for name, value in pairs(options) do
        local kind = option_types[name]
        if kind == nil then core.illegal(("unexpected option '%s'"):format(tostring(name)), 4) end
        if type(value) ~= kind then
            core.illegal(("options parameter '%s' should be of type %s"):format(name, kind), 4)
        end
        if kind == 'number' and (value ~= value or value < 0) then
            core.illegal(("options parameter '%s' should not be negative"):format(name), 4)
        end
    end
    if (options.trace or 0) > 1 then
        core.illegal("options parameter 'trace' should be between 0 and 1", 4)
    end
    if (options.max_errors == nil) ~= (options.per == nil) then
        core.illegal("options parameters 'max_errors' and 'per' go together", 4)
    end
    local otherwise = options.otherwise
    if otherwise ~= nil and otherwise ~= 'fallback' and otherwise ~= 'error' then
        core.illegal("options parameter 'otherwise' should be 'fallback' or 'error'", 4)
    end
    return options.timeout or 0, options.shadow or false, options.trace or 0, options.max_errors or 0, options.per or 0,
        options.pause or 0, otherwise == 'error'
end

local function event_of(prefix, kind, who)
    if type(kind) == 'number' then
        kind = kind < 0 and math.ceil(kind) or math.floor(kind)
        return ('%s[%.0f]'):format(prefix, kind)
    elseif type(kind) == 'string' then
        return prefix .. '.' .. kind:lower()
    end
    return refuse(("bad argument #1 to '%s' (number or string expected, got %s)"):format(who, type(kind)))
end

local function set_handler(who, usage, prefix, ...)
    local kind, f, options = ...
    if select('#', ...) == 0 or kind == nil then refuse(usage) end
    local event = event_of(prefix, kind, who)
    if f ~= nil and type(f) ~= 'function' or type(f) == 'boolean' then
        refuse(("bad argument #2 to '%s' (function expected, got %s)"):format(who, type(f)))
    end
    if f == nil then
        core.set_trigger(event, handler_name, nil)
    elseif type(options) == 'table' then
        -- The options are checked before anything changes.
        local timeout, shadow, trace, max_errors, per, pause, refuse_requests = check_options(options)
        core.set_trigger(event, handler_name, nil)
        core.set_trigger(event, handler_name, f, timeout, shadow, trace, max_errors, per, pause, refuse_requests)
    else
        core.set_trigger(event, handler_name, nil)
        core.set_trigger(event, handler_name, f)
    end
end

--- override(request_type, callback [, options]): callback(header, body) handles requests of a type given by number or
--- name; nil takes it back. Options: timeout, shadow, trace, max_errors with per, pause, otherwise.
function iproto.override(...)
    set_handler('override', 'Usage: box.iproto.override(request_type, callback)', 'box.iproto.override', ...)
end

local go_next = core.fn('iproto.next')
local next_packets = function(body)
    local list
    if body == nil then
        list = go_next()
    elseif type(body) == 'string' then
        list = go_next(body)
    else
        list = go_next(bridge.encode_body(body))
    end
    core.check_cancelled()
    local n = #list
    local pushed = {}
    for i = 1, n - 2, 2 do
        pushed[#pushed + 1] = { header = bridge.new_object(list[i], true), body = bridge.new_object(list[i + 1], true) }
    end
    if n == 0 then return nil, nil, pushed end
    return bridge.new_object(list[n - 1], true), list[n] ~= '' and bridge.new_object(list[n], true) or nil, pushed
end

local names = {}
for name, number in pairs(iproto.type) do names[number] = name end

local request_mt = {
    __index = function(r, key)
        local header = rawget(r, 'header')
        if key == 'type' then return names[header.request_type or 0] or header.request_type end
        if key == 'sync' then return header.sync end
        if key == 'stream_id' then return header.stream_id end
        if key == 'session_id' then return tonumber(core.shared.session_id) end
    end,
    __tostring = function() return 'iproto.request' end,
}

require('internal.fibers').set_around(function(f, header, body)
    local first, second = f(setmetatable({ header = header, body = body }, request_mt), next_packets)
    if first == nil or type(first) == 'boolean' then return first end
    if second == nil then
        send(core.shared.session_id, first)
    else
        send(core.shared.session_id, first, second)
    end
    return true
end)

--- wrap(request_type, callback [, options]): callback(request, next) runs around whatever handles requests of a type.
--- next([body]) does that and returns the answer: header, body, and a list of what was pushed before it. What the
--- callback returns as header and body is the answer then; without a value it is what next() has returned last.
local extensions = {}

function extensions.wrap(...)
    set_handler('wrap', 'Usage: box.iproto.wrap(request_type, callback[, options])', 'box.iproto.wrap', ...)
end

core.override_stats = core.fn('iproto.override_stats')

-- What the reference has not is found, but not listed: programs that walk box.iproto see what they know.
return setmetatable(iproto, { __index = extensions })

-- Error objects and box.error. An object is a cdata that names a record kept here; records go with their objects.
local bridge = require('internal.bridge')
local core = require('internal.core')
local ffi = require('ffi')

local encode, decode_at = bridge.encode, bridge.decode_at
local codec = bridge.wire_codec
local shared = core.shared

local records = {} -- by id: type, code, message, file, line, errno, payload, prev, custom_type
local last_id = 0
local error_t

local function new_object(record)
    last_id = last_id + 1
    if last_id == 2 ^ 32 then last_id = 1 end
    records[last_id] = record
    return error_t(last_id)
end

local function is_error(e) return ffi.istype(error_t, e) end

-- Classes whose code is 0 for Lua, though clients see one.
local codeless = { IllegalParams = true, LuajitError = true, TimedOut = true, SystemError = true, FiberIsCancelled = true,
    MemoryError = true, OutOfMemory = true, CollationError = true, SocketError = true, XlogError = true, SwimError = true,
    CryptoError = true }
local wire_codes = { IllegalParams = 1, LuajitError = 32, TimedOut = 115, SystemError = 115, FiberIsCancelled = 32,
    SocketError = 115, OutOfMemory = 2 }

local methods = {}

local function record_of(e, what)
    if not is_error(e) then error(('Usage: error:%s()'):format(what), 3) end
    return records[e.id]
end

function methods.unpack(e)
    local r = record_of(e, 'unpack')
    local t = {}
    for k, v in pairs(r.payload) do t[k] = v end
    t.type, t.message = r.type, r.message
    if core.errors_unpack_plainly then
        if r.code ~= 0 then t.code = r.code end
        t.errno, t.prev, t.trace = r.errno, r.prev, { { file = r.file, line = r.line } }
        return t
    end
    if r.code ~= 0 or r.type == 'ClientError' or r.custom_type ~= nil then t.code = r.code end
    t.base_type = r.custom_type and 'CustomError' or r.type
    t.custom_type = r.custom_type
    t.errno = r.errno
    t.prev = r.prev
    t.trace = { { file = r.file, line = r.line } }
    return t
end

function methods.raise(e)
    record_of(e, 'raise')
    core.set_last_error(e)
    error(e, 0)
end

function methods.match(e, ...) return string.match(record_of(e, 'match').message, ...) end

function methods.set_prev(e, prev)
    if not is_error(e) or prev ~= nil and not is_error(prev) then core.illegal('Usage: error1:set_prev(error2)', 2) end
    local r = records[e.id]
    local p = prev
    while p ~= nil do
        if p.id == e.id then core.illegal('Cycles are not allowed', 2) end
        p = records[p.id].prev
    end
    if prev == nil then r.prev = nil else r.prev = prev end
end

methods.__serialize = function(e) return records[e.id].message end

local fields = {
    type = function(r) return r.type end,
    base_type = function(r) return r.custom_type and 'CustomError' or r.type end,
    custom_type = function(r) return r.custom_type end,
    code = function(r) return r.code end,
    message = function(r) return r.message end,
    errno = function(r) return r.errno end,
    prev = function(r) return r.prev end,
    trace = function(r) return { { file = r.file, line = r.line } } end,
}

local function tostring_error(e) return records[e.id].message end

error_t = ffi.metatype('struct error', {
    __index = function(e, key)
        local r = records[e.id]
        local get = fields[key]
        if get ~= nil then return get(r) end
        local v = r.payload[key]
        if v ~= nil then return v end
        return methods[key]
    end,
    __tostring = tostring_error,
    __concat = function(a, b)
        return (is_error(a) and tostring_error(a) or a) .. (is_error(b) and tostring_error(b) or b)
    end,
    __eq = function(a, b) return is_error(a) and is_error(b) and a.id == b.id end,
    __gc = function(e) records[e.id] = nil end,
})

-- unpacked makes an object of the decoded stack of an error, its causes included. Errors of other servers keep the codes
-- that they have on the wire.
local function unpacked(stack, remote)
    local object
    for i = #stack, 1, -1 do
        local s = stack[i]
        local kind = s[0]
        local payload = s[6] or {}
        local custom = payload.custom_type
        local code = s[5]
        if codeless[kind] and not remote then code = 0 end
        setmetatable(payload, nil)
        object = new_object {
            type = custom or kind, custom_type = custom, code = code, message = s[3], file = s[1], line = s[2],
            errno = s[4] ~= 0 and s[4] or nil, payload = payload, prev = object,
        }
        payload.custom_type = nil
    end
    return object
end

local function make(p, size)
    local map = decode_at(codec, p, size)
    local stack = type(map) == 'table' and map[0]
    if type(stack) ~= 'table' or #stack == 0 then core.invalid_extension() end
    for _, s in ipairs(stack) do
        if type(s) ~= 'table' or type(s[0]) ~= 'string' or type(s[3]) ~= 'string' then core.invalid_extension() end
    end
    return unpacked(stack)
end

--- The error object of the text of an MP_ERROR from another server.
function core.remote_error(text)
    local map = bridge.decode(codec, text)
    return unpacked(map[0], true)
end

local function head(n) return string.char(0x80 + n) end

-- pack is the opposite of make: the bytes of an MP_ERROR.
local function pack(e)
    local items = {}
    while e ~= nil do
        local r = records[e.id]
        local payload = r.payload
        if r.custom_type then
            local with = { custom_type = r.custom_type }
            for k, v in pairs(payload) do with[k] = v end
            payload = with
        end
        local has_payload = next(payload) ~= nil
        local code = r.code
        if wire_codes[r.type] and code == 0 then code = wire_codes[r.type] end
        local class = r.custom_type and 'CustomError' or r.type
        items[#items + 1] = head(has_payload and 7 or 6)
            .. '\0' .. encode(codec, class) .. '\1' .. encode(codec, r.file) .. '\2' .. encode(codec, r.line)
            .. '\3' .. encode(codec, r.message) .. '\4' .. encode(codec, r.errno or 0) .. '\5' .. encode(codec, code)
            .. (has_payload and '\6' .. encode(codec, setmetatable(payload, core.map_mt)) or '')
        setmetatable(payload, nil)
        e = r.prev
    end
    local n = #items
    local count = n < 16 and string.char(0x90 + n) or string.char(0xdc, math.floor(n / 256), n % 256)
    return '\x81\0' .. count .. table.concat(items)
end

core.set_kind('error', error_t, make, pack)

-- The last error of each fiber. Fibers that are gone leave theirs behind until there are too many.
local last, count = {}, 0
local alive = core.fn('fiber.alive')

function core.set_last_error(e)
    local id = tonumber(shared.fiber_id)
    if last[id] == nil then
        count = count + 1
        if count > 256 then
            for k in pairs(last) do
                if not alive(k) then last[k] = nil end
            end
            count = 0
            for _ in pairs(last) do count = count + 1 end
        end
    end
    last[id] = e
end

bridge.set_raised(core.set_last_error)

-- where tells file and line of the caller that many levels up, as error objects have it.
local function where(level)
    local info = debug.getinfo(level + 1, 'Sl')
    if info == nil then return '', 0 end
    local source = info.source:match('^[@=](.*)$') or 'builtin'
    return source, info.currentline > 0 and info.currentline or 0
end

local format_code = core.fn('error.format') -- (code, ...) -> message, name, payload

local function from_code(code, level, ...)
    local file, line = where(level + 1)
    local message, _, payload = format_code(code, ...)
    setmetatable(payload, nil)
    if code == 1 then -- ILLEGAL_PARAMS is a class of its own
        payload.name = 'ILLEGAL_PARAMS'
        return new_object { type = 'IllegalParams', code = 0, message = message, file = file, line = line, payload = payload }
    end
    return new_object { type = 'ClientError', code = code, message = message, file = file, line = line, payload = payload }
end

--- Make an error of a class without fields of its own, e.g. IllegalParams. One of the system has its number.
function core.new_error(class, message, level, errno)
    local file, line = where((level or 1) + 1)
    return new_object { type = class, code = 0, message = message, file = file, line = line, errno = errno, payload = {} }
end

function core.illegal(message, level)
    local e = core.new_error('IllegalParams', message, (level or 1) + 1)
    core.set_last_error(e)
    error(e, 0)
end

function core.client_error(code, ...)
    local e = from_code(code, 2, ...)
    core.set_last_error(e)
    error(e, 0)
end

core.hooks.raise = function(message)
    local e = core.new_error('LuajitError', message, 2)
    core.set_last_error(e)
    return e
end
core.hooks.invalid = function(details)
    local e = from_code(20, 2, details)
    core.set_last_error(e)
    return e
end

core.hooks.illegal = function(message)
    local e = core.new_error('IllegalParams', message, 2)
    core.set_last_error(e)
    return e
end

local reserved = { code = true, reason = true, type = true, prev = true, message = true, trace = true, errno = true,
    base_type = true, custom_type = true }

local function from_table(t, level)
    local file, line = where(level + 1)
    local code = tonumber(t.code or t[1] and tonumber(t[1])) or 0
    local reason = t.message or t.reason
    if reason == nil then
        for i = 1, 2 do
            if type(t[i]) == 'string' and tonumber(t[i]) == nil then reason = t[i] break end
        end
    end
    if t.prev ~= nil and not is_error(t.prev) then
        core.illegal(("Invalid argument 'prev' (error expected, got %s)"):format(type(t.prev)), level + 1)
    end
    local record = { code = code, file = file, line = line, payload = {}, prev = t.prev }
    for k, v in pairs(t) do
        if type(k) == 'string' and not reserved[k] then record.payload[k] = v end
    end
    if t.type ~= nil and t.type ~= 'ClientError' then
        record.type, record.custom_type = tostring(t.type):sub(1, 127), tostring(t.type):sub(1, 127)
        record.message = tostring(reason or '')
        return new_object(record)
    end
    if code == 1 then
        record.type, record.code, record.message = 'IllegalParams', 0, tostring(reason or format_code(code))
        return new_object(record)
    end
    record.type = 'ClientError'
    if reason == nil then
        local message, name, payload = format_code(code)
        record.message = message
        for k, v in pairs(payload) do record.payload[k] = v end
        record.payload.name = name
    else
        record.message = tostring(reason)
        record.payload.name = record.payload.name or 'UNKNOWN'
    end
    return new_object(record)
end

local function create(who, level, first, ...)
    local kind = type(first)
    if is_error(first) then return first end
    if kind == 'number' then
        if select('#', ...) == 0 and who == 'box.error.new()' and core.error_needs_args(first) then
            core.illegal(who .. ': bad arguments', level + 2)
        end
        return from_code(first, level + 1, ...)
    end
    if kind == 'table' then return from_table(first, level + 1) end
    if kind == 'string' and select('#', ...) > 0 and type((...)) == 'string' then
        local file, line = where(level + 1)
        local message = select('#', ...) > 1 and string.format(...) or (...)
        return new_object { type = first:sub(1, 127), custom_type = first:sub(1, 127), code = 0, message = message,
            file = file, line = line, payload = {} }
    end
    return nil
end

local needs_args = core.fn('error.needs_args')
core.error_needs_args = needs_args

local box_error = {}

function box_error.new(...)
    local e = create('box.error.new()', 2, ...)
    if e == nil then core.illegal('box.error.new(): bad arguments', 2) end
    return e
end

function box_error.last() return last[tonumber(shared.fiber_id)] end

function box_error.clear() last[tonumber(shared.fiber_id)] = nil end

function box_error.set(...)
    local e = ...
    if select('#', ...) ~= 1 then core.illegal('Usage: box.error.set(error)', 2) end
    if not is_error(e) then core.illegal(('Invalid argument #1 (error expected, got %s)'):format(type(e)), 2) end
    core.set_last_error(e)
end

function box_error.is(e) return is_error(e) end

for name, code in pairs(core.fn('error.codes')()) do box_error[name] = code end

setmetatable(box_error, {
    __call = function(_, ...)
        local e
        if select('#', ...) == 0 then
            e = box_error.last()
            if e == nil then return end
        else
            e = create('box.error()', 2, ...)
            if e == nil then core.illegal('box.error(): bad arguments', 2) end
        end
        core.set_last_error(e)
        error(e, 0)
    end,
})

core.is_error = is_error

return box_error

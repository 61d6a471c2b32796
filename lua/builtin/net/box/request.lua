-- Requests of a connection: sending them, waiting for their answers, and futures.
local bridge = require('internal.bridge')
local core = require('internal.core')
local ffi = require('ffi')
local check = require('box.check')

local go_send, go_request, go_wait, go_take, go_push = core.fn('netbox.send'), core.fn('netbox.request'),
    core.fn('netbox.wait'), core.fn('netbox.take'), core.fn('netbox.push')
local go_ready, go_discard, go_timed_out = core.fn('netbox.ready'), core.fn('netbox.discard'), core.fn('netbox.timed_out')
local now = core.fn('fiber.monotonic')
local fields, decode_tuple, codec = bridge.fields, bridge.decode_tuple, bridge.wire_codec

local request = {}

-- What is wanted of an answer, numbered as in Go.
local NOTHING, TUPLE, TUPLES, VALUES, OBJECT, BODY = 0, 1, 2, 3, 4, 5
request.NOTHING, request.TUPLE, request.TUPLES, request.VALUES, request.BODY = NOTHING, TUPLE, TUPLES, VALUES, BODY

--- The table that the text of a body is.
function request.decode_body(text)
    if #text == 0 then return {} end
    return (bridge.decode(codec, text))
end

-- How a request ends, likewise.
local WELL, NOT_YET = 0, 2 -- 1 stands for an error

--- The types of a request's options.
request.options = {
    is_async = 'boolean',
    iterator = 'string',
    limit = 'number',
    offset = 'number',
    on_push = 'function',
    on_push_ctx = 'any',
    skip_header = 'boolean',
    timeout = 'number',
    fetch_pos = 'boolean',
    after = 'string, table, tuple',
    return_raw = 'boolean',
    buffer = function(b)
        require('buffer') -- which declares the type
        return type(b) == 'cdata' and ffi.istype('struct ibuf', b), 'of type struct ibuf'
    end,
}

function request.check_options(options)
    if options ~= nil then check.options(options, request.options) end
end

local function raise(e)
    core.set_last_error(e)
    error(e, 0)
end

-- store writes an answer into the caller's buffer and returns its size.
local function store(buffer, text)
    local p = buffer:alloc(#text)
    ffi.copy(p, text, #text)
    return #text
end

-- shape makes of what Go returns what a program gets. Of the modes, values come as one tuple of all of them.
local function shape(mode, options, first, position)
    if mode == VALUES then return fields(codec, first, 0, 2 ^ 31) end
    if mode == OBJECT or mode == BODY then
        if options.buffer ~= nil then return store(options.buffer, first or '') end
        if mode == BODY then return first end
        return first and bridge.new_object(first)
    end
    if mode == TUPLES and position ~= nil then return first, position end
    return first
end

-- As shape, for the one result of a future.
local function shape_one(mode, options, first, position)
    if mode == VALUES then return (decode_tuple(codec, first)) end
    return shape(mode, options, first, position)
end

local function finish(mode, options, status, first, ...)
    if status == WELL then return shape(mode, options, first, ...) end
    raise(core.remote_error(first))
end

-- left is the rest of the time until a deadline; it raises when there is none.
local function left(id, deadline)
    if deadline == nil then return nil end
    local rest = deadline - now()
    if rest <= 0 then
        go_discard(id)
        raise(go_timed_out())
    end
    return rest
end

-- wait waits for the end of a request and has its messages taken as they come.
local function wait(id, deadline, on_push, on_push_ctx)
    local seen = 0
    while true do
        if on_push ~= nil then
            local t = go_push(id, seen + 1)
            while t ~= nil do
                seen = seen + 1
                on_push(on_push_ctx, (fields(codec, t, 0, 1)))
                t = go_push(id, seen + 1)
            end
        end
        if go_ready(id) then return end
        local rest = left(id, deadline)
        go_wait(id, seen, rest)
        local _, is_cancelled = core.state(core.self_id())
        if is_cancelled then
            go_discard(id)
            core.check_cancelled()
        end
    end
end

-- began goes on with a request that Go has waited for: it has ended, or its fiber was woken before that.
local function began(mode, options, deadline, status, first, ...)
    if status == NOT_YET then
        wait(first, deadline)
        return finish(mode, options, go_take(first))
    end
    return finish(mode, options, status, first, ...)
end

local no_options = {}

-- Futures.

local future = {}
local future_mt = { __index = future, __tostring = function() return 'net.box.request' end }
future_mt.__serialize = future_mt.__tostring

-- A future that nobody holds any more is discarded by the next one that is made.
local new_handle, discard_forgotten = require('internal.handles')(go_discard)

local function new_future(id, mode, options)
    discard_forgotten()
    return setmetatable({
        _id = id, _handle = new_handle(id), _mode = mode, _options = options, _messages = {},
    }, future_mt)
end

local function check_future(f, usage)
    if getmetatable(f) ~= future_mt then error('Usage: ' .. usage, 3) end
end

local function settle(f, status, first, ...)
    f._done = true
    ffi.gc(f._handle, nil)
    if status == WELL then
        local ok, result, position = pcall(shape_one, f._mode, f._options, first, ...)
        if ok then
            f._result, f._position = result, position
        else
            f._error = result
        end
    else
        f._error = core.remote_error(first)
    end
end

-- update takes the answer of a future that is ready, and the messages that came before it.
local function update(f)
    if not f._done and go_ready(f._id) then
        local n = 0
        repeat
            n = n + 1
            f._messages[n] = go_push(f._id, n)
        until f._messages[n] == nil
        settle(f, go_take(f._id))
    end
    return f._done
end

local function result_of(f)
    if f._error ~= nil then
        core.set_last_error(f._error)
        return nil, f._error
    end
    if f._position ~= nil then return f._result, f._position end
    return f._result
end

function future.is_ready(f)
    check_future(f, 'future:is_ready()')
    return update(f) or false
end

local function client_error(message)
    local e = box.error.new(box.error.PROC_LUA, message)
    core.set_last_error(e)
    return e
end

function future.result(f)
    check_future(f, 'future:result()')
    if not update(f) then return nil, client_error('Response is not ready') end
    return result_of(f)
end

local function deadline_of(timeout, usage)
    if timeout == nil then return nil end
    if type(timeout) ~= 'number' or timeout < 0 then error('Usage: ' .. usage, 3) end
    return now() + timeout
end

-- wait_more waits until the future is ready or has more than seen messages; false when the time is over.
local function wait_more(f, seen, deadline)
    repeat
        local rest = deadline and math.max(deadline - now(), 0)
        if go_wait(f._id, seen, rest) then return true end
        core.check_cancelled()
    until f._done or deadline ~= nil and now() >= deadline
    return f._done or false
end

--- wait_result([seconds]): the result, or nil and the error.
function future.wait_result(f, timeout)
    check_future(f, 'future:wait_result(timeout)')
    local deadline = deadline_of(timeout, 'future:wait_result(timeout)')
    while not update(f) do
        if not wait_more(f, 2 ^ 31, deadline) then
            local e = go_timed_out()
            core.set_last_error(e)
            return nil, e
        end
    end
    return result_of(f)
end

function future.discard(f)
    check_future(f, 'future:discard()')
    if update(f) then return end
    go_discard(f._id)
    f._done = true
    ffi.gc(f._handle, nil)
    f._error = box.error.new(box.error.PROC_LUA, 'Response is discarded')
end

-- The generator of pairs: the messages one by one, then the result. Instead of a number it returns box.NULL with an error.
local function step(state, i)
    local f = state.future
    if i == nil or state.ended then return nil end
    while true do
        local is_done = update(f)
        local message
        if is_done then message = f._messages[i + 1] else message = go_push(f._id, i + 1) end
        if message ~= nil then return i + 1, (fields(codec, message, 0, 1)) end
        if is_done then
            state.ended = true
            local result, e = result_of(f)
            if e ~= nil and f._error ~= nil then return core.NULL, e end
            return i + 1, result
        end
        local deadline = state.timeout and now() + state.timeout
        if not wait_more(f, i, deadline) then
            local e = go_timed_out()
            core.set_last_error(e)
            return core.NULL, e
        end
    end
end

--- pairs([seconds]): an iterator over the messages that the server pushes, and the result at the end.
function future.pairs(f, timeout)
    check_future(f, 'future:pairs(timeout)')
    deadline_of(timeout, 'future:pairs(timeout)')
    return step, { future = f, timeout = timeout }, 0
end

--- perform(transport, stream, mode, format, options, type, ...) sends a request and waits for its answer, or returns a
--- future. The options were checked.
function request.perform(t, stream, mode, format, options, code, ...)
    t:check_active()
    if options == nil then
        return began(mode, no_options, nil, go_request(nil, t.id, mode, format, stream, code, ...))
    end
    if options.buffer ~= nil then
        mode = options.skip_header and OBJECT or BODY
    elseif options.return_raw then
        mode = OBJECT
    end
    if options.is_async then
        if options.on_push ~= nil or options.on_push_ctx ~= nil then
            core.client_error(box.error.PROC_LUA, 'To handle pushes in an async request use future:pairs()')
        end
        return new_future(go_send(t.id, mode, format, stream, code, ...), mode, options)
    end
    local timeout = options.timeout
    local deadline = timeout and now() + timeout
    if options.on_push ~= nil then
        local id = go_send(t.id, mode, format, stream, code, ...)
        local ok, reason = pcall(wait, id, deadline, options.on_push, options.on_push_ctx)
        if not ok then
            go_discard(id)
            error(reason, 0)
        end
        return finish(mode, options, go_take(id))
    end
    return began(mode, options, deadline, go_request(timeout, t.id, mode, format, stream, code, ...))
end

--- collect sends several requests at once and returns the lists of tuples that they find, false for one that fails, and
--- the first error.
function request.collect(t, ...)
    local ids, lists, failure = {}, {}, nil
    for i = 1, select('#', ...) do
        ids[i] = go_send(t.id, TUPLES, 0, 0, unpack((select(i, ...))))
    end
    for i, id in ipairs(ids) do
        while not go_ready(id) do go_wait(id, 2 ^ 31, nil) end
        local status, first = go_take(id)
        lists[i] = status == WELL and first
        if not lists[i] then failure = failure or core.remote_error(first) end
    end
    return lists, failure
end

return request

-- The module socket: sockets of the system. What can't be done at once parks the fiber.
local core = require('internal.core')
local ffi = require('ffi')
local errno = require('errno')

local go = {}
for _, name in ipairs { 'new', 'pair', 'from_fd', 'close', 'connect', 'bind', 'listen', 'shutdown', 'accept', 'name', 'peer',
    'read', 'recvfrom', 'write', 'send', 'sendto', 'set_option', 'get_option', 'set_linger', 'set_nonblock', 'wait',
    'resolve' } do
    go[name] = core.fn('socket.' .. name)
end
local now = core.fn('fiber.monotonic')

local constants = core.fn('socket.constants')()
local internal = {}
for group, numbers in pairs(constants) do internal[group] = setmetatable(numbers, nil) end

local methods = {}
local mt = { __index = methods }

-- Sockets that the program has lost are closed when the next one is made: a finalizer can't call Go.
local lost = {}
local function guard(fd)
    return ffi.gc(ffi.new('int[1]', fd), function(p) lost[#lost + 1] = p[0] end)
end

local function new_object(fd)
    for i = #lost, 1, -1 do
        local old = lost[i]
        lost[i] = nil
        if old ~= fd then go.close(old) end
    end
    return setmetatable({ ly_fd = fd, ly_guard = guard(fd), ly_buffer = '', closed = false }, mt)
end

local function fd_of(s)
    if getmetatable(s) ~= mt then error('Usage: socket:method()', 3) end
    if s.closed then error('attempt to use closed socket', 3) end
    return s.ly_fd
end

--- fail(result, number, ...) leaves the number of an error and returns the rest.
local function fail(result, number, ...)
    core.set_errno(number)
    return result, ...
end

-- done makes the result of a method: what went well, or false with the error kept for s:errno().
local function done(s, v, number)
    if v == nil then
        s.ly_errno = number
        return fail(false, number)
    end
    s.ly_errno = nil
    return v
end

local function value(s, v, number)
    if v == nil then
        s.ly_errno = number
        return fail(nil, number)
    end
    s.ly_errno = nil
    return v
end

function methods.fd(s) return fd_of(s) end

function methods.errno(s) return s.ly_errno or 0 end

function methods.error(s)
    if s.ly_errno == nil then return nil end
    return errno.strerror(s.ly_errno)
end

function methods.close(s)
    local fd = fd_of(s)
    s.closed = true
    ffi.gc(s.ly_guard, nil)
    if s.unlink_path ~= nil then require('fio').unlink(s.unlink_path) end
    return done(s, go.close(fd))
end

function methods.detach(s)
    local fd = fd_of(s)
    s.closed = true
    ffi.gc(s.ly_guard, nil)
    return fd
end

function methods.sysconnect(s, host, port) return done(s, go.connect(fd_of(s), host, port)) end

function methods.bind(s, host, port) return done(s, go.bind(fd_of(s), host, port)) end

function methods.listen(s, backlog) return done(s, go.listen(fd_of(s), backlog or 128)) end

local hows = { R = 0, READ = 0, SHUT_RD = 0, W = 1, WRITE = 1, SHUT_WR = 1, RW = 2, READ_WRITE = 2, SHUT_RDWR = 2 }

function methods.shutdown(s, how)
    local number = type(how) == 'number' and how or hows[how]
    if number == nil then error(('unknown shutdown mode: %s'):format(tostring(how)), 2) end
    return done(s, go.shutdown(fd_of(s), number))
end

--- accept(): the next client's socket and its address; nil when none waits.
function methods.accept(s)
    local fd, from = go.accept(fd_of(s))
    if fd == nil then return value(s, nil, from) end
    return new_object(fd), setmetatable(from, nil)
end

local function address(s, t, number)
    if t == nil then return value(s, nil, number) end
    return setmetatable(t, nil)
end

function methods.name(s) return address(s, go.name(fd_of(s))) end

function methods.peer(s) return address(s, go.peer(fd_of(s))) end

-- Waiting.

--- wait([timeout]): which of "R" and "W" is possible.
function methods.wait(s, timeout) return go.wait(fd_of(s), 'RW', timeout) end

local function wait_for(s, event, timeout)
    local events = go.wait(fd_of(s), event, timeout)
    if events == '' then
        core.check_cancelled()
        s.ly_errno = errno.ETIMEDOUT
        core.set_errno(errno.ETIMEDOUT)
        return false
    end
    return true
end

function methods.readable(s, timeout) return wait_for(s, 'R', timeout) end

function methods.writable(s, timeout) return wait_for(s, 'W', timeout) end

local transient = { [errno.EAGAIN] = true, [errno.EINTR] = true }

--- ly_connect connects and waits for that; returns the number of the error.
function methods.ly_connect(s, host, port, timeout)
    local ok, number = go.connect(fd_of(s), host, port)
    if ok then return nil end
    if number ~= errno.EINPROGRESS and number ~= errno.EAGAIN then return number end
    if not methods.writable(s, timeout) then return errno.ETIMEDOUT end
    number = go.get_option(s.ly_fd, internal.level.SOL_SOCKET, internal.option.SO_ERROR)
    if number ~= 0 then return number end
end

-- Reading and writing.

--- sysread(size or buffer, size): what is there, as one call of the system reads it.
function methods.sysread(s, buffer, size)
    local fd = fd_of(s)
    if type(buffer) ~= 'cdata' then return value(s, go.read(fd, buffer or 65536)) end
    local text = value(s, go.read(fd, size))
    if text == nil then return nil end
    ffi.copy(buffer, text, #text)
    return #text
end

local function content(data, size)
    if type(data) == 'cdata' then return ffi.string(data, size) end
    return tostring(data)
end

function methods.syswrite(s, data, size) return value(s, go.write(fd_of(s), content(data, size))) end

local piece = 262144

--- write(text [, timeout]): writes all of it; returns how many bytes that were, or nil.
function methods.write(s, data, timeout)
    local fd = fd_of(s)
    data = content(data)
    local deadline = timeout and now() + timeout
    local from = 1
    while from <= #data do
        local n, number = go.send(fd, #data <= piece and from == 1 and data or data:sub(from, from + piece - 1), 0)
        if n ~= nil then
            from = from + n
        elseif not transient[number] then
            return value(s, nil, number)
        elseif not wait_for(s, 'W', deadline and math.max(deadline - now(), 0)) then
            return nil
        end
        if s.closed then return value(s, nil, errno.EBADF) end
    end
    s.ly_errno = nil
    return #data
end

function methods.send(s, data, flags)
    if flags == nil then return methods.write(s, data) end
    return value(s, go.send(fd_of(s), content(data), flags))
end

-- Conditions of read(): functions of the buffer and of where the last search ended; they return how much to take.

local function by_size(size)
    return function(buffer)
        if #buffer >= size then return size end
    end, size
end

local function by_delimiters(list)
    return function(buffer, from)
        local best
        for _, delimiter in ipairs(list) do
            local _, stop = buffer:find(delimiter, math.max(from - #delimiter, 1), true)
            if stop ~= nil and (best == nil or stop < best) then best = stop end
        end
        return best
    end, 0
end

local read_usage = 'Usage: s:read(delimiter|chunk|{delimiter = x, chunk = x}, timeout)'

local function condition(what)
    local kind = type(what)
    if kind == 'number' then return by_size(what) end
    if kind == 'string' then return by_delimiters { what } end
    if kind ~= 'table' then error(read_usage, 3) end
    local size = what.chunk or what.size or what.limit
    local delimiters = what.delimiter or what.line
    if delimiters == nil and size == nil then
        if #what == 0 then error(read_usage, 3) end
        return by_delimiters(what)
    end
    if delimiters == nil then return by_size(size) end
    local enough = by_delimiters(type(delimiters) == 'table' and delimiters or { delimiters })
    if size == nil then return enough, 0 end
    return function(buffer, from)
        return enough(buffer, from) or #buffer >= size and size or nil
    end, size
end

--- read(size | delimiter | {chunk, delimiter} [, timeout]): up to what is asked for; what is left at the end of the
--- stream; nil when the time runs out.
function methods.read(s, what, timeout)
    local fd = fd_of(s)
    local enough, wanted = condition(what)
    local deadline = timeout and now() + timeout
    local searched = 1
    while true do
        local n = enough(s.ly_buffer, searched)
        if n ~= nil then
            local text = s.ly_buffer:sub(1, n)
            s.ly_buffer = s.ly_buffer:sub(n + 1)
            s.ly_errno = nil
            return text
        end
        searched = #s.ly_buffer + 1
        local text, number = go.read(fd, math.max(16384, #s.ly_buffer, wanted - #s.ly_buffer))
        if text ~= nil then
            if text == '' then
                text, s.ly_buffer = s.ly_buffer, ''
                s.ly_errno = nil
                return text
            end
            s.ly_buffer = s.ly_buffer .. text
        elseif not transient[number] then
            return value(s, nil, number)
        elseif not wait_for(s, 'R', deadline and math.max(deadline - now(), 0)) then
            return nil
        end
        if s.closed then return value(s, nil, errno.EBADF) end
    end
end
methods.receive = methods.read

local function flags_of(flags)
    if flags == nil then return 0 end
    if type(flags) == 'number' then return flags end
    local all = 0
    for _, name in ipairs(type(flags) == 'table' and flags or { flags }) do
        all = bit.bor(all, internal.flag[name] or error(('unknown flag: %s'):format(tostring(name)), 3))
    end
    return all
end

function methods.recvfrom(s, size, flags)
    local text, from = go.recvfrom(fd_of(s), size, flags_of(flags))
    if text == nil then return value(s, nil, from) end
    return text, from and setmetatable(from, nil)
end

function methods.recv(s, size, flags) return (methods.recvfrom(s, size, flags)) end

function methods.sendto(s, host, port, data, flags)
    return value(s, go.sendto(fd_of(s), host, port, content(data), flags_of(flags)))
end

-- Options.

local function option_of(level, option)
    if type(level) == 'string' then level = internal.level[level:find('^SOL_') and level or 'SOL_' .. level:upper()] end
    if type(option) == 'string' then option = internal.option[option] or internal.option['SO_' .. option] end
    if level == nil or option == nil then error('Unknown socket option', 3) end
    return level, option
end

function methods.setsockopt(s, level, option, v)
    level, option = option_of(level, option)
    if type(v) == 'boolean' then v = v and 1 or 0 end
    return done(s, go.set_option(fd_of(s), level, option, v))
end

function methods.getsockopt(s, level, option)
    level, option = option_of(level, option)
    return value(s, go.get_option(fd_of(s), level, option))
end

--- linger([on [, seconds]]): whether closing waits for what is not sent yet.
function methods.linger(s, on, seconds)
    local fd = fd_of(s)
    if on == nil then return s.ly_linger or false, s.ly_seconds or 0 end
    local ok = done(s, go.set_linger(fd, on and true or false, seconds or 0))
    if ok then s.ly_linger, s.ly_seconds = on, seconds or 0 end
    return ok
end

function methods.nonblock(s, on)
    local fd = fd_of(s)
    if on == nil then return s.ly_blocking ~= true end
    s.ly_blocking = not on
    return done(s, go.set_nonblock(fd, true)) -- it never blocks the process, whatever the program sees
end

mt.__tostring = function(s)
    if s.closed then return 'fd closed' end
    local name = go.name(s.ly_fd)
    local text = ('fd %d'):format(s.ly_fd)
    if name ~= nil then text = text .. (', %s:%s'):format(name.host, tostring(name.port)) end
    return text
end
mt.__serialize = function(s)
    if s.closed then return { fd = -1 } end
    local t = { fd = s.ly_fd }
    local name = go.name(s.ly_fd)
    if name ~= nil then
        for k, v in pairs(name) do t[k] = v end
    end
    return t
end

local function number_in(group, v)
    if type(v) == 'number' then return v end
    return internal[group][v]
end

local socket = { internal = internal }

local function new_socket(domain, kind, protocol)
    local d, k = number_in('domain', domain), number_in('type', kind)
    local p = number_in('protocol', protocol == nil and 0 or protocol)
    if d == nil or k == nil or p == nil then
        return fail(nil, errno.EINVAL, errno.strerror(errno.EINVAL))
    end
    local fd, number = go.new(d, k, p)
    if fd == nil then return fail(nil, number) end
    return new_object(fd)
end

function socket.socketpair(domain, kind, protocol)
    local a, b = go.pair(number_in('domain', domain), number_in('type', kind), number_in('protocol', protocol or 0))
    if a == nil then return fail(nil, b) end
    return new_object(a), new_object(b)
end

function socket.from_fd(fd)
    if type(fd) ~= 'number' or fd < 0 then error('fd must be a number', 2) end
    local ok, number = go.from_fd(fd)
    if ok == nil then return fail(nil, number) end
    return new_object(fd)
end

--- iowait(fd, events [, timeout]): which of the events "R" and "W" of a descriptor are there.
function socket.iowait(fd, events, timeout)
    if type(events) == 'number' then events = ({ 'R', 'W', 'RW' })[events] end
    return go.wait(fd or -1, events or '', timeout)
end

--- getaddrinfo(host, service [, timeout] [, hints]): a list of addresses, or nil and what is wrong.
function socket.getaddrinfo(host, service, timeout, hints)
    if type(timeout) == 'table' then timeout, hints = nil, timeout end
    hints = hints or {}
    local flags = type(hints.flags) == 'table' and hints.flags or { hints.flags }
    local numeric = false
    for _, flag in ipairs(flags) do numeric = numeric or flag == 'AI_NUMERICHOST' end
    local list, problem = go.resolve(host or '', tostring(service or 0), hints.family or '', hints.type or '',
        hints.protocol or '', numeric, timeout)
    if list == nil then return nil, ('getaddrinfo: %s'):format(problem) end
    for i, a in ipairs(list) do list[i] = setmetatable(a, nil) end
    return setmetatable(list, nil)
end

setmetatable(socket, { __call = function(_, ...) return new_socket(...) end })
for name, f in pairs(require('internal.socket_server')(socket, fail)) do socket[name] = f end

return socket

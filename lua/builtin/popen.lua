-- The module popen: processes that the program starts, with pipes to their streams.
local core = require('internal.core')
local errno = require('errno')

local go_start, go_status, go_signal, go_shutdown, go_close, go_wait, go_read, go_write = core.fn('popen.start'),
    core.fn('popen.status'), core.fn('popen.signal'), core.fn('popen.shutdown'), core.fn('popen.close'),
    core.fn('popen.wait'), core.fn('popen.read'), core.fn('popen.write')

local popen = {
    opts = { INHERIT = 'inherit', DEVNULL = 'devnull', CLOSE = 'close', PIPE = 'pipe' },
    state = { ALIVE = 'alive', EXITED = 'exited', SIGNALED = 'signaled' },
    stream = { OPEN = 'open', CLOSED = 'closed' },
    signal = {
        SIGHUP = 1, SIGINT = 2, SIGQUIT = 3, SIGILL = 4, SIGTRAP = 5, SIGABRT = 6, SIGIOT = 6, SIGBUS = 7, SIGFPE = 8,
        SIGKILL = 9, SIGUSR1 = 10, SIGSEGV = 11, SIGUSR2 = 12, SIGPIPE = 13, SIGALRM = 14, SIGTERM = 15, SIGSTKFLT = 16,
        SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19, SIGTSTP = 20, SIGTTIN = 21, SIGTTOU = 22, SIGURG = 23, SIGXCPU = 24,
        SIGXFSZ = 25, SIGVTALRM = 26, SIGPROF = 27, SIGWINCH = 28, SIGIO = 29, SIGPOLL = 29, SIGPWR = 30, SIGSYS = 31,
    },
}

-- The streams by their descriptors, and which bit of a description means which.
local streams = { [0] = 'stdin', 'stdout', 'stderr' }

local methods = {}
local mt = {}

local function state_of(h)
    if getmetatable(h) ~= mt then core.illegal('popen: bad handle', 3) end
    if h.ly.closed then core.illegal('popen: attempt to operate on a closed handle', 3) end
    return h.ly
end

local function system_error(text, number)
    core.set_errno(number)
    return core.new_error('SystemError', ('%s: %s'):format(text, errno.strerror(number)), 3, number)
end

-- status describes what has become of the process.
local function status(ly)
    local state, code = go_status(ly.id)
    local t = { state = state }
    if state == 'exited' then t.exit_code = code end
    if state == 'signaled' then
        t.signo = code
        for name, number in pairs(popen.signal) do
            if number == code and name ~= 'SIGIOT' and name ~= 'SIGPOLL' then t.signame = name end
        end
    end
    return t
end

--- wait(): waits for the end of the process; its status.
function methods.wait(h)
    local ly = state_of(h)
    go_wait(ly.id)
    core.check_cancelled()
    if ly.closed then core.illegal('popen: attempt to operate on a closed handle', 2) end
    return status(ly)
end

function methods.poll(h) return status(state_of(h)) end

--- signal(number): sends a signal to the process, or to its group if it was started with group_signal.
function methods.signal(h, number)
    local ly = state_of(h)
    if type(number) ~= 'number' then
        core.illegal(('popen:signal: wrong parameter "signo": expected number, got %s'):format(
            number == nil and 'no value' or type(number)), 2)
    end
    local ok, problem = go_signal(ly.id, number, ly.group)
    if ok then return true end
    if problem == errno.ESRCH then
        return nil, core.new_error('SystemError',
            ('Attempt to send a signal %d to a process that does not exist anymore'):format(number), 2, problem)
    end
    return nil, system_error(('Unable to send signal %d to process'):format(number), problem)
end

function methods.terminate(h) return methods.signal(h, popen.signal.SIGTERM) end

function methods.kill(h) return methods.signal(h, popen.signal.SIGKILL) end

local function check_timeout(name, timeout)
    if timeout ~= nil and (type(timeout) ~= 'number' or timeout < 0) then
        core.illegal(('popen:%s: wrong parameter "opts.timeout": expected non-negative number'):format(name), 3)
    end
    return timeout
end

local function timed_out()
    return nil, core.new_error('TimedOut', 'timed out', 3)
end

--- read([{stdout, stderr, timeout}]): what the process has written, an empty text at the end.
function methods.read(h, options)
    local ly = state_of(h)
    options = options or {}
    if type(options) ~= 'table' then
        core.illegal(('popen:read: wrong parameter "opts": expected table or nil, got %s'):format(type(options)), 2)
    end
    local timeout = check_timeout('read', options.timeout)
    local fd = 1
    if options.stderr then
        if options.stdout then core.illegal('popen:read: stdout and stderr are both given', 2) end
        fd = 2
    end
    if ly.opts[streams[fd]] ~= 'pipe' or ly.shut[fd] then
        core.illegal('popen: handle does not support the requested IO operation', 2)
    end
    local text, problem = go_read(ly.id, fd, timeout)
    if text ~= nil then return text end
    core.check_cancelled()
    if problem == errno.ETIMEDOUT then return timed_out() end
    return nil, system_error('popen: read', problem)
end

--- write(text [, {timeout}]): writes to the process.
function methods.write(h, text, options)
    local ly = state_of(h)
    if type(text) ~= 'string' then
        core.illegal(('popen:write: wrong parameter "str": expected string, got %s'):format(type(text)), 2)
    end
    local timeout = check_timeout('write', options and options.timeout)
    if ly.opts.stdin ~= 'pipe' or ly.shut[0] then
        core.illegal('popen: handle does not support the requested IO operation', 2)
    end
    local ok, problem = go_write(ly.id, text, timeout)
    if ok then return true end
    if problem == errno.ETIMEDOUT then return timed_out() end
    return nil, system_error('popen: write', problem)
end

--- shutdown({stdin, stdout, stderr}): closes this end of pipes.
function methods.shutdown(h, which)
    local ly = state_of(h)
    if type(which) ~= 'table' then
        core.illegal(('popen:shutdown: wrong parameter "opts": expected table, got %s'):format(type(which)), 2)
    end
    local any = false
    for fd = 0, 2 do
        if which[streams[fd]] then
            if ly.opts[streams[fd]] ~= 'pipe' then
                core.illegal('popen: handle does not support the requested IO operation', 2)
            end
            any = true
            ly.shut[fd] = true
            go_shutdown(ly.id, fd)
        end
    end
    if not any then core.illegal('popen:shutdown: neither stdin, stdout nor stderr is choosen', 2) end
    return true
end

--- info(): what the process is.
function methods.info(h)
    local ly = state_of(h)
    local state, _, pid = go_status(ly.id)
    local t = { command = ly.command, status = status(ly), opts = table.copy(ly.opts), pid = state == 'alive' and pid or nil }
    for fd = 0, 2 do
        local name = streams[fd]
        if ly.opts[name] == 'pipe' then t[name] = ly.shut[fd] and 'closed' or 'open' end
    end
    return t
end

--- close(): ends the process, unless it was started with keep_child, and lets go of it.
function methods.close(h)
    local ly = state_of(h)
    ly.closed = true
    go_close(ly.id, ly.keep_child, ly.group)
    return true
end

mt.__index = function(h, name)
    local method = methods[name]
    if method ~= nil then return method end
    local ly = rawget(h, 'ly')
    if ly.closed then
        if name == 'ly' then return ly end
        core.illegal('popen: attempt to operate on a closed handle', 2)
    end
    return methods.info(h)[name]
end
mt.__tostring = function(h)
    local ly = rawget(h, 'ly')
    if ly.closed then return 'popen: <closed>' end
    return 'popen: ' .. ly.command
end
mt.__serialize = function(h)
    local ly = rawget(h, 'ly')
    if ly.closed then return '<closed popen handle>' end
    return methods.info(h)
end

local kinds = { inherit = true, devnull = true, close = true, pipe = true }

local function quoted(argv)
    local parts = {}
    for i, text in ipairs(argv) do parts[i] = text:find('%s') and ("'%s'"):format(text) or text end
    return table.concat(parts, ' ')
end

local function start(argv, options, level)
    local opts = { shell = options.shell or false, setsid = options.setsid or false,
        close_fds = options.close_fds == nil and true or options.close_fds,
        restore_signals = options.restore_signals == nil and true or options.restore_signals,
        group_signal = options.group_signal or false, keep_child = options.keep_child or false }
    for fd = 0, 2 do
        local name = streams[fd]
        local kind = options[name] or 'inherit'
        if not kinds[kind] then
            core.illegal(('popen.new: wrong parameter "opts.%s": unknown stream action: %s'):format(name, tostring(kind)),
                level + 1)
        end
        opts[name] = kind
    end
    local inherited = options.inherit_fds or {}
    if type(inherited) ~= 'table' then
        core.illegal(('popen.new: wrong parameter "opts.inherit_fds": expected table or nil, got %s'):format(
            type(inherited)), level + 1)
    end
    for i, fd in ipairs(inherited) do
        if type(fd) ~= 'number' then
            core.illegal(('popen.new: wrong parameter "opts.inherit_fds[%d]": expected number, got %s'):format(i, type(fd)),
                level + 1)
        end
    end
    if opts.shell then argv = { '/bin/sh', '-c', table.concat(argv, ' ') } end
    local env = {}
    for name, value in pairs(options.env or os.environ()) do env[#env + 1] = ('%s=%s'):format(name, value) end
    local id, number = go_start(setmetatable(argv, core.seq_mt), setmetatable(env, core.seq_mt), opts.stdin, opts.stdout,
        opts.stderr, opts.setsid, setmetatable({ unpack(inherited) }, core.seq_mt))
    if id == nil then return nil, system_error('popen: start', number) end
    return setmetatable({ ly = { id = id, opts = opts, shut = {}, command = quoted(argv), closed = false,
        keep_child = opts.keep_child, group = opts.group_signal and opts.setsid } }, mt)
end

local function wrong(what, parameter, expected, v, count)
    core.illegal(('popen.%s: wrong parameter "%s": expected %s, got %s'):format(what, parameter, expected,
        count == 0 and 'no value' or type(v)), 3)
end

--- new(argv [, options]): a process; argv[1] is the path of the program.
function popen.new(...)
    local argv, options = ...
    if type(argv) ~= 'table' then wrong('new', 'argv', 'table', argv, select('#', ...)) end
    if options ~= nil and type(options) ~= 'table' then wrong('new', 'opts', 'table or nil', options, 1) end
    if #argv == 0 then core.illegal('popen.new: wrong parameter "argv": expected a table with at least one string', 2) end
    local copy = {}
    for i, text in ipairs(argv) do
        if type(text) ~= 'string' then wrong('new', ('argv[%d]'):format(i), 'string', text, 1) end
        copy[i] = text
    end
    return start(copy, options or {}, 2)
end

local letters = { w = 'stdin', r = 'stdout', R = 'stderr' }

--- shell(command [, mode]): a process that runs a command of the shell; the letters of the mode ask for pipes: w to its
--- input, r of its output, R of its errors.
function popen.shell(...)
    local command, mode = ...
    if type(command) ~= 'string' then wrong('shell', 'command', 'string', command, select('#', ...)) end
    if mode ~= nil and type(mode) ~= 'string' then wrong('shell', 'mode', 'string or nil', mode, 1) end
    local options = { shell = true, setsid = true, group_signal = true }
    for letter in (mode or ''):gmatch('.') do
        if letters[letter] == nil then
            core.illegal(('popen.shell: wrong parameter "mode": unknown letter %s'):format(letter), 2)
        end
        options[letters[letter]] = 'pipe'
    end
    return start({ command }, options, 2)
end

return popen

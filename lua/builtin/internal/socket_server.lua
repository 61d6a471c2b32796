-- The functions of the module socket that connect and serve: tcp_connect and tcp_server.
local core = require('internal.core')
local fiber = require('fiber')

return function(socket, fail)
    local connect = {}
    local now = core.fn('fiber.monotonic')

    local function left(deadline)
        if deadline == nil then return nil end
        return math.max(deadline - now(), 0)
    end

    -- addresses lists where a host and a port are.
    local function addresses(host, port, deadline, kind)
        if host == 'unix/' then
            return { { host = host, port = port, family = 'AF_UNIX', type = kind, protocol = 0 } }
        end
        return socket.getaddrinfo(host, port, left(deadline), { type = kind })
    end

    local function text_of(number) return require('errno').strerror(number) end

    --- tcp_connect(host, port [, timeout]): a connected socket, or nil and what is wrong.
    function connect.tcp_connect(host, port, timeout)
        if type(host) ~= 'string' then error('Usage: socket.tcp_connect(host[, port[, timeout]])', 2) end
        local deadline = timeout and now() + timeout
        local list, problem = addresses(host, port, deadline, 'SOCK_STREAM')
        if list == nil then return nil, problem end
        if #list == 0 then
            return nil, 'Input/output error'
        end
        local number
        for _, a in ipairs(list) do
            local s = socket(a.family, a.type, a.protocol)
            if s ~= nil then
                number = s:ly_connect(a.host, a.port, left(deadline))
                if number == nil then return s end
                s:close()
            end
            if deadline ~= nil and now() >= deadline then break end
        end
        return fail(nil, number, text_of(number))
    end

    -- Each client gets a fiber of its own.
    local function serve_client(server, client, from)
        fiber.name(server.options.name or ('server/%s'):format(tostring(from.host)), { truncate = true })
        local ok, problem = pcall(server.options.handler, client, from)
        if not client.closed then
            client:shutdown(2)
            client:close()
        end
        if not ok then error(problem, 0) end
    end

    local function serve(server)
        local s = server.socket
        while not s.closed do
            if s:readable() and not s.closed then
                while not s.closed do
                    local client, from = s:accept()
                    if client == nil then break end
                    fiber.create(serve_client, server, client, from)
                end
            end
        end
    end

    local usage = 'Usage: socket.tcp_server(host, port, handler | opts)'

    -- A socket file that nobody listens on is in the way.
    local function remove_stale(path)
        local other = connect.tcp_connect('unix/', path, 1)
        if other ~= nil then
            other:close()
            return false
        end
        return require('fio').unlink(path)
    end

    local function listen_on(a, options)
        local s, problem = socket(a.family, a.type, a.protocol)
        if s == nil then return nil, problem end
        local backlog
        if options.prepare ~= nil then
            backlog = options.prepare(s)
        elseif a.family ~= 'AF_UNIX' then
            s:setsockopt('SOL_SOCKET', 'SO_REUSEADDR', true)
        end
        local ok = s:bind(a.host, a.port)
        if not ok and a.family == 'AF_UNIX' and s:errno() == require('errno').EADDRINUSE and remove_stale(a.port) then
            ok = s:bind(a.host, a.port)
        end
        if ok then ok = s:listen(type(backlog) == 'number' and backlog or 128) end
        if ok then return s end
        local number = s:errno()
        s:close()
        return fail(nil, number, text_of(number))
    end

    --- tcp_server(host, port, handler | {handler, prepare, name} [, timeout]): a listening socket and its address. Every
    --- client is served by handler(socket, from) in a fiber of its own.
    function connect.tcp_server(host, port, options, timeout)
        if type(options) == 'function' then options = { handler = options } end
        if type(options) ~= 'table' or type(options.handler) ~= 'function' then error(usage, 2) end
        local deadline = timeout and now() + timeout
        local list, problem = addresses(host, port, deadline, 'SOCK_STREAM')
        if list == nil then return nil, problem end
        local s
        for _, a in ipairs(list) do
            s, problem = listen_on(a, options)
            if s ~= nil then
                if a.family == 'AF_UNIX' then s.unlink_path = a.port end
                local server = { socket = s, options = options }
                local f = fiber.new(serve, server)
                f:name(options.name and options.name .. '/server' or ('server/%s'):format(tostring(host)), { truncate = true })
                return s, s:name()
            end
        end
        return nil, problem
    end

    return connect
end

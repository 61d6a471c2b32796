-- The console for those who connect to it: a greeting of 128 bytes, then statements, each answered as on a terminal.
local fiber = require('fiber')

local greeting_line = '%-63s\n'

local become_console = require('internal.core').fn('box.session_console')

return function(console, new_repl, evaluate, settings)
    local function greet(s)
        local version = ('Tarantool %s (Lua console)'):format(_TARANTOOL) -- luacheck: ignore
        s:write(greeting_line:format(version) .. greeting_line:format("type 'help' for interactive help"))
    end

    -- next_statement reads lines up to the delimiter; nil at the end.
    local function next_statement(s, repl)
        local ending = repl.delimiter .. '\n'
        local line = s:read { delimiter = { ending, repl.delimiter .. '\r\n' } }
        if line == nil or line == '' then return nil end
        return (line:gsub('\r?\n$', '')):sub(1, -#repl.delimiter - 1)
    end

    local function serve(s, peer)
        become_console(s:fd(), peer)
        local repl = new_repl()
        fiber.self().storage.console = repl
        greet(s)
        if settings.on_start ~= nil then settings.on_start(s) end
        while not repl.quits do
            local statement = next_statement(s, repl)
            if statement == nil then break end
            local answer = evaluate(repl, statement)
            if s:write(answer) == nil then break end
        end
        if settings.on_client_disconnect ~= nil then settings.on_client_disconnect(s) end
    end

    -- name_of returns the address that a socket belongs to.
    local function name_of(host, port)
        if host == 'unix/' then return 'unix/:' .. port end
        return ('%s:%s'):format(host, port)
    end

    --- console.listen(address): serves consoles there; the listening socket.
    function console.listen(address)
        local host, port = 'unix/', '/tmp/tarantool-console.sock'
        if address ~= nil then
            local parts = require('uri').parse(tostring(address))
            if parts == nil or parts.service == nil then error('wrong URI format in console.listen', 2) end
            host, port = parts.host or 'localhost', parts.service
        end
        local s, problem = require('socket').tcp_server(host, port, {
            name = ('console/%s'):format(name_of(host, port)),
            handler = function(client, from)
                local peer = from ~= nil and name_of(from.host, from.port) or name_of(host, port)
                fiber.name(('console/%s'):format(peer), { truncate = true })
                serve(client, peer)
            end,
        })
        if s == nil then error(('failed to create server %s:%s: %s'):format(host, tostring(port), problem), 2) end
        return s
    end
end

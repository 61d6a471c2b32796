-- The console for those who connect to it: a greeting of 128 bytes, then statements, each answered as on a terminal.
local fiber = require('fiber')

local greeting_line = '%-63s\n'

return function(console, evaluate, settings)
    local function greet(s)
        local version = ('Tarantool %s (Lua console)'):format(_TARANTOOL) -- luacheck: ignore
        s:write(greeting_line:format(version) .. greeting_line:format("type 'help' for interactive help"))
    end

    -- next_statement reads lines up to the delimiter; nil at the end.
    local function next_statement(s)
        local ending = settings.delimiter .. '\n'
        local line = s:read { delimiter = { ending, '\r\n' } }
        if line == nil or line == '' then return nil end
        if line:sub(-#ending) == ending then return line:sub(1, -#ending - 1) end
        return (line:gsub('\r\n$', ''))
    end

    local function serve(s)
        greet(s)
        if settings.on_start ~= nil then settings.on_start(s) end
        local text = ''
        while true do
            local statement = next_statement(s)
            if statement == nil or statement == '\\q' or statement == '\\quit' then break end
            text = text .. statement
            local complete, answer = evaluate(text)
            if complete then
                text = ''
                if s:write(answer) == nil then break end
            else
                text = text .. '\n'
            end
        end
        if settings.on_client_disconnect ~= nil then settings.on_client_disconnect(s) end
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
            name = ('console/%s'):format(host),
            handler = function(client)
                fiber.name(('console/%s'):format(host), { truncate = true })
                serve(client)
            end,
        })
        if s == nil then error(('failed to create server %s:%s: %s'):format(host, tostring(port), problem), 2) end
        return s
    end
end

-- The console: runs statements and shows what they return as YAML.
local core = require('internal.core')
local yaml = require('yaml')

local console = {}

local output = { format = 'yaml', options = nil, eos = ';' }

-- What programs may set: the text that ends a statement besides the line, hooks, the globals that statements see.
local settings = { delimiter = '', completion = true }

local function in_environment(f)
    if settings.environment ~= nil then setfenv(f, settings.environment) end
    return f
end

-- compile returns the statement as a function, or the error and whether more lines could complete it.
local function compile(text)
    local f = core.load('return ' .. text, text)
    if f ~= nil then return in_environment(f) end
    local err
    f, err = core.load(text, text)
    if f ~= nil then return in_environment(f) end
    return nil, err, err:find("near '<eof>'", 1, true) ~= nil
end

local function pack(ok, ...) return { ok, n = select('#', ...), ... } end

local encoder = yaml.new()
encoder.cfg { encode_invalid_numbers = true, encode_load_metatables = true, encode_use_tostring = true,
    encode_invalid_as_nil = true }

local function show(results)
    if results.n == 0 then return '---\n...\n' end
    local list = setmetatable({}, { __serialize = 'array' })
    for i = 1, results.n do
        local v = results[i + 1]
        if v == nil then list[i] = core.NULL else list[i] = v end
    end
    return encoder.encode(list)
end

local function show_lua(results)
    local parts = {}
    local serialize = require('internal.lua_format')
    for i = 1, results.n do parts[i] = serialize(results[i + 1]) end
    return table.concat(parts, ', ') .. output.eos .. '\n'
end

local commands = {}

commands['help'] = function()
    return 'To get help type \\help or a statement in Lua; \\set output yaml|lua changes how results are shown;\n'
        .. 'the server is documented in its README.\n'
end
commands['\\help'] = commands['help']
commands['\\h'] = commands['help']
commands['\\q'] = function() os.exit(0) end
commands['\\quit'] = commands['\\q']

local function set_output(format)
    local name = format:match('^(%a+)')
    if name ~= 'yaml' and name ~= 'lua' then return ('---\n- error: \'Unknown output format: %s\'\n...\n'):format(format) end
    output.format = name
    return '---\n- true\n...\n'
end

--- evaluate(text) -> whether the statement is complete, what to print.
local function evaluate(text)
    local trimmed = text:match('^%s*(.-)%s*$')
    local ending = settings.delimiter
    if ending ~= '' then
        if trimmed:sub(-#ending) == ending then
            trimmed = trimmed:sub(1, -#ending - 1)
            text = trimmed
        elseif commands[trimmed] == nil and not trimmed:find('^\\') then
            return false, ''
        end
    end
    if commands[trimmed] ~= nil then return true, commands[trimmed]() end
    local format = trimmed:match('^\\set%s+output%s+(%S+)$')
    if format ~= nil then return true, set_output(format) end
    local f, err, incomplete = compile(text)
    if f == nil then
        if incomplete then return false, '' end
        return true, encoder.encode(setmetatable({ { error = err } }, { __serialize = 'array' }))
    end
    local results = pack(pcall(f))
    if not results[1] then
        local e = results[2]
        if type(e) ~= 'string' and not core.is_error(e) then e = tostring(e) end
        return true, encoder.encode(setmetatable({ { error = core.is_error(e) and e.message or e } }, { __serialize = 'array' }))
    end
    local ok, answer = pcall(output.format == 'lua' and show_lua or show, results)
    if not ok then
        return true, encoder.encode(setmetatable({ { error = 'console: an exception occurred when formatting the output: '
            .. tostring(answer) } }, { __serialize = 'array' }))
    end
    return true, answer
end

function console.eval(text)
    local complete, answer = evaluate(text)
    if not complete then
        local _, err = core.load(text, text)
        return encoder.encode(setmetatable({ { error = err } }, { __serialize = 'array' }))
    end
    return answer
end

function console.set_default_output(format) set_output(format) end

function console.get_default_output() return { fmt = output.format } end

--- complete(line) -> the lines that a word at its end can become.
local function complete(line)
    local head, path, last = line:match('^(.-)([%w_%.:]-)([%w_]*)$')
    local object = _G
    for name in path:gmatch('[%w_]+') do
        if type(object) ~= 'table' and type(object) ~= 'userdata' then return {} end
        local ok, v = pcall(function() return object[name] end)
        if not ok or v == nil then return {} end
        object = v
    end
    local seen, list = {}, {}
    local function add(t)
        if type(t) ~= 'table' then return end
        for k in next, t do
            if type(k) == 'string' and k:sub(1, #last) == last and k:find('^[%a_][%w_]*$') and not seen[k] then
                seen[k] = true
                list[#list + 1] = head .. path .. k
            end
        end
    end
    add(object)
    local mt = getmetatable(object)
    if type(mt) == 'table' then add(mt.__index) end
    table.sort(list)
    return list
end

--- delimiter([text]): what ends a statement besides the end of its line.
function console.delimiter(text)
    if text == nil then return settings.delimiter end
    if type(text) ~= 'string' then error('invalid delimiter', 2) end
    settings.delimiter = text
end

--- eos(): what ends an answer in the output format "lua".
function console.eos() return output.eos end

--- ac(on): whether the console completes names.
function console.ac(on) settings.completion = on and true or false end

local function hook(name)
    console[name] = function(f)
        if f ~= nil and type(f) ~= 'function' then error('wrong argument type', 2) end
        settings[name] = f
    end
end
hook('on_start')
hook('on_client_disconnect')

--- set_initial_env(table): the globals that statements see; nil for those of the program.
function console.set_initial_env(environment) settings.environment = environment end

function console.initial_env() return settings.environment or _G end

--- completion_handler(line): what the word at the end of a line can become.
function console.completion_handler(line)
    if not settings.completion then return {} end
    return complete(line)
end

function console.connect() core.client_error(box.error.UNSUPPORTED, 'Lycosa', 'consoles of other servers') end

require('internal.console_server')(console, evaluate, settings)

local run = core.fn('console.start')
local started = false

-- start() talks with whoever is at the terminal, or reads from standard input, until that ends.
function console.start()
    if started then
        error('console is already started', 2)
    end
    started = true
    local ok, reason = pcall(run)
    started = false
    if not ok then
        error(reason, 0)
    end
end

core.fn('console.evaluate')(evaluate)
core.fn('console.complete')(console.completion_handler)

return console

-- The console: runs statements and shows what they return as YAML.
local core = require('internal.core')
local fiber = require('fiber')
local yaml = require('yaml')

local console = {}

-- What programs may set for all consoles: hooks, the globals that statements see, how a new console shows results.
local settings = { completion = true, output = { fmt = 'yaml' } }

local endings = { yaml = '\n...\n', lua = ';' }

-- new_repl returns what a console has of its own: the text that ends a statement besides the line, and how it shows
-- results (nil: as all do).
local function new_repl() return { delimiter = '', language = 'lua' } end

local terminal = new_repl()

-- current returns the console that the fiber runs for, nil for none.
local function current() return fiber.self().storage.console end

local function output_of(repl) return repl ~= nil and repl.output or settings.output end

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

local function list_of(results)
    local list = setmetatable({}, { __serialize = 'array' })
    for i = 1, results.n do
        local v = results[i + 1]
        if v == nil then list[i] = core.NULL else list[i] = v end
    end
    return list
end

local formats = {}

function formats.yaml(results)
    if results.n == 0 then return '---\n...\n' end
    return encoder.encode(list_of(results))
end

function formats.lua(results, options)
    local parts = {}
    local serialize = require('internal.lua_format')
    for i = 1, results.n do parts[i] = serialize(results[i + 1], options == 'block') end
    return table.concat(parts, ', ') .. ';'
end

-- show returns the text of results as the console shows them.
local function show(repl, ...)
    local results = pack(true, ...)
    local output = output_of(repl)
    local ok, text = pcall(formats[output.fmt], results, output.opts)
    if ok then return text end
    return formats.yaml(pack(true, { error = 'console: an exception occurred when formatting the output: ' .. tostring(text) }))
end

local function show_error(repl, e)
    if core.is_error(e) then e = e.message elseif e == nil then e = core.NULL end
    return show(repl, { error = e })
end

-- parse_output returns an output by its name, nil and the reason when there is none.
local function parse_output(text)
    if text == nil or text == '' then return nil, 'Specify output format: lua or yaml.' end
    local name, options = text:match('^(%a+),?(.*)$')
    if name == nil or formats[name] == nil then
        return nil, ('Invalid format "%s", supported languages: lua and yaml.'):format(text)
    end
    if options ~= '' and (name ~= 'lua' or options ~= 'line' and options ~= 'block') then
        return nil, ('Invalid option "%s"'):format(options)
    end
    return { fmt = name, opts = options ~= '' and options or nil }
end

-- Parameters of a console that \set sets.
local parameters = {}

function parameters.output(repl, value)
    local output, reason = parse_output(value)
    if output == nil then return show_error(repl, reason) end
    repl.output = output
    return show(repl, true)
end

function parameters.delimiter(repl, value)
    repl.delimiter = value
    return show(repl)
end

function parameters.language(repl, value)
    if value == '' then return show(repl, { language = repl.language }) end
    if value == 'lua' then return show(repl, true) end
    if value == 'sql' then return show_error(repl, 'Lycosa does not support SQL') end
    return show_error(repl, ('Invalid language "%s", supported languages: lua and sql.'):format(value))
end

local commands = {}

function commands.help(repl)
    return show(repl, 'Statements are in Lua. Besides, there are these commands:\n\n'
        .. '  \\set language lua          -- the language of statements\n'
        .. '  \\set output yaml|lua       -- how results are shown\n'
        .. '  \\set delimiter <text>      -- what ends a statement besides the end of its line\n'
        .. '  \\help                      -- this text\n'
        .. '  \\quit                      -- leave the console\n')
end
commands.h = commands.help

function commands.quit(repl)
    if repl == terminal then os.exit(0) end
    repl.quits = true
    return ''
end
commands.q = commands.quit

function commands.set(repl, rest)
    local name, value = rest:match('^(%a+)%s*(.-)$')
    if name == nil then return show_error(repl, 'Invalid set syntax, type \\help for help') end
    if parameters[name] == nil then return show_error(repl, 'Unknown parameter: ' .. name) end
    return parameters[name](repl, value)
end

-- run returns what a whole statement or command prints; nil when more lines could complete it.
local function run(repl, text)
    local trimmed = text:match('^%s*(.-)%s*$')
    if trimmed == 'help' then return commands.help(repl) end
    local name, rest = trimmed:match('^\\(%S*)%s*(.*)$')
    if name ~= nil then
        if commands[name] ~= nil then return commands[name](repl, rest) end
        return show_error(repl, ('Invalid command \\%s. Type \\help for help.'):format(name))
    end
    local f, err, incomplete = compile(text)
    if f == nil then
        return not incomplete and show_error(repl, err) or nil, err
    end
    local function answer(ok, ...)
        if not ok then return show_error(repl, (...)) end
        return show(repl, ...)
    end
    return answer(pcall(f))
end

-- evaluate is run with an error for a statement that isn't complete.
local function evaluate(repl, text)
    local answer, err = run(repl, text)
    return answer or show_error(repl, err)
end

-- converse is run for a terminal, which collects lines: whether the statement is complete, what to print.
local function converse(text)
    fiber.self().storage.console = terminal
    local ending = terminal.delimiter
    if ending ~= '' then
        text = text:match('^(.-)%s*$')
        if text:sub(-#ending) ~= ending then return false, '' end
        text = text:sub(1, -#ending - 1)
    end
    local answer, err = run(terminal, text)
    if answer == nil and ending ~= '' then answer = show_error(terminal, err) end
    if answer == nil then return false, '' end
    return true, answer:find('\n$') and answer or answer .. '\n'
end

-- session_repl returns the console of a client that has its statements evaluated by console.eval; it lasts as long as the
-- connection.
local function session_repl()
    local session = rawget(_G, 'box').session
    if session.type() ~= 'binary' then return new_repl() end
    session.storage.console = session.storage.console or new_repl()
    return session.storage.console
end

--- eval(text): what a console prints for the text.
function console.eval(text) return evaluate(current() or session_repl(), text) end

function console.set_default_output(format)
    local output, reason = parse_output(format)
    if output == nil then error(reason, 2) end
    settings.output = output
end

function console.get_default_output() return settings.output end

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

--- delimiter([text]): what ends a statement of this console besides the end of its line.
function console.delimiter(text)
    local repl = current()
    if repl == nil then error('console.delimiter(): need existing console', 2) end
    if text == nil then return repl.delimiter end
    if type(text) ~= 'string' then error('invalid delimiter', 2) end
    repl.delimiter = text
end

--- eos(): what ends an answer.
function console.eos() return endings[output_of(current()).fmt] end

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

require('internal.console_server')(console, new_repl, evaluate, settings)

local start = core.fn('console.start')
local started = false

-- start() talks with whoever is at the terminal, or reads from standard input, until that ends.
function console.start()
    if started then
        error('console is already started', 2)
    end
    started = true
    local ok, reason = pcall(start)
    started = false
    if not ok then
        error(reason, 0)
    end
end

core.fn('console.evaluate')(converse)
core.fn('console.complete')(console.completion_handler)

return console

-- The module log: lines with a level, of texts, of formats with values, or of tables.
local core = require('internal.core')
local json = require('json')

local write, open, go_rotate, set_json, set_level = core.fn('log.write'), core.fn('log.open'), core.fn('log.rotate'),
    core.fn('log.set_json'), core.fn('log.set_level')

local numbers = { fatal = 0, syserror = 1, error = 2, crit = 3, warn = 4, info = 5, verbose = 6, debug = 7 }
local CFG, RELOAD_CFG = 59, 58

-- What is in force. `given` are the options that log.cfg was called with, which box.cfg then keeps.
local state = { level = 5, format = 'plain', nonblock = false }
local given = {}
local modules = {} -- levels by the name of a module
local least = 5    -- the level of all others

local function wrong(option, details) core.client_error(CFG, option, details) end

local function number_of(level, option)
    local n = numbers[level]
    if n == nil and tonumber(level) ~= nil then n = tonumber(level) end
    if n == nil or n < 0 or n > 7 or math.floor(n) ~= n then
        wrong(option or 'log_level', 'expected crit,warn,info,debug,syserror,verbose,fatal,error')
    end
    return n
end

local function check_format(format)
    if format ~= 'plain' and format ~= 'json' then wrong('log_format', "expected 'plain' or 'json'") end
    return format
end

local function apply_level(level)
    least = number_of(level)
    state.level = level
    set_level(tostring(level))
end

local function apply_format(format)
    set_json(check_format(format) == 'json')
    state.format = format
end

local function apply_modules(levels)
    local checked = {}
    for name, level in pairs(levels) do
        if level ~= nil then checked[name] = number_of(level, 'log_modules.' .. tostring(name)) end
    end
    modules = checked
    state.modules = levels
end

-- The module that a chunk is: its path with dots.
local names = setmetatable({}, { __mode = 'k' })
local function module_of(source)
    local name = names[source]
    if name == nil then
        name = source:match('^@(.*)$')
        if name ~= nil then
            if name:sub(1, 2) == './' then name = name:sub(3) end
            name = name:gsub('%.lua$', ''):gsub('/init$', ''):gsub('^/', ''):gsub('/', '.')
        end
        names[source] = name or ''
    end
    return name ~= '' and name or nil
end

-- Lines of trouble name their source in the plain form.
local with_source = { fatal = true, syserror = true, error = true, crit = true, warn = true }

local function say(level, own_name, depth, format, ...)
    local number = numbers[level]
    local info
    local name = own_name
    if next(modules) ~= nil or state.format == 'json' then
        info = debug.getinfo(depth + 1, 'Sl')
        name = own_name or info ~= nil and module_of(info.source) or nil
    end
    if number > (name ~= nil and modules[name] or least) then return end
    local message = format
    if type(format) == 'table' then
        if state.format == 'plain' then message = json.encode(format) end
    else
        message = tostring(format)
        if select('#', ...) > 0 then message = message:format(...) end
    end
    local source = ''
    if state.format == 'json' or with_source[level] then
        info = info or debug.getinfo(depth + 1, 'Sl')
        if info ~= nil then source = ('%s:%d'):format((info.source:gsub('^[@=]', '')), info.currentline) end
    end
    write(level, name or '', own_name ~= nil, source, message)
end

local log = {}

local function add_writers(to, name)
    for level, method in pairs { error = 'error', warn = 'warn', info = 'info', verbose = 'verbose', debug = 'debug' } do
        to[method] = function(...)
            say(level, name, 2, ...)
        end
    end
end
add_writers(log)

--- level(level): sets the least level that is written, a number or a name.
function log.level(level)
    if type(level) ~= 'number' and type(level) ~= 'string' then wrong('level', 'should be one of types number, string') end
    apply_level(level)
    given.level = level
    log.box_api.cfg_changed('log_level', level)
    log.debug('log: level set to %s', level)
end

--- log_format(format): 'plain' or 'json'.
function log.log_format(format)
    apply_format(format)
    given.format = format
    log.box_api.cfg_changed('log_format', format)
    log.debug("log: format set to '%s'", format)
end

function log.rotate() go_rotate() end

--- pid(): the process that takes the log, of which there is none here.
function log.pid() return 0 end

--- new(name): a log of its own name, whose level log.cfg{modules = {NAME = LEVEL}} sets.
function log.new(name)
    if type(name) ~= 'string' then core.illegal('Illegal parameters, name should be a string', 2) end
    local own = { name = name, cfg = log.cfg }
    add_writers(own, name)
    return setmetatable(own, { __index = log })
end

local option_types = { log = 'string', level = 'number, string', format = 'string', nonblock = 'boolean', modules = 'table' }

local function check(options)
    for name, value in pairs(options) do
        local kinds = option_types[name]
        if kinds == nil then wrong(tostring(name), 'unexpected option') end
        if value ~= nil and not kinds:find(type(value), 1, true) then
            wrong(name, kinds:find(',') and 'should be one of types ' .. kinds or 'should be of type ' .. kinds)
        end
    end
    if options.level ~= nil then number_of(options.level) end
    if options.format ~= nil then check_format(options.format) end
end

local configured = false

local function configure(options)
    options = options or {}
    check(options)
    if configured and options.log ~= nil and options.log ~= state.log then core.client_error(RELOAD_CFG, 'log') end
    if configured and options.nonblock ~= nil and options.nonblock ~= state.nonblock then
        core.client_error(RELOAD_CFG, 'nonblock')
    end
    if options.log ~= nil and options.log ~= state.log then
        open(options.log)
        state.log = options.log
    end
    configured = true
    if options.nonblock ~= nil then state.nonblock = options.nonblock end
    if options.format ~= nil then apply_format(options.format) end
    if options.modules ~= nil then apply_modules(options.modules) end
    if options.level ~= nil then apply_level(options.level) end
    for name, value in pairs(options) do given[name] = value end
end

log.cfg = setmetatable({}, {
    __call = function(_, options) configure(options) end,
    __index = function(_, name) return state[name] end,
    __newindex = function() error('log.cfg is read-only', 2) end,
    __serialize = function() return state end,
})

local box_names = { log = 'log', level = 'log_level', format = 'log_format', modules = 'log_modules', nonblock = 'log_nonblock' }

-- For box.cfg, whose options log* are the same.
log.box_api = {
    --- cfg_check(options) raises for options of the log that are wrong.
    cfg_check = function(options)
        if options.log_level ~= nil then number_of(options.log_level) end
        if options.log_format ~= nil then check_format(options.log_format) end
    end,
    --- cfg_fill(options) adds what log.cfg was called with.
    cfg_fill = function(options)
        for name, box_name in pairs(box_names) do
            if options[box_name] == nil then options[box_name] = given[name] end
        end
    end,
    --- cfg_changed(option, value) is told of what the module log changes.
    cfg_changed = function() end,
    --- cfg_apply(options) takes over what box.cfg has set.
    cfg_apply = function(options)
        configured = true
        if options.log ~= nil then state.log = options.log end
        if options.log_format ~= nil then apply_format(options.log_format) end
        if options.log_modules ~= nil then apply_modules(options.log_modules) end
        if options.log_level ~= nil then apply_level(options.log_level) end
    end,
}
log.internal = {}

return log

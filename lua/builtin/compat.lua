-- The module compat: switches between old and new behaviour, option by option. An option is 'old', 'new' or 'default'.
local core = require('internal.core')

local options, names = {}, {}

local function has_old(action)
    return function(is_new, was_new)
        if is_new ~= was_new then action(is_new) end
    end
end

-- only is the action of an option of which the other behaviour is not there.
local function only(name, behaviour)
    return function(is_new)
        if is_new ~= (behaviour == 'new') then
            local which = ("the %s behaviour of '%s'"):format(is_new and 'new' or 'old', name)
            core.client_error(box.error.UNSUPPORTED, 'Lycosa', which)
        end
    end
end

local function add(option)
    options[option.name] = { brief = option.brief or '', default = option.default, current = 'default',
        action = option.run_action_now_ or option.action, obsolete = option.obsolete }
    names[#names + 1] = option.name
end

add { name = 'json_escape_forward_slash', default = 'new', action = has_old(function(is_new)
    require('internal.serializer').escape_slash = not is_new
end), brief = 'Whether json escapes "/": old does, new does not.' }
add { name = 'yaml_pretty_multiline', default = 'new', action = has_old(function(is_new)
    require('internal.serializer').pretty_multiline = is_new
end), brief = 'Whether yaml writes texts of several lines in block style: new does.' }
add { name = 'fiber_channel_close_mode', default = 'new', action = has_old(function(is_new)
    core.channels_drop = not is_new
end), brief = 'Whether a closed channel gives out what it holds: new does, old drops it.' }
add { name = 'fiber_slice_default', default = 'new', action = has_old(function(is_new)
    local fiber = require('fiber')
    if is_new then fiber.set_max_slice { warn = 0.5, err = 1.0 } else fiber.set_max_slice(100 * 365 * 86400) end
end), brief = 'How long a fiber may run without a yield: new is one second, old has no limit.' }
add { name = 'binary_data_decoding', default = 'new', action = has_old(function(is_new)
    core.decode_binary_as_string(not is_new)
end), brief = 'What binary data is in Lua: new makes varbinary objects of it, old strings.' }

add { name = 'box_tuple_new_vararg', default = 'new', action = has_old(function(is_new)
    core.tuple_of_fields = not is_new
end), brief = 'Whether box.tuple.new takes fields one by one: old does.' }
add { name = 'box_error_unpack_type_and_code', default = 'old', action = has_old(function(is_new)
    core.errors_unpack_plainly = is_new
end), brief = 'Whether error:unpack() leaves out what says nothing: new does.' }

-- Options of which only one behaviour is there.
for _, option in ipairs {
    { 'box_cfg_replication_sync_timeout', 'new', 'How long box.cfg waits for replicas.' },
    { 'sql_seq_scan_default', 'new', 'Whether SQL needs SEQSCAN: new does.' },
    { 'sql_priv', 'new', 'Whether SQL checks the right to run it: new does.' },
    { 'c_func_iproto_multireturn', 'new', 'Whether functions in C return several values: new does.' },
    { 'box_info_cluster_meaning', 'new', 'What box.info.cluster is about: new says the whole cluster.' },
    { 'box_session_push_deprecation', 'old', 'Whether box.session.push raises an error: new does.' },
    { 'box_tuple_extension', 'new', 'Whether tuples cross the wire as an extension: new does.' },
    { 'box_space_execute_priv', 'new', 'Whether spaces can be executed: old lets them.' },
    { 'box_space_max', 'new', 'The largest id of a space: new is 2147483646.' },
    { 'box_error_serialize_verbose', 'old', 'Whether errors are written with all their fields: new does.' },
    { 'box_consider_system_spaces_synchronous', 'old', 'Whether system spaces are synchronous: new makes them so.' },
    { 'console_session_scope_vars', 'old', 'Whether variables last as long as the console: new does.' },
} do
    add { name = option[1], default = option[2], action = only(option[1], option[2]), brief = option[3] }
end

local values = { old = true, new = true, default = true }

local function is_new(option, value)
    if value == 'default' then value = option.default end
    return value == 'new'
end

local function find(name)
    local option = options[name]
    if option == nil then error(('Invalid option %s'):format(tostring(name)), 3) end
    return option
end

local function check_value(name, value)
    if not values[value] then error(('Invalid argument %s in option %s'):format(tostring(value), tostring(name)), 3) end
end

local function set(option, value)
    option.action(is_new(option, value), is_new(option, option.current))
    option.current = value
end

local compat = {}

--- dump([mode]): the statement that sets the options as they are; mode 'new', 'old' or 'default' says all of them.
function compat.dump(mode)
    local lines = {}
    for _, name in ipairs(names) do
        local value = mode or options[name].current
        lines[#lines + 1] = ("    %s = '%s',"):format(name, value)
    end
    return "require('compat')({\n" .. table.concat(lines, '\n') .. '\n})'
end

function compat.help()
    return 'Options of compatibility: require(\'compat\') shows them, compat{name = \'old\'/\'new\'/\'default\'} sets them.'
end

--- add_option{name, default, brief, action}: action(is_new) is called when the value changes.
function compat.add_option(option)
    if type(option) ~= 'table' or type(option.name) ~= 'string' or (option.default ~= 'old' and option.default ~= 'new') or
        type(option.brief) ~= 'string' or type(option.action) ~= 'function' then
        error("usage: compat.add_option({name = <string>, default = 'old'/'new', brief = <string>, action = <function>})", 2)
    end
    if options[option.name] ~= nil then error(('Option %s already exists'):format(option.name), 2) end
    add(option)
end

--- _options() is all options by their names.
function compat._options() return options end

return setmetatable(compat, {
    __index = function(_, name)
        local option = find(name)
        return { current = option.current, default = option.default, brief = option.brief }
    end,
    __newindex = function(_, name, value)
        local option = find(name)
        check_value(name, value)
        set(option, value)
    end,
    __call = function(_, changes)
        if type(changes) ~= 'table' then error("usage: compat({<option_name> = 'new'/'old'/'default'})", 2) end
        for name, value in pairs(changes) do
            find(name)
            check_value(name, value)
        end
        for name, value in pairs(changes) do set(options[name], value) end
    end,
    __serialize = function()
        local shown = {}
        for _, name in ipairs(names) do
            if options[name].current ~= 'default' then
                shown[#shown + 1] = { [name] = options[name].current }
            else
                shown[#shown + 1] = { [name] = ('default (%s)'):format(options[name].default) }
            end
        end
        return shown
    end,
})

-- The module checks: a function checks the types of its own arguments by describing them.
--
-- A description is a string: names of types with '|' between them, '?' before it for an argument that may be nil; or a
-- table of such strings for a table of options. A name is a Lua type, the __type of a metatable, or a key of the global
-- table checkers, whose function decides.
local core = require('internal.core')
local ffi = require('ffi')

checkers = checkers or {}
local own = checkers

local function is_cdata(ctype) return function(v) return type(v) == 'cdata' and ffi.istype(ctype, v) end end
local is_int64, is_uint64 = is_cdata('int64_t'), is_cdata('uint64_t')

own.datetime = own.datetime or core.is_datetime
own.interval = own.interval or core.is_interval
own.decimal = own.decimal or core.is_decimal
own.uuid = own.uuid or core.is_uuid
own.tuple = own.tuple or core.is_tuple
own.error = own.error or core.is_error
own.varbinary = own.varbinary or core.is_varbinary

function own.uuid_str(v)
    return type(v) == 'string' and #v == 36 and require('uuid').fromstr(v) ~= nil
end

function own.uuid_bin(v)
    return type(v) == 'string' and #v == 16 and require('uuid').frombin(v) ~= nil
end

function own.int64(v)
    if type(v) == 'number' then return math.floor(v) == v and math.abs(v) < 2 ^ 53 end
    return is_int64(v) or is_uint64(v) and v < 2ULL ^ 63
end

function own.uint64(v)
    if type(v) == 'number' then return math.floor(v) == v and v >= 0 and v < 2 ^ 53 end
    return is_uint64(v) or is_int64(v) and v >= 0
end

-- matches tells whether a value is what a description says.
local function matches(v, description)
    local optional = description:sub(1, 1) == '?'
    local names = optional and description:sub(2) or description
    if optional and v == nil then return true end
    if names == '' then return true end
    local kind = type(v)
    for name in names:gmatch('[^|]+') do
        if name == kind or name == 'any' then return true end
        local mt = getmetatable(v)
        if type(mt) == 'table' and mt.__type == name then return true end
        local checker = own[name]
        if type(checker) == 'function' and checker(v) then return true end
    end
    return false
end

local function check_options(options, descriptions, name, caller)
    for key in pairs(options) do
        if descriptions[key] == nil then
            error(('unexpected argument %s.%s to %s'):format(name, tostring(key), tostring(caller)), 4)
        end
    end
    for key, description in pairs(descriptions) do
        local v = options[key]
        local path = name .. '.' .. tostring(key)
        if type(description) == 'string' then
            if not matches(v, description) then
                error(('bad argument %s to %s (%s expected, got %s)'):format(path, tostring(caller), description, type(v)), 4)
            end
        elseif v ~= nil then
            if type(v) ~= 'table' then
                error(('bad argument %s to %s (?table expected, got %s)'):format(path, tostring(caller), type(v)), 4)
            end
            check_options(v, description, path, caller)
        end
    end
end

--- checks(description, ...) checks the arguments of the function that calls it.
local function checks(...)
    local count = select('#', ...)
    local info = debug.getinfo(2, 'nu')
    if info.nparams > count then
        error(('checks: argument %q is not checked'):format(debug.getlocal(2, count + 1)), 2)
    end
    for i = 1, count do
        local name, v = debug.getlocal(2, i)
        if i > info.nparams then error('checks: excess check, absent argument', 2) end
        local description = (select(i, ...))
        if type(description) == 'table' then
            if v ~= nil and type(v) ~= 'table' then
                error(('bad argument #%d to %s (?table expected, got %s)'):format(i, tostring(info.name), type(v)), 3)
            end
            check_options(v or {}, description, name, info.name)
        elseif type(description) ~= 'string' then
            error(('checks: type %q is not supported'):format(type(description)), 2)
        elseif not matches(v, description) then
            error(('bad argument #%d to %s (%s expected, got %s)'):format(i, tostring(info.name), description, type(v)), 3)
        end
    end
end

rawset(_G, 'checks', checks)
rawset(_G, '_checks_v2_compatible', true)

return { checks = checks }

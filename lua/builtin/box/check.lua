-- Checks of arguments, with one wording for all of box.
local core = require('internal.core')

local check = {}

-- Raises IllegalParams.
function check.illegal(...)
    core.illegal(string.format(...), 3)
end

-- Raises IllegalParams unless an argument has the type that it must have.
function check.param(value, name, what)
    if type(value) ~= what then
        check.illegal('%s should be a %s', name, what)
    end
end

-- Does a value belong to one of the types named in what, "number, string"? "any" takes everything, and "tuple"
-- a table or a tuple.
local function belongs(value, what)
    local t = type(value)
    for name in what:gmatch('[%w]+') do
        if name == 'any' or name == t then
            return true
        end
        if name == 'number' and t == 'cdata' and tonumber(value) ~= nil then
            return true
        end
        if name == 'tuple' and (t == 'table' or box.tuple.is(value)) then
            return true
        end
    end
    return false
end

-- Checks a table of options against a table of their types: {name = 'number', other = 'string, table'}.
-- A function instead of a type returns whether it accepts the value, and the text that says what it wants.
-- An option that is box.NULL counts as not given.
function check.options(options, template)
    if options == nil then
        return
    end
    if type(options) ~= 'table' then
        check.illegal('options should be a table')
    end
    for name, value in pairs(options) do
        local what = template[name]
        if what == nil then
            check.illegal("unexpected option '%s'", name)
        end
        if value ~= nil then
            if type(what) == 'function' then
                local ok, wanted = what(value)
                if not ok then
                    check.illegal("options parameter '%s' should be %s", name, wanted)
                end
            elseif not belongs(value, what) then
                if what:find(',') then
                    check.illegal("options parameter '%s' should be one of types: %s", name, what)
                end
                check.illegal("options parameter '%s' should be of type %s", name, what)
            end
        end
    end
end

-- Copies a table of options, with defaults where one is absent.
function check.defaults(options, defaults)
    local copy = {}
    for name, value in pairs(defaults) do
        copy[name] = value
    end
    if options ~= nil then
        for name, value in pairs(options) do
            if value ~= nil then
                copy[name] = value
            end
        end
    end
    return copy
end

-- Is a value a table or a tuple?
function check.is_list(value)
    return type(value) == 'table' or box.tuple.is(value)
end

-- Raises the error that a method called without its object gets.
function check.self(object, kind, method)
    if type(object) ~= 'table' or object.id == nil then
        check.illegal('Use %s:%s(...) instead of %s.%s(...)', kind, method, kind, method)
    end
end

return check

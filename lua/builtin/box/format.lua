-- Formats of spaces, from the notations that programs may use to what _space holds.
local check = require('box.check')
local lookup = require('box.lookup')

local format = {}

local function wrong(where, ...)
    check.illegal('%s: %s', where, string.format(...))
end

-- A constraint is the name of a function, or a table of such names; a key of it that is text names the constraint.
local function constraints(value, where)
    if type(value) == 'string' then
        value = {value}
    elseif type(value) ~= 'table' then
        wrong(where, 'constraint must be string or table')
    end
    local out = {}
    for name, func in pairs(value) do
        if type(func) == 'number' and type(name) == 'string' then
            -- As it is read back from a format.
            out[name] = func
        elseif type(func) ~= 'string' then
            wrong(where, 'constraint function is expected to be a string, but got %s', type(func))
        else
            local id = lookup.func(func)
            if id == nil then
                wrong(where, "constraint function was not found by name '%s'", func)
            end
            out[type(name) == 'string' and name or func] = id
        end
    end
    return next(out) and out
end

-- One foreign key: {space = name or id, field = name, number or a map of them}. Without a space it leads to its own.
local function foreign_key(definition, where, complex)
    if type(definition) ~= 'table' then
        wrong(where, 'foreign key must be a table')
    end
    for name in pairs(definition) do
        if name ~= 'space' and name ~= 'field' then
            wrong(where, "foreign key: unexpected parameter '%s'", name)
        end
    end
    if definition.field == nil then
        wrong(where, "foreign key definition must be a table with 'space' and 'field' members")
    end
    local space, space_name = definition.space, nil
    if space ~= nil then
        local id, name = lookup.space(space)
        if id == nil then
            wrong(where, 'foreign key: space %s was not found', tostring(space))
        end
        space, space_name = id, name
    end
    local function field_name(field)
        -- Numbers are counted from 0 inside.
        if type(field) == 'number' then
            return field - 1
        end
        if type(field) ~= 'string' then
            wrong(where, 'foreign key: field must be string or number')
        end
        return field
    end
    local field = definition.field
    if complex then
        if type(field) ~= 'table' then
            wrong(where, 'foreign key: field must be a table with local field -> foreign field mapping')
        end
        local map = {}
        for own, foreign in pairs(field) do
            map[field_name(own)] = field_name(foreign)
        end
        field = map
    else
        field = field_name(field)
    end
    return {space = space, field = field}, space_name
end

-- A foreign key or a table of them by name. One without a name is called as the space it leads to.
local function foreign_keys(value, where, own_name, complex)
    if type(value) ~= 'table' then
        wrong(where, 'foreign key must be a table')
    end
    if next(value) == nil then
        return nil
    end
    if value.field ~= nil or value.space ~= nil and type(value.space) ~= 'table' then
        local key, name = foreign_key(value, where, complex)
        return {[name or own_name or 'unknown'] = key}
    end
    local out = {}
    for name, definition in pairs(value) do
        if type(name) ~= 'string' then
            local key, space_name = foreign_key(definition, where, complex)
            out[space_name or own_name or 'unknown'] = key
        else
            out[name] = foreign_key(definition, where, complex)
        end
    end
    return out
end

-- A field: 'name', {'name', 'type', ...} or {name = ..., type = ..., ...}.
local function field_of(value, where, own_name)
    local field = {}
    if type(value) == 'string' then
        field.name = value
    elseif type(value) == 'table' then
        for key, option in pairs(value) do
            if type(key) == 'string' then
                field[key] = option
            elseif key == 1 and value.name == nil then
                field.name = option
            elseif key == 2 and value.type == nil or key == 1 and value.name ~= nil and value.type == nil then
                field.type = option
            else
                wrong(where, 'unexpected option %s', tostring(key))
            end
        end
    end
    if type(field.name) ~= 'string' then
        wrong(where, 'name (string) is expected')
    end
    if field.type == nil then
        field.type = 'any'
    elseif type(field.type) ~= 'string' then
        wrong(where, 'type must be a string')
    end
    if type(field.collation) == 'string' then
        local id = lookup.collation(field.collation)
        if id == nil then
            wrong(where, "collation was not found by name '%s'", field.collation)
        end
        field.collation = id
    end
    if field.constraint ~= nil then
        field.constraint = constraints(field.constraint, where)
    end
    if field.foreign_key ~= nil then
        field.foreign_key = foreign_keys(field.foreign_key, where, own_name, false)
    end
    if field.default_func ~= nil and type(field.default_func) ~= 'number' then
        if type(field.default_func) ~= 'string' then
            wrong(where, 'field default function name is expected to be a string, but got %s', type(field.default_func))
        end
        local id = lookup.func(field.default_func)
        if id == nil then
            wrong(where, "field default function was not found by name '%s'", field.default_func)
        end
        field.default_func = id
    end
    return field
end

-- The format as _space takes it: a list of maps. own_name is the name of the space.
function format.normalize(value, own_name)
    local out = {}
    for i, field in ipairs(value) do
        out[i] = field_of(field, string.format('format[%d]', i), own_name)
    end
    return setmetatable(out, {__serialize = 'seq'})
end

-- The constraint and foreign_key options of a space.
function format.space_constraint(value)
    return constraints(value, 'space constraint')
end

function format.space_foreign_key(value, own_name)
    return foreign_keys(value, 'space foreign key', own_name, true)
end

-- A field as programs count it: numbers from 1.
local function shown_field(field)
    return type(field) == 'number' and field + 1 or field
end

-- Foreign keys of the database as programs give them.
function format.shown_foreign_keys(keys)
    if keys == nil then
        return nil
    end
    for _, key in pairs(keys) do
        if type(key.field) == 'table' then
            local map = {}
            for own, foreign in pairs(key.field) do
                map[shown_field(own)] = shown_field(foreign)
            end
            key.field = map
        else
            key.field = shown_field(key.field)
        end
    end
    return keys
end

-- A format of the database as programs give it.
function format.shown(fields)
    for _, field in ipairs(fields) do
        format.shown_foreign_keys(field.foreign_key)
    end
    return fields
end

return format

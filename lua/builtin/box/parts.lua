-- Parts of index keys, from the notations that programs may use to what _index holds.
local check = require('box.check')
local lookup = require('box.lookup')

local parts = {}

local function wrong(where, ...)
    check.illegal('%s: %s', where, string.format(...))
end

-- The number from 0 of a field given by name, and the path behind it if the name is longer than the field's.
local function field_by_name(name, format, where)
    for i, field in ipairs(format) do
        if field.name == name then
            return i - 1
        end
    end
    local stop = name:find('[.%[]', 2)
    local head, path = name:sub(1, (stop or #name + 1) - 1), stop and name:sub(stop) or nil
    local number = head:match('^%[(%d+)%]?$')
    if name:sub(1, 1) == '[' and number ~= nil then
        local close = name:find(']', 1, true)
        path = close and close < #name and name:sub(close + 1) or nil
        return tonumber(number) - 1, path
    end
    if path ~= nil then
        for i, field in ipairs(format) do
            if field.name == head then
                return i - 1, path
            end
        end
    end
    wrong(where, "field was not found by name '%s'", name)
end

-- A field given by number or name: its number from 0, and the path behind its name if there is one.
function parts.field(value, format, where)
    if type(value) == 'string' then
        return field_by_name(value, format, where)
    elseif type(value) ~= 'number' then
        wrong(where, 'field (name or number) is expected')
    elseif value < 1 then
        wrong(where, 'field (number) must be one-based')
    end
    return value - 1
end

-- {1, 'unsigned', 2, 'string'} is the short form of two parts.
local function from_flat(list)
    if type(list[1]) ~= 'number' or type(list[2]) ~= 'string' then
        return list
    end
    local out = {}
    for i = 1, #list, 2 do
        if type(list[i]) ~= 'number' or type(list[i + 1]) ~= 'string' then
            check.illegal('options.parts: expected field_no (number), type (string) pairs')
        end
        out[#out + 1] = {list[i], list[i + 1]}
    end
    return out
end

-- The types of parts that take the collation of the field in the format.
local with_collation = {string = true, scalar = true}

-- What types were called, and may be called still where an index is made.
local old_types = {int = 'integer', num = 'unsigned', str = 'string', uint = 'unsigned'}

-- One part as a map with the field counted from 0.
local function part_of(value, format, where)
    local part = {}
    if type(value) ~= 'table' then
        part.field = value
    else
        for key, option in pairs(value) do
            if key == 1 then
                part.field = option
            elseif key == 2 then
                part.type = option
            else
                part[key] = option
            end
        end
    end
    local path
    part.field, path = parts.field(part.field, format, where)
    part.path = part.path or path
    local field = format[part.field + 1]
    if part.type == nil then
        part.type = field and field.type or 'scalar'
    elseif type(part.type) ~= 'string' then
        wrong(where, 'type (string) is expected')
    else
        local name = part.type:lower()
        part.type = old_types[name] or name
    end
    if type(part.collation) == 'string' then
        local id = lookup.collation(part.collation)
        if id == nil then
            wrong(where, "collation was not found by name '%s'", part.collation)
        end
        part.collation = id
    elseif part.collation == nil and field and with_collation[part.type:lower()] then
        part.collation = field.collation
    end
    for _, option in ipairs{'is_nullable', 'exclude_null'} do
        if part[option] ~= nil and type(part[option]) ~= 'boolean' then
            wrong(where, 'type (boolean) is expected')
        end
    end
    if part.exclude_null then
        if part.is_nullable == false then
            wrong(where, 'exclude_null=true and is_nullable=false are incompatible')
        end
        part.is_nullable = true
    end
    if part.is_nullable == nil and field and field.is_nullable then
        part.is_nullable = true
    end
    return part
end

local function is_simple(part)
    for key in pairs(part) do
        if key ~= 'field' and key ~= 'type' then
            return false
        end
    end
    return true
end

-- The parts as _index takes them: a list of {field, type} where that says it all, else of maps.
function parts.normalize(list, format)
    list = from_flat(list)
    local out, simple = {}, true
    for i, value in ipairs(list) do
        local part = part_of(value, format, string.format('options.parts[%d]', i))
        simple = simple and is_simple(part)
        out[i] = part
    end
    if #out == 0 then
        check.illegal('options.parts must have at least one part')
    end
    if simple then
        for i, part in ipairs(out) do
            out[i] = {part.field, part.type}
        end
    end
    return out
end

return parts

-- box.schema.space and box.schema.index: the definitions of spaces and indexes.
local go = require('internal.go')
local check = require('box.check')
local format = require('box.format')
local lookup = require('box.lookup')
local parts = require('box.parts')

local space_create = go.fn('box.space_create')
local space_drop = go.fn('box.space_drop')
local space_alter = go.fn('box.space_alter')
local space_rename = go.fn('box.space_rename')
local space_format = go.fn('box.space_format')
local index_create = go.fn('box.index_create')
local index_alter = go.fn('box.index_alter')
local index_rename = go.fn('box.index_rename')
local index_drop = go.fn('box.index_drop')

local map_mt = {__serialize = 'map'}

local schema = {space = {}, index = {}}

local space_types = {normal = true, ['data-temporary'] = true, temporary = true}

local create_options = {
    if_not_exists = 'boolean',
    engine = 'string',
    id = 'number',
    field_count = 'number',
    user = 'string, number',
    format = 'table',
    is_local = 'boolean',
    temporary = 'boolean',
    type = 'string',
    is_sync = 'boolean',
    defer_deletes = 'boolean',
    constraint = 'string, table',
    foreign_key = 'table',
}

local function check_type(options)
    if options.type == nil then
        return
    end
    if options.temporary ~= nil then
        check.illegal("only one of 'type' or 'temporary' may be specified")
    end
    if not space_types[options.type] then
        check.illegal("unknown space type, must be one of: 'normal', 'data-temporary', 'temporary'.")
    end
end

-- The number of the user that options name, nil when they do not.
local function owner_of(options)
    if options.user == nil then
        return nil
    end
    local row = lookup.account(options.user)
    if row == nil then
        box.error(box.error.NO_SUCH_USER, options.user)
    end
    return row[1]
end

function schema.space.create(name, options)
    check.param(name, 'name', 'string')
    check.options(options, create_options)
    options = check.defaults(options, {engine = 'memtx', field_count = 0})
    check_type(options)
    if box.space[name] ~= nil then
        if options.if_not_exists then
            return box.space[name], 'not created'
        end
        box.error(box.error.SPACE_EXISTS, name)
    end
    local owner = owner_of(options)
    local flags = setmetatable({
        group_id = options.is_local and 1 or nil,
        temporary = options.temporary or nil,
        type = options.type,
        is_sync = options.is_sync,
        defer_deletes = options.defer_deletes or nil,
        constraint = options.constraint and format.space_constraint(options.constraint) or nil,
        foreign_key = options.foreign_key and format.space_foreign_key(options.foreign_key, name) or nil,
    }, map_mt)
    local id = space_create(options.id, owner, name, options.engine, options.field_count, flags,
                            format.normalize(options.format or {}, name))
    return id and box.space[id], 'created'
end

function schema.space.drop(id, name, options)
    check.param(id, 'space_id', 'number')
    check.options(options, {if_exists = 'boolean'})
    space_drop(id, name or '#' .. id, options ~= nil and options.if_exists == true)
end

function schema.space.rename(id, name)
    check.param(id, 'space_id', 'number')
    check.param(name, 'space_name', 'string')
    space_rename(id, name)
end

function schema.space.format(id, value)
    if value == nil then
        check.param(id, 'id', 'number')
        return format.shown(space_format(id))
    end
    check.param(id, 'id', 'number')
    check.param(value, 'format', 'table')
    local space = box.space[id]
    space_alter(id, nil, nil, nil, nil, format.normalize(value, space and space.name))
end

local alter_options = {
    field_count = 'number',
    user = 'string, number',
    format = 'table',
    temporary = 'boolean',
    type = 'string',
    is_sync = 'boolean',
    defer_deletes = 'boolean',
    name = 'string',
    constraint = 'string, table',
    foreign_key = 'table',
}

function schema.space.alter(id, options)
    check.param(id, 'space_id', 'number')
    check.options(options, alter_options)
    options = check.defaults(options, {})
    check_type(options)
    local space = box.space[id]
    if space == nil then
        box.error(box.error.NO_SUCH_SPACE, '#' .. id)
    end
    -- Flags that are to vanish from the definition are false here.
    local flags = {}
    if options.temporary ~= nil then
        flags.temporary = options.temporary
        flags.type = false
    end
    if options.type ~= nil then
        flags.type = options.type
        flags.temporary = false
    end
    flags.is_sync = options.is_sync
    flags.defer_deletes = options.defer_deletes
    if options.constraint ~= nil then
        flags.constraint = format.space_constraint(options.constraint) or false
    end
    if options.foreign_key ~= nil then
        flags.foreign_key = format.space_foreign_key(options.foreign_key, options.name or space.name) or false
    end
    space_alter(id, options.name, owner_of(options), options.field_count, next(flags) and flags or nil,
                options.format and format.normalize(options.format, options.name or space.name))
end

function schema.space.upgrade(id)
    check.param(id, 'space_id', 'number')
    box.error(box.error.UNSUPPORTED, 'Community edition', 'space upgrade')
end

local index_options = {
    type = 'string',
    parts = 'table',
    id = 'number',
    if_not_exists = 'boolean',
    unique = 'boolean',
    sequence = 'boolean, number, string, table',
    hint = 'boolean',
    func = 'number, string',
    dimension = 'number',
    distance = 'string',
    page_size = 'number',
    range_size = 'number',
    run_count_per_level = 'number',
    run_size_ratio = 'number',
    bloom_fpr = 'number',
}
local alter_index_options = check.defaults({name = 'string'}, index_options)

-- What an index is when it is not said, by its type. The type is taken as it is written here.
local type_defaults = {
    rtree = {parts = {2, 'array'}, unique = false},
    bitset = {parts = {2, 'unsigned'}, unique = false},
}
local other_defaults = {parts = {1, 'unsigned'}, unique = true}

-- The options that stand in a row of _index as they are.
local row_options = {'unique', 'dimension', 'distance', 'hint', 'page_size', 'range_size', 'run_count_per_level',
                     'run_size_ratio', 'bloom_fpr'}

local function func_of(options)
    if type(options.func) ~= 'string' then
        return options.func
    end
    local row = box.space._func.index.name:get(options.func)
    if row == nil then
        box.error(box.error.NO_SUCH_FUNCTION, options.func)
    end
    return row[1]
end

-- The sequence that options ask for, in the form that Go takes: false for none, or a map. It is asked for by true,
-- by a name or number, or by a table of {id = name or number, field = name or number in the key}.
local function sequence_of(option, space_fields)
    if option == nil or option == false then
        return option
    end
    local sequence = setmetatable({}, map_mt)
    if type(option) == 'table' then
        check.options(option, {id = 'number, string', field = 'number, string'})
        if option.field ~= nil then
            sequence.field, sequence.path = parts.field(option.field, space_fields, 'sequence field')
        end
        option = option.id
    elseif option == true then
        option = nil
    end
    if option ~= nil then
        local row = lookup.sequence(option)
        if row == nil then
            box.error(box.error.NO_SUCH_SEQUENCE, option)
        end
        sequence.id = row[1]
    end
    return sequence
end

function schema.index.create(space_id, name, options)
    check.param(space_id, 'space_id', 'number')
    check.param(name, 'name', 'string')
    check.options(options, index_options)
    local kind = options ~= nil and options.type or 'tree'
    local by_default = type_defaults[kind] == nil and (options == nil or options.parts == nil)
    options = check.defaults(options, type_defaults[kind] or other_defaults)
    -- This raises the error for a space that is not there or is not to be seen.
    local space_fields = space_format(space_id)
    local first = space_fields[1]
    if by_default and first ~= nil and first.type ~= nil and first.type ~= 'any' and first.type ~= '*' then
        options.parts = {1, first.type}
    end
    local space = box.space[space_id]
    if space.index[name] ~= nil then
        if options.if_not_exists then
            return space.index[name], 'not created'
        end
        box.error(box.error.INDEX_EXISTS, name)
    end
    local is_primary = (options.id or space.index[0] and 1 or 0) == 0
    if options.sequence and not is_primary then
        box.error(box.error.MODIFY_INDEX, name, space.name, 'sequence cannot be used with a secondary key')
    end
    local row = setmetatable({}, map_mt)
    for _, option in ipairs(row_options) do
        row[option] = options[option]
    end
    row.func = func_of(options)
    -- The parts of a functional index are those of what the function returns.
    local key_format = row.func and {} or space_fields
    local id = index_create(space_id, options.id, name, kind, row, parts.normalize(options.parts, key_format),
                            sequence_of(options.sequence, space_fields))
    return box.space[space_id].index[id]
end

function schema.index.alter(space_id, index_id, options)
    local space = box.space[space_id]
    if space == nil then
        box.error(box.error.NO_SUCH_SPACE, '#' .. space_id)
    end
    if space.index[index_id] == nil then
        box.error(box.error.NO_SUCH_INDEX_ID, index_id, space.name)
    end
    check.options(options, alter_index_options)
    options = check.defaults(options, {})
    local space_fields = space_format(space_id)
    local row = {}
    for _, option in ipairs(row_options) do
        row[option] = options[option]
    end
    row.func = func_of(options)
    local functional = row.func or space.index[index_id].func
    index_alter(space_id, index_id, options.id, options.name, options.type, next(row) and row or nil,
                options.parts and parts.normalize(options.parts, functional and {} or space_fields),
                sequence_of(options.sequence, space_fields))
end

function schema.index.rename(space_id, index_id, name)
    check.param(space_id, 'space_id', 'number')
    check.param(index_id, 'index_id', 'number')
    check.param(name, 'name', 'string')
    index_rename(space_id, index_id, name)
end

function schema.index.drop(space_id, index_id)
    check.param(space_id, 'space_id', 'number')
    check.param(index_id, 'index_id', 'number')
    index_drop(space_id, index_id)
end

return schema

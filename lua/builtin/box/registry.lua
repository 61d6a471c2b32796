-- The tables box.space, box.sequence and box.func. Go calls here when a definition has changed; existing objects are
-- changed in place, so that references to them stay good.
local go = require('internal.go')
local core = require('internal.core')
local format = require('box.format')
local func = require('box.func')
local index = require('box.index')
local sequence = require('box.sequence')
local space = require('box.space')

local registry = {
    spaces = {},
}

-- What a key part of an index can do with tuples, by the module key_def.
local parts_methods = {}
for _, name in ipairs{'extract_key', 'compare', 'compare_with_key', 'merge'} do
    parts_methods[name] = function(parts, ...)
        local definition = require('key_def').new(parts)
        return definition[name](definition, ...)
    end
end
local parts_mt = {__index = parts_methods}

-- The fields of an object, which a new definition sets or clears. The rest belongs to the program.
local space_fields = {'id', 'name', 'engine', 'field_count', 'temporary', 'is_local', 'is_sync', 'type', 'enabled',
                      'constraint', 'foreign_key'}
local index_fields = {'id', 'name', 'type', 'unique', 'space_id', 'hint', 'dimension', 'func', 'sequence_id',
                      'sequence_fieldno', 'sequence_path', 'options'}

local function set_fields(object, fields, definition)
    for _, name in ipairs(fields) do
        object[name] = definition[name]
    end
end

-- Brings the table of indexes in line with a list of definitions.
local function set_indexes(object, definitions, mt)
    local by_id = {}
    for key, x in pairs(object.index) do
        by_id[x.id] = x
        object.index[key] = nil
    end
    for _, definition in ipairs(definitions) do
        local x = by_id[definition.id] or setmetatable({}, mt)
        set_fields(x, index_fields, definition)
        x.parts = setmetatable(definition.parts, parts_mt)
        object.index[x.id] = x
        object.index[x.name] = x
    end
end

-- The definition of a space has changed, or it is gone: then there is none.
function registry.space_changed(id, definition)
    core.forget_names()
    local spaces = registry.spaces
    local object = spaces[id]
    if object ~= nil and spaces[object.name] == object then
        spaces[object.name] = nil
    end
    if definition == nil then
        spaces[id] = nil
        return
    end
    if object == nil then
        object = setmetatable({
            index = {},
            on_replace = space.on_replace,
            before_replace = space.before_replace,
        }, space.object_mt)
        spaces[id] = object
    end
    format.shown_foreign_keys(definition.foreign_key)
    set_fields(object, space_fields, definition)
    set_indexes(object, definition.index, index.object_mt[object.engine] or index.object_mt.memtx)
    spaces[object.name] = object
end

-- Makes the table of objects that have nothing but fields, by name, and the function that keeps it up to date.
-- prepare may change a definition before it is used.
local function plain_table(fields, mt, prepare)
    local by_name, by_id = {}, {}
    return by_name, function(id, definition)
        local object = by_id[id]
        if object ~= nil and by_name[object.name] == object then
            by_name[object.name] = nil
        end
        if definition == nil then
            by_id[id] = nil
            return
        end
        if object == nil then
            object = setmetatable({}, mt)
            by_id[id] = object
        end
        set_fields(object, fields, prepare and prepare(definition) or definition)
        by_name[object.name] = object
    end
end

registry.sequences, registry.sequence_changed = plain_table(
    {'id', 'uid', 'name', 'step', 'min', 'max', 'start', 'cache', 'cycle'}, sequence.object_mt,
    sequence.definition)

registry.funcs, registry.func_changed = plain_table(
    {'id', 'name', 'language', 'body', 'comment', 'aggregate', 'returns', 'setuid', 'is_deterministic', 'is_multikey',
     'is_sandboxed', 'takes_raw_args', 'exports', 'trigger'}, func.object_mt)

-- The catalog as it is now, and every change of it from now on.
go.fn('box.watch_schema')(registry.space_changed, registry.sequence_changed, registry.func_changed)

return registry

-- box.schema and what else stands on the whole of the catalog: box.once.
local go = require('internal.go')
local accounts = require('box.accounts')
local check = require('box.check')
local constants = require('box.constants')
local func = require('box.func')
local index = require('box.index')
local lookup = require('box.lookup')
local definitions = require('box.schema_space')
local sequence = require('box.sequence')
local space = require('box.space')

local schema = {
    space = definitions.space,
    index = definitions.index,
    create_space = definitions.space.create,
    sequence = sequence.schema,
    func = func.schema,
    user = accounts.user,
    role = accounts.role,
    space_mt = space.space_mt,
    index_mt = index.index_mt,
    memtx_index_mt = index.memtx_index_mt,
    vinyl_index_mt = index.vinyl_index_mt,
}

for name, number in pairs(constants.schema) do
    schema[name] = number
end

-- Gives a space object its methods again.
function schema.space.bless(object)
    setmetatable(object, space.object_mt)
    for _, x in pairs(object.index or {}) do
        setmetatable(x, index.object_mt[object.engine] or index.object_mt.memtx)
    end
end

local collation_create = go.fn('box.collation_create')
local collation_drop = go.fn('box.collation_drop')
local schema_upgrade = go.fn('box.schema_upgrade')
local schema_downgrade = go.fn('box.schema_downgrade')
local schema_downgrade_issues = go.fn('box.schema_downgrade_issues')
local schema_downgrade_versions = go.fn('box.schema_downgrade_versions')

-- Brings the system spaces of a directory that an old release wrote up to date.
function schema.upgrade()
    schema_upgrade()
end

-- Changes the system spaces to the form that an older release knows; after a checkpoint it opens the directory.
function schema.downgrade(version)
    check.param(version, 'version', 'string')
    schema_downgrade(version)
end

-- The releases that downgrade takes.
function schema.downgrade_versions()
    return schema_downgrade_versions()
end

-- What a release does not know of what is defined, as texts.
function schema.downgrade_issues(version)
    check.param(version, 'version', 'string')
    return schema_downgrade_issues(version)
end

-- box.once(key, f, ...): calls f the first time that a database sees the key.
local function once(key, f, ...)
    if type(key) ~= 'string' or type(f) ~= 'function' then
        check.illegal('Usage: box.once(key, func, ...)')
    end
    key = 'once' .. key
    if box.space._schema:get{key} ~= nil then
        return
    end
    box.space._schema:insert{key}
    return f(...)
end

-- box.internal.collation, which programs use although it is internal.
local collation = {}

-- Checks the arguments of create, which has words of its own for what they should be.
local function check_place(value, what, place, wanted)
    if type(value) ~= wanted then
        check.illegal('%s (%s arg) must be a %s', what, place, wanted == 'table' and 'table or nil' or wanted)
    end
end

function collation.create(name, kind, locale, options)
    check_place(name, 'name', 'first', 'string')
    check_place(kind, 'type', 'second', 'string')
    check_place(locale, 'locale', 'third', 'string')
    check_place(options or {}, 'options', 'fourth', 'table')
    options = check.defaults(options, {strength = 'tertiary'})
    local if_not_exists = options.if_not_exists
    check.options({if_not_exists = if_not_exists}, {if_not_exists = 'boolean'})
    options.if_not_exists = nil
    if if_not_exists and collation.exists(name) then
        return
    end
    collation_create(name, kind, locale, options)
end

function collation.drop(name, options)
    check.options(options, {if_exists = 'boolean'})
    -- One that isn't there is no error, with if_exists or without.
    if collation.exists(name) then
        collation_drop(name)
    end
end

function collation.exists(name)
    return lookup.collation(name) ~= nil
end

function collation.id_by_name(name)
    return lookup.collation(name)
end

return {schema = schema, once = once, collation = collation}

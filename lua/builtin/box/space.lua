-- Space objects: methods that read, write and change a space. Their tables are filled by box.registry.
local core = require('internal.core')
local go = require('internal.go')
local check = require('box.check')
local fselect = require('box.fselect')
local index = require('box.index')
local iterator = require('box.iterator')
local point = require('box.point')
local triggers = require('box.triggers')

local get = point.get
local index_count = go.fn('box.index_count')
local index_update = core.tuple_fn('box.index_update')
local index_delete = core.tuple_fn('box.index_delete')
local space_insert = core.tuple_fn('box.space_insert')
local space_replace = core.tuple_fn('box.space_replace')
local space_upsert = go.fn('box.space_upsert')
local space_len = go.fn('box.space_len')
local space_bsize = go.fn('box.space_bsize')
local space_stat = go.fn('box.space_stat')
local space_frommap = go.fn('box.space_frommap')
local space_run_triggers = go.fn('box.space_run_triggers')

local index_select = index.select

local space = {}
local space_mt = {}

local function check_self(self, method)
    check.self(self, 'space', method)
end

local is_list = check.is_list

function space_mt.get(self, key)
    check_self(self, 'get')
    return get(self.id, 0, key)
end

function space_mt.select(self, key, options)
    check_self(self, 'select')
    return index_select(self.id, 0, key, options)
end

function space_mt.insert(self, tuple)
    check_self(self, 'insert')
    return space_insert(self.id, tuple)
end

function space_mt.replace(self, tuple)
    check_self(self, 'replace')
    return space_replace(self.id, tuple)
end

space_mt.put = space_mt.replace

function space_mt.update(self, key, operations)
    check_self(self, 'update')
    if not is_list(operations) then
        check.illegal('Usage: index:update(key, ops)')
    end
    return index_update(self.id, 0, key, operations)
end

function space_mt.upsert(self, tuple, operations)
    check_self(self, 'upsert')
    if not is_list(tuple) or not is_list(operations) then
        check.illegal('Usage: space:upsert(tuple_key, ops)')
    end
    return space_upsert(self.id, tuple, operations)
end

function space_mt.delete(self, key)
    check_self(self, 'delete')
    return index_delete(self.id, 0, key)
end

function space_mt.pairs(self, key, options)
    check_self(self, 'pairs')
    return iterator.pairs(self.id, 0, key, options)
end

function space_mt.count(self, key, options)
    check_self(self, 'count')
    if self.index[0] == nil then
        return 0
    end
    return index_count(self.id, 0, iterator.type(key, options), key)
end

function space_mt.len(self)
    check_self(self, 'len')
    return space_len(self.id)
end

function space_mt.bsize(self)
    check_self(self, 'bsize')
    return space_bsize(self.id)
end

function space_mt.stat(self)
    check_self(self, 'stat')
    return space_stat(self.id)
end

-- Puts one more than the largest key before the fields of a table, and inserts it.
function space_mt.auto_increment(self, fields)
    check_self(self, 'auto_increment')
    local primary = self.index[0]
    if primary == nil then
        box.error(box.error.NO_SUCH_INDEX_ID, 0, self.name)
    end
    local last = primary:max()
    table.insert(fields, 1, last == nil and 1 or last[1] + 1)
    return self:insert(fields)
end

function space_mt.frommap(self, map, options)
    check_self(self, 'frommap')
    if type(map) ~= 'table' or options ~= nil and type(options) ~= 'table' then
        error('Usage: space:frommap(map, opts)')
    end
    return space_frommap(self.id, map, options ~= nil and options.table == true)
end

function space_mt.run_triggers(self, yes)
    check_self(self, 'run_triggers')
    space_run_triggers(self.id, yes == true)
end

function space_mt.create_index(self, name, options)
    check_self(self, 'create_index')
    return box.schema.index.create(self.id, name, options)
end

function space_mt.format(self, format)
    check_self(self, 'format')
    return box.schema.space.format(self.id, format)
end

function space_mt.drop(self)
    check_self(self, 'drop')
    return box.schema.space.drop(self.id, self.name)
end

function space_mt.rename(self, name)
    check_self(self, 'rename')
    return box.schema.space.rename(self.id, name)
end

function space_mt.alter(self, options)
    check_self(self, 'alter')
    return box.schema.space.alter(self.id, options)
end

function space_mt.upgrade(self, ...)
    check_self(self, 'upgrade')
    return box.schema.space.upgrade(self.id, ...)
end

local space_truncate = go.fn('box.space_truncate')

function space_mt.truncate(self)
    check_self(self, 'truncate')
    space_truncate(self.id)
end

for name, method in pairs(fselect.methods(function(self) return self:format() end)) do
    space_mt[name] = method
end

-- on_replace and before_replace of a space are fields of its object.
local function trigger_method(event)
    return function(self, ...)
        if type(self) ~= 'table' or self.id == nil then
            error(string.format('usage: space:%s(function | nil, [function | nil], [string])', event))
        end
        return triggers.set(string.format('box.space[%d].%s', self.id, event), ...)
    end
end

space.on_replace = trigger_method('on_replace')
space.before_replace = trigger_method('before_replace')

space.space_mt = space_mt

-- The metatable of space objects: methods are looked up at the time of the call, so that a program can add its own.
space.object_mt = {__index = function(_, name) return space_mt[name] end}

return space

-- Index objects: reading and writing through one index. Their tables are filled by box.registry.
local core = require('internal.core')
local go = require('internal.go')
local check = require('box.check')
local constants = require('box.constants')
local fselect = require('box.fselect')
local iterator = require('box.iterator')
local point = require('box.point')

local index_min = core.tuple_fn('box.index_min')
local index_max = core.tuple_fn('box.index_max')
local index_random = core.tuple_fn('box.index_random')
local get = point.get
local index_count = go.fn('box.index_count')
local index_len = go.fn('box.index_len')
local index_bsize = go.fn('box.index_bsize')
local index_select = core.raw_fn('box.index_select')
local index_tuple_pos = go.fn('box.index_tuple_pos')
local index_update = core.tuple_fn('box.index_update')
local index_delete = core.tuple_fn('box.index_delete')
local index_stat = go.fn('box.index_stat')

local iterator_type = iterator.type
local shared, read_tuples, read_string = core.shared, core.read_tuples, core.read_string

local index = {}

-- The methods of every index, and of the indexes of each engine.
local index_mt = {}
local memtx_index_mt = {}
local vinyl_index_mt = {}

local methods = {}

-- The largest limit and offset; negative ones wrap around to it.
local UNLIMITED = 4294967295

-- select works as space:select and index:select do. It is here for both, so that neither pays for the other.
function index.select(space_id, index_id, key, options)
    local limit, offset, after, fetch_pos = UNLIMITED, 0, nil, nil
    if type(options) == 'table' then
        after, fetch_pos = options.after, options.fetch_pos
        if options.limit ~= nil then
            limit = options.limit % (UNLIMITED + 1)
        end
        if options.offset ~= nil then
            offset = options.offset % (UNLIMITED + 1)
        end
    end
    local count = index_select(space_id, index_id, iterator_type(key, options), offset, limit, key, after, fetch_pos)
    local tuples, rest = read_tuples(shared.result)
    if count > 1 then
        return tuples, read_string(rest)
    end
    return tuples
end

function methods.get(self, key)
    check.self(self, 'index', 'get')
    return get(self.space_id, self.id, key)
end

function methods.select(self, key, options)
    check.self(self, 'index', 'select')
    return index.select(self.space_id, self.id, key, options)
end

function methods.pairs(self, key, options)
    check.self(self, 'index', 'pairs')
    return iterator.pairs(self.space_id, self.id, key, options)
end

function methods.count(self, key, options)
    check.self(self, 'index', 'count')
    return index_count(self.space_id, self.id, iterator_type(key, options), key)
end

function methods.min(self, key)
    check.self(self, 'index', 'min')
    return index_min(self.space_id, self.id, key)
end

function methods.max(self, key)
    check.self(self, 'index', 'max')
    return index_max(self.space_id, self.id, key)
end

function methods.random(self, seed)
    check.self(self, 'index', 'random')
    return index_random(self.space_id, self.id, seed or 0)
end

function index_mt.len(self)
    check.self(self, 'index', 'len')
    return index_len(self.space_id, self.id)
end

function index_mt.bsize(self)
    check.self(self, 'index', 'bsize')
    return index_bsize(self.space_id, self.id)
end

function index_mt.tuple_pos(self, tuple)
    check.self(self, 'index', 'tuple_pos')
    return index_tuple_pos(self.space_id, self.id, tuple)
end

function index_mt.update(self, key, operations)
    check.self(self, 'index', 'update')
    if not check.is_list(operations) then
        check.illegal('Usage: index:update(key, ops)')
    end
    return index_update(self.space_id, self.id, key, operations)
end

function index_mt.delete(self, key)
    check.self(self, 'index', 'delete')
    return index_delete(self.space_id, self.id, key)
end

function index_mt.stat(self)
    check.self(self, 'index', 'stat')
    return index_stat(self.space_id, self.id)
end

-- A memtx index has nothing to compact, but one has to be allowed to.
function index_mt.compact(self)
    check.self(self, 'index', 'compact')
    index_bsize(self.space_id, self.id)
end

function index_mt.alter(self, options)
    check.self(self, 'index', 'alter')
    return box.schema.index.alter(self.space_id, self.id, options)
end

function index_mt.rename(self, name)
    check.self(self, 'index', 'rename')
    return box.schema.index.rename(self.space_id, self.id, name)
end

function index_mt.drop(self)
    check.self(self, 'index', 'drop')
    return box.schema.index.drop(self.space_id, self.id)
end

for name, method in pairs(fselect.methods(function(self) return box.space[self.space_id]:format() end)) do
    index_mt[name] = method
end

-- Programs that want one of the ways to call a method find both names.
for name, method in pairs(methods) do
    index_mt[name .. '_ffi'] = method
    index_mt[name .. '_luac'] = method
end

for _, mt in ipairs{memtx_index_mt, vinyl_index_mt} do
    for name, method in pairs(index_mt) do
        mt[name] = method
    end
    for name, method in pairs(methods) do
        mt[name] = method
    end
end

index.index_mt = index_mt
index.memtx_index_mt = memtx_index_mt
index.vinyl_index_mt = vinyl_index_mt

-- The metatables of index objects: methods are looked up at the time of the call, so that a program can add its own.
index.object_mt = {
    memtx = {__index = function(_, name) return memtx_index_mt[name] end},
    vinyl = {__index = function(_, name) return vinyl_index_mt[name] end},
}

-- box.index
index.constants = constants.iterators

return index

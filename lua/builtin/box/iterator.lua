-- Iterators over an index: how their types are written, and pairs().
local core = require('internal.core')
local go = require('internal.go')
local ffi = require('ffi')
local check = require('box.check')
local constants = require('box.constants')

local iterator_open = go.fn('box.iterator_open')
local iterator_next = core.tuple_fn('box.iterator_next')
local iterator_close = go.fn('box.iterator_close')

local iterator = {}

local types = constants.iterators
local EQ, ALL, LAST = types.EQ, types.ALL, types.PP

local function type_of(value)
    if type(value) == 'number' then
        if value < 0 or value > LAST then
            check.illegal('Invalid iterator type')
        end
        return value
    end
    local number = type(value) == 'string' and types[value:upper()]
    if not number then
        box.error(box.error.ITERATOR_TYPE, tostring(value))
    end
    return number
end

-- The number of the iterator type that options ask for: a table with an iterator in it, or the iterator alone.
function iterator.type(key, options)
    if options ~= nil then
        if type(options) == 'table' then
            options = options.iterator
        end
        if options ~= nil then
            return type_of(options)
        end
    end
    if key == nil or type(key) == 'table' and #key == 0 then
        return ALL
    end
    return EQ
end

-- An iterator that is given up before its end is closed by the next one that is opened.
local new_handle, close_forgotten = require('internal.handles')(iterator_close)

-- The generator of pairs: the state is the handle of an iterator in the database.
local function generate(_, handle)
    local id = handle.id
    if id == 0 then
        return nil
    end
    local tuple = iterator_next(id)
    if tuple == nil then
        -- The database has closed it.
        handle.id = 0
        ffi.gc(handle, nil)
        return nil
    end
    return handle, tuple
end

local function generate_nothing()
    return nil
end

function iterator.pairs(space_id, index_id, key, options)
    close_forgotten()
    local after = type(options) == 'table' and options.after or nil
    local id = iterator_open(space_id, index_id, iterator.type(key, options), key, after)
    local fun = require('fun')
    if id == nil then
        return fun.wrap(generate_nothing, nil, nil)
    end
    return fun.wrap(generate, nil, new_handle(id))
end

return iterator

-- Spaces and indexes of another server. They are found by number when the connection has fetched the schema, and by name
-- or number as the program gives it when it has not.
local core = require('internal.core')
local iterator = require('box.iterator')
local request = require('net.box.request')

local go_format = core.fn('netbox.format')
local TUPLE, TUPLES, NOTHING, VALUES = request.TUPLE, request.TUPLES, request.NOTHING, request.VALUES
local perform, check_options, collect = request.perform, request.check_options, request.collect

-- Types of requests.
local SELECT, INSERT, REPLACE, UPDATE, DELETE, UPSERT, CALL, EVAL = 1, 2, 3, 4, 5, 9, 10, 8
-- Iterators.
local EQ, ALL, LE, GE = 0, 2, 4, 5

local UNLIMITED = 0xffffffff

local space = {}

local function check_self(object, kind, method)
    if type(object) ~= 'table' or object.id == nil and object.name == nil then
        core.illegal(('Use %s:%s(...) instead of %s.%s(...)'):format(kind, method, kind, method), 3)
    end
end

-- key_of makes a key of its parts, or of the one part that was given.
local function key_of(key)
    if key == nil then return {} end
    if type(key) == 'table' or core.is_tuple(key) then return key end
    return { key }
end

local function send(s, mode, options, code, ...)
    local conn = s.connection
    return perform(conn._transport, conn._stream_id or 0, mode, s._format_id, options, code, ...)
end

-- A space or index is known to the server by its number if there is one.
local function ref(object) return object.id or object.name end

local function select_from(s, index, key, options)
    check_options(options)
    local type, offset, limit = EQ, 0, UNLIMITED
    local after, fetch_pos
    if options ~= nil then
        type = iterator.type(key, options)
        offset, limit = options.offset or 0, options.limit or UNLIMITED
        after, fetch_pos = options.after, options.fetch_pos
    elseif key == nil then
        type = ALL
    end
    return send(s, TUPLES, options, SELECT, ref(s), index, type, offset, limit, key_of(key), after, fetch_pos)
end

-- one asks for one tuple.
local function one(s, index, what, kind, limit, key, options)
    check_options(options)
    if options ~= nil and options.buffer ~= nil then
        error(("index:%s() doesn't support `buffer` argument"):format(what), 3)
    end
    return send(s, TUPLE, options, SELECT, ref(s), index, kind, 0, limit, key_of(key))
end

local space_methods = {}

function space_methods.insert(s, tuple, options)
    check_self(s, 'space', 'insert')
    check_options(options)
    return send(s, TUPLE, options, INSERT, ref(s), tuple)
end

function space_methods.replace(s, tuple, options)
    check_self(s, 'space', 'replace')
    check_options(options)
    return send(s, TUPLE, options, REPLACE, ref(s), tuple)
end
space_methods.put = space_methods.replace

function space_methods.select(s, key, options)
    check_self(s, 'space', 'select')
    return select_from(s, 0, key, options)
end

function space_methods.get(s, key, options)
    check_self(s, 'space', 'get')
    return one(s, 0, 'get', EQ, 1, key, options)
end

function space_methods.delete(s, key, options)
    check_self(s, 'space', 'delete')
    check_options(options)
    return send(s, TUPLE, options, DELETE, ref(s), 0, key_of(key))
end

function space_methods.update(s, key, operations, options)
    check_self(s, 'space', 'update')
    check_options(options)
    return send(s, TUPLE, options, UPDATE, ref(s), 0, key_of(key), operations)
end

function space_methods.upsert(s, tuple, operations, options)
    check_self(s, 'space', 'upsert')
    check_options(options)
    return send(s, NOTHING, options, UPSERT, ref(s), tuple, operations)
end

function space_methods.format(s)
    check_self(s, 'space', 'format')
    return s._format
end

local index_methods = {}

function index_methods.select(i, key, options)
    check_self(i, 'index', 'select')
    return select_from(i.space, ref(i), key, options)
end

function index_methods.get(i, key, options)
    check_self(i, 'index', 'get')
    return one(i.space, ref(i), 'get', EQ, 1, key, options)
end

function index_methods.min(i, key, options)
    check_self(i, 'index', 'min')
    return one(i.space, ref(i), 'min', GE, 1, key, options)
end

function index_methods.max(i, key, options)
    check_self(i, 'index', 'max')
    return one(i.space, ref(i), 'max', LE, 1, key, options)
end

function index_methods.delete(i, key, options)
    check_self(i, 'index', 'delete')
    check_options(options)
    return send(i.space, TUPLE, options, DELETE, ref(i.space), ref(i), key_of(key))
end

function index_methods.update(i, key, operations, options)
    check_self(i, 'index', 'update')
    check_options(options)
    return send(i.space, TUPLE, options, UPDATE, ref(i.space), ref(i), key_of(key), operations)
end

-- The chunk that counts where the names can't stand in a path.
local count_chunk = 'local s, i, key, o = ... return box.space[s].index[i]:count(key, o)'

local function is_identifier(name) return type(name) == 'string' and name:match('^[%a_][%w_]*$') ~= nil end

local function results(mode, first, ...)
    if mode then return first end
    return first, ...
end

--- The number of tuples, which the server counts by calling its own index.
function index_methods.count(i, key, options)
    check_self(i, 'index', 'count')
    check_options(options)
    if options ~= nil and options.buffer ~= nil then
        error("index:count() doesn't support `buffer` argument", 2)
    end
    local s = i.space
    local t = s.connection._transport
    local how = options and options.iterator and { iterator = options.iterator } or nil
    if key == nil then key = core.NULL end
    if is_identifier(s.name) and is_identifier(i.name) then
        local path = ('box.space.%s.index.%s:count'):format(s.name, i.name)
        return results(true, send(s, VALUES, options, CALL, path, t:encode_arguments { key, how }))
    end
    local args = { s.name or s.id, i.name or i.id, key, how }
    return results(true, send(s, VALUES, options, EVAL, count_chunk, t:encode_arguments(args)))
end

-- What belongs to the connection is not shown.
local hidden = { connection = true, space = true, _format_id = true, _base = true }

local function serialize(object)
    local copy = {}
    for k, v in pairs(object) do
        if not hidden[k] then copy[k] = v end
    end
    return copy
end

local space_mt = { __index = space_methods, __serialize = serialize }
local index_mt = { __index = index_methods, __serialize = serialize }

-- Names instead of a schema.

local function by_name(value) return type(value) == 'number' and { id = value } or { name = value } end

local index_names_mt = {
    __index = function(indexes, key)
        if type(key) ~= 'string' and type(key) ~= 'number' then return nil end
        local i = by_name(key)
        i.space = rawget(indexes, '_space')
        return setmetatable(i, index_mt)
    end,
    __serialize = function() return {} end,
}

--- The spaces of a connection that doesn't fetch the schema.
function space.by_names(conn)
    local weak = setmetatable({ conn = conn }, { __mode = 'v' })
    return setmetatable({}, {
        __index = function(_, key)
            if type(key) ~= 'string' and type(key) ~= 'number' then return nil end
            local s = by_name(key)
            s.connection, s._format_id = weak.conn, 0
            s.index = setmetatable({ _space = s }, index_names_mt)
            return setmetatable(s, space_mt)
        end,
        __serialize = function() return {} end,
    })
end

-- The schema.

local VSPACE, VINDEX, VCOLLATION = 281, 289, 277

--- Fetch the definitions of spaces and indexes: a table of them, or nil and an error.
function space.fetch(t)
    local function all_of(id) return { SELECT, id, 0, ALL, 0, UNLIMITED, {} } end
    -- All at once: who pings after a change of the schema then finds it here when the answer has come.
    local lists, e = collect(t, all_of(VSPACE), all_of(VINDEX), all_of(VCOLLATION))
    if not lists[1] or not lists[2] then return nil, e end
    return { spaces = lists[1], indexes = lists[2], collations = lists[3] or {} } -- old servers have no collations
end

local function parts_of(definition, collations)
    local parts = {}
    for n, p in ipairs(definition) do
        local field, kind, collation = p.field or p[1], p.type or p[2], p.collation
        parts[n] = {
            fieldno = field + 1, type = kind, path = p.path, exclude_null = p.exclude_null,
            is_nullable = p.is_nullable or false, collation = collation and collations[collation] or nil,
        }
    end
    return parts
end

--- The space objects of a schema that was fetched, by name and by number.
function space.install(conn, definitions)
    local collations = {}
    for _, row in ipairs(definitions.collations) do collations[row[1]] = row[2] end
    local by_id, spaces = {}, {}
    for _, row in ipairs(definitions.spaces) do
        local id, engine, field_count, flags, format = row[1], row[4], row[5], row[6], row[7]
        if type(flags) ~= 'table' then flags = {} end
        if type(format) ~= 'table' then format = {} end
        local s = setmetatable({
            id = id, name = row[3], engine = engine, field_count = field_count, enabled = false, index = {},
            temporary = flags.temporary or flags.type == 'temporary' or flags.type == 'data-temporary' or false,
            is_local = flags.group_id == 1, is_sync = flags.is_sync or false,
            _format = format, _format_id = go_format(format), connection = conn,
        }, space_mt)
        by_id[id] = s
        spaces[id], spaces[s.name] = s, s
    end
    for _, row in ipairs(definitions.indexes) do
        local s = by_id[row[1]]
        local options, parts = row[5], row[6]
        if s ~= nil and type(options) == 'table' and type(parts) == 'table' then
            local i = setmetatable({
                space = s, id = row[2], name = row[3], type = row[4]:upper(), unique = options.unique and true or false,
                parts = parts_of(parts, collations),
            }, index_mt)
            s.index[i.id], s.index[i.name] = i, i
            s.enabled = true
        end
    end
    return spaces
end

-- Streams.

local function copy_for(base, stream)
    local s = {}
    for k, v in pairs(base) do s[k] = v end
    s.connection, s._base = stream, base
    s.index = {}
    setmetatable(s, space_mt)
    if getmetatable(base.index) == index_names_mt then
        s.index = setmetatable({ _space = s }, index_names_mt)
        return s
    end
    for key, i in pairs(base.index) do
        if type(key) == 'number' then
            local copy = {}
            for k, v in pairs(i) do copy[k] = v end
            copy.space = s
            setmetatable(copy, index_mt)
            s.index[key], s.index[copy.name] = copy, copy
        end
    end
    return s
end

--- The spaces of a stream: those of its connection, whose requests go through the stream.
function space.of_stream(stream, conn)
    local copies = {} -- by number or name
    return setmetatable({}, {
        __index = function(_, key)
            local base = conn.space[key]
            if base == nil then return nil end
            local copy = copies[ref(base)]
            if copy == nil or copy._base ~= base then
                copy = copy_for(base, stream)
                copies[ref(base)] = copy
            end
            return copy
        end,
        __serialize = function() return {} end,
    })
end

return space

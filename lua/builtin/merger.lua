-- The module merger: one sorted sequence of tuples out of several. A source gives one tuple after another; a merger is a
-- source of sources that are sorted alike.
local bridge = require('internal.bridge')
local core = require('internal.core')
local ffi = require('ffi')
local fun = require('fun')
local key_def = require('key_def')
local msgpack = require('msgpack')

local make_tuple, order = core.fn('key_def.tuple'), core.fn('key_def.order')

-- A source has next(): the next tuple, nil at the end.
local methods = {}
local source_mt = { __index = methods, __tostring = function() return 'merger_source' end }

local function is_source(v) return getmetatable(v) == source_mt end

local function as_tuple(v, k)
    if core.is_tuple(v) and k == nil then return v end
    if type(v) ~= 'table' and not core.is_tuple(v) then
        core.illegal(('A tuple or a table expected, got %s'):format(type(v)), 3)
    end
    if k ~= nil then
        local t = make_tuple(k.number, v)
        return core.is_tuple(v) and v or t
    end
    return box.tuple.new(v)
end

local function new_source(next_tuple) return setmetatable({ next = next_tuple }, source_mt) end

-- chunks makes a source of a generator whose values hold several tuples; open(value) returns what yields them.
local function chunks(gen, param, state, open)
    local current
    return new_source(function()
        while true do
            if current ~= nil then
                local t = current()
                if t ~= nil then return t end
                current = nil
            end
            if gen == nil then return nil end
            local value
            state, value = gen(param, state)
            if state == nil then
                gen = nil
                return nil
            end
            current = open(value)
        end
    end)
end

local function open_table(t)
    local i = 0
    return function()
        i = i + 1
        return t[i]
    end
end

-- The content of a buffer: an array of tuples, perhaps in a map as the protocol sends it.
local function open_buffer(buffer)
    local data = ffi.string(buffer.rpos, buffer:size())
    local at = 1
    local pairs_count, after = bridge.header(data, at, true)
    if pairs_count ~= nil then
        local _, behind_key = msgpack.decode(data, after)
        at = behind_key
    end
    local left, first = bridge.header(data, at, false)
    if left == nil then core.illegal('Invalid merge source buffer', 3) end
    at = first
    return function()
        if left == 0 then return nil end
        left = left - 1
        local t, behind = msgpack.decode(data, at)
        at = behind
        if left == 0 then buffer.rpos = buffer.rpos + (at - 1) end
        return t
    end
end

local merger = { internal = {} }

local function generator(name, open)
    return function(gen, param, state)
        if gen == nil then
            error(('Usage: merger.%s(gen, param, state)'):format(name), 2)
        end
        return chunks(gen, param, state, open)
    end
end

merger.new_table_source = generator('new_table_source', open_table)
merger.new_buffer_source = generator('new_buffer_source', open_buffer)

--- new_tuple_source(gen, param, state): a source of a generator of tuples.
function merger.new_tuple_source(gen, param, state)
    if gen == nil then error('Usage: merger.new_tuple_source(gen, param, state)', 2) end
    return new_source(function()
        if gen == nil then return nil end
        local t
        state, t = gen(param, state)
        if state == nil then gen = nil end
        return t
    end)
end

local function once(value, open)
    return chunks(function(v, done)
        if not done then return true, v end
    end, value, false, open)
end

function merger.new_source_fromtable(t)
    if type(t) ~= 'table' then error('Usage: merger.new_source_fromtable(table)', 2) end
    return once(t, open_table)
end

function merger.new_source_frombuffer(buffer)
    if type(buffer) ~= 'cdata' then error('Usage: merger.new_source_frombuffer(buffer)', 2) end
    return once(buffer, open_buffer)
end

local usage = 'Bad params, use: merger.new(key_def, {source, source, ...}[, {reverse = <boolean> or <nil>}])'

-- A heap of the sources by their first tuples; of equal ones the source that was given first comes first.
local function heap_of(k, reverse)
    local heap = {}
    local function before(a, b)
        local c = order(k.number, a.tuple, b.tuple)
        if reverse then c = -c end
        return c < 0 or c == 0 and a.place < b.place
    end
    local function down(i)
        while true do
            local least = i
            for child = 2 * i, 2 * i + 1 do
                if heap[child] ~= nil and before(heap[child], heap[least]) then least = child end
            end
            if least == i then return end
            heap[i], heap[least] = heap[least], heap[i]
            i = least
        end
    end
    function heap.add(entry)
        heap[#heap + 1] = entry
        local i = #heap
        while i > 1 do
            local above = math.floor(i / 2)
            if not before(heap[i], heap[above]) then return end
            heap[i], heap[above] = heap[above], heap[i]
            i = above
        end
    end
    function heap.changed() down(1) end
    function heap.drop()
        heap[1] = heap[#heap]
        heap[#heap] = nil
        if heap[1] ~= nil then down(1) end
    end
    return heap
end

--- new(key_def, sources [, {reverse}]): a source of the tuples of all sources in the order of the key.
function merger.new(k, sources, options)
    if not key_def.is_key_def(k) or type(sources) ~= 'table' or options ~= nil and type(options) ~= 'table' then
        error(usage, 0)
    end
    options = options or {}
    if options.reverse ~= nil and type(options.reverse) ~= 'boolean' then error(usage, 0) end
    for _, s in ipairs(sources) do
        if not is_source(s) then error(usage, 0) end
    end
    local heap
    local function open()
        heap = heap_of(k, options.reverse)
        for place, s in ipairs(sources) do
            local t = s.next()
            if t ~= nil then heap.add { tuple = as_tuple(t, k), place = place, source = s } end
        end
    end
    return new_source(function()
        if heap == nil then open() end
        local first = heap[1]
        if first == nil then return nil end
        local t = first.tuple
        local following = first.source.next()
        if following ~= nil then
            first.tuple = as_tuple(following, k)
            heap.changed()
        else
            heap.drop()
        end
        return t
    end)
end

--- pairs(): an iterator over the tuples.
function methods.pairs(s)
    return fun.wrap(function(source)
        local t = source.next()
        if t ~= nil then return source, as_tuple(t) end
    end, s, s)
end
methods.ipairs = methods.pairs

--- select([{limit, buffer}]): the tuples as a table, or written to a buffer; then how many bytes that were.
function methods.select(s, options)
    options = options or {}
    local limit = options.limit or math.huge
    local list = setmetatable({}, core.seq_mt)
    while #list < limit do
        local t = s.next()
        if t == nil then break end
        list[#list + 1] = as_tuple(t)
    end
    if options.buffer ~= nil then return msgpack.encode(list, options.buffer) end
    return setmetatable(list, nil)
end

return merger

-- The module buffer: ibuf, a growing piece of memory that is written at one end and read at the other. What lies between
-- rpos and wpos is its content.
local ffi = require('ffi')

ffi.cdef [[
struct ibuf { char *buf, *rpos, *wpos, *epos; size_t start_capacity; };
void *malloc(size_t size);
void *realloc(void *p, size_t size);
void free(void *p);
]]

local C = ffi.C
local READAHEAD = 16320

-- Memory comes in powers of two, of which some bytes are for the allocator.
local least, overhead = 16384, 48

local function capacity_for(size)
    local capacity = least
    while capacity - overhead < size do capacity = capacity * 2 end
    return capacity - overhead
end

local ibuf_t = ffi.typeof('struct ibuf')
local methods = {}

local function check(b, name)
    if not ffi.istype(ibuf_t, b) then error(('Attempt to call method without object, use ibuf:%s()'):format(name), 3) end
end

local function used(b) return tonumber(b.wpos - b.rpos) end

local function unused(b) return tonumber(b.epos - b.wpos) end

--- reserve(size): a pointer to room for that many bytes behind the content.
function methods.reserve(b, size)
    check(b, 'reserve')
    if unused(b) >= size then return b.wpos end
    local content = used(b)
    if tonumber(b.epos - b.buf) - content >= size then
        ffi.C.memmove(b.buf, b.rpos, content)
    else
        local capacity = capacity_for(math.max(content + size, tonumber(b.epos - b.buf) * 2, tonumber(b.start_capacity)))
        local p = ffi.cast('char *', C.malloc(capacity))
        if p == nil then error('not enough memory', 2) end
        ffi.copy(p, b.rpos, content)
        C.free(b.buf)
        b.buf, b.epos = p, p + capacity
    end
    b.rpos, b.wpos = b.buf, b.buf + content
    return b.wpos
end

--- alloc(size) is reserve(size), and makes the room part of the content.
function methods.alloc(b, size)
    check(b, 'alloc')
    local p = methods.reserve(b, size)
    b.wpos = b.wpos + size
    return p
end

local function out_of_range(b, size)
    error(('Attempt to read out of range bytes: needed=%d size=%d'):format(size, used(b)), 3)
end

--- checksize(size): a pointer to the content, of which there must be that much.
function methods.checksize(b, size)
    check(b, 'checksize')
    if used(b) < size then out_of_range(b, size) end
    return b.rpos
end

--- read(size) is checksize(size), and takes the bytes off the content.
function methods.read(b, size)
    check(b, 'read')
    if used(b) < size then out_of_range(b, size) end
    local p = b.rpos
    b.rpos = p + size
    return p
end

function methods.reset(b)
    check(b, 'reset')
    b.rpos, b.wpos = b.buf, b.buf
end
methods.clear = methods.reset

function methods.recycle(b)
    check(b, 'recycle')
    C.free(b.buf)
    b.buf, b.rpos, b.wpos, b.epos = nil, nil, nil, nil
end

function methods.consume_before(b, p)
    check(b, 'consume_before')
    b.rpos = p
end

function methods.size(b)
    check(b, 'size')
    return used(b)
end

function methods.capacity(b)
    check(b, 'capacity')
    return tonumber(b.epos - b.buf)
end

function methods.pos(b)
    check(b, 'pos')
    return tonumber(b.rpos - b.buf)
end

function methods.unused(b)
    check(b, 'unused')
    return unused(b)
end

local function describe(b)
    return ('ibuf: pos=%d size=%d capacity=%d'):format(methods.pos(b), used(b), methods.capacity(b))
end
methods.__serialize = describe

ffi.cdef [[void *memmove(void *to, const void *from, size_t size);]]

ffi.metatype(ibuf_t, {
    __index = methods,
    __tostring = describe,
    __gc = function(b) C.free(b.buf) end,
})

--- ibuf([size]): an empty buffer, with room for that many bytes at once.
local function new_ibuf(size)
    local b = ibuf_t()
    b.start_capacity = size or READAHEAD
    if size ~= nil then methods.reserve(b, size) end
    return b
end

-- A stash keeps objects of a C type that cost more to make than to use.
local function ffi_stash_new(ctype)
    local free = {}
    return {
        take = function()
            return table.remove(free) or ffi.new(ctype .. '[1]')
        end,
        put = function(object) free[#free + 1] = object end,
    }
end

return { READAHEAD = READAHEAD, ibuf = new_ibuf, ffi_stash_new = ffi_stash_new, internal = {} }

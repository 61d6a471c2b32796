-- The first Lua code to run: how values cross between Lua and Go, and how a fiber's yield passes through everything.
-- The structures declared here mirror those of the bridge's C header.
local bridge = require('internal.bridge')
local ffi = require('ffi')

ffi.cdef [[
struct lycosa_shared {
    uint64_t fiber_id, switches, session_id, sync, schema_version, fast_session;
    double clock_offset;
    union { uint64_t u64; int64_t i64; double f64; } scratch;
    const uint8_t *result, *result_end;
    double number;
};
struct __attribute__((packed)) lycosa_live_tuple { uint8_t code, len[4], type; uint64_t address; uint32_t format; };
struct lycosa_codec {
    int32_t sparse_convert, sparse_ratio, sparse_safe, max_depth, deep_as_nil, invalid_as_nil,
            load_metatables, save_metatables, tuple_ext, functions, error_ext, key_names, finite;
};
struct tuple { uint64_t ly_address; uint32_t ly_format, ly_size; char ly_data[?]; }; // names that are no field's
typedef struct { uint8_t size; char data[31]; } decimal_t;
struct tt_uuid {
    uint32_t time_low;
    uint16_t time_mid, time_hi_and_version;
    uint8_t clock_seq_hi_and_reserved, clock_seq_low, node[6];
};
struct error { uint32_t id; };
struct datetime { double epoch; int32_t nsec; int16_t tzoffset, tzindex; };
struct interval { double sec, min, hour, day; int32_t week, month, year, nsec; int adjust; };
struct varbinary { uint32_t size; char data[?]; };
]]

local core = {}
local shared = ffi.cast('struct lycosa_shared *', bridge.shared)
core.shared = shared
core.NULL = ffi.cast('void *', 0)

local hooks = { raise = tostring, invalid = tostring, illegal = tostring }
core.hooks = hooks

-- Kinds of cdata, as the bridge numbers them.
local kinds = {
    { 1, 'int8_t' }, { 2, 'int16_t' }, { 3, 'int32_t' }, { 4, 'int64_t' }, { 5, 'uint8_t' }, { 6, 'uint16_t' },
    { 7, 'uint32_t' }, { 8, 'uint64_t' }, { 9, 'float' }, { 10, 'double' }, { 11, 'bool' }, { 12, 'void *' },
    { 12, 'const void *' }, { 12, 'char *' }, { 12, 'const char *' }, { 1, 'char' },
}
core.kind = { tuple = 13, decimal = 14, uuid = 15, error = 16, datetime = 17, interval = 18, varbinary = 19 }

local probe = ffi.typeof('struct lycosa_codec')
bridge.find_header(probe(), tonumber(probe))
for _, k in ipairs(kinds) do bridge.set_kind(k[1], tonumber(ffi.typeof(k[2]))) end

--- For makers of values whose bytes are not what they must be.
function core.invalid_extension() error(hooks.invalid('invalid extension'), 0) end

--- Say how values of a C type cross: make(pointer, size) copies one out of MessagePack, pack(value) returns the bytes
--- of its extension.
function core.set_kind(kind, ctype, make, pack)
    bridge.set_kind(core.kind[kind], tonumber(ctype), make, pack)
end

--- What functions called by FFI say of a value, as the bridge numbers it; 0 is for what they leave to others.
core.scalar = { absent = 1, no = 2, yes = 3, number = 4, text = 5, found = 6 }

core.map_mt = { __serialize = 'map' }
core.seq_mt = { __serialize = 'seq' }
core.YIELD = newproxy(false)
core.key_names = {}


bridge.set_values(core.NULL, core.map_mt, core.seq_mt,
    function() return shared.scratch.u64 end,
    function() return shared.scratch.i64 end,
    core.YIELD, core.key_names,
    function(message) return hooks.raise(message) end,
    function(details) return hooks.invalid(details) end,
    function(message) return hooks.illegal(message) end)

local function return_values(n, t) return unpack(t, 1, n) end
core.return_values = return_values

-- Go functions by name. Those that may park the fiber leave their results for take().
local take = bridge.take
local functions, blocking = bridge.functions, bridge.blocking
function core.fn(name)
    local f = functions[name]
    if f ~= nil then return f end
    local start = blocking[name]
    if start == nil then error('no Go function ' .. name, 2) end
    return function(...)
        start(...)
        return take()
    end
end

--- Go functions whose results stay where they are, at shared.result, until Go is called again: such a function returns
--- how many there are. Finalizers must not call Go, because they may run while the results are read.
local take_raw = bridge.take_raw
function core.raw_fn(name)
    local start = blocking[name]
    if start == nil then return functions[name] or error('no Go function ' .. name, 2) end
    return function(...)
        start(...)
        return take_raw()
    end
end

-- A coroutine of the program that yields because its fiber parks hands the mark of such a yield to its resumer, which
-- yields it on until the fiber's own coroutine is reached; what continues the fiber goes back down the same way.
local YIELD = core.YIELD
local resume, yield, wrap_create, status, running = coroutine.resume, coroutine.yield, coroutine.create, coroutine.status,
    coroutine.running
core.raw_yield = yield

local function pass(co, ...)
    local ok, mark = ...
    if ok and mark == YIELD then
        yield(YIELD)
        return pass(co, resume(co))
    end
    return ...
end

-- The coroutines that a program made; those of fibers are not among them.
local own = setmetatable({}, { __mode = 'k' })

local function check_function(...)
    if type((...)) ~= 'function' then
        local got = select('#', ...) == 0 and 'no value' or type((...))
        error(("bad argument #1 to '?' (function expected, got %s)"):format(got), 3)
    end
end

function coroutine.create(...)
    check_function(...)
    local f = ...
    local co = wrap_create(f)
    own[co] = true
    return co
end

function coroutine.resume(co, ...)
    if type(co) ~= 'thread' then error("bad argument #1 to '?' (coroutine expected)", 2) end
    return pass(co, resume(co, ...))
end

local function unwrap(ok, ...)
    if ok then return ... end
    error((...), 0)
end

function coroutine.wrap(...)
    check_function(...)
    local f = ...
    local co = wrap_create(f)
    own[co] = true
    return function(...)
        return unwrap(pass(co, resume(co, ...)))
    end
end

function coroutine.running()
    local co = running()
    if own[co] then return co end
    return nil
end

-- Coroutines whose function is inside of a call back from what is C elsewhere: a fiber may park there, but a program that
-- yields by itself is refused as it is used to.
local bounded = setmetatable({}, { __mode = 'k' })
local boundary = 'attempt to yield across C-call boundary'

function coroutine.yield(...)
    local co = running()
    if not own[co] or bounded[co] then error(boundary, 2) end
    return yield(...)
end

local function unbound(co, ok, ...)
    bounded[co] = nil
    if ok then return ... end
    error((...), 0)
end

--- as_c calls f as if it were a function in C.
local function as_c(f, ...)
    local co = running()
    if not own[co] or bounded[co] then return f(...) end
    bounded[co] = true
    return unbound(co, pcall(f, ...))
end

-- A handler of xpcall runs inside of C, with the stack of the error still there. One that has to wait can't do so there;
-- it is called again when the stack is gone.
local raw_xpcall = xpcall

function xpcall(f, handler, ...) -- luacheck: ignore
    if type(handler) ~= 'function' or handler == debug.traceback then return raw_xpcall(f, handler, ...) end
    local again, reason = false, nil
    local function handle(e)
        local ok, result = pcall(handler, e)
        if ok then return result end
        if type(result) == 'cdata' and core.is_error(result) and result.message == boundary then
            again, reason = true, e
            return nil
        end
        error(result, 0)
    end
    local function finish(ok, ...)
        if again then return ok, handler(reason) end
        return ok, ...
    end
    return finish(raw_xpcall(f, handle, ...))
end

core.coroutine_status = status

-- What calls back from C in LuaJIT is Lua here, so that a yield passes through.
local load, loadfile = load, loadfile

function dofile(path)
    local f, err = loadfile(path)
    if f == nil then error(err, 0) end
    return f()
end

local find, sub = string.find, string.sub
local gsub = string.gsub

--- string.gsub with a function: the matches are found first, then the function is called from Lua.
local function gsub_function(s, pattern, repl, n)
    s = tostring(s)
    local out, count, from, len = {}, 0, 1, #s
    local anchored = sub(pattern, 1, 1) == '^'
    local function step(first, last, ...)
        if first == nil then return nil end
        local whole = sub(s, first, last)
        local result
        if select('#', ...) == 0 then result = repl(whole) else result = repl(...) end
        out[#out + 1] = sub(s, from, first - 1)
        if not result then
            out[#out + 1] = whole
        elseif type(result) == 'string' or type(result) == 'number' then
            out[#out + 1] = tostring(result)
        else
            error(("invalid replacement value (a %s)"):format(type(result)), 3)
        end
        count = count + 1
        if last < first then -- an empty match: the character behind it stays
            out[#out + 1] = sub(s, first, first)
            from = first + 1
        else
            from = last + 1
        end
        return true
    end
    while (n == nil or count < n) and from <= len + 1 do
        if not step(find(s, pattern, from)) or anchored then break end
    end
    out[#out + 1] = sub(s, from)
    return table.concat(out), count
end

function string.gsub(s, pattern, repl, n)
    if type(repl) ~= 'function' or type(pattern) ~= 'string' or type(s) ~= 'string' and type(s) ~= 'number' then
        return gsub(s, pattern, repl, n)
    end
    return as_c(gsub_function, s, pattern, repl, n)
end

local sort = table.sort

-- Heapsort: the order of equal elements is nobody's to rely on, and a comparison that is no order can't run out of
-- the array.
local function heapsort(t, n, before)
    local function sift(root, last)
        local value = t[root]
        while true do
            local child = root * 2
            if child > last then break end
            if child < last and before(t[child], t[child + 1]) then child = child + 1 end
            if not before(value, t[child]) then break end
            t[root] = t[child]
            root = child
        end
        t[root] = value
    end
    for root = math.floor(n / 2), 1, -1 do sift(root, n) end
    for last = n, 2, -1 do
        t[1], t[last] = t[last], t[1]
        sift(1, last - 1)
    end
end

--- table.sort; with a comparison function it is Lua, which may yield.
function table.sort(t, before)
    if before == nil then return sort(t) end
    if type(t) ~= 'table' or type(before) ~= 'function' then return sort(t, before) end
    as_c(heapsort, t, #t, before)
end

-- require as LuaJIT has it, in Lua.
local sentinel = newproxy(false)

function require(name)
    if type(name) ~= 'string' then
        error(("bad argument #1 to '?' (string expected, got %s)"):format(type(name)), 2)
    end
    local loaded = package.loaded[name]
    if loaded == sentinel then error(("loop or previous error loading module '%s'"):format(name), 2) end
    if loaded then return loaded end
    local messages = {}
    for _, searcher in ipairs(package.loaders) do
        local loader = searcher(name)
        if type(loader) == 'function' then
            package.loaded[name] = sentinel
            local ok, result = pcall(loader, name)
            if not ok then
                package.loaded[name] = nil
                error(result, 0)
            end
            if result ~= nil then package.loaded[name] = result end
            if package.loaded[name] == sentinel then package.loaded[name] = true end
            return package.loaded[name]
        elseif type(loader) == 'string' then
            messages[#messages + 1] = loader
        end
    end
    error(("module '%s' not found:%s"):format(name, table.concat(messages)), 2)
end

core.load = load

return core

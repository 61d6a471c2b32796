-- Globals that programs of this ecosystem count on beyond LuaJIT's own.
local core = require('internal.core')
local ffi = require('ffi')

local exit = core.fn('os.exit')

--- os.exit([code]): the process ends after the shutdown triggers have run.
os.exit = function(code) -- luacheck: ignore
    if code == nil or type(code) == "boolean" then code = 0 end
    if type(code) ~= 'number' then error('bad argument #1 to \'exit\' (number expected, got ' .. type(code) .. ')', 2) end
    io.stdout:flush()
    io.stderr:flush()
    exit(code)
    while true do core.wait() end
end

local parse = core.fn('tonumber64')

--- tonumber64(value [, base]): a number, or a 64-bit integer where a number would lose digits.
function tonumber64(...) -- luacheck: ignore
    if select('#', ...) < 1 then core.illegal('Usage: tonumber64(arg)', 2) end
    local value, base = ...
    local kind = type(value)
    if kind == 'number' then return value end
    if kind == 'cdata' then
        if ffi.istype('int64_t', value) or ffi.istype('uint64_t', value) then return value end
        return tonumber(value)
    end
    if kind ~= 'string' then return nil end
    if base ~= nil and (type(base) ~= 'number' or base < 2 or base > 36) then
        core.illegal('invalid argument 2, base out of range', 2)
    end
    return parse(value, base)
end

--- table.deepcopy, table.copy, table.equals, table.clear and table.new as the ecosystem has them.
local function deepcopy(orig, seen)
    if type(orig) ~= 'table' then
        return orig
    end
    seen = seen or {}
    if seen[orig] then return seen[orig] end
    local mt = getmetatable(orig)
    local hook = type(mt) == 'table' and mt.__deepcopy
    local copy
    if hook then
        copy = hook(orig)
        seen[orig] = copy
        return copy
    end
    copy = {}
    seen[orig] = copy
    for k, v in next, orig do copy[deepcopy(k, seen)] = deepcopy(v, seen) end
    return setmetatable(copy, mt)
end

local function shallow(orig)
    if type(orig) ~= 'table' then return orig end
    local mt = getmetatable(orig)
    local hook = type(mt) == 'table' and mt.__copy
    if hook then return hook(orig) end
    local copy = {}
    for k, v in next, orig do copy[k] = v end
    return setmetatable(copy, mt)
end

function table.deepcopy(orig) return deepcopy(orig) end

function table.copy(orig, shallow_only)
    if shallow_only then return shallow(orig) end
    return deepcopy(orig)
end

local function equals(a, b)
    if type(a) ~= 'table' or type(b) ~= 'table' then return type(a) == type(b) and a == b end
    local mt_a, mt_b = getmetatable(a), getmetatable(b)
    if mt_a and mt_a.__eq or mt_b and mt_b.__eq then return a == b end
    for k, v in pairs(a) do
        if not equals(v, b[k]) then return false end
    end
    for k in pairs(b) do
        if type(a[k]) == 'nil' then return false end
    end
    return true
end
table.equals = equals
table.clear = require('table.clear')
table.new = require('table.new')

local function trim(s) return (s:gsub('^%s+', ''):gsub('%s+$', '')) end

--- string methods of the ecosystem.
function string.split(s, separator, max)
    if type(s) ~= 'string' then error("bad argument #1 to 'split' (string expected, got " .. type(s) .. ')', 2) end
    local parts = {}
    if separator == nil then
        local from = 1
        s = s:match('^%s*(.*)$')
        while true do
            if max ~= nil and #parts >= max then
                if from <= #s then parts[#parts + 1] = s:sub(from) end
                return parts
            end
            local first, last = s:find('%s+', from)
            if first == nil then
                if from <= #s then parts[#parts + 1] = s:sub(from) end
                return parts
            end
            parts[#parts + 1] = s:sub(from, first - 1)
            from = last + 1
        end
    end
    if separator == '' then error("empty separator", 2) end
    local from = 1
    while max == nil or #parts < max do
        local first, last = s:find(separator, from, true)
        if first == nil then break end
        parts[#parts + 1] = s:sub(from, first - 1)
        from = last + 1
    end
    parts[#parts + 1] = s:sub(from)
    return parts
end

function string.startswith(s, head, from, to)
    s = s:sub(from or 1, to)
    return s:sub(1, #head) == head
end

function string.endswith(s, tail, from, to)
    s = s:sub(from or 1, to)
    return tail == '' or s:sub(-#tail) == tail
end

function string.strip(s) return trim(s) end

function string.lstrip(s) return (s:gsub('^%s+', '')) end

function string.rstrip(s) return (s:gsub('%s+$', '')) end

function string.ljust(s, width, char) return s .. (char or ' '):rep(width - #s) end

function string.rjust(s, width, char) return (char or ' '):rep(width - #s) .. s end

function string.center(s, width, char)
    local left = math.floor((width - #s) / 2)
    if left <= 0 and width <= #s then return s end
    return (char or ' '):rep(left) .. s .. (char or ' '):rep(width - #s - left)
end

local digits = '0123456789abcdef'

function string.hex(s)
    return (s:gsub('.', function(c)
        local b = c:byte()
        return digits:sub(b / 16 + 1, b / 16 + 1) .. digits:sub(b % 16 + 1, b % 16 + 1)
    end))
end

function string.fromhex(s)
    if #s % 2 ~= 0 then error('bad argument to fromhex (even amount of symbols expected)', 2) end
    if s:find('%X') then error('bad argument to fromhex (a hex string expected)', 2) end
    return (s:gsub('..', function(pair) return string.char(tonumber(pair, 16)) end))
end

_TARANTOOL = core.fn('version')() -- luacheck: ignore

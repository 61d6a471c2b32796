-- What the library table has beyond LuaJIT's own.
local function hook_of(t, name)
    local mt = getmetatable(t)
    return type(mt) == 'table' and mt[name] or nil
end

local function deepcopy(original, seen)
    if type(original) ~= 'table' then return original end
    local copy = seen[original]
    if copy ~= nil then return copy end
    local hook = hook_of(original, '__copy')
    if hook ~= nil then
        copy = hook(original)
        seen[original] = copy
        return copy
    end
    copy = {}
    seen[original] = copy
    for k, v in next, original do copy[deepcopy(k, seen)] = deepcopy(v, seen) end
    return setmetatable(copy, getmetatable(original))
end

--- table.deepcopy(value): a copy of a table and of all tables in it. __copy of a metatable makes its own.
function table.deepcopy(original) return deepcopy(original, {}) end

--- table.copy(value): a copy of a table with the same values. __copy of a metatable makes its own.
function table.copy(original)
    if type(original) ~= 'table' then return original end
    local hook = hook_of(original, '__copy')
    if hook ~= nil then return hook(original) end
    local copy = {}
    for k, v in next, original do copy[k] = v end
    return setmetatable(copy, getmetatable(original))
end

--- table.equals(a, b): whether two values are equal, tables by what is in them.
local function equals(a, b)
    if type(a) ~= 'table' or type(b) ~= 'table' then return type(a) == type(b) and a == b end
    if hook_of(a, '__eq') ~= nil or hook_of(b, '__eq') ~= nil then return a == b end
    for k, v in next, a do
        if not equals(v, b[k]) then return false end
    end
    for k in next, b do
        if type(a[k]) == 'nil' then return false end
    end
    return true
end
table.equals = equals

table.clear = require('table.clear')
table.new = require('table.new')

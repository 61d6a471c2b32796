-- Values as text that is Lua: the console's output format "lua", on one line, or a line for each field of a table ("block").
local core = require('internal.core')
local ffi = require('ffi')

local keywords = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat return then true until
    while]]):gmatch('%S+') do keywords[word] = true end

local function is_name(k) return type(k) == 'string' and k:find('^[%a_][%w_]*$') ~= nil and not keywords[k] end

local function quoted(s) return (('%q'):format(s):gsub('\\\n', '\\n')) end

local format

-- indent is the space before the line that the table begins on, nil for all on one line.
local function format_table(t, seen, indent)
    if seen[t] then return '{--[[itself]]}' end
    local mt = getmetatable(t)
    if type(mt) == 'table' and type(mt.__serialize) == 'function' then return format(mt.__serialize(t), seen, indent) end
    seen[t] = true
    local inner = indent and indent .. '  '
    local parts, n = {}, 0
    for i, v in ipairs(t) do
        parts[i] = format(v, seen, inner)
        n = i
    end
    local named = {}
    for k, v in pairs(t) do
        if not (type(k) == 'number' and k >= 1 and k <= n and math.floor(k) == k) then
            local key = is_name(k) and k or ('[%s]'):format(format(k, seen))
            named[#named + 1] = key .. ' = ' .. format(v, seen, inner)
        end
    end
    table.sort(named)
    for _, text in ipairs(named) do parts[#parts + 1] = text end
    seen[t] = nil
    if inner == nil or #parts == 0 then return '{' .. table.concat(parts, ', ') .. '}' end
    return '{\n' .. inner .. table.concat(parts, ',\n' .. inner) .. '\n' .. indent .. '}'
end

function format(v, seen, indent)
    local kind = type(v)
    if kind == 'string' then return quoted(v) end
    if kind == 'table' then return format_table(v, seen, indent) end
    if kind == 'number' then
        if v ~= v then return '0/0' end
        if v == math.huge then return 'math.huge' end
        if v == -math.huge then return '-math.huge' end
        return ('%.14g'):format(v)
    end
    if kind ~= 'cdata' then return kind == 'boolean' and tostring(v) or kind == 'nil' and 'nil' or quoted(tostring(v)) end
    if core.is_tuple(v) then return format(v:totable(), seen, indent) end
    if v == nil then return 'box.NULL' end
    if ffi.istype('int64_t', v) or ffi.istype('uint64_t', v) then return tostring(v) end
    if core.is_error(v) then return quoted(v.message) end
    return quoted(tostring(v))
end

return function(v, block) return format(v, {}, block and '' or nil) end

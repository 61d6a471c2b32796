-- The module utf8: texts as characters. Positions are those of bytes, but for sub(), which counts characters.
local core = require('internal.core')

local go_upper, go_lower, go_cmp, go_casecmp = core.fn('utf8.upper'), core.fn('utf8.lower'), core.fn('utf8.cmp'),
    core.fn('utf8.casecmp')

local decode = require('internal.characters').decode

local function encode(code)
    local char, floor = string.char, math.floor
    if code < 0x80 then return char(code) end
    if code < 0x800 then return char(0xc0 + floor(code / 64), 0x80 + code % 64) end
    if code < 0x10000 then
        return char(0xe0 + floor(code / 4096), 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
    end
    return char(0xf0 + floor(code / 262144), 0x80 + floor(code / 4096) % 64, 0x80 + floor(code / 64) % 64, 0x80 + code % 64)
end

local utf8 = {}

local function check_text(s, usage)
    if type(s) ~= 'string' then error('Usage: ' .. usage, 3) end
end

--- len(s [, i [, j]]): the number of characters that start between bytes i and j; nil and the position of what is none.
function utf8.len(s, i, j)
    check_text(s, 'utf8.len(<string>, [i, [j]])')
    i, j = i or 1, j or -1
    if i < 0 then i = #s + i + 1 end
    if j < 0 then j = #s + j + 1 end
    if i < 1 or i > #s + 1 or j > #s then return nil, 'position is out of string' end
    local n = 0
    while i <= j do
        local code, after = decode(s, i)
        if code == nil then return nil, i end
        n, i = n + 1, after
    end
    return n
end

--- sub(s, i [, j]): the characters from the i-th to the j-th.
function utf8.sub(s, i, j)
    if type(s) ~= 'string' or type(i) ~= 'number' then error('Usage: utf8.sub(<string>, [i, [j]])', 2) end
    j = j or -1
    local starts, at = {}, 1
    while at <= #s do
        starts[#starts + 1] = at
        local _, after = decode(s, at)
        at = after or at + 1
    end
    local n = #starts
    starts[n + 1] = #s + 1
    if i < 0 then i = n + i + 1 end
    if j < 0 then j = n + j + 1 end
    i, j = math.max(i, 1), math.min(j, n)
    if i > j then return '' end
    return s:sub(starts[i], starts[j + 1] - 1)
end

--- next(s [, position]): the position behind the character there, and its code point.
function utf8.next(s, position)
    check_text(s, 'utf8.next(<string>, [position])')
    local code, after = decode(s, position or 1)
    if code ~= nil then return after, code end
end

function utf8.char(...)
    if select('#', ...) == 0 then error('Usage: utf8.char(<char code>', 2) end
    local out = {}
    for i = 1, select('#', ...) do
        local code = (select(i, ...))
        if type(code) ~= 'number' then error("bad argument #1 to '?' (number expected, got " .. type(code) .. ')', 2) end
        out[i] = encode(code)
    end
    return table.concat(out)
end

function utf8.upper(s)
    check_text(s, 'utf8.upper(<string>)')
    return go_upper(s)
end

function utf8.lower(s)
    check_text(s, 'utf8.lower(<string>)')
    return go_lower(s)
end

--- cmp(a, b): -1, 0 or 1, by the order of the Unicode Collation Algorithm.
function utf8.cmp(a, b)
    if type(a) ~= 'string' or type(b) ~= 'string' then error('Usage: utf8.cmp(<string1>, <string2>)', 2) end
    return go_cmp(a, b)
end

--- casecmp(a, b): cmp without a difference between upper and lower case.
function utf8.casecmp(a, b)
    if type(a) ~= 'string' or type(b) ~= 'string' then error('Usage: utf8.casecmp(<string1>, <string2>)', 2) end
    return go_casecmp(a, b)
end

for _, name in ipairs { 'isalpha', 'isdigit', 'islower', 'isupper' } do
    local is = core.fn('utf8.' .. name)
    utf8[name] = function(c)
        if type(c) == 'string' then
            local code, after = decode(c, 1)
            if code == nil or after <= #c then return false end
            c = code
        elseif type(c) ~= 'number' then
            error(('Usage: utf8.%s(<string> or <one symbol code>)'):format(name), 2)
        end
        return is(c)
    end
end

return utf8

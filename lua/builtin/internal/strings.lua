-- What the library string has beyond LuaJIT's own.
local function wrong(n, name, expected, got, level)
    error(("bad argument #%d to 'string.%s' (%s expected, got %s)"):format(n, name, expected, got), (level or 2) + 1)
end

local function check_string(n, name, v)
    if type(v) ~= 'string' then wrong(n, name, 'string', type(v), 3) end
end

local function check_count(n, name, v, default)
    if v == nil and default ~= nil then return default end
    if type(v) ~= 'number' or v < 0 or math.floor(v) ~= v then wrong(n, name, 'positive integer', type(v), 3) end
    return v
end

local function split_at_spaces(s, max)
    local parts = {}
    local from = s:find('%S')
    while from ~= nil do
        if #parts >= max then
            parts[#parts + 1] = s:sub(from)
            break
        end
        local first, last = s:find('%s+', from)
        parts[#parts + 1] = s:sub(from, (first or 0) - 1)
        from = first and s:find('%S', last + 1)
    end
    return parts
end

--- string.split(s [, separator [, max]]): the parts between separators, of which no more than max count. Without a
--- separator the parts are what stands between blanks.
function string.split(s, separator, max)
    check_string(1, 'split', s)
    if separator ~= nil then
        check_string(2, 'split', separator)
        if separator == '' then wrong(2, 'split', 'non-empty string', 'empty string') end
    end
    max = check_count(3, 'split', max, math.huge)
    if separator == nil then return split_at_spaces(s, max) end
    local parts, from = {}, 1
    while #parts < max do
        local first, last = s:find(separator, from, true)
        if first == nil then break end
        parts[#parts + 1] = s:sub(from, first - 1)
        from = last + 1
    end
    parts[#parts + 1] = s:sub(from)
    return parts
end

--- string.startswith(s, head [, from [, to]]): whether s, or the part of it, begins with head.
function string.startswith(s, head, from, to)
    check_string(1, 'startswith', s)
    check_string(2, 'startswith', head)
    return s:sub(from or 1, to):sub(1, #head) == head
end

--- string.endswith(s, tail [, from [, to]]): whether s, or the part of it, ends with tail.
function string.endswith(s, tail, from, to)
    check_string(1, 'endswith', s)
    check_string(2, 'endswith', tail)
    return tail == '' or s:sub(from or 1, to):sub(-#tail) == tail
end

-- set_of makes a pattern's set of the characters to strip; blanks by default.
local function set_of(name, s, chars)
    check_string(1, name, s)
    if chars == nil then return '%s' end
    check_string(2, name, chars)
    if chars == '' then return nil end
    return '[' .. chars:gsub('[%W]', '%%%0') .. ']'
end

function string.lstrip(s, chars)
    local set = set_of('lstrip', s, chars)
    return set and s:match('^' .. set .. '*(.*)$') or s
end

local function strip_right(s, set)
    for i = #s, 1, -1 do
        if not s:find(set, i) then return s:sub(1, i) end
        if s:find(set, i) ~= i then return s:sub(1, i) end
    end
    return ''
end

function string.rstrip(s, chars)
    local set = set_of('rstrip', s, chars)
    return set and strip_right(s, set) or s
end

function string.strip(s, chars)
    local set = set_of('strip', s, chars)
    return set and strip_right(s:match('^' .. set .. '*(.*)$'), set) or s
end

local function padding(name, s, width, char)
    check_string(1, name, s)
    check_count(2, name, width)
    if char == nil then return ' ' end
    if type(char) ~= 'string' or #char ~= 1 then wrong(3, name, 'char', type(char), 3) end
    return char
end

function string.ljust(s, width, char)
    char = padding('ljust', s, width, char)
    return s .. char:rep(width - #s)
end

function string.rjust(s, width, char)
    char = padding('rjust', s, width, char)
    return char:rep(width - #s) .. s
end

function string.center(s, width, char)
    char = padding('center', s, width, char)
    local missing = math.max(width - #s, 0)
    local left = math.floor(missing / 2)
    return char:rep(left) .. s .. char:rep(missing - left)
end

-- Bytes as two digits, and back.
local digits_of, byte_of = {}, {}
for i = 0, 255 do
    local c, digits = string.char(i), ('%02x'):format(i)
    digits_of[c] = digits
    local a, b = digits:sub(1, 1), digits:sub(2, 2)
    for _, x in ipairs { a, a:upper() } do
        for _, y in ipairs { b, b:upper() } do byte_of[x .. y] = c end
    end
end

function string.hex(s)
    check_string(1, 'hex', s)
    return (s:gsub('.', digits_of))
end

function string.fromhex(s)
    check_string(1, 'fromhex', s)
    if #s % 2 ~= 0 then wrong(1, 'fromhex', 'even amount of chars', 'odd amount') end
    if s:find('%X') then wrong(1, 'fromhex', 'hex string', 'non hex chars') end
    return (s:gsub('..', byte_of))
end

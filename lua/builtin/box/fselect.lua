-- fselect: what a select finds as a table of text, for people. gselect and jselect write it for Markdown and for Jira.
local fselect = {}

-- How the lines of each kind of table look: what is between the cells of the head and of the rows, and which lines are
-- drawn between them.
local kinds = {
    sql = {head = '|', row = '|', corner = '+', outer = true},
    gh = {head = '|', row = '|', corner = '|'},
    jira = {head = '||', row = '|'},
}

-- The longest cell; longer texts are cut off.
local MAX_WIDTH = 140

local utf8_char = '[%z\1-\127\194-\244][\128-\191]*'

local function width(text)
    local _, n = text:gsub(utf8_char, '')
    return n
end

local function centre(text, size)
    local free = size - width(text)
    local left = math.floor(free / 2)
    return (' '):rep(left + 1) .. text .. (' '):rep(free - left + 1)
end

local function cut(text, size)
    if width(text) <= size then
        return text
    end
    local out = {}
    for char in text:gmatch(utf8_char) do
        if #out == size then
            break
        end
        out[#out + 1] = char
    end
    return table.concat(out)
end

-- The text of a field in one line.
local function cell(value)
    if value == nil then
        return 'null'
    elseif type(value) == 'table' then
        value = require('json').encode(value)
    end
    return cut((tostring(value):gsub('%c', ' ')), MAX_WIDTH)
end

local function columns_of(tuples, format)
    local count = #format
    for _, tuple in ipairs(tuples) do
        count = math.max(count, #tuple)
    end
    local names = {}
    for i = 1, count do
        names[i] = format[i] and format[i].name or 'col' .. i
    end
    return names
end

local function line(cells, sizes, edge)
    local out = {}
    for i, text in ipairs(cells) do
        out[i] = centre(text, sizes[i])
    end
    return edge .. table.concat(out, edge) .. edge
end

local function ruler(sizes, corner)
    local out = {}
    for i, size in ipairs(sizes) do
        out[i] = ('-'):rep(size + 2)
    end
    return corner .. table.concat(out, corner) .. corner
end

-- The lines of a table of tuples.
function fselect.lines(tuples, format, kind)
    kind = kinds[kind] or kinds.sql
    local names = columns_of(tuples, format)
    local rows, sizes = {}, {}
    for i, name in ipairs(names) do
        sizes[i] = width(name)
    end
    for r, tuple in ipairs(tuples) do
        rows[r] = {}
        for i = 1, #names do
            local text = i <= #tuple and cell(tuple[i]) or ''
            rows[r][i] = text
            sizes[i] = math.max(sizes[i], width(text))
        end
    end
    local out = {}
    local rule = kind.corner and ruler(sizes, kind.corner)
    out[#out + 1] = kind.outer and rule or nil
    out[#out + 1] = line(names, sizes, kind.head)
    out[#out + 1] = rule
    for _, row in ipairs(rows) do
        out[#out + 1] = line(row, sizes, kind.row)
    end
    out[#out + 1] = kind.outer and rule or nil
    return out
end

-- Makes the methods of spaces and indexes. format(object) is the format of the space that the object belongs to.
function fselect.methods(format)
    local function method(kind)
        return function(self, key, options, look)
            look = look or options or {}
            local lines = fselect.lines(self:select(key, options), format(self), look.fselect_type or kind)
            if look.fselect_print then
                print(table.concat(lines, '\n'))
                return
            end
            return lines
        end
    end
    return {fselect = method('sql'), gselect = method('gh'), jselect = method('jira')}
end

return fselect

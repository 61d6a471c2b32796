-- How a text is written as a YAML scalar: which styles can hold it, and each style's form.
local decode = require('internal.characters').decode
local byte, find, format, sub = string.byte, string.find, string.format, string.sub

local scalar = {}

local best_width = 80

-- Characters that a plain scalar can't start with, and those that end one in a flow collection.
local never_first = {}
for c in ('#,[]{}&*!|>\'"%@`'):gmatch('.') do never_first[byte(c)] = true end
local in_flow = {}
for c in (',?[]{}'):gmatch('.') do in_flow[byte(c)] = true end

local function is_space(c) return c == nil or c == 32 or c == 9 or c == 10 or c == 13 end

--- next_char(s, i) -> the code point at i and the position behind it; nil for a byte that starts no character.
local function next_char(s, i)
    local code, behind = decode(s, i)
    if code == nil then return nil, i + 1 end
    return code, behind
end

-- What may stand in a scalar without an escape. Line separators are not among them: they break lines in YAML 1.1.
local function printable(code)
    return code == 10 or code >= 0x20 and code < 0x7f
        or code >= 0xa0 and code <= 0xfffd and code ~= 0xfeff and code ~= 0x2028 and code ~= 0x2029
end

--- analyze(s) tells what s holds that matters for the choice of a style.
function scalar.analyze(s)
    if s == '' then return { plain = true, flow_plain = false, single = true, block = false, multiline = false } end
    local first, last = byte(s), byte(s, -1)
    local special, flow_indicator, block_indicator = false, false, false
    local head = sub(s, 1, 3)
    if head == '---' or head == '...' then flow_indicator, block_indicator = true, true end
    if find(s, '[^ !-~]') then
        local i = 1
        while i <= #s do
            local code
            code, i = next_char(s, i)
            if code == nil or not printable(code) then
                special = true
                break
            end
        end
    end
    local after = is_space(byte(s, 2))
    if never_first[first] or first == 45 and after then
        flow_indicator, block_indicator = true, true
    elseif first == 63 or first == 58 then -- ? :
        flow_indicator = true
        block_indicator = block_indicator or after
    end
    if find(s, '[,?:%[%]{}#]', 2) then
        for i = 2, #s do
            local c = byte(s, i)
            if in_flow[c] then
                flow_indicator = true
            elseif c == 58 then
                flow_indicator = true
                block_indicator = block_indicator or is_space(byte(s, i + 1))
            elseif c == 35 and is_space(byte(s, i - 1)) then
                flow_indicator, block_indicator = true, true
            end
        end
    end
    local breaks = find(s, '\n', 1, true) ~= nil
    local edge = first == 32 or first == 10 or last == 32 or last == 10
    local space_break, break_space = find(s, ' \n', 1, true) ~= nil, find(s, '\n ', 1, true) ~= nil
    local safe = not special and not space_break
    return {
        multiline = breaks,
        flow_plain = safe and not (flow_indicator or edge or breaks),
        plain = safe and not (block_indicator or edge or breaks),
        single = safe and not break_space,
        block = safe and last ~= 32,
    }
end

local escapes = { [0] = '\\0', [7] = '\\a', [8] = '\\b', [9] = '\\t', [10] = '\\n', [11] = '\\v', [12] = '\\f', [13] = '\\r',
    [27] = '\\e', [34] = '\\"', [92] = '\\\\', [0x85] = '\\N', [0xa0] = '\\_', [0x2028] = '\\L', [0x2029] = '\\P' }

local function escape(code)
    local known = escapes[code]
    if known ~= nil then return known end
    if code <= 0xff then return format('\\x%02X', code) end
    if code <= 0xffff then return format('\\u%04X', code) end
    return format('\\U%08X', code)
end

-- A writer w is that of the module yaml: put(text, columns) writes, write_indent() starts a line, indicator() writes
-- what is not content. may_break: lines that are too long may be broken at spaces.

--- plain, or the inside of a single-quoted scalar: the same but for the doubled quotes and the empty lines.
local function write_folded(w, s, may_break, quoted)
    local spaces, breaks = false, false
    local i, n = 1, #s
    while i <= n do
        local c = byte(s, i)
        if c == 32 then
            local inner = not quoted or i > 1 and i < n
            if may_break and not spaces and w.column > best_width and inner and byte(s, i + 1) ~= 32 then
                w:write_indent()
            else
                w:put(' ', 1)
            end
            spaces = true
            i = i + 1
        elseif c == 10 then
            if not breaks then w:put('\n', 0) end
            w:put('\n', 0)
            w.column = 0
            w.indention, breaks = true, true
            i = i + 1
        else
            if breaks then w:write_indent() end
            local code, after = next_char(s, i)
            if code ~= nil and code < 0x80 then
                -- as much as can't change anything in one piece
                local _, stop = find(s, "^[!-&(-~]+", i)
                if stop ~= nil then after = stop + 1 end
                local text = sub(s, i, after - 1)
                if quoted and c == 39 then w:put("''", 2) else w:put(text, #text) end
            else
                w:put(sub(s, i, after - 1), 1)
            end
            w.indention, spaces, breaks = false, false, false
            i = after
        end
    end
end

function scalar.write_plain(w, s, may_break)
    if not w.whitespace then w:put(' ', 1) end
    write_folded(w, s, may_break, false)
    w.whitespace, w.indention = false, false
end

function scalar.write_single(w, s, may_break)
    w:indicator("'", true, false, false)
    write_folded(w, s, may_break, true)
    w:indicator("'", false, false, false)
    w.whitespace, w.indention = false, false
end

function scalar.write_double(w, s, may_break)
    w:indicator('"', true, false, false)
    local spaces = false
    local i, n = 1, #s
    while i <= n do
        local code, after = next_char(s, i)
        if code == nil then
            w:put(format('\\x%02X', byte(s, i)), 4)
            spaces = false
        elseif not printable(code) or code == 10 or code == 34 or code == 92 then
            local text = escape(code)
            w:put(text, #text)
            spaces = false
        elseif code == 32 then
            if may_break and not spaces and w.column > best_width and i > 1 and i < n then
                w:write_indent()
                if byte(s, i + 1) == 32 then w:put('\\', 1) end
            else
                w:put(' ', 1)
            end
            spaces = true
        else
            w:put(sub(s, i, after - 1), 1)
            spaces = false
        end
        i = after
    end
    w:indicator('"', false, false, false)
    w.whitespace, w.indention = false, false
end

--- literal: the lines as they are, behind a header that says how they are indented and whether the last one ends.
function scalar.write_literal(w, s)
    w:indicator('|', true, false, false)
    local first = byte(s)
    if first == 32 or first == 10 then w:put('2', 1) end
    if byte(s, -1) ~= 10 then
        w:put('-', 1)
    elseif #s == 1 or byte(s, -2) == 10 then
        w:put('+', 1)
    end
    w:put('\n', 0)
    w.column, w.indention, w.whitespace = 0, true, true
    for line, ending in s:gmatch('([^\n]*)(\n?)') do
        if line ~= '' then
            w:write_indent()
            w:put(line, #line)
            w.indention = false
        end
        if ending ~= '' then
            w:put('\n', 0)
            w.column, w.indention = 0, true
        end
    end
end

return scalar

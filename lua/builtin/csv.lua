-- The module csv: tables of comma-separated values (RFC 4180, with other delimiters and quotes on request).
local csv = {}

local function options_of(o)
    o = o or {}
    return {
        delimiter = o.delimiter or ',',
        quote = o.quote_char or '"',
        chunk = o.chunk_size or 4096,
        skip = o.skip_head_lines or 0,
    }
end

-- reader returns a function that yields the next piece of text, nil at the end.
local function reader(source, chunk)
    if type(source) == 'string' then
        local text = source
        return function()
            local piece = text
            text = nil
            return piece
        end
    end
    if (type(source) ~= 'table' and type(source) ~= 'userdata' and type(source) ~= 'cdata') then
        error('Usage: load(string or object with method read(num) returning string)', 4)
    end
    return function()
        local piece = source:read(chunk)
        if piece == nil or piece == '' then return nil end
        return piece
    end
end

--- rows(next_piece, options) returns a function that yields one row after another. What a quote leaves open at the end of
--- the text is no row.
local function rows(next_piece, o)
    local buffer, at, ended = '', 1, false
    local special = '[' .. ('%' .. o.delimiter .. '%' .. o.quote) .. '\r\n ]'

    -- more appends a piece of text to what is left; false at the end.
    local function more()
        if ended then return false end
        local piece = next_piece()
        if piece == nil then
            ended = true
            return false
        end
        buffer = buffer:sub(at) .. piece
        at = 1
        return true
    end

    local function peek(i)
        while i > #buffer do
            local distance = i - at
            if not more() then return nil end
            i = at + distance
        end
        return buffer:sub(i, i), i
    end

    -- field reads up to the delimiter or the end of the line: the field's text, and what ended it. A quote begins and ends
    -- what is taken as it is; two quotes in a row stand for one. Blanks around the rest don't count.
    local function field()
        local parts, blanks = {}, ''
        local quoted, after_quote, doubled = false, false, false
        local function add(text)
            parts[#parts + 1] = blanks
            parts[#parts + 1] = text
            blanks = ''
        end
        while true do
            local c = peek(at)
            if c == nil then
                if quoted and (not after_quote or doubled) then return nil, 'open' end
                return table.concat(parts), 'end'
            end
            at = at + 1
            if c == o.quote then
                if after_quote and not doubled then
                    add(o.quote)
                    doubled = true
                else
                    add('')
                    doubled = false
                end
                quoted = not quoted
                after_quote = true
            else
                after_quote = false
                if quoted then
                    local stop = buffer:find(o.quote, at, true) or #buffer + 1
                    add(buffer:sub(at - 1, stop - 1))
                    at = stop
                elseif c == o.delimiter then
                    return table.concat(parts), 'delimiter'
                elseif c == '\n' or c == '\r' then
                    if c == '\r' and peek(at) == '\n' then at = at + 1 end
                    return table.concat(parts), 'line'
                elseif c == ' ' then
                    if #parts > 0 then blanks = blanks .. ' ' end
                else
                    local stop = buffer:find(special, at) or #buffer + 1
                    add(buffer:sub(at - 1, stop - 1))
                    at = stop
                end
            end
        end
    end

    local count = 0
    return function()
        while true do
            if peek(at) == nil then return nil end
            local row = {}
            while true do
                local text, ending = field()
                if text == nil then
                    require('log').warn('CSV file has errors')
                    return nil
                end
                row[#row + 1] = text
                if ending ~= 'delimiter' then break end
                if peek(at) == nil then
                    row[#row + 1] = ''
                    break
                end
            end
            count = count + 1
            if count > o.skip then return row end
        end
    end
end

--- iterate(source [, options]): an iterator over numbered rows.
function csv.iterate(source, options)
    local o = options_of(options)
    local next_row = rows(reader(source, o.chunk), o)
    return function(_, i)
        local row = next_row()
        if row ~= nil then return i + 1, row end
    end, nil, 0
end

--- load(source [, options]): all rows. The source is a string, or an object with a method read(count).
function csv.load(source, options)
    local o = options_of(options)
    local all = {}
    for row in rows(reader(source, o.chunk), o) do all[#all + 1] = row end
    return all
end

--- dump(rows [, options [, writable]]): the text of rows, or of a single one; writable:write(text) takes it if given.
function csv.dump(t, options, writable)
    if type(t) ~= 'table' then error('Usage: dump(table[, opts, writable])', 2) end
    local o = options_of(options)
    local special = '[%' .. o.delimiter .. '\r\n]'
    local function write_field(v)
        local text = tostring(v):gsub('%' .. o.quote, '%0%0')
        if not text:find(special) then return text end
        return o.quote .. text .. o.quote
    end
    local out = {}
    local function write_row(row)
        local fields = {}
        for i = 1, table.maxn(row) do fields[i] = write_field(row[i]) end
        local line = table.concat(fields, o.delimiter) .. '\n'
        if writable ~= nil then writable:write(line) else out[#out + 1] = line end
    end
    if type(t[1]) ~= 'table' then
        write_row(t)
    else
        for _, row in ipairs(t) do write_row(row) end
    end
    if writable == nil then return table.concat(out) end
end

return csv

-- The module yaml. Decoding happens in Go; encoding is here: tables in block style, or in flow style where __serialize
-- asks for it, and tables that occur more than once as anchors and aliases.
local core = require('internal.core')
local ffi = require('ffi')
local scalar = require('internal.yaml_scalar')
local serializer = require('internal.serializer')

local NULL = core.NULL
local go_decode, go_tag, base64 = core.fn('yaml.decode'), core.fn('yaml.tag'), core.fn('yaml.base64')
local floor, format = math.floor, string.format
local raise = serializer.raise

-- Writer: a text that grows, and where its end is: the column, whether it ends in a blank, whether there is nothing but
-- indentation on its last line.
local writer = {}
writer.__index = writer

local function new_writer(options)
    return setmetatable({ options = options, n = 0, column = 0, whitespace = true, indention = true, indent = -1, flow = 0,
        last_anchor = -1 }, writer)
end

function writer:put(text, width)
    self.n = self.n + 1
    self[self.n] = text
    self.column = self.column + width
end

function writer:write_indent()
    local indent = self.indent < 0 and 0 or self.indent
    if not self.indention or self.column > indent or self.column == indent and not self.whitespace then
        self:put('\n', 0)
        self.column = 0
    end
    if self.column < indent then
        local n = indent - self.column
        self:put((' '):rep(n), n)
    end
    self.whitespace, self.indention = true, true
end

function writer:indicator(text, need_space, is_space, is_indention)
    if need_space and not self.whitespace then self:put(' ', 1) end
    self:put(text, #text)
    self.whitespace = is_space
    self.indention = self.indention and is_indention
end

--- deeper starts a level of nesting and returns the indentation to go back to.
function writer:deeper(flow, indentless)
    local outer = self.indent
    if outer < 0 then
        self.indent = flow and 2 or 0
    elseif not indentless then
        self.indent = outer + 2
    end
    return outer
end

-- Which plain texts are not strings.
local words = { ['~'] = true, ['null'] = true, ['true'] = true, ['false'] = true, yes = true, no = true }

local function looks_like_number(s)
    if not s:find('^[-+.%dnNiI]') then return false end
    return tonumber(s) ~= nil or s:find('^[-+]?%d+$') ~= nil
end

--- write_text writes a scalar in a style, or in another where that one can't hold it.
function writer:write_text(s, style, as_key, is_string)
    local a = scalar.analyze(s)
    if as_key and a.multiline then style = 'double' end
    if style == 'plain' then
        if self.flow > 0 and not a.flow_plain or self.flow == 0 and not a.plain or s == '' and (self.flow > 0 or as_key) or
            is_string and (words[s] or looks_like_number(s)) then
            style = 'single'
        end
    end
    if style == 'single' and not a.single then style = 'double' end
    if style == 'literal' and (not a.block or self.flow > 0 or as_key) then style = 'double' end
    local outer = self:deeper(true, false)
    scalar['write_' .. style](self, s, not as_key)
    self.indent = outer
end

function writer:write_string(s, as_key)
    local style = 'plain'
    if serializer.pretty_multiline and s:find('\n', 1, true) then
        style = 'literal'
    elseif self.flow > 0 then
        style = 'single'
    end
    self:write_text(s, style, as_key, true)
end

local function number_text(v, precision)
    if v ~= v then return 'nan' end
    if v == math.huge then return 'inf' end
    if v == -math.huge then return '-inf' end
    if floor(v) == v and v >= -2 ^ 63 and v < 2 ^ 64 then return format('%.0f', v) end
    return format('%.' .. precision .. 'g', v)
end

-- shape decides between array and map: the number of elements, or nil for a map.
local function array_size(t, options)
    local count, top = 0, 0
    for k in next, t do
        if type(k) ~= 'number' or k < 1 or floor(k) ~= k then return nil end
        count = count + 1
        if k > top then top = k end
    end
    local ratio = options.encode_sparse_ratio
    if ratio > 0 and top > options.encode_sparse_safe and top > count * ratio then
        if not options.encode_sparse_convert then raise('excessively sparse array') end
        return nil
    end
    return top
end

local forms = {
    seq = { kind = 'array', flow = true }, map = { kind = 'map', flow = true }, sequence = { kind = 'array' },
    array = { kind = 'array' }, mapping = { kind = 'map' },
}
local automatic = {}

local function serialize_of(v)
    if type(v) == 'cdata' then
        local ok, f = pcall(function() return v.__serialize end)
        return ok and f or nil
    end
    local mt = debug.getmetatable(v)
    return type(mt) == 'table' and mt.__serialize or nil
end

--- write(v, context, as_key): context is 'root', 'seq' or 'map', what v stands in; level is the nesting so far.
local write

local function write_array(w, t, n, context, level)
    if n == 0 then
        w:indicator('[', true, true, false)
        w:indicator(']', false, false, false)
        return
    end
    if w.flow > 0 then
        w:indicator('[', true, true, false)
        local outer = w:deeper(true, false)
        for i = 1, n do
            if i > 1 then w:indicator(',', false, false, false) end
            if w.column > 80 then w:write_indent() end
            write(w, t[i], 'seq', false, level)
        end
        w.indent = outer
        w:indicator(']', false, false, false)
        return
    end
    local outer = w:deeper(false, context == 'map' and not w.indention)
    for i = 1, n do
        w:write_indent()
        w:indicator('-', true, false, true)
        write(w, t[i], 'seq', false, level)
    end
    w.indent = outer
end

-- A key can stand on the line of its value when it is short and has no lines of its own.
local function is_simple_key(w, k)
    local kind = type(k)
    if kind == 'string' then return #k <= 128 and not k:find('\n', 1, true) end
    if kind == 'table' then return w.written[k] ~= nil or next(k) == nil end
    return true
end

local function write_map(w, t, level)
    local flow = w.flow > 0
    if next(t) == nil then
        w:indicator('{', true, true, false)
        w:indicator('}', false, false, false)
        return
    end
    if flow then w:indicator('{', true, true, false) end
    local outer = w:deeper(flow, false)
    local first = true
    for k, v in next, t do
        if flow then
            if not first then w:indicator(',', false, false, false) end
            if w.column > 80 then w:write_indent() end
        else
            w:write_indent()
        end
        first = false
        if is_simple_key(w, k) then
            write(w, k, 'map', true, level)
            w:indicator(':', false, false, false)
        else
            w:indicator('?', true, false, not flow)
            write(w, k, 'map', false, level)
            if not flow then w:write_indent() end
            w:indicator(':', true, false, not flow)
        end
        write(w, v, 'map', false, level)
    end
    w.indent = outer
    if flow then w:indicator('}', false, false, false) end
end

local function write_table(w, t, context, as_key, level)
    local options = w.options
    local form = automatic
    local s
    if options.encode_load_metatables then s = serialize_of(t) end
    if type(s) == 'string' then
        form = forms[s] or raise('invalid __serialize value')
    elseif s ~= nil then
        if type(s) ~= 'function' then raise('invalid __serialize value') end
        return write(w, s(t), context, as_key, level)
    end
    if w.counts[t] > 1 then
        local anchor = w.written[t]
        if anchor ~= nil then
            w:indicator('*' .. anchor, true, false, false)
            return
        end
        w.last_anchor = w.last_anchor + 1
        w.written[t] = w.last_anchor
        w:indicator('&' .. w.last_anchor, true, false, false)
    end
    if level >= options.encode_max_depth then
        if not options.encode_deep_as_nil then raise(format('Too high nest level - %d', level + 1)) end
        return w:write_text('null', 'plain', as_key)
    end
    local n
    if form.kind == 'array' then
        n = table.maxn(t)
    elseif form.kind == nil then
        n = array_size(t, options)
    end
    if form.flow then w.flow = w.flow + 1 end
    if n ~= nil then write_array(w, t, n, context, level + 1) else write_map(w, t, level + 1) end
    if form.flow then w.flow = w.flow - 1 end
end

local function write_cdata(w, v, context, as_key, level)
    if v == nil then return w:write_text('null', 'plain', as_key) end
    if ffi.istype('int64_t', v) or ffi.istype('uint64_t', v) then
        return w:write_text((tostring(v):gsub('U?LL$', '')), 'plain', as_key)
    end
    if core.is_varbinary(v) then
        w:indicator('!!binary', true, false, false)
        return w:write_text(base64(core.varbinary_text(v)), 'plain', as_key)
    end
    if core.is_error(v) then return w:write_string(v.message, as_key) end
    if core.is_decimal(v) or core.is_uuid(v) or core.is_datetime(v) or core.is_interval(v) then
        return w:write_text(tostring(v), 'plain', as_key)
    end
    if ffi.istype('bool', v) then return w:write_text(v == ffi.new('bool', true) and 'true' or 'false', 'plain', as_key) end
    local number = tonumber(v)
    if number ~= nil then
        return w:write_text(number_text(number, w.options.encode_number_precision), 'plain', as_key)
    end
    local f = w.options.encode_load_metatables and serialize_of(v)
    if type(f) == 'function' then return write(w, f(v), context, as_key, level) end
    return false
end

function write(w, v, context, as_key, level)
    local kind = type(v)
    if kind == 'string' then
        return w:write_string(v, as_key)
    elseif kind == 'table' then
        return write_table(w, v, context, as_key, level)
    elseif kind == 'number' then
        return w:write_text(number_text(v, w.options.encode_number_precision), 'plain', as_key)
    elseif kind == 'boolean' then
        return w:write_text(v and 'true' or 'false', 'plain', as_key)
    elseif kind == 'nil' then
        return w:write_text('null', 'plain', as_key)
    elseif kind == 'cdata' then
        if write_cdata(w, v, context, as_key, level) ~= false then return end
    elseif kind == 'userdata' then
        local f = w.options.encode_load_metatables and serialize_of(v)
        if type(f) == 'function' then return write(w, f(v), context, as_key, level) end
    end
    if w.options.encode_use_tostring then return w:write_string(tostring(v), as_key) end
    if w.options.encode_invalid_as_nil then return w:write_text('null', 'plain', as_key) end
    raise(("unsupported Lua type '%s'"):format(kind))
end

-- count_tables counts how often each table occurs, so that those with several places get an anchor.
local function count_tables(v, counts)
    if type(v) ~= 'table' then return end
    local n = counts[v]
    counts[v] = n + 1
    if n > 0 then return end
    for k, x in next, v do
        count_tables(k, counts)
        count_tables(x, counts)
    end
end

local zero = { __index = function() return 0 end }

local encode_usage = 'Usage: encode(object, {tag_prefix = <string>, tag_handle = <string>})'

local function encode(options, v, handle, prefix)
    local w = new_writer(options)
    w.counts, w.written = setmetatable({}, zero), {}
    count_tables(v, w.counts)
    if prefix ~= nil then
        w:indicator('%TAG', true, false, false)
        w:indicator(handle, true, false, false)
        w:put(' ', 1)
        w:put(prefix, #prefix)
        w:write_indent()
    end
    w:indicator('---', true, false, false)
    write(w, v, 'root', false, 0)
    w:write_indent()
    w:indicator('...', true, false, false)
    w:write_indent()
    return table.concat(w, '', 1, w.n)
end

-- Marks in the list of steps, see yaml.go.
local SEQUENCE, MAPPING, ALIAS, ANCHOR = 2, 3, 4, 5

-- compose makes the value whose steps start at i; it returns it and the place behind.
local function compose(steps, i, anchors, metatables, name)
    local kind = steps[i]
    if kind == ANCHOR then return compose(steps, i + 2, anchors, metatables, steps[i + 1]) end
    local value
    if kind == SEQUENCE then
        value = metatables and setmetatable({}, core.seq_mt) or {}
        if name then anchors[name] = value end
        local n = steps[i + 1]
        i = i + 2
        for k = 1, n do
            value[k], i = compose(steps, i, anchors, metatables)
        end
    elseif kind == MAPPING then
        value = metatables and setmetatable({}, core.map_mt) or {}
        if name then anchors[name] = value end
        local n = steps[i + 1]
        i = i + 2
        for _ = 1, n do
            local k
            k, i = compose(steps, i, anchors, metatables)
            value[k], i = compose(steps, i, anchors, metatables)
        end
    elseif kind == ALIAS then
        value, i = anchors[steps[i + 1]], i + 2
    else
        value, i = steps[i + 1], i + 2
        if name then anchors[name] = value end
    end
    return value, i
end

local decode_usage = 'Usage: yaml.decode(document, [{tag_only = boolean}])'

local function decode(options, text)
    local n, steps = go_decode(text)
    if n == nil then error(steps, 0) end
    local values, at, anchors = {}, 1, {}
    for i = 1, n do
        values[i], at = compose(steps, at, anchors, options.decode_save_metatables)
    end
    return unpack(values, 1, n)
end

local function new_module()
    local yaml = { NULL = NULL, array_mt = core.seq_mt, map_mt = core.map_mt }
    yaml.cfg = serializer.new_cfg(function() end)

    function yaml.encode(...)
        local n = select('#', ...)
        local v, options = ...
        if n < 1 or n > 2 or n == 2 and type(options) ~= 'table' and options ~= nil then error(encode_usage, 0) end
        local handle, prefix
        if type(options) == 'table' then
            prefix, handle = options.tag_prefix, options.tag_handle
            if prefix ~= nil and type(prefix) ~= 'string' or handle ~= nil and type(handle) ~= 'string' or
                (prefix == nil) ~= (handle == nil) then
                error(encode_usage, 0)
            end
        end
        return encode(yaml.cfg, v, handle, prefix)
    end

    function yaml.decode(...)
        local n = select('#', ...)
        local text, options = ...
        if n < 1 or n > 2 or type(text) ~= 'string' or n == 2 and options ~= nil and type(options) ~= 'table' then
            error(decode_usage, 0)
        end
        if options ~= nil and options.tag_only ~= nil then
            if type(options.tag_only) ~= 'boolean' then error(decode_usage, 0) end
            if options.tag_only then
                local handle, prefix, err = go_tag(text)
                if err ~= nil then error(err, 0) end
                if handle == nil then return nil end
                return handle, prefix
            end
        end
        return decode(yaml.cfg, text)
    end

    yaml.new = new_module
    return yaml
end

return new_module()

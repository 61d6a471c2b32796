-- The arguments of a command line: --name value, --name=value, -f, and the rest in order.
local argparse = {}

local converters = {
    string = function(v) return v end,
    number = function(v, name)
        local n = tonumber64(v)
        if n == nil then error(('Bad value for parameter %q. expected number, got %q'):format(name, v), 0) end
        return n
    end,
    boolean = function(v, name)
        v = v:lower()
        if v == 'true' then return true end
        if v == 'false' then return false end
        error(('Bad input for parameter %q. Expected boolean, got %q'):format(name, v), 0)
    end,
}

-- A kind is a converter's name, or one with a '+' for a parameter that may be given several times.
local function convert(name, value, kind)
    if kind == nil or kind == true then return value end
    local plain = kind:match('^(.-)%+$')
    local f = converters[plain or kind]
    if f == nil then error(('unknown conversion function for parameter %q: %s'):format(name, kind), 0) end
    if type(value) == 'boolean' then
        if (plain or kind) == 'boolean' then return value end
        error(('Bad value for parameter %q. No value was provided'):format(name), 0)
    end
    return f(value, name)
end

--- parse(arguments [, known]): a table of the values of named arguments by name and the others in order. known lists
--- {name, kind}; nothing else may be named then.
function argparse.parse(arguments, known)
    local kinds
    if known ~= nil then
        kinds = {}
        for _, item in ipairs(known) do
            if type(item) == 'table' then kinds[item[1]] = item[2] or 'string' else kinds[item] = 'string' end
        end
    end
    local result, order = {}, 0
    local function set(name, value)
        local kind = kinds and kinds[name]
        if kinds ~= nil and kind == nil then error(('unknown parameter: %s'):format(name), 0) end
        value = convert(name, value, kind)
        if type(kind) == 'string' and kind:sub(-1) == '+' then
            result[name] = result[name] or {}
            table.insert(result[name], value)
        elseif kind == nil and result[name] ~= nil then
            if type(result[name]) ~= 'table' then result[name] = { result[name] } end
            table.insert(result[name], value)
        else
            result[name] = value
        end
    end
    local i = 1
    while i <= #arguments do
        local text = arguments[i]
        local name, value = text:match('^%-%-([%w_-]+)=(.*)$')
        if name ~= nil then
            set(name, value)
        elseif text:find('^%-%-[%w_]') then
            name = text:sub(3)
            local following = arguments[i + 1]
            local wants = not (kinds and (kinds[name] == 'boolean' or kinds[name] == 'boolean+'))
            if wants and following ~= nil and not following:find('^%-') then
                i = i + 1
                set(name, following)
            else
                set(name, true)
            end
        elseif text:find('^%-%a') then
            for letter in text:sub(2):gmatch('.') do set(letter, true) end
        else
            order = order + 1
            result[order] = text
        end
        i = i + 1
    end
    return result
end

return argparse

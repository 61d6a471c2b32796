-- box.info: what the instance is and does. Each field is found out when it is asked for.
local go = require('internal.go')

local shared = require('internal.core').shared

local info_field = go.fn('box.info_field')
local info_fields = go.fn('box.info_fields')
local memory = go.fn('box.info_memory')
local gc = go.fn('box.info_gc')
local sql = go.fn('box.info_sql')
local vinyl = go.fn('box.info_vinyl')

-- The value of a field comes in a list, in which a null stays what it is.
local function field(name)
    local list = info_field(name)
    if list ~= nil then
        return list[1]
    end
end

-- A field that is called for what it tells.
local function called(f)
    return setmetatable({}, {
        __call = function() return f() end,
        __serialize = function() return f() end,
    })
end

local tables = {
    memory = called(memory),
    gc = called(gc),
    sql = called(sql),
    vinyl = called(vinyl),
    config = called(function()
        if package.loaded.config == nil and package.preload.config == nil then
            return {status = 'uninitialized', alerts = setmetatable({}, {__serialize = 'seq'}), meta = {}}
        end
        return require('config'):info()
    end),
}

local function all()
    local out = info_fields()
    for name, value in pairs(tables) do
        out[name] = value
    end
    return out
end

return setmetatable({
    package = field('package'),
    version = field('version'),
}, {
    __index = function(_, name)
        if name == 'schema_version' then
            return tonumber(shared.schema_version)
        end
        return tables[name] or field(name)
    end,
    __call = all,
    __serialize = all,
})

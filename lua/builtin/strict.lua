-- The module strict: reading or writing a global that nobody has declared is an error. A global is declared by assigning
-- it at the top level of a chunk.
local strict = {}

local declared = {}
local saved

local function at_top()
    local info = debug.getinfo(3, 'S')
    return info == nil or info.what == 'main' or info.what == 'C'
end

local checks = {
    __index = function(_, name)
        if not declared[name] then error(("variable '%s' is not declared"):format(tostring(name)), 2) end
    end,
    __newindex = function(t, name, value)
        if not declared[name] and not at_top() then
            error(("assign to undeclared variable '%s'"):format(tostring(name)), 2)
        end
        declared[name] = true
        rawset(t, name, value)
    end,
}

--- strict.on() makes undeclared globals errors.
function strict.on()
    local mt = getmetatable(_G)
    if mt == nil then
        mt = {}
        setmetatable(_G, mt)
    end
    if saved == nil then saved = { index = mt.__index, newindex = mt.__newindex } end
    mt.__index, mt.__newindex = checks.__index, checks.__newindex
end

--- strict.off() ends that.
function strict.off()
    local mt = getmetatable(_G)
    if mt == nil or saved == nil then return end
    mt.__index, mt.__newindex = saved.index, saved.newindex
    saved = nil
end

return strict

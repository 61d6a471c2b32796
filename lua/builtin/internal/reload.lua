-- What a script that is loaded anew needs of require: the modules that came from files.
local core = require('internal.core')

local builtin -- the modules that were there before the first load
local saved = {} -- the modules that the load in progress has found

-- file_of returns the file of a module that require took from one.
local function file_of(name)
    if type(name) ~= 'string' or builtin == nil or builtin[name] or package.preload[name] ~= nil then return nil end
    return package.search(name)
end

--- Before a load: modules from files are forgotten, so that require loads them anew.
local function begin()
    saved = {}
    if builtin == nil then
        builtin = {}
        for name in pairs(package.loaded) do builtin[name] = true end
        return
    end
    for name, module in pairs(package.loaded) do
        if file_of(name) ~= nil then saved[name] = module end
    end
    for name in pairs(saved) do package.loaded[name] = nil end
end

--- After a load that failed: the modules are as they were.
local function rollback()
    local fresh = {}
    for name in pairs(package.loaded) do
        if file_of(name) ~= nil then fresh[#fresh + 1] = name end
    end
    for _, name in ipairs(fresh) do package.loaded[name] = nil end
    for name, module in pairs(saved) do package.loaded[name] = module end
    saved = {}
end

--- The files of all modules from files, those that a failed load has not come to as well.
local function files()
    local list, seen = {}, {}
    local function add(name)
        local file = file_of(name)
        if file ~= nil and not seen[file] then
            seen[file] = true
            list[#list + 1] = file
        end
    end
    for name in pairs(package.loaded) do add(name) end
    return list
end

core.fn('reload.register')(begin, rollback, files)

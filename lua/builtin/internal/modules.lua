-- Where require looks: files in ./override first, then what is preloaded and built in, then the search root (the current
-- directory unless set) and the directories of .rocks from there up, then package.path and package.cpath.
local core = require('internal.core')

local cwd, exists = core.fn('fio.cwd'), core.fn('fio.is_file')

local root -- of the search, when set

local templates = { '?.lua', '?/init.lua' }
local rocks = { '.rocks/share/tarantool/?.lua', '.rocks/share/tarantool/?/init.lua', '.rocks/share/lua/5.1/?.lua',
    '.rocks/share/lua/5.1/?/init.lua' }

local function parent(dir)
    if dir == '/' then return nil end
    local above = dir:match('^(.*)/[^/]+$')
    return above == '' and '/' or above
end

local function directory() return root or cwd() end

-- find returns the file of a module in a directory, or nil and where it isn't.
local function find(dir, patterns, name, tried)
    local path = name:gsub('%.', '/')
    for _, template in ipairs(patterns) do
        local file = (dir == '/' and '' or dir) .. '/' .. template:gsub('?', (path:gsub('%%', '%%%%')))
        if exists(file) then return file end
        tried[#tried + 1] = ("\n\tno file '%s'"):format(file)
    end
end

local function load_file(file)
    local chunk, err = loadfile(file)
    if chunk == nil then error(err, 0) end
    return chunk
end

local function loader(search)
    return function(name)
        local tried = {}
        local file = search(name, tried)
        if file ~= nil then return load_file(file) end
        return table.concat(tried)
    end
end

local function in_override(name, _) return find(directory() .. '/override', templates, name, {}) end

local function in_root(name, tried) return find(directory(), templates, name, tried) end

local function in_rocks(name, tried)
    local dir = directory()
    while dir ~= nil do
        local file = find(dir, rocks, name, tried)
        if file ~= nil then return file end
        dir = parent(dir)
    end
end

local loaders = package.loaders
local preload, path, cpath, all_in_one = loaders[1], loaders[2], loaders[3], loaders[4]

package.loaders = { loader(in_override), preload, loader(in_root), loader(in_rocks), path, cpath, all_in_one }

-- LuaJIT's own searcher keeps the table that it was made with.
for i, f in ipairs(package.loaders) do loaders[i] = f end
package.loaders = loaders

--- package.search(name): the file that require would load, or nil.
function package.search(name)
    if type(name) ~= 'string' then error('Usage: package.search(name)', 2) end
    local tried = {}
    return in_override(name) or in_root(name, tried) or in_rocks(name, tried) or package.searchpath(name, package.path) or nil
end

--- package.searchroot(): where the search starts.
function package.searchroot() return directory() end

--- package.setsearchroot([path]): the search starts there, or in the directory of the calling file.
function package.setsearchroot(where)
    if where == nil then
        local file = debug.sourcefile(1)
        if file == nil then
            root = nil
            return
        end
        where = file:match('^(.*)/[^/]*$') or '.'
    elseif type(where) ~= 'string' then
        error("Search root must be a string", 2)
    end
    root = core.fn('fio.abspath')(where)
end

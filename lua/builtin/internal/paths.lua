-- The functions of the module fio that only look at texts of paths.
local core = require('internal.core')
local ffi = require('ffi')

ffi.cdef [[char *dirname(char *path);]]

local cwd, abspath = core.fn('fio.cwd'), core.fn('fio.abspath')

local paths = { cwd = cwd }

function paths.basename(path, suffix)
    if type(path) ~= 'string' or suffix ~= nil and type(suffix) ~= 'string' then
        error('Usage: fio.basename(path[, suffix])', 2)
    end
    local name = path:match('([^/]*)$')
    if suffix ~= nil and #suffix > 0 and name:sub(-#suffix) == suffix then name = name:sub(1, -#suffix - 1) end
    return name
end

function paths.dirname(path)
    if type(path) ~= 'string' then error('Usage: fio.dirname(path)', 2) end
    local room = ffi.new('char[?]', #path + 1, path) -- the C library may write to it
    return ffi.string(ffi.C.dirname(room))
end

function paths.pathjoin(...)
    local parts, n = {}, select('#', ...)
    for i = 1, n do
        local part = (select(i, ...))
        if type(part) == 'nil' then error(('fio.pathjoin(): undefined path part %d'):format(i), 2) end
        part = tostring(part)
        if part ~= '' then parts[#parts + 1] = part end
    end
    if #parts == 0 then return '.' end
    local path = table.concat(parts, '/'):gsub('/+', '/')
    if #path > 1 then path = path:gsub('/$', '') end
    return path
end

function paths.abspath(path)
    if type(path) ~= 'string' or path == '' then error('Usage: fio.abspath(path)', 2) end
    return abspath(path)
end

return paths

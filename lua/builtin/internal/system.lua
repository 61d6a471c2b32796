-- What the libraries os and debug have beyond LuaJIT's own.
local ffi = require('ffi')

ffi.cdef [[
extern char **environ;
int setenv(const char *name, const char *value, int overwrite);
int unsetenv(const char *name);
]]

--- os.environ(): the variables of the environment.
function os.environ()
    local vars = {}
    local p = ffi.C.environ
    while p ~= nil and p[0] ~= nil do
        local name, value = ffi.string(p[0]):match('^([^=]*)=(.*)$')
        if name ~= nil then vars[name] = value end
        p = p + 1
    end
    return vars
end

--- os.setenv(name, value): nil takes a variable away.
function os.setenv(name, value)
    local rc
    if value == nil then rc = ffi.C.unsetenv(name) else rc = ffi.C.setenv(name, tostring(value), 1) end
    if rc ~= 0 then error(('error %d: %s'):format(ffi.errno(), require('errno').strerror(ffi.errno())), 2) end
end

--- debug.sourcefile([level]): the file that the calling function is from; nil when it is from none.
function debug.sourcefile(level)
    local info = debug.getinfo((level or 0) + 2, 'S')
    if info == nil then return nil end
    return info.source:match('^@(.*)$')
end

--- debug.sourcedir([level]): the directory of that file.
function debug.sourcedir(level)
    local file = debug.sourcefile((level or 0) + 1)
    if file == nil then return '.' end
    return file:match('^(.*)/[^/]*$') or '.'
end

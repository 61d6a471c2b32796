-- The module fio: files and directories. Every operation runs outside of the cord while the fiber waits. What fails returns
-- false or nil, and an error object.
local core = require('internal.core')
local ffi = require('ffi')
local paths = require('internal.paths')
require('errno')

ffi.cdef [[
struct fio_handle { int fh; };
int close(int fd);
]]

local run = core.fn('fio.run')
local constants = core.fn('fio.constants')()
for _, group in pairs(constants) do setmetatable(group, nil) end

local fio = { c = setmetatable(constants, nil), path = {} }
for name, f in pairs(paths) do fio[name] = f end

local function failure(number)
    core.set_errno(number)
    return core.new_error('SystemError', 'fio: ' .. require('errno').strerror(number), 3, number)
end

--- call(failed, operation, ...) runs an operation; `failed` and an error are what it returns when it fails.
local function call(failed, ...)
    local v, number = run(...)
    if number ~= nil then return failed, failure(number) end
    return v
end

local function is_pointer(v)
    return type(v) == 'cdata' and tonumber(ffi.cast('intptr_t', v)) ~= nil
end

-- Open files.

local handle_t = ffi.typeof('struct fio_handle')
local methods = {}

local function with_buffer(b, text, ...)
    if type(text) ~= 'string' then return text, ... end
    ffi.copy(b, text, #text)
    return #text
end

--- read([size]), read(buffer [, size]): as much as there is, to the end when no size is given.
function methods.read(f, buffer, size)
    if is_pointer(buffer) then return with_buffer(buffer, call(nil, 'read', f.fh, size or -1)) end
    return call(nil, 'read', f.fh, buffer or -1)
end

--- pread(size, offset), pread(buffer, size, offset)
function methods.pread(f, buffer, size, offset)
    if is_pointer(buffer) then return with_buffer(buffer, call(nil, 'pread', f.fh, size, offset or 0)) end
    return call(nil, 'pread', f.fh, buffer, size or 0)
end

local function content(data, size)
    if is_pointer(data) then return ffi.string(data, size or 0) end
    return tostring(data)
end

--- write(text), write(buffer, size)
function methods.write(f, data, size)
    return call(false, 'write', f.fh, content(data, size))
end

--- pwrite(text, offset), pwrite(buffer, size, offset)
function methods.pwrite(f, data, size, offset)
    if not is_pointer(data) then size, offset = nil, size end
    return call(false, 'pwrite', f.fh, content(data, size), offset or 0)
end

function methods.seek(f, offset, whence)
    if whence == nil then whence = 0 end
    if type(whence) == 'string' then
        whence = fio.c.seek[whence] or error(('fio.seek(): unknown whence: %s'):format(whence), 2)
    end
    return call(nil, 'seek', f.fh, offset or 0, whence)
end

function methods.truncate(f, size) return call(false, 'ftruncate', f.fh, size or 0) end

function methods.fsync(f) return call(false, 'fsync', f.fh) end

function methods.fdatasync(f) return call(false, 'fdatasync', f.fh) end

function methods.close(f)
    local fd = f.fh
    f.fh = -1
    return call(false, 'close', fd)
end

-- Status.

local kinds = { is_reg = 'S_IFREG', is_dir = 'S_IFDIR', is_link = 'S_IFLNK', is_fifo = 'S_IFIFO', is_sock = 'S_IFSOCK',
    is_blk = 'S_IFBLK', is_chr = 'S_IFCHR' }
local status_methods = {}
for name, kind in pairs(kinds) do
    status_methods[name] = function(s) return bit.band(s.mode, fio.c.type.S_IFMT) == fio.c.type[kind] end
end
local status_mt = { __index = status_methods }

local function status(operation, of)
    local s, err = call(nil, operation, of)
    if s == nil then return nil, err end
    return setmetatable(s, status_mt)
end

function methods.stat(f) return status('fstat', f.fh) end

ffi.metatype(handle_t, {
    __index = methods,
    __tostring = function(f) return 'fio_handle: ' .. f.fh end,
    __gc = function(f)
        if f.fh >= 0 then ffi.C.close(f.fh) end
    end,
})
methods.__serialize = tostring

-- flags makes a number of names or numbers, alone or in a table.
local function flags(v, known, what)
    if v == nil then return 0 end
    if type(v) == 'number' then return v end
    if type(v) ~= 'table' then v = { v } end
    local all = 0
    for _, name in pairs(v) do
        local number = type(name) == 'number' and name or known[name]
        if number == nil then error(('fio.open(): unknown %s: %s'):format(what, tostring(name)), 3) end
        all = bit.bor(all, number)
    end
    return all
end

--- open(path [, flags [, mode]]): a file object, or nil and an error.
function fio.open(path, flag, mode)
    if type(path) ~= 'string' then error('Usage: fio.open(path[, flags[, mode]])', 2) end
    local fd, err = call(nil, 'open', path, flags(flag, fio.c.flag, 'flag'),
        mode == nil and 511 or flags(mode, fio.c.mode, 'mode'))
    if fd == nil then return nil, err end
    return handle_t(fd)
end

--- define(name, usage, failed, ...): a function of paths (and numbers, where a type says so) that is an operation.
local function define(name, usage, failed, ...)
    local types = { ... }
    fio[name] = function(...)
        for i, kind in ipairs(types) do
            local v = (select(i, ...))
            if kind == 'path' and type(v) ~= 'string' then error(usage, 2) end
        end
        return call(failed, name, ...)
    end
end

define('unlink', 'Usage: fio.unlink(pathname)', false, 'path')
define('rmdir', 'Usage: fio.rmdir(pathname)', false, 'path')
define('rename', 'Usage: fio.rename(oldpath, newpath)', false, 'path', 'path')
define('link', 'Usage: fio.link(target, linkpath)', false, 'path', 'path')
define('symlink', 'Usage: fio.symlink(target, linkpath)', false, 'path', 'path')
define('readlink', 'Usage: fio.readlink(path)', nil, 'path')
define('glob', 'Usage: fio.glob(pattern)', nil, 'path')
define('sync', 'Usage: fio.sync()', false)

function fio.mkdir(path, mode)
    if type(path) ~= 'string' then error('Usage fio.mkdir(pathname[, mode])', 2) end
    return call(false, 'mkdir', path, mode == nil and 511 or flags(mode, fio.c.mode, 'mode'))
end

function fio.chdir(path)
    if type(path) ~= 'string' then error('Usage: fio.chdir(path)', 2) end
    return (call(false, 'chdir', path))
end

function fio.chmod(path, mode)
    if type(path) ~= 'string' then error('Usage: fio.chmod(pathname, mode)', 2) end
    return call(false, 'chmod', path, flags(mode, fio.c.mode, 'mode'))
end

function fio.chown(path, owner, group)
    if type(path) ~= 'string' then error('Usage: fio.chown(pathname, owner, group)', 2) end
    return call(false, 'chown', path, owner or -1, group or -1)
end

function fio.truncate(path, size)
    if type(path) ~= 'string' then error('Usage: fio.truncate(path[, newsize])', 2) end
    return call(false, 'truncate', path, size or 0)
end

function fio.stat(path)
    if type(path) ~= 'string' then error('Usage: fio.stat(pathname)', 2) end
    return status('stat', path)
end

function fio.lstat(path)
    if type(path) ~= 'string' then error('Usage: fio.lstat(pathname)', 2) end
    return status('lstat', path)
end

--- utime(path [, accessed [, modified]]): times in seconds, now by default.
function fio.utime(path, accessed, modified)
    if type(path) ~= 'string' then error('Usage: fio.utime(filepath[, atime[, mtime]])', 2) end
    local now = require('clock').realtime()
    return call(false, 'utime', path, accessed or now, modified or accessed or now)
end

--- umask([mode]): the mode that was; a mode sets it.
function fio.umask(mode)
    local umask = core.fn('fio.umask')
    if mode ~= nil then return umask(mode) end
    local before = umask(0)
    umask(before)
    return before
end

function fio.listdir(path)
    if type(path) ~= 'string' then error('Usage: fio.listdir(path)', 2) end
    local list, err = call(nil, 'listdir', path)
    if list == nil then return nil, ("can't listdir %s: %s"):format(path, err.message) end
    return setmetatable(list, nil)
end

function fio.tempdir() return call(nil, 'tempdir') end

--- mktree(path [, mode]): the directory with all above it that are missing.
function fio.mktree(path, mode)
    if type(path) ~= 'string' then error('Usage: fio.mktree(path[, mode])', 2) end
    local dir = path:sub(1, 1) == '/' and '/' or ''
    for part in fio.abspath(path):sub(dir == '/' and 1 or #fio.cwd() + 1):gmatch('[^/]+') do
        dir = dir == '' and part or fio.pathjoin(dir, part)
        if not fio.path.is_dir(dir) then
            local ok, err = fio.mkdir(dir, mode)
            if not ok then return false, ('Error creating directory %s: %s'):format(dir, err.message) end
        end
    end
    return true
end

--- rmtree(path): the directory with all that is in it.
function fio.rmtree(path)
    if type(path) ~= 'string' then error('Usage: fio.rmtree(path)', 2) end
    path = fio.abspath(path)
    local list, problem = fio.listdir(path)
    if list == nil then return nil, problem end
    for _, name in ipairs(list) do
        local item = fio.pathjoin(path, name)
        local s = fio.lstat(item)
        local ok, err
        if s ~= nil and s:is_dir() then ok, err = fio.rmtree(item) else ok, err = fio.unlink(item) end
        if not ok then return nil, err end
    end
    local ok, err = fio.rmdir(path)
    if not ok then return nil, ('failed to remove %s: %s'):format(path, err.message) end
    return true
end

function fio.copyfile(from, to)
    if type(from) ~= 'string' or type(to) ~= 'string' then error('Usage: fio.copyfile(source, destination)', 2) end
    local ok, err = call(false, 'copyfile', from, to)
    if not ok then return false, ('failed to copy %s to %s: %s'):format(from, to, err.message) end
    return true
end

--- copytree(from, to): the directory with all that is in it.
function fio.copytree(from, to)
    if type(from) ~= 'string' or type(to) ~= 'string' then error('Usage: fio.copytree(from, to)', 2) end
    from, to = fio.abspath(from), fio.abspath(to)
    local s, err = fio.stat(from)
    if s == nil or not s:is_dir() then
        return false, err and ("can't copy %s: %s"):format(from, err.message) or ('%s is not a directory'):format(from)
    end
    local ok, problem = fio.mktree(to)
    if not ok then return false, problem end
    for _, name in ipairs(fio.listdir(from)) do
        local source, target = fio.pathjoin(from, name), fio.pathjoin(to, name)
        local item = fio.lstat(source)
        if item:is_dir() then
            ok, problem = fio.copytree(source, target)
        elseif item:is_link() then
            ok, problem = fio.symlink(fio.readlink(source), target)
        else
            ok, problem = fio.copyfile(source, target)
        end
        if not ok then return false, problem end
    end
    return true
end

local function check(operation, kind)
    return function(path)
        local s = call(nil, operation, path)
        if type(s) ~= 'table' then return false end
        return kind == nil or status_methods[kind](s)
    end
end
fio.path.is_dir, fio.path.is_file, fio.path.is_link = check('stat', 'is_dir'), check('stat', 'is_reg'), check('lstat', 'is_link')
fio.path.exists, fio.path.lexists = check('stat'), check('lstat')

return fio

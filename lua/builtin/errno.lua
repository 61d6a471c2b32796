-- The module errno: the last error of the operating system, and the names and texts of all of them.
local core = require('internal.core')
local ffi = require('ffi')

ffi.cdef [[char *strerror(int number);]]

-- What this program's modules left; nil until one of them did, and then the C library's own is asked for.
local last

local function get()
    return last or ffi.errno()
end

--- core.set_errno(number) is for modules whose functions failed.
function core.set_errno(number) last = number end

local errno = setmetatable(core.fn('errno.numbers')(), nil)

function errno.strerror(number)
    return ffi.string(ffi.C.strerror(number == nil and get() or number))
end

return setmetatable(errno, {
    -- errno() is the last error; errno(number) sets it and returns what it was.
    __call = function(_, ...)
        local before = get()
        if select('#', ...) > 0 then
            local number = ...
            if type(number) ~= 'number' then
                error(("bad argument #1 to '?' (cannot convert '%s' to 'int')"):format(type(number)), 2)
            end
            last = number
        end
        return before
    end,
})

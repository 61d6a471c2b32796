-- Handles of what Go holds for a program by a number, until nobody has the handle any more.
local ffi = require('ffi')

local handle_type = ffi.typeof('struct { double id; }')

--- new(close) -> make, close_forgotten. make(id) makes a handle. What was given up is closed by the next
-- close_forgotten(), with close(id): a finalizer only notes the number, because it may run in the middle of anything.
return function(close)
    local forgotten, count = {}, 0

    local function forget(handle)
        count = count + 1
        forgotten[count] = handle.id
    end

    local function make(id)
        return ffi.gc(handle_type(id), forget)
    end

    local function close_forgotten()
        while count > 0 do
            local id = forgotten[count]
            count = count - 1
            close(id)
        end
    end

    return make, close_forgotten
end

-- box.snapshot, box.backup and box.read_view.
local go = require('internal.go')
local check = require('box.check')

local backup_start = go.fn('box.backup_start')

local backup = {
    snapshot = go.fn('box.snapshot'),
    backup = {
        stop = go.fn('box.backup_stop'),
    },
    read_view = {},
}

-- Keeps the files of a checkpoint, the n-th from the newest one, until backup.stop, and returns their names.
function backup.backup.start(n)
    if n ~= nil and (type(n) ~= 'number' or n < 0 or n % 1 ~= 0) then
        check.illegal('expected integer as 1 argument')
    end
    return backup_start(n or 0)
end

function backup.read_view.open()
    box.error(box.error.UNSUPPORTED, 'Community edition', 'read view')
end

function backup.read_view.list()
    return {}
end

return backup

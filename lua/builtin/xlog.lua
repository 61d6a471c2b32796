-- The module xlog: reads the files of the journal and checkpoints.
local core = require('internal.core')
local ffi = require('ffi')

local open, close, read, meta = core.fn('xlog.open'), core.fn('xlog.close'), core.fn('xlog.read'), core.fn('xlog.meta')

-- A file that is given up before its end is closed by the next one that is opened.
local new_handle, close_forgotten = require('internal.handles')(close)

-- The generator: rows are read many at a time.
local function generate(file, n)
    if file.at == #file.rows then
        if file.handle == nil then
            return nil
        end
        file.rows, file.at = read(file.handle.id), 0
        if #file.rows == 0 then
            close(file.handle.id)
            ffi.gc(file.handle, nil)
            file.handle = nil
            return nil
        end
    end
    file.at = file.at + 1
    local row = file.rows[file.at]
    file.rows[file.at] = false
    return n + 1, row
end

local xlog = {}

-- Iterates over the rows of a file: their number in it and a table with the keys HEADER and BODY.
function xlog.pairs(path)
    if type(path) ~= 'string' and type(path) ~= 'number' then
        error('Usage: parser.open(log_filename)', 0)
    end
    close_forgotten()
    local handle = new_handle(open(tostring(path)))
    return require('fun').wrap(generate, { handle = handle, rows = {}, at = 0 }, 0)
end

-- The header of a file: filetype, instance_uuid, vclock, prev_vclock.
function xlog.meta(path)
    if type(path) ~= 'string' and type(path) ~= 'number' then
        error('Usage: xlog.meta(log_filename)', 0)
    end
    return meta(tostring(path))
end

return xlog

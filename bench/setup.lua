-- What both servers of a benchmark run: the same space, rows and functions.
--
-- LISTEN is the socket's path, ROWS the number of rows; the journal is written.
box.cfg {
    listen = os.getenv('LISTEN'), wal_mode = 'write', memtx_memory = 2 ^ 31, checkpoint_interval = 0, checkpoint_count = 1,
    log = 'server.log',
}
box.schema.user.grant('guest', 'super')

local space = box.schema.space.create('bench', { id = 512 })
space:create_index('primary', { parts = { { 1, 'unsigned' } } })
local value = string.rep('v', 64)
local rows = tonumber(os.getenv('ROWS'))
for first = 0, rows - 1, 1000 do
    box.begin()
    for key = first, math.min(first + 999, rows - 1) do space:replace { key, value, key * 7 } end
    box.commit()
end

function echo(...) return ... end
function get(key) return space:get(key) end

local handlers = {}

-- The handler that the protocol's documentation shows, for a space that is nowhere else.
function handlers.documented(header, body)
    if body.space_id == 600 then
        box.iproto.send(box.session.id(),
            { request_type = box.iproto.type.OK, sync = header.SYNC, schema_version = box.info.schema_version },
            { data = { 1, 2, 3 } })
        return true
    end
    return false
end

--- prepare(name): sets a handler for SELECT, or none.
function prepare(name) box.iproto.override(box.iproto.type.SELECT, handlers[name]) end

--- tidy(): drops the journal of what has been written.
function tidy() box.snapshot() end

print('ready')
io.flush()

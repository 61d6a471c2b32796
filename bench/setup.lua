-- What both servers of a benchmark run: the same space, rows and functions.
--
-- From the environment: LISTEN is the socket's path, ROWS the number of rows, LARGE that of another space, which is left out
-- without it, and MVCC is set where transactions take several requests. The journal is written.
box.cfg {
    listen = os.getenv('LISTEN'), wal_mode = 'write', memtx_memory = 2 ^ 31, checkpoint_interval = 0, checkpoint_count = 1,
    log = 'server.log', memtx_use_mvcc_engine = os.getenv('MVCC') and true or nil,
}
box.schema.user.grant('guest', 'super')

local function fill(name, rows, options)
    local space = box.schema.space.create(name, options)
    space:create_index('primary', { parts = { { 1, 'unsigned' } } })
    local value = string.rep('v', 64)
    for first = 0, rows - 1, 1000 do
        box.begin()
        for key = first, math.min(first + 999, rows - 1) do space:replace { key, value, key * 7 } end
        box.commit()
    end
    return space
end

local space = fill('bench', tonumber(os.getenv('ROWS')), { id = 512 })
if os.getenv('LARGE') then
    -- Only read: it needs neither journal nor checkpoints.
    fill('large', tonumber(os.getenv('LARGE')), { id = 513, temporary = true })
end

function echo(...) return ... end
function get(key) return space:get(key) end

local handlers = {}

-- The handler that the protocol's documentation shows, for a space that is nowhere else.
function handlers.documented(header, body)
    if body.space_id == 600 then
        box.iproto.send(box.session.id(),
            { request_type = box.iproto.type.OK, sync = header.sync, schema_version = box.info.schema_version },
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

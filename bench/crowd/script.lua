-- The server that is measured: a space of small rows, one row that is large, and functions that misbehave.
box.cfg{
    listen = os.getenv('LISTEN'), log_level = 'warn', wal_mode = 'none', checkpoint_interval = 0,
    memtx_max_tuple_size = 4 * 2^20,
}
box.schema.user.grant('guest', 'super', nil, nil, {if_not_exists = true})
local space = box.schema.space.create('t', {id = 512})
space:create_index('pk')
for key = 1, 1000 do
    space:replace{key, ('v'):rep(64)}
end
space:replace{1001, ('v'):rep(2^20)}

-- A large answer that comes late.
function late()
    require('fiber').yield()
    return ('v'):rep(2^16)
end

ready = true

-- The server that is measured: one space with a primary and two secondary indexes.
box.cfg{
    listen = os.getenv('LISTEN'), log_level = 'warn', memtx_memory = 16 * 2^30, checkpoint_interval = 0,
    checkpoint_count = 1,
}
box.schema.user.grant('guest', 'super', nil, nil, {if_not_exists = true})
local s = box.schema.space.create('t', {id = 512, if_not_exists = true})
s:create_index('pk', {if_not_exists = true})
s:create_index('name', {parts = {{2, 'string'}}, if_not_exists = true})
s:create_index('group', {parts = {{3, 'unsigned'}}, unique = false, if_not_exists = true})

local text = ('some text '):rep(5)

-- Stores the tuples from..to, a thousand in a transaction.
function fill(from, to)
    while from <= to do
        box.begin()
        for i = from, math.min(from + 999, to) do
            s:replace{i, ('name-%010d'):format(i * 7919 % 1000000007), i * 31 % 100003, text}
        end
        box.commit()
        from = from + 1000
    end
end

function count()
    return s:count(), s.index.name:count()
end

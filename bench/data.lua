-- The server that is filled with tuples and started anew: one space with a primary index.
box.cfg {
    listen = os.getenv('LISTEN'), log_level = 'warn', memtx_memory = 16 * 2 ^ 30, checkpoint_interval = 0,
    checkpoint_count = 1,
}
box.schema.user.grant('guest', 'super', nil, nil, { if_not_exists = true })
local space = box.schema.space.create('t', { id = 512, if_not_exists = true })
space:create_index('pk', { parts = { { 1, 'unsigned' } }, if_not_exists = true })

--- fill(n): stores n tuples of a number, 64 bytes of text and a number, a thousand in a transaction.
function fill(n)
    for first = 1, n, 1000 do
        box.begin()
        for i = first, math.min(first + 999, n) do
            space:replace { i, ('%08x'):format(i * 7919 % 4294967291):rep(8), i * 7 }
        end
        box.commit()
    end
end

function count() return space:count() end

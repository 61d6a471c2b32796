-- box.stat: counters. Each of its tables gives all counters when called and one when indexed.
local go = require('internal.go')

local function counters(read, members)
    return setmetatable(members or {}, {
        __index = function(_, name) return read()[name] end,
        __call = function() return read() end,
        __serialize = function() return read() end,
    })
end

local net = counters(go.fn('box.stat_net'), {
    thread = counters(go.fn('box.stat_net_thread')),
})
local tx = go.fn('box.stat_memtx_tx')
local memtx = counters(go.fn('box.stat_memtx'), {
    tx = function() return tx() end,
})

return counters(go.fn('box.stat'), {
    net = net,
    memtx = memtx,
    vinyl = go.fn('box.stat_vinyl'),
    sql = go.fn('box.stat_sql'),
    reset = go.fn('box.stat_reset'),
    override = go.fn('iproto.override_stats'),
})

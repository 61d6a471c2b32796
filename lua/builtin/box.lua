-- The global table box. What needs a database is there after box.cfg only; before that, naming it raises UNCONFIGURED.
local constants = require('box.constants')

local NULL = require('ffi').cast('void *', 0)

box = {
    NULL = NULL,
    error = require('error'),
}
box.tuple = require('tuple')
box.index = constants.iterators
box.txn_isolation_level = constants.isolation
box.priv = constants.priv

local backup = require('box.backup')
local cfg = require('box.cfg')
local events = require('box.events')
local memory = require('box.memory')
local txn = require('box.txn')

box.ctl = require('box.ctl')
box.info = require('box.info')
box.session = require('box.session')
box.runtime = memory.runtime
box.watch = events.watch
box.watch_once = events.watch_once
box.broadcast = events.broadcast
box.iproto = require('iproto')
box.lib = {
    load = function()
        box.error(box.error.UNSUPPORTED, 'Lycosa', 'functions written in C')
    end,
}
box.internal = {}

-- What appears with the configuration.
local configured = {
    atomic = txn.atomic,
    begin = txn.begin,
    commit = txn.commit,
    is_in_txn = txn.is_in_txn,
    on_commit = txn.on_commit,
    on_rollback = txn.on_rollback,
    rollback = txn.rollback,
    rollback_to_savepoint = txn.rollback_to_savepoint,
    savepoint = txn.savepoint,
    txn_id = txn.txn_id,
    backup = backup.backup,
    read_view = backup.read_view,
    snapshot = backup.snapshot,
    malloc = memory.malloc,
    slab = memory.slab,
    stat = require('box.stat'),
    feedback = {
        -- There is nobody to report to.
        save = function()
            box.error(box.error.UNSUPPORTED, 'Lycosa', 'feedback')
        end,
    },
}

local known_later = {}
for name in pairs(configured) do
    known_later[name] = true
end
for name in ('schema space sequence func once execute prepare unprepare'):gmatch('%S+') do
    known_later[name] = true
end

local first_cfg

-- Puts the table of options in the place of the function box.cfg and opens the rest of box; without a table it closes
-- it again.
local function open(options)
    if options == nil then
        for name in pairs(known_later) do
            box[name] = nil
        end
        box.cfg = first_cfg
        return
    end
    box.cfg = options
    for name, value in pairs(configured) do
        box[name] = value
    end
    local registry = require('box.registry')
    local schema = require('box.schema')
    box.space = registry.spaces
    box.sequence = registry.sequences
    box.func = registry.funcs
    box.schema = schema.schema
    box.once = schema.once
    box.internal.collation = schema.collation
    for name, value in pairs(require('box.sql')) do
        box[name] = value
    end
end

first_cfg = cfg.first(open)
box.cfg = first_cfg

return setmetatable(box, {
    __index = function(_, name)
        if known_later[name] then
            box.error(box.error.UNCONFIGURED)
        end
    end,
})

-- box.cfg: a function before the first call of it, a table of the options in force after that.
local go = require('internal.go')
local fiber = require('fiber')
local make_view = require('internal.views')
local log = require('log').box_api
local uri = require('uri')
local txn = require('box.txn')

local configure = go.fn('box.configure')
local reconfigure = go.fn('box.reconfigure')
local is_configured = go.fn('box.is_configured')

-- The types of options; defaults are in another table because not every option has one.
local types = {
    audit_log = 'string',
    audit_nonblock = 'boolean',
    auth_type = 'string',
    background = 'boolean',
    bootstrap_leader = 'string',
    bootstrap_strategy = 'string',
    checkpoint_count = 'number',
    checkpoint_interval = 'number',
    checkpoint_wal_threshold = 'number',
    coredump = 'boolean',
    custom_proc_title = 'string',
    election_fencing_mode = 'string',
    election_mode = 'string',
    election_timeout = 'number',
    feedback_crashinfo = 'boolean',
    feedback_enabled = 'boolean',
    feedback_host = 'string',
    feedback_interval = 'number',
    feedback_metrics_collect_interval = 'number',
    feedback_metrics_limit = 'number',
    feedback_send_metrics = 'boolean',
    force_recovery = 'boolean',
    hot_standby = 'boolean',
    instance_name = 'string',
    instance_uuid = 'string',
    io_collect_interval = 'number',
    iproto_threads = 'number',
    listen = 'string, number, table',
    log = 'string',
    log_format = 'string',
    log_level = 'number, string',
    log_modules = 'table',
    log_nonblock = 'boolean',
    memtx_allocator = 'string',
    memtx_dir = 'string',
    memtx_max_tuple_size = 'number',
    memtx_memory = 'number',
    memtx_min_tuple_size = 'number',
    memtx_sort_threads = 'number',
    memtx_use_mvcc_engine = 'boolean',
    metrics = 'table',
    net_msg_max = 'number',
    pid_file = 'string',
    read_only = 'boolean',
    readahead = 'number',
    replicaset_name = 'string',
    replicaset_uuid = 'string',
    replication = 'string, number, table',
    replication_anon = 'boolean',
    replication_anon_ttl = 'number',
    replication_connect_quorum = 'number',
    replication_connect_timeout = 'number',
    replication_skip_conflict = 'boolean',
    replication_sync_lag = 'number',
    replication_sync_timeout = 'number',
    replication_synchro_quorum = 'string, number',
    replication_synchro_timeout = 'number',
    replication_threads = 'number',
    replication_timeout = 'number',
    slab_alloc_factor = 'number',
    slab_alloc_granularity = 'number',
    snap_io_rate_limit = 'number',
    sql_cache_size = 'number',
    strip_core = 'boolean',
    too_long_threshold = 'number',
    txn_isolation = 'string, number',
    txn_timeout = 'number',
    username = 'string',
    vinyl_bloom_fpr = 'number',
    vinyl_cache = 'number',
    vinyl_defer_deletes = 'boolean',
    vinyl_dir = 'string',
    vinyl_max_tuple_size = 'number',
    vinyl_memory = 'number',
    vinyl_page_size = 'number',
    vinyl_range_size = 'number',
    vinyl_read_threads = 'number',
    vinyl_run_count_per_level = 'number',
    vinyl_run_size_ratio = 'number',
    vinyl_timeout = 'number',
    vinyl_write_threads = 'number',
    wal_cleanup_delay = 'number',
    wal_dir = 'string',
    wal_dir_rescan_delay = 'number',
    wal_max_size = 'number',
    wal_mode = 'string',
    wal_queue_max_size = 'number',
    work_dir = 'string',
    worker_pool_threads = 'number',
    cluster_name = 'string',
}

local MB = 1024 * 1024

local defaults = {
    auth_type = 'chap-sha1',
    background = false,
    bootstrap_strategy = 'auto',
    checkpoint_count = 2,
    checkpoint_interval = 3600,
    checkpoint_wal_threshold = 1e18,
    coredump = false,
    election_fencing_mode = 'soft',
    election_mode = 'off',
    election_timeout = 5,
    feedback_crashinfo = true,
    feedback_enabled = true,
    feedback_host = 'https://feedback.tarantool.io',
    feedback_interval = 3600,
    feedback_metrics_collect_interval = 60,
    feedback_metrics_limit = MB,
    feedback_send_metrics = true,
    force_recovery = false,
    hot_standby = false,
    iproto_threads = 1,
    log_format = 'plain',
    log_level = 5,
    memtx_allocator = 'small',
    memtx_dir = '.',
    memtx_max_tuple_size = MB,
    memtx_memory = 256 * MB,
    memtx_min_tuple_size = 16,
    memtx_use_mvcc_engine = false,
    metrics = {include = 'all', exclude = {}, labels = {}},
    net_msg_max = 768,
    read_only = false,
    readahead = 16320,
    replication_anon = false,
    replication_connect_timeout = 30,
    replication_skip_conflict = false,
    replication_sync_lag = 10,
    replication_sync_timeout = 0,
    replication_synchro_quorum = 'N / 2 + 1',
    replication_synchro_timeout = 5,
    replication_threads = 1,
    replication_timeout = 1,
    slab_alloc_factor = 1.05,
    slab_alloc_granularity = 8,
    sql_cache_size = 5 * MB,
    strip_core = true,
    too_long_threshold = 0.5,
    txn_isolation = 'best-effort',
    txn_timeout = 365 * 100 * 86400,
    vinyl_bloom_fpr = 0.05,
    vinyl_cache = 128 * MB,
    vinyl_defer_deletes = false,
    vinyl_dir = '.',
    vinyl_max_tuple_size = MB,
    vinyl_memory = 128 * MB,
    vinyl_page_size = 8192,
    vinyl_read_threads = 1,
    vinyl_run_count_per_level = 2,
    vinyl_run_size_ratio = 3.5,
    vinyl_timeout = 60,
    vinyl_write_threads = 4,
    wal_cleanup_delay = 4 * 3600,
    wal_dir = '.',
    wal_dir_rescan_delay = 2,
    wal_max_size = 256 * MB,
    wal_mode = 'write',
    wal_queue_max_size = 16 * MB,
    worker_pool_threads = 4,
}

-- Options that can be given another value later.
local dynamic = {}
for name in ([[
    auth_type bootstrap_leader bootstrap_strategy checkpoint_count checkpoint_interval
    checkpoint_wal_threshold cluster_name custom_proc_title election_fencing_mode election_mode election_timeout
    feedback_crashinfo feedback_enabled feedback_host feedback_interval feedback_metrics_collect_interval
    feedback_metrics_limit feedback_send_metrics force_recovery instance_name instance_uuid io_collect_interval listen
    log_format log_level log_modules memtx_max_tuple_size memtx_memory metrics net_msg_max read_only readahead
    replicaset_name replicaset_uuid replication replication_anon replication_anon_ttl replication_connect_quorum
    replication_connect_timeout replication_skip_conflict replication_sync_lag replication_sync_timeout
    replication_synchro_quorum replication_synchro_timeout replication_timeout snap_io_rate_limit sql_cache_size
    too_long_threshold txn_isolation txn_timeout vinyl_cache vinyl_defer_deletes vinyl_max_tuple_size vinyl_memory
    vinyl_timeout wal_cleanup_delay wal_dir_rescan_delay wal_queue_max_size worker_pool_threads
]]):gmatch('%S+') do
    dynamic[name] = true
end

local cfg = {}

local function wrong(name, details)
    box.error(box.error.CFG, name, details)
end

local uuid_pattern = '^' .. ('%x'):rep(8) .. ('%-' .. ('%x'):rep(4)):rep(3) .. '%-' .. ('%x'):rep(12) .. '$'

local function one_of(list)
    local set = {}
    for word in list:gmatch('%S+') do
        set[word] = true
    end
    return function(value)
        return not set[value] and tostring(value) or nil
    end
end

local function is_uuid(value)
    return not value:match(uuid_pattern) and value or nil
end

-- What values an option may have: functions that say what is wrong with one.
local ranges = {
    listen = function(value)
        local list, err = uri.parse_many(value)
        if list == nil then return err.message end
        for _, address in ipairs(list) do
            if address.service == nil and not (address.host or ''):find('^%.') then
                return 'expected host:service or /unix.socket'
            end
        end
    end,
    wal_mode = one_of('none write fsync'),
    memtx_allocator = one_of('small system'),
    auth_type = one_of('chap-sha1'),
    bootstrap_strategy = one_of('auto legacy config supervised native'),
    election_mode = one_of('off voter candidate manual'),
    election_fencing_mode = one_of('off soft strict'),
    instance_uuid = is_uuid,
    replicaset_uuid = is_uuid,
    checkpoint_count = function(value)
        return value < 1 and 'the value must not be less than one' or nil
    end,
    txn_timeout = function(value)
        -- The misspelling is that of the message that programs know.
        return value <= 0 and 'the value must be greather than 0' or nil
    end,
    txn_isolation = function(value)
        local level = txn.isolation_level(value)
        if level == nil then
            return 'must be one of box.txn_isolation_level (keys or values)'
        elseif level == box.txn_isolation_level.DEFAULT then
            return string.format("cannot set default transaction isolation to '%s'", value)
        end
    end,
    wal_max_size = function(value)
        return value < 0 and 'the value must be >= 0' or nil
    end,
    readahead = function(value)
        return (value < 128 or value > 2 ^ 31) and 'specified value is out of bounds' or nil
    end,
    net_msg_max = function(value)
        return value < 2 and 'minimal value is 2' or nil
    end,
}

-- Options for what is not there: given with another value than the one here they are refused.
local unsupported = {
    audit_log = {'audit log'},
    background = {'running in the background', false},
    election_mode = {'elections', 'off'},
    hot_standby = {'hot standby', false},
    pid_file = {'a file with the number of the process'},
    replication = {'replication', ''},
    replication_anon = {'replication', false},
    username = {'running as another user'},
}

-- The options in force.
local current

-- The addresses of a list or of a single one, as a set, without the names of users.
local function addresses(value)
    local set = {}
    if type(value) ~= 'table' then
        value = {value}
    elseif value.uri ~= nil then
        value = {value.uri}
    end
    for _, item in ipairs(value) do
        local text = tostring(type(item) == 'table' and item.uri or item)
        for address in text:gmatch('[^,%s]+') do
            set[address:match('[^@]*$')] = true
        end
    end
    return set
end

-- Whether those to replicate from are this instance alone, by the addresses that it listens on: then there is nothing
-- to do.
local function is_itself(replication, listen)
    local own = addresses(listen)
    for address in pairs(addresses(replication)) do
        if not own[address] then
            return false
        end
    end
    return true
end

-- Checks the options that are given, with those that are box.NULL left out.
local function check(options)
    local out = {}
    local listen = options.listen or current and current.listen
    for name, value in pairs(options) do
        local kinds = types[name]
        if kinds == nil then
            wrong(tostring(name), 'unexpected option')
        end
        if value ~= nil then
            local kind = type(value)
            if not kinds:find(kind, 1, true) then
                wrong(name, kinds:find(',') and 'should be one of types ' .. kinds or 'should be of type ' .. kinds)
            end
            local problem = ranges[name] and ranges[name](value)
            if problem ~= nil then
                wrong(name, problem)
            end
            local feature = unsupported[name]
            if feature ~= nil and value ~= feature[2] and not (name == 'replication' and is_itself(value, listen)) then
                box.error(box.error.UNSUPPORTED, 'Lycosa', string.format("%s (option '%s')", feature[1], name))
            end
            out[name] = value
        end
    end
    log.cfg_check(out)
    return out
end

local function equal(a, b)
    if type(a) ~= 'table' or type(b) ~= 'table' then
        return a == b
    end
    for key, value in pairs(a) do
        if not equal(value, b[key]) then
            return false
        end
    end
    for key in pairs(b) do
        if a[key] == nil then
            return false
        end
    end
    return true
end

-- An option that a module other than box has changed.
log.cfg_changed = function(name, value)
    if current ~= nil then
        current[name] = value
    end
end

-- configure and reconfigure are done by one fiber at a time.
local locked = false
local unlocked = fiber.cond()

local function exclusively(f, ...)
    while locked do
        unlocked:wait()
    end
    locked = true
    local ok, reason = pcall(f, ...)
    locked = false
    unlocked:broadcast()
    if not ok then
        error(reason, 0)
    end
end

local function reload(options)
    local given = options or {}
    local checked = check(given)
    local changed = {}
    for name in pairs(given) do
        local value = checked[name]
        if value == nil then
            value = defaults[name]
        end
        if not equal(value, current[name]) then
            if not dynamic[name] then
                box.error(box.error.RELOAD_CFG, name)
            end
            changed[name] = value == nil and box.NULL or value
        end
    end
    if changed.memtx_memory ~= nil and changed.memtx_memory < current.memtx_memory then
        wrong('memtx_memory', 'cannot decrease memory size at runtime')
    end
    reconfigure(changed)
    log.cfg_apply(changed)
    for name, value in pairs(changed) do
        if value == nil then
            current[name] = nil
        else
            current[name] = value
        end
    end
end

-- box.cfg as a table.
local view_mt = {
    __index = function(_, name)
        return current[name]
    end,
    __newindex = function(_, name, value)
        if types[name] == nil then
            error('Attempt to modify a read-only table', 2)
        end
        error(string.format('Use box.cfg{%s = %s} for update', name, tostring(value)), 2)
    end,
    __call = function(_, options)
        exclusively(reload, options)
    end,
    __serialize = function()
        return current
    end,
}

-- The first configuration: open is called before the rest of box appears, to open it.
local function load(open, options)
    if current ~= nil then
        -- Another fiber was faster.
        return reload(options)
    end
    local values = check(options or {})
    log.cfg_fill(values)
    for name, value in pairs(defaults) do
        if values[name] == nil then
            values[name] = value
        end
    end
    current = values
    open(setmetatable(make_view({}, values), view_mt))
    log.cfg_apply(values)
    local ok, reason = pcall(configure, values)
    if not ok then
        if is_configured() then
            -- The database is open, only the network is not: the next call may ask for another address.
            current.listen = nil
        else
            current = nil
            open(nil)
        end
        error(reason, 0)
    end
end

-- The function that box.cfg is at first. open(table) puts the table in its place, open(nil) takes it back.
function cfg.first(open)
    return function(options)
        if options ~= nil and type(options) ~= 'table' then
            error('box.cfg: options should be a table', 2)
        end
        exclusively(load, open, options)
    end
end

return cfg

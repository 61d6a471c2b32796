-- Transactions: box.begin, box.commit and what belongs to them.
local go = require('internal.go')
local check = require('box.check')
local constants = require('box.constants')

local txn_begin = go.fn('box.txn_begin')
local txn_commit = go.fn('box.txn_commit')
local txn_rollback = go.fn('box.txn_rollback')
local txn_savepoint = go.fn('box.txn_savepoint')
local txn_rollback_to = go.fn('box.txn_rollback_to')
local txn_id = go.fn('box.txn_id')
local txn_on_end = go.fn('box.txn_on_end')

local txn = {}

local levels = constants.isolation
local level_numbers = {}
for _, number in pairs(levels) do
    level_numbers[number] = number
end

-- The number of an isolation level given by name or number, nil when it is none.
function txn.isolation_level(value)
    if type(value) == 'string' then
        return levels[value]
    end
    return level_numbers[value]
end

local option_types = {timeout = 'any', txn_isolation = 'any', is_sync = 'any'}

-- Checks the options of a transaction and returns them one by one.
local function read_options(options)
    if options == nil then
        return nil, nil, nil
    end
    check.options(options, option_types)
    local timeout, level, is_sync = options.timeout, options.txn_isolation, options.is_sync
    if timeout ~= nil and (type(timeout) ~= 'number' or timeout <= 0) then
        check.illegal('timeout must be a number greater than 0')
    end
    if level ~= nil then
        level = txn.isolation_level(level)
        if level == nil then
            check.illegal('txn_isolation must be one of box.txn_isolation_level (keys or values)')
        end
    end
    if is_sync ~= nil and is_sync ~= true then
        check.illegal('is_sync can only be true')
    end
    return timeout, level, is_sync
end

function txn.begin(options)
    txn_begin(read_options(options))
end

function txn.commit()
    txn_commit()
end

function txn.rollback()
    txn_rollback()
end

function txn.is_in_txn()
    return txn_id() ~= nil
end

txn.txn_id = txn_id

local savepoint_mt = {}

function txn.savepoint()
    return setmetatable({number = txn_savepoint(), txn_id = txn_id()}, savepoint_mt)
end

function txn.rollback_to_savepoint(savepoint)
    if type(savepoint) ~= 'table' or getmetatable(savepoint) ~= savepoint_mt then
        check.illegal('Usage: box.rollback_to_savepoint(savepoint)')
    end
    txn_rollback_to(savepoint.txn_id, savepoint.number)
end

local function is_callable(value)
    local mt = debug.getmetatable(value)
    return type(value) == 'function' or type(mt) == 'table' and mt.__call ~= nil
end

local function finish(ok, ...)
    if not ok then
        txn_rollback()
        local reason = ...
        if type(reason) == 'table' then
            reason = tostring(reason)
        end
        error(reason, 0)
    end
    txn_commit()
    return ...
end

local function run(options, f, ...)
    if not is_callable(f) then
        check.illegal('Usage: box.atomic([opts, ]tx-function[, function-arguments]')
    end
    txn.begin(options)
    return finish(pcall(f, ...))
end

-- box.atomic([options, ]f, ...): f(...) in a transaction of its own, which ends as f does.
function txn.atomic(first, ...)
    if type(first) == 'table' and not is_callable(first) then
        return run(first, ...)
    end
    return run(nil, first, ...)
end

-- The handlers of transactions that have some, by the transaction's number: lists for both ends, newest first.
local handlers = {}

local function handlers_of(id)
    local lists = handlers[id]
    if lists == nil then
        lists = {commit = {}, rollback = {}}
        handlers[id] = lists
        local function at_end(list)
            return function(iterator)
                handlers[id] = nil
                for _, handler in ipairs(list) do
                    local ok, reason = pcall(handler, iterator)
                    if not ok then
                        require('log').error(reason)
                    end
                end
            end
        end
        txn_on_end(at_end(lists.commit), at_end(lists.rollback))
    end
    return lists
end

local function find(list, handler)
    for i, known in ipairs(list) do
        if known == handler then
            return i
        end
    end
end

local function setter(kind)
    return function(new, old)
        local id = txn_id()
        if id == nil then
            check.illegal('Usage inside a transaction: ' ..
                          'box.on_%s([new_function | nil, [old_function | nil], [name | nil]])', kind)
        end
        if new ~= nil and not is_callable(new) or old ~= nil and not is_callable(old) then
            error('trigger reset: incorrect arguments', 2)
        end
        local list = handlers_of(id)[kind]
        if new == nil and old == nil then
            local copy = {}
            for i, handler in ipairs(list) do
                copy[i] = handler
            end
            return copy
        end
        if old ~= nil then
            local place = find(list, old)
            if place == nil then
                error('trigger reset: Trigger is not found', 2)
            end
            table.remove(list, place)
        end
        if new ~= nil then
            table.insert(list, 1, new)
        end
        return new
    end
end

txn.on_commit = setter('commit')
txn.on_rollback = setter('rollback')

-- box.txn_isolation_level
txn.levels = levels

return txn

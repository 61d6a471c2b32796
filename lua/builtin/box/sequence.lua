-- box.schema.sequence and the objects in box.sequence.
local go = require('internal.go')
local ffi = require('ffi')
local check = require('box.check')
local lookup = require('box.lookup')

local sequence_create = go.fn('box.sequence_create')
local sequence_alter = go.fn('box.sequence_alter')
local sequence_drop = go.fn('box.sequence_drop')
local sequence_next = go.fn('box.sequence_next')
local sequence_current = go.fn('box.sequence_current')
local sequence_set = go.fn('box.sequence_set')
local sequence_reset = go.fn('box.sequence_reset')

local sequence = {schema = {}}
local methods = {}

local int64 = ffi.typeof('int64_t')

local options_template = {
    step = 'number',
    min = 'number',
    max = 'number',
    start = 'number',
    cache = 'number',
    cycle = 'boolean',
}
local create_options = check.defaults({if_not_exists = 'boolean'}, options_template)
local alter_options = check.defaults({name = 'string'}, options_template)

function sequence.schema.create(name, options)
    check.param(name, 'name', 'string')
    check.options(options, create_options)
    options = check.defaults(options, {})
    if lookup.sequence(name) ~= nil then
        if options.if_not_exists then
            return box.sequence[name], 'not created'
        end
        box.error(box.error.SEQUENCE_EXISTS, name)
    end
    sequence_create(name, options.step, options.min, options.max, options.start, options.cache, options.cycle)
    return box.sequence[name]
end

local function number_of(name_or_id)
    if type(name_or_id) ~= 'string' and type(name_or_id) ~= 'number' then
        return nil
    end
    local row = lookup.sequence(name_or_id)
    return row and row[1]
end

function sequence.schema.alter(name, options)
    check.options(options, alter_options)
    local id = number_of(name)
    if id == nil then
        box.error(box.error.NO_SUCH_SEQUENCE, tostring(name))
    end
    options = check.defaults(options, {})
    sequence_alter(id, options.name, options.step, options.min, options.max, options.start, options.cache,
                   options.cycle)
end

function sequence.schema.drop(name, options)
    check.options(options, {if_exists = 'boolean'})
    local id = number_of(name)
    if id ~= nil then
        sequence_drop(id)
    elseif options == nil or not options.if_exists then
        box.error(box.error.NO_SUCH_SEQUENCE, tostring(name))
    end
end

function methods.next(self)
    local value = sequence_next(self.id)
    -- What doesn't fit a number is signed.
    return type(value) == 'cdata' and int64(value) or value
end

function methods.current(self)
    return int64(sequence_current(self.id))
end

function methods.set(self, value)
    local ok, number = pcall(int64, value)
    if value == nil or type(value) == 'string' or not ok then
        error('expected int64_t as 2 argument', 2)
    end
    sequence_set(self.id, number)
end

function methods.reset(self)
    sequence_reset(self.id)
end

function methods.alter(self, options)
    box.schema.sequence.alter(self.id, options)
end

function methods.drop(self)
    box.schema.sequence.drop(self.id)
end

-- Gives a sequence object its methods again.
function sequence.schema.bless(object)
    return setmetatable(object, sequence.object_mt)
end

sequence.object_mt = {__index = methods}

-- The fields of an object: integers that don't fit a number are signed.
function sequence.definition(definition)
    for name, value in pairs(definition) do
        if type(value) == 'cdata' then
            definition[name] = int64(value)
        end
    end
    return definition
end

return sequence

-- The module fun: lazy sequences. An iterator is what Lua's `for` takes, a generator with its parameter and state, in one
-- object: gen(param, state) -> next state, values...; a nil state is the end. Nothing in an iterator changes while it is
-- walked, so it can be walked again.
local fun = {}
local methods = {}

local iterator_mt = {
    __call = function(self, param, state) return self.gen(param, state) end,
    __index = methods,
    __tostring = function() return '<generator>' end,
}

local function wrap(gen, param, state)
    return setmetatable({ gen = gen, param = param, state = state }, iterator_mt), param, state
end
fun.wrap = wrap

local function array_gen(t, i)
    i = i + 1
    local v = t[i]
    if v ~= nil then return i, v end
end

local function map_gen(t, key)
    local k, v = next(t, key)
    return k, k, v
end

local function string_gen(s, i)
    i = i + 1
    if i <= #s then return i, s:sub(i, i) end
end

-- raw takes apart whatever can be walked.
local function raw(object, param, state)
    local kind = type(object)
    if kind == 'table' then
        if getmetatable(object) == iterator_mt then return object.gen, object.param, object.state end
        if #object > 0 then return array_gen, object, 0 end
        return map_gen, object, nil
    elseif kind == 'function' then
        return object, param, state
    elseif kind == 'string' then
        return string_gen, object, 0
    end
    error(('object %s of type "%s" is not iterable'):format(tostring(object), kind), 3)
end

function fun.iter(object, param, state) return wrap(raw(object, param, state)) end

function methods.unwrap(self) return self.gen, self.param, self.state end

--- define makes a function of the module that takes n arguments before what it walks, and a method of it.
local function define(name, n, f)
    if n == 0 then
        fun[name] = function(...) return f(raw(...)) end
    elseif n == 1 then
        fun[name] = function(a, ...) return f(a, raw(...)) end
    else
        fun[name] = function(a, b, ...) return f(a, b, raw(...)) end
    end
    methods[name] = function(self, a, b)
        local gen, param, state = self.gen, self.param, self.state
        if n == 0 then return f(gen, param, state) end
        if n == 1 then return f(a, gen, param, state) end
        return f(a, b, gen, param, state)
    end
end

local function alias(name, other)
    fun[name], methods[name] = fun[other], methods[other]
end

-- Generators.

local function range_up(p, state)
    local v = p.start + state * p.step
    if v <= p.stop then return state + 1, v end
end

local function range_down(p, state)
    local v = p.start + state * p.step
    if v >= p.stop then return state + 1, v end
end

local function nothing() return nil end

--- range([start,] stop [, step]): without a start from 1, or from -1 down.
function fun.range(start, stop, step)
    if stop == nil then
        if start == 0 then return wrap(nothing, nil, 0) end
        stop = start
        start = stop > 0 and 1 or -1
    end
    if step == nil then step = start <= stop and 1 or -1 end
    if step == 0 then error('step must not be zero', 2) end
    return wrap(step > 0 and range_up or range_down, { start = start, stop = stop, step = step }, 0)
end

local function values_gen(p, state) return state + 1, unpack(p, 1, p.n) end

function fun.duplicate(...) return wrap(values_gen, { n = select('#', ...), ... }, 0) end
fun.replicate, fun.xrepeat = fun.duplicate, fun.duplicate

local function tabulate_gen(f, state) return state + 1, f(state) end

function fun.tabulate(f) return wrap(tabulate_gen, f, 0) end

function fun.zeros() return fun.duplicate(0) end

function fun.ones() return fun.duplicate(1) end

local function random_gen(p) return 0, math.random(p[1], p[2]) end

local function random_float_gen() return 0, math.random() end

--- rands([from, to]): random integers from `from` to `to - 1`, or numbers between 0 and 1.
function fun.rands(from, to)
    if from == nil then return wrap(random_float_gen, 0, 0) end
    if to == nil then from, to = 0, from end
    if from >= to then error('empty interval', 2) end
    return wrap(random_gen, { from, to - 1 }, 0)
end

-- Parts of sequences.

define('nth', 1, function(n, gen, param, state)
    if n < 1 then error('invalid first argument to nth', 3) end
    if gen == array_gen then return param[n] end
    if gen == string_gen then
        if n <= #param then return param:sub(n, n) end
        return nil
    end
    for _ = 1, n - 1 do
        state = gen(param, state)
        if state == nil then return nil end
    end
    return select(2, gen(param, state))
end)

local function head_of(state, ...)
    if state == nil then error('head: iterator is empty', 4) end
    return ...
end

define('head', 0, function(gen, param, state) return (head_of(gen(param, state))) end)
alias('car', 'head')

define('tail', 0, function(gen, param, state)
    state = gen(param, state)
    if state == nil then return wrap(nothing, nil, nil) end
    return wrap(gen, param, state)
end)
alias('cdr', 'tail')

local function counted(i, state, ...)
    if state == nil then return nil end
    return { i, state }, ...
end

local function take_gen(p, s)
    if s[1] >= p.n then return nil end
    return counted(s[1] + 1, p.gen(p.param, s[2]))
end

define('take_n', 1, function(n, gen, param, state)
    if type(n) ~= 'number' or n < 0 then error('invalid first argument to take_n', 3) end
    return wrap(take_gen, { n = n, gen = gen, param = param }, { 0, state })
end)

local function while_true(f, state, ...)
    if state == nil or not f(...) then return nil end
    return state, ...
end

local function take_while_gen(p, state) return while_true(p.f, p.gen(p.param, state)) end

define('take_while', 1, function(f, gen, param, state)
    return wrap(take_while_gen, { f = f, gen = gen, param = param }, state)
end)

define('drop_n', 1, function(n, gen, param, state)
    if type(n) ~= 'number' or n < 0 then error('invalid first argument to drop_n', 3) end
    for _ = 1, n do
        state = gen(param, state)
        if state == nil then return wrap(nothing, nil, nil) end
    end
    return wrap(gen, param, state)
end)

local function is_dropped(f, state, ...)
    if state == nil then return nil, false end
    return state, f(...)
end

define('drop_while', 1, function(f, gen, param, state)
    while true do
        local after, drop = is_dropped(f, gen(param, state))
        if after == nil then return wrap(nothing, nil, nil) end
        if not drop then return wrap(gen, param, state) end
        state = after
    end
end)

-- A number takes that many, a function as long as it is true.
local function by_kind(name)
    return function(n_or_f, gen, param, state)
        local kind = type(n_or_f) == 'number' and '_n' or '_while'
        return fun[name .. kind](n_or_f, gen, param, state)
    end
end
define('take', 1, by_kind('take'))
define('drop', 1, by_kind('drop'))

define('span', 1, function(n_or_f, gen, param, state)
    return (fun.take(n_or_f, gen, param, state)), (fun.drop(n_or_f, gen, param, state))
end)
alias('split', 'span')
alias('split_at', 'span')

-- Transformations.

local function map_values(f, state, ...)
    if state == nil then return nil end
    return state, f(...)
end

local function map_step(p, state) return map_values(p.f, p.gen(p.param, state)) end

define('map', 1, function(f, gen, param, state)
    return wrap(map_step, { f = f, gen = gen, param = param }, state)
end)

local function filter_values(p, state, ...)
    if state == nil then return nil end
    if p.f(...) then return state, ... end
    return filter_values(p, p.gen(p.param, state))
end

local function filter_gen(p, state) return filter_values(p, p.gen(p.param, state)) end

define('filter', 1, function(f, gen, param, state)
    return wrap(filter_gen, { f = f, gen = gen, param = param }, state)
end)
alias('remove_if', 'filter')

define('grep', 1, function(pattern_or_f, gen, param, state)
    local f = pattern_or_f
    if type(f) == 'string' then f = function(s) return s:find(pattern_or_f) ~= nil end end
    return fun.filter(f, gen, param, state)
end)

define('partition', 1, function(f, gen, param, state)
    local function others(...) return not f(...) end
    return (fun.filter(f, gen, param, state)), (fun.filter(others, gen, param, state))
end)

local function enumerated(i, state, ...)
    if state == nil then return nil end
    return { i + 1, state }, i, ...
end

local function enumerate_gen(p, s) return enumerated(s[1], p.gen(p.param, s[2])) end

define('enumerate', 0, function(gen, param, state)
    return wrap(enumerate_gen, { gen = gen, param = param }, { 1, state })
end)

-- The state says whether the separator comes next, and where the sequence is.
local function intersperse_values(state, ...)
    if state == nil then return nil end
    return { true, state }, ...
end

local function intersperse_gen(p, s)
    if not s[1] then return intersperse_values(p.gen(p.param, s[2])) end
    return { false, s[2] }, p.separator
end

define('intersperse', 1, function(separator, gen, param, state)
    return wrap(intersperse_gen, { separator = separator, gen = gen, param = param }, { false, state })
end)

-- Compositions.

local function zip_gen(p, states)
    local after, values = {}, {}
    for i, it in ipairs(p) do
        local state, v = it.gen(it.param, states[i])
        if state == nil then return nil end
        after[i], values[i] = state, v
    end
    return after, unpack(values, 1, #p)
end

-- Arguments of which each can be walked. The last may be an iterator's three values.
local function sequences(...)
    local list, n = {}, select('#', ...)
    if n >= 3 and getmetatable((select(n - 2, ...))) == iterator_mt then n = n - 2 end
    for i = 1, n do
        local gen, param, state = raw((select(i, ...)))
        list[i] = { gen = gen, param = param, state = state }
    end
    return list
end

function fun.zip(...)
    local list = sequences(...)
    if #list == 0 then return wrap(nothing, nil, nil) end
    local states = {}
    for i, it in ipairs(list) do states[i] = it.state end
    return wrap(zip_gen, list, states)
end
methods.zip = fun.zip

local cycle_gen
local function cycle_values(p, state, ...)
    if state == nil then
        if p.gen(p.param, p.state) == nil then return nil end
        return cycle_gen(p, p.state)
    end
    return state, ...
end

function cycle_gen(p, state) return cycle_values(p, p.gen(p.param, state)) end

define('cycle', 0, function(gen, param, state)
    return wrap(cycle_gen, { gen = gen, param = param, state = state }, state)
end)

local chain_gen
local function chain_values(p, i, state, ...)
    if state ~= nil then return { i, state }, ... end
    local following = p[i + 1]
    if following == nil then return nil end
    return chain_gen(p, { i + 1, following.state })
end

function chain_gen(p, s)
    local it = p[s[1]]
    return chain_values(p, s[1], it.gen(it.param, s[2]))
end

function fun.chain(...)
    local list = sequences(...)
    if #list == 0 then return wrap(nothing, nil, nil) end
    return wrap(chain_gen, list, { 1, list[1].state })
end
methods.chain = fun.chain

require('internal.fun_reduce')(fun, define, alias, { wrap = wrap, raw = raw, array_gen = array_gen, string_gen = string_gen })

setmetatable(fun, { __call = function(self, ...) -- luacheck: no unused
    for k, v in pairs(fun) do rawset(_G, k, v) end
end })

return fun

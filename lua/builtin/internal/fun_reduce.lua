-- The half of the module fun that walks sequences to their end: searches, sums, predicates, and the operators.
return function(fun, define, alias, parts)
    local wrap, raw = parts.wrap, parts.raw

    local function each_value(f, state, ...)
        if state ~= nil then f(...) end
        return state
    end

    define('each', 1, function(f, gen, param, state)
        repeat state = each_value(f, gen(param, state)) until state == nil
    end)
    alias('for_each', 'each')
    alias('foreach', 'each')

    local function fold_value(f, acc, state, ...)
        if state == nil then return nil, acc end
        return state, f(acc, ...)
    end

    local function foldl(f, acc, gen, param, state)
        while true do
            state, acc = fold_value(f, acc, gen(param, state))
            if state == nil then return acc end
        end
    end
    define('foldl', 2, foldl)
    alias('reduce', 'foldl')

    define('length', 0, function(gen, param, state)
        if gen == parts.array_gen or gen == parts.string_gen then return #param end
        local n = 0
        while true do
            state = gen(param, state)
            if state == nil then return n end
            n = n + 1
        end
    end)

    define('is_null', 0, function(gen, param, state) return gen(param, state) == nil end)

    function fun.is_prefix_of(a, b)
        local gen_a, param_a, state_a = raw(a)
        local gen_b, param_b, state_b = raw(b)
        while true do
            local x, y
            state_a, x = gen_a(param_a, state_a)
            if state_a == nil then return true end
            state_b, y = gen_b(param_b, state_b)
            if state_b == nil or x ~= y then return false end
        end
    end

    local function decide(f, state, ...)
        if state == nil then return nil end
        return state, f(...)
    end

    define('all', 1, function(f, gen, param, state)
        local v
        while true do
            state, v = decide(f, gen(param, state))
            if state == nil then return true end
            if not v then return false end
        end
    end)
    alias('every', 'all')

    define('any', 1, function(f, gen, param, state)
        local v
        while true do
            state, v = decide(f, gen(param, state))
            if state == nil then return false end
            if v then return true end
        end
    end)
    alias('some', 'any')

    local function add(a, b) return a + b end
    local function mul(a, b) return a * b end

    define('sum', 0, function(gen, param, state) return foldl(add, 0, gen, param, state) end)
    define('product', 0, function(gen, param, state) return foldl(mul, 1, gen, param, state) end)

    -- The best of all by a function that chooses between two.
    local function choose(name, f, gen, param, state)
        local best
        state, best = gen(param, state)
        if state == nil then error(name .. ': iterator is empty', 4) end
        return foldl(f, best, gen, param, state)
    end

    local function least(a, b) return b < a and b or a end
    local function greatest(a, b) return b > a and b or a end

    define('min', 0, function(gen, param, state) return choose('min', least, gen, param, state) end)
    define('max', 0, function(gen, param, state) return choose('max', greatest, gen, param, state) end)
    define('min_by', 1, function(f, gen, param, state) return choose('min_by', f, gen, param, state) end)
    define('max_by', 1, function(f, gen, param, state) return choose('max_by', f, gen, param, state) end)
    alias('minimum', 'min')
    alias('maximum', 'max')
    alias('minimum_by', 'min_by')
    alias('maximum_by', 'max_by')

    define('totable', 0, function(gen, param, state)
        local t = {}
        local v
        while true do
            state, v = gen(param, state)
            if state == nil then return t end
            t[#t + 1] = v
        end
    end)

    define('tomap', 0, function(gen, param, state)
        local t = {}
        local k, v
        while true do
            state, k, v = gen(param, state)
            if state == nil then return t end
            t[k] = v
        end
    end)

    define('index', 1, function(x, gen, param, state)
        local i = 0
        local v
        while true do
            state, v = gen(param, state)
            if state == nil then return nil end
            i = i + 1
            if v == x then return i end
        end
    end)
    alias('index_of', 'index')
    alias('elem_index', 'index')

    -- The state: the position, and where the sequence is.
    local function indexes_gen(p, s)
        local i, state = s[1], s[2]
        local v
        while true do
            state, v = p.gen(p.param, state)
            if state == nil then return nil end
            i = i + 1
            if v == p.x then return { i, state }, i end
        end
    end

    define('indexes', 1, function(x, gen, param, state)
        return wrap(indexes_gen, { x = x, gen = gen, param = param }, { 0, state })
    end)
    alias('indices', 'indexes')
    alias('elem_indexes', 'indexes')
    alias('elem_indices', 'indexes')

    local operator = {
        add = add, mul = mul,
        lt = function(a, b) return a < b end, le = function(a, b) return a <= b end,
        eq = function(a, b) return a == b end, ne = function(a, b) return a ~= b end,
        ge = function(a, b) return a >= b end, gt = function(a, b) return a > b end,
        sub = function(a, b) return a - b end, div = function(a, b) return a / b end,
        floordiv = function(a, b) return math.floor(a / b) end,
        intdiv = function(a, b)
            local q = a / b
            return q >= 0 and math.floor(q) or math.ceil(q)
        end,
        mod = function(a, b) return a % b end, pow = math.pow,
        neg = function(a) return -a end, unm = function(a) return -a end,
        concat = function(a, b) return a .. b end, len = function(a) return #a end, length = function(a) return #a end,
        land = function(a, b) return a and b end, lor = function(a, b) return a or b end,
        lnot = function(a) return not a end, truth = function(a) return not not a end,
    }
    operator.truediv = operator.div
    fun.operator, fun.op = operator, operator
end

-- The module tap: tests that report in the Test Anything Protocol.
local methods = {}
local mt = { __index = methods }

local function indent(t) return (' '):rep(4 * t.level) end

local function write(t, format, ...)
    local text = select('#', ...) > 0 and format:format(...) or format
    for line in (text .. '\n'):gmatch('([^\n]*)\n') do
        io.stdout:write(indent(t), line, '\n')
    end
end

-- Where the call of a test came from: the first function that is not of this module.
local function place()
    local level = 3
    while true do
        local info = debug.getinfo(level, 'Sl')
        if info == nil then return nil end
        if info.source ~= '@builtin/tap.lua' and info.what ~= 'C' then return info end
        level = level + 1
    end
end

local function report(t, passed, name, extra)
    t.total = t.total + 1
    name = tostring(name)
    if passed then
        write(t, '%s', 'ok - ' .. name)
        return true
    end
    t.failed = t.failed + 1
    extra = extra or {}
    if not t.trace then return false, write(t, '%s', 'not ok - ' .. name) end
    local info = place()
    if info ~= nil then
        extra.filename, extra.line = info.source:match('^@?(.*)$'), info.currentline
    end
    write(t, '%s', 'not ok - ' .. name)
    local text = require('yaml').encode(extra):gsub('\n$', '')
    for line in (text .. '\n'):gmatch('([^\n]*)\n') do write(t, '%s', '  ' .. line) end
    return false
end

function methods.ok(t, condition, name, extra) return report(t, condition and true or false, name, extra) end

function methods.fail(t, name, extra) return report(t, false, name, extra) end

function methods.skip(t, name) return report(t, true, name .. ' # skip') end

function methods.skiptest(_, name) return name end

function methods.diag(t, format, ...)
    write(t, '%s', '# ' .. (select('#', ...) > 0 and format:format(...) or tostring(format)))
end

function methods.plan(t, planned)
    t.planned = planned
    write(t, '%s', '1..' .. planned)
end

local function detailed(extra, got, expected)
    extra = extra or {}
    extra.got, extra.expected = got, expected
    return extra
end

function methods.is(t, got, expected, name, extra)
    return report(t, got == expected and type(got) == type(expected) or got == expected, name,
        detailed(extra, got, expected))
end

function methods.isnt(t, got, unexpected, name, extra)
    extra = extra or {}
    extra.got, extra.unexpected = got, unexpected
    return report(t, got ~= unexpected, name, extra)
end

-- compare says whether two values are equal, tables by what is in them; if not, path tells where.
local function compare(got, expected, extra, strict, path)
    if type(got) ~= 'table' or type(expected) ~= 'table' then
        local same = got == expected or got ~= got and expected ~= expected
        if same and strict then same = type(got) == type(expected) end
        if not same then extra.path, extra.got, extra.expected = path, got, expected end
        return same
    end
    for k, v in pairs(got) do
        if not compare(v, expected[k], extra, strict, path .. '/' .. tostring(k)) then return false end
    end
    for k, v in pairs(expected) do
        if type(got[k]) == 'nil' and (strict or v ~= nil) then
            extra.path, extra.got, extra.expected = path .. '/' .. tostring(k), got[k], v
            return false
        end
    end
    return true
end

function methods.is_deeply(t, got, expected, name, extra)
    extra = extra or {}
    return report(t, compare(got, expected, extra, t.strict, '//'), name, extra)
end

function methods.like(t, got, pattern, name, extra)
    extra = extra or {}
    extra.got, extra.expected = got, pattern
    return report(t, tostring(got):match(pattern) ~= nil, name, extra)
end

function methods.unlike(t, got, pattern, name, extra)
    extra = extra or {}
    extra.got, extra.unexpected = got, pattern
    return report(t, tostring(got):match(pattern) == nil, name, extra)
end

for _, kind in ipairs { 'nil', 'string', 'number', 'table', 'boolean', 'function', 'userdata', 'thread', 'cdata' } do
    if kind ~= 'cdata' then
        methods['is' .. kind] = function(t, v, name, extra)
            return report(t, type(v) == kind, name, detailed(extra, type(v), kind))
        end
    end
end

function methods.isudata(t, v, udata, name, extra)
    return report(t, type(v) == 'userdata' and getmetatable(v) == udata, name, detailed(extra, type(v), 'userdata'))
end

function methods.iscdata(t, v, ctype, name, extra)
    local ffi = require('ffi')
    return report(t, type(v) == 'cdata' and ffi.istype(ctype, v), name, detailed(extra, type(v), 'cdata'))
end

--- check() tells whether the plan was kept and no test failed.
function methods.check(t)
    if t.checked then error('check called twice', 2) end
    t.checked = true
    if t.planned ~= t.total then
        t:diag('bad plan: planned %d run %d', t.planned or 0, t.total)
    elseif t.failed > 0 then
        t:diag('failed subtest: %d', t.failed)
    end
    return t.planned == t.total and t.failed == 0
end

--- test(name, f, ...) runs f(test, ...) as a test inside of this one, or makes a test to be used by hand.
function methods.test(parent, name, f, ...)
    local level = parent ~= nil and parent.level + 1 or 0
    local t = setmetatable({ name = name, parent = parent, level = level, total = 0, failed = 0, planned = nil,
        trace = parent == nil or parent.trace, strict = false }, mt)
    if parent ~= nil then
        t.strict = parent.strict
        t:diag('%s', name)
    else
        t:diag_version()
    end
    if f == nil then return t end
    f(t, ...)
    t:diag('%s: end', name)
    return report(parent, t:check(), name)
end

function methods.diag_version() io.stdout:write('TAP version 13\n') end

return {
    test = function(name, f, ...)
        local t = methods.test(nil, name)
        if f == nil then return t end
        f(t, ...)
        return t:check()
    end,
}

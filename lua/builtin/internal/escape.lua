-- Whether a handler could keep the header and the body of a request beyond its end. One that only asks them for fields, as
-- most do, is lent objects that the next request gets again. That spares LuaJIT's collector two objects a request. What a
-- debugger could find in the handler's slots is left out of account.
local util = require('jit.util')
local band, rshift = bit.band, bit.rshift

-- Kinds of operands in LuaJIT's bytecode, and the metamethod of reading a field.
local DST, BASE, VAR, RBASE, LIT = 1, 2, 3, 4, 6
local INDEX = 0

-- uses tells whether an operand of a kind takes one of the two objects, or a row of slots that may have them among it.
local function uses(kind, slot)
    return slot < 2 and (kind == VAR or kind == BASE or kind == RBASE)
end

local escape = {}

--- escape.impossible(f): true if f has two parameters and nothing can happen to what is in them but that a field is read
--- with a constant or another value as key. It is read off the bytecode; where that isn't plain, the answer is false.
function escape.impossible(f)
    local info = util.funcinfo(f)
    if info.bytecodes == nil or info.params ~= 2 or info.isvararg or info.children then return false end
    for pc = 1, info.bytecodes - 1 do
        local ins, mode = util.funcbc(f, pc)
        local a, b, c, d = band(rshift(ins, 8), 0xff), rshift(ins, 24), band(rshift(ins, 16), 0xff), rshift(ins, 16)
        local ma, mb, mc = band(mode, 7), band(rshift(mode, 3), 15), band(rshift(mode, 7), 15)
        local reads_field = rshift(mode, 11) == INDEX and ma == DST and mb == VAR
        local returns_nothing = ma == RBASE and mb == 0 and mc == LIT and d == 1
        if mb == 0 then c = d end
        if uses(ma, a) and not returns_nothing or uses(mb, b) and not reads_field or uses(mc, c) then return false end
    end
    return true
end

-- Bytecode is LuaJIT's own affair. If it isn't what is expected here, nothing is ever lent.
local sink = {}
if not escape.impossible(function(header, body) return body.key == header[1] end)
    or escape.impossible(function(header, _) sink.kept = header end)
    or escape.impossible(function(_, body) return body end)
    or escape.impossible(function(_, body) return sink.keep(body) end) then
    escape.impossible = function() return false end
end

return escape

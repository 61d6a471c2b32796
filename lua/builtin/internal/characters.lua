-- UTF-8, a character at a time.
local byte = string.byte

local characters = {}

--- decode(s, i) -> the code point at byte i and the position behind it; nil where no character starts.
function characters.decode(s, i)
    local a = byte(s, i)
    if a == nil then return nil end
    if a < 0x80 then return a, i + 1 end
    local n, code, least
    if a >= 0xc2 and a < 0xe0 then
        n, code, least = 1, a - 0xc0, 0x80
    elseif a >= 0xe0 and a < 0xf0 then
        n, code, least = 2, a - 0xe0, 0x800
    elseif a >= 0xf0 and a < 0xf5 then
        n, code, least = 3, a - 0xf0, 0x10000
    else
        return nil
    end
    for k = 1, n do
        local c = byte(s, i + k)
        if c == nil or c < 0x80 or c > 0xbf then return nil end
        code = code * 64 + c - 0x80
    end
    if code < least or code > 0x10ffff or code >= 0xd800 and code < 0xe000 then return nil end
    return code, i + n + 1
end

return characters

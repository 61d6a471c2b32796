-- The module iconv: conversions between encodings of text.
local core = require('internal.core')

local known, convert = core.fn('iconv.known'), core.fn('iconv.convert')

local mt = {
    __call = function(self, text)
        if type(text) ~= 'string' then error('Usage: conv(string)', 2) end
        local out = convert(self.to, self.from, text)
        if out == nil then error('Incomplete multibyte sequence', 2) end
        return out
    end,
    __tostring = function(self) return ('iconv: %s from %s'):format(self.to, self.from) end,
}

return {
    --- new(to, from): a function of texts in one encoding that returns them in the other.
    new = function(to, from)
        if type(to) ~= 'string' or type(from) ~= 'string' then error('Usage: iconv.new("CP1251", "KOI8-R")', 2) end
        if not known(to) or not known(from) then error('iconv: Invalid argument', 2) end
        return setmetatable({ to = to, from = from }, mt)
    end,
}

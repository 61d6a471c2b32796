-- The module timezones: the numbers of time zones by their names, and their names by number.
local core = require('internal.core')

local zones = setmetatable(core.fn('datetime.zones')(), nil)
for number, name in pairs(core.fn('datetime.zone_names')()) do zones[number] = name end

return zones

-- The module config is not there: there are no configuration files, box.cfg is all of it.
local core = require('internal.core')

local function refuse() core.client_error(box.error.UNSUPPORTED, 'Lycosa', 'configuration files') end

return setmetatable({}, { __index = function(_, name)
    if name == 'get' or name == 'info' or name == 'reload' or name == 'instance_uri' or name == 'instances' then return refuse end
end })

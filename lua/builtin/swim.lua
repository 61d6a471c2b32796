-- The module swim is not there: whoever uses it is told so.
local core = require('internal.core')

return {
    new = function() core.client_error(box.error.UNSUPPORTED, 'Lycosa', 'the SWIM protocol') end,
    cfg = function() core.client_error(box.error.UNSUPPORTED, 'Lycosa', 'the SWIM protocol') end,
}

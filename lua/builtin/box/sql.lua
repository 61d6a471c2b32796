-- box.execute and box.prepare.
local go = require('internal.go')

return {
    execute = go.fn('box.execute'),
    prepare = go.fn('box.prepare'),
    unprepare = go.fn('box.unprepare'),
}

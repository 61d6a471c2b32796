-- The Go functions that Lua modules stand on: go.fn(name) returns one.
local core = require('internal.core')

return { fn = core.fn }

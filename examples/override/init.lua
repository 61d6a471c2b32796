-- A server that answers some requests itself.
--
--   bin/lycosa examples/override/init.lua
--   go run ./examples/override
--
-- It listens on port 3301, or where the environment variable LISTEN says: a port, host:port, or a unix socket's path.
-- It keeps its data in the current directory. Everybody may do everything here, which suits an example only.
local fiber = require('fiber')

box.cfg { listen = os.getenv('LISTEN') or 3301 }
box.schema.user.grant('guest', 'super', nil, nil, { if_not_exists = true })

local fruit = box.schema.space.create('fruit', { id = 512, if_not_exists = true })
fruit:format { { 'id', 'unsigned' }, { 'name', 'string' }, { 'grams', 'unsigned' } }
fruit:create_index('primary', { parts = { 'id' }, if_not_exists = true })
fruit:replace { 1, 'apple', 180 }
fruit:replace { 2, 'pear', 170 }

-- There is no space 513 in the database: the handler below is all there is to it.
local clock = 513

-- SELECT of space 513 is answered here; returning false hands any other SELECT to the built-in handler.
box.iproto.override(box.iproto.type.SELECT, function(header, body)
    if body.space_id ~= clock then return false end
    box.iproto.send(box.session.id(),
        { request_type = box.iproto.type.OK, sync = header.sync, schema_version = box.info.schema_version },
        { data = { { 'uptime', fiber.clock() }, { 'fruits', fruit:len() } } })
    return true
end)

-- A request of a type that the protocol doesn't know, 120, is echoed: its data come back. All others are refused as usual.
box.iproto.override(box.iproto.type.UNKNOWN, function(header, body)
    if header.request_type ~= 120 then return false end
    box.iproto.send(box.session.id(),
        { request_type = box.iproto.type.OK, sync = header.sync, schema_version = box.info.schema_version },
        { data = { body.data } })
    return true
end)

print('override: listening on ' .. tostring(box.info.listen))
io.flush()

-- What smoke.js talks to: a user, a space, a function, and a handler that takes SELECT over where there can be one.
box.cfg{listen = '127.0.0.1:33012', wal_mode = 'none', log_level = 'warn'}

local cars = box.schema.space.create('cars', {format = {{'id', 'unsigned'}, {'name', 'string'}}})
cars:create_index('pk')
cars:create_index('name', {parts = {'name'}, unique = false})

box.schema.user.create('me', {password = 'secret'})
box.schema.user.grant('me', 'read,write,execute', 'universe')

function sum(a, b)
    return a + b
end

function has_overrides()
    return box.iproto ~= nil and box.iproto.override ~= nil
end

-- A SELECT with limit 77 gets an answer of the handler's own; all others are left to the server.
if has_overrides() then
    box.iproto.override(box.iproto.type.SELECT, function(header, body)
        if body.limit ~= 77 then
            return false
        end
        box.iproto.send(box.session.id(), {request_type = 0, sync = header.sync, schema_version = box.info.schema_version},
            {data = {{0, 'overridden'}}})
        return true
    end)
end

-- A key-value store: a space and stored functions.
--
--   bin/lycosa examples/kv/init.lua
--
-- Clients call put(key, value) and get(key). It listens on port 3301, or where the environment variable LISTEN says,
-- and keeps its data in the current directory.
box.cfg { listen = os.getenv('LISTEN') or 3301 }

local kv = box.schema.space.create('kv', { if_not_exists = true })
kv:format { { 'key', 'string' }, { 'value', 'any' }, { 'version', 'unsigned' } }
kv:create_index('primary', { parts = { 'key' }, if_not_exists = true })

--- put(key, value): stores a value and returns the tuple with its version, which grows with every put of a key.
function put(key, value)
    return box.atomic(function()
        local old = kv:get(key)
        return kv:replace { key, value, old and old.version + 1 or 1 }
    end)
end

--- get(key): the value, or nothing.
function get(key)
    local t = kv:get(key)
    return t and t.value
end

for _, name in ipairs { 'put', 'get' } do
    box.schema.func.create(name, { if_not_exists = true })
    box.schema.user.grant('guest', 'execute', 'function', name, { if_not_exists = true })
end
box.schema.user.grant('guest', 'read,write', 'space', 'kv', { if_not_exists = true })

print('kv: listening on ' .. tostring(box.info.listen))
io.flush()

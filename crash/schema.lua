-- What the servers of these tests run after box.cfg. The space accounts has tuples {id, owner, n, text}, ledger has
-- {id, n, text}; n is the number of the operation that wrote the tuple.
box.schema.user.grant('guest', 'super', nil, nil, {if_not_exists = true})
local accounts = box.schema.space.create('accounts', {id = 512, if_not_exists = true})
accounts:create_index('pk', {if_not_exists = true})
accounts:create_index('by_owner', {parts = {{2, 'unsigned'}, {3, 'unsigned'}, {1, 'unsigned'}}, if_not_exists = true})
accounts:create_index('by_text', {parts = {{4, 'string'}}, unique = false, if_not_exists = true})
accounts:create_index('by_n', {type = 'hash', parts = {{3, 'unsigned'}, {1, 'unsigned'}}, if_not_exists = true})
local ledger = box.schema.space.create('ledger', {id = 513, if_not_exists = true})
ledger:create_index('pk', {if_not_exists = true})
ledger:create_index('by_n', {parts = {{2, 'unsigned'}, {1, 'unsigned'}}, if_not_exists = true})

-- Writes to both spaces, all or nothing.
function post(puts, deletes, entry)
    box.begin()
    for _, t in ipairs(puts) do
        accounts:replace(t)
    end
    ledger:replace(entry)
    for _, id in ipairs(deletes) do
        accounts:delete(id)
    end
    box.commit()
end

-- The tuples of a worker in both spaces.
function contents(owner, width)
    local accounts = accounts:select({owner * width}, {iterator = 'GE', limit = width})
    local ledger = ledger:select({owner * width}, {iterator = 'GE', limit = width})
    local out = {{}, {}}
    for i, list in ipairs{accounts, ledger} do
        for _, t in ipairs(list) do
            if t[1] < (owner + 1) * width then
                table.insert(out[i], t)
            end
        end
    end
    return out[1], out[2]
end

local function tree_key(x, t)
    local text = {}
    for i, part in ipairs(x.parts) do
        local v = t[part.fieldno]
        text[i] = type(v) == 'string' and v or string.format('%020d', v)
    end
    return table.concat(text, '\0')
end

-- What is wrong with the indexes, as a list of texts.
function disagreements()
    local out = {}
    local function note(...) table.insert(out, string.format(...)) end
    for _, s in ipairs{accounts, ledger} do
        local count = s:len()
        for i = 0, 3 do
            local x, n, last = s.index[i], 0, nil
            for _, t in (x or s.index.pk):pairs() do
                if x == nil then break end
                n = n + 1
                local same = s.index.pk:get(t[1])
                if same == nil or same ~= t and same:totable()[3] ~= t:totable()[3] then
                    note('%s.%s: tuple %s differs in pk', s.name, x.name, t[1])
                end
                if x.type == 'TREE' then
                    local key = tree_key(x, t)
                    if last ~= nil and key < last then note('%s.%s: %s is out of order', s.name, x.name, t[1]) end
                    last = key
                elseif x:get{t[3], t[1]} == nil then
                    note('%s.%s: %s is not found', s.name, x.name, t[1])
                end
            end
            if x ~= nil and n ~= count then note('%s.%s: %d tuples instead of %d', s.name, x.name, n, count) end
        end
    end
    return out
end

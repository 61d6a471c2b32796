-- Finding objects by name in the system views, which show what the user may see.
local lookup = {}

local function by_name(view, name)
    return box.space[view].index.name:get(name)
end

-- A space by name or number: its number and its name.
function lookup.space(name_or_id)
    local row
    if type(name_or_id) == 'number' then
        row = box.space._vspace:get(name_or_id)
    elseif type(name_or_id) == 'string' then
        row = by_name('_vspace', name_or_id)
    end
    if row ~= nil then
        return row[1], row[3]
    end
end

-- What has a name or number: its row.
local function named(view, name_or_id)
    if type(name_or_id) == 'string' then
        return by_name(view, name_or_id)
    end
    return box.space[view]:get({name_or_id})
end

-- A function by name or number: its number.
function lookup.func(name_or_id)
    local row
    if type(name_or_id) == 'number' then
        row = box.space._vfunc:get(name_or_id)
    else
        row = by_name('_vfunc', name_or_id)
    end
    return row and row[1]
end

-- A sequence by name or number: its row.
function lookup.sequence(name_or_id)
    return named('_vsequence', name_or_id)
end

function lookup.collation(name)
    local row = by_name('_vcollation', name)
    return row and row[1]
end

function lookup.collation_name(id)
    local row = box.space._vcollation:get(id)
    return row and row[2]
end

-- A user or a role by name or number: its row.
function lookup.account(name_or_id)
    return named('_vuser', name_or_id)
end

-- Without a name or number there is no such user or role.
local function account_of(kind, name_or_id)
    local row = type(name_or_id) ~= 'nil' and lookup.account(name_or_id)
    return row and row[4] == kind and row or nil
end

function lookup.user(name_or_id)
    return account_of('user', name_or_id)
end

function lookup.role(name_or_id)
    return account_of('role', name_or_id)
end

return lookup

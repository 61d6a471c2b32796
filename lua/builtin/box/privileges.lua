-- Privileges: giving and taking them, and what an account has.
local go = require('internal.go')
local check = require('box.check')
local lookup = require('box.lookup')

local grant = go.fn('box.grant')
local revoke = go.fn('box.revoke')

local privileges = {}

-- The names in the order of their bits, which is the order in which they are listed.
local names = {'read', 'write', 'execute', 'session', 'usage', 'create', 'drop', 'alter', 'reference', 'trigger',
               'insert', 'update', 'delete'}

local function to_text(value)
    local out = {}
    for i, name in ipairs(names) do
        if bit.band(value, bit.lshift(1, i - 1)) ~= 0 then
            out[#out + 1] = name
        end
    end
    return table.concat(out, ',')
end

local views = {space = '_vspace', ['function'] = '_vfunc', sequence = '_vsequence', role = '_vuser', user = '_vuser'}

-- The name of an object that a row of _priv is about.
local function object_name(object_type, id)
    if type(id) == 'string' then
        return id
    end
    local view = views[object_type]
    if view == nil then
        return ''
    end
    local row = box.space[view]:get(id)
    return row and row[3] or id
end

-- The list of {privileges, object type, object name} that an account holds by itself.
function privileges.info(id)
    local out = {}
    for _, row in box.space._vpriv:pairs{id} do
        out[#out + 1] = {to_text(row[5]), row[3], object_name(row[3], row[4])}
    end
    return out
end

-- The name of a user or role that is given by name or number.
local function name_of(account)
    local row = type(account) == 'number' and lookup.account(account)
    return row and row[3] or tostring(account)
end

-- The name of an object that is given by name or number.
local function name_of_object(object_type, object)
    local t = type(object)
    if object == nil or t == 'string' then
        return object
    elseif t ~= 'number' then
        check.illegal('wrong object name type')
    end
    local row = views[object_type] and box.space[views[object_type]]:get(object)
    return row and row[3] or tostring(object)
end

-- Calls f with what is to be given or taken. Without the type of an object that is a role.
local function with_target(f, account, is_role, what, object_type, object, lenient, grantor)
    if object_type == nil and object == nil then
        if what == nil and account ~= nil then
            box.error(box.error.EXACT_MATCH, 1, 0)
        end
        what, object_type, object = 'execute', 'role', what
    end
    if grantor ~= nil then
        local row = lookup.account(grantor)
        if row == nil then
            box.error(box.error.NO_SUCH_USER, grantor)
        end
        grantor = row[1]
    end
    f(name_of(account), tostring(what), tostring(object_type), name_of_object(object_type, object), is_role,
      lenient and true, grantor)
end

function privileges.grant(account, is_role, what, object_type, object, options)
    options = options or {}
    with_target(grant, account, is_role, what, object_type, object, options.if_not_exists, options.grantor)
end

function privileges.revoke(account, is_role, what, object_type, object, options)
    with_target(revoke, account, is_role, what, object_type, object, options and options.if_exists)
end

return privileges

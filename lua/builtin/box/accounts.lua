-- box.schema.user and box.schema.role.
local go = require('internal.go')
local check = require('box.check')
local lookup = require('box.lookup')
local privileges = require('box.privileges')

local user_create = go.fn('box.user_create')
local role_create = go.fn('box.role_create')
local account_drop = go.fn('box.account_drop')
local password_set = go.fn('box.password_set')
local password_set_own = go.fn('box.password_set_own')
local password_hash = go.fn('box.password_hash')

local user, role = {}, {}

local function existing(find, code, name)
    local row = find(name)
    if row == nil then
        box.error(code, name)
    end
    return row
end

local function existing_user(name)
    return existing(lookup.user, box.error.NO_SUCH_USER, name)
end

local function existing_role(name)
    return existing(lookup.role, box.error.NO_SUCH_ROLE, name)
end

-- Whether there is no account of that name yet; that there is one may be an error.
local function is_new(name, exists_code, options)
    if lookup.account(name) == nil then
        return true
    end
    if options == nil or not options.if_not_exists then
        box.error(exists_code, name)
    end
    return false
end

local function drop(find, code, name, options)
    check.options(options, {if_exists = 'boolean'})
    local row = find(name)
    if row == nil then
        if options ~= nil and options.if_exists then
            return
        end
        box.error(code, name)
    end
    account_drop(row[1])
end

function user.create(name, options)
    check.options(options, {password = 'string', if_not_exists = 'boolean'})
    if is_new(name, box.error.USER_EXISTS, options) then
        user_create(name, options ~= nil and options.password or nil)
    end
end

function user.drop(name, options)
    drop(lookup.user, box.error.NO_SUCH_USER, name, options)
end

function user.exists(name)
    return lookup.user(name) ~= nil
end

-- The text of a password, which may be given as a number.
local function password_text(password)
    local t = type(password)
    if t ~= 'string' and t ~= 'number' then
        error(("bad argument #2 to 'prepare_auth' (string expected, got %s)"):format(t), 3)
    end
    return tostring(password)
end

function user.password(password)
    return password_hash(password_text(password))
end

function user.passwd(name, password)
    if name == nil then
        check.illegal('Usage: box.schema.user.passwd([user,] password)')
    end
    if password == nil then
        password_set_own(password_text(name))
    else
        password_set(existing_user(name)[1], password_text(password))
    end
end

function user.grant(name, ...)
    privileges.grant(name, false, ...)
end

function user.revoke(name, ...)
    privileges.revoke(name, false, ...)
end

function user.enable(name)
    user.grant(name, 'session,usage', 'universe', nil, {if_not_exists = true})
end

function user.disable(name)
    user.revoke(name, 'session,usage', 'universe', nil, {if_exists = true})
end

function user.info(name)
    if name == nil then
        return privileges.info(box.session.euid())
    end
    return privileges.info(existing_user(name)[1])
end

function role.create(name, options)
    check.options(options, {if_not_exists = 'boolean'})
    if is_new(name, box.error.ROLE_EXISTS, options) then
        role_create(name)
    end
end

function role.drop(name, options)
    drop(lookup.role, box.error.NO_SUCH_ROLE, name, options)
end

function role.exists(name)
    return lookup.role(name) ~= nil
end

function role.grant(name, ...)
    privileges.grant(name, true, ...)
end

function role.revoke(name, ...)
    privileges.revoke(name, true, ...)
end

function role.info(name)
    return privileges.info(existing_role(name)[1])
end

return {user = user, role = role}

-- box.ctl: waiting for states of the instance, triggers of its life, and leadership.
local go = require('internal.go')
local check = require('box.check')
local triggers = require('box.triggers')

local wait = go.fn('box.ctl_wait')
local set_timeout = go.fn('box.ctl_on_shutdown_timeout')

local ctl = {
    is_recovery_finished = go.fn('box.ctl_is_recovery_finished'),
    promote = go.fn('box.ctl_promote'),
    demote = go.fn('box.ctl_demote'),
    iproto_lockdown = go.fn('box.ctl_iproto_lockdown'),
    make_bootstrap_leader = go.fn('box.ctl_make_bootstrap_leader'),
}
ctl.clear_synchro_queue = ctl.promote

for _, event in ipairs{'on_election', 'on_recovery_state', 'on_schema_init', 'on_shutdown'} do
    ctl[event] = triggers.setter('box.ctl.' .. event)
end

local function number(value, optional)
    if value == nil and optional then
        return nil
    end
    if type(value) ~= 'number' then
        check.illegal('expected number as 1 argument')
    end
    return value
end

function ctl.wait_ro(timeout)
    wait(true, number(timeout, true))
end

function ctl.wait_rw(timeout)
    wait(false, number(timeout, true))
end

function ctl.set_on_shutdown_timeout(timeout)
    set_timeout(number(timeout))
end

return ctl

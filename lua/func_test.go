//go:build cgo

package lua_test

import "testing"

// TestPersistentFunctions calls functions over the wire and lets events call them, when they are new and after a restart.
func TestPersistentFunctions(t *testing.T) {
	t.Chdir(t.TempDir())
	const create = `
		box.schema.user.create('joe', {password = 'p'})
		local function create(name, body, options)
			options = options or {}
			options.body = body
			box.schema.func.create(name, options)
			box.schema.user.grant('joe', 'execute', 'function', name)
		end
		create('who', 'function() return box.session.user(), box.session.effective_user() end')
		create('owner', 'function() return box.session.user(), box.session.effective_user() end', {setuid = true})
		create('later', 'function() require("fiber").yield() return box.session.effective_user() end', {setuid = true})
		create('global', nil, {setuid = true})
		create('raw', 'function(args) return require("msgpack").is_object(args) end', {takes_raw_args = true})
		local note = 'function(...) require("fiber").yield() table.insert(noted, %q) return false end'
		for name, event in pairs{connect = 'box.session.on_connect', ping = 'box.iproto.override.ping', own = 'test.own'} do
			create(name, note:format(name), {trigger = event})
		end`
	const call = `
		local c = require('net.box').connect('unix/:./s.sock', {user = 'joe', password = 'p', fetch_schema = false})
		local lines = {}
		for _, name in ipairs{'who', 'owner', 'later', 'global', 'raw'} do
			local got = {pcall(c.call, c, name)}
			for i = 1, #got do got[i] = tostring(got[i]) end
			table.insert(lines, name .. ' ' .. table.concat(got, ' '))
		end
		table.insert(lines, tostring(c:ping()))
		require('trigger').call('test.own')
		c:close()
		box.cfg{listen = box.NULL}
		return table.concat(lines, ', ') .. '; ' .. table.concat(noted, ' ')`
	const start = `
		noted = {}
		function global() return box.session.user(), box.session.effective_user() end
		box.cfg{log_level = 'fatal', listen = 'unix/:./s.sock'}`
	const want = "who true joe joe, owner true joe admin, later true admin, global true joe admin, raw true true, true; " +
		"connect ping own"
	for _, script := range []string{start + create + call, start + call} {
		if got := runServer(t, script); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

//go:build cgo

package lua_test

import (
	"strings"
	"testing"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/lua"
	"github.com/lycosadb/lycosa/msgpack"
)

// netPrelude makes a server that a chunk connects to, and out(...), whose lines are the result.
const netPrelude = `
box.cfg{log_level = 'fatal', wal_mode = 'none', listen = 'unix/:./s.sock'}
box.schema.user.grant('guest', 'super')
local net, fiber = require('net.box'), require('fiber')
local path = 'unix/:./s.sock'
local lines = {}
local function out(...)
    local t = {}
    for i = 1, select('#', ...) do t[i] = tostring((select(i, ...))) end
    lines[#lines + 1] = table.concat(t, ' ')
end
local function finish() return table.concat(lines, '\n') end
local function until_true(f) while not f() do fiber.sleep(0.001) end end
-- stuck(key) blocks a call until released[key] is set.
released = {}
function stuck(key) until_true(function() return released[key] end) return key end
-- Cut a connection off: what it gets is no packet.
local function cut(c) pcall(c.eval, c, "box.iproto.send(box.session.id(), '\\xff')", {}) end
`

// runNet runs a chunk behind netPrelude and returns the text that it returns.
func runNet(t *testing.T, chunk string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	return runServer(t, netPrelude+chunk)
}

// runServer runs a chunk as the script of a server in the current directory and returns the text that it returns.
func runServer(t *testing.T, chunk string) string {
	t.Helper()
	db, err := lycosa.Open(lycosa.Options{Unconfigured: true})
	if err != nil {
		t.Fatal(err)
	}
	db.Box.Cord.Lock()
	s, err := lua.New(db.Box, lua.Options{Server: db.Server})
	if err != nil {
		t.Fatal(err)
	}
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	err = s.Run([]byte(chunk), "=test", nil, func(results []byte, _ int, err error) {
		text, _, _ := msgpack.ReadString(results)
		done <- result{string(text), err}
	})
	db.Box.Cord.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	if err := db.Close(t.Context()); err != nil {
		t.Error(err)
	}
	db.Box.Cord.Lock()
	s.Close()
	db.Box.Cord.Unlock()
	return r.text
}

func TestNetBox(t *testing.T) {
	for _, test := range []struct{ name, chunk, want string }{
		{"fibers that wait are woken and cancelled", `
local c = net.connect(path)
local function begin(...)
    local f = fiber.new(function(...) return c:call(...) end, ...)
    f:set_joinable(true)
    fiber.yield()
    return f
end
local f = begin('stuck', {1})
f:wakeup() fiber.yield()
released[1] = true
out(f:join())
f = begin('stuck', {2})
f:cancel()
out(f:join())
f = begin('stuck', {2})
f:wakeup() fiber.yield() f:cancel()
out(f:join())
f = begin('stuck', {2}, {timeout = 0.01})
f:wakeup()
out(f:join())
out(c:ping())
return finish()`, `true 1
false fiber is cancelled
false fiber is cancelled
false timed out
true`},
		{"futures are waited for by many", `
local c = net.connect(path)
local f = c:call('stuck', {1}, {is_async = true})
for i = 1, 3 do fiber.new(function() out(i, f:wait_result()[1]) end) end
fiber.yield()
out(f:is_ready())
released[1] = true
f:wait_result()
until_true(function() return #lines == 4 end)
table.sort(lines)
return finish()`, "1 1\n2 1\n3 1\nfalse"},
		{"messages come with and without a future", `
local c = net.connect(path)
function pushing() for i = 1, 2 do box.session.push('message ' .. i) end return 'end' end
out(c:call('pushing'))
out(pcall(c.call, c, 'pushing', {}, {on_push = function() error('no', 0) end}))
local list = {}
out(c:call('pushing', {}, {on_push = table.insert, on_push_ctx = list}), unpack(list))
local f = c:call('pushing', {}, {is_async = true})
f:wait_result()
for i, m in f:pairs() do out(i, type(m) == 'table' and m[1] or m) end
f = c:eval('box.session.push(5) error("bad", 0)', {}, {is_async = true})
for i, m in f:pairs() do out(i == nil, m) end
return finish()`, `end
false no
end message 1 message 2
1 message 1
2 message 2
3 end
false 5
true bad`},
		{"a lost connection is made again", `
local log = {}
local c = net.connect(path, {reconnect_after = 0.001})
c:on_connect(function(conn) log[#log + 1] = 'connect ' .. conn.state end)
c:on_disconnect(function(conn) log[#log + 1] = 'disconnect ' .. conn.state end)
local told = {}
c:watch('key', function(_, v) told[#told + 1] = tostring(v) end)
until_true(function() return #told == 1 end)
local stuck = c:call('stuck', {1}, {is_async = true})
cut(c)
out(stuck:wait_result())
until_true(function() return #told == 2 end)
out(c:ping(), c.state, c.error)
out(unpack(log))
box.broadcast('key', 'again')
until_true(function() return #told == 3 end)
out(unpack(told))
c:close()
c:close()
out(c.state, c.error)
return finish()`, `nil Invalid MsgPack - packet header
true active nil
disconnect error_reconnect connect active
nil nil again
closed Connection closed`},
		{"a lost connection is not made again", `
local c = net.connect(path)
cut(c)
out(c.state, c.error, c:wait_connected(), c:ping())
c:close()
out(c.state)
return finish()`, "error Invalid MsgPack - packet header false false\nclosed"},
		{"a connection that nobody holds is closed", `
local open = 0
box.session.on_connect(function() open = open + 1 end)
box.session.on_disconnect(function() open = open - 1 end)
local function lose() net.connect(path):ping() end
lose()
out(open)
until_true(function()
    collectgarbage()
    net.connect(path, {wait_connected = false}):close()
    return open == 0
end)
return finish()`, "1"},
		{"a server says that it stops", `
box.iproto.override('watch', function(header, body)
    if body.event_key ~= 'box.shutdown' then return false end
    box.iproto.send(box.session.id(), {request_type = box.iproto.type.EVENT, sync = header.sync},
                    {event_key = 'box.shutdown', event_data = released.shutdown or false})
    return true
end)
local c = net.connect(path)
local other = net.connect(path, {_disable_graceful_shutdown = true})
c:on_shutdown(function(conn) out('shutdown', conn.state) end)
local f = c:call('stuck', {1}, {is_async = true})
released.shutdown = true
c:eval("box.iproto.send(box.session.id(), {request_type = 76}, {event_key = 'box.shutdown', event_data = true})")
out(c:wait_state('graceful_shutdown'), pcall(c.eval, c, 'return 1'))
released[1] = true
out(f:wait_result()[1])
out(c:wait_state('error'), c.error, other.state)
return finish()`, `shutdown active
true false Peer is shutting down
1
true Peer closed active`},
		{"the schema is followed", `
local c = net.connect(path)
local reloads = 0
c:on_schema_reload(function() reloads = reloads + 1 end)
box.schema.space.create('one', {format = {{'id', 'unsigned'}, {'name', 'string'}}}):create_index('pk')
out(c.space.one)
c:ping() c:ping()
out(c.space.one:insert{1, 'x'}.name, c.space.one:format()[2].name, reloads)
local s = c:new_stream()
out(s.space.one == s.space.one, s.space.one:get(1), s.space[c.space.one.id].name, s.space.two)
box.space.one:drop()
c:ping() c:ping()
out(c.space.one, s.space.one, reloads)
return finish()`, `nil
x name 1
true [1, 'x'] one nil
nil nil 2`},
		{"tuples keep their formats", `
local c = net.connect(path)
local s = box.schema.space.create('one', {format = {{'id', 'unsigned'}, {'name', 'string'}}})
s:create_index('pk')
s:insert{1, 'ann'}
function named(t) return t.name, box.tuple.is(t), t end
out(c:call('named', {s:get(1)}))
local list = c:eval('return {box.space.one:get(1)}, box.tuple.new{5}')
out(list[1].name, list[1])
out(c:eval('return ...', {{s:get(1), {a = box.tuple.new{2}}}})[2].a)
return finish()`, "ann true [1, 'ann']\nann [1, 'ann']\n[2]"},
		{"answers that are none", `
local c = net.connect(path, {fetch_schema = false})
local bodies = {'\\x05', '\\x81\\x30\\x05', '\\x81\\x30\\x92\\x05\\x06', '\\x81\\x30\\x91\\xd4\\x65\\x00', '\\x91\\x81\\xc1', ''}
box.iproto.override('select', function(header, body)
    box.iproto.send(box.session.id(), '\\x82\\x00\\x00\\x01' .. require('msgpack').encode(header.sync), bodies[body.limit])
    return true
end)
for i = 1, #bodies do
    local ok, r = pcall(c.space.x.select, c.space.x, {}, {limit = i})
    out(ok, ok and #r or r)
end
box.iproto.override('call', function(header, body)
    box.iproto.send(box.session.id(), '\\x82\\x00\\x00\\x01' .. require('msgpack').encode(header.sync), bodies[body.tuple[1]])
    return true
end)
for i = 1, #bodies do
    out(pcall(c.call, c, 'x', {i}))
end
out(c:ping())
return finish()`, `true 0
true 0
false Tuple/Key must be MsgPack array
false Tuple/Key must be MsgPack array
false Invalid MsgPack - packet body
true 0
true
true
true 5 6
false Unsupported MsgPack extension type: 101
false Invalid MsgPack - packet body
true
true`},
		{"a schema that is none", `
box.iproto.override('select', function(header, body)
    box.iproto.send(box.session.id(), {request_type = 0, sync = header.sync}, {data = {{512, 1, {}, {}, {}, {{}}, {{}}}}})
    return true
end)
local c = net.connect(path)
out(c.state, c.error ~= nil, pcall(c.ping, c))
return finish()`, "error true true false"},
		{"where nothing can wait", `
local c = net.connect(path)
local s = box.schema.space.create('one')
s:create_index('pk')
s:on_replace(function() c:ping() out(pcall(c.eval, c, 'return 1')) end)
s:insert{1}
out(pcall(string.gsub, 'x', 'x', function() return c:eval('return "y"') end))
return finish()`, "false attempt to yield across C-call boundary\ntrue y 1"},
		{"refused", `
local c = net.connect(path)
local function try(f, ...) out((tostring((select(2, pcall(f, ...)))):gsub('^test:%d+: ', ''))) end
try(net.connect, path, {console = true})
try(net.connect, path, {auth_type = 'magic'})
try(net.connect, '127.0.0.1:1?transport=ssl')
try(net.connect, 'a:b:c')
try(net.connect, {})
try(net.from_fd, 'x')
try(net.from_fd, 3, {reconnect_after = 1})
try(c.ping, c, {is_async = true})
try(c.call, c, 'x', {}, {is_async = true, on_push = print})
try(c.eval, c, 'x', 5)
try(c.eval, c, 'return ...', {print})
try(c.space._space.get, c.space._space, 1, {buffer = require('buffer').ibuf()})
try(c.space._space.insert, c.space._space, 5)
try(c.space._space.select, c.space._space, 5, {after = true})
try(c.space._space.select, c.space._space, 5, {buffer = 5})
try(c.on_connect, c, nil, print)
try(c.new_stream, nil)
try(c:new_stream().begin)
try(c:new_stream().begin, c:new_stream(), {txn_isolation = 'high'})
return finish()`, `net.box does not support the console protocol
Unknown authentication method 'magic'
Connecting does not support the transport 'ssl'
Incorrect URI: expected host:service or /unix.socket
usage: connect(uri[, opts] | host, port[, opts])
usage: from_fd(fd[, opts])
net.box: from_fd doesn't support reconnect_after
conn:ping() doesn't support 'is_async' argument
To handle pushes in an async request use future:pairs()
Use remote:eval(expression, {arg1, arg2, ...}, opts) instead of remote:eval(expression, arg1, arg2, ...)
unsupported Lua type 'function'
index:get() doesn't support 'buffer' argument
Tuple/Key must be MsgPack array
options parameter 'after' should be one of types: string, table, tuple
options parameter 'buffer' should be of type struct ibuf
trigger reset: Trigger is not found
Use remote:new_stream(...) instead of remote.new_stream(...):
Use stream:begin(...) instead of stream.begin(...):
txn_isolation must be one of box.txn_isolation_level (keys or values)`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := strings.ReplaceAll(runNet(t, strings.ReplaceAll(test.chunk, `\\x`, `\x`)), "`", "'")
			if got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

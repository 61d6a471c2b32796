//go:build cgo

package lua

import (
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/msgpack"
)

// prelude configures a database in an empty directory and gives the chunks of these tests what they share: try(f, ...)
// returns the type and message of the error that f raises, or "ok" and what it returns.
const prelude = `
box.cfg{log_level = 'fatal', wal_mode = 'none'}
local function try(f, ...)
    local r = {pcall(f, ...)}
    if not r[1] then
        local e = r[2]
        return type(e) == 'cdata' and e.type .. ': ' .. e.message or (tostring(e):gsub('^[^\n]-:%d+: ', ''))
    end
    for i = 2, table.maxn(r) do r[i] = tostring(r[i]) end
    r[1] = 'ok'
    return table.concat(r, ' ')
end
local function ids(list)
    local out = {}
    for i, t in ipairs(list) do out[i] = tostring(t[1]) end
    return table.concat(out, ' ')
end
`

// runBox runs a chunk behind the prelude on a database of its own and returns its result, which is a text.
func runBox(t *testing.T, chunk string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	b := box.New(box.Config{})
	b.Cord.Lock()
	s, err := New(b, Options{})
	if err != nil {
		b.Cord.Unlock()
		t.Fatal(err)
	}
	type result struct {
		text string
		err  error
	}
	done := make(chan result, 1)
	err = s.Run([]byte(prelude+chunk), "=test", nil, func(results []byte, _ int, err error) {
		text, _, _ := msgpack.ReadString(results)
		done <- result{string(text), err}
	})
	b.Cord.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	r := <-done
	if r.err != nil {
		t.Fatal(r.err)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	b.Cord.Lock()
	s.Close()
	b.Cord.Unlock()
	b.Cord.Stop()
	return r.text
}

func TestBox(t *testing.T) {
	for _, c := range []struct{ name, chunk, want string }{
		{"options of the wrong type", `
			return try(box.schema.space.create, 's', {id = 'x'})`,
			"IllegalParams: options parameter 'id' should be of type number"},
		{"unknown options", `
			return try(box.schema.space.create, 's', {nonsense = 1})`,
			"IllegalParams: unexpected option 'nonsense'"},
		{"old names of types", `
			local s = box.schema.space.create('s')
			s:create_index('pk', {parts = {1, 'uint', 2, 'STR'}})
			s:create_index('sk', {parts = {{field = 3, type = 'int'}, {4, 'num'}}})
			return try(require('json').encode, {box.space._index:get{s.id, 0}[6], box.space._index:get{s.id, 1}[6]})`,
			`ok [[[0,"unsigned"],[1,"string"]],[[2,"integer"],[3,"unsigned"]]]`},
		{"a space follows its definition", `
			local s = box.schema.space.create('s')
			local pk = s:create_index('pk')
			s:rename('other')
			pk:rename('first')
			return s.name .. ' ' .. pk.name .. ' ' .. tostring(box.space.s) .. ' ' .. tostring(s.index.first == pk)`,
			"other first nil true"},
		{"a definition that is rolled back", `
			box.begin()
			box.schema.space.create('s')
			local seen = box.space.s ~= nil
			box.rollback()
			return tostring(seen) .. ' ' .. tostring(box.space.s)`,
			"true nil"},
		{"parts in every notation", `
			local s = box.schema.space.create('s', {format = {{'a', 'unsigned'}, {'b', 'string', collation = 'unicode_ci'}}})
			s:create_index('pk')
			local out = {}
			for i, parts in ipairs{{2, 'string'}, {'b'}, {{'b'}}, {{field = 'b', type = 'string'}}, {{2, is_nullable = true}}} do
				local p = s:create_index('i' .. i, {parts = parts, unique = false}).parts[1]
				out[i] = p.fieldno .. p.type .. p.collation .. (p.is_nullable and '?' or '')
			end
			return table.concat(out, ' ')`,
			"2stringunicode_ci 2stringunicode_ci 2stringunicode_ci 2stringunicode_ci 2stringunicode_ci?"},
		{"methods without their object", `
			local s = box.schema.space.create('s')
			return try(s.get, 1)`,
			"IllegalParams: Use space:get(...) instead of space.get(...)"},
		{"iterators", `
			local s = box.schema.space.create('s')
			s:create_index('pk')
			for i = 1, 5 do s:insert{i} end
			return ids(s:select(3, {iterator = 'le'})) .. '; ' .. ids(s:select(3, box.index.GT)) .. '; ' ..
				ids(s:select({}, {limit = 2, offset = 1})) .. '; ' .. try(s.select, s, 1, {iterator = 'odd'})`,
			"3 2 1; 4 5; 2 3; ClientError: Unknown iterator type 'odd'"},
		{"pages", `
			local s = box.schema.space.create('s')
			s:create_index('pk')
			for i = 1, 5 do s:insert{i} end
			local page, pos = s:select({}, {limit = 2, fetch_pos = true})
			return ids(page) .. '; ' .. ids(s:select({}, {limit = 2, after = pos})) .. '; ' .. ids(s:select({}, {after = {4}}))`,
			"1 2; 3 4; 5"},
		{"nothing found is no value", `
			local s = box.schema.space.create('s')
			s:create_index('pk')
			return select('#', s:get(1)) .. select('#', s:delete(1)) .. select('#', s:upsert({1}, {}))`,
			"000"},
		{"functions are no data", `
			local s = box.schema.space.create('s')
			s:create_index('pk')
			return try(s.insert, s, {1, print})`,
			"LuajitError: unsupported Lua type 'function'"},
		{"a map of fields", `
			local s = box.schema.space.create('s', {format = {{'a', 'unsigned'}, {'b', 'string'}}})
			local t, text = s:frommap{b = 'x', c = 1}
			return tostring(s:frommap{a = 1, b = 'x'}) .. ' ' .. tostring(t) .. ' ' .. text`,
			"[1, 'x'] nil Unknown field 'c'"},
		{"a table of text", `
			local s = box.schema.space.create('s', {format = {{'id', 'unsigned'}, {'name', 'string'}}})
			s:create_index('pk')
			s:insert{1, 'ann'}
			return '\n' .. table.concat(s:fselect(), '\n') .. '\n' .. s.index.pk:gselect()[2] .. '\n' .. s:jselect()[1]`,
			"+----+------+\n| id | name |\n+----+------+\n| 1  | ann  |\n+----+------+\n|----|------|\n|| id || name ||"},
		{"triggers in the old way", `
			local s = box.schema.space.create('s')
			s:create_index('pk')
			local n = ''
			local function a() n = n .. 'a' end
			local function b() n = n .. 'b' end
			s:on_replace(a)
			s:on_replace(b)
			s:insert{1}
			s:on_replace(nil, a)
			s:insert{2}
			return n .. #s:on_replace() .. ' ' .. try(s.on_replace, s, nil, a)`,
			"bab1 trigger reset: Trigger is not found"},
		{"a trigger sees names and the transaction", `
			local s = box.schema.space.create('s', {format = {{'id', 'unsigned'}}})
			s:create_index('pk')
			local seen
			s:before_replace(function(_, new) seen = new.id return new end)
			s:on_replace(function() seen = seen .. tostring(box.is_in_txn()) end)
			s:insert{7}
			return seen`,
			"7true"},
		{"a trigger reads while its statement holds a key", `
			local s = box.schema.space.create('s')
			s:create_index('pk')
			for i = 1, 3 do s:insert{i, 0} end
			s:before_replace(function(_, new) s:get(3) s:select(2) return new end)
			s:update(1, {{'=', 2, 'x'}})
			return tostring(s:get(1)) .. tostring(s:get(3))`,
			"[1, 'x'][3, 0]"},
		{"savepoints end with their transaction", `
			box.begin()
			local p = box.savepoint()
			box.commit()
			box.begin()
			local r = try(box.rollback_to_savepoint, p)
			box.rollback()
			return r`,
			"ClientError: Can not rollback to savepoint: the savepoint does not exist"},
		{"a failed atomic leaves nothing", `
			local s = box.schema.space.create('s')
			s:create_index('pk')
			local r = try(box.atomic, function() s:insert{1} error('stop', 0) end)
			return r .. ' ' .. s:len() .. ' ' .. tostring(box.is_in_txn())`,
			"stop 0 false"},
		{"handlers of one transaction", `
			local n = ''
			box.begin()
			box.on_commit(function() n = n .. 'c' end)
			box.on_rollback(function() n = n .. 'r' end)
			box.commit()
			box.begin()
			box.on_rollback(function() n = n .. 'r' end)
			box.rollback()
			return n`,
			"cr"},
		{"another user for a while", `
			box.schema.user.create('ann')
			local r = try(box.session.su, 'ann', function() error(box.session.effective_user(), 0) end)
			return r .. ' ' .. box.session.effective_user()`,
			"ann admin"},
		{"the storage of a session", `
			box.session.storage.x = 5
			collectgarbage()
			return tostring(box.session.storage.x)`,
			"5"},
		{"privileges", `
			box.schema.user.create('ann')
			box.schema.user.grant('ann', 'read,write', 'space')
			box.schema.user.revoke('ann', 'write', 'space')
			return try(box.schema.user.grant, 'ann', 'read', 'space') .. '; ' .. try(box.schema.user.grant, 'ann', 'fly', 'space')`,
			"ClientError: User 'ann' already has read access on space ''; ClientError: Unsupported space privilege 'fly'"},
		{"a sequence object follows its definition", `
			local q = box.schema.sequence.create('q')
			q:next()
			q:alter{step = 10}
			return q.step .. ' ' .. q:next() .. ' ' .. tostring(q:current())`,
			"10 11 11LL"},
		{"a stored function", `
			box.schema.func.create('sum', {body = 'function(a, b) return a + b end'})
			return box.func.sum:call{2, 3} .. ' ' .. try(box.func.sum.call, box.func.sum, 1)`,
			"5 IllegalParams: Usage: func:call(table)"},
		{"box.once", `
			local n = 0
			for _ = 1, 3 do box.once('key', function() n = n + 1 end) end
			return tostring(n)`,
			"1"},
		{"box.cfg is read-only and has pairs", `
			local n = 0
			for _ in pairs(box.cfg) do n = n + 1 end
			return tostring(n > 40) .. ' ' .. try(function() box.cfg.readahead = 1 end)`,
			"true Use box.cfg{readahead = 1} for update"},
		{"options that cannot change", `
			return try(box.cfg, {wal_mode = 'write'}) .. '; ' .. try(box.cfg, {wal_mode = 'none'})`,
			"ClientError: Can't set option 'wal_mode' dynamically; ok"},
		{"options for what is not there", `
			return try(box.cfg, {replication = 'localhost:3301'}) .. '; ' ..
				try(box.cfg, {listen = 'unix/:./s', replication = {'unix/:./s', 'me:secret@unix/:./s'}}) .. '; ' ..
				try(box.cfg, {replication = {'unix/:./s', 'other:3301'}})`,
			"ClientError: Lycosa does not support replication (option 'replication'); ok; " +
				"ClientError: Lycosa does not support replication (option 'replication')"},
		{"a collation of one's own", `
			box.internal.collation.create('mine', 'ICU', 'de', {strength = 'primary'})
			local s = box.schema.space.create('s')
			s:create_index('pk', {parts = {{1, 'string', collation = 'mine'}}})
			s:insert{'Ä'}
			local r = tostring(s:get('a'))
			s:drop()
			box.internal.collation.drop('mine')
			return r`,
			"['Ä']"},
		{"numbers of sessions", `
			local s = box.session
			return try(s.exists, 'x') .. '; ' .. try(s.fd, 77) .. '; ' .. try(s.peer, 77) .. '; ' .. select('#', s.peer()) ..
				'; ' .. tostring(s.exists(77)) .. '; ' .. tostring(s.exists(s.id() + 0.5)) .. '; ' .. try(s.push, 1, 2)`,
			"expected int64_t as 1 argument; IllegalParams: session.fd(): session does not exist; " +
				"IllegalParams: session.peer(): session does not exist; 1; false; true; IllegalParams: Usage: box.session.push(data)"},
		{"accounts by number and by nothing", `
			local user, role = box.schema.user, box.schema.role
			user.create('ann')
			local space = box.schema.space.create('s')
			user.grant('ann', 'read', 'space', space.id)
			user.grant(32, 7, 'universe')
			return try(user.drop) .. '; ' .. try(user.grant, 'ann') .. '; ' .. tostring(user.exists()) .. '; ' ..
				try(role.info) .. '; ' .. #role.info(2) .. '; ' .. try(user.grant, 'ann', 'read', 'space', {}) .. '; ' ..
				#user.info(32)`,
			"ClientError: User 'nil' is not found; ClientError: Invalid key part count in an exact match (expected 1, got 0); " +
				"false; ClientError: Role 'nil' is not found; 12; IllegalParams: wrong object name type; 4"},
		{"a user who drops himself", `
			box.schema.user.create('tmp')
			local s = box.schema.space.create('s')
			s:create_index('pk')
			return box.session.su('tmp', function()
				box.session.su('admin', box.schema.user.drop, 'tmp')
				return tostring(box.session.effective_user()) .. ' ' .. box.session.euid() .. ' ' .. try(s.get, s, 1)
			end)`,
			"nil 32 AccessDeniedError: Usage access to universe '' is denied for user ''"},
		{"functions with the wrong arguments", `
			box.schema.func.create('f', {body = 'function() error("x") end'})
			local f, func = box.func.f, box.schema.func
			return try(f.call, {1}) .. '; ' .. try(f.drop) .. '; ' .. try(f.drop, f, {if_exists = 1}) .. '; ' .. try(func.call) ..
				'; ' .. tostring(func.exists()) .. tostring(func.exists({})) .. tostring(func.exists(f.id)) .. '; ' ..
				try(func.create, 5) .. '; ' .. try(f.call, f)`,
			"IllegalParams: Use func:call(...) instead of func.call(...); IllegalParams: Use func:drop(...) instead of func.drop(...); " +
				"IllegalParams: options parameter 'if_exists' should be of type boolean; Use func:call(...); falsefalsetrue; " +
				"ClientError: Supplied key type of part 0 does not match index part type: expected string; " +
				"LuajitError: [string \"return function() error(\"x\") end\"]:1: x"},
		{"passwords", `
			box.schema.user.create('ann')
			local function hash(name) return box.space._user.index.name:get(name)[5]['chap-sha1'] end
			box.session.su('ann', box.schema.user.passwd, 'mine')
			return tostring(hash('admin') == box.schema.user.password('mine')) .. ' ' ..
				tostring(box.schema.user.password(5) == box.schema.user.password('5')) .. ' ' ..
				try(box.schema.user.password) .. '; ' .. try(box.session.su, 'ann', box.schema.user.passwd, 'ann', 'x')`,
			"true true bad argument #2 to 'prepare_auth' (string expected, got nil); " +
				"AccessDeniedError: Write access to space '_user' is denied for user 'ann'"},
		{"watchers", `
			local fiber = require('fiber')
			local seen = {}
			local w = box.watch('k', function(_, v) seen[#seen + 1] = tostring(v) end)
			fiber.yield()
			box.broadcast('k', 5)
			fiber.yield()
			w:unregister()
			return table.concat(seen, ' ') .. ' ' .. box.watch_once('k') .. ' ' .. try(w.unregister, w)`,
			"nil 5 5 Watcher is already unregistered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := runBox(t, c.chunk); strings.TrimSpace(got) != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// TestIteratorsAreReused checks that an iterator's number is free again after its end or when it is closed.
func TestIteratorsAreReused(t *testing.T) {
	its := new(iterators)
	first, second := its.open(new(box.Iterator)), its.open(new(box.Iterator))
	its.close(first)
	its.close(first)
	if third := its.open(new(box.Iterator)); third != first || second == first {
		t.Errorf("iterators %d and %d, after the first was closed %d", first, second, third)
	}
	if its.get(0) != nil || its.get(99) != nil {
		t.Error("iterators that were never opened are there")
	}
}

func TestAddresses(t *testing.T) {
	for _, c := range []struct {
		listen any
		want   string
	}{
		{3301, "3301"},
		{"unix/:./a.sock", "unix/:./a.sock"},
		{[]any{3301, "localhost:3302"}, "3301 localhost:3302"},
		{[]any{map[string]any{"uri": "3303"}}, "3303"},
		{nil, ""},
	} {
		raw, err := msgpack.Append(nil, c.listen)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(addresses(raw), " "); got != c.want {
			t.Errorf("addresses of %v: got %q, want %q", c.listen, got, c.want)
		}
	}
}

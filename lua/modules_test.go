//go:build cgo

package lua

import (
	"testing"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/msgpack"
)

// library gives chunks that need no database what they share: err(f, ...) is the message of the error that f raises, and
// show(...) the values as JSON.
const library = `
local json = require('json')
local fiber = require('fiber')
local function err(f, ...)
    local ok, e = pcall(f, ...)
    if ok then return 'no error' end
    return type(e) == 'cdata' and e.type .. ': ' .. e.message or (tostring(e):gsub('^[^\n]-:%d+: ', ''))
end
local function show(...)
    local out = {}
    for i = 1, select('#', ...) do out[i] = json.encode((select(i, ...))) end
    return table.concat(out, ' ')
end
`

// newRunner starts a VM and returns a function that runs chunks in it, each in a fiber of its own, and returns the text
// that a chunk returns or the message of its error.
func newRunner(t *testing.T) func(chunk string) string {
	t.Helper()
	t.Chdir(t.TempDir())
	b := box.New(box.Config{})
	b.Cord.Lock()
	s, err := New(b, Options{})
	b.Cord.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return func(chunk string) string {
		done := make(chan string, 1)
		b.Cord.Lock()
		err := s.Run([]byte(library+chunk), "=test", nil, func(results []byte, _ int, err error) {
			if err != nil {
				done <- "error: " + err.Error()
				return
			}
			text, _, _ := msgpack.ReadString(results)
			done <- string(text)
		})
		b.Cord.Unlock()
		if err != nil {
			return "error: " + err.Error()
		}
		return <-done
	}
}

type chunkTest struct{ name, chunk, want string }

func runChunks(t *testing.T, tests []chunkTest) {
	run := newRunner(t)
	for _, test := range tests {
		if got := run(test.chunk); got != test.want {
			t.Errorf("%s:\ngot  %s\nwant %s", test.name, got, test.want)
		}
	}
}

func TestTextModules(t *testing.T) {
	runChunks(t, []chunkTest{
		{"yaml of a query's rows", `return require('yaml').encode({{1, 'a b'}, {k = {1, {2}}}})`,
			"---\n- - 1\n  - a b\n- k:\n  - 1\n  - - 2\n...\n"},
		{"yaml of a table that is its own element", `local t = {} t[1] = t return require('yaml').encode(t)`,
			"--- &0\n- *0\n...\n"},
		{"yaml and back", `local y, v = require('yaml'), {a = {1.5, 'x: y', true}, ["b c"] = 'l1\nl2\n', e = ''}
			return show(table.equals(y.decode(y.encode(v)), v))`, "true"},
		{"emoji are escaped in yaml", `return require('yaml').encode('\240\159\152\128')`, "--- \"\\U0001F600\"\n...\n"},
		{"compat of yaml", `local c, y = require('compat'), require('yaml')
			c.yaml_pretty_multiline = 'old' local s = y.encode('a\nb') c.yaml_pretty_multiline = 'default' return s`,
			"--- 'a\n\n  b'\n...\n"},
		{"json of a deep table", `local t = {} for _ = 1, 200 do t = {t} end return err(json.encode, t)`, "Too high nest level"},
		{"json with other options", `return json.encode({1/3, 0/0}, {encode_number_precision = 2})`, "[0.33,nan]"},
		{"json of another codec", `local j = json.new() j.cfg{encode_invalid_as_nil = true} return j.encode{print} .. err(json.encode, print)`,
			"[null]LuajitError: unsupported Lua type 'function'"},
		{"csv over chunks", `local parts, i = {'a,"b', '\nc",d\n', 'e'}, 0
			local source = {read = function() i = i + 1 return parts[i] end} return show(require('csv').load(source))`,
			`[["a","b\nc","d"],["e"]]`},
		{"csv without its last quote", `return show(require('csv').load('a,"b'))`, "[]"},
		{"uri and back", `local u = require('uri') return u.format(u.parse('http://u:p@h:1/x?a=1&a=2#f'), true)`, "http://u:p@h:1/x?a=1&a=2#f"},
		{"an address that is none", `return err(function() local _, e = require('uri').parse('::1') e:raise() end)`,
			"IllegalParams: Incorrect URI: expected host:service or /unix.socket"},
		{"utf8", `local u = require('utf8') return show(u.len('пр\255'), u.sub('привет', -3, -2), u.upper('ß'), u.cmp('ё', 'е'))`,
			`null "ве" "SS" 1`},
		{"iconv", `local i = require('iconv') return i.new('UTF-8', 'CP1251')(i.new('CP1251', 'UTF-8')('слово')) .. err(i.new, 'ASCII//X', 'UTF-8')`, "словоiconv: Invalid argument"},
		{"pickle", `local p = require('pickle') return show(p.unpack('bsilqA', p.pack('bsilqA', 1, 2, 3, 4, 0, 'rest')))`, `1 2 3 4 0 "rest"`},
		{"fun", `local f = require('fun') return show(f.range(10):filter(function(x) return x % 2 == 0 end):map(function(x) return x * x end):totable(),
			f.zip({1, 2}, {'a', 'b'}):map(function(a, b) return a .. b end):totable(), f.iter({}):is_null())`, `[4,16,36,64,100] ["1a","2b"] true`},
		{"an iterator walks again", `local r = require('fun').chain({1, 2}, 'ab'):take(3) return show(r:totable(), r:length())`, `[1,2,"a"] 3`},
		{"strings", `return show(('a  b'):split(), ('x'):center(4, '.'), ('[ab]'):strip('[]'), ('6162'):fromhex())`, `["a","b"] ".x.." "ab" "ab"`},
		{"argparse", `local t = require('internal.argparse').parse({'--a=1', '--b', '2', '-x', 'rest'}, {{'a', 'number'}, 'b', {'x', 'boolean'}})
			return show(t.a, t.b, t.x, t[1])`, `1 "2" true "rest"`},
	})
}

func TestTypes(t *testing.T) {
	runChunks(t, []chunkTest{
		{"datetime", `local d = require('datetime') return tostring(d.new{year = 2024, month = 1, day = 31} + {month = 1}) .. err(d.new, {month = 13})`,
			"2024-02-29T00:00:00Zvalue 13 of month is out of allowed range [1, 12]"},
		{"interval", `local i = require('datetime').interval return tostring(i.new{day = 1} - i.new{hour = 3})`, "+1 days, -3 hours"},
		{"datetimes cross msgpack", `local d, m = require('datetime'), require('msgpack')
			local x = d.new{year = 2024, nsec = 5, tz = 'Europe/Moscow'} local i = d.interval.new{month = -3, nsec = 7}
			return show(m.decode(m.encode(x)) == x, m.decode(m.encode(i)) == i)`, "true true"},
		{"malformed extensions", `local m, out = require('msgpack'), {}
			for _, s in ipairs{'\212\4\1', '\199\9\4' .. '123456789', '\216\1' .. ('\255'):rep(16), '\199\40\1' .. ('\1'):rep(40), '\212\6\9', '\213\6\1\20', '\214\3\129\0\145\1'} do
				out[#out + 1] = err(m.decode, s):match('[^-]+$')
			end return table.concat(out)`,
			" invalid extension invalid extension invalid extension invalid extension invalid extension invalid extension invalid extension"},
		{"decimals", `local d = require('decimal') return show(d.new('1.10') + 1, d.new(2^53)) .. err(function() return d.new(1) / 0 end)`,
			`"2.10" "9007199254740990"decimal operation failed`},
		{"checks", `require('checks') local function f(a) checks('number|?string') end return err(f, {})`,
			"bad argument #1 to nil (number|?string expected, got table)"},
	})
}

func TestDigests(t *testing.T) {
	runChunks(t, []chunkTest{
		{"sha256 by pieces", `local d = require('crypto').digest.sha256.new() d:update('a') d:update('bc') return d:result():hex():sub(1, 16)`, "ba7816bf8f01cfea"},
		{"a cipher and back", `local c = require('crypto').cipher.aes256.cfb local k, v = ('k'):rep(32), ('v'):rep(16)
			return c.decrypt(c.encrypt('any length', k, v), k, v)`, "any length"},
		{"a wrong key", `return err(require('crypto').cipher.aes128.cbc.encrypt, 'x', 'short', ('v'):rep(16))`, "CryptoError: key size expected 16, got 5"},
		{"base64", `local d = require('digest') return d.base64_decode(d.base64_encode(('x'):rep(100))) == ('x'):rep(100) and d.base64_encode('\251\255', {urlsafe = true}) or ''`, "-_8"},
		{"pbkdf2 waits in a fiber", `return require('digest').pbkdf2_hex('password', 'salt', 1000, 20)`, "632c2812e46d4604102ba7618e9d6d7d2f8128f6"},
	})
}

func TestFiles(t *testing.T) {
	runChunks(t, []chunkTest{
		{"write, read and seek", `local fio = require('fio') local f = fio.open('f', {'O_CREAT', 'O_RDWR'}, 420)
			f:write('hello') f:seek(1) local s = f:read(3) f:close() return s .. show(fio.stat('f').size)`, "ell5"},
		{"what is missing", `local f, e = require('fio').open('none/f') return show(f, e.message, require('errno')())`, `null "fio: No such file or directory" 2`},
		{"trees", `local fio = require('fio') fio.mktree('a/b/c') fio.open('a/b/f', {'O_CREAT'}, 420):close() fio.copytree('a', 'z')
			local ok = fio.path.exists('z/b/f') fio.rmtree('z') return show(ok, fio.path.exists('z'), fio.listdir('a'))`, `true false ["b"]`},
		{"patterns hide dot files", `local fio = require('fio') fio.mkdir('g') for _, n in ipairs{'g/.x', 'g/y'} do fio.open(n, {'O_CREAT'}, 420):close() end
			return show(fio.glob('g/*'), fio.glob('g/.*'))`, `["g/y"] ["g/.x"]`},
		{"paths", `local fio = require('fio') return show(fio.basename('a/b.lua', '.lua'), fio.dirname('/a/'), fio.pathjoin('/', 'a', '/b/'), fio.abspath('/a/../b'))`,
			`"b" "/" "/a/b" "/b"`},
		{"require of files", `local f = io.open('mod.lua', 'w') f:write('return {name = ...}') f:close() return require('mod').name .. err(require, 'no.such'):match('^[^\n]*')`, "modmodule 'no.such' not found:"},
	})
}

func TestSockets(t *testing.T) {
	runChunks(t, []chunkTest{
		{"echo", `local socket = require('socket')
			local srv = socket.tcp_server('127.0.0.1', 0, function(s) while true do local l = s:read('\n') if l == '' then break end s:write('> ' .. l) end end)
			local c = socket.tcp_connect('127.0.0.1', srv:name().port)
			c:write('one\ntwo\n') local a, b = c:read('\n'), c:read('\n') c:close() srv:close() return a .. b`, "> one\n> two\n"},
		{"much at once", `local socket = require('socket') local size = 3000000
			local a, b = socket.socketpair('AF_UNIX', 'SOCK_STREAM', 0)
			fiber.create(function() a:write(('x'):rep(size)) a:close() end)
			local text = b:read(size) return show(#text == size, b:read(1))`, `true ""`},
		{"time runs out", `local a = require('socket').socketpair('AF_UNIX', 'SOCK_STREAM', 0) return show(a:read(1, 0.001), a:error())`,
			`null "Connection timed out"`},
		{"a fiber that waits is cancelled", `local a = require('socket').socketpair('AF_UNIX', 'SOCK_STREAM', 0)
			local f = fiber.new(function() a:read(1) end) f:set_joinable(true) fiber.yield() f:cancel() local ok, e = f:join() return e.message`,
			"fiber is cancelled"},
		{"closed under a reader", `local a = require('socket').socketpair('AF_UNIX', 'SOCK_STREAM', 0)
			local f = fiber.new(function() return a:read(1) end) f:set_joinable(true) fiber.yield() a:close() return show(f:join())`, "true null"},
		{"two wait for the same", `local a, b = require('socket').socketpair('AF_UNIX', 'SOCK_STREAM', 0)
			local done = fiber.channel(2) for _ = 1, 2 do fiber.create(function() done:put(a:readable(5)) end) end
			fiber.yield() b:write('x') return show(done:get(), done:get())`, "true true"},
		{"refused", `local s, e = require('socket').tcp_connect('unix/', './none') return show(s, e)`, `null "No such file or directory"`},
	})
}

func TestProcesses(t *testing.T) {
	runChunks(t, []chunkTest{
		{"input and output", `local p = require('popen').new({'/bin/cat'}, {stdin = 'pipe', stdout = 'pipe'})
			p:write('text') local s = p:read() p:shutdown({stdin = true}) return show(s, p:read(), p:wait().exit_code)`, `"text" "" 0`},
		{"time runs out", `local p = require('popen').new({'/bin/cat'}, {stdin = 'pipe', stdout = 'pipe'})
			local s, e = p:read({timeout = 0.001}) p:write('late') return show(s, e.type, p:read(), p:close())`, `null "TimedOut" "late" true`},
		{"a signal", `local p = require('popen').new({'/bin/cat'}, {stdin = 'pipe'}) p:kill() local s = p:wait() p:close() return show(s.state, s.signo)`, `"signaled" 9`},
		{"descriptors that are not open", `local p, e = require('popen').new({'/bin/true'}, {inherit_fds = {9999}}) return show(p, e.message)`,
			`null "popen: start: Bad file descriptor"`},
		{"no program", `local s = require('popen').new({'/no/such'}):wait() return show(s.state, s.exit_code)`, `"exited" 2`},
	})
}

func TestHTTP(t *testing.T) {
	runChunks(t, []chunkTest{
		{"a request", `local socket = require('socket')
			local srv = socket.tcp_server('127.0.0.1', 0, function(s) local head = s:read('\r\n\r\n')
				s:write('HTTP/1.1 404 Gone\r\nX-A: 1\r\nX-A: 2\r\nSet-Cookie: k=v; Path=/\r\nContent-Length: 2\r\n\r\nhi') end)
			local r = require('http.client').get('http://127.0.0.1:' .. srv:name().port .. '/x') srv:close()
			return show(r.status, r.reason, r.body, r.headers['x-a'], r.cookies)`, `404 "Unknown" "hi" "1,2" {"k":["v",["Path=/"]]}`},
		{"nobody there", `local r = require('http.client').get('http://127.0.0.1:1/', {timeout = 1}) return show(r.status, r.body)`, `595 null`},
		{"what is not there", `return err(require('http.client').get, 'http://x', {chunked = true})`,
			"ClientError: Lycosa does not support HTTP requests in chunks (option 'chunked')"},
	})
}

func TestKeysAndMergers(t *testing.T) {
	runChunks(t, []chunkTest{
		{"keys", `local k = require('key_def').new{{field = 2, type = 'string'}, {field = 1, type = 'unsigned', sort_order = 'desc'}}
			return show(k:extract_key({1, 'a'}), k:compare({1, 'a'}, {2, 'a'}), k:compare_with_key({1, 'b'}, {'a'}), #k:totable())`, `["a",1] 1 1 2`},
		{"a field far behind", `local k = require('key_def').new{{field = 2 ^ 31, type = 'unsigned', is_nullable = true}}
			return show(k:compare({1}, {2}), k:extract_key({1}))`, `0 [null]`},
		{"a merger", `local merger, key_def = require('merger'), require('key_def') local k = key_def.new{{field = 1, type = 'unsigned'}}
			local function src(t) return merger.new_source_fromtable(t) end
			return show(merger.new(k, {src{{1}, {3}}, merger.new(k, {src{{2}}, src{{2, 'b'}, {9}}})}):select{limit = 4})`, `[[1],[2],[2,"b"],[3]]`},
	})
}

func TestLogLines(t *testing.T) {
	runChunks(t, []chunkTest{
		{"levels", `local log = require('log') return err(log.level, 'loud') .. err(log.level)`,
			"ClientError: Incorrect value for option 'log_level': expected crit,warn,info,debug,syserror,verbose,fatal,error" +
				"ClientError: Incorrect value for option 'level': should be one of types number, string"},
	})
}

package integration

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tarantool/go-tarantool/v2"
)

// listening is the beginning of scripts that are loaded again and again.
const listening = `
box.cfg { listen = os.getenv('LISTEN') }
box.schema.user.grant('guest', 'super', nil, nil, { if_not_exists = true })
local function answer(sync, ...)
    box.iproto.send(box.session.id(), { request_type = 0, sync = sync }, { data = { ... } })
    return true
end
`

// write writes a file of a directory at once, as editors do. Its time differs from that of the file before.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	before, _ := os.Stat(path)
	for {
		if err := os.WriteFile(path+"~", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		now, err := os.Stat(path + "~")
		if err != nil {
			t.Fatal(err)
		}
		if before == nil || now.Size() != before.Size() || !now.ModTime().Equal(before.ModTime()) {
			break
		}
	}
	if err := os.Rename(path+"~", path); err != nil {
		t.Fatal(err)
	}
}

// startFiles starts the script init.lua, one of the files given by name, with options in front of it.
func startFiles(t *testing.T, files map[string]string, options ...string) *process {
	t.Helper()
	dir := shortDir(t)
	for name, text := range files {
		write(t, dir, name, text)
	}
	words := append(options, "init.lua")
	return startFile(t, dir, words[0], func(line string) bool { return line == ready }, words[1:]...)
}

// await waits until a request is answered in a way, at last.
func await(t *testing.T, conn *tarantool.Connection, request func() tarantool.Request, want string) {
	t.Helper()
	var got string
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		answer, err := conn.Do(request()).Get()
		if got = fmt.Sprint(answer); err != nil {
			got = err.Error()
		}
		if strings.Contains(got, want) {
			return
		}
	}
	t.Fatalf("%s, want %s", got, want)
}

func selects(space int) func() tarantool.Request {
	return func() tarantool.Request { return find(space, 1) }
}

// TestWatch changes a script and a module of it while it serves.
func TestWatch(t *testing.T) {
	script := func(version string) string {
		return listening + "begun = '" + version + "'" + `
local words = require('words')
box.iproto.override('select', function(header, body)
    if body.space_id == 600 then return answer(header.sync, '` + version + `', words.greeting) end
    if body.space_id == 601 then
        require('fiber').sleep(body.limit / 100)
        return answer(header.sync, 'slept', '` + version + `')
    end
    return false
end)
print('ready') io.flush()
`
	}
	p := startFiles(t, map[string]string{"init.lua": script("one"), "words.lua": "return { greeting = 'hello' }"}, "--watch")
	conn := p.connect()
	await(t, conn, selects(600), "[one hello]")
	// A request that is being handled ends on the old handler.
	slow := conn.Do(tarantool.NewSelectRequest(601).Iterator(tarantool.IterEq).Key([]any{1}).Limit(150))
	write(t, p.dir, "init.lua", script("two"))
	await(t, conn, selects(600), "[two hello]")
	if got, err := slow.Get(); err != nil || fmt.Sprint(got) != "[slept one]" {
		t.Errorf("%v, %v", got, err)
	}
	write(t, p.dir, "words.lua", "return { greeting = 'good morning' }")
	await(t, conn, selects(600), "[two good morning]")

	// What cannot be loaded changes nothing.
	write(t, p.dir, "words.lua", "return { greeting = 'lost' } +")
	write(t, p.dir, "init.lua", script("three"))
	begun := func() tarantool.Request { return tarantool.NewEvalRequest("return begun") }
	await(t, conn, begun, "[three]")
	expect(t, conn, find(600, 1), "[two good morning]")
	write(t, p.dir, "words.lua", "return { greeting = 'good night' }")
	await(t, conn, selects(600), "[three good night]")
	write(t, p.dir, "init.lua", script("four")+"error('on purpose')")
	await(t, conn, begun, "[four]")
	expect(t, conn, find(600, 1), "[three good night]")

	// Handlers that are not set any more are deleted.
	write(t, p.dir, "init.lua", listening)
	await(t, conn, selects(600), "Space '600' does not exist")
	r := p.stop(syscall.SIGTERM)
	for _, want := range []string{`init\.lua was loaded anew`, `words\.lua:1:.*`, `could not be loaded anew, nothing has changed: .*on purpose`,
		`deleted.*1`} {
		if !regexp.MustCompile(want).MatchString(r.stderr) {
			t.Errorf("the log has no %s\n%s", want, r.stderr)
		}
	}
}

// TestReloadBySignal loads a script anew at SIGHUP, and not before.
func TestReloadBySignal(t *testing.T) {
	script := func(version, more string) string {
		return listening + `
local trigger = require('trigger')
trigger.set('box.iproto.override.ping', 'a', function(header) return answer(header.sync, '` + version + `') end)
box.iproto.wrap('select', function(request, next)
    if request.body.space_id ~= 600 then return end
    next()
    return { request_type = 0, sync = request.sync }, { data = { 'wrapped', '` + version + `' } }
end)
` + more + `
print('ready') io.flush()
`
	}
	p := startFiles(t, map[string]string{"init.lua": script("one", "")})
	conn := p.connect()
	hup := func() {
		t.Helper()
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	expect(t, conn, find(600, 1), "[wrapped one]")
	hup() // nothing has changed
	write(t, p.dir, "init.lua", script("two", "require('fiber').sleep(0.01)"))
	expect(t, conn, find(600, 1), "[wrapped one]")
	hup()
	await(t, conn, selects(600), "[wrapped two]")
	write(t, p.dir, "init.lua", script("three", "trigger.del('box.iproto.override.ping', 'a') box.iproto.wrap('select', nil)"))
	hup()
	await(t, conn, selects(600), "Space '600' does not exist")
	expect(t, conn, tarantool.NewEvalRequest("local n = 0 for k in pairs(require('trigger').info()) do if k:startswith('box.iproto') then n = n + 1 end end return n"), "[0]")
	if r := p.stop(syscall.SIGTERM); strings.Count(r.stderr, "was loaded anew") != 2 {
		t.Error(r.stderr)
	}
}

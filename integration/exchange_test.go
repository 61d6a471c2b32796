package integration

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// peerOf returns the path of the release of the reference that data directories are exchanged with.
func peerOf(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("tarantool")
	if err != nil {
		t.Skip("no tarantool is installed")
	}
	out, err := exec.Command(path, "-v").Output()
	if err != nil || !strings.HasPrefix(string(out), "Tarantool 2.") {
		t.Skipf("%s is no release 2: %s", path, out)
	}
	return path
}

// describes is what a server prints of a directory, whichever server it is. arg: the directory, _dump.lua.
const describes = `
local uuid, ffi = require('uuid'), require('ffi')
uuid.is_uuid = uuid.is_uuid or function(v) return ffi.istype('struct tt_uuid', v) end
local d = dofile(arg[2])
d.open()
d.schema()
d.data()
local function sorted(space, text)
    local out = {}
    for _, row in space:pairs() do
        local line = text(row)
        if line ~= nil then table.insert(out, line) end
    end
    table.sort(out)
    print(table.concat(out, '\n'))
end
sorted(box.space._user, function(u) return ('user %s %s %s'):format(u[3], u[4], d.show(u[5])) end)
sorted(box.space._priv, function(p)
    if p[3] == 'function' and p[4] < 68 or p[3] == 'space' and tonumber(p[4]) and p[4] < 512 then return end
    return ('right %d %s %s %d'):format(p[2], p[3], tostring(p[4]), p[5])
end)
sorted(box.space._func, function(f)
    return f[5] ~= 'SQL_BUILTIN' and f[1] > 65 and ('function %s %s %s'):format(f[3], f[5], d.show(f[6])) or nil
end)
sorted(box.space._sequence, function(q)
    local value = box.space._sequence_data:get(q[1])
    return ('sequence %s %s'):format(d.show(q), value and d.show(value[2]) or 'not started')
end)
print('vclock ' .. d.show(box.info.vclock))
os.exit(0)
`

// makes is what both servers can store; the second part, without any change of the schema, stays in the log, whose end
// is that of a crash.
const makes = `
box.cfg{log_level = 'error'}
local decimal, uuid, ffi = require('decimal'), require('uuid'), require('ffi')
if arg[1] == '1' then
    local s = box.schema.space.create('log_main', {format = {{'id', 'unsigned'}, {'name', 'string'}, {'n', 'number', is_nullable = true}}})
    s:create_index('pk', {sequence = true})
    s:create_index('name', {parts = {{'name', collation = 'unicode_ci'}}})
    s:create_index('n', {parts = {{'n', is_nullable = true}}, unique = false})
    box.schema.space.create('log_local', {is_local = true}):create_index('pk')
    box.schema.space.create('log_cleared'):create_index('pk', {type = 'hash'})
    box.schema.space.create('log_temporary', {temporary = true}):create_index('pk')
    box.schema.sequence.create('log_numbers', {start = 5, step = 3})
    box.schema.user.create('log_user', {password = 'secret'})
    box.schema.user.grant('log_user', 'read,write', 'space', 'log_main')
    box.schema.func.create('log_double', {body = 'function(x) return x * 2 end', is_deterministic = true})
    for i = 1, 10 do
        s:insert{box.NULL, 'row ' .. i, i / 2}
        box.space.log_cleared:insert{i}
        box.space.log_temporary:insert{i}
    end
    os.exit(0)
end
local s, l = box.space.log_main, box.space.log_local
s:insert{box.NULL, 'from the sequence'}
s:replace{2, 'replaced', decimal.new('12.50')}
s:replace{3, 'longer', 1e100, uuid.fromstr('12345678-9abc-4def-8123-456789abcdef'), {1, {a = {}}}, -5}
s:update(4, {{'+', 3, 1.5}, {'=', 4, 18446744073709551615ULL}, {'!', -1, 'end'}})
s.index.name:update('ROW 5', {{':', 2, 1, 3, 'LINE'}, {'#', 3, 1}})
s:upsert({100, 'upserted'}, {{'=', 2, 'never'}})
s:upsert({100, 'never'}, {{'!', 3, 7}})
s:delete(6)
s.index.name:delete('row 7')
s:delete(12345)
box.begin()
s:insert{200, 'in a transaction'}
l:insert{1, 'local in it'}
s:delete(8)
s:insert{201, ('long '):rep(50000)}
box.commit()
box.begin()
s:insert{300, 'rolled back'}
box.rollback()
box.begin()
for i = 1, 500 do s:replace{1000 + i, 'bulk ' .. i, i % 7} end
box.commit()
l:insert{2}
if arg[2] ~= 'old' then -- the old release wants its schema changed for this
    box.space.log_cleared:truncate()
end
box.space.log_cleared:insert{77}
s:before_replace(function(old) return old end)
s:replace{1, 'ignored'}
ffi.cdef('void _exit(int);')
io.stdout:flush()
ffi.C._exit(0)
`

// goesBack brings a directory to the form of the old release. It leaves out what that one does not know: fields of new types
// are refused, but a value may hide in a field of any type.
const goesBack = `
box.cfg{log_level = 'error'}
local times, scalars = box.space.times, box.space.scalars
if times ~= nil then
    assert(#box.schema.downgrade_issues('2.6.0') > 0)
    assert(not pcall(box.schema.downgrade, '2.6.0'))
    times:drop()
end
for _, t in (scalars or box.space._schema):pairs() do
    if require('uuid').is_uuid(t[2]) or require('datetime').is_datetime(t[2]) then scalars:delete(t[1]) end
end
assert(#box.schema.downgrade_issues('2.6.0') == 0)
box.schema.downgrade('2.6.0')
assert(not pcall(box.schema.space.create, 'refused'))
box.snapshot()
os.exit(0)
`

// runServer runs a script in a directory and returns what it prints.
func runServer(t *testing.T, server, dir, script string, args ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "script.lua")
	if err := os.WriteFile(file, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	return runFile(t, server, dir, file, args...)
}

func runFile(t *testing.T, server, dir, file string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(server, append([]string{file}, args...)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s %s %v: %v\n%s%s", server, file, args, err, out.String(), errs.String())
	}
	return out.String()
}

// copyOf copies a directory, so that a server that opens it leaves it alone.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

const oldFixtures = "../testdata/conformance/fixtures/tarantool-2.6.0"

var phaseCount = regexp.MustCompile(`(?m)^-- phases: (\d)`)

// fill has a server make the data of all fixtures of the old release, each in a directory of its own, and that of makes in
// another one. between runs before the last part of makes.
func fill(t *testing.T, server string, between func(dir string), how string) map[string]string {
	t.Helper()
	dirs := map[string]string{}
	scripts, err := filepath.Glob(filepath.Join(oldFixtures, "*", "_make.lua"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, script := range scripts {
		script, err := filepath.Abs(script)
		if err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		phases := 1
		if m := phaseCount.FindSubmatch(text); m != nil {
			phases = int(m[1][0] - '0')
		}
		for phase := 1; phase <= phases; phase++ {
			runFile(t, server, dir, script, fmt.Sprint(phase))
		}
		between(dir)
		dirs[filepath.Base(filepath.Dir(script))] = dir
	}
	dir := t.TempDir()
	runServer(t, server, dir, makes, "1")
	between(dir)
	runServer(t, server, dir, makes, "2", how)
	dirs["made here"] = dir
	return dirs
}

// TestExchange has one server write directories and the other one read them: both must find the same there.
func TestExchange(t *testing.T) {
	old := peerOf(t)
	dump, err := filepath.Abs(filepath.Join(oldFixtures, "..", "_dump.lua"))
	if err != nil {
		t.Fatal(err)
	}
	describe := func(t *testing.T, server, dir string) string {
		return runServer(t, server, dir, describes, copyOf(t, dir), dump)
	}
	compare := func(t *testing.T, writer, reader string, dirs map[string]string) {
		for name, dir := range dirs {
			t.Run(name, func(t *testing.T) {
				want, got := plainStrings(describe(t, writer, dir)), plainStrings(describe(t, reader, dir))
				if !strings.Contains(want, "space 512") {
					t.Errorf("the writer finds no spaces: %s", want)
				}
				if want != got {
					t.Error(firstDifference(want, got))
				}
			})
		}
	}
	t.Run("written here", func(t *testing.T) {
		dirs := fill(t, binary, func(dir string) {
			runServer(t, binary, dir, goesBack)
		}, "old")
		compare(t, binary, old, dirs)
	})
	t.Run("written there", func(t *testing.T) {
		compare(t, old, binary, fill(t, old, func(string) {}, ""))
	})
	t.Run("there and back", func(t *testing.T) {
		dir := t.TempDir()
		const change = `
			box.cfg{log_level = 'error'}
			local s = box.schema.space.create(arg[1])
			s:create_index('pk')
			for i = 1, 10 do s:insert{i, arg[1]} end
			if arg[2] == 'down' then box.schema.downgrade('2.6.0') end
			box.snapshot()
			s:insert{11}
			os.exit(0)`
		const count = "box.cfg{log_level = 'error'} print(box.space.a:len(), box.space.b:len()) os.exit(0)"
		runServer(t, binary, dir, change, "a", "down")
		runServer(t, old, dir, change, "b")
		if got := runServer(t, binary, dir, count); got != "11\t11\n" {
			t.Errorf("after the other server: %q", got)
		}
		runServer(t, binary, dir, "box.cfg{log_level = 'error'} box.schema.upgrade() os.exit(0)")
		runServer(t, binary, dir, change, "c", "down")
		if got := runServer(t, old, dir, count); got != "11\t11\n" {
			t.Errorf("after an upgrade and the way back: %q", got)
		}
	})
}

var binaryText = regexp.MustCompile(`x'([0-9a-f]*)'`)

// plainStrings shows binary data as what the old release takes it for.
func plainStrings(text string) string {
	return binaryText.ReplaceAllStringFunc(text, func(s string) string {
		var out strings.Builder
		digits := s[2 : len(s)-1]
		for i := 0; i+1 < len(digits); i += 2 {
			out.WriteString(`\x` + digits[i:i+2])
		}
		return `"` + out.String() + `"`
	})
}

// firstDifference shows the first lines that differ.
func firstDifference(want, got string) string {
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d\nwriter: %s\nreader: %s", i+1, a[i], b[i])
		}
	}
	return fmt.Sprintf("the writer prints %d lines, the reader %d", len(a), len(b))
}

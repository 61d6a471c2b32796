package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/tarantool/go-tarantool/v2"
)

func TestCommandLine(t *testing.T) {
	dir := shortDir(t)
	files := map[string]string{
		"args.lua":    "print(arg[0], #arg, arg[1], arg[2], ...)",
		"exit.lua":    "os.exit(7)",
		"raise.lua":   "error('broken')",
		"syntax.lua":  "local = 1",
		"module.lua":  "return { name = 'module' }",
		"fiber.lua":   "require('fiber').create(function() require('fiber').sleep(0.01) print('from a fiber') os.exit(3) end)",
		"ends.lua":    "print('done')",
		"yields.lua":  "require('fiber').sleep(0.001) print('slept')",
		"console.lua": "x = 4 require('console').start() print('after ' .. x)",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		name, stdin    string
		args           []string
		stdout, stderr string // regular expressions
		code           int
	}{
		{name: "version", args: []string{"-v"}, stdout: `^Lycosa \d+\.\d+\.\d+\nCompatible with Tarantool 3\.2\.1.*\n$`},
		{name: "help", args: []string{"-h"}, stdout: `^Usage: lycosa `},
		{name: "unknown option", args: []string{"-?"}, stderr: "unknown option", code: 1},
		{name: "option without a value", args: []string{"-e"}, stderr: "needs a value", code: 1},
		{name: "code", args: []string{"-e", "print(1 + 1)", "-e", "print(_TARANTOOL)"}, stdout: `^2\n3\.2\.1.*\n$`},
		{name: "code that fails", args: []string{"-e", "error('broken')"}, stderr: "broken", code: 1},
		{name: "code and script", args: []string{"-e", "x = 'set before'", "-l", "module", "-e", "print(x, module.name)", "ends.lua"},
			stdout: `^set before\tmodule\ndone\n$`},
		{name: "arguments", args: []string{"args.lua", "a", "-v"}, stdout: `^args\.lua\t2\ta\t-v\ta\t-v\n$`},
		{name: "exit code", args: []string{"exit.lua"}, code: 7},
		{name: "error", args: []string{"raise.lua"}, stderr: "raise.lua:1: broken", code: 1},
		{name: "syntax error", args: []string{"syntax.lua"}, stderr: "syntax.lua:1: ", code: 1},
		{name: "no such script", args: []string{"nothing.lua"}, stderr: "nothing.lua", code: 1},
		{name: "fiber goes on", args: []string{"fiber.lua"}, stdout: "^from a fiber\n$", code: 3},
		{name: "script that yields", args: []string{"yields.lua"}, stdout: "^slept\n$"},
		{name: "script from a pipe", stdin: "print('piped', 1)\n", stdout: "^piped\t1\n$"},
		{name: "script by a dash", args: []string{"-", "x"}, stdin: "print(...)\n", stdout: "^x\n$"},
		{name: "console within a script", args: []string{"console.lua"}, stdin: "x = x + 1\nprint(x)\nx\n",
			stdout: `^---\n\.\.\.\n5\n---\n\.\.\.\n---\n- 5\n\.\.\.\nafter 5\n$`},
		{name: "console by a pipe", args: []string{"-i"}, stdin: "1 + 1\nfor i = 1, 2 do\nx = i\nend\nx, 'y', {a = {1}}\nerror('oops')\n",
			stdout: `(?s)---\n- 2\n\.\.\.\n.*---\n\.\.\.\n.*---\n- 2\n- y\n- a:\s+- 1|a: \[1\].*\n\.\.\.\n.*- error: .*oops`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := run(t, dir, test.stdin, test.args...)
			if r.code != test.code {
				t.Errorf("exit code %d, want %d", r.code, test.code)
			}
			if !regexp.MustCompile(test.stdout).MatchString(r.stdout) {
				t.Errorf("stdout %q, want %s", r.stdout, test.stdout)
			}
			if !regexp.MustCompile(test.stderr).MatchString(r.stderr) {
				t.Errorf("stderr %q, want %s", r.stderr, test.stderr)
			}
		})
	}
}

const listens = `
box.cfg { listen = os.getenv('LISTEN') }
box.schema.user.grant('guest', 'super')
box.schema.space.create('t'):create_index('pk')
box.ctl.on_shutdown(function() print('triggers ran') end)
print('ready') io.flush()
`

// TestSignals has servers that only listen stay up until they are told to end.
func TestSignals(t *testing.T) {
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
		p := start(t, listens)
		conn := p.connect()
		expect(t, conn, tarantool.NewReplaceRequest("t").Tuple([]any{1}), "[[1]]")
		r := p.stop(signal)
		if r.code != 0 || r.stdout != "triggers ran\n" {
			t.Errorf("%v: exit code %d, printed %q\n%s", signal, r.code, r.stdout, r.stderr)
		}
		if _, err := os.Stat(p.socket); err == nil {
			t.Errorf("%v: the socket is left behind", signal)
		}
	}
}

// TestRestart looks for acknowledged data after a kill.
func TestRestart(t *testing.T) {
	const script = `
box.cfg { listen = os.getenv('LISTEN') }
box.schema.user.grant('guest', 'super', nil, nil, { if_not_exists = true })
box.schema.space.create('t', { if_not_exists = true }):create_index('pk', { if_not_exists = true })
print('ready') io.flush()
`
	p := start(t, script)
	conn := p.connect()
	for i := range 100 {
		if _, err := conn.Do(tarantool.NewReplaceRequest("t").Tuple([]any{i, strings.Repeat("x", i)})).Get(); err != nil {
			t.Fatal(err)
		}
	}
	p.kill()
	q := startFile(t, p.dir, "init.lua", func(line string) bool { return line == ready })
	expect(t, q.connect(), tarantool.NewEvalRequest("return box.space.t:len(), #box.space.t:get(99)[2]"), "[100 99]")
}

// TestExitByClient ends the server by a request.
func TestExitByClient(t *testing.T) {
	p := start(t, listens)
	conn := p.connect()
	conn.Do(tarantool.NewEvalRequest("os.exit(5)"))
	if r := p.wait(); r.code != 5 {
		t.Errorf("exit code %d\n%s", r.code, r.stderr)
	}
}

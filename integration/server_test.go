package integration

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tarantool/go-tarantool/v2"
)

// patience bounds what a test waits for.
const patience = 20 * time.Second

// binary is the server that the tests run, built by TestMain.
var binary string

func TestMain(m *testing.M) {
	os.Exit(runTests(m))
}

func runTests(m *testing.M) int {
	dir, err := os.MkdirTemp("", "lycosa")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary = filepath.Join(dir, "lycosa")
	if out, err := exec.Command("go", "build", "-o", binary, "../cmd/lycosa").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// shortDir makes a directory whose path is short enough for that of a unix socket.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "it")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// result is what a run of the binary that has ended left.
type result struct {
	stdout, stderr string
	code           int
}

// run runs the binary in a directory with an input, to its end.
func run(t *testing.T, dir, stdin string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = dir, strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if ctx.Err() != nil {
		t.Fatalf("%v doesn't end\nstdout: %s\nstderr: %s", args, stdout.String(), stderr.String())
	}
	return result{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// process is a server that runs.
type process struct {
	t      *testing.T
	dir    string
	socket string
	cmd    *exec.Cmd
	lines  *bufio.Scanner
	stderr bytes.Buffer // to be read when the process has ended
	ended  bool
}

// ready is the line that scripts print when they can be talked to.
const ready = "ready"

// start runs a script in a directory of its own until it prints the line "ready". It is killed at the end of the test.
// The environment's LISTEN is the path of a socket in the directory.
func start(t *testing.T, script string, args ...string) *process {
	t.Helper()
	dir := shortDir(t)
	if err := os.WriteFile(filepath.Join(dir, "init.lua"), []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	return startFile(t, dir, "init.lua", func(line string) bool { return line == ready }, args...)
}

// startFile runs a script of a directory until it prints a line that isReady holds for.
func startFile(t *testing.T, dir, path string, isReady func(line string) bool, args ...string) *process {
	t.Helper()
	p := &process{t: t, dir: dir, socket: filepath.Join(dir, "s")}
	p.cmd = exec.Command(binary, append([]string{path}, args...)...)
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "LISTEN="+p.socket)
	p.cmd.Stderr = &p.stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	watchdog := time.AfterFunc(patience, func() { _ = p.cmd.Process.Kill() })
	t.Cleanup(func() {
		watchdog.Stop()
		if !p.ended {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	p.lines = bufio.NewScanner(out)
	for p.lines.Scan() {
		if isReady(p.lines.Text()) {
			return p
		}
	}
	_ = p.cmd.Wait()
	p.ended = true
	t.Fatalf("the server has ended: %v\n%s", p.cmd.ProcessState, p.stderr.String())
	return nil
}

// stop sends a signal and waits for the end: what was printed after the line "ready", and the exit code.
func (p *process) stop(signal syscall.Signal) result {
	p.t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		p.t.Fatal(err)
	}
	return p.wait()
}

// wait waits for the end.
func (p *process) wait() result {
	var rest strings.Builder
	for p.lines.Scan() {
		rest.WriteString(p.lines.Text() + "\n")
	}
	_ = p.cmd.Wait()
	p.ended = true
	return result{rest.String(), p.stderr.String(), p.cmd.ProcessState.ExitCode()}
}

// connect makes a connection of the client.
func (p *process) connect() *tarantool.Connection {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, err := tarantool.Connect(ctx, tarantool.NetDialer{Address: p.socket, User: "guest"},
		tarantool.Opts{Timeout: patience})
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.stderr.String())
	}
	p.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// kill ends the server without a chance to tidy up.
func (p *process) kill() {
	p.t.Helper()
	p.stop(syscall.SIGKILL)
}

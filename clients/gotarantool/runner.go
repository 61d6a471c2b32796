package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// state is how a test ended.
type state int

const (
	pending state = iota
	running
	passed
	failed
	skipped
)

// result is what is known of a test, its subtests included.
type result struct {
	state  state
	output []string // the last lines
}

// keptOutput is how many lines of output are kept of a test.
const keptOutput = 40

// outcome is what is known of the tests of a package, by their names.
type outcome map[string]*result

// runner runs the tests of one package.
type runner struct {
	dir string
	env []string
	pkg string
	// last says which tests run after all others: those that may end the process, because some tests need what others
	// have left in the server.
	last func(name string) bool
}

// event is a line of the output of go test -json.
type event struct {
	Action, Test, Output string
}

// run runs all tests of the package. A test that ends the whole process, by a panic as a rule, counts as failed, and
// those that have not been run by then get another process.
func (r *runner) run() (outcome, error) {
	found, err := r.list()
	if err != nil {
		return nil, err
	}
	for {
		var left []string
		for _, name := range found.names() {
			if found[name].state == pending {
				left = append(left, name)
			}
		}
		if first := slices.DeleteFunc(slices.Clone(left), r.last); len(first) > 0 {
			left = first
		}
		if len(left) == 0 {
			return found, nil
		}
		if err := r.once(left, found); err != nil {
			return nil, err
		}
	}
}

// ports are those that the tests' servers listen on. A server there that isn't theirs would answer them.
var ports = []string{"3013", "3014", "3015", "3016", "3017"}

// patience is how long servers that were killed may take to let go of their ports.
const patience = 10 * time.Second

// checkPorts fails when somebody listens on the ports.
func checkPorts() error {
	end := time.Now().Add(patience)
	for _, port := range ports {
		for {
			listener, err := net.Listen("tcp", ":"+port)
			if err == nil {
				_ = listener.Close()
				break
			}
			if time.Now().After(end) {
				return fmt.Errorf("the tests need this port: %w", err)
			}
			time.Sleep(10 * time.Millisecond) // the system tells nobody of a port that becomes free
		}
	}
	return nil
}

// list returns the tests and examples of the package.
func (r *runner) list() (outcome, error) {
	if err := checkPorts(); err != nil {
		return nil, err
	}
	cmd := r.command("test", "-list", ".", r.path())
	out, err := cmd.Output()
	r.killGroup(cmd)
	if err != nil {
		return nil, fmt.Errorf("go test -list %s: %w", r.path(), err)
	}
	found := make(outcome)
	for line := range strings.Lines(string(out)) {
		name := strings.TrimSpace(line)
		for _, prefix := range []string{"Test", "Example", "Fuzz"} {
			if strings.HasPrefix(name, prefix) {
				found[name] = new(result)
			}
		}
	}
	return found, nil
}

// once runs the tests with these names in one process. At least one of them has ended afterwards.
func (r *runner) once(names []string, found outcome) error {
	cmd := r.command("test", "-json", "-count=1", "-timeout=5m", "-run", "^("+strings.Join(names, "|")+")$", r.path())
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if json.Unmarshal(lines.Bytes(), &e) == nil {
			found.note(e)
		}
	}
	// A package whose tests do not begin at all says why without naming a test.
	_ = cmd.Wait()
	r.killGroup(cmd)
	ended := 0
	for _, name := range names {
		if found[name].state == running {
			found[name].state = failed
		}
		if found[name].state != pending {
			ended++
		}
	}
	if ended == 0 {
		// What they all need is missing.
		for _, name := range names {
			found[name].state = failed
		}
	}
	return lines.Err()
}

// note takes account of an event.
func (o outcome) note(e event) {
	name, _, sub := strings.Cut(e.Test, "/")
	t := o[name]
	if t == nil {
		return
	}
	if e.Output != "" {
		t.output = append(t.output[max(0, len(t.output)-keptOutput+1):], e.Output)
	}
	if sub {
		return
	}
	switch e.Action {
	case "run", "cont":
		t.state = running
	case "pause":
		t.state = pending
	case "pass":
		t.state = passed
	case "fail":
		t.state = failed
	case "skip":
		t.state = skipped
	}
}

func (r *runner) path() string { return "./" + r.pkg }

// command makes a run of the go command, which has a process group of its own: tests that end early leave servers
// behind, which would answer the next ones.
func (r *runner) command(args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir, cmd.Env, cmd.Stderr = r.dir, r.env, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return cmd
}

// killGroup ends what a command has left behind.
func (r *runner) killGroup(cmd *exec.Cmd) { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

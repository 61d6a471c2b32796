//go:build linux

package main

import (
	"bufio"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

//go:embed setup.lua
var setup []byte

// server is a server under load, in a directory of its own.
type server struct {
	name    string // "lycosa" or "peer"
	version string // the first line of its -v
	dir     string
	cmd     *exec.Cmd
	control *conn
}

// startServer runs a binary with setup.lua below a directory, and returns when the rows are there.
func startServer(name, binary, base string, rows int) (*server, error) {
	binary, err := exec.LookPath(binary)
	if err != nil {
		return nil, err
	}
	if binary, err = filepath.Abs(binary); err != nil {
		return nil, err
	}
	version, err := exec.Command(binary, "-v").Output()
	if err != nil {
		return nil, fmt.Errorf("%s -v: %w", binary, err)
	}
	line, _, _ := strings.Cut(string(version), "\n")
	s := &server{name: name, version: line, dir: filepath.Join(base, name)}
	if err := os.Mkdir(s.dir, 0o700); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(s.dir, "setup.lua"), setup, 0o600); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(binary, "setup.lua")
	s.cmd.Dir, s.cmd.Stderr = s.dir, os.Stderr
	s.cmd.Env = append(os.Environ(), "LISTEN="+s.socket(), "ROWS="+strconv.Itoa(rows))
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := awaitReady(out); err != nil {
		s.stop()
		log, _ := os.ReadFile(filepath.Join(s.dir, "server.log"))
		return nil, fmt.Errorf("%s: %w\n%s", name, err, log)
	}
	if s.control, err = dial(s.socket()); err != nil {
		s.stop()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// awaitReady reads the line that setup.lua prints at its end.
func awaitReady(out io.Reader) error {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "ready" {
			return nil
		}
	}
	return errors.New("the server has ended")
}

func (s *server) socket() string { return filepath.Join(s.dir, "s") }

// stop ends the server and waits for it.
func (s *server) stop() {
	if s.control != nil {
		s.control.close()
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	timer := time.AfterFunc(silence*time.Second, func() { _ = s.cmd.Process.Kill() })
	_ = s.cmd.Wait()
	timer.Stop()
}

// run drives a load with its handler set.
func (s *server) run(l load, p point, f form, rows int) (sample, error) {
	if l.handler != "" {
		if err := s.control.ask(eval(fmt.Sprintf("prepare(%q)", l.handler))); err != nil {
			return sample{}, err
		}
	}
	result, err := s.measure(l, p, f, rows)
	if err == nil && l.handler != "" {
		err = s.control.ask(eval("prepare()"))
	}
	if err != nil {
		err = fmt.Errorf("%s on %s, %d connections, %d in flight: %w", l.name, s.name, p.conns, p.depth, err)
	}
	return result, err
}

// poolSize is how many packets are prepared for a run, over all connections.
const poolSize = 1 << 17

func (s *server) measure(l load, p point, f form, rows int) (sample, error) {
	conns := make([]*conn, 0, p.conns)
	defer func() {
		for _, c := range conns {
			c.close()
		}
	}()
	for i := range p.conns {
		c, err := dial(s.socket())
		if err != nil {
			return sample{}, err
		}
		conns = append(conns, c)
		c.pool = newPool(l, max(poolSize/p.conns, 2*p.depth), rows, i, p.conns)
	}
	return drive(conns, s.cmd.Process.Pid, p.depth, f.warmUp, f.measured)
}

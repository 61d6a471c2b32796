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
	"strings"
	"syscall"
	"time"

	"github.com/lycosadb/lycosa/bench/record"
)

//go:embed setup.lua
var setup []byte

// names of the servers in results
const (
	nameLycosa    = "lycosa"
	namePeer      = "peer"
	nameOneThread = "lycosa, GOMAXPROCS=1"
	nameMVCC      = "lycosa, MVCC"
	nameEmbedded  = "embedded"
)

// server is a server under load, in a directory of its own.
type server struct {
	name     string
	dir      string
	cmd      *exec.Cmd
	control  *conn
	profiles string // the address where it serves profiles, if it was asked to
}

// startServer starts a server below a directory, and returns when the rows are there.
func startServer(name string, o options, base string, large bool) (*server, error) {
	dir, err := os.MkdirTemp(base, "")
	if err != nil {
		return nil, err
	}
	s := &server{name: name, dir: dir}
	binary, args := o.binary, []string{"setup.lua"}
	env := append(os.Environ(), "LISTEN="+s.socket(), fmt.Sprint("ROWS=", smallRows))
	if large {
		env = append(env, fmt.Sprint("LARGE=", largeRows))
	}
	switch name {
	case nameLycosa:
		if o.profile != "" {
			if s.profiles, err = freeAddress(); err != nil {
				return nil, err
			}
			args = []string{"--pprof", s.profiles, "setup.lua"}
		}
	case namePeer:
		binary = o.peer
	case nameOneThread:
		env = append(env, "GOMAXPROCS=1")
	case nameMVCC:
		env = append(env, "MVCC=1")
	case nameEmbedded:
		args = nil
		if binary, err = buildEmbedded(dir); err != nil {
			return nil, err
		}
	}
	if binary, err = locate(binary); err != nil {
		return nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "setup.lua"), setup, 0o600); err != nil {
		return nil, err
	}
	s.cmd = exec.Command(binary, args...)
	s.cmd.Dir, s.cmd.Env, s.cmd.Stderr = dir, env, os.Stderr
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if err := awaitReady(out); err != nil {
		s.stop()
		log, _ := os.ReadFile(filepath.Join(dir, "server.log"))
		return nil, fmt.Errorf("%s: %w\n%s", name, err, log)
	}
	if s.control, err = dial(s.socket()); err != nil {
		s.stop()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// locate returns the absolute path of a binary, which may be in PATH.
func locate(binary string) (string, error) {
	path, err := exec.LookPath(binary)
	if err != nil {
		return "", err
	}
	return filepath.Abs(path)
}

// version is the first line that a binary prints with -v.
func version(binary string) (string, error) {
	out, err := exec.Command(binary, "-v").Output()
	if err != nil {
		return "", fmt.Errorf("%s -v: %w", binary, err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	return line, nil
}

// buildEmbedded builds the server with a handler in Go.
func buildEmbedded(dir string) (string, error) {
	path := filepath.Join(dir, "embedded")
	build := exec.Command("go", "build", "-o", path, "github.com/lycosadb/lycosa/bench/embedded")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return "", fmt.Errorf("building the embedded server: %w", err)
	}
	return path, nil
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

// run drives a load with its handler set. The packets are the load's.
func (s *server) run(l load, packets *pool, p point, f form) (record.Figures, error) {
	if l.handler != "" {
		if err := s.control.ask(eval(fmt.Sprintf("prepare(%q)", l.handler))); err != nil {
			return record.Figures{}, err
		}
	}
	result, err := s.measure(l, packets, p, f)
	if err == nil && l.handler != "" {
		err = s.control.ask(eval("prepare()"))
	}
	if err != nil {
		err = fmt.Errorf("%s on %s, %d connections, %d in flight: %w", l.name, s.name, p.conns, p.depth, err)
	}
	return result, err
}

func (s *server) measure(l load, packets *pool, p point, f form) (record.Figures, error) {
	conns := make([]*conn, 0, p.conns)
	defer func() {
		for _, c := range conns {
			c.close()
		}
	}()
	for i := range p.conns {
		c, err := dial(s.socket())
		if err != nil {
			return record.Figures{}, err
		}
		conns = append(conns, c)
		c.ring = packets.ring(i, p.conns)
	}
	return drive(conns, s.cmd.Process.Pid, p.depth, l.unit, f.warmUp, f.measured)
}

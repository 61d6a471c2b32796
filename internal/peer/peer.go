// Package peer starts servers as processes and talks to them over their sockets, for tests and measurements. The server
// may be this module's or any other one that runs Lua scripts and speaks the same protocol.
//
// Server is a process, Conn a connection to it. Both report errors and leave it to the caller what they mean: that a
// server has died in the middle of an answer is what some callers are after.
package peer

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Options say how a server is started.
type Options struct {
	// Binary is run as: BINARY SCRIPT.
	Binary string
	// Dir is the working directory.
	Dir string
	// Script is the Lua code to run. It finds the path of the socket to listen on in the environment variable LISTEN.
	Script string
	// Env are further environment variables, as NAME=VALUE.
	Env []string
}

// Server is a running server.
type Server struct {
	// Socket is the path of the unix socket that the script listens on.
	Socket string

	cmd    *exec.Cmd
	home   string // directory of the script and the socket
	done   chan struct{}
	err    error // of the process, once done is closed
	output tail
}

// Start starts a server. It does not wait until it listens.
func Start(o Options) (*Server, error) {
	home, err := os.MkdirTemp("", "peer") // short, for the path of a unix socket
	if err != nil {
		return nil, err
	}
	s := &Server{Socket: filepath.Join(home, "s"), home: home, done: make(chan struct{})}
	script := filepath.Join(home, "init.lua")
	if err = os.WriteFile(script, []byte(o.Script), 0o600); err == nil {
		s.cmd = exec.Command(o.Binary, script)
		s.cmd.Dir = o.Dir
		s.cmd.Env = append(append(os.Environ(), "LISTEN="+s.Socket), o.Env...)
		s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
		err = s.cmd.Start()
	}
	if err != nil {
		_ = os.RemoveAll(home)
		return nil, err
	}
	go func() {
		s.err = s.cmd.Wait()
		_ = os.RemoveAll(home)
		close(s.done)
	}()
	return s, nil
}

// Pid is the id of the process.
func (s *Server) Pid() int { return s.cmd.Process.Pid }

// Output is the end of what the process has printed so far.
func (s *Server) Output() string { return s.output.String() }

// Done is closed when the process has ended.
func (s *Server) Done() <-chan struct{} { return s.done }

// Kill ends the process at once, and waits for that.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
}

// Stop asks the process to end, waits for that, and returns the error of a process that did not end well or in time.
func (s *Server) Stop(patience time.Duration) error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	return s.Wait(patience)
}

// Wait waits until the process ends by itself and returns its error.
func (s *Server) Wait(patience time.Duration) error {
	select {
	case <-s.done:
		return s.err
	case <-time.After(patience):
		s.Kill()
		return fmt.Errorf("the server did not end in %v: %s", patience, s.Output())
	}
}

// Dial connects, once the server listens.
func (s *Server) Dial(patience time.Duration) (*Conn, error) {
	deadline := time.Now().Add(patience)
	for {
		c, err := Dial(s.Socket)
		if err == nil {
			return c, nil
		}
		select {
		case <-s.done:
			return nil, fmt.Errorf("the server has ended (%v): %s", s.err, s.Output())
		default:
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("the server does not listen after %v: %s", patience, s.Output())
		}
		time.Sleep(time.Millisecond)
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex // guards text
	text []byte
}

// maxTail is how many bytes are kept, at least.
const maxTail = 64 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, b...)
	if len(t.text) > 2*maxTail {
		t.text = append(t.text[:0], t.text[len(t.text)-maxTail:]...)
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.TrimRight(t.text, "\n"))
}

//go:build cgo

package lua

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

func init() { modules = append(modules, registerPopen) }

// child is a process that a Lua program has started. All fields are guarded by the cord's lock; what reads from its pipes
// and waits for its end are goroutines that post what they found.
type child struct {
	pid     int
	streams [3]*stream // of its stdin, stdout and stderr, nil where there is no pipe
	alive   bool
	state   string // "alive", "exited" or "signaled"
	code    int    // the exit code or the signal
	waiting []*wait
}

// stream is this end of a pipe.
type stream struct {
	file    *os.File
	buffer  []byte // was read and not taken yet
	ended   bool
	reading bool
	waiting []*wait
}

// pipeChunk is how much is read of a pipe at once.
const pipeChunk = 4096

// children are the processes of a State by the numbers that Lua knows them by.
type children struct {
	*State
	next int
	by   map[int]*child
}

// registerPopen registers what builtin/popen.lua stands on.
func registerPopen(s *State) {
	p := &children{State: s, by: map[int]*child{}}
	p.Func("popen.start", p.start)
	p.Func("popen.status", func(c *luajit.Call) error {
		x := p.by[int(c.Int())]
		if x == nil {
			return nil
		}
		c.PushString(x.state)
		c.PushInt(int64(x.code))
		c.PushInt(int64(x.pid))
		return nil
	})
	p.Func("popen.signal", func(c *luajit.Call) error {
		x := p.by[int(c.Int())]
		number, group := syscall.Signal(c.Int()), c.Bool()
		if x == nil || !x.alive {
			return pushErrno(c, unix.ESRCH)
		}
		return pushDone(c, x.signal(number, group))
	})
	p.Func("popen.shutdown", func(c *luajit.Call) error {
		x := p.by[int(c.Int())]
		if i := int(c.Int()); x != nil && x.streams[i] != nil {
			x.streams[i].close()
			x.streams[i] = nil
		}
		return nil
	})
	p.Func("popen.close", func(c *luajit.Call) error {
		id := int(c.Int())
		keep, group := c.Bool(), c.Bool()
		x := p.by[id]
		if x == nil {
			return nil
		}
		delete(p.by, id)
		if x.alive && !keep {
			_ = x.signal(syscall.SIGKILL, group)
		}
		for _, t := range x.streams {
			if t != nil {
				t.close()
			}
		}
		return nil
	})
	p.Blocking("popen.wait", func(c *luajit.Call) error {
		x := p.by[int(c.Int())]
		if x == nil || !x.alive {
			return nil
		}
		return p.await(-1, func(w *wait) { x.waiting = append(x.waiting, w) }, func() ([]byte, int) { return nil, 0 })
	})
	p.Blocking("popen.read", p.read)
	p.Blocking("popen.write", p.write)
}

func (x *child) signal(number syscall.Signal, group bool) error {
	if group {
		return unix.Kill(-x.pid, number)
	}
	return unix.Kill(x.pid, number)
}

func (t *stream) close() { _ = t.file.Close() }

// start is start(argv, environment, stdin, stdout, stderr, setsid, inherited): the number of the process; how each stream
// is is "inherit", "devnull", "close" or "pipe", and inherited are the other descriptors that the process gets, under the
// same numbers. A program that can't be run is a process that has ended with the error's number.
func (p *children) start(c *luajit.Call) error {
	a, err := argumentsOfCall(c)
	if err != nil {
		return err
	}
	argv := stringList(a.at(0))
	cmd := &exec.Cmd{Path: argv[0], Args: argv, Env: stringList(a.at(1)), SysProcAttr: &syscall.SysProcAttr{}}
	cmd.SysProcAttr.Setsid, _ = a.at(5).(bool)
	x := &child{state: "exited"}
	var theirs []*os.File
	defer func() {
		for _, f := range theirs {
			_ = f.Close()
		}
	}()
	files := [3]*os.File{os.Stdin, os.Stdout, os.Stderr}
	for i := range files {
		switch a.text(2 + i) {
		case "pipe":
			r, w, err := os.Pipe()
			if err != nil {
				return pushErrno(c, unix.EMFILE)
			}
			if i == 0 {
				files[i], x.streams[i] = r, &stream{file: w}
			} else {
				files[i], x.streams[i] = w, &stream{file: r}
			}
			theirs = append(theirs, files[i])
		case "devnull":
			f, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
			if err != nil {
				return pushErrno(c, unix.EMFILE)
			}
			files[i] = f
			theirs = append(theirs, f)
		case "close":
			files[i] = nil
		}
	}
	setStreams(cmd, files)
	inherited, _ := a.at(6).([]any)
	for i := range inherited {
		f, err := inherit(cmd, arguments(inherited).number(i))
		if err != nil {
			return pushErrno(c, err)
		}
		theirs = append(theirs, f)
	}
	p.FlushOutput()
	if err := cmd.Start(); err != nil {
		var number syscall.Errno
		if errors.As(err, &number) {
			x.code = int(number)
		} else {
			x.code = 1
		}
	} else {
		x.pid, x.alive, x.state = cmd.Process.Pid, true, "alive"
		go p.reap(x, cmd)
	}
	p.next++
	p.by[p.next] = x
	c.PushInt(int64(p.next))
	return nil
}

// setStreams gives the process its streams. One that is nil in a field of an interface type must not become a file.
func setStreams(cmd *exec.Cmd, files [3]*os.File) {
	if files[0] != nil {
		cmd.Stdin = files[0]
	}
	if files[1] != nil {
		cmd.Stdout = files[1]
	}
	if files[2] != nil {
		cmd.Stderr = files[2]
	}
}

// inherit gives the process a descriptor beside its streams, under the same number. The file is to be closed when the
// process has started.
func inherit(cmd *exec.Cmd, fd int) (*os.File, error) {
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(copied), "inherited")
	const streams = 3
	if fd >= streams {
		for len(cmd.ExtraFiles) <= fd-streams {
			cmd.ExtraFiles = append(cmd.ExtraFiles, nil)
		}
		cmd.ExtraFiles[fd-streams] = f
	}
	return f, nil
}

func stringList(v any) []string {
	list, _ := v.([]any)
	out := make([]string, 0, len(list))
	for _, x := range list {
		if s, ok := x.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// reap waits for the end of a process.
func (p *children) reap(x *child, cmd *exec.Cmd) {
	_ = cmd.Wait()
	status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
	p.Cord.Post(func() {
		x.alive, x.state, x.code = false, "exited", status.ExitStatus()
		if status.Signaled() {
			x.state, x.code = "signaled", int(status.Signal())
		}
		for _, w := range x.waiting {
			w.end(nil, 0)
		}
		x.waiting = nil
	})
}

// read is read(process, stream, timeout): what has come, an empty text at the end, nil when the time is over.
func (p *children) read(c *luajit.Call) error {
	x := p.by[int(c.Int())]
	i := int(c.Int())
	d := seconds(c)
	if x == nil || x.streams[i] == nil {
		return pushErrno(c, unix.EBADF)
	}
	t := x.streams[i]
	if len(t.buffer) > 0 || t.ended {
		c.PushBytes(t.take())
		return nil
	}
	if !t.reading {
		t.reading = true
		go p.fill(t)
	}
	return p.await(d, func(w *wait) { t.waiting = append(t.waiting, w) }, func() ([]byte, int) {
		return append(msgpack.AppendNil(nil), byte(unix.ETIMEDOUT)), 2
	})
}

func (t *stream) take() []byte {
	b := t.buffer
	t.buffer = nil
	return b
}

// fill reads once and gives what came to the first who waits. It goes on as long as somebody does.
func (p *children) fill(t *stream) {
	b := make([]byte, pipeChunk)
	n, err := t.file.Read(b)
	p.Cord.Post(func() {
		t.buffer = append(t.buffer, b[:n]...)
		t.ended = t.ended || err != nil
		for len(t.waiting) > 0 && (len(t.buffer) > 0 || t.ended || t.waiting[0].done) {
			if t.waiting[0].end(msgpack.AppendStringBytes(nil, t.buffer), 1) {
				t.buffer = nil
			}
			t.waiting = t.waiting[1:]
		}
		if t.reading = len(t.waiting) > 0; t.reading {
			go p.fill(t)
		}
	})
}

// write is write(process, text, timeout).
func (p *children) write(c *luajit.Call) error {
	x := p.by[int(c.Int())]
	text := []byte(c.Str())
	d := seconds(c)
	if x == nil || x.streams[0] == nil {
		return pushErrno(c, unix.EBADF)
	}
	file := x.streams[0].file
	return p.background(c, func() (any, error) {
		deadline := time.Time{}
		if d >= 0 {
			deadline = time.Now().Add(d)
		}
		_ = file.SetWriteDeadline(deadline)
		_, err := file.Write(text)
		var number syscall.Errno
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, os.ErrDeadlineExceeded):
			return results{nil, int(unix.ETIMEDOUT)}, nil
		case errors.As(err, &number):
			return results{nil, int(number)}, nil
		}
		return results{nil, int(unix.EIO)}, nil
	})
}

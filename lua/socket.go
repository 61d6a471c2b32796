//go:build cgo

package lua

import (
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

func init() { modules = append(modules, registerSocket) }

// socket is a socket of a Lua program. Its descriptor does not block; waiting for it is the business of Go's poller.
type socket struct {
	file  *os.File
	raw   syscall.RawConn
	ended bool // the last wait was ended by a deadline, which still holds
}

// sockets are the open ones of a State by their descriptors. Guarded by the cord's lock.
type sockets struct {
	*State
	open map[int]*socket
	room []byte // what a call reads goes through it
}

// maxRead bounds what one call reads.
const maxRead = 1 << 18

// registerSocket registers what builtin/socket.lua stands on. A function of the system that fails returns nil and the
// number of the error.
func registerSocket(s *State) {
	t := &sockets{State: s, open: map[int]*socket{}}
	t.Func("socket.constants", func(c *luajit.Call) error { return c.Push(socketConstants) })
	t.Func("socket.new", func(c *luajit.Call) error {
		fd, err := unix.Socket(int(c.Int()), int(c.Int())|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(c.Int()))
		return t.pushSocket(c, fd, err)
	})
	t.Func("socket.pair", func(c *luajit.Call) error {
		fds, err := unix.Socketpair(int(c.Int()), int(c.Int())|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(c.Int()))
		if err != nil {
			return pushErrno(c, err)
		}
		if err := t.pushSocket(c, fds[0], nil); err != nil {
			return err
		}
		return t.pushSocket(c, fds[1], nil)
	})
	t.Func("socket.from_fd", func(c *luajit.Call) error {
		fd := int(c.Int())
		if _, known := t.open[fd]; known {
			c.PushInt(int64(fd))
			return nil
		}
		return t.pushSocket(c, fd, unix.SetNonblock(fd, true))
	})
	t.Func("socket.close", func(c *luajit.Call) error {
		fd := int(c.Int())
		x := t.open[fd]
		if x == nil {
			return pushErrno(c, unix.EBADF)
		}
		delete(t.open, fd)
		return pushDone(c, x.file.Close())
	})
	t.Func("socket.connect", t.withAddress(unix.Connect))
	t.Func("socket.bind", t.withAddress(unix.Bind))
	t.Func("socket.listen", func(c *luajit.Call) error { return pushDone(c, unix.Listen(int(c.Int()), int(c.Int()))) })
	t.Func("socket.shutdown", func(c *luajit.Call) error { return pushDone(c, unix.Shutdown(int(c.Int()), int(c.Int()))) })
	t.Func("socket.accept", func(c *luajit.Call) error {
		fd, from, err := unix.Accept4(int(c.Int()), unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		if err := t.pushSocket(c, fd, err); err != nil || c.NOut > 1 {
			return err
		}
		return c.Push(addressTable(from))
	})
	t.Func("socket.name", func(c *luajit.Call) error { return pushAddress(c, unix.Getsockname) })
	t.Func("socket.peer", func(c *luajit.Call) error { return pushAddress(c, unix.Getpeername) })
	t.Func("socket.read", t.read)
	t.Func("socket.recvfrom", t.receiveFrom)
	t.Func("socket.write", func(c *luajit.Call) error {
		n, err := unix.Write(int(c.Int()), c.Bytes())
		return pushCount(c, n, err)
	})
	t.Func("socket.send", func(c *luajit.Call) error {
		n, err := unix.SendmsgN(int(c.Int()), c.Bytes(), nil, nil, int(c.Int())|unix.MSG_NOSIGNAL)
		return pushCount(c, n, err)
	})
	t.Func("socket.sendto", func(c *luajit.Call) error {
		fd := int(c.Int())
		to, err := addressOf(c)
		if err != nil {
			return pushErrno(c, err)
		}
		n, err := unix.SendmsgN(fd, c.Bytes(), nil, to, int(c.Int())|unix.MSG_NOSIGNAL)
		return pushCount(c, n, err)
	})
	t.Func("socket.set_option", func(c *luajit.Call) error {
		return pushDone(c, unix.SetsockoptInt(int(c.Int()), int(c.Int()), int(c.Int()), int(c.Int())))
	})
	t.Func("socket.get_option", func(c *luajit.Call) error {
		v, err := unix.GetsockoptInt(int(c.Int()), int(c.Int()), int(c.Int()))
		return pushCount(c, v, err)
	})
	t.Func("socket.set_linger", func(c *luajit.Call) error {
		l := unix.Linger{}
		fd := int(c.Int())
		if c.Bool() {
			l.Onoff = 1
		}
		l.Linger = int32(c.Int())
		return pushDone(c, unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &l))
	})
	t.Func("socket.set_nonblock", func(c *luajit.Call) error { return pushDone(c, unix.SetNonblock(int(c.Int()), c.Bool())) })
	t.Func("socket.serve", t.serve)
	t.Blocking("socket.wait", t.wait)
	t.Blocking("socket.resolve", t.resolve)
}

// pushSocket returns the descriptor of a new socket.
func (t *sockets) pushSocket(c *luajit.Call, fd int, err error) error {
	if err != nil {
		return pushErrno(c, err)
	}
	x := &socket{file: os.NewFile(uintptr(fd), "socket")}
	if x.raw, err = x.file.SyscallConn(); err != nil {
		_ = x.file.Close()
		return pushErrno(c, unix.EBADF)
	}
	t.open[fd] = x
	c.PushInt(int64(fd))
	return nil
}

func pushErrno(c *luajit.Call, err error) error {
	c.PushNil()
	number, ok := err.(syscall.Errno)
	if !ok {
		number = syscall.EIO
	}
	c.PushInt(int64(number))
	return nil
}

func pushDone(c *luajit.Call, err error) error {
	if err != nil {
		return pushErrno(c, err)
	}
	c.PushBool(true)
	return nil
}

func pushCount(c *luajit.Call, n int, err error) error {
	if err != nil {
		return pushErrno(c, err)
	}
	c.PushInt(int64(n))
	return nil
}

// withAddress makes a function of a descriptor, a host and a port.
func (t *sockets) withAddress(call func(fd int, a unix.Sockaddr) error) luajit.Func {
	return func(c *luajit.Call) error {
		fd := int(c.Int())
		a, err := addressOf(c)
		if err == nil {
			err = call(fd, a)
		}
		return pushDone(c, err)
	}
}

// atLeast is room for that many bytes.
func (t *sockets) atLeast(size int) []byte {
	if size > len(t.room) {
		t.room = make([]byte, size)
	}
	return t.room[:size]
}

// read is read(fd, size).
func (t *sockets) read(c *luajit.Call) error {
	fd, size := int(c.Int()), int(min(max(c.Int(), 0), maxRead))
	b := t.atLeast(size)
	n, err := unix.Read(fd, b)
	if err != nil {
		return pushErrno(c, err)
	}
	c.PushBytes(b[:n])
	return nil
}

// receiveFrom is recvfrom(fd, size, flags): a datagram and where it came from. Without a size it is read whole.
func (t *sockets) receiveFrom(c *luajit.Call) error {
	fd := int(c.Int())
	size := maxRead
	if !c.IsNil() {
		size = int(min(max(c.Int(), 0), maxRead))
	}
	b := t.atLeast(size)
	n, from, err := unix.Recvfrom(fd, b, int(c.Int()))
	if err != nil {
		return pushErrno(c, err)
	}
	c.PushBytes(b[:n])
	if from == nil {
		return nil
	}
	return c.Push(addressTable(from))
}

// ready says which of the events of a descriptor are there: POLLIN, POLLOUT. Trouble counts as both.
func ready(fd int, events int16) int16 {
	p := []unix.PollFd{{Fd: int32(fd), Events: events}}
	for {
		n, err := unix.Poll(p, 0)
		if err == unix.EINTR {
			continue
		}
		if err != nil || n == 0 {
			return 0
		}
		break
	}
	if p[0].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
		return events
	}
	return p[0].Revents & events
}

func packEvents(events int16) ([]byte, int) {
	text := ""
	if events&unix.POLLIN != 0 {
		text += "R"
	}
	if events&unix.POLLOUT != 0 {
		text += "W"
	}
	return msgpack.AppendString(nil, text), 1
}

// wait is wait(fd, events, timeout): parks the fiber until one of the events "R" and "W" is there; returns those that
// are.
func (t *sockets) wait(c *luajit.Call) error {
	fd := int(c.Int())
	var events int16
	for _, e := range c.Str() {
		switch e {
		case 'R':
			events |= unix.POLLIN
		case 'W':
			events |= unix.POLLOUT
		}
	}
	d := seconds(c)
	now := ready(fd, events)
	if now != 0 || d == 0 {
		out, n := packEvents(now)
		c.Out, c.NOut = append(c.Out, out...), c.NOut+n
		return nil
	}
	x := t.open[fd]
	if x == nil {
		return t.waitForeign(fd, events, d)
	}
	if x.ended {
		_ = x.file.SetDeadline(time.Time{})
		x.ended = false
	}
	return t.await(d, func(w *wait) {
		watch := func(wait func(func(fd uintptr) bool) error) {
			var there int16
			_ = wait(func(fd uintptr) bool {
				there = ready(int(fd), events)
				return there != 0
			})
			w.post(packEvents(there))
		}
		if events&unix.POLLIN != 0 {
			go watch(x.raw.Read)
		}
		if events&unix.POLLOUT != 0 {
			go watch(x.raw.Write)
		}
	}, func() ([]byte, int) {
		_ = x.file.SetDeadline(time.Unix(1, 0)) // ends what waits
		x.ended = true
		return packEvents(ready(fd, events))
	})
}

// foreignStep is how long the system waits for a descriptor that Go's poller does not know, before it looks whether
// anybody still wants to know.
const foreignStep = 100 * time.Millisecond

func (t *sockets) waitForeign(fd int, events int16, d time.Duration) error {
	given := make(chan struct{})
	return t.await(d, func(w *wait) {
		go func() {
			p := []unix.PollFd{{Fd: int32(fd), Events: events}}
			for {
				n, err := unix.Poll(p, int(foreignStep/time.Millisecond))
				if n > 0 || err != nil && err != unix.EINTR {
					w.post(packEvents(ready(fd, events)))
					return
				}
				select {
				case <-given:
					return
				default:
				}
			}
		}()
	}, func() ([]byte, int) {
		close(given)
		return packEvents(ready(fd, events))
	})
}

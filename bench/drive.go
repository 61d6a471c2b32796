//go:build linux

package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lycosadb/lycosa/bench/record"
	"github.com/lycosadb/lycosa/internal/peer"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// The generator is one thread with all connections: it waits for answers, counts them without looking into their bodies,
// and sends as many prebuilt packets as answers have come, by one write. On two cores that leaves one and most of the
// other to the server.

const (
	lengthSize   = 5 // of the packet's length, which servers and this generator write in full
	greetingSize = 128
	inputSize    = 32 << 10
	silence      = 10 // seconds without an answer after which a server counts as dead
)

// conn is a connection of the generator.
type conn struct {
	fd       int
	ring     ring
	input    []byte // answers, the last of which may be incomplete
	filled   int
	flying   int // packets without an answer yet
	answered int // packets that had one
	sent     time.Time
}

// dial connects to a unix socket and reads the greeting.
func dial(path string) (*conn, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	c := &conn{fd: fd, input: make([]byte, inputSize)}
	patience := unix.Timeval{Sec: silence}
	for _, err := range []error{
		unix.Connect(fd, &unix.SockaddrUnix{Name: path}),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &patience),
		unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, &patience),
	} {
		if err != nil {
			c.close()
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	for c.filled < greetingSize {
		if err := c.read(); err != nil {
			c.close()
			return nil, fmt.Errorf("greeting: %w", err)
		}
	}
	c.filled = 0
	return c, nil
}

func (c *conn) close() { _ = unix.Close(c.fd) }

// read reads once.
func (c *conn) read() error {
	if c.filled == len(c.input) {
		return errors.New("an answer is larger than the buffer")
	}
	for {
		n, err := unix.Read(c.fd, c.input[c.filled:])
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return err
		case n == 0:
			return io.ErrUnexpectedEOF
		}
		c.filled += n
		return nil
	}
}

// write sends all of b. What is in flight is small against the socket's buffer, so that it doesn't block for long.
func (c *conn) write(b []byte) error {
	for len(b) > 0 {
		n, err := unix.Write(c.fd, b)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// send sends the next n packets.
func (c *conn) send(n int) error {
	c.flying += n
	for n > 0 {
		b, k := c.ring.next(n)
		if err := c.write(b); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// answers reads once and counts whole answers. An answer that reports an error is an error.
func (c *conn) answers() (int, error) {
	if err := c.read(); err != nil {
		return 0, err
	}
	n := 0
	rest := c.input[:c.filled]
	for {
		packet, after, ok := split(rest)
		if !ok {
			break
		}
		if len(packet) > 6 && packet[1] == byte(iproto.KeyRequestType) && packet[2] == 0xce {
			if code := binary.BigEndian.Uint32(packet[3:]); code&uint32(iproto.TypeError) != 0 {
				return n, fmt.Errorf("answered with error %d: %.200q", code&^uint32(iproto.TypeError), packet)
			}
		}
		rest = after
		n++
	}
	c.filled = copy(c.input, rest)
	c.flying -= n
	c.answered += n
	return n, nil
}

// split takes a whole packet off b; ok is false when it isn't there yet.
func split(b []byte) (packet, rest []byte, ok bool) {
	if len(b) >= lengthSize && b[0] == 0xce {
		end := lengthSize + int(binary.BigEndian.Uint32(b[1:]))
		if len(b) < end {
			return nil, b, false
		}
		return b[lengthSize:end], b[end:], true
	}
	length, rest, ok := msgpack.ReadUint(b)
	if !ok || uint64(len(rest)) < length {
		return nil, b, false
	}
	return rest[:length], rest[length:], true
}

// ask sends one request and waits for its answer.
func (c *conn) ask(m maker) error {
	q := m(0, 0)
	if err := c.write(peer.AppendRequest(nil, q.typ, 1, q.stream, q.body)); err != nil {
		return err
	}
	c.flying = 1
	for c.flying > 0 {
		if _, err := c.answers(); err != nil {
			return err
		}
	}
	return nil
}

// drive sends a load's packets over connections with depth in flight on each, for a time of which the first part is not
// measured, and waits for the last answers. So many packets as a unit has count as one request.
func drive(conns []*conn, pid, depth, unit int, warmUp, measured time.Duration) (record.Figures, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	wait, end, err := waiter(conns)
	if err != nil {
		return record.Figures{}, err
	}
	defer end()
	var (
		latencies       []int64
		answered        int
		from, to        mark
		start           = time.Now()
		measuring, done bool
		flying          = len(conns) * depth
	)
	for _, c := range conns {
		c.sent = start
		if err := c.send(depth); err != nil {
			return record.Figures{}, err
		}
	}
	for flying > 0 {
		ready, err := wait()
		if err != nil {
			return record.Figures{}, err
		}
		for _, c := range ready {
			n, err := c.answers()
			if err != nil {
				return record.Figures{}, err
			}
			now := time.Now()
			whole := n > 0 && c.answered%unit == 0
			if depth == 1 && whole && measuring && !done {
				latencies = append(latencies, int64(now.Sub(c.sent)))
			}
			answered += n
			if done {
				flying -= n
				continue
			}
			if whole {
				c.sent = now
			}
			if err := c.send(n); err != nil {
				return record.Figures{}, err
			}
			switch passed := now.Sub(start); {
			case !measuring && passed >= warmUp:
				measuring = true
				from, err = takeMark(pid, answered)
			case measuring && passed >= warmUp+measured:
				done = true
				to, err = takeMark(pid, answered)
			}
			if err != nil {
				return record.Figures{}, err
			}
		}
	}
	return between(from, to, unit, latencies), nil
}

// waiter returns a function that waits for connections that have answers. A single one is simply read, which blocks.
func waiter(conns []*conn) (wait func() ([]*conn, error), end func(), err error) {
	if len(conns) == 1 {
		return func() ([]*conn, error) { return conns, nil }, func() {}, nil
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, nil, err
	}
	end = func() { _ = unix.Close(epoll) }
	for i, c := range conns {
		event := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(i)}
		if err := unix.EpollCtl(epoll, unix.EPOLL_CTL_ADD, c.fd, &event); err != nil {
			end()
			return nil, nil, err
		}
	}
	events := make([]unix.EpollEvent, len(conns))
	ready := make([]*conn, 0, len(conns))
	wait = func() ([]*conn, error) {
		n, err := unix.EpollWait(epoll, events, silence*1000)
		switch {
		case err == unix.EINTR:
			return nil, nil
		case err != nil:
			return nil, err
		case n == 0:
			return nil, fmt.Errorf("no answer for %d seconds", silence)
		}
		ready = ready[:0]
		for _, e := range events[:n] {
			ready = append(ready, conns[e.Fd])
		}
		return ready, nil
	}
	return wait, end, nil
}

// mark is a moment of a run.
type mark struct {
	at                time.Time
	answered          int
	server, generator time.Duration // CPU times of the processes
}

func takeMark(pid, answered int) (mark, error) {
	server, err := cpuTime(pid)
	if err != nil {
		return mark{}, err
	}
	own, err := cpuTime(unix.Getpid())
	return mark{time.Now(), answered, server, own}, err
}

// between is what happened from one mark to another.
func between(from, to mark, unit int, latencies []int64) record.Figures {
	n := float64(to.answered-from.answered) / float64(unit)
	micros := func(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1e3 / n }
	f := record.Figures{
		Rate: n / to.at.Sub(from.at).Seconds(), CPU: micros(to.server - from.server), Generator: micros(to.generator - from.generator),
	}
	if k := len(latencies); k > 0 {
		slices.Sort(latencies)
		f.P50, f.P99 = float64(latencies[k/2])/1e3, float64(latencies[k*99/100])/1e3
	}
	return f
}

// cpuTime is the time that all threads of a process, those that have ended too, have used.
func cpuTime(pid int) (time.Duration, error) {
	// The number of a process's CPU clock, as clock_getcpuclockid(3) makes it.
	const scheduler = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^pid<<3|scheduler), &t); err != nil {
		return 0, fmt.Errorf("CPU time of process %d: %w", pid, err)
	}
	return time.Duration(t.Nano()), nil
}

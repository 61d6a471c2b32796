package server

import (
	"bytes"
	"io"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/lycosadb/lycosa/iproto"
)

// sockets returns both ends of a connection.
func sockets(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if client, err = net.Dial("unix", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Close()
		_ = server.Close()
	})
	return client, server
}

// newInput is the reading side of a connection without the rest of it.
func newInput(nc net.Conn) *input {
	s := new(Server)
	s.SetReadahead(minReadahead)
	in := new(input)
	in.init(s, nc)
	return in
}

func TestInput(t *testing.T) {
	if !canTry {
		t.Skip("not on this system")
	}
	client, server := sockets(t)
	in := newInput(server)
	send := func(text string) {
		t.Helper()
		if _, err := client.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	fill := func(want string) {
		t.Helper()
		for in.w-in.r < len(want) {
			if err := in.fill(); err != nil {
				t.Fatal(err)
			}
		}
		if got := string(in.buf[in.r:in.w]); got != want {
			t.Fatalf("%q was read, not %q", got, want)
		}
	}
	// idle tries to read when there is nothing.
	idle := func() {
		t.Helper()
		if err := in.raw.Control(func(fd uintptr) {
			if in.tryRead(fd) {
				t.Error("there is something to read")
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	idle()
	if in.buf != nil {
		t.Error("a buffer before anything has come")
	}
	send("abc")
	fill("abc")
	idle()
	if in.buf != nil || string(in.rest) != "abc" {
		t.Errorf("a buffer of %d bytes and %q are kept", len(in.buf), in.rest)
	}
	send("def")
	fill("abcdef")
	in.r = in.w
	idle()
	if in.buf != nil || len(in.rest) != 0 {
		t.Errorf("a buffer of %d bytes and %q are kept", len(in.buf), in.rest)
	}
	// those who send much get larger buffers, up to a size
	for _, n := range []int{minReadahead, 2 * minReadahead, 16 * minReadahead, 100 * minReadahead} {
		long := strings.Repeat("x", n)
		send(long)
		fill(long)
		if len(in.buf) > max(4*n, 2*minReadahead) {
			t.Errorf("%d bytes are in a buffer of %d", n, len(in.buf))
		}
		in.r = in.w
		idle()
	}
	if in.class != bufferClasses-1 {
		t.Errorf("buffers of class %d", in.class)
	}
	for range bufferClasses {
		send("short")
		fill("short")
		in.r = in.w
		idle()
	}
	if in.class != 0 {
		t.Errorf("buffers of class %d for little", in.class)
	}
	// what is left of a packet may be more than a buffer holds
	long := strings.Repeat("y", maxRest)
	send(long)
	fill(long)
	idle()
	in.class = 0
	send("z")
	fill(long + "z")
	in.r = in.w
	idle()
	in.class = 0
	// a connection that waits for room keeps what it has
	send("abc")
	fill("abc")
	in.keep = true
	idle()
	if string(in.buf[in.r:in.w]) != "abc" {
		t.Errorf("%q is left", in.buf[in.r:in.w])
	}
	_ = client.Close()
	if err := in.fill(); err != io.EOF {
		t.Error(err)
	}
}

// TestByteByByte sends requests in pieces of all sizes.
func TestByteByByte(t *testing.T) {
	w := newWorld(t, Options{})
	w.s.SetReadahead(minReadahead)
	w.override(200, "echo", func(r *Request) (Outcome, error) { return Handled, r.Send(m(0, 0, 1, int(r.Sync())), r.Body()) })
	text := strings.Repeat("text ", 100)
	all := append(request(64, 1, nil), request(200, 2, m(0x30, list(text)))...)
	all = append(all, request(64, 3, nil)...)
	for _, c := range []*client{w.dial(), w.pipe()} {
		for _, size := range []int{1, 2, 7, 100, 300} {
			go func() {
				for rest := all; len(rest) > 0; {
					n := min(size, len(rest))
					_, _ = c.Write(rest[:n])
					rest = rest[n:]
					runtime.Gosched()
				}
			}()
			c.expect("0 1 {}", "0 2 ["+text+"]", "0 3 {}")
		}
	}
}

// TestIdleConnectionsAreSmall counts what connections hold that have been used and wait.
func TestIdleConnectionsAreSmall(t *testing.T) {
	if !canTry {
		t.Skip("not on this system")
	}
	w := newWorld(t, Options{})
	const connections, events, size = 400, 10, 20_000
	path := filepath.Join(t.TempDir(), "s")
	if err := w.s.Listen(path); err != nil {
		t.Fatal(err)
	}
	w.override(200, "push", func(r *Request) (Outcome, error) {
		for range events {
			if err := r.Push(pack(list(strings.Repeat("x", size)))); err != nil {
				return Handled, err
			}
		}
		return Parked, nil
	})
	used := func() int {
		var m runtime.MemStats
		runtime.GC()
		runtime.GC() // pools are emptied by the second one
		runtime.ReadMemStats(&m)
		return int(m.HeapAlloc + m.StackInuse)
	}
	// half of a request follows whole ones
	packets := append(bytes.Repeat(request(64, 1, nil), 100), request(200, 2, nil)...)
	packets = append(packets, request(64, 3, nil)[:5]...)
	answers := make([]byte, 100*29+events*(size+100))
	open := func() net.Conn {
		nc, err := net.Dial("unix", path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = nc.Close() })
		if _, err := io.ReadFull(nc, answers[:iproto.GreetingSize]); err != nil {
			t.Fatal(err)
		}
		if _, err := nc.Write(packets); err != nil {
			t.Fatal(err)
		}
		for n := 0; n < 100*29+events*size; {
			k, err := nc.Read(answers)
			if err != nil {
				t.Fatal(err)
			}
			n += k
		}
		return nc
	}
	open()
	before := used()
	for range connections {
		open()
	}
	if each := (used() - before) / connections; each > 16<<10 {
		t.Errorf("%d bytes a connection", each)
	}
}

// scarce is a listener that can't accept as often as it is told.
type scarce struct {
	net.Listener
	failures int
}

func (l *scarce) Accept() (net.Conn, error) {
	if l.failures > 0 {
		l.failures--
		return nil, &net.OpError{Op: "accept", Net: "unix", Err: syscall.EMFILE}
	}
	return l.Listener.Accept()
}

func TestTooManyOpenFiles(t *testing.T) {
	lines := make(chan string, 10)
	w := newWorld(t, Options{Log: func(level byte, message string) { lines <- string(level) + " " + message }})
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	w.s.running.Add(1)
	go w.s.accept(&listener{&scarce{l, 2}, Address{"unix", path}})
	defer func() { _ = l.Close() }()
	nc, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	w.greet(nc).ask(request(64, 1, nil), "0 1 {}")
	for _, want := range []string{
		"E connections can't be accepted for now: accept unix: too many open files",
		"I connections are accepted again on " + path,
	} {
		if got := <-lines; got != want {
			t.Errorf("%q was logged instead of %q", got, want)
		}
	}
	if len(lines) > 0 {
		t.Errorf("%q was logged as well", <-lines)
	}
}

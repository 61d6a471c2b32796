package client

import (
	"bytes"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// greeting is what a server sends first.
func greeting(t testing.TB) []byte {
	t.Helper()
	g := iproto.Greeting{Version: "3.2.1", UUID: "00000000-0000-0000-0000-000000000001", Salt: make([]byte, iproto.SaltSize)}
	b, err := g.Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unknown is what a server without ID answers to it.
var unknown = func() []byte {
	b := iproto.Begin(nil, iproto.TypeError|48, 1, 1)
	b = msgpack.AppendString(append(b, 0x81, byte(iproto.KeyError24)), "Unknown request type 73")
	iproto.End(b, 0)
	return b
}()

// meet connects to a server that writes these bytes and reads all it gets.
func meet(t *testing.T, o Options, sent ...[]byte) (*Conn, error) {
	t.Helper()
	own, other := net.Pipe()
	go func() { _, _ = io.Copy(io.Discard, other) }()
	go func() {
		_, _ = other.Write(bytes.Join(sent, nil))
		_ = other.SetWriteDeadline(time.Time{})
	}()
	t.Cleanup(func() { _ = other.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	c, err := New(ctx, own, o)
	if err == nil {
		t.Cleanup(func() { _ = c.Close() })
	}
	return c, err
}

func TestOldServer(t *testing.T) {
	c, err := meet(t, Options{}, greeting(t), unknown)
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Server(); s.Protocol != 0 || len(s.Features) > 0 || s.Version != "3.2.1" {
		t.Errorf("%+v", s)
	}
	if _, err := c.NewStream(); err == nil {
		t.Error("a stream")
	}
	if _, err := c.Watch("k", nil); err == nil {
		t.Error("a watcher")
	}
	if _, err := c.WatchOnce(context.Background(), "k"); err == nil {
		t.Error("watch once")
	}
}

func TestStrangeServers(t *testing.T) {
	hello := greeting(t)
	console := append([]byte(nil), hello...)
	copy(console, "Tarantool 3.2.1 (Lua console)                                  ")
	for _, test := range []struct {
		name string
		sent []byte
		want string
	}{
		{"no greeting", bytes.Repeat([]byte("x"), iproto.GreetingSize), "Invalid greeting"},
		{"console", console, "Unsupported protocol: Lua console"},
		{"huge packet", append(hello, 0xce, 0xff, 0xff, 0xff, 0xff), "Invalid MsgPack - packet length"},
		{"packet above the limit", append(hello, 0xcd, 0x10, 0x01), "Invalid MsgPack - packet length"},
		{"empty packet", append(hello, 0xce, 0, 0, 0, 0), "Invalid MsgPack - packet length"},
		{"no length", append(hello, 0xa1), "Invalid MsgPack - packet length"},
		{"no header", append(hello, 1, 0xc1), "Invalid MsgPack - packet header"},
		{"no features", append(hello, 0xce, 0, 0, 0, 9, 0x82, 0, 0, 1, 1, 0x81, 0x55, 0xa1, 'x'), "Invalid MsgPack - answer to ID"},
	} {
		_, err := meet(t, Options{MaxPacket: 4096}, test.sent)
		if err == nil || err.Error() != test.want {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func TestTimeoutOfDial(t *testing.T) {
	own, other := net.Pipe()
	defer func() { _ = other.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := New(ctx, own, Options{}); err != context.Canceled {
		t.Error(err)
	}
}

func TestStrayPackets(t *testing.T) {
	stray := iproto.AppendOK(nil, 77, 5)
	stray = iproto.AppendChunk(stray, 78, 5, []byte{0x91, 1})
	stray = iproto.AppendEvent(stray, 0, "key", nil)
	pong := iproto.AppendOK(nil, 2, 5)
	own, other := net.Pipe()
	defer func() { _ = other.Close() }()
	go func() { _, _ = io.Copy(io.Discard, other) }()
	go func() { _, _ = other.Write(append(greeting(t), unknown...)) }()
	c, err := New(context.Background(), own, Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := c.Go(Ping{})
	_, _ = other.Write(append(stray, pong...))
	if r, err := f.Wait(context.Background()); err != nil || r.SchemaVersion != 5 {
		t.Error(r, err)
	}
	f = c.Go(Ping{})
	_ = other.Close()
	if _, err := f.Wait(context.Background()); err == nil || err.Error() != "Peer closed" {
		t.Error(err)
	}
}

func TestParseAddress(t *testing.T) {
	for _, test := range []struct{ in, want, user, password string }{
		{"3301", ":3301", "", ""},
		{"host", "host:3301", "", ""},
		{"host:1", "host:1", "", ""},
		{"tcp://host:1", "host:1", "", ""},
		{"[::1]:1", "[::1]:1", "", ""},
		{"[::1]", "[::1]:3301", "", ""},
		{"host:name", "host:name", "", ""},
		{"user@host:1", "host:1", "user", ""},
		{"user:pa:ss@host:1?transport=plain", "host:1", "user", "pa:ss"},
		{"unix/:./a@b.sock", "unix/:./a@b.sock", "", ""},
		{"u:p@unix/:/tmp/s", "unix/:/tmp/s", "u", "p"},
		{"/tmp/s", "unix/:/tmp/s", "", ""},
		{"./s", "unix/:./s", "", ""},
		{"../s", "unix/:../s", "", ""},
		{"u:p@/tmp/s", "unix/:/tmp/s", "u", "p"},
		{"", "error", "", ""},
		{"unix/:", "error", "", ""},
		{"a:b:c", "error", "", ""},
		{"host:1?transport=ssl", "error", "", ""},
	} {
		a, err := ParseAddress(test.in)
		got := a.String()
		if err != nil {
			got = "error"
		}
		if got != test.want || a.User != test.user || a.Password != test.password {
			t.Errorf("%s: %s %+v %v", test.in, got, a, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	f.Add("user:password@host:1?transport=plain")
	f.Add("unix/:/tmp/s")
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAddress(text)
		if err == nil && a.Service == "" {
			t.Errorf("%q has no service", text)
		}
	})
}

// FuzzRead has a connection read any bytes.
func FuzzRead(f *testing.F) {
	f.Add(iproto.AppendOK(nil, 1, 1))
	f.Add(unknown)
	f.Add(iproto.AppendChunk(iproto.AppendEvent(nil, 1, "k", []byte{1}), 1, 1, []byte{0x91, 1}))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := newReader(bytes.NewReader(b), 1<<20)
		for {
			p, err := r.next()
			if err != nil {
				return
			}
			answer, _ := decodeResponse(p)
			if answer != nil {
				_, _ = answer.Values()
				_, _ = answer.Tuples()
				_ = answer.Position()
			}
			var s Server
			if answer != nil {
				_ = s.decode(answer.Body)
			}
		}
	})
}

func TestLargeRequests(t *testing.T) {
	own, other := net.Pipe()
	defer func() { _ = other.Close() }()
	got := make(chan string, 1)
	go func() {
		_, _ = io.CopyN(io.Discard, other, int64(len(idRequest())))
		b := make([]byte, 3<<20)
		n, _ := io.ReadFull(other, b)
		got <- string(b[:n])
	}()
	go func() { _, _ = other.Write(append(greeting(t), unknown...)) }()
	c, err := New(context.Background(), own, Options{MaxUnsent: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	for range 3 {
		go func() { _, _ = c.Do(ctx, Raw{Code: 700, Body: strings.Repeat("x", 1<<20)}) }()
	}
	if text := <-got; strings.Count(text, "x") < 3<<20-200 {
		t.Error("less than what was sent")
	}
}

func idRequest() []byte {
	b, _ := appendRequest(nil, id{DefaultFeatures}, 1, 0)
	return b
}

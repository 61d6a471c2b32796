package server

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// patience is how long a test waits for what must come.
const patience = 10 * time.Second

// world is a server of a database in memory, whose guest may do everything.
type world struct {
	testing.TB
	b *box.Box
	s *Server
	c *box.Ctx
}

func newWorld(t testing.TB, o Options) *world {
	t.Helper()
	b, err := box.InMemory(box.Config{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{TB: t, b: b, s: New(b, o)}
	b.Cord.Lock()
	w.c = b.NewCtx(b.NewSession(box.SessionBackground))
	w.insert(312, 1, 0, "role", 31, 4) // super for the guest
	b.Cord.Unlock()
	t.Cleanup(func() {
		w.s.Close()
		b.Cord.Stop()
	})
	return w
}

// locked runs f under the cord's lock.
func (w *world) locked(f func()) {
	w.b.Cord.Lock()
	defer w.b.Cord.Unlock()
	f()
}

// insert puts a row of these fields into a space; the lock is held.
func (w *world) insert(space uint32, fields ...any) {
	w.Helper()
	if _, err := w.b.Insert(w.c, space, pack(fields)); err != nil {
		w.Fatal(err)
	}
}

// space makes a space with a primary key on its first field.
func (w *world) space(id int, name string) {
	w.Helper()
	w.locked(func() {
		format := []any{map[string]any{"name": "id", "type": "unsigned"}}
		w.insert(280, id, 1, name, "memtx", 0, map[string]any{}, format)
		w.insert(288, id, 0, "pk", "tree", map[string]any{"unique": true}, []any{[]any{0, "unsigned"}})
	})
}

// override sets a handler of a type.
func (w *world) override(typ int64, name string, h HandlerFunc) {
	w.Helper()
	w.locked(func() {
		if err := w.s.Override(typ, name, h); err != nil {
			w.Fatal(err)
		}
	})
}

// pack encodes a value.
func pack(v any) []byte {
	b, err := msgpack.Append(nil, v)
	if err != nil {
		panic(err)
	}
	return b
}

// m makes a map with integer keys: m(0x10, 512, 0x21, list(1)).
func m(pairs ...any) msgpack.Raw {
	b := msgpack.AppendMapHeader(nil, len(pairs)/2)
	for _, v := range pairs {
		b = append(b, pack(v)...)
	}
	return b
}

func list(v ...any) []any {
	if v == nil {
		return []any{}
	}
	return v
}

// packet puts a length in front of encoded values.
func packet(values ...[]byte) []byte {
	var b []byte
	for _, v := range values {
		b = append(b, v...)
	}
	return append(binary.BigEndian.AppendUint32([]byte{0xce}, uint32(len(b))), b...)
}

// request makes a request; a nil body is none.
func request(typ, sync int, body msgpack.Raw) []byte {
	return packet(m(0, typ, 1, sync), body)
}

// inStream makes a request of a stream.
func inStream(stream, typ, sync int, body msgpack.Raw) []byte {
	return packet(m(0, typ, 1, sync, 10, stream), body)
}

// client is the other side of a connection.
type client struct {
	testing.TB
	net.Conn
	greeting []byte
}

// pipe connects within the process, without any buffer in between.
func (w *world) pipe() *client { return w.greet(w.s.Connect()) }

// dial connects over a unix socket.
func (w *world) dial() *client {
	w.Helper()
	path := filepath.Join(w.TempDir(), "s.sock")
	if err := w.s.Listen(append(w.s.Addresses(), path)...); err != nil {
		w.Fatal(err)
	}
	nc, err := net.Dial("unix", path)
	if err != nil {
		w.Fatal(err)
	}
	return w.greet(nc)
}

func (w *world) greet(nc net.Conn) *client {
	w.Helper()
	c := &client{TB: w, Conn: nc, greeting: make([]byte, iproto.GreetingSize)}
	w.Cleanup(func() { _ = nc.Close() })
	c.patient()
	if _, err := io.ReadFull(nc, c.greeting); err != nil {
		w.Fatal(err)
	}
	return c
}

func (c *client) patient() { _ = c.SetDeadline(time.Now().Add(patience)) }

// send writes packets in the background, because nobody may be reading yet.
func (c *client) send(packets ...[]byte) {
	var all []byte
	for _, p := range packets {
		all = append(all, p...)
	}
	c.patient()
	go func() { _, _ = c.Write(all) }()
}

// raw writes bytes given in hexadecimal digits.
func (c *client) raw(digits string) {
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		c.Fatal(err)
	}
	c.send(b)
}

// receive reads one packet.
func (c *client) receive() (header, body msgpack.Raw, err error) {
	c.patient()
	var size [iproto.LengthSize]byte
	if _, err = io.ReadFull(c.Conn, size[:]); err != nil {
		return nil, nil, err
	}
	b := make([]byte, binary.BigEndian.Uint32(size[1:]))
	if _, err = io.ReadFull(c.Conn, b); err != nil {
		return nil, nil, err
	}
	rest, ok := msgpack.Check(b)
	if !ok {
		return nil, nil, fmt.Errorf("no MessagePack: %x", b)
	}
	return b[:len(b)-len(rest)], rest, nil
}

// answer reads one packet and returns it as text: "type sync body", where the type of an error is its code with a
// minus and the body is its message.
func (c *client) answer() string {
	c.Helper()
	header, body, err := c.receive()
	if err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) {
			return "closed"
		}
		return err.Error()
	}
	var h iproto.Header
	iproto.DecodeHeader(header, &h)
	if h.Type&iproto.TypeError != 0 {
		return fmt.Sprintf("-%d %d %s", h.Type&^iproto.TypeError, h.Sync, value(body, 0x31))
	}
	if data := value(body, 0x30); data != "" && len(body) > 0 && body[0] == 0x81 {
		return fmt.Sprintf("%d %d %s", h.Type, h.Sync, data)
	}
	return fmt.Sprintf("%d %d %s", h.Type, h.Sync, text(body))
}

// expect reads an answer for each of the given texts.
func (c *client) expect(want ...string) {
	c.Helper()
	for _, w := range want {
		if got := c.answer(); got != w {
			c.Fatalf("got  %s\nwant %s", got, w)
		}
	}
}

// ask sends a packet and expects an answer.
func (c *client) ask(p []byte, want string) {
	c.Helper()
	c.send(p)
	c.expect(want)
}

// value returns the text of a map's value, "" if there is none.
func value(b []byte, key uint64) string {
	n, b, ok := msgpack.ReadMapHeader(b)
	for ; ok && n > 0; n-- {
		k, rest, isUint := msgpack.ReadUint(b)
		if !isUint {
			return ""
		}
		end, _ := msgpack.Skip(rest)
		if k == key {
			return text(rest[:len(rest)-len(end)])
		}
		b = end
	}
	return ""
}

// text prints MessagePack values.
func text(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	v, _, err := msgpack.Decode(b)
	if err != nil {
		return fmt.Sprintf("%x", b)
	}
	return show(v)
}

func show(v any) string {
	switch x := v.(type) {
	case []any:
		parts := make([]string, len(x))
		for i := range x {
			parts[i] = show(x[i])
		}
		return "[" + strings.Join(parts, " ") + "]"
	case map[any]any:
		var parts []string
		for k, v := range x {
			parts = append(parts, show(k)+":"+show(v))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, " ") + "}"
	case map[string]any:
		var parts []string
		for k, v := range x {
			parts = append(parts, k+":"+show(v))
		}
		sort.Strings(parts)
		return "{" + strings.Join(parts, " ") + "}"
	}
	return fmt.Sprint(v)
}

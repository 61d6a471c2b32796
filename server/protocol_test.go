package server

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

func TestGreeting(t *testing.T) {
	w := newWorld(t, Options{})
	g, err := iproto.DecodeGreeting(w.pipe().greeting)
	if err != nil || g.Version != Version || g.Protocol != "Binary" || len(g.Salt) != iproto.SaltSize || g.UUID != w.b.InstanceUUID() {
		t.Errorf("%+v, %v", g, err)
	}
	if other, _ := iproto.DecodeGreeting(w.pipe().greeting); bytes.Equal(other.Salt, g.Salt) {
		t.Error("every connection has a salt of its own")
	}
}

func TestPackets(t *testing.T) {
	const header, body = "Invalid MsgPack - packet header", "Invalid MsgPack - packet body"
	tests := []struct {
		name, in string
		want     string // answers, separated by |
	}{
		{"ping", "ce00000005 8200400101", "0 1 {}"},
		{"length forms", "05 8200400101 cc05 8200400102 cd0005 8200400103 cf0000000000000006 820040010480", "0 1 {}|0 2 {}|0 3 {}|0 4 {}"},
		{"no length", "c0 8200400101", "-20 0 Invalid MsgPack - packet length|closed"},
		{"signed length", "8200400101", "-20 0 Invalid MsgPack - packet length|closed"},
		{"after good ones", "05 8200400101 05 8200400102 ff", "0 1 {}|0 2 {}|-20 0 Invalid MsgPack - packet length|closed"},
		{"length of 2 GiB and more", "ce80000001 82", "-20 0 Invalid MsgPack - too big packet size in the header: 2147483649|closed"},
		{"length beyond 32 bits", "cf0000000100000000 82", "-20 0 Invalid MsgPack - too big packet size in the header: 4294967296|closed"},
		{"empty packet", "00 05 8200400101", "-20 0 " + header + "|0 1 {}"},
		{"header cut short", "03 820040 05 8200400101", "-20 0 " + header + "|0 1 {}"},
		{"header is an array", "03 920040 05 8200400101", "-20 0 " + header + "|0 1 {}"},
		{"header with a string key", "08 8301070040a16101", "-20 7 " + header},
		{"two bodies", "07 82004001038080", "-20 3 " + body},
		{"body cut short", "07 820040010481a1", "-20 4 " + body},
		{"any body", "08 820040010592c0c0", "0 5 {}"},
		{"no type", "03 810101", "-48 1 Unknown request type 0"},
		{"unknown type", "06 8200cc780103", "-48 3 Unknown request type 120"},
		{"nop with a body", "06 82000c010480", "-20 4 " + body},
		{"nop", "05 82000c0104", "-48 4 Unknown request type 12"},
		{"begin outside of a stream", "05 82000e0101", "-230 1 Unable to process BEGIN request out of stream"},
		{"id in a stream", "08 8300490101 0a01 80", "-229 1 Unable to process ID request in stream"},
		{"ping in a stream", "07 83004001010a01", "0 1 {}"},
		{"unknown type in a stream", "08 8300cc7801020a01", "-48 2 Unknown request type 120"},
		{"schema version 0", "07 83004001060500", "0 6 {}"},
		{"join without a body", "05 8200410101", "-20 1 Invalid MsgPack - request body"},
		{"join", "06 820041010180", "-5 1 Lycosa does not support JOIN: replication"},
		{"sql", "0c 82000b01018140a6 53454c454354", "closed-early"},
	}
	w := newWorld(t, Options{})
	for _, test := range tests[:len(tests)-1] {
		t.Run(test.name, func(t *testing.T) {
			c := w.pipe()
			c.TB = t
			c.raw(test.in)
			c.expect(strings.Split(test.want, "|")...)
			if !strings.HasSuffix(test.want, "closed") {
				c.ask(request(64, 99, nil), "0 99 {}")
			}
		})
	}
	c := w.pipe()
	c.ask(request(11, 1, m(0x40, "SELECT 1")), "-5 1 Lycosa does not support SQL")
	c.send(packet(m(0, 64, 1, 2, 5, 1)))
	if got := c.answer(); !strings.HasPrefix(got, "-109 2 Wrong schema version, current: 1, in request: ") {
		t.Error(got)
	}
	c.ask(request(7, 3, m(0x23, "guest", 0x21, list())), "0 3 {}")
	c.send(request(68, 4, nil))
	clock := fmt.Sprintf("{1:%d}", w.b.LSN())
	if got := c.answer(); !strings.HasPrefix(got, "0 4 {41:{1:false 2:"+clock+" 3:"+clock+" 4:false 5:false 6:true 7:false 8:") {
		t.Error(got)
	}
	c.ask(request(67, 5, nil), "0 5 {38:"+clock+"}")
}

func TestDataRequests(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	c := w.pipe()
	c.ask(request(2, 1, m(0x10, 512, 0x21, list(1, "a"))), "0 1 [[1 a]]")
	c.ask(request(2, 2, m(0x5e, "t", 0x21, list(2, "b"))), "0 2 [[2 b]]")
	c.ask(request(3, 3, m(0x10, 512, 0x21, list(2, "c"))), "0 3 [[2 c]]")
	c.ask(request(4, 4, m(0x5e, "t", 0x5f, "pk", 0x20, list(2), 0x21, list(list("=", 1, "d")))), "0 4 [[2 d]]")
	c.ask(request(9, 5, m(0x10, 512, 0x21, list(3, "e"), 0x28, list())), "0 5 []")
	c.ask(request(1, 6, m(0x10, 512, 0x12, 10, 0x20, list())), "0 6 [[1 a] [2 d] [3 e]]")
	c.ask(request(1, 7, m(0x10, 512, 0x12, 1, 0x13, 1, 0x14, 5, 0x20, list(1))), "0 7 [[2 d]]")
	c.ask(request(5, 8, m(0x10, 512, 0x20, list(3))), "0 8 [[3 e]]")
	c.ask(request(5, 9, m(0x10, 512, 0x20, list(3))), "0 9 []")
	c.ask(request(1, 10, m(0x10, 512, 0x12, 1, 0x1f, true, 0x20, list())), "0 10 {48:[[1 a]] 53:kQE}")
	c.ask(request(1, 11, m(0x10, 512, 0x12, 9, 0x2e, "kQE", 0x20, list())), "0 11 [[2 d]]")
	c.ask(request(1, 12, m(0x5e, "u", 0x12, 1, 0x20, list())), "-36 12 Space 'u' does not exist")
	c.ask(request(1, 13, m(0x10, 513, 0x12, 1, 0x20, list())), "-36 13 Space '513' does not exist")
	c.ask(request(1, 14, m(0x5e, "t", 0x5f, "x", 0x12, 1, 0x20, list())), "-148 14 No index 'x' is defined in space 't'")
	c.ask(request(2, 15, m(0x10, 512)), "-69 15 Missing mandatory field 'TUPLE' in request")
}

func TestTupleExtension(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	c := w.pipe()
	c.ask(request(73, 1, m(0x54, 7, 0x55, list(7))), "0 1 {84:9 85:[0 1 2 3 4 5 6 7 8 9 11] 91:chap-sha1}")
	c.send(request(2, 2, m(0x10, 512, 0x21, list(1))))
	_, body, err := c.receive()
	if err != nil {
		t.Fatal(err)
	}
	var id uint32
	w.locked(func() { id = w.b.SpaceByName("t").Mem.Format.ID })
	tuple := append(pack(int(id)), 0x91, 1)
	want := m(0x30, list(msgpack.Raw(msgpack.AppendExt(nil, box.TupleExt, tuple))), 0x60, m(int(id), list(map[string]any{"name": "id", "type": "unsigned"})))
	if text(body) != text(want) {
		t.Errorf("got  %s\nwant %s", text(body), text(want))
	}
	c.ask(request(5, 3, m(0x10, 512, 0x20, list(9))), "0 3 {48:[] 96:{}}")
	c.ask(request(73, 4, m()), "0 4 {84:9 85:[0 1 2 3 4 5 6 7 8 9 11] 91:chap-sha1}")
	c.ask(request(1, 5, m(0x10, 512, 0x12, 1, 0x20, list())), "0 5 [[1]]")
}

func TestPipeline(t *testing.T) {
	const n = 1000
	w := newWorld(t, Options{})
	w.space(512, "t")
	for name, c := range map[string]*client{"pipe": w.pipe(), "unix": w.dial()} {
		t.Run(name, func(t *testing.T) {
			c.TB = t
			var packets [][]byte
			var want []string
			for i := range n {
				switch i % 4 {
				case 0:
					packets = append(packets, request(64, i, nil))
					want = append(want, fmt.Sprintf("0 %d {}", i))
				case 1:
					packets = append(packets, request(3, i, m(0x10, 512, 0x21, list(i))))
					want = append(want, fmt.Sprintf("0 %d [[%d]]", i, i))
				case 2:
					packets = append(packets, request(1, i, m(0x10, 512, 0x12, 1, 0x20, list(i-1))))
					want = append(want, fmt.Sprintf("0 %d [[%d]]", i, i-1))
				case 3:
					packets = append(packets, request(130, i, nil))
					want = append(want, fmt.Sprintf("-48 %d Unknown request type 130", i))
				}
			}
			c.send(packets...)
			c.expect(want...)
		})
	}
}

func TestPacketsInPieces(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	c := w.pipe()
	large := strings.Repeat("x", 300_000)
	go func() {
		for _, b := range append(request(64, 1, nil), request(3, 2, m(0x10, 512, 0x21, list(7)))...) {
			_, _ = c.Write([]byte{b})
		}
		_, _ = c.Write(append(request(3, 3, m(0x10, 512, 0x21, list(8, large))), request(64, 4, nil)...))
	}()
	c.expect("0 1 {}", "0 2 [[7]]", "0 3 [[8 "+large+"]]", "0 4 {}")
	// a packet that only claims to be large
	c.raw("ce7fffffff 82")
	_ = c.Close()
}

func TestAuth(t *testing.T) {
	w := newWorld(t, Options{})
	var heard []string
	w.locked(func() {
		w.insert(304, 40, 1, "joe", "user", map[string]any{"chap-sha1": "OtaA2tQHvcR0KwKnMrd6Gk5GEl0="}, list(), 0)
		w.b.Triggers.Set("box.session.on_auth", "t", box.GoFunc(func(c *box.Ctx, args []byte, n int) ([]byte, int, error) {
			name, rest, _ := msgpack.ReadString(args)
			heard = append(heard, string(name)+" "+text(rest)+" "+c.User.Name)
			return nil, 0, nil
		}))
		u := w.b.UserByName("joe")
		u.AuthMethod, u.AuthData = box.ChapSHA1, box.PasswordHash("secret")
		u.Universe |= box.SessionRight | box.Usage
	})
	c := w.pipe()
	g, _ := iproto.DecodeGreeting(c.greeting)
	auth := func(sync int, user, password string) []byte {
		return request(7, sync, m(0x23, user, 0x21, list("chap-sha1", msgpack.Raw(msgpack.AppendStringBytes(nil, box.Scramble(g.Salt, password))))))
	}
	const denied = "User not found or supplied credentials are invalid"
	c.ask(auth(1, "joe", "wrong"), "-47 1 "+denied)
	c.ask(auth(2, "nobody", "secret"), "-47 2 "+denied)
	c.ask(auth(3, "joe", "secret"), "0 3 {}")
	c.ask(request(1, 4, m(0x10, 280, 0x12, 1, 0x20, list())), "-42 4 Read access to space '_space' is denied for user 'joe'")
	c.ask(request(7, 5, m(0x23, "guest", 0x21, list())), "0 5 {}")
	w.locked(func() {
		if got := strings.Join(heard, ", "); got != "joe false guest, nobody false guest, joe true guest, guest true joe" {
			t.Error(got)
		}
	})
}

func TestAddresses(t *testing.T) {
	tests := []struct{ in, want string }{
		{"3301", ":3301"},
		{"localhost:3301", "localhost:3301"},
		{"*:3301", ":3301"},
		{"[::1]:3301", "[::1]:3301"},
		{"tcp://127.0.0.1:0", "127.0.0.1:0"},
		{"unix/:./a.sock", "unix/:./a.sock"},
		{"unix/:/tmp/a.sock", "unix/:/tmp/a.sock"},
		{"/tmp/a.sock", "unix/:/tmp/a.sock"},
		{"./a.sock?transport=plain", "unix/:./a.sock"},
		{"guest:secret@localhost:3301", "localhost:3301"},
		{"localhost:3301?transport=ssl", "Listening does not support the transport 'ssl'"},
		{"localhost:3301?transport=pigeon", "Invalid transport: pigeon"},
		{"localhost", "Incorrect URI: expected host:service or /unix.socket"},
		{"localhost:99999", "Incorrect URI: expected host:service or /unix.socket"},
		{"", "Incorrect URI: expected host:service or /unix.socket"},
	}
	for _, test := range tests {
		a, err := ParseAddress(test.in)
		got := a.String()
		if err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%q: %q, want %q", test.in, got, test.want)
		}
	}
}

func TestListeners(t *testing.T) {
	w := newWorld(t, Options{})
	dir := t.TempDir()
	one, two := dir+"/one.sock", dir+"/two.sock"
	if err := w.s.Listen(one, "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	addresses := w.s.Addresses()
	connect := func(network, address string) *client {
		t.Helper()
		nc, err := net.Dial(network, address)
		if err != nil {
			t.Fatal(err)
		}
		return w.greet(nc)
	}
	first := connect("unix", one)
	tcp := connect("tcp", addresses[1])
	if err := w.s.Listen(one, two); err != nil {
		t.Fatal(err)
	}
	for _, c := range []*client{first, tcp, connect("unix", one), connect("unix", two)} {
		c.ask(request(64, 1, nil), "0 1 {}")
	}
	if _, err := net.Dial("tcp", addresses[1]); err == nil {
		t.Error("the old address is listened on still")
	}
	if err := w.s.Listen(two, "nonsense"); err == nil || len(w.s.Addresses()) != 2 {
		t.Error("an address that fails must change nothing")
	}
	var peer string
	w.override(200, "x", func(r *Request) (Outcome, error) {
		peer = r.Session().Peer
		return Handled, r.Reply([]byte{0x90})
	})
	first.ask(request(200, 1, nil), "0 1 []")
	if peer != "unix/:(socket)" {
		t.Error(peer)
	}
	w.s.Close()
	first.expect("closed")
	if w.s.Listen(one) != ErrClosed {
		t.Error("a closed server cannot listen")
	}
}

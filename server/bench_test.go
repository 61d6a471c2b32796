package server

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/wal"
)

// BenchmarkRequests measures requests through a unix socket, in bursts of different sizes. Client and server share
// the machine; the client only copies bytes.
func BenchmarkRequests(b *testing.B) {
	w := newWorld(b, Options{})
	w.space(512, "t")
	w.locked(func() {
		for i := range 1000 {
			w.insert(512, i, "some text")
		}
		w.s.HandleFunc("f", func(_ *box.Ctx, args []byte, n int) ([]byte, int, error) { return args, n, nil })
	})
	w.override(200, "bench", func(r *Request) (Outcome, error) {
		return Handled, r.Send(r.Header(), r.Body())
	})
	requests := []struct {
		name string
		p    []byte
		size int // of an answer
	}{
		{"ping", request(64, 1, nil), 29},
		{"select", request(1, 1, m(0x10, 512, 0x12, 1, 0x20, list(500))), 28 + 7 + 14},
		{"replace", request(3, 1, m(0x10, 512, 0x21, list(500, "some text"))), 28 + 7 + 14},
		{"call", request(10, 1, m(0x22, "f", 0x21, list(1))), 28 + 7 + 1},
		{"override", request(200, 1, m(0x22, "f", 0x21, list(1))), 5 + 6 + 7},
	}
	for _, journaled := range []bool{false, true} {
		if journaled {
			forgetfulJournal(b, w)
			requests = requests[2:3]
		}
		for _, r := range requests {
			for _, burst := range []int{1, 50} {
				name := r.name
				if journaled {
					name += "-journaled"
				}
				b.Run(fmt.Sprintf("%s/%d", name, burst), func(b *testing.B) {
					c := w.dial()
					var all []byte
					for range burst {
						all = append(all, r.p...)
					}
					answers := make([]byte, burst*r.size)
					b.ReportAllocs()
					b.ResetTimer()
					for i := 0; i < b.N; i += burst {
						if _, err := c.Write(all); err != nil {
							b.Fatal(err)
						}
						if _, err := io.ReadFull(c, answers); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// BenchmarkWrites runs turns of requests that write, without their sockets, with a journal whose file forgets what is written.
func BenchmarkWrites(b *testing.B) {
	const rows = 100000
	text := strings.Repeat("v", 64)
	order := rand.New(rand.NewPCG(1, 2)).Perm(rows)
	row := func(typ, key int) []byte { return request(typ, 1, m(0x10, 512, 0x21, list(key, text, key*7))) }
	for _, load := range []struct {
		name   string
		perKey int // requests on end with the same key
		packet func(turn, key int) []byte
	}{
		{"replace", 1, func(_, key int) []byte { return row(3, key) }},
		{"update", 1, func(_, key int) []byte {
			return request(4, 1, m(0x10, 512, 0x11, 0, 0x20, list(key), 0x21, list(list("+", 2, 1))))
		}},
		{"delete+insert", 2, func(turn, key int) []byte {
			if turn%2 == 0 {
				return request(5, 1, m(0x10, 512, 0x11, 0, 0x20, list(key)))
			}
			return row(2, key)
		}},
	} {
		b.Run(load.name, func(b *testing.B) {
			w := newWorld(b, Options{})
			w.space(512, "t")
			w.locked(func() {
				for i := range rows {
					w.insert(512, i, text, i*7)
				}
			})
			forgetfulJournal(b, w)
			var packets []byte
			var starts []int
			for i := range 2 * rows {
				if i%turnSize == 0 {
					starts = append(starts, len(packets))
				}
				packets = append(packets, load.packet(i, order[i/load.perKey%rows])...)
			}
			c := &conn{server: w.s, session: w.c.Session}
			t := new(turn)
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if n%turnSize > 0 {
					continue
				}
				i := n / turnSize % (len(starts) - 1)
				c.buf = packets[starts[i]:starts[i+1]]
				t.n, t.answers, t.waits, c.r, c.w = 0, t.answers[:0], t.waits[:0], 0, len(c.buf)
				c.decode(t)
				if c.run(t); t.n != turnSize {
					b.Fatal("a turn was cut off")
				}
				c.await(t)
			}
		})
	}
}

// forgetfulJournal gives a world a journal whose file forgets what is written.
func forgetfulJournal(b *testing.B, w *world) {
	fs := vfs.NewMem()
	if err := fs.Mkdir("/wal"); err != nil {
		b.Fatal(err)
	}
	j, err := wal.Open(wal.Options{FS: discardFS{fs}, Dir: "/wal", Mode: wal.Write, Instance: w.b.InstanceUUID(), ReplicaID: 1, Written: w.b.Written})
	if err != nil {
		b.Fatal(err)
	}
	w.locked(func() { w.b.Journal = j })
	b.Cleanup(func() { _ = j.Close() })
}

// BenchmarkTurns measures requests in full turns, without sockets, and what they cost when a handler is asked first.
func BenchmarkTurns(b *testing.B) {
	declines := HandlerFunc(func(r *Request) (Outcome, error) { return Declined, nil })
	answer := iproto.AppendOK(nil, 7, 1)
	answers := HandlerFunc(func(r *Request) (Outcome, error) { return Handled, r.SendPacket(answer) })
	ping := func(int) []byte { return request(64, 7, nil) }
	get := func(i int) []byte { return request(1, 7, m(0x10, 512, 0x12, 1, 0x14, 0, 0x20, list(10*i))) }
	replace := func(i int) []byte { return request(3, 7, m(0x10, 512, 0x21, list(10*i, "some text"))) }
	// has the rest of its turn run under the lock
	once := request(77, 7, m(0x57, "key"))
	for _, test := range []struct {
		name    string
		first   []byte
		rest    func(i int) []byte
		typ     int64
		handler Handler
	}{
		{"ping", nil, ping, 0, nil},
		{"select", nil, get, 0, nil},
		{"select-locked", once, get, 0, nil},
		{"select-declined", nil, get, 1, declines},
		{"select-answered", nil, get, 1, answers},
		{"replace", nil, replace, 0, nil},
		{"replace-declined", nil, replace, 3, declines},
	} {
		b.Run(test.name, func(b *testing.B) {
			w := newWorld(b, Options{})
			w.space(512, "t")
			w.locked(func() {
				for i := range 1000 {
					w.insert(512, i, "some text")
				}
				if test.handler != nil {
					if err := w.s.Override(test.typ, "x", test.handler); err != nil {
						b.Fatal(err)
					}
				}
			})
			c := &crowd{turn: test.first, left: b.N, begin: make(chan struct{}), ended: make(chan struct{})}
			for i := range turnSize {
				if i > 0 || test.first == nil {
					c.turn = append(c.turn, test.rest(i)...)
				}
			}
			w.s.Start(c)
			b.ReportAllocs()
			b.ResetTimer()
			close(c.begin)
			<-c.ended
		})
	}
}

// crowd is the end of a connection from which turns of requests come, and which takes no notice of the answers.
type crowd struct {
	turn  []byte // turnSize requests
	left  int    // how many are to come
	begin chan struct{}
	ended chan struct{}
}

func (c *crowd) Read(b []byte) (int, error) {
	<-c.begin
	if c.left <= 0 {
		close(c.ended)
		return 0, io.EOF
	}
	c.left -= turnSize
	return copy(b, c.turn), nil
}

func (c *crowd) Write(b []byte) (int, error)      { return len(b), nil }
func (c *crowd) Close() error                     { return nil }
func (c *crowd) LocalAddr() net.Addr              { return &net.UnixAddr{} }
func (c *crowd) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func (c *crowd) SetDeadline(time.Time) error      { return nil }
func (c *crowd) SetReadDeadline(time.Time) error  { return nil }
func (c *crowd) SetWriteDeadline(time.Time) error { return nil }

// discardFS makes files that forget what is written.
type discardFS struct{ vfs.FS }

func (d discardFS) Create(name string) (vfs.File, error) {
	f, err := d.FS.Create(name)
	return discardFile{f}, err
}

type discardFile struct{ vfs.File }

func (discardFile) Write(b []byte) (int, error) { return len(b), nil }

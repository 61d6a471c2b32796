package lycosa_test

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/lycosatest"
)

// BenchmarkOverride compares requests that a handler in Go answers with PINGs, through a unix socket, one after another and
// in bursts of 50. The figure to look at is cpu-ns/op: client and server share the machine.
func BenchmarkOverride(b *testing.B) {
	rows := []any{[]any{1, "one"}}
	answer := func(q *lycosa.Request) (bool, error) {
		if q.Uint(iproto.KeySpaceID) != 600 {
			return false, nil
		}
		return true, q.Reply(rows)
	}
	body := map[iproto.Key]any{iproto.KeySpaceID: 600, iproto.KeyIndexID: 0, iproto.KeyLimit: 100, iproto.KeyOffset: 0,
		iproto.KeyIterator: 0, iproto.KeyKey: []any{1}}
	tests := []struct {
		name string
		typ  iproto.Type
		body any
		set  func(db *lycosa.DB) error
	}{
		{"ping", iproto.TypePing, nil, func(*lycosa.DB) error { return nil }},
		{"select", iproto.TypeSelect, body, func(db *lycosa.DB) error { return fill(db) }},
		{"inline", iproto.TypeSelect, body, func(db *lycosa.DB) error {
			return db.Override(iproto.TypeSelect, answer, lycosa.Inline())
		}},
		{"inline-locked", iproto.TypeSelect, body, func(db *lycosa.DB) error {
			return db.Override(iproto.TypeSelect, answer, lycosa.Inline(), lycosa.Trace(1e-9))
		}},
		{"goroutine", iproto.TypeSelect, body, func(db *lycosa.DB) error { return db.Override(iproto.TypeSelect, answer) }},
		{"wrap", iproto.TypeSelect, body, func(db *lycosa.DB) error {
			if err := fill(db); err != nil {
				return err
			}
			return db.Wrap(iproto.TypeSelect, func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) { return next() })
		}},
	}
	for _, test := range tests {
		for _, burst := range []int{1, 50} {
			b.Run(fmt.Sprintf("%s/%d", test.name, burst), func(b *testing.B) {
				measure(b, test.typ, test.body, test.set, burst)
			})
		}
	}
}

// measure sends bursts of a request to a database that set has prepared.
func measure(b *testing.B, typ iproto.Type, body any, set func(db *lycosa.DB) error, burst int) {
	db := lycosatest.Open(b, lycosa.Options{})
	if err := set(db); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(b.TempDir(), "s")
	if err := db.Listen(path); err != nil {
		b.Fatal(err)
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.ReadFull(conn, make([]byte, iproto.GreetingSize)); err != nil {
		b.Fatal(err)
	}
	packet, err := lycosatest.Packet(map[iproto.Key]any{iproto.KeyRequestType: uint32(typ), iproto.KeySync: 1}, body)
	if err != nil {
		b.Fatal(err)
	}
	var all []byte
	for range burst {
		all = append(all, packet...)
	}
	if _, err := conn.Write(packet); err != nil {
		b.Fatal(err)
	}
	one := make([]byte, 4096)
	size, err := conn.Read(one)
	if err != nil {
		b.Fatal(err)
	}
	answers := make([]byte, burst*size)
	b.ReportAllocs()
	b.ResetTimer()
	before := cpu()
	for i := 0; i < b.N; i += burst {
		if _, err := conn.Write(all); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(conn, answers); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu()-before)/float64(b.N), "cpu-ns/op")
}

// fill makes a space with a tuple.
func fill(db *lycosa.DB) error {
	id := uint32(600)
	s, err := db.CreateSpace("t", box.SpaceSpec{ID: &id})
	if err != nil {
		return err
	}
	if err := s.CreateIndex("pk", box.IndexSpec{}); err != nil {
		return err
	}
	_, err = s.Insert([]any{1, "one"})
	return err
}

// cpu is the time that the process has computed, in nanoseconds.
func cpu() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

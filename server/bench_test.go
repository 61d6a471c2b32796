package server

import (
	"fmt"
	"io"
	"testing"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/wal"

	"github.com/lycosadb/lycosa/vfs"
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

// discardFS makes files that forget what is written.
type discardFS struct{ vfs.FS }

func (d discardFS) Create(name string) (vfs.File, error) {
	f, err := d.FS.Create(name)
	return discardFile{f}, err
}

type discardFile struct{ vfs.File }

func (discardFile) Write(b []byte) (int, error) { return len(b), nil }

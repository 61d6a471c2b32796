//go:build !race

// The race detector has sync.Pool lose some of what is put there.

package server

import (
	"io"
	"testing"

	"github.com/lycosadb/lycosa/box"
)

// TestAllocations counts what requests allocate in steady state, from the socket and back to it.
func TestAllocations(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	w.locked(func() {
		w.insert(512, 500, "some text")
		w.s.HandleFunc("f", func(_ *box.Ctx, args []byte, n int) ([]byte, int, error) { return args, n, nil })
	})
	w.override(200, "test", func(r *Request) (Outcome, error) { return Handled, r.Send(r.Header(), r.Body()) })
	const burst = 50
	for _, test := range []struct {
		name string
		p    []byte
		size int // of an answer in bytes
		most float64
	}{
		{"ping", request(64, 1, nil), 29, 0},
		{"select", request(1, 1, m(0x10, 512, 0x12, 1, 0x20, list(500))), 28 + 7 + 14, 0},
		{"replace", request(3, 1, m(0x10, 512, 0x21, list(500, "some text"))), 28 + 7 + 14, 1}, // the tuple
		{"call", request(10, 1, m(0x22, "f", 0x21, list(1))), 28 + 7 + 1, 0},
		{"override", request(200, 1, m(0x22, "f", 0x21, list(1))), 5 + 6 + 7, 0},
	} {
		c := w.dial()
		var all []byte
		for range burst {
			all = append(all, test.p...)
		}
		answers := make([]byte, burst*test.size)
		got := testing.AllocsPerRun(50, func() {
			if _, err := c.Write(all); err != nil {
				t.Fatal(err)
			}
			if _, err := io.ReadFull(c, answers); err != nil {
				t.Fatal(err)
			}
		})
		// A few allocations of a burst belong to the process, not to its requests.
		if got /= burst; got > test.most+0.2 {
			t.Errorf("%s: %.2f allocations a request, at most %v are due", test.name, got, test.most)
		}
	}
}

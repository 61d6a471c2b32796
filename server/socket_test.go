package server

import (
	"bytes"
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
)

// TestFullSockets asks for more than a socket holds, so that answers are written as the client makes room.
func TestFullSockets(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	var text []byte
	for i := range 1_000_000 {
		text = append(text, byte('a'+i%23))
	}
	w.locked(func() { w.insert(512, 1, string(text)) })
	ask := request(1, 7, m(0x10, 512, 0x12, 1, 0x20, list(1)))
	c := w.dial()
	const rows = 8
	for range rows {
		c.send(ask)
	}
	for range rows {
		_, body, err := c.receive()
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasSuffix(body, text) || len(body) > len(text)+20 {
			t.Fatalf("%d bytes: %x...", len(body), body[:min(len(body), 40)])
		}
	}
	// A client that goes while much is on its way to it does no harm to others.
	gone := w.dial()
	for range rows {
		gone.send(ask)
	}
	if _, _, err := gone.receive(); err != nil {
		t.Fatal(err)
	}
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	c.ask(request(64, 8, msgpack.Raw{0x80}), "0 8 {}")
}

//go:build cgo && !race

// The race detector has sync.Pool lose some of what is put there.

package lua

import (
	"bytes"
	"io"
	"testing"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/server"
)

// TestHandlerAllocations counts what requests that a handler in Lua answers allocate in Go in steady state.
func TestHandlerAllocations(t *testing.T) {
	t.Chdir(t.TempDir())
	b := box.New(box.Config{})
	defer b.Cord.Stop()
	srv := server.New(b, server.Options{})
	defer srv.Close()
	b.Cord.Lock()
	s, err := New(b, Options{Server: srv})
	if err == nil {
		chunk := s.mustLoad(t, `box.iproto.override(200, function(header, body)
			if body.key == nil then return false end
			box.iproto.send(box.session.id(), { request_type = box.iproto.type.OK, sync = header.sync }, { data = { body.key } })
			return true
		end)`)
		_, _, err = s.State.Call(chunk, nil, 0)
	}
	b.Cord.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	c := srv.Connect()
	defer c.Close()
	if _, err := io.ReadFull(c, make([]byte, iproto.GreetingSize)); err != nil {
		t.Fatal(err)
	}
	const burst = 32
	// {0: 200, 1: 7} {0x20: 5} is answered by {0: 0, 1: 7} {0x30: [5]}.
	request := []byte{0xce, 0, 0, 0, 9, 0x82, 0, 0xcc, 200, 1, 7, 0x81, 0x20, 5}
	answer := []byte{0xce, 0, 0, 0, 9, 0x82, 0, 0, 1, 7, 0x81, 0x30, 0x91, 5}
	all, got := bytes.Repeat(request, burst), make([]byte, burst*len(answer))
	exchange := func() {
		if _, err := c.Write(all); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, got); err != nil {
			t.Fatal(err)
		}
	}
	exchange()
	for i := 0; i < len(got); i += len(answer) {
		// The keys of a table come in any order.
		if packet := got[i : i+len(answer)]; !bytes.Equal(packet[:6], answer[:6]) || !bytes.Equal(packet[10:], answer[10:]) {
			t.Fatalf("% x", packet)
		}
	}
	if n := testing.AllocsPerRun(50, exchange) / burst; n > 0.2 {
		t.Errorf("%.2f allocations a request, none are due", n)
	}
}

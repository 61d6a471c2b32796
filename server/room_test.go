package server

import (
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

// awaitBlocked waits until so many connections wait for room.
func (w *world) awaitBlocked(n int) {
	for found := -1; found != n; runtime.Gosched() {
		w.locked(func() { found = len(w.s.blocked) })
	}
}

func TestRoomGoesAround(t *testing.T) {
	var warnings atomic.Int32
	w := newWorld(t, Options{NetMsgMax: 2, Log: func(level byte, message string) {
		if level != 'W' || !strings.HasSuffix(message, "net_msg_max limit is reached") {
			t.Error(message)
		}
		warnings.Add(1)
	}})
	w.space(512, "t")
	p := w.park(200)
	a, b, c := w.pipe(), w.dial(), w.pipe()
	a.send(request(200, 1, nil), request(200, 2, nil))
	p.await(2)
	b.send(request(200, 10, nil), request(200, 11, nil), request(200, 12, nil))
	w.awaitBlocked(1)
	c.send(request(200, 20, nil))
	w.awaitBlocked(2)
	// what never waits needs no room
	a.ask(request(1, 3, m(0x10, 512, 0x12, 1, 0x20, list())), "0 3 []")
	a.ask(request(2, 4, m(0x10, 512, 0x21, list(4))), "0 4 [[4]]")

	for _, step := range []struct {
		ends, begins uint64
		client       *client
	}{{1, 10, a}, {2, 20, a}, {10, 11, b}, {20, 12, c}} {
		p.finish(step.ends, Handled, nil)
		step.client.expect(fmt.Sprintf("0 %d [finished {}]", step.ends))
		if began := <-p.came; began != step.begins {
			t.Errorf("%d began when %d ended, not %d", began, step.ends, step.begins)
		}
	}
	// one that leaves when it has been given room passes it on
	a.send(request(200, 5, nil))
	w.awaitBlocked(1)
	c.send(request(200, 21, nil))
	w.awaitBlocked(2)
	w.locked(func() {
		_ = a.Close()
		p.parked[11].Finish(Declined, nil)
	})
	for began := uint64(0); began != 21; {
		if began = <-p.came; began == 5 {
			p.finish(5, Declined, nil)
		}
	}
	p.finish(12, Declined, nil)
	p.finish(21, Declined, nil)
	c.expect("-48 21 Unknown request type 200")
	w.locked(func() {
		if w.s.inFlight != 0 || w.s.woken != 0 || len(w.s.blocked) != 0 {
			t.Errorf("%d in flight, %d woken, %d blocked", w.s.inFlight, w.s.woken, len(w.s.blocked))
		}
	})
	if n := warnings.Load(); n != 1 {
		t.Errorf("%d warnings", n)
	}
}

// TestLateAnswersWaitForTheirClient has a client get more answers than are kept for one that is sent something unasked.
func TestLateAnswersWaitForTheirClient(t *testing.T) {
	w := newWorld(t, Options{OutputLimit: 1 << 20, NetMsgMax: 8})
	p := w.park(200)
	c, other := w.dial(), w.pipe()
	const requests, size = 40, 1 << 20
	var packets []byte
	for i := range requests {
		packets = append(packets, request(200, i, nil)...)
	}
	c.send(packets)
	p.await(8)
	w.awaitBlocked(1)
	other.send(request(200, requests, nil))
	w.awaitBlocked(2)
	answer := append([]byte{0x91, 0xdb, 0, size >> 16, 0, 0}, make([]byte, size)...)
	finish := func(sync uint64) {
		w.locked(func() {
			r := p.parked[sync]
			r.Finish(Handled, r.Reply(answer))
		})
	}
	for i := range 8 {
		finish(uint64(i))
	}
	// The client has not read anything: its next request must not have the room.
	if sync := <-p.came; sync != requests {
		t.Fatalf("request %d came before that of the other client", sync)
	}
	finish(requests)
	if _, body, err := other.receive(); err != nil || len(body) < size {
		t.Fatal(err)
	}
	go func() {
		for range requests - 8 {
			finish(<-p.came)
		}
	}()
	for i := range requests {
		if _, body, err := c.receive(); err != nil || len(body) < size {
			t.Fatal(i, err)
		}
	}
}

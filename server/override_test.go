package server

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
)

// says makes a handler that answers with a text.
func says(what string) HandlerFunc {
	return func(r *Request) (Outcome, error) { return Handled, r.Reply(pack(list(what))) }
}

func TestOverrideChain(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.pipe()
	var asked []string
	declines := func(name string) HandlerFunc {
		return func(r *Request) (Outcome, error) {
			asked = append(asked, name)
			return Declined, nil
		}
	}
	set := func(event, name string, h Handler) {
		w.locked(func() {
			if h == nil {
				w.b.Triggers.Del(event, name)
			} else {
				w.b.Triggers.Set(event, name, h)
			}
		})
	}
	set("box.iproto.override.ping", "a", declines("name a"))
	set("box.iproto.override[64]", "a", declines("number a"))
	set("box.iproto.override[64]", "b", declines("number b"))
	set("box.iproto.override.ping", "b", declines("name b"))
	c.ask(request(64, 1, nil), "0 1 {}")
	if got := strings.Join(asked, ", "); got != "number b, number a, name b, name a" {
		t.Error(got)
	}
	set("box.iproto.override[64]", "a", says("handled"))
	c.ask(request(64, 2, nil), "0 2 [handled]")
	set("box.iproto.override[64]", "a", nil)
	set("box.iproto.override[64]", "b", nil)
	set("box.iproto.override.ping", "a", nil)
	set("box.iproto.override.ping", "b", nil)
	c.ask(request(64, 3, nil), "0 3 {}")

	// unknown types
	set("box.iproto.override[777]", "a", says("777"))
	set("box.iproto.override.unknown", "a", says("unknown"))
	set("box.iproto.override[70000]", "a", declines("70000"))
	set("box.iproto.override.nop", "a", says("nop"))
	c.ask(request(777, 4, nil), "0 4 [777]")
	c.ask(request(778, 5, nil), "0 5 [unknown]")
	c.ask(request(70000, 6, nil), "-48 6 Unknown request type 70000")
	c.ask(request(12, 7, nil), "0 7 [nop]")
	c.ask(request(76, 8, nil), "0 8 [unknown]")
	c.ask(request(64, 9, nil), "0 9 {}")
	c.ask(inStream(5, 777, 10, nil), "-229 10 Unable to process (null) request in stream")
	c.ask(inStream(5, 12, 11, nil), "0 11 [nop]")
	set("box.iproto.override[-1]", "b", says("minus one"))
	c.ask(request(778, 12, nil), "0 12 [minus one]")
	set("box.iproto.override[777]", "a", nil)
	c.ask(request(777, 13, nil), "0 13 [minus one]")
}

func TestOverrideSeesTheRequest(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	c := w.pipe()
	w.override(200, "x", func(r *Request) (Outcome, error) {
		return Handled, r.Reply(pack(list(text(r.Header()), text(r.Body()), int(r.Type()), int(r.Sync()), int(r.StreamID()), r.Ctx().User.Name, int(r.Session().Sync))))
	})
	c.ask(request(200, 3, nil), "0 3 [{0:200 1:3} {} 200 3 0 guest 3]")
	c.ask(request(200, 4, m(0x10, 5)), "0 4 [{0:200 1:4} {16:5} 200 4 0 guest 4]")
	c.ask(request(200, 5, pack(list(1, 2))), "0 5 [{0:200 1:5} [1 2] 200 5 0 guest 5]")

	// only what falls back is checked
	w.override(1, "x", func(r *Request) (Outcome, error) {
		if len(r.Body()) == 1 {
			return Declined, nil
		}
		return Handled, r.Reply(pack(list("any")))
	})
	c.ask(request(1, 6, m("odd", 1)), "0 6 [any]")
	c.ask(request(1, 7, m()), "-69 7 Missing mandatory field 'SPACE_ID' in request")
	c.ask(packet(m(0, 1, 1, 8, 5, 9), m(1, 1)), "0 8 [any]")

	// packets of the handler's own
	w.override(201, "x", func(r *Request) (Outcome, error) {
		err := errors.Join(r.Send(m(0, 128, 1, 9), m(0x30, list(1))), r.Send(m(1, 9), nil))
		return Handled, err
	})
	c.ask(request(201, 9, nil), "128 9 [1]")
	c.expect("0 9 ")
	w.override(202, "x", func(r *Request) (Outcome, error) {
		return Declined, errors.Join(r.Send(m(0, 128, 1, 10), nil))
	})
	c.send(request(202, 10, nil))
	c.expect("128 10 ", "-48 10 Unknown request type 202")
}

// TestOverrideSetWithinATurn has a handler set by one request, and taken away by another, when those behind it in the same
// turn have been decoded already.
func TestOverrideSetWithinATurn(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	c := w.pipe()
	w.locked(func() {
		w.s.HandleFunc("set", func(*box.Ctx, []byte, int) ([]byte, int, error) {
			return nil, 0, w.s.Override(1, "x", HandlerFunc(func(r *Request) (Outcome, error) {
				return Handled, r.Reply(pack(list(text(r.Fields().Find(r.Body(), 0x20)))))
			}))
		})
		w.s.HandleFunc("unset", func(*box.Ctx, []byte, int) ([]byte, int, error) {
			return nil, 0, w.s.Override(1, "x", nil)
		})
	})
	call := func(sync int, f string) []byte { return request(10, sync, m(0x22, f)) }
	query := m(0x10, 512, 0x12, 1, 0x20, list(500))
	for range 2 {
		c.send(call(1, "set"), request(1, 2, query), request(1, 3, query), call(4, "unset"), request(1, 5, query))
		c.expect("0 1 []", "0 2 [[500]]", "0 3 [[500]]", "0 4 []", "0 5 []")
		c.send(call(1, "set"))
		c.expect("0 1 []")
		c.send(request(1, 2, query), call(4, "unset"), request(1, 5, query), request(64, 6, nil))
		c.expect("0 2 [[500]]", "0 4 []", "0 5 []", "0 6 {}")
	}
}

func TestOverrideErrors(t *testing.T) {
	var mu sync.Mutex
	var logged []string
	w := newWorld(t, Options{Log: func(level byte, message string) {
		mu.Lock()
		defer mu.Unlock()
		first, _, _ := strings.Cut(message, "\n")
		logged = append(logged, string(level)+" "+first)
	}})
	c := w.pipe()
	for i, f := range []HandlerFunc{
		func(*Request) (Outcome, error) { return Handled, boxerr.Luajit("oops") },
		func(*Request) (Outcome, error) { return Declined, errors.New("foreign") },
		func(*Request) (Outcome, error) { panic("lost") },
		func(r *Request) (Outcome, error) {
			r.Finish(Handled, boxerr.Illegal("at once"))
			return Parked, nil
		},
		func(r *Request) (Outcome, error) {
			_ = w.b.Begin(r.Ctx(), box.TxnOptions{})
			return Handled, r.Reply([]byte{0x90})
		},
	} {
		w.override(int64(300+i), "x", f)
	}
	w.locked(func() {
		w.b.Triggers.Set("box.iproto.override[305]", "x", 42)
		for _, event := range []string{
			"box.iproto.override.PING", "box.iproto.override.", "box.iproto.override[ping]", "box.iproto.override[6 4]",
			"box.iproto.override[64]x", "box.iproto.override.join", "box.iproto.override[65]", "box.iproto.overridex", "box.iproto.override",
		} {
			w.b.Triggers.Set(event, "x", says("never"))
			w.b.Triggers.Del(event, "x")
		}
		if w.s.Override(int64(iproto.TypeJoin), "x", says("never")) == nil || w.s.Override(1<<32, "x", says("never")) == nil {
			t.Error("these types cannot be overridden")
		}
	})
	c.ask(request(300, 1, nil), "-32 1 oops")
	c.ask(request(301, 2, nil), "-0 2 foreign")
	c.ask(request(302, 3, nil), "-32 3 lost")
	c.ask(request(303, 4, nil), "-1 4 at once")
	c.ask(request(304, 5, nil), "0 5 []")
	c.ask(request(305, 6, nil), "-32 6 int is no request handler")
	mu.Lock()
	defer mu.Unlock()
	want := []string{
		"C The event `box.iproto.override.PING' is in IPROTO override namespace, but `PING' is not a valid request type",
		"C The event `box.iproto.override.' is in IPROTO override namespace, but `' is not a valid request type",
		"C The event `box.iproto.override[ping]' is in IPROTO override namespace, but `[ping]' is not a valid request type",
		"C The event `box.iproto.override[6 4]' is in IPROTO override namespace, but `[6 4]' is not a valid request type",
		"C The event `box.iproto.override[64]x' is in IPROTO override namespace, but `[64]x' is not a valid request type",
		"C IPROTO request handler overriding does not support `JOIN' request type",
		"C IPROTO request handler overriding does not support `JOIN' request type",
		"C panic in a request handler: lost",
	}
	if strings.Join(logged, "\n") != strings.Join(want, "\n") {
		t.Errorf("logged\n%s", strings.Join(logged, "\n"))
	}
}

// parking collects parked requests by their sync.
type parking struct {
	w      *world
	parked map[uint64]*Request
	came   chan uint64
}

func (w *world) park(typ int64) *parking {
	p := &parking{w: w, parked: map[uint64]*Request{}, came: make(chan uint64, 10000)}
	w.override(typ, "parking", func(r *Request) (Outcome, error) {
		p.parked[r.Sync()] = r
		p.came <- r.Sync()
		return Parked, nil
	})
	return p
}

// await waits until n requests were parked.
func (p *parking) await(n int) {
	for range n {
		<-p.came
	}
}

// finish lets a parked request go on.
func (p *parking) finish(sync uint64, out Outcome, err error) {
	p.w.locked(func() {
		r := p.parked[sync]
		delete(p.parked, sync)
		if err == nil && out == Handled {
			err = r.Reply(pack(list("finished", text(r.Body()))))
		}
		r.Finish(out, err)
	})
}

func TestParkedRequests(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	p := w.park(2)
	c := w.pipe()
	insert := func(id int) []byte { return request(2, id, m(0x10, 512, 0x21, list(id))) }
	c.send(insert(1), insert(2), insert(3), request(64, 4, nil), insert(5))
	c.expect("0 4 {}")
	p.await(4)
	p.finish(3, Declined, nil)
	c.expect("0 3 [[3]]")
	p.finish(1, Handled, nil)
	c.expect("0 1 [finished {16:512 33:[1]}]")
	p.finish(2, Handled, boxerr.Luajit("no"))
	c.expect("-32 2 no")
	c.ask(request(64, 6, nil), "0 6 {}")
	p.finish(5, Declined, nil)
	c.expect("0 5 [[5]]")
	c.ask(request(1, 7, m(0x10, 512, 0x12, 9, 0x20, list())), "0 7 [[3] [5]]")
	w.locked(func() {
		if w.s.inFlight != 0 || w.s.stat.Current(RequestsInProgress) != 0 {
			t.Errorf("%d in flight, %d in progress", w.s.inFlight, w.s.stat.Current(RequestsInProgress))
		}
	})
}

func TestStreamRequestsWait(t *testing.T) {
	w := newWorld(t, Options{})
	p := w.park(200)
	w.override(12, "x", says("nop"))
	w.locked(func() {
		// parked requests of this test are in streams, where only types with low numbers may be
		w.b.Triggers.Set(OverrideEvent(6), "x", HandlerFunc(func(r *Request) (Outcome, error) {
			p.parked[r.Sync()] = r
			p.came <- r.Sync()
			return Parked, nil
		}))
	})
	c := w.pipe()
	c.send(inStream(7, 6, 1, nil), inStream(7, 64, 2, nil), inStream(7, 6, 3, nil), inStream(7, 12, 4, nil), inStream(8, 64, 5, nil), request(64, 6, nil))
	c.expect("0 5 {}", "0 6 {}")
	p.await(1)
	w.locked(func() {
		if q, n := w.s.stat.Current(RequestsInStreamQueue), w.s.stat.Current(Streams); q != 3 || n != 1 {
			t.Errorf("%d queued, %d streams", q, n)
		}
	})
	p.finish(1, Handled, nil)
	c.expect("0 1 [finished {}]", "0 2 {}")
	p.await(1)
	p.finish(3, Handled, nil)
	c.expect("0 3 [finished {}]", "0 4 [nop]")
	w.locked(func() {
		if q, n := w.s.stat.Current(RequestsInStreamQueue), w.s.stat.Current(Streams); q != 0 || n != 0 || w.s.inFlight != 0 {
			t.Errorf("%d queued, %d streams, %d in flight", q, n, w.s.inFlight)
		}
	})
}

func TestStreamTransactions(t *testing.T) {
	w := newWorld(t, Options{})
	w.b.Config.UseMVCC = true
	w.space(512, "t")
	c := w.pipe()
	insert := func(stream, sync, id int) []byte {
		return inStream(stream, 2, sync, m(0x10, 512, 0x21, list(id)))
	}
	c.ask(inStream(1, 14, 1, nil), "0 1 {}")
	c.ask(insert(1, 2, 1), "0 2 [[1]]")
	c.ask(inStream(1, 14, 3, nil), "-79 3 Operation is not permitted when there is an active transaction ")
	c.ask(inStream(1, 16, 4, nil), "0 4 {}")
	c.ask(request(1, 5, m(0x10, 512, 0x12, 9, 0x20, list())), "0 5 []")
	c.ask(inStream(1, 14, 6, m(0x56, 10.0, 0x59, 1)), "0 6 {}")
	c.ask(insert(1, 7, 1), "0 7 [[1]]")
	c.ask(inStream(1, 15, 8, nil), "0 8 {}")
	c.ask(inStream(1, 15, 9, nil), "0 9 {}")
	c.ask(inStream(1, 14, 10, m(0x59, 9)), "-1 10 unknown isolation level")
	// a client that leaves takes its transactions along
	other := w.pipe()
	other.ask(inStream(1, 14, 1, nil), "0 1 {}")
	other.ask(insert(1, 2, 2), "0 2 [[2]]")
	gone := w.leaving(other)
	<-gone
	c.ask(request(1, 11, m(0x10, 512, 0x12, 9, 0x20, list())), "0 11 [[1]]")
}

func TestStreamWithoutMVCCIsAborted(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	c := w.pipe()
	insert := func(sync, id int) []byte {
		return inStream(2, 2, sync, m(0x10, 512, 0x21, list(id)))
	}
	c.ask(inStream(2, 14, 12, nil), "0 12 {}")
	c.ask(insert(13, 3), "0 13 [[3]]")
	c.ask(insert(14, 4), "-154 14 Transaction has been aborted by a fiber yield")
	c.ask(inStream(2, 15, 15, nil), "-154 15 Transaction has been aborted by a fiber yield")
	c.ask(request(1, 16, m(0x10, 512, 0x12, 9, 0x20, list())), "0 16 []")
}

// leaving closes a connection. The channel tells when the server has noticed.
func (w *world) leaving(c *client) <-chan struct{} {
	gone := make(chan struct{})
	w.locked(func() {
		w.b.Triggers.Set("box.session.on_disconnect", "leaving", box.GoFunc(func(*box.Ctx, []byte, int) ([]byte, int, error) {
			w.b.Triggers.Del("box.session.on_disconnect", "leaving")
			w.b.Cord.Post(func() { close(gone) })
			return nil, 0, nil
		}))
	})
	_ = c.Close()
	return gone
}

func TestClientLeavesWhileItsRequestRuns(t *testing.T) {
	w := newWorld(t, Options{})
	p := w.park(200)
	c := w.pipe()
	c.send(request(200, 1, nil))
	p.await(1)
	<-w.leaving(c)
	w.locked(func() {
		r := p.parked[1]
		session := r.Session()
		if err := session.Conn.Send([]byte{0}); !boxerr.Is(err, boxerr.SessionClosed) || !session.Conn.Closed() || r.Reply([]byte{0x90}) == nil {
			t.Errorf("%v", err)
		}
		if _, err := w.b.SessionByID(session.ID); err != nil {
			t.Error("the session lives as long as its request")
		}
		r.Finish(Handled, nil)
		if _, err := w.b.SessionByID(session.ID); err == nil {
			t.Error("the session has ended")
		}
	})
}

func TestNetMsgMax(t *testing.T) {
	w := newWorld(t, Options{NetMsgMax: 3})
	p := w.park(200)
	c, other := w.pipe(), w.pipe()
	var packets [][]byte
	for i := range 6 {
		packets = append(packets, request(200, i, nil))
	}
	c.send(append(packets, request(64, 6, nil))...)
	p.await(3)
	other.send(request(1, 10, m()))
	for i := range 3 {
		p.finish(uint64(i), Handled, nil)
		c.expect(fmt.Sprintf("0 %d [finished {}]", i))
	}
	p.await(3)
	w.locked(func() { w.s.SetNetMsgMax(4) })
	c.expect("0 6 {}")
	other.expect("-69 10 Missing mandatory field 'SPACE_ID' in request")
	// those who wait notice when their client leaves
	c.send(request(200, 7, nil), request(200, 8, nil))
	p.await(1)
	<-w.leaving(c)
	for i := 3; i < 6; i++ {
		p.finish(uint64(i), Declined, nil)
	}
	p.finish(7, Declined, nil)
	other.ask(request(64, 11, nil), "0 11 {}")
	w.locked(func() {
		if w.s.inFlight != 0 || len(w.s.blocked) != 0 || w.s.stat.Current(RequestsInProgress) != 0 {
			t.Errorf("%d in flight, %d blocked, %d in progress", w.s.inFlight, len(w.s.blocked), w.s.stat.Current(RequestsInProgress))
		}
	})
}

package server

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
)

func TestHistogram(t *testing.T) {
	var h histogram
	if h.percentile(50) != 0 || h.percentile(100) != 0 {
		t.Error("nothing takes time")
	}
	for i := range 64 * subBuckets {
		if upper(i) < 0 {
			break
		}
		if b := bucket(upper(i)); b != i {
			t.Errorf("bucket %d ends at %d, which is in %d", i, upper(i), b)
		}
		if b := bucket(upper(i) + 1); upper(i)+1 > 0 && b != i+1 {
			t.Errorf("behind bucket %d is %d", i, b)
		}
	}
	if bucket(-5) != 0 {
		t.Error("clocks that go back")
	}
	var all []time.Duration
	r := rand.New(rand.NewPCG(1, 2))
	for range 10000 {
		d := time.Duration(r.ExpFloat64() * float64(time.Millisecond))
		all = append(all, d)
		h.add(d)
	}
	slices.Sort(all)
	for _, p := range []int{1, 50, 90, 99, 100} {
		want := all[(len(all)*p+99)/100-1]
		got := h.percentile(p)
		if got < want || float64(got) > float64(want)*1.126+1 {
			t.Errorf("percentile %d: %v, want %v", p, got, want)
		}
	}
	if h.max != all[len(all)-1] || h.percentile(100) != h.max {
		t.Error(h.max)
	}
}

// logs collects what a server writes.
type logs struct {
	mu    sync.Mutex // guards the field below
	lines []string
}

func (l *logs) write(level byte, message string) {
	l.mu.Lock()
	l.lines = append(l.lines, string(level)+" "+message)
	l.mu.Unlock()
}

// take returns what was written since the last time.
func (l *logs) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := strings.Join(l.lines, "\n")
	l.lines = nil
	return s
}

// guarded sets a handler with a policy and returns its guard.
func (w *world) guarded(typ int64, p Policy, h HandlerFunc) *Guard {
	w.Helper()
	g := WithPolicy(h, "the handler", p)
	w.locked(func() {
		if err := w.s.Override(typ, "x", g); err != nil {
			w.Fatal(err)
		}
	})
	return g.Guard()
}

// TestBreaker goes through all states.
func TestBreaker(t *testing.T) {
	var l logs
	w := newWorld(t, Options{Log: l.write})
	c := w.pipe()
	var err error
	g := w.guarded(200, Policy{MaxErrors: 3, Per: time.Hour, Pause: time.Hour}, func(r *Request) (Outcome, error) {
		if err != nil {
			return Handled, err
		}
		return Handled, r.Reply([]byte{0x90})
	})
	w.override(-1, "behind", says("behind"))
	fail := func(e error) { w.locked(func() { err = e }) }
	expect := func(want string) {
		t.Helper()
		if got := l.take(); got != want {
			t.Errorf("logged %q, want %q", got, want)
		}
	}
	c.ask(request(200, 1, nil), "0 1 []")
	fail(errors.New("broken"))
	c.ask(request(200, 2, nil), "-0 2 broken")
	c.ask(request(200, 3, nil), "-0 3 broken")
	fail(nil)
	c.ask(request(200, 4, nil), "0 4 []") // does not count, nor take back
	expect("")
	fail(boxerr.Luajit("again"))
	c.ask(request(200, 5, nil), "-32 5 again")
	expect("E handler the handler is switched off for 1h0m0s: it failed 3 times within 1h0m0s")
	c.ask(request(200, 6, nil), "-48 6 Unknown request type 200")
	again := func() { w.locked(func() { g.reopen = time.Now() }) } // the pause is over
	again()
	c.ask(request(200, 7, nil), "-32 7 again")
	expect("I handler the handler is tried again\nE handler the handler is switched off for 1h0m0s: it failed again")
	c.ask(request(200, 8, nil), "-48 8 Unknown request type 200")
	again()
	fail(nil)
	c.ask(request(200, 9, nil), "0 9 []")
	expect("I handler the handler is tried again\nW handler the handler is switched on again")
	// errors that are long ago don't count
	fail(errors.New("old"))
	c.ask(request(200, 10, nil), "-0 10 old")
	c.ask(request(200, 11, nil), "-0 11 old")
	w.locked(func() { g.windowStart = time.Now().Add(-2 * time.Hour) })
	c.ask(request(200, 12, nil), "-0 12 old")
	expect("")
	w.locked(func() { g.Policy.Refuse = true })
	c.ask(request(200, 13, nil), "-0 13 old")
	c.ask(request(200, 14, nil), "-0 14 old")
	l.take()
	c.ask(request(200, 15, nil), "-32 15 Handler the handler is switched off after 3 errors")
	w.locked(func() {
		s := g.Stats()
		if s.Calls != 12 || s.Errors != 9 || s.Handled != 3 || s.Bypassed != 3 || s.InFlight != 0 || s.Fallbacks != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// TestBreakerProbesOnce lets one request through, not all that come meanwhile.
func TestBreakerProbesOnce(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.pipe()
	parked := make(chan *Request, 10)
	g := w.guarded(200, Policy{MaxErrors: 1, Per: time.Hour, Pause: time.Hour}, func(r *Request) (Outcome, error) {
		parked <- r
		return Parked, nil
	})
	c.send(request(200, 1, nil), request(200, 2, nil))
	first, second := <-parked, <-parked
	w.locked(func() { first.Finish(Handled, boxerr.Luajit("no")) })
	c.expect("-32 1 no")
	w.locked(func() { g.reopen = time.Now() })
	c.send(request(200, 3, nil), request(200, 4, nil))
	c.expect("-48 4 Unknown request type 200")
	// what was begun before the handler was switched off says nothing
	w.locked(func() { second.Finish(Handled, second.Reply([]byte{0x90})) })
	c.expect("0 2 []")
	c.ask(request(200, 5, nil), "-48 5 Unknown request type 200")
	probe := <-parked
	w.locked(func() { probe.Finish(Declined, nil) })
	c.expect("-48 3 Unknown request type 200")
	c.send(request(200, 6, nil))
	again := <-parked
	w.locked(func() { again.Finish(Handled, again.Reply([]byte{0x90})) })
	c.expect("0 6 []")
}

// TestShadow compares answers, and keeps what the handler does from having an effect.
func TestShadow(t *testing.T) {
	var l logs
	w := newWorld(t, Options{Log: l.write})
	w.space(512, "t")
	c := w.pipe()
	insert := func(sync, id int) []byte { return request(2, sync, m(0x10, 512, 0x21, list(id))) }
	tests := []struct {
		name string
		h    HandlerFunc
		log  string
	}{
		{"same", func(r *Request) (Outcome, error) { return Handled, r.Reply(pack(list(list(1)))) }, ""},
		{"declined", func(*Request) (Outcome, error) { return Declined, nil }, ""},
		{"other", func(r *Request) (Outcome, error) { return Handled, r.Reply(pack(list(2))) },
			"answered OK sync 1 {DATA: [[1]]}, the handler would have answered OK sync 1 {DATA: [2]}"},
		{"silent", func(r *Request) (Outcome, error) { return Handled, nil }, "answered OK sync 1 {DATA: [[1]]}, the handler would have answered "},
		{"error", func(r *Request) (Outcome, error) { return Handled, errors.New("lost") }, "the handler failed: lost"},
		{"panic", func(r *Request) (Outcome, error) { panic("lost") }, "the handler failed: lost"},
		{"packet", func(r *Request) (Outcome, error) { return Declined, r.Send(m(0, 0, 1, 5), m(0x31, "x")) },
			`the handler would have answered OK sync 5 {ERROR_24: "x"}`},
		{"writes", func(r *Request) (Outcome, error) {
			if _, err := w.b.Insert(r.Ctx(), 512, pack(list(77))); err != nil {
				return Handled, err
			}
			return Handled, r.Reply(pack(list(list(1))))
		}, ""},
	}
	for _, test := range tests {
		l.take()
		g := w.guarded(2, Policy{Shadow: true}, test.h)
		c.ask(insert(1, 1), "0 1 [[1]]")
		w.locked(func() {
			s := g.Stats()
			different := uint64(0)
			if test.log != "" {
				different = 1
			}
			if s.Calls != 1 || s.Differences != different || s.InFlight != 0 {
				t.Errorf("%s: %+v", test.name, s)
			}
		})
		if got := l.take(); !strings.Contains(got, test.log) || (test.log == "") != (got == "") {
			t.Errorf("%s: logged %q", test.name, got)
		}
		c.ask(request(5, 2, m(0x10, 512, 0x20, list(1))), "0 2 [[1]]")
	}
	c.ask(request(1, 3, m(0x10, 512, 0x12, 9, 0x20, list())), "0 3 []")

	// One that waits is compared when it ends, before or after the client has its answer.
	var parked *Request
	g := w.guarded(2, Policy{Shadow: true}, func(r *Request) (Outcome, error) {
		parked = r
		return Parked, nil
	})
	c.ask(insert(4, 4), "0 4 [[4]]")
	w.locked(func() {
		parked.Finish(Handled, parked.Reply(pack(list("late"))))
		if s := g.Stats(); s.Differences != 1 || s.InFlight != 0 {
			t.Errorf("%+v", s)
		}
	})
	// Many differences are not all logged.
	g = w.guarded(64, Policy{Shadow: true}, says("no"))
	l.take()
	for i := range 250 {
		c.ask(request(64, i, nil), fmt.Sprintf("0 %d {}", i))
	}
	if n := strings.Count(l.take(), "difference"); n != 10+2 {
		t.Errorf("%d lines", n)
	}
	w.idle()
}

// TestTrace shows requests with the names of their keys.
func TestTrace(t *testing.T) {
	var l logs
	w := newWorld(t, Options{Log: l.write})
	w.space(512, "t")
	c := w.pipe()
	g := w.guarded(2, Policy{Trace: 1}, func(*Request) (Outcome, error) { return Declined, nil })
	c.ask(inStream(3, 2, 1, m(0x10, 512, 0x21, list(1), "odd", 2)), "0 1 [[1]]")
	c.ask(request(2, 2, m(0x10, 513, 0x21, list(1))), "-36 2 Space '513' does not exist")
	c.ask(request(2, 3, pack(list(1))), "-20 3 Invalid MsgPack - packet body")
	c.ask(request(64, 4, nil), "0 4 {}")
	lines := strings.Split(l.take(), "\n")
	for i, want := range []string{
		`I trace the handler: session 2: INSERT sync 1 stream 3 {SPACE_ID: 512, TUPLE: [1], "odd": 2} -> OK sync 1 {DATA: [[1]]} in `,
		`INSERT sync 2 {SPACE_ID: 513, TUPLE: [1]} -> error 36 sync 2 {ERROR_24: "Space '513' does not exist", ERROR: `,
		`INSERT sync 3 [1] -> error 20 sync 3 `,
	} {
		if i >= len(lines) || !strings.Contains(lines[i], want) {
			t.Errorf("logged %q, want %q", lines, want)
		}
	}
	w.locked(func() {
		if s := g.Stats(); s.Calls != 3 || s.P50 == 0 || s.Max < s.P99 {
			t.Errorf("%+v", s)
		}
	})
	big := make([]any, 5000)
	c.ask(request(2, 5, m(0x10, 512, 0x21, append(list(5), big...))), "0 5 "+text(pack(list(append(list(5), big...)))))
	if n := len(l.take()); n > 2*maxLogged+300 {
		t.Errorf("%d bytes for one request", n)
	}
}

// TestSlowHandler reports a handler that has taken longer than it may without waiting.
func TestSlowHandler(t *testing.T) {
	var l logs
	w := newWorld(t, Options{Log: l.write})
	c := w.pipe()
	g := w.guarded(200, Policy{Timeout: 1}, func(r *Request) (Outcome, error) { return Handled, r.Reply([]byte{0x90}) })
	c.ask(request(200, 1, nil), "0 1 []")
	if got := l.take(); !strings.Contains(got, "its limit is 1ns") {
		t.Error(got)
	}
	w.locked(func() {
		if s := g.Stats(); s.Timeouts != 0 || s.Handled != 1 {
			t.Errorf("%+v", s)
		}
	})
}

// unlocked is a handler that needs no lock.
type unlocked struct {
	HandlerFunc
	guard Guard
}

func (u *unlocked) Guard() *Guard  { return &u.guard }
func (u *unlocked) Unlocked() bool { return true }

// TestUnlocked asks handlers without the lock, as long as nothing needs it.
func TestUnlocked(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	c := w.pipe()
	h := &unlocked{HandlerFunc: func(r *Request) (Outcome, error) {
		switch r.Body()[len(r.Body())-1] {
		case 1:
			return Declined, nil
		case 2:
			return Handled, boxerr.Luajit("no")
		case 3:
			panic("lost")
		case 4:
			if _, err := w.b.Replace(r.Ctx(), 512, pack(list(4))); err != nil {
				return Handled, err
			}
			return Handled, r.Reply(pack(list("written")))
		case 5:
			return Handled, errors.Join(r.Push(pack(list("pushed"))), r.Send(m(0, 1, 1, 7), m(0x30, list())), r.Reply(pack(list("end"))))
		}
		return Handled, r.Reply(pack(list(int(r.Sync()))))
	}}
	w.locked(func() { w.b.Triggers.Set(OverrideEvent(200), "x", h) })
	body := func(sync, n int) []byte { return request(200, sync, m(1, n)) }
	c.ask(request(64, 0, nil), "0 0 {}")
	// The lock is held by somebody else all the while.
	w.locked(func() {
		c.ask(body(1, 0), "0 1 [1]")
		c.send(body(2, 5), request(64, 3, nil), body(4, 0))
		c.expect("128 2 [pushed]", "1 7 []", "0 2 [end]", "0 3 {}", "0 4 [4]")
	})
	c.ask(body(5, 1), "-48 5 Unknown request type 200")
	c.ask(body(6, 2), "-32 6 no")
	c.ask(body(7, 3), "-32 7 lost")
	c.ask(body(8, 4), "0 8 [written]")
	c.send(body(9, 0), body(10, 4), body(11, 0), request(1, 12, m(0x10, 512, 0x12, 9, 0x20, list())), body(13, 1), body(14, 0))
	c.expect("0 9 [9]", "0 10 [written]", "0 11 [11]", "0 12 [[4]]", "-48 13 Unknown request type 200", "0 14 [14]")
	c.send(body(20, 0), body(21, 3), body(22, 0), body(23, 2), body(24, 0), request(64, 25, nil), body(26, 5))
	c.expect("0 20 [20]", "-32 21 lost", "0 22 [22]", "-32 23 no", "0 24 [24]", "0 25 {}", "128 26 [pushed]", "1 7 []", "0 26 [end]")
	w.override(200, "behind", func(r *Request) (Outcome, error) { return Declined, nil })
	c.ask(body(15, 0), "0 15 [15]") // behind it in order, in front of it in the chain: the lock is needed
	w.locked(func() {
		s := h.guard.Stats()
		if s.Calls != 19 || s.Handled+s.Errors+s.Fallbacks != s.Calls || s.InFlight != 0 || s.BytesOut == 0 {
			t.Errorf("%+v", s)
		}
		w.b.Triggers.Del(OverrideEvent(200), "behind")
		w.b.Triggers.Del(OverrideEvent(200), "x")
		w.b.Triggers.Set(OverrideEvent(-1), "x", h)
		w.b.Triggers.Set(OverrideEvent(70000), "x", h)
	})
	w.locked(func() {
		c.ask(body(16, 0), "0 16 [16]")
		c.ask(request(70000, 17, m(1, 0)), "0 17 [17]")
	})
	c.ask(request(70000, 18, m(1, 1)), "-48 18 Unknown request type 70000")
	w.wrap(WrapEvent(70000), "x", func(*Request) (Outcome, error) { return Declined, nil })
	c.ask(request(70000, 19, m(1, 0)), "0 19 [19]")
	w.idle()
}

package server

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/lycosadb/lycosa/iproto"
)

// Unlocked is a Handler that may be asked without the cord's lock, by the goroutine of the connection. Its Serve must
// not return Parked. Whatever of the Request belongs to the lock takes it: see Request.Acquire.
//
// Such a handler runs without the lock when nothing that needs it comes before it: no other handler in its chain, no
// policy, no stream, and no request of the same turn.
type Unlocked interface {
	Guarded
	// Unlocked tells whether the handler is one.
	Unlocked() bool
}

// unlockedOf returns the handler of a chain that may be asked without the lock, nil when there is none.
func (s *Server) unlockedOf(c chain) Unlocked {
	if c[0] != nil || c[1] != nil {
		return nil
	}
	for _, e := range c[firstOverride:] {
		if e == nil || e.Empty() {
			continue
		}
		if h, ok := s.handler(e.Entries()[0].Handler).(Unlocked); ok && h.Unlocked() && h.Guard().Policy == (Policy{}) {
			return h
		}
		return nil
	}
	return nil
}

// served counts what a handler has done without the lock.
type served struct {
	calls, bytes atomic.Uint64
}

// tally is what was done without the lock in a turn, and is not counted yet.
type tally struct {
	guard        *Guard
	calls, bytes int
}

// count adds a request that a handler has served without the lock, with an answer of so many bytes.
func (y *tally) count(g *Guard, bytes int) {
	if y.guard != g {
		y.flush()
		y.guard = g
	}
	y.calls++
	y.bytes += bytes
}

func (y *tally) flush() {
	if y.guard != nil {
		y.guard.served.calls.Add(uint64(y.calls))
		y.guard.served.bytes.Add(uint64(y.bytes))
	}
	*y = tally{}
}

// latencies is a histogram with a lock of its own, because handlers that run without the cord's lock are in it as well.
type latencies struct {
	mu sync.Mutex // guards the field below
	h  histogram
}

func (l *latencies) add(d time.Duration) {
	l.mu.Lock()
	l.h.add(d)
	l.mu.Unlock()
}

// runUnlocked runs the first requests of a turn, as far as they don't need the lock for themselves: PINGs, SELECTs that
// share it, and those whose handler is Unlocked. It returns how many it has run; the lock is held when one of them has taken it.
func (c *conn) runUnlocked(t *turn) (n int) {
	schema := c.server.schema.Load()
run:
	for n < t.n && !t.locked && len(t.answers) <= maxAnswers {
		r := t.requests[n]
		switch {
		case r.route != nil:
			if !r.isUnlocked() {
				break run
			}
			n = c.serveUnlocked(t, n)
			continue
		case r.isPing(schema):
			t.answers = iproto.AppendOK(t.answers, r.head.Sync, schema)
		default:
			k := c.runReads(t, n)
			if k == 0 {
				break run
			}
			n += k - 1
		}
		n++
	}
	t.tally.flush()
	return n
}

// isUnlocked tells whether the request is one for a handler that may be asked without the lock.
func (r *Request) isUnlocked() bool {
	return r.route != nil && r.route.unlocked != nil && r.fault == nil && r.head.StreamID == 0
}

// serveUnlocked has handlers serve requests of a turn without the lock, from the given one on, and returns where that has
// ended. A request that needs the lock after all, because its handler has asked for it, has failed, or passes it on, gets the
// lock for itself and for the rest of the turn.
func (c *conn) serveUnlocked(t *turn, first int) (next int) {
	next, served, out, err := c.askUnlocked(t, first)
	if served {
		return next
	}
	r := t.requests[next]
	r.Acquire()
	if !t.since.IsZero() {
		r.asked.since = t.since
	}
	if !r.conclude(out, err) {
		if r.route != nil {
			r.run = r.route.chain.start()
		}
		r.serve()
	}
	if r.ended {
		c.server.stat.leave(RequestsInProgress, 1)
	} else {
		r.detach()
		t.requests[next] = c.server.takeFree()
	}
	return next + 1
}

// askUnlocked asks handlers as long as they serve their requests without the lock. If served is false, next is the request that
// is left, and out and err are what its handler has returned.
func (c *conn) askUnlocked(t *turn, first int) (next int, served bool, out Outcome, err error) {
	next = first
	defer func() { // one for all of them
		if x := recover(); x != nil {
			served, err = false, c.server.panicked(x)
		}
	}()
	for ; next < t.n && len(t.answers) <= maxAnswers && t.requests[next].isUnlocked(); next++ {
		r := t.requests[next]
		g := r.route.guard
		r.mark, r.unlocked = len(t.answers), t
		if c.sampled++; c.sampled%latencySample == 1 {
			t.since = time.Now()
		} else {
			t.since = time.Time{}
		}
		if out, err = r.route.unlocked.Serve(r); r.unlocked == nil || out != Handled || err != nil {
			return next, false, out, err
		}
		r.unlocked = nil
		t.tally.count(g, len(t.answers)-r.mark)
		if !t.since.IsZero() {
			g.latency.add(time.Since(t.since))
		}
	}
	return next, true, Handled, nil
}

// Spare is where handlers that never park keep what they can use again for the next request. At first, and at times, it is
// nil. Nobody else uses it as long as the handler's Serve runs.
func (r *Request) Spare() *any {
	if t := r.unlocked; t != nil {
		return &t.spare
	}
	return &r.conn.server.spare
}

// Acquire takes the cord's lock on behalf of a handler that was called without it. The rest of the turn keeps it.
// With the lock held it does nothing.
func (r *Request) Acquire() {
	t := r.unlocked
	if t == nil {
		return
	}
	r.unlocked = nil
	c := r.conn
	s := c.server
	s.stat.enter(RequestsInProgress, 1)
	s.box.Cord.Lock()
	t.locked, c.turn = true, t
	r.prepare()
	c.session.Sync = r.head.Sync
	r.tried = r.route.unlocked
	r.route = s.overrides.table.Load().find(r.head.Type)
	r.tried.Guard().begin(&r.asked)
}

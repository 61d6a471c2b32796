package server

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
)

// Policy is what may be asked of a handler beyond serving. The zero value asks nothing.
type Policy struct {
	// Timeout bounds the time that a handler may take, 0 for no bound. One that waits longer is cancelled and its client
	// gets the error TIMEOUT; one that computes longer is reported in the log.
	Timeout time.Duration
	// Shadow has the handler run on a copy of each request: what it sends is compared with the real answer and thrown
	// away, and what it writes is rolled back.
	Shadow bool
	// Trace is the share of requests, between 0 and 1, that are written to the log with their answers.
	Trace float64
	// MaxErrors within Per switch the handler off for Pause (Per when zero). 0 stands for no limit.
	MaxErrors  int
	Per, Pause time.Duration
	// Refuse has requests refused while the handler is switched off; otherwise they go on as if it weren't there.
	Refuse bool
}

// Guard goes with one handler: it holds the policy and keeps the statistics. Guarded by the cord's lock.
type Guard struct {
	// Name tells the handler from others in the log.
	Name   string
	Policy Policy
	stats  HandlerStats

	// Not guarded by the lock.
	served  served
	latency latencies

	windowStart time.Time // of the errors counted
	windowCount int
	state       breakerState
	reopen      time.Time // when an open breaker lets a request through again
	differences uint64    // found by the shadow, logged or not
}

// Guarded is a Handler that has a Guard. Handlers without one get it from Override.
type Guarded interface {
	Handler
	Guard() *Guard
}

// withGuard gives a handler a guard.
type withGuard struct {
	Handler
	guard Guard
}

func (h *withGuard) Guard() *Guard { return &h.guard }

// WithPolicy makes a handler of h that follows a policy.
func WithPolicy(h Handler, name string, p Policy) Guarded {
	return &withGuard{Handler: h, guard: Guard{Name: name, Policy: p}}
}

// HandlerStats counts what a handler did.
type HandlerStats struct {
	Calls     uint64 // requests that it was asked for
	Handled   uint64 // of these, answered or taken over
	Fallbacks uint64 // passed on
	Errors    uint64 // ended by an error, timeouts included
	Timeouts  uint64
	Bypassed  uint64 // not asked, because it was switched off
	Yields    uint64 // requests in which it has waited
	InFlight  int64  // requests that it works on now
	BytesOut  uint64 // sent to clients
	// Differences are the answers of a shadow that were not the real ones.
	Differences uint64
	// Latency percentiles. Of requests served without a wait one in latencySample is measured.
	P50, P90, P99, Max time.Duration
}

// latencySample is one in how many requests has its time measured; reading the clock costs more than the rest.
const latencySample = 64

// Stats returns the counts. The cord's lock must be held.
func (g *Guard) Stats() HandlerStats {
	s := g.stats
	calls := g.served.calls.Load()
	s.Calls += calls
	s.Handled += calls
	s.BytesOut += g.served.bytes.Load()
	g.latency.mu.Lock()
	h := &g.latency.h
	s.P50, s.P90, s.P99, s.Max = h.percentile(50), h.percentile(90), h.percentile(99), h.max
	g.latency.mu.Unlock()
	s.Differences = g.differences
	return s
}

// Sent counts bytes that the handler has sent.
func (g *Guard) Sent(n int) { g.stats.BytesOut += uint64(n) }

type breakerState uint8

const (
	breakerClosed  breakerState = iota // requests go to the handler
	breakerOpen                        // they don't
	breakerProbing                     // one goes, to see whether the handler works again
)

// asked is what Request remembers of a handler that works on it. Without a guard nothing else of it means anything.
type asked struct {
	guard    *Guard
	since    time.Time // zero when the time isn't measured
	deadline canceler
	traced   bool
	probe    bool
}

// canceler is a timer that can be stopped.
type canceler interface{ Stop() bool }

// pass says whether the handler is to be asked at all.
func (g *Guard) pass(s *Server) (ok, probe bool) {
	if g.state == breakerClosed {
		return true, false
	}
	if g.state == breakerOpen && !time.Now().Before(g.reopen) {
		g.state = breakerProbing
		s.options.Log('I', fmt.Sprintf("handler %s is tried again", g.Name))
		return true, true
	}
	g.stats.Bypassed++
	return false, false
}

// switchedOff is the error of requests while a handler with Refuse is switched off.
func (g *Guard) switchedOff() error {
	return boxerr.New(boxerr.ProcLua, fmt.Sprintf("Handler %s is switched off after %d errors", g.Name, g.Policy.MaxErrors))
}

// begin counts a call and notes what has to be measured.
func (g *Guard) begin(a *asked) {
	p := &g.Policy
	g.stats.Calls++
	g.stats.InFlight++
	*a = asked{guard: g}
	if p.Trace > 0 && (p.Trace >= 1 || rand.Float64() < p.Trace) {
		a.traced = true
	}
	if g.stats.Calls%latencySample == 1 || p.Timeout > 0 || a.traced {
		a.since = time.Now()
	}
}

// ended counts how a call ended, and lets the breaker act on it.
func (g *Guard) ended(s *Server, a *asked, out Outcome, err error) {
	st := &g.stats
	st.InFlight--
	switch {
	case err != nil:
		st.Errors++
	case out == Handled:
		st.Handled++
	default:
		st.Fallbacks++
	}
	if !a.since.IsZero() {
		took := time.Since(a.since)
		g.latency.add(took)
		if limit := g.Policy.Timeout; limit > 0 && took > limit && err == nil {
			s.options.Log('W', fmt.Sprintf("handler %s took %v, its limit is %v", g.Name, took, limit))
		}
	}
	if g.Policy.MaxErrors > 0 {
		g.breaker(s, a, err)
	}
}

// breaker opens and closes by the errors of late.
func (g *Guard) breaker(s *Server, a *asked, err error) {
	p := &g.Policy
	now := time.Now()
	if a.probe {
		if err == nil {
			g.state, g.windowCount = breakerClosed, 0
			s.options.Log('W', fmt.Sprintf("handler %s is switched on again", g.Name))
		} else {
			g.open(s, now, "failed again")
		}
		return
	}
	if err == nil || g.state != breakerClosed {
		return
	}
	if now.Sub(g.windowStart) > p.Per {
		g.windowStart, g.windowCount = now, 0
	}
	if g.windowCount++; g.windowCount >= p.MaxErrors {
		g.open(s, now, fmt.Sprintf("failed %d times within %v", g.windowCount, p.Per))
	}
}

func (g *Guard) open(s *Server, now time.Time, why string) {
	pause := g.Policy.Pause
	if pause <= 0 {
		pause = g.Policy.Per
	}
	g.state, g.reopen, g.windowCount = breakerOpen, now.Add(pause), 0
	s.options.Log('E', fmt.Sprintf("handler %s is switched off for %v: it %s", g.Name, pause, why))
}

// guardOf returns the guard of a handler, nil when it has none.
func guardOf(h Handler) *Guard {
	if g, ok := h.(Guarded); ok {
		return g.Guard()
	}
	return nil
}

// OverrideStat is the statistics of one handler.
type OverrideStat struct {
	Event, Name string
	Stats       HandlerStats
}

// OverrideStats lists the statistics of all handlers that requests can be given to, by event, in running order. The
// cord's lock must be held.
func (s *Server) OverrideStats() []OverrideStat {
	var list []OverrideStat
	for _, event := range s.box.Triggers.Names() {
		if !overrideName(event) {
			continue
		}
		for _, entry := range s.box.Triggers.Event(event).Entries() {
			h := s.handler(entry.Handler)
			if h == nil {
				continue
			}
			if g := guardOf(h); g != nil {
				list = append(list, OverrideStat{event, entry.Name, g.Stats()})
			}
		}
	}
	return list
}

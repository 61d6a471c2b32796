//go:build cgo

package lua

import (
	"sync/atomic"
	"time"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/server"
	"github.com/lycosadb/lycosa/trigger"
)

// override is a request that a Lua handler works on.
type override struct {
	state   *State
	handler *Handler        // kept alive while it runs
	request *server.Request // nil once the request was given up
	fiber   *Fiber
	// response is what the last next() of a handler around the request has brought.
	response *server.Response
	watchdog *time.Timer  // reports a handler that computes for too long
	watching atomic.Int32 // 1: it computes, 2: its stack was asked for
}

// Serve runs the function as a handler of requests, in a pooled fiber. It is called as handler(header, body), or as
// handler(session id, header, body) when it declares three parameters; one around requests as handler(request, next).
func (h *Handler) Serve(r *server.Request) (server.Outcome, error) {
	s := h.state
	var o *override
	if n := len(s.overrides); n > 0 {
		o = s.overrides[n-1]
		s.overrides = s.overrides[:n-1]
	} else {
		o = &override{state: s}
	}
	o.handler, o.request = h, r
	entry := luajit.NoRef
	switch {
	case h.around:
		entry = s.entry.wrap
	case h.params == 3:
		entry = s.entry.handle3
	}
	f := s.newFiber(r.Ctx(), entry, h.Ref, o)
	f.Name = requestFiber
	o.fiber = f
	r.OnCancel(o)
	limit := time.Duration(0)
	if h.guard != nil {
		limit = h.guard.Policy.Timeout
	}
	if limit > 0 {
		o.watch(limit)
	}
	f.runRequest(r.Header(), r.Body(), h.borrows)
	if limit > 0 {
		o.unwatch()
	}
	return server.Parked, nil
}

// watch begins to look whether the handler computes for longer than limit.
func (o *override) watch(limit time.Duration) {
	o.watching.Store(1)
	if o.watchdog != nil {
		o.watchdog.Reset(limit)
		return
	}
	o.watchdog = time.AfterFunc(limit, func() {
		if o.watching.CompareAndSwap(1, 2) {
			o.state.Interrupt()
		}
	})
}

func (o *override) unwatch() {
	o.watchdog.Stop()
	if o.watching.Swap(0) == 2 {
		o.state.Uninterrupt()
	}
}

// done reads what the handler returned: true when it has taken over, false to fall back.
func (o *override) done(_ *Fiber, results []byte, n int) {
	if o.handler.around {
		o.doneAround(results, n)
		return
	}
	if n >= 1 {
		if handled, _, ok := msgpack.ReadBool(results); ok {
			outcome := server.Declined
			if handled {
				outcome = server.Handled
			}
			o.finish(outcome, nil)
			return
		}
	}
	o.finish(server.Handled, boxerr.New(boxerr.ProcLua, "Invalid Lua IPROTO handler return type: expected boolean"))
}

// doneAround ends a handler around the request: true when it has answered by itself, anything else to let the answer
// out that next() has brought, or to go on when there was none.
func (o *override) doneAround(results []byte, n int) {
	if n >= 1 {
		if handled, _, ok := msgpack.ReadBool(results); ok && handled {
			o.finish(server.Handled, nil)
			return
		}
	}
	if o.response == nil {
		o.finish(server.Declined, nil)
		return
	}
	var err error
	if o.request != nil {
		err = o.request.Respond(o.response)
	}
	o.finish(server.Handled, err)
}

func (o *override) failed(_ *Fiber, err *boxerr.Error) { o.finish(server.Handled, err) }

// Cancel gives the request up: its time is over.
func (o *override) Cancel() {
	o.request = nil
	o.fiber.Cancel()
	o.fiber.Wake()
}

func (o *override) finish(outcome server.Outcome, err error) {
	r := o.request
	o.handler, o.request, o.fiber, o.response = nil, nil, nil, nil
	if len(o.state.overrides) < maxPooled {
		o.state.overrides = append(o.state.overrides, o)
	}
	if r != nil {
		r.Finish(outcome, err)
	}
}

// next runs what would have run without the handler around the request that the calling fiber belongs to. Results: the
// packets, each a header and a body.
func (s *State) next(c *luajit.Call) error {
	o := s.overriding()
	if o == nil || o.request == nil {
		return boxerr.Illegal("next() may be called only by the handler that it was given to, while that runs")
	}
	var body []byte
	if !c.IsNil() {
		body = append(body, c.Bytes()...)
	}
	ended, parked := false, false
	f := s.current
	o.response = nil
	err := o.request.Next(body, func(a *server.Response) {
		if o.fiber != f {
			return // the handler was given up meanwhile
		}
		o.response = a
		ended = true
		if parked {
			f.Wake()
		}
	})
	if err != nil {
		return err
	}
	if ended {
		c.Out, c.NOut = appendPackets(c.Out, o.response), 1
		return nil
	}
	parked = true
	return s.Park(-1, func(*Fiber) ([]byte, int) {
		return appendPackets(nil, o.response), 1
	})
}

// appendPackets appends a response as an array of headers and bodies in turn, each a string.
func appendPackets(b []byte, a *server.Response) []byte {
	if a == nil {
		return msgpack.AppendArrayHeader(b, 0)
	}
	b = msgpack.AppendArrayHeader(b, 2*a.Len())
	for i := range a.Len() {
		header, body := a.Packet(i)
		b = msgpack.AppendStringBytes(b, header)
		b = msgpack.AppendStringBytes(b, body)
	}
	return b
}

// firing is an event whose handlers run one after another in fibers of their own, and may yield.
type firing struct {
	state   *State
	ctx     *box.Ctx
	run     trigger.Run
	handler *Handler
	end     func(error)
}

// Fire runs the handlers of an event one after another; they may yield. end is called under the lock when all have
// ended or one has failed.
func (s *State) Fire(c *box.Ctx, e *trigger.Event, end func(error)) {
	f := &firing{state: s, ctx: c, run: e.Start(), end: end}
	f.next()
}

func (f *firing) next() {
	for {
		h, ok := f.run.Next()
		if !ok {
			f.end(nil)
			return
		}
		switch x := h.(type) {
		case *Handler:
			f.handler = x
			f.state.newFiber(f.ctx, f.state.entry.run, x.Ref, f).run()
			return
		case box.GoFunc:
			if _, _, err := x(f.ctx, nil, 0); err != nil {
				f.end(err)
				return
			}
		}
	}
}

func (f *firing) done(*Fiber, []byte, int) { f.next() }

func (f *firing) failed(_ *Fiber, err *boxerr.Error) { f.end(err) }

// refOf is the Lua function behind a function value.
func refOf(f box.FuncRef) (ref luajit.Ref, isLua bool) {
	switch x := f.(type) {
	case luajit.Ref:
		return x, true
	case *Handler:
		return x.Ref, true
	}
	return luajit.NoRef, false
}

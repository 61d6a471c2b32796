package lua

import (
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
	handler *Handler // kept alive while it runs
	request *server.Request
}

// Serve runs the function as a handler of requests, in a pooled fiber. It is called as handler(header, body), or as
// handler(session id, header, body) when it declares three parameters.
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
	entry := s.entry.handle
	if h.params == 3 {
		entry = s.entry.handle3
	}
	f := s.newFiber(r.Ctx(), entry, h.Ref, o)
	f.Name = requestFiber
	f.runRequest(r.Header(), r.Body())
	return server.Parked, nil
}

// done reads what the handler returned: true when it has taken over, false to fall back.
func (o *override) done(_ *Fiber, results []byte, n int) {
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

func (o *override) failed(_ *Fiber, err *boxerr.Error) { o.finish(server.Handled, err) }

func (o *override) finish(outcome server.Outcome, err error) {
	r := o.request
	o.handler, o.request = nil, nil
	if len(o.state.overrides) < maxPooled {
		o.state.overrides = append(o.state.overrides, o)
	}
	r.Finish(outcome, err)
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

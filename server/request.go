package server

import (
	"fmt"
	"runtime/debug"
	"time"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/trigger"
)

// Request is a request of a client on its way through handlers. It is valid until it has ended: until the Serve
// that handled it has returned, or Finish was called. Everything about it belongs to the cord's lock.
type Request struct {
	conn         *conn
	head         iproto.Header
	habit        *box.Habit // of the function to be called, if that was decoded ahead
	header, body []byte     // body is nil when there is none
	at           int        // where the packet began in the read buffer
	fault        error
	route        *route // of its type: when it was decoded, and anew when it is started
	point        int    // among the lookups of its turn, counted from 1; 0 when it has none
	unlocked     *turn  // set while a handler is asked without the lock: its answers go there
	mark         int    // where in the turn's answers those of this request begin
	ctx          *box.Ctx
	own          []byte // the copy that header and body lie in once the request is kept
	kept         bool

	// What the body says, once it was decoded, and where, once it was indexed.
	decoded, indexed bool
	bodyErr          error
	dml              iproto.DML
	call             iproto.Call
	fields           msgpack.Fields

	progress
	invocation box.Invocation
}

// progress is how far a request has come. The zero value is one that has not been started.
type progress struct {
	// started is set when not all of the rest is zero.
	started bool

	// In its chain.
	place int
	run   trigger.Run
	asked asked    // the handler that works on it
	tried Unlocked // the handler that was asked without the lock, and isn't asked again

	inner    *inner      // set while it runs inside of another request
	child    *inner      // the request that runs inside of this one
	shadowOf *comparison // set while it is a shadow
	tee      *Response   // a copy of what is answered, for those who want to see it
	compared []*comparison
	traces   []traced
	onCancel Canceler
	// abandoned is set when somebody may still use the context after the end.
	abandoned bool

	inside   bool // a handler's Serve runs
	parked   bool // a handler will call Finish
	finished bool // Finish was called inside of Serve, with ...
	outcome  Outcome
	err      error

	stream    *stream
	following *Request // the next one of the same stream
	detached  bool
	ended     bool
	left      bool   // nothing counts it any more
	late      []byte // the answer, kept back until the journal has done its work
}

// Canceler stops the work on a request whose time is over. Cancel is called under the cord's lock; Finish need not
// be called any more.
type Canceler interface{ Cancel() }

// OnCancel names who is to be told when the request is given up while a handler has it parked.
func (r *Request) OnCancel(c Canceler) { r.onCancel = c }

// emptyBody stands for a body that is not there.
var emptyBody = []byte{0x80}

// Type is the request's type.
func (r *Request) Type() iproto.Type { return r.head.Type }

// Sync is the number that the client gave the request.
func (r *Request) Sync() uint64 { return r.head.Sync }

// StreamID is the stream that the request belongs to, 0 for none.
func (r *Request) StreamID() uint64 { return r.head.StreamID }

// Header is the header as it came, a MessagePack map. It is valid as long as the handler runs; after Keep, until the
// request ends.
func (r *Request) Header() []byte { return r.header }

// Body is the body as it came, any MessagePack value, or an empty map when there is none. It is valid as Header is.
func (r *Request) Body() []byte {
	if r.body == nil {
		return emptyBody
	}
	return r.body
}

// Fields finds values in Body. It is valid as Body is.
func (r *Request) Fields() *msgpack.Fields {
	if !r.indexed {
		r.indexed = true
		r.fields.Check(r.Body())
	}
	return &r.fields
}

// Ctx is on whose behalf the request is run. It takes the lock, see Acquire.
func (r *Request) Ctx() *box.Ctx {
	r.Acquire()
	return r.ctx
}

// Session is the client's session. Its ID can be read without the lock, nothing else.
func (r *Request) Session() *box.Session { return r.conn.session }

// Gone is closed when the client can't be sent anything any more. It can be called without the lock.
func (r *Request) Gone() <-chan struct{} { return r.conn.output.left }

// Keep makes Header and Body outlive the handler, until the request ends. Slices got from them before are not
// affected.
func (r *Request) Keep() {
	if r.kept || r.conn == nil {
		return
	}
	r.kept = true
	r.own = append(append(r.own[:0], r.header...), r.body...)
	n := len(r.header)
	r.header = r.own[:n:n]
	if r.body != nil {
		r.body = r.own[n:]
	}
	r.decoded = false
}

// decode takes a packet apart.
func (r *Request) decode(packet []byte, table *overrideTable) {
	r.reset()
	rest, ok := iproto.DecodeHeader(packet, &r.head)
	if !ok {
		r.fault = boxerr.New(boxerr.InvalidMsgpack, "packet header")
		return
	}
	r.route = table.find(r.head.Type)
	r.header = packet[: len(packet)-len(rest) : len(packet)-len(rest)]
	if len(rest) == 0 {
		return
	}
	r.body = rest
	if !r.checkBody() {
		r.fault = boxerr.New(boxerr.InvalidMsgpack, "packet body")
	}
}

// checkBody tells whether the body is well-formed. Where nobody overrides it, or the handlers have let the last one of the
// type pass, it is decoded as well.
func (r *Request) checkBody() bool {
	switch {
	case isDML(r.head.Type) && (r.route == nil || r.route.passed.Load()):
		r.decodeBody() // which checks it
		return r.bodyErr == nil || wellFormed(r.body)
	case r.route != nil:
		r.indexed = true
		return r.fields.Check(r.body) && r.head.Type != iproto.TypeNOP
	case !wellFormed(r.body) || r.head.Type == iproto.TypeNOP:
		return false
	}
	r.decodeBody()
	if r.head.Type == iproto.TypeCall {
		r.habit = r.conn.server.box.Habit(r.call.Name)
	}
	return true
}

// wellFormed tells whether a body is one well-formed value.
func wellFormed(body []byte) bool {
	rest, ok := msgpack.Check(body)
	return ok && len(rest) == 0
}

// isDML tells whether bodies of a type are decoded to Request.dml.
func isDML(typ iproto.Type) bool {
	switch typ {
	case iproto.TypeSelect, iproto.TypeInsert, iproto.TypeReplace, iproto.TypeUpdate, iproto.TypeDelete, iproto.TypeUpsert:
		return true
	}
	return false
}

// reset prepares a used request for the next packet.
func (r *Request) reset() {
	r.header, r.body, r.fault, r.bodyErr, r.route, r.unlocked, r.habit = nil, nil, nil, nil, nil, nil, nil
	r.kept, r.indexed, r.decoded, r.point = false, false, false, 0
	if r.started {
		r.progress = progress{}
	}
	if cap(r.own) > keptBuffer {
		r.own = nil
	}
}

// refuse makes the request one that is answered by an error, whatever it is.
func (r *Request) refuse(err error) {
	r.reset()
	r.head = iproto.Header{}
	r.fault = err
}

// mayWait tells whether something that the request does may have to wait before it ends. It is asked before the start.
func (r *Request) mayWait() bool {
	if r.fault != nil {
		return false
	}
	return !isDML(r.head.Type) || r.route != nil || r.head.StreamID != 0
}

// decodeBody decodes the bodies that are decoded often. It needs no lock.
func (r *Request) decodeBody() {
	if r.decoded {
		return
	}
	r.decoded = true
	switch typ := r.head.Type; {
	case isDML(typ):
		r.bodyErr = iproto.DecodeDML(typ, r.body, &r.dml)
	case typ == iproto.TypeCall || typ == iproto.TypeCall16 || typ == iproto.TypeEval:
		r.bodyErr = iproto.DecodeCall(typ, r.body, &r.call)
	}
}

// isPing tells whether the request is a PING that may be answered without the cord's lock.
func (r *Request) isPing(schema uint32) bool {
	return r.head.Type == iproto.TypePing && r.route == nil && r.fault == nil && r.head.StreamID == 0 &&
		(r.head.SchemaVersion == 0 || r.head.SchemaVersion == uint64(schema))
}

// start runs the request as far as it goes without waiting. When that is not to its end, it returns false: the
// request is detached and must not be used for another packet before it has ended.
func (r *Request) start() bool {
	c := r.conn
	if t := c.turn; t != nil {
		r.mark = len(t.answers)
	}
	r.prepare()
	if r.fault == nil {
		r.admit()
	}
	switch {
	case r.fault != nil:
		r.fail(r.fault)
	case r.head.StreamID == 0:
		r.begin()
	case !r.enterStream():
		r.detach()
		return false
	default:
		r.begin()
	}
	if !r.ended {
		r.detach()
		return false
	}
	return true
}

// prepare makes the request's context ready.
func (r *Request) prepare() {
	c := r.conn
	r.started = true
	if r.ctx == nil {
		r.ctx = c.server.box.NewCtx(c.session)
	} else {
		r.ctx.Reset(c.session)
	}
}

// admit finds the chain of the request and checks the rules that come before all handlers.
func (r *Request) admit() {
	typ, in := r.head.Type, r.head.StreamID != 0
	r.route = r.conn.server.overrides.table.Load().find(typ)
	switch {
	case r.route == nil && !builtin(typ):
		r.fault = boxerr.New(boxerr.UnknownRequestType, uint32(typ))
	case in && !streamable(typ):
		if name := typ.Name(); name != "" {
			r.fault = boxerr.New(boxerr.UnableToProcessInStream, name)
		} else {
			e := boxerr.New(boxerr.UnableToProcessInStream, typ.String())
			e.Fields = e.Fields[:0]
			r.fault = e.With("name", e.Name)
		}
	case !in && (typ == iproto.TypeBegin || typ == iproto.TypeCommit || typ == iproto.TypeRollback):
		r.fault = boxerr.New(boxerr.UnableToProcessOutOfStream, typ.Name())
	}
}

// streamable tells whether requests of a type may belong to a stream.
func streamable(typ iproto.Type) bool {
	return typ <= iproto.TypeRollback+1 && typ != iproto.TypeAuth || typ == iproto.TypePing
}

// detach makes the request independent of the turn that it was started in.
func (r *Request) detach() {
	r.Keep()
	r.detached, r.point = true, 0
	r.conn.detached++
	r.conn.server.inFlight++
	if t := r.conn.turn; t != nil {
		t.detached++
	}
}

// begin runs the request, whose turn it is in its stream.
func (r *Request) begin() {
	if r.stream != nil {
		r.ctx.Txn = r.stream.txn
		r.stream.txn = nil
	}
	r.conn.session.Sync = r.head.Sync
	if r.route == nil {
		r.builtin()
		return
	}
	r.run = r.route.chain.start()
	r.serve()
}

// next returns the next trigger handler of the chain.
func (r *Request) next() (trigger.Handler, bool) {
	for {
		if h, ok := r.run.Next(); ok {
			if r.tried != nil && h == trigger.Handler(r.tried) {
				continue
			}
			return h, true
		}
		if r.route == nil {
			return nil, false
		}
		chain := &r.route.chain
		for r.place++; r.place < len(chain) && chain[r.place] == nil; r.place++ {
		}
		if r.place >= len(chain) {
			return nil, false
		}
		r.run = chain[r.place].Start()
	}
}

// serve asks the handlers that have not been asked yet, and after them what the server does by itself.
func (r *Request) serve() {
	for {
		h, ok := r.next()
		if !ok {
			if r.route != nil {
				r.route.notePassed(true)
			}
			r.builtin()
			return
		}
		out, err := r.ask(h)
		if out == Parked && err == nil {
			if !r.finished {
				r.Keep()
				r.parked = true
				return
			}
			out, err = r.outcome, r.err
		}
		if r.conclude(out, err) {
			return
		}
	}
}

// ask calls a handler, as its policy wants it.
func (r *Request) ask(h trigger.Handler) (Outcome, error) {
	s := r.conn.server
	handler, g := r.resolve(h)
	if handler == nil {
		return Handled, boxerr.Luajit(fmt.Sprintf("%T is no request handler", h))
	}
	if g == nil {
		return r.invoke(handler)
	}
	ok, probe := g.pass(s)
	if !ok {
		if g.Policy.Refuse {
			return Handled, g.switchedOff()
		}
		return Declined, nil
	}
	if g.Policy.Shadow {
		r.watchAnswer()
		r.shadow(handler, g)
		return Declined, nil
	}
	g.begin(&r.asked)
	r.asked.probe = probe
	if r.asked.traced {
		r.watchAnswer()
		r.trace(g, r.asked.since)
	}
	out, err := r.invoke(handler)
	if out == Parked && err == nil && !r.finished {
		g.stats.Yields++
		if limit := g.Policy.Timeout; limit > 0 {
			r.asked.deadline = s.box.Cord.After(max(0, limit-time.Since(r.asked.since)), r.expire)
		}
	}
	return out, err
}

// resolve returns the handler that a trigger holds, nil when it is none, and its guard.
func (r *Request) resolve(h trigger.Handler) (Handler, *Guard) {
	if first := r.route; first != nil && first.held != nil && first.held == h {
		return first.handler, first.guard
	}
	handler := r.conn.server.handler(h)
	if handler == nil {
		return nil, nil
	}
	return handler, guardOf(handler)
}

// invoke calls a handler. A panic of its becomes an error.
func (r *Request) invoke(handler Handler) (out Outcome, err error) {
	r.inside, r.finished = true, false
	defer func() {
		r.inside = false
		if x := recover(); x != nil {
			err = r.conn.server.panicked(x)
		}
	}()
	return handler.Serve(r)
}

// panicked writes the panic of a handler to the log, and returns the error that the client gets.
func (s *Server) panicked(x any) error {
	s.options.Log('C', fmt.Sprintf("panic in a request handler: %v\n%s", x, debug.Stack()))
	return boxerr.Luajit(fmt.Sprint(x))
}

// expire ends a request whose handler waits for too long.
func (r *Request) expire() {
	if !r.parked {
		return
	}
	r.parked = false
	r.asked.guard.stats.Timeouts++
	r.abandoned = true
	if r.onCancel != nil {
		r.onCancel.Cancel()
	}
	r.conclude(Handled, boxerr.New(boxerr.Timeout))
}

// conclude acts on what a handler made of the request. It returns false when the next one is to be asked.
func (r *Request) conclude(out Outcome, err error) bool {
	if g := r.asked.guard; g != nil {
		if r.asked.deadline != nil {
			r.asked.deadline.Stop()
		}
		g.ended(r.conn.server, &r.asked, out, err)
		r.asked.guard = nil
	}
	r.onCancel = nil
	switch {
	case err != nil:
		r.fail(err)
	case out == Handled:
		if r.route != nil {
			r.route.notePassed(false)
		}
		r.noteTicket()
		r.end()
	default:
		return false
	}
	return true
}

// Finish is called, under the cord's lock, when a handler that parked the request has come to its end.
func (r *Request) Finish(out Outcome, err error) {
	switch {
	case r.inside:
		r.finished, r.outcome, r.err = true, out, err
	case r.parked && r.shadowOf != nil:
		r.parked = false
		r.endShadow(out, err)
	case r.parked:
		r.parked = false
		if !r.conclude(out, err) {
			r.serve()
		}
	}
}

// end is the end of the request.
func (r *Request) end() {
	if r.ended {
		return
	}
	r.ended = true
	if c := r.child; c != nil {
		r.child, r.abandoned = nil, true
		c.request.giveUp()
	}
	if r.tee != nil {
		r.tellAnswer()
	}
	if r.inner != nil {
		if r.ctx.Txn != nil && !r.inherited() {
			_ = r.conn.server.box.Rollback(r.ctx)
		}
		r.endInner()
		return
	}
	s := r.conn.server
	if stream := r.stream; stream != nil {
		s.box.OnYield(r.ctx)
		stream.txn = r.ctx.Txn
		r.ctx.Txn = nil
	} else if r.ctx.Txn != nil {
		_ = s.box.Rollback(r.ctx)
	}
	if r.late != nil {
		r.deliverLate()
	} else {
		r.leaveAll()
	}
}

// leaveAll takes the ended request out of everything that counts it.
func (r *Request) leaveAll() {
	c, stream := r.conn, r.stream
	s := c.server
	r.left = true
	if r.detached {
		s.stat.leave(RequestsInProgress, 1)
		s.stat.leave(Requests, 1)
		s.inFlight--
		s.release(r)
		c.leave()
		s.unblock()
	} else if r.abandoned {
		r.ctx = nil
	}
	if stream != nil {
		stream.leave()
	}
}

// maxFree is how many ended requests are kept for reuse.
const maxFree = 1024

// release keeps an ended request that was detached for reuse.
func (s *Server) release(r *Request) {
	r.conn = nil
	if r.abandoned {
		r.ctx, r.own = nil, nil
	}
	if len(s.free) < maxFree {
		s.free = append(s.free, r)
	}
}

//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// Protocol features that change the form of results, as numbers of IPROTO_ID.
const (
	featureErrorExtension = 2
	featureCallRetTuple   = 8
)

// requestFiber is the name of the fibers that serve requests.
const requestFiber = "main"

// invocation is the end of a CALL's or EVAL's fiber.
type invocation struct {
	state   *State
	call    *box.Invocation
	caller  *box.User // whose rights come back at the end of a function with setuid, nil without
	tuples  bool
	room    []byte
	formats []*tuple.Format
}

// Call starts a function by name. A persistent function with a body wins over a global one.
func (s *State) Call(c *box.Ctx, r *box.Invocation) {
	def := r.Func
	if def == nil {
		s.start(c, r, nil, s.entry.call, luajit.NoRef, r.Name)
		return
	}
	f, err := s.Box.FuncRef(def)
	if err != nil {
		r.Completion.Done(nil, nil, err)
		return
	}
	caller := c.TakeRights(def)
	switch ref, ok := refOf(f); {
	case !ok:
		s.start(c, r, caller, s.entry.call, luajit.NoRef, r.Name)
	case def.TakesRawArgs:
		s.startRaw(c, r, caller, ref)
	default:
		s.start(c, r, caller, s.entry.callRef, ref, nil)
	}
}

// Eval starts an expression.
func (s *State) Eval(c *box.Ctx, r *box.Invocation) {
	s.start(c, r, nil, s.entry.eval, luajit.NoRef, r.Name)
}

// start runs an invocation in a pooled fiber. A head that is not nil stands before the arguments, as a string.
func (s *State) start(c *box.Ctx, r *box.Invocation, caller *box.User, entry, fn luajit.Ref, head []byte) {
	inv := s.newInvocation(c, r, caller)
	f := s.newFiber(c, entry, fn, inv)
	f.Name = requestFiber
	f.tuples, f.errors = inv.tuples, c.Session.Features&(1<<featureErrorExtension) != 0
	n, rest, ok := msgpack.ReadArrayHeader(r.Args)
	if !ok {
		n, rest = 0, nil
	}
	if head != nil {
		n++
		inv.room = append(msgpack.AppendStringBytes(inv.room[:0], head), rest...)
		rest = inv.room
	}
	f.in, f.count = rest, n
	c.Local = f
	f.run()
}

// startRaw gives the function its arguments as one object.
func (s *State) startRaw(c *box.Ctx, r *box.Invocation, caller *box.User, fn luajit.Ref) {
	inv := s.newInvocation(c, r, caller)
	f := s.newFiber(c, s.entry.callRaw, fn, inv)
	f.Name = requestFiber
	f.tuples, f.errors = inv.tuples, c.Session.Features&(1<<featureErrorExtension) != 0
	c.Local = f
	f.runRequest(nil, r.Args, false)
}

func (s *State) newInvocation(c *box.Ctx, r *box.Invocation, caller *box.User) *invocation {
	var inv *invocation
	if n := len(s.invocations); n > 0 {
		inv = s.invocations[n-1]
		s.invocations = s.invocations[:n-1]
	} else {
		inv = &invocation{state: s}
	}
	inv.call, inv.caller = r, caller
	features := c.Session.Features
	inv.tuples = features&(1<<featureCallRetTuple) != 0 && !r.Call16
	return inv
}

func (inv *invocation) free() {
	inv.call, inv.caller = nil, nil
	clear(inv.formats)
	inv.formats = inv.formats[:0]
	if len(inv.state.invocations) < maxPooled {
		inv.state.invocations = append(inv.state.invocations, inv)
	}
}

// giveBack ends the rights of a function with setuid.
func (inv *invocation) giveBack(f *Fiber) {
	if inv.caller != nil {
		f.ctx.User = inv.caller
	}
}

// done is the end of an invocation that returned.
func (inv *invocation) done(f *Fiber, results []byte, n int) {
	r := inv.call
	inv.giveBack(f)
	if r.Call16 {
		inv.room = appendCall16(inv.room[:0], results, n)
	} else {
		inv.room = append(msgpack.AppendArrayHeader(inv.room[:0], n), results...)
		if inv.tuples {
			inv.formats = collectFormats(inv.formats[:0], results)
		}
	}
	r.Completion.Done(inv.room, inv.formats, nil)
	inv.free()
}

// failed is the end of an invocation that raised.
func (inv *invocation) failed(f *Fiber, err *boxerr.Error) {
	inv.giveBack(f)
	inv.call.Completion.Done(nil, nil, err)
	inv.free()
}

// appendCall16 shapes results as the first CALL did: each a tuple, an array of arrays taken apart, nil as an empty tuple.
func appendCall16(b, results []byte, n int) []byte {
	if n == 1 {
		count, rest, ok := msgpack.ReadArrayHeader(results)
		if ok && count > 0 && len(rest) > 0 && msgpack.TypeOf(rest[0]) == msgpack.Array {
			// A list of lists: every element a tuple.
			b = msgpack.AppendArrayHeader(b, count)
			for range count {
				var item []byte
				item, rest = split(rest)
				b = appendAsTuple(b, item)
			}
			return b
		}
	}
	b = msgpack.AppendArrayHeader(b, n)
	for range n {
		var item []byte
		item, results = split(results)
		b = appendAsTuple(b, item)
	}
	return b
}

func appendAsTuple(b, item []byte) []byte {
	if len(item) > 0 && msgpack.TypeOf(item[0]) != msgpack.Array {
		b = msgpack.AppendArrayHeader(b, 1)
	}
	return append(b, item...)
}

func split(b []byte) (item, rest []byte) {
	rest, ok := msgpack.Skip(b)
	if !ok {
		return b, nil
	}
	return b[:len(b)-len(rest)], rest
}

// collectFormats lists the formats of the MP_TUPLE extensions in b, in the order of their first use.
func collectFormats(formats []*tuple.Format, b []byte) []*tuple.Format {
	for len(b) > 0 {
		switch msgpack.TypeOf(b[0]) {
		case msgpack.Array:
			_, b, _ = msgpack.ReadArrayHeader(b)
		case msgpack.Map:
			_, b, _ = msgpack.ReadMapHeader(b)
		case msgpack.Ext:
			typ, data, rest, ok := msgpack.ReadExt(b)
			if !ok {
				return formats
			}
			b = rest
			if typ != box.TupleExt {
				continue
			}
			id, _, ok := msgpack.ReadUint(data)
			if !ok {
				continue
			}
			known := false
			for _, f := range formats {
				known = known || f == nil && id == 0 || f != nil && uint64(f.ID) == id
			}
			if !known {
				formats = append(formats, tuple.FormatByID(uint32(id)))
			}
		default:
			rest, ok := msgpack.Skip(b)
			if !ok {
				return formats
			}
			b = rest
		}
	}
	return formats
}

// CallFunc calls a function value to its end. In arguments and results tuples keep their formats.
func (s *State) CallFunc(c *box.Ctx, f box.FuncRef, args []byte, nargs int) ([]byte, int, error) {
	ref, ok := refOf(f)
	if !ok {
		return nil, 0, boxerr.Luajit("not a Lua function")
	}
	defer s.endNested(s.beginNested(c))
	return s.State.Call(ref, args, nargs)
}

// beginNested is called before a function that the database waits for runs: it acts on behalf of c and cannot park.
func (s *State) beginNested(c *box.Ctx) (f *Fiber, outer *box.Ctx) {
	f, outer = s.current, s.callCtx
	s.callCtx = c
	if f != nil {
		f.nested++
	}
	return f, outer
}

// endNested is called after it.
func (s *State) endNested(f *Fiber, outer *box.Ctx) {
	s.callCtx = outer
	if f != nil {
		f.nested--
	}
}

// CallTxn calls a handler of the end of a transaction with an iterator over its statements.
func (s *State) CallTxn(c *box.Ctx, f box.FuncRef, stmts []byte) error {
	ref, ok := refOf(f)
	if !ok {
		return boxerr.Luajit("not a Lua function")
	}
	defer s.endNested(s.beginNested(c))
	_, _, err := s.State.Call(s.entry.txn, append(luajit.AppendRef(nil, ref), stmts...), 2)
	return err
}

// CompileFunc makes a function of the body of a persistent function: a Handler, so that it can handle events.
func (s *State) CompileFunc(f *box.Func) (box.FuncRef, error) {
	in := msgpack.AppendString(nil, f.Body)
	in = msgpack.AppendBool(in, f.Sandboxed)
	results, n, err := s.State.Call(s.entry.compile, in, 2)
	if err != nil {
		return nil, err
	}
	if n != 2 {
		return nil, boxerr.Luajit("a function was expected")
	}
	fn, params := split(results)
	count, _, _ := msgpack.ReadInt(params)
	h := s.newHandler(luajit.RefOf(fn), int(count))
	for _, event := range f.Triggers {
		h.handles(event, f.Name)
	}
	return h, nil
}

package server

import (
	"fmt"
	"runtime/debug"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// doCall starts a CALL, CALL_16 or EVAL. Rights are checked here, before anything is looked up.
func (r *Request) doCall() error {
	if err := r.checkSchema(); err != nil {
		return err
	}
	s, ctx := r.conn.server, r.ctx
	args, err := s.localArgs(&r.call)
	if err != nil {
		return err
	}
	if r.head.Type == iproto.TypeEval {
		s.box.Stat.Count(box.OpEval)
		if err := ctx.CheckEval(); err != nil {
			return err
		}
		if s.box.Runtime == nil {
			return boxerr.New(boxerr.Unsupported, product+" without Lua", "EVAL")
		}
		r.invocation = box.Invocation{Name: r.call.Name, Args: args, Completion: r}
		s.box.Runtime.Eval(ctx, &r.invocation)
		return nil
	}
	s.box.Stat.Count(box.OpCall)
	s.box.ObserveCall(ctx, r.call.Name, args)
	f := s.box.FuncNamed(r.call.Name)
	g, err := s.function(ctx, r.call.Name, f)
	if err != nil {
		return err
	}
	if g != nil {
		n, rest, _ := msgpack.ReadArrayHeader(args)
		r.callGo(g, f, rest, n)
		return nil
	}
	if s.box.Runtime == nil {
		return boxerr.New(boxerr.NoSuchProc, string(r.call.Name))
	}
	r.invocation = box.Invocation{Name: r.call.Name, Func: f, Args: args, Call16: r.head.Type == iproto.TypeCall16, Completion: r}
	s.box.Runtime.Call(ctx, &r.invocation)
	return nil
}

// function checks the right to call a function, which f is in _func, and returns it if it is one in Go.
func (s *Server) function(ctx *box.Ctx, name []byte, f *box.Func) (box.GoFunc, error) {
	if f == nil {
		if err := ctx.CheckCall(name); err != nil {
			return nil, err
		}
		return s.functions[string(name)], nil
	}
	if err := ctx.CheckFunction(f); err != nil {
		return nil, err
	}
	ref, err := s.box.FuncRef(f)
	if err != nil {
		return nil, err
	}
	if ref == nil {
		return s.functions[string(name)], nil
	}
	g, _ := ref.(box.GoFunc)
	return g, nil
}

// callGo calls a function in Go and answers with its results. A panic of its becomes an error.
func (r *Request) callGo(f box.GoFunc, def *box.Func, args []byte, nargs int) {
	results, n, err := func() (results []byte, n int, err error) {
		if caller := r.ctx.TakeRights(def); caller != nil {
			defer func() { r.ctx.User = caller }()
		}
		defer func() {
			if x := recover(); x != nil {
				r.conn.server.options.Log('C', fmt.Sprintf("panic in a called function: %v\n%s", x, debug.Stack()))
				err = boxerr.Luajit(fmt.Sprint(x))
			}
		}()
		return f(r.ctx, args, nargs)
	}()
	if err = r.endOfCall(err); err != nil {
		r.fail(err)
		return
	}
	b, start := r.open()
	more := 0
	extended := r.has(iproto.FeatureCallRetTupleExtension)
	if extended {
		more = 1
	}
	b = iproto.AppendDataHead(b, n, more)
	if r.head.Type == iproto.TypeCall16 {
		b = appendAsTuples(b, results, n)
	} else {
		b = append(b, results...)
	}
	if extended {
		b = append(b, byte(iproto.KeyTupleFormats), 0x80)
	}
	r.answer(b, start)
	r.end()
}

// appendAsTuples appends n values; those that are no arrays are put into one.
func appendAsTuples(b, values []byte, n int) []byte {
	for ; n > 0; n-- {
		rest, ok := msgpack.Skip(values)
		if !ok {
			return b
		}
		if msgpack.TypeOf(values[0]) != msgpack.Array {
			b = msgpack.AppendArrayHeader(b, 1)
		}
		b = append(b, values[:len(values)-len(rest)]...)
		values = rest
	}
	return b
}

// Done takes the end of a CALL or EVAL that the runtime has run; see box.Completion.
func (r *Request) Done(data []byte, formats []*tuple.Format, err error) {
	if r.ended {
		return
	}
	if err = r.endOfCall(err); err != nil {
		r.fail(err)
		return
	}
	b, start := r.open()
	if r.has(iproto.FeatureCallRetTupleExtension) {
		b = iproto.AppendData(b, data, 1)
		b = appendFormats(b, formats)
	} else {
		b = iproto.AppendData(b, data, 0)
	}
	r.answer(b, start)
	r.end()
}

// endOfCall rolls back the transaction that a call outside of a stream has left open, which is an error.
func (r *Request) endOfCall(err error) error {
	if r.ctx.Txn == nil || r.inherited() {
		return err
	}
	_ = r.conn.server.box.Rollback(r.ctx)
	if err == nil {
		err = boxerr.New(boxerr.FunctionTXActive)
	}
	return err
}

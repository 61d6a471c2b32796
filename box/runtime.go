package box

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/tuple"
)

// Runtime runs what needs a language: CALL, EVAL, persistent functions and triggers in Lua. Its methods
// are called under the cord's lock.
//
// In arguments and results a tuple is the MessagePack extension TupleExt holding the number of its format
// and its array, so that the other side can make a tuple object of it.
type Runtime interface {
	// Call starts a function by name; r.Completion.Done is called when it ends, at once or later.
	Call(c *Ctx, r *Invocation)
	// Eval does the same with an expression.
	Eval(c *Ctx, r *Invocation)
	// CallFunc calls a function value to its end without letting it yield. The results are valid until the next call.
	CallFunc(c *Ctx, f FuncRef, args []byte, nargs int) (results []byte, n int, err error)
	// CallTxn calls a handler of the end of a transaction with an iterator over its statements. stmts is an
	// array with an array [old tuple or nil, new tuple or nil, space id] for each.
	CallTxn(c *Ctx, f FuncRef, stmts []byte) error
	// CompileFunc makes a function of the body of a persistent function, which may handle events too.
	CompileFunc(f *Func) (FuncRef, error)
}

// TupleExt is the extension type under which tuples travel: a format number and the tuple's array.
const TupleExt = iproto.TupleExt

// Invocation is a CALL or an EVAL.
type Invocation struct {
	// Name is the function's name or the expression.
	Name []byte
	// Func is the function of that name in _func, nil when there is none.
	Func *Func
	// Args is a MessagePack array; tuples in it have formats of this process.
	Args []byte
	// Call16 asks for the results in the form of the old CALL: every result a tuple.
	Call16     bool
	Completion Completion
}

// Completion takes the end of an Invocation.
type Completion interface {
	// Done is called once, under the cord's lock. data is the array of results; formats are those of the
	// tuples in it, in the order of first use, empty when the client did not ask for them.
	Done(data []byte, formats []*tuple.Format, err error)
}

// Virtual stands in for the data of a space that has none of its own. Keys come without their array header
// and with the number of their parts, and are valid.
type Virtual interface {
	// Get looks up a full key in a unique index.
	Get(c *Ctx, x *memtx.Index, key []byte, n int) (*tuple.Tuple, error)
	// Iterate walks an index; what c.User may not see is left out.
	Iterate(c *Ctx, x *memtx.Index, typ index.IteratorType, key []byte, n int, after index.Position) (index.Iterator, error)
	// Update changes the row with the given key; views refuse it with VIEW_IS_RO.
	Update(c *Ctx, x *memtx.Index, key []byte, n int, ops []byte, base int) (*tuple.Tuple, error)
	// Refuse is the error for every other request to change the space; request is its name, such as DELETE.
	Refuse(sp *Space, request string) error
}

// callFunc calls a function value, be it in Go or of the runtime.
func (b *Box) callFunc(c *Ctx, f FuncRef, args []byte, nargs int) ([]byte, int, error) {
	if g, ok := f.(GoFunc); ok {
		return g(c, args, nargs)
	}
	if b.Runtime == nil {
		return nil, 0, boxerr.New(boxerr.Unsupported, "An instance without Lua", "functions in Lua")
	}
	return b.Runtime.CallFunc(c, f, args, nargs)
}

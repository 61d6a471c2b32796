//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

func init() { modules = append(modules, registerBox) }

// boxFace is what the module box keeps between calls. Guarded by the cord's lock.
type boxFace struct {
	*State
	key    []byte            // room for a key made of one value
	sel    box.SelectRequest // room for the request that runs
	found  []*tuple.Tuple    // room for its answer
	its    iterators
	schema schemaWatch
	saves  savepoints
	events watchers
	backup func()      // gives the files of a backup free, nil when there is none
	modes  []*modeWait // fibers that wait for read-only or writable mode
	// configured is set once box.cfg has been called with success.
	configured, configuring bool
}

// registerBox registers the Go functions of the module box.
func registerBox(s *State) {
	f := &boxFace{State: s}
	f.registerIndex()
	f.registerSpace()
	f.registerSchema()
	f.registerDDL()
	f.registerTxn()
	f.registerSession()
	f.registerFunc()
	f.registerSequence()
	f.registerAccount()
	f.registerEvent()
	f.registerInfo()
	f.registerStat()
	f.registerCtl()
	f.registerCheckpoint()
	f.registerCfg()
}

// fn registers a function that neither waits nor changes anything that has to be written.
func (f *boxFace) fn(name string, run func(c *luajit.Call, ctx *box.Ctx) error) {
	f.Func("box."+name, func(c *luajit.Call) error {
		return run(c, f.Ctx())
	})
}

// raw is fn for a function whose results, tuples, Lua reads by itself.
func (f *boxFace) raw(name string, run func(c *luajit.Call, ctx *box.Ctx) error) {
	f.Raw("box."+name, func(c *luajit.Call) error {
		return run(c, f.Ctx())
	})
}

// write registers a function that changes data. The fiber goes on when the change is written.
func (f *boxFace) write(name string, run func(c *luajit.Call, ctx *box.Ctx) error) {
	f.Blocking("box."+name, func(c *luajit.Call) error {
		ctx := f.Ctx()
		ctx.Ticket = box.Ticket{}
		if err := run(c, ctx); err != nil {
			return err
		}
		return f.written(c, ctx)
	})
}

// written waits until what ctx has committed is on disk, and returns the results of c then.
func (f *boxFace) written(c *luajit.Call, ctx *box.Ctx) error {
	if ctx.Txn != nil || ctx.Ticket.Position() == 0 || !f.mayPark() {
		return nil
	}
	w := &pendingWrite{fiber: f.current, out: append([]byte(nil), c.Out...), n: c.NOut}
	f.Box.WhenWritten(ctx.Ticket, w.done)
	// The fiber is not marked as parked: nothing but the journal may wake it.
	f.current.parker = w.results
	return luajit.ErrPark
}

// mayPark reports whether the code that runs is free to wait: it is in a fiber, and not in a function that the
// database has called and waits for.
func (f *boxFace) mayPark() bool { return f.current != nil && f.current.nested == 0 && f.CanYield() }

// pendingWrite is a fiber that waits for the journal.
type pendingWrite struct {
	fiber *Fiber
	out   []byte
	n     int
}

func (w *pendingWrite) done(err error) {
	if err != nil {
		w.out, w.n = luajit.AppendError(w.out[:0], boxerr.From(err)), -1
	}
	w.fiber.Ready()
}

func (w *pendingWrite) results(*Fiber) ([]byte, int) { return w.out, w.n }

var emptyArray = []byte{0x90}

// searchKeyArg reads a key to search for. Of a table only the list counts, what it has under other keys is left out.
func (f *boxFace) searchKeyArg(c *luajit.Call, ctx *box.Ctx) []byte {
	if c.Peek() != msgpack.Map {
		return f.keyArg(c, ctx)
	}
	n, rest, _ := msgpack.ReadMapHeader(c.Raw())
	parts := make(map[uint64][]byte)
	for range n {
		var name, part []byte
		name, rest = split(rest)
		part, rest = split(rest)
		if i, _, ok := msgpack.ReadUint(name); ok {
			parts[i] = part
		}
	}
	count := 0
	for parts[uint64(count+1)] != nil {
		count++
	}
	key := msgpack.AppendArrayHeader(nil, count)
	for i := range count {
		key = append(key, parts[uint64(i+1)]...)
	}
	return key
}

// keyArg reads a key: an array or a tuple is one as it is, nil is the empty one, any other value its only part. It is
// valid until the statement that it is for has ended.
func (f *boxFace) keyArg(c *luajit.Call, ctx *box.Ctx) []byte {
	raw := c.Raw()
	if len(raw) == 0 {
		return emptyArray
	}
	switch msgpack.TypeOf(raw[0]) {
	case msgpack.Nil:
		return emptyArray
	case msgpack.Array, msgpack.Map:
		return raw
	}
	if ctx.Txn != nil && ctx.Txn.Depth() > 0 {
		// A trigger runs, whose statement may still need the key in f.key.
		return append([]byte{0x91}, raw...)
	}
	f.key = append(append(f.key[:0], 0x91), raw...)
	return f.key
}

// tupleArg reads a tuple.
func tupleArg(c *luajit.Call) []byte {
	if raw := c.Raw(); raw != nil {
		return raw
	}
	return []byte{0xc0}
}

// id reads the number of a space, an index or the like.
func id(c *luajit.Call) uint32 { return uint32(c.Uint()) }

// pushFound returns a tuple, or nothing.
func pushFound(c *luajit.Call, t *tuple.Tuple, err error) error {
	if err != nil || t == nil {
		return err
	}
	PushTuple(c, t)
	return nil
}

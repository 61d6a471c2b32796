//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
	"unsafe"
)

// The first arguments are always the numbers of a space and an index.
func (f *boxFace) registerIndex() {
	f.raw("index_get", func(c *luajit.Call, ctx *box.Ctx) error {
		t, err := f.Box.Get(ctx, id(c), id(c), f.searchKeyArg(c, ctx))
		return pushFound(c, t, err)
	})
	f.OnGet = f.get
	f.raw("index_min", func(c *luajit.Call, ctx *box.Ctx) error {
		t, err := f.Box.Min(ctx, id(c), id(c), f.searchKeyArg(c, ctx))
		return pushFound(c, t, err)
	})
	f.raw("index_max", func(c *luajit.Call, ctx *box.Ctx) error {
		t, err := f.Box.Max(ctx, id(c), id(c), f.searchKeyArg(c, ctx))
		return pushFound(c, t, err)
	})
	f.raw("index_random", func(c *luajit.Call, ctx *box.Ctx) error {
		t, err := f.Box.Random(ctx, id(c), id(c), id(c))
		return pushFound(c, t, err)
	})
	f.fn("index_count", func(c *luajit.Call, ctx *box.Ctx) error {
		n, err := f.Box.Count(ctx, id(c), id(c), index.IteratorType(c.Uint()), f.searchKeyArg(c, ctx))
		c.PushUint(uint64(n))
		return err
	})
	f.fn("index_len", func(c *luajit.Call, ctx *box.Ctx) error {
		n, err := f.Box.Len(ctx, id(c), id(c))
		c.PushUint(uint64(n))
		return err
	})
	f.fn("index_bsize", func(c *luajit.Call, ctx *box.Ctx) error {
		n, err := f.Box.IndexBsize(ctx, id(c), id(c))
		c.PushInt(n)
		return err
	})
	// An index in memory has no numbers of its own.
	f.fn("index_stat", func(c *luajit.Call, ctx *box.Ctx) error {
		_, err := f.Box.IndexBsize(ctx, id(c), id(c))
		c.PushRaw([]byte{0x80})
		return err
	})
	f.fn("index_tuple_pos", func(c *luajit.Call, ctx *box.Ctx) error {
		pos, err := f.Box.TuplePosition(ctx, id(c), id(c), tupleArg(c))
		c.PushBytes(pos)
		return err
	})
	f.raw("index_select", f.selectTuples)
	f.write("index_update", func(c *luajit.Call, ctx *box.Ctx) error {
		t, err := f.Box.Update(ctx, id(c), id(c), f.keyArg(c, ctx), tupleArg(c), 1)
		return pushFound(c, t, err)
	})
	f.write("index_delete", func(c *luajit.Call, ctx *box.Ctx) error {
		t, err := f.Box.Delete(ctx, id(c), id(c), f.keyArg(c, ctx))
		return pushFound(c, t, err)
	})
	f.fn("iterator_open", f.openIterator)
	f.raw("iterator_next", func(c *luajit.Call, ctx *box.Ctx) error {
		n := id(c)
		t, err := f.its.next(ctx, n)
		if t == nil {
			f.its.close(n)
		}
		return pushFound(c, t, err)
	})
	f.fn("iterator_close", func(c *luajit.Call, _ *box.Ctx) error {
		f.its.close(id(c))
		return nil
	})
}

// get is index_get for keys of one value, where nothing goes wrong.
func (f *boxFace) get(room []byte, space, id uint32, key []byte) ([]byte, bool) {
	t, ok := f.Box.TryGet(f.Ctx(), space, id, key)
	if t != nil {
		room = luajit.AppendTuple(room, t.Data(), uintptr(unsafe.Pointer(t)), t.FormatID())
	}
	return room, ok
}

// after reads where a walk is to go on: a position, which is text, or a tuple.
func after(c *luajit.Call, r *box.SelectRequest) error {
	r.AfterPosition, r.AfterTuple = nil, nil
	switch c.Peek() {
	case msgpack.Nil:
		c.Raw()
	case msgpack.String:
		r.AfterPosition = c.Bytes()
	case msgpack.Array:
		r.AfterTuple = c.Raw()
	default:
		return boxerr.New(boxerr.IteratorPosition)
	}
	return nil
}

// selectTuples takes the iterator, the offset, the limit, the key, where to go on, and whether the position is wanted.
func (f *boxFace) selectTuples(c *luajit.Call, ctx *box.Ctx) error {
	r := &f.sel
	r.Space, r.Index = id(c), id(c)
	r.Iterator = index.IteratorType(c.Uint())
	r.Offset, r.Limit = number32(c), number32(c)
	r.Key = f.searchKeyArg(c, ctx)
	if err := after(c, r); err != nil {
		return err
	}
	r.FetchPosition = c.Bool()
	found, err := f.Box.Select(ctx, r, f.found[:0])
	if err != nil {
		return err
	}
	c.Out = msgpack.AppendArrayHeader(c.Out, len(found))
	for _, t := range found {
		c.Out = luajit.AppendTuple(c.Out, t.Data(), uintptr(unsafe.Pointer(t)), t.FormatID())
	}
	c.NOut++
	if r.FetchPosition && len(r.Position) > 0 {
		c.PushBytes(r.Position)
	}
	clear(found)
	f.found = found
	return nil
}

// number32 reads a number that may have a fraction, which is cut off.
func number32(c *luajit.Call) uint32 { return uint32(c.Float()) }

// openIterator takes the iterator, the key and where to go on, and returns the number of a new iterator. It returns
// nothing for a space that has no indexes.
func (f *boxFace) openIterator(c *luajit.Call, ctx *box.Ctx) error {
	r := box.SelectRequest{Space: id(c), Index: id(c), Iterator: index.IteratorType(c.Uint())}
	if sp := f.Box.SpaceByID(r.Space); sp != nil && r.Index == 0 && sp.Mem.Primary() == nil {
		return nil
	}
	r.Key = f.searchKeyArg(c, ctx)
	if err := after(c, &r); err != nil {
		return err
	}
	it, err := f.Box.OpenIterator(ctx, &r)
	if err != nil {
		return err
	}
	c.PushUint(uint64(f.its.open(it)))
	return nil
}

// iterators are the open iterators of Lua programs, by numbers from 1 that are used again.
type iterators struct {
	list []*box.Iterator
	free []uint32
}

func (its *iterators) open(it *box.Iterator) uint32 {
	if n := len(its.free); n > 0 {
		id := its.free[n-1]
		its.free = its.free[:n-1]
		its.list[id-1] = it
		return id
	}
	its.list = append(its.list, it)
	return uint32(len(its.list))
}

func (its *iterators) get(id uint32) *box.Iterator {
	if id == 0 || int(id) > len(its.list) {
		return nil
	}
	return its.list[id-1]
}

func (its *iterators) next(ctx *box.Ctx, id uint32) (*tuple.Tuple, error) {
	it := its.get(id)
	if it == nil {
		return nil, nil
	}
	return it.Next(ctx)
}

func (its *iterators) close(id uint32) {
	if its.get(id) != nil {
		its.list[id-1] = nil
		its.free = append(its.free, id)
	}
}

package box

import (
	"encoding/base64"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// SelectRequest says what to read.
type SelectRequest struct {
	Space, Index uint32
	Iterator     index.IteratorType
	// Key is a MessagePack array; it may have fewer parts than the index where the index has an order.
	Key           []byte
	Limit, Offset uint32
	// AfterTuple (a MessagePack array) or AfterPosition (what Position was) is where to go on. Both may be empty.
	AfterTuple, AfterPosition []byte
	// FetchPosition asks for Position.
	FetchPosition bool
	// Position is set by Select to where the answer ended, in the form that clients get; it is empty when nothing
	// was found. Its memory is reused.
	Position []byte

	after []byte // room for the decoded position
}

// Select appends the tuples that a request asks for to dst.
func (b *Box) Select(c *Ctx, r *SelectRequest, dst []*tuple.Tuple) ([]*tuple.Tuple, error) {
	b.Stat.Count(OpSelect)
	r.Position = r.Position[:0]
	if !r.Iterator.Valid() {
		return dst, boxerr.Illegal("Invalid iterator type")
	}
	sp, x, err := b.indexForReading(c, r.Space, r.Index)
	if err != nil {
		return dst, err
	}
	key, n, err := sp.searchKey(x, r.Iterator, r.Key)
	if err != nil {
		return dst, err
	}
	after, err := r.start(sp, x)
	if err != nil {
		return dst, err
	}
	if err := b.reading(c, sp); err != nil {
		return dst, err
	}
	if r.FetchPosition && x.Type != index.Tree {
		return dst, x.Def().Unsupported("pagination")
	}
	if sp.Virtual != nil {
		it, err := sp.Virtual.Iterate(c, x, r.Iterator, key, n, after)
		if err != nil {
			return dst, err
		}
		return r.walk(it, dst)
	}
	found, err := r.run(c.Txn, sp, x, dst, key, n, after)
	if err == nil {
		err = b.read(c)
	}
	return found, err
}

// run appends what a transaction, or nobody, finds in an index in memory to dst.
func (r *SelectRequest) run(txn *memtx.Txn, sp *Space, x *memtx.Index, dst []*tuple.Tuple, key []byte, n int, after index.Position) ([]*tuple.Tuple, error) {
	if r.FetchPosition {
		it, err := sp.Mem.Iterate(txn, x, r.Iterator, key, n, after)
		if err != nil {
			return dst, err
		}
		return r.walk(it, dst)
	}
	return sp.Mem.Select(txn, x, dst, r.Iterator, key, n, after, int(r.Offset), int(r.Limit))
}

// walk appends what an iterator returns to dst, and notes the position if that was asked for.
func (r *SelectRequest) walk(it index.Iterator, dst []*tuple.Tuple) ([]*tuple.Tuple, error) {
	begin := len(dst)
	offset, limit := r.Offset, r.Limit
	if s, ok := it.(index.Skipper); ok && offset > 0 {
		s.Skip(int(offset))
		offset = 0
	}
	for limit > 0 {
		t := it.Next()
		if t == nil {
			break
		}
		if offset > 0 {
			offset--
			continue
		}
		dst = append(dst, t)
		limit--
	}
	if p, ok := it.(index.Positioner); ok && r.FetchPosition && len(dst) > begin {
		r.after = p.AppendPosition(r.after[:0])
		r.Position = base64.RawStdEncoding.AppendEncode(r.Position, r.after)
	}
	return dst, nil
}

// searchKey takes the header off a key for a walk, and checks the key.
func (sp *Space) searchKey(x *memtx.Index, typ index.IteratorType, key []byte) (parts []byte, n int, err error) {
	if parts, n, err = splitKey(key); err != nil {
		return nil, 0, err
	}
	if err = x.Def().CheckKey(typ, parts, n); err != nil {
		return nil, 0, sp.withKey(x, key, err)
	}
	return parts, n, nil
}

// start decodes where a request is to go on.
func (r *SelectRequest) start(sp *Space, x *memtx.Index) (index.Position, error) {
	switch {
	case len(r.AfterPosition) > 0:
		var err error
		r.after, err = base64.RawStdEncoding.AppendDecode(r.after[:0], r.AfterPosition)
		if err != nil {
			return nil, boxerr.New(boxerr.IteratorPosition)
		}
	case len(r.AfterTuple) > 0:
		pos, err := positionOf(sp, x, r.after[:0], r.AfterTuple)
		if err != nil {
			return nil, err
		}
		r.after = pos
	default:
		return nil, nil
	}
	return r.after, nil
}

// positionOf makes the position of a tuple, which need not be in the index but must have what its key needs.
func positionOf(sp *Space, x *memtx.Index, dst, data []byte) ([]byte, error) {
	if n, _, ok := msgpack.ReadArrayHeader(data); !ok {
		return nil, boxerr.New(boxerr.TupleNotArray)
	} else if n == 0 && len(x.CmpDef.Parts) > 0 {
		return nil, boxerr.New(boxerr.IteratorPosition)
	}
	dst, err := x.AppendPosition(dst, tuple.New(data))
	if err != nil {
		return nil, err
	}
	n, parts, ok := msgpack.ReadArrayHeader(dst)
	if !ok || x.CmpDef.ValidateKey(parts, n, true) != nil {
		return nil, boxerr.New(boxerr.IteratorPosition)
	}
	return dst, nil
}

// TuplePosition returns the position of a tuple in an index, in the form that clients get.
func (b *Box) TuplePosition(c *Ctx, space, index uint32, data []byte) ([]byte, error) {
	sp, x, err := b.indexForReading(c, space, index)
	if err != nil {
		return nil, err
	}
	pos, err := positionOf(sp, x, nil, data)
	if err != nil {
		return nil, err
	}
	return base64.RawStdEncoding.AppendEncode(nil, pos), nil
}

// Get returns the tuple with the given key of a unique index, nil when there is none.
func (b *Box) Get(c *Ctx, space, index uint32, key []byte) (*tuple.Tuple, error) {
	b.searching(c, space, index, key)
	sp, x, err := b.indexForReading(c, space, index)
	if err != nil {
		return nil, err
	}
	parts, n, err := sp.exactKey(x, key)
	if err != nil {
		return nil, err
	}
	if err := b.reading(c, sp); err != nil {
		return nil, err
	}
	b.Stat.Count(OpSelect)
	if sp.Virtual != nil {
		return sp.Virtual.Get(c, x, parts, n)
	}
	t := sp.Mem.Get(c.Txn, x, parts, n)
	return t, b.read(c)
}

// Min returns the first tuple whose key begins with the given one, nil when there is none.
func (b *Box) Min(c *Ctx, space, id uint32, key []byte) (*tuple.Tuple, error) {
	return b.extreme(c, space, id, key, index.GE)
}

// Max returns the last tuple whose key begins with the given one, nil when there is none.
func (b *Box) Max(c *Ctx, space, id uint32, key []byte) (*tuple.Tuple, error) {
	return b.extreme(c, space, id, key, index.LE)
}

func (b *Box) extreme(c *Ctx, space, id uint32, key []byte, typ index.IteratorType) (*tuple.Tuple, error) {
	sp, x, err := b.indexForReading(c, space, id)
	if err != nil {
		return nil, err
	}
	find, name := sp.Mem.Min, "min()"
	if typ == index.LE {
		find, name = sp.Mem.Max, "max()"
	}
	if x.Type != index.Tree {
		return nil, x.Def().Unsupported(name)
	}
	parts, n, err := sp.searchKey(x, typ, key)
	if err != nil {
		return nil, err
	}
	if err := b.reading(c, sp); err != nil {
		return nil, err
	}
	if sp.Virtual != nil {
		if n > 0 {
			typ = index.EQ
			if name == "max()" {
				typ = index.REQ
			}
		}
		it, err := sp.Virtual.Iterate(c, x, typ, parts, n, nil)
		if err != nil {
			return nil, err
		}
		return it.Next(), nil
	}
	t, err := find(c.Txn, x, parts, n)
	if err != nil {
		return nil, err
	}
	return t, b.read(c)
}

// Random returns some tuple of an index, chosen by the seed, nil when there is none.
func (b *Box) Random(c *Ctx, space, id, seed uint32) (*tuple.Tuple, error) {
	sp, x, err := b.indexForReading(c, space, id)
	if err != nil {
		return nil, err
	}
	if err := b.reading(c, sp); err != nil {
		return nil, err
	}
	if sp.Virtual != nil {
		return nil, x.Def().Unsupported("random()")
	}
	t := sp.Mem.Random(c.Txn, x, seed)
	return t, b.read(c)
}

// Count returns how many tuples a walk over an index would meet.
func (b *Box) Count(c *Ctx, space, id uint32, typ index.IteratorType, key []byte) (int, error) {
	if !typ.Valid() {
		return 0, boxerr.Illegal("Invalid iterator type")
	}
	sp, x, err := b.indexForReading(c, space, id)
	if err != nil {
		return 0, err
	}
	parts, n, err := sp.searchKey(x, typ, key)
	if err != nil {
		return 0, err
	}
	if err := b.reading(c, sp); err != nil {
		return 0, err
	}
	if sp.Virtual == nil {
		count, err := sp.Mem.Count(c.Txn, x, typ, parts, n)
		if err != nil {
			return 0, err
		}
		return count, b.read(c)
	}
	it, err := sp.Virtual.Iterate(c, x, typ, parts, n, nil)
	if err != nil {
		return 0, err
	}
	count := 0
	for it.Next() != nil {
		count++
	}
	return count, nil
}

// Len returns the number of entries of an index. Views and _session_settings can only be counted.
func (b *Box) Len(c *Ctx, space, id uint32) (int, error) {
	sp, x, err := b.indexForReading(c, space, id)
	if err != nil {
		return 0, err
	}
	if err := b.reading(c, sp); err != nil {
		return 0, err
	}
	if sp.Virtual != nil {
		return 0, x.Def().Unsupported("size()")
	}
	n := sp.Mem.Entries(c.Txn, x)
	return n, b.read(c)
}

// Bsize returns the bytes that the tuples of a space take. That is no secret: it needs no right.
func (b *Box) Bsize(space uint32) (int64, error) {
	sp, err := b.spaceByID(space)
	if err != nil {
		return 0, err
	}
	return sp.Mem.Bytes(), nil
}

// IndexBsize returns the bytes that an index takes, without the tuples.
func (b *Box) IndexBsize(c *Ctx, space, id uint32) (int64, error) {
	_, x, err := b.indexForReading(c, space, id)
	if err != nil {
		return 0, err
	}
	return x.Bytes(), nil
}

// Iterator walks over an index step by step. It may be kept while others change the space; it ends when
// the space or the index is gone.
type Iterator struct {
	b     *Box
	space *Space
	index *memtx.Index
	it    index.Iterator
}

// OpenIterator starts a walk. The request's key and position are copied; its limit and offset do not count.
func (b *Box) OpenIterator(c *Ctx, r *SelectRequest) (*Iterator, error) {
	if !r.Iterator.Valid() {
		return nil, boxerr.Illegal("Invalid iterator type")
	}
	sp, x, err := b.indexForReading(c, r.Space, r.Index)
	if err != nil {
		return nil, err
	}
	key, n, err := sp.searchKey(x, r.Iterator, append([]byte(nil), r.Key...))
	if err != nil {
		return nil, err
	}
	after, err := r.start(sp, x)
	if err != nil {
		return nil, err
	}
	if err := b.reading(c, sp); err != nil {
		return nil, err
	}
	if h := b.history(); h != nil {
		h.Watch(sp.Mem)
	}
	after = append(index.Position(nil), after...)
	it := &Iterator{b: b, space: sp, index: x}
	if sp.Virtual != nil {
		it.it, err = sp.Virtual.Iterate(c, x, r.Iterator, key, n, after)
	} else {
		it.it, err = sp.Mem.Iterate(c.Txn, x, r.Iterator, key, n, after)
	}
	if err != nil {
		return nil, err
	}
	return it, nil
}

// Next returns the next tuple, nil at the end.
func (it *Iterator) Next(c *Ctx) (*tuple.Tuple, error) {
	if it.it == nil {
		return nil, nil
	}
	if err := it.b.reading(c, it.space); err != nil {
		return nil, err
	}
	if sp := it.b.catalog.spaces[it.space.ID]; sp == nil || sp.Mem.Index(it.index.ID) != it.index {
		it.it = nil
		return nil, nil
	}
	if f, ok := it.it.(memtx.Follower); ok {
		f.Follow(c.Txn)
	}
	t := it.it.Next()
	if err := it.b.read(c); err != nil {
		return nil, err
	}
	if t == nil {
		it.it = nil
	}
	return t, nil
}

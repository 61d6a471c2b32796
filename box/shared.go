package box

import (
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// Reads that share the cord, see fiber.Cord.Share. They only answer what can be read without leaving a trace. Everything
// else they decline: errors above all, which have to be counted and may have triggers, views, and spaces whose readers
// the transaction manager has to know of. Whoever is declined asks again under the lock, and gets the answer there.

// shareable finds what a read names, if it can be read by those who share the cord.
func (b *Box) shareable(u *User, space, id uint32) (*Space, *memtx.Index) {
	sp := b.catalog.spaces[space]
	if sp == nil || sp.Virtual != nil || !sp.Mem.Shareable() || !u.may(Read, sp) {
		return nil, nil
	}
	x := sp.Mem.Index(id)
	if x == nil || x.Type > index.Hash {
		return nil, nil
	}
	return sp, x
}

// SelectShared is Select for those who share the cord, on behalf of a user and outside of transactions. It returns false
// when it declines; the caller counts what it has done, see Stat.CountShared.
func (b *Box) SelectShared(u *User, r *SelectRequest, dst []*tuple.Tuple) ([]*tuple.Tuple, bool) {
	r.Position = r.Position[:0]
	sp, x := b.shareable(u, r.Space, r.Index)
	if x == nil || !r.Iterator.Valid() || r.FetchPosition && x.Type != index.Tree {
		return dst, false
	}
	key, n, err := splitKey(r.Key)
	if err != nil || x.Def().CheckKey(r.Iterator, key, n) != nil {
		return dst, false
	}
	after, err := r.start(sp, x)
	if err != nil {
		return dst, false
	}
	begin := len(dst)
	if !r.FetchPosition {
		dst, err = sp.Mem.Select(nil, x, dst, r.Iterator, key, n, after, int(r.Offset), int(r.Limit))
		return dst, err == nil
	}
	it, err := sp.Mem.Iterate(nil, x, r.Iterator, key, n, after)
	if err == nil {
		dst, err = r.walk(it, dst)
	}
	if err != nil {
		return dst[:begin], false
	}
	return dst, true
}

// GetShared is Get for those who share the cord, on behalf of a user and outside of transactions. It returns false when
// it declines.
func (b *Box) GetShared(u *User, space, id uint32, key []byte) (*tuple.Tuple, bool) {
	sp, x := b.shareable(u, space, id)
	if x == nil || !x.Unique {
		return nil, false
	}
	parts, n, err := splitKey(key)
	if err != nil || x.KeyDef.ValidateKey(parts, n, false) != nil {
		return nil, false
	}
	return sp.Mem.Get(nil, x, parts, n), true
}

// PointShared makes a lookup of a SELECT if it can find one tuple at most, by its key in a unique index, and SelectShared
// would not decline it.
func (b *Box) PointShared(u *User, r *SelectRequest, l *index.Lookup) bool {
	if r.Iterator > index.REQ || r.Offset > 0 || r.Limit == 0 || r.FetchPosition || len(r.AfterPosition) > 0 || len(r.AfterTuple) > 0 {
		return false
	}
	_, x := b.shareable(u, r.Space, r.Index)
	if x == nil || !x.Unique || x.Type == index.Hash && r.Iterator != index.EQ {
		return false
	}
	key, n, err := splitKey(r.Key)
	if err != nil || n != len(x.KeyDef.Parts) || x.KeyDef.Nullable || x.KeyDef.ValidateKey(key, n, false) != nil {
		return false
	}
	l.Index, l.Key, l.N = x.Index, key, n
	return true
}

// Foresee makes a lookup of the tuple that a request to change a space will look for: by its key in the given index, or as
// the tuple with the primary key of the given one. It appends that key to room. The lookup is made only to have what it
// leads to in the processor's cache, so nothing is checked: when there is nothing to look for, it returns false.
func (b *Box) Foresee(space, id uint32, key, data []byte, l *index.Lookup, room []byte) ([]byte, bool) {
	sp := b.catalog.spaces[space]
	if sp == nil || sp.Virtual != nil {
		return room, false
	}
	x := sp.Mem.Index(id)
	if x == nil || x.Type != index.Tree || !x.Unique {
		return room, false
	}
	parts := len(x.KeyDef.Parts)
	if key != nil {
		n, rest, ok := msgpack.ReadArrayHeader(key)
		if !ok || n != parts {
			return room, false
		}
		l.Index, l.Key, l.N = x.Index, rest, n
		return room, true
	}
	if len(data) == 0 || msgpack.TypeOf(data[0]) != msgpack.Array || x.KeyDef.Multikey {
		return room, false
	}
	from := len(room)
	room = x.KeyDef.AppendKey(room, data, 0)
	l.Index, l.Key, l.N = x.Index, room[from:len(room):len(room)], parts
	return room, true
}

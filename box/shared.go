package box

import (
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/memtx"
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
	dst, err = r.run(nil, sp, x, dst, key, n, after)
	return dst, err == nil
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

// TryGet is Get for those who hold the lock and can do without an answer: it returns false when something is unusual, an error
// above all, and has done nothing then.
func (b *Box) TryGet(c *Ctx, space, id uint32, key []byte) (*tuple.Tuple, bool) {
	if txn := c.Txn; txn != nil {
		sp := b.catalog.spaces[space]
		if sp == nil || txn.Concurrent() || b.reading(c, sp) != nil {
			return nil, false
		}
	}
	b.searching(c, space, id, key)
	t, ok := b.GetShared(c.User, space, id, key)
	if ok {
		b.Stat.Count(OpSelect)
	}
	return t, ok
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

// PointCurrent tells whether the user would still be given what a lookup of PointShared for that space and index has found. The
// cord's lock is held.
func (b *Box) PointCurrent(u *User, space, id uint32, l *index.Lookup) bool {
	_, x := b.shareable(u, space, id)
	return x != nil && x.Index == l.Index && l.Current()
}

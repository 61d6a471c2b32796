package memtx

import (
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/tuple"
)

// The reads of a space say who reads. Without a History, and in spaces that nobody has changed since there is one, they
// are those of the index. A read may abort its transaction: the answer is of no use then.

// plain reports whether txn reads the indexes as they are and need not remember that.
func (s *Space) plain(txn *Txn) bool { return s.past == nil && (txn == nil || txn.history == nil) }

// Shareable reports whether reads that belong to no transaction leave no trace, so that many may be made at once: nothing
// has to be told apart for them.
func (s *Space) Shareable() bool { return s.past == nil }

// system reports whether it is a space in which the catalog lives. As the catalog is that of what is prepared, all see
// what is prepared in them.
func (s *Space) system() bool { return s.ID >= 256 && s.ID < 512 }

// seesPrepared reports whether the transaction sees what is prepared and not confirmed. A statement that changes
// something always does.
func (t *Txn) seesPrepared() bool {
	return t.alone || t.depth > 0 || t.level == Committed || t.level == BestEffort && t.wrote
}

// seen returns an index as txn sees it. When settle is set there are pending changes that txn must not see: those have
// to be looked at first.
func (s *Space) seen(txn *Txn, x *Index) (v index.Index, settle bool) {
	p := s.past
	if p != nil && p.owner != nil && p.owner != txn {
		p.owner.park()
	}
	if txn == nil || txn.history == nil {
		return x.Index, txn == nil && p != nil && len(p.pending) > 0 && !s.system()
	}
	if txn.view != nil {
		return txn.view.index(s, x), false
	}
	if p != nil && len(p.pending) > 0 && !s.system() {
		if settle = !txn.seesPrepared(); !settle {
			txn.meets(p)
		}
	}
	if txn.parked && txn.Aborted == 0 {
		if f := txn.forkFor(s, false); f != nil {
			return f.data.of(s, x), settle
		}
	}
	return x.Index, settle
}

// Get looks up a key with all its parts in a unique index, as txn sees it.
func (s *Space) Get(txn *Txn, x *Index, key []byte, n int) *tuple.Tuple {
	if s.plain(txn) {
		return x.Get(key, n)
	}
	v, settle := s.seen(txn, x)
	t := v.Get(key, n)
	if settle && (t == nil || !txn.tracked() || !txn.made(t)) {
		if was, pending := s.past.settledTuple(x, key, n); pending {
			if t = was; txn.tracked() {
				txn.note(x, pointSpan(key, n))
				txn.fallBehind()
			}
			return t
		}
	}
	if txn.tracked() && (t == nil || !txn.made(t)) {
		txn.note(x, pointSpan(key, n))
	}
	return t
}

// look begins a search of a span of an index. It returns the version of the index that txn sees. settle says that
// confirmed must be called when the search has ended.
func (s *Space) look(txn *Txn, x *Index, sp *span) (v index.Index, settle bool) {
	v, settle = s.seen(txn, x)
	if settle {
		if settle = s.past.touched(x, sp); settle {
			if txn != nil && txn.wrote {
				txn.abort() // there is no version with its changes and without those of others
				return x.Index, false
			}
			v = s.past.settled().of(s, x)
		}
	}
	return v, settle
}

// looked ends a search that has looked at a span.
func (s *Space) looked(txn *Txn, x *Index, sp span, settle bool) {
	if !txn.tracked() {
		return
	}
	txn.note(x, sp)
	if settle && s.past.touched(x, &sp) {
		txn.fallBehind()
	}
}

// Select appends what Iterate would return to dst. See index.Index.
func (s *Space) Select(txn *Txn, x *Index, dst []*tuple.Tuple, typ index.IteratorType, key []byte, n int, after index.Position, offset, limit int) ([]*tuple.Tuple, error) {
	if s.plain(txn) {
		return x.Select(dst, typ, key, n, after, offset, limit)
	}
	sp := spanOf(x, typ, key, n, after)
	v, settle := s.look(txn, x, &sp)
	begin := len(dst)
	dst, err := v.Select(dst, typ, key, n, after, offset, limit)
	if err != nil || limit <= 0 {
		return dst, err
	}
	var room [128]byte
	if len(dst)-begin == limit {
		sp = sp.upTo(x, typ, dst[len(dst)-1], room[:0])
	}
	s.looked(txn, x, sp, settle)
	return dst, nil
}

// Count returns how many tuples Iterate would return. The number of all of them is not remembered as something that
// the transaction has read.
func (s *Space) Count(txn *Txn, x *Index, typ index.IteratorType, key []byte, n int) (int, error) {
	if s.plain(txn) {
		return x.Count(typ, key, n)
	}
	sp := spanOf(x, typ, key, n, nil)
	v, settle := s.look(txn, x, &sp)
	count, err := v.Count(typ, key, n)
	if err == nil && n > 0 {
		s.looked(txn, x, sp, settle)
	}
	return count, err
}

// Entries returns how many entries an index has. See Count.
func (s *Space) Entries(txn *Txn, x *Index) int {
	if s.plain(txn) {
		return x.Len()
	}
	v, _ := s.look(txn, x, &whole)
	return v.Len()
}

// Min returns the first tuple whose key starts with the given one.
func (s *Space) Min(txn *Txn, x *Index, key []byte, n int) (*tuple.Tuple, error) {
	if s.plain(txn) {
		return x.Min(key, n)
	}
	return s.extreme(txn, x, index.EQ, key, n)
}

// Max returns the last tuple whose key starts with the given one.
func (s *Space) Max(txn *Txn, x *Index, key []byte, n int) (*tuple.Tuple, error) {
	if s.plain(txn) {
		return x.Max(key, n)
	}
	return s.extreme(txn, x, index.REQ, key, n)
}

func (s *Space) extreme(txn *Txn, x *Index, typ index.IteratorType, key []byte, n int) (t *tuple.Tuple, err error) {
	sp := spanOf(x, typ, key, n, nil)
	v, settle := s.look(txn, x, &sp)
	if typ == index.EQ {
		t, err = v.Min(key, n)
	} else {
		t, err = v.Max(key, n)
	}
	if err != nil {
		return nil, err
	}
	var room [128]byte
	if t != nil {
		sp = sp.upTo(x, typ, t, room[:0])
	}
	s.looked(txn, x, sp, settle)
	return t, nil
}

// Random returns some tuple, chosen by the seed.
func (s *Space) Random(txn *Txn, x *Index, seed uint32) *tuple.Tuple {
	if s.plain(txn) {
		return x.Random(seed)
	}
	v, settle := s.look(txn, x, &whole)
	t := v.Random(seed)
	sp := whole
	if t != nil && x.ordered() {
		var room [128]byte
		sp = pointSpan(x.CmpDef.AppendKey(room[:0], t.Data(), 0), len(x.CmpDef.Parts))
	}
	s.looked(txn, x, sp, settle)
	return t
}

// Iterate walks over an index, as txn sees it. See index.Index. The walk may go on when the transaction has ended: it
// is nobody's then, unless another one takes it over (see Follower).
func (s *Space) Iterate(txn *Txn, x *Index, typ index.IteratorType, key []byte, n int, after index.Position) (index.Iterator, error) {
	if s.plain(txn) {
		return x.Iterate(typ, key, n, after)
	}
	return s.newCursor(txn, x, typ, key, n, after)
}

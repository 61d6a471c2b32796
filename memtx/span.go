package memtx

import (
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// bound is a place in the order of an index: before, or behind, all keys that begin with n given parts. Without
// parts it is the beginning, or the end.
type bound struct {
	key    []byte
	n      int
	behind bool
}

// span is a stretch of an index: the keys between two bounds. The zero span holds nothing.
type span struct {
	lo, hi bound
}

// whole is the span of everything.
var whole = span{hi: bound{behind: true}}

// pointSpan is the span of one key, or of all that begin with it.
func pointSpan(key []byte, n int) span {
	return span{bound{key, n, false}, bound{key, n, true}}
}

// compareBounds orders two bounds of an index whose keys def describes.
func compareBounds(def *tuple.KeyDef, a, b *bound) int {
	if c := def.CompareKeys(a.key, a.n, b.key, b.n); c != 0 {
		return c
	}
	switch {
	case a.n == b.n && a.behind == b.behind:
		return 0
	case a.n <= b.n && a.behind, a.n >= b.n && !b.behind:
		return 1
	}
	return -1
}

// passes reports whether a whole key stands behind a bound.
func (b *bound) passes(def *tuple.KeyDef, key []byte, n int) bool {
	if c := def.CompareKeys(key, n, b.key, b.n); c != 0 {
		return c > 0
	}
	return !b.behind
}

// holds reports whether a whole key lies in the span.
func (s *span) holds(def *tuple.KeyDef, key []byte, n int) bool {
	return s.lo.passes(def, key, n) && !s.hi.passes(def, key, n)
}

// copied returns the span with keys of its own in the room, which it returns longer.
func (s span) copied(room []byte) (span, []byte) {
	same := s.lo.n == s.hi.n && len(s.lo.key) == len(s.hi.key) && len(s.lo.key) > 0 && &s.lo.key[0] == &s.hi.key[0]
	take := func(key []byte) []byte {
		from := len(room)
		room = append(room, key...)
		return room[from:len(room):len(room)]
	}
	s.lo.key = take(s.lo.key)
	if same {
		s.hi.key = s.lo.key
	} else {
		s.hi.key = take(s.hi.key)
	}
	return s, room
}

// spanOf returns the stretch of an index that a search may look at. Only searches of a TREE, and of a HASH by its
// whole key, look at less than everything.
func spanOf(x *Index, typ index.IteratorType, key []byte, n int, after index.Position) span {
	if x.Type == index.Hash && typ == index.EQ {
		return pointSpan(key, n)
	}
	if x.Type != index.Tree {
		return whole
	}
	s := whole
	if n > 0 {
		switch typ {
		case index.EQ, index.REQ:
			s = pointSpan(key, n)
		case index.ALL, index.GE, index.NP:
			s.lo = bound{key, n, false}
		case index.GT:
			s.lo = bound{key, n, true}
		case index.LE:
			s.hi = bound{key, n, true}
		case index.LT, index.PP:
			s.hi = bound{key, n, false}
		}
	}
	s.goOn(typ, after)
	return s
}

// goOn shortens the span to what a walk has ahead of it behind a position, which may be empty.
func (s *span) goOn(typ index.IteratorType, after index.Position) {
	if len(after) == 0 {
		return
	}
	if m, parts, ok := msgpack.ReadArrayHeader(after); ok {
		if typ.Reverse() {
			s.hi = bound{parts, m, false}
		} else {
			s.lo = bound{parts, m, true}
		}
	}
}

// keyed reports whether the index holds a tuple under keys that are made by a function or taken out of an array.
func (x *Index) keyed() bool { return x.CmpDef.Multikey || x.Def().Keys != nil }

// ordered reports whether the place of a tuple in a walk over the index follows from its fields.
func (x *Index) ordered() bool { return x.Type == index.Tree && !x.keyed() }

// upTo shortens the span of a search that ended at the tuple last, which it has found. room is for its key.
func (s span) upTo(x *Index, typ index.IteratorType, last *tuple.Tuple, room []byte) span {
	if !x.ordered() || s.lo.n == len(x.CmpDef.Parts) {
		return s
	}
	key := x.CmpDef.AppendKey(room, last.Data(), 0)[len(room):]
	if typ.Reverse() {
		s.lo = bound{key, len(x.CmpDef.Parts), false}
	} else {
		s.hi = bound{key, len(x.CmpDef.Parts), true}
	}
	return s
}

// touches reports whether the index holds a tuple under a key in the span.
func (s *span) touches(x *Index, t *tuple.Tuple) (found bool) {
	if s.lo.n == 0 && s.hi.n == 0 {
		return !s.lo.behind && s.hi.behind
	}
	var room [128]byte
	index.EachKey(x.Index, t, room[:], func(key []byte, n int) {
		found = found || n == 0 || s.holds(x.CmpDef, key, n)
	})
	return found
}

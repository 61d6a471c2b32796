package memtx

import (
	"math/rand/v2"

	"github.com/lycosadb/lycosa/tuple"
)

// intervals are the spans of an index that open transactions have read: a treap ordered by the beginnings of the
// spans, whose nodes know the farthest end below them, so that those around a key are found without a look at the
// others.
type intervals struct {
	root *interval
	last uint64 // id given out last
}

// interval is a span that a transaction has read.
type interval struct {
	span
	txn         *Txn
	index       *Index
	id          uint64
	priority    uint32
	left, right *interval
	farthest    *bound // end of a span in this subtree
}

func (n *interval) update(def *tuple.KeyDef) {
	n.farthest = &n.hi
	for _, kid := range [2]*interval{n.left, n.right} {
		if kid != nil && compareBounds(def, kid.farthest, n.farthest) > 0 {
			n.farthest = kid.farthest
		}
	}
}

func (n *interval) before(def *tuple.KeyDef, m *interval) bool {
	if c := compareBounds(def, &n.lo, &m.lo); c != 0 {
		return c < 0
	}
	return n.id < m.id
}

// add puts an interval of index x in.
func (s *intervals) add(n *interval) {
	s.last++
	n.id, n.priority = s.last, rand.Uint32()
	s.root = insertInterval(n.index.CmpDef, s.root, n)
}

func insertInterval(def *tuple.KeyDef, at, n *interval) *interval {
	switch {
	case at == nil:
		n.farthest = &n.hi
		return n
	case n.priority > at.priority:
		n.left, n.right = splitIntervals(def, at, n)
		n.update(def)
		return n
	case n.before(def, at):
		at.left = insertInterval(def, at.left, n)
	default:
		at.right = insertInterval(def, at.right, n)
	}
	at.update(def)
	return at
}

// splitIntervals divides a subtree into what stands before n and what stands behind it.
func splitIntervals(def *tuple.KeyDef, at, n *interval) (left, right *interval) {
	if at == nil {
		return nil, nil
	}
	if at.before(def, n) {
		at.right, right = splitIntervals(def, at.right, n)
		left = at
	} else {
		left, at.left = splitIntervals(def, at.left, n)
		right = at
	}
	at.update(def)
	return left, right
}

// remove takes an interval out.
func (s *intervals) remove(n *interval) {
	s.root = removeInterval(n.index.CmpDef, s.root, n)
}

func removeInterval(def *tuple.KeyDef, at, n *interval) *interval {
	switch {
	case at == nil:
		return nil
	case at == n:
		return joinIntervals(def, at.left, at.right)
	case n.before(def, at):
		at.left = removeInterval(def, at.left, n)
	default:
		at.right = removeInterval(def, at.right, n)
	}
	at.update(def)
	return at
}

// joinIntervals makes one subtree of two, all of a before all of b.
func joinIntervals(def *tuple.KeyDef, a, b *interval) *interval {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.priority > b.priority:
		a.right = joinIntervals(def, a.right, b)
		a.update(def)
		return a
	}
	b.left = joinIntervals(def, a, b.left)
	b.update(def)
	return b
}

// around calls f with each interval in which the key lies, with all of them for a key without parts. f must not
// change the set.
func (s *intervals) around(def *tuple.KeyDef, key []byte, n int, f func(*interval)) {
	intervalsAround(def, s.root, key, n, f)
}

func intervalsAround(def *tuple.KeyDef, at *interval, key []byte, n int, f func(*interval)) {
	for at != nil && (n == 0 || !at.farthest.passes(def, key, n)) {
		intervalsAround(def, at.left, key, n, f)
		if n > 0 && !at.lo.passes(def, key, n) {
			return
		}
		if n == 0 || !at.hi.passes(def, key, n) {
			f(at)
		}
		at = at.right
	}
}

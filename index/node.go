package index

import (
	"math/bits"
	"unsafe"
)

// The nodes nearly fill size classes of Go's allocator (2048 and 4096 bytes, of which it takes 8): see BenchmarkGet
// and BenchmarkInsert for what other sizes cost. Their pointers come first, so that the garbage collector doesn't
// look at the rest.
const (
	leafCap  = 125
	innerCap = 126
	maxDepth = 12 // of the inner nodes; far more than memory can hold

	leafBytes  = 2048
	innerBytes = 4096
)

// A leaf merges with a sibling when both leave leafSlack entries of the one free; a full leaf hands entries to
// a sibling that has as much room. Without the slack, either would be undone by the next change.
const leafSlack = leafCap / 8

// leaf holds entries in their order. An item is a *tuple.Tuple, in keyed trees an *entry.
type leaf struct {
	head
	items [leafCap]unsafe.Pointer
	hints [leafCap]uint64
}

// inner holds children in their order. All entries of child i stand before items[i+1] and none of child i+1
// does; items[0] isn't used. A separator may be an item that left the tree since.
type inner struct {
	head
	kids   [innerCap]unsafe.Pointer // *leaf in the lowest row, *inner above
	items  [innerCap]unsafe.Pointer
	hints  [innerCap]uint64
	counts [innerCap]int // of the entries below each child
}

func (l *leaf) insert(pos int, it unsafe.Pointer, hint uint64) {
	n := int(l.n)
	copy(l.items[pos+1:n+1], l.items[pos:n])
	copy(l.hints[pos+1:n+1], l.hints[pos:n])
	l.items[pos] = it
	l.hints[pos] = hint
	l.n++
}

func (l *leaf) remove(pos int) {
	n := int(l.n)
	copy(l.items[pos:n-1], l.items[pos+1:n])
	copy(l.hints[pos:n-1], l.hints[pos+1:n])
	l.items[n-1] = nil
	l.n--
}

// appendFrom copies the entries from to to (exclusive) of src behind those of l.
func (l *leaf) appendFrom(src *leaf, from, to int) {
	copy(l.items[l.n:], src.items[from:to])
	copy(l.hints[l.n:], src.hints[from:to])
	l.n += int16(to - from)
}

// moveHead and moveTail move between leaves whose hints are the same word.

// moveHead moves the first k entries behind those of dst, which stands before l.
func (l *leaf) moveHead(dst *leaf, k int) {
	dst.appendFrom(l, 0, k)
	n := int(l.n)
	copy(l.items[:], l.items[k:n])
	copy(l.hints[:], l.hints[k:n])
	clear(l.items[n-k : n])
	l.n -= int16(k)
}

// moveTail moves the last k entries before those of dst, which stands behind l.
func (l *leaf) moveTail(dst *leaf, k int) {
	n, m := int(l.n), int(dst.n)
	copy(dst.items[k:m+k], dst.items[:m])
	copy(dst.hints[k:m+k], dst.hints[:m])
	copy(dst.items[:k], l.items[n-k:n])
	copy(dst.hints[:k], l.hints[n-k:n])
	clear(l.items[n-k : n])
	dst.n += int16(k)
	l.n -= int16(k)
}

// insert puts a child before child i, which must not be the first one.
func (in *inner) insert(i int, kid unsafe.Pointer, it unsafe.Pointer, hint uint64, count int) {
	n := int(in.n)
	copy(in.kids[i+1:n+1], in.kids[i:n])
	copy(in.items[i+1:n+1], in.items[i:n])
	copy(in.hints[i+1:n+1], in.hints[i:n])
	copy(in.counts[i+1:n+1], in.counts[i:n])
	in.kids[i], in.items[i], in.hints[i], in.counts[i] = kid, it, hint, count
	in.n++
}

func (in *inner) remove(i int) {
	n := int(in.n)
	copy(in.kids[i:n-1], in.kids[i+1:n])
	copy(in.items[i:n-1], in.items[i+1:n])
	copy(in.hints[i:n-1], in.hints[i+1:n])
	copy(in.counts[i:n-1], in.counts[i+1:n])
	in.kids[n-1], in.items[n-1] = nil, nil
	in.items[0] = nil
	in.n--
}

// appendFrom copies the children of src from child from on behind those of in, and all but the first of their
// separators.
func (in *inner) appendFrom(src *inner, from int) {
	n, m := int(in.n), int(src.n)
	copy(in.kids[n:], src.kids[from:m])
	copy(in.items[n:], src.items[from:m])
	copy(in.hints[n:], src.hints[from:m])
	copy(in.counts[n:], src.counts[from:m])
	in.items[n] = nil
	in.n += int16(m - from)
}

// truncate drops the children from child n on.
func (in *inner) truncate(n int) {
	clear(in.kids[n:in.n])
	clear(in.items[n:in.n])
	in.n = int16(n)
}

// sum returns the number of entries below the first n children.
func (in *inner) sum(n int) int {
	s := 0
	for _, c := range in.counts[:n] {
		s += c
	}
	return s
}

// line is how many hints share a line of the processor's cache.
const line = 8

// lowerHint returns how many of the ascending hints are less than x. It first looks at one hint of each cache line.
// As none of these looks depends on another one, the lines of a node that isn't cached arrive all at once, where
// a binary search would wait for one after the other. No branch depends on the hints.
func lowerHint(hints []uint64, x uint64) int {
	var full uint64 // lines whose last hint is less than x
	i := line - 1
	for ; i < len(hints); i += line {
		_, less := bits.Sub64(hints[i], x, 0)
		full += less
	}
	from := int(full) * line
	n := uint64(from)
	for _, h := range hints[from:min(from+line-1, len(hints))] {
		_, less := bits.Sub64(h, x, 0)
		n += less
	}
	return int(n)
}

// sameHint returns how many of the ascending hints, which begin with x, are x.
func sameHint(hints []uint64, x uint64) int {
	if len(hints) == 1 || hints[1] != x {
		return 1
	}
	if x+1 == 0 {
		return len(hints)
	}
	return lowerHint(hints, x+1)
}

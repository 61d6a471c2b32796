package index

import (
	"unsafe"

	"github.com/lycosadb/lycosa/tuple"
)

// Replace implements Index.
func (t *tree) Replace(old, new *tuple.Tuple, mode Mode) (*tuple.Tuple, error) {
	if t.frozen {
		return nil, errReadOnly()
	}
	if t.keyed {
		return t.replaceKeyed(old, new, mode)
	}
	if t.excludes {
		if old != nil && t.def.KeyDef.Excludes(old, 0) {
			old = nil
		}
		if new != nil && t.def.KeyDef.Excludes(new, 0) {
			new = nil
		}
	}
	var pt path
	if new != nil {
		p := probe{hint: t.cmp.Hint(new), item: new}
		l, pos, found := t.locateNew(&p, &pt)
		if found {
			dup := (*tuple.Tuple)(l.items[pos])
			if dup != old && (mode == InsertOnly || old != nil) {
				return nil, t.def.duplicate(dup, new)
			}
			t.exchange(&pt, pos, unsafe.Pointer(new))
			return dup, nil
		}
		t.ascending = l != nil && pos == int(l.n) && (t.ascending || t.isLast(&pt))
		t.insert(&pt, pos, unsafe.Pointer(new), p.hint)
	}
	if old != nil {
		p := probe{hint: t.cmp.Hint(old), item: old}
		l, pos, found := t.locate(&p, &pt)
		if !found || (*tuple.Tuple)(l.items[pos]) != old {
			return nil, nil
		}
		t.remove(&pt, pos)
	}
	return old, nil
}

// locateNew is locate for an item that is probably new. When the newest one went to the end, it looks there first.
func (t *tree) locateNew(p *probe, pt *path) (l *leaf, pos int, found bool) {
	if t.ascending {
		node := t.root
		for h := range t.height {
			in := (*inner)(node)
			i := int(in.n) - 1
			pt[h] = step{in, i}
			node = in.kids[i]
		}
		l = (*leaf)(node)
		if n := int(l.n); l.depth == 0 && p.hint > l.hints[n-1] {
			return l, n, false
		}
		t.ascending = false
	}
	return t.locate(p, pt)
}

func (t *tree) newLeaf() *leaf {
	t.leaves++
	t.fresh = true
	return &leaf{head: head{gen: t.gen}}
}

func (t *tree) newInner() *inner {
	t.inners++
	t.fresh = true
	return &inner{head: head{gen: t.gen}}
}

// own makes the nodes of a way ones that the tree may change, and returns the leaf.
func (t *tree) own(pt *path) *leaf {
	at := &t.root
	for h := 0; h < t.height; h++ {
		in := t.ownInner(at)
		pt[h].in = in
		at = &in.kids[pt[h].i]
	}
	return t.ownLeaf(at)
}

func (t *tree) ownInner(at *unsafe.Pointer) *inner {
	in := (*inner)(*at)
	if in.gen != t.gen {
		c := new(inner)
		*c = *in
		c.gen = t.gen
		t.fresh = true
		*at = unsafe.Pointer(c)
		in = c
	}
	return in
}

func (t *tree) ownLeaf(at *unsafe.Pointer) *leaf {
	l := (*leaf)(*at)
	if l.gen != t.gen {
		c := new(leaf)
		*c = *l
		c.gen = t.gen
		t.fresh = true
		*at = unsafe.Pointer(c)
		l = c
	}
	return l
}

// exchange puts an item in the place of an equal one.
func (t *tree) exchange(pt *path, pos int, it unsafe.Pointer) {
	t.version++
	t.own(pt).items[pos] = it
}

// put inserts an item into a leaf that has room.
func (t *tree) put(l *leaf, pos int, it unsafe.Pointer, hint uint64) {
	if l.depth > 0 {
		hint = t.admit(&l.head, l.hints[:l.n], l.items[:l.n], it)
	}
	l.insert(pos, it, hint)
}

// insert puts an item at a place that locate found. The hint is that of its key's first word.
func (t *tree) insert(pt *path, pos int, it unsafe.Pointer, hint uint64) {
	t.version++
	t.size++
	if t.root == nil {
		l := t.newLeaf()
		l.insert(0, it, hint)
		t.root = unsafe.Pointer(l)
		return
	}
	l := t.own(pt)
	for h := 0; h < t.height; h++ {
		pt[h].in.counts[pt[h].i]++
	}
	if l.n < leafCap {
		t.put(l, pos, it, hint)
		return
	}
	if t.height == 0 { // the leaf becomes the only child of a new root
		root := t.newInner()
		root.n = 1
		root.kids[0], root.counts[0] = t.root, t.size
		t.root = unsafe.Pointer(root)
		t.height = 1
		pt[0] = step{root, 0}
	}
	t.insertFull(pt, l, pos, it, hint)
}

// insertFull inserts into a full leaf. It hands entries to a sibling, and where both are full it makes three
// leaves of two, so that random inserts leave leaves four fifths full. Items that arrive in order, ascending or
// descending, leave full leaves behind.
func (t *tree) insertFull(pt *path, l *leaf, pos int, it unsafe.Pointer, hint uint64) {
	low := t.height - 1
	in, i := pt[low].in, pt[low].i
	switch {
	case pos == leafCap && t.isLast(pt):
		t.deepenLeaf(l)
		right := t.newLeaf()
		right.insert(0, it, hint)
		in.counts[i] = leafCap
		t.insertKid(pt, low, i+1, unsafe.Pointer(right), it, 1)
	case pos == 0 && t.isFirst(pt):
		t.deepenLeaf(l)
		left := t.newLeaf()
		left.insert(0, it, hint)
		in.kids[0], in.counts[0] = unsafe.Pointer(left), 1
		t.insertKid(pt, low, 1, unsafe.Pointer(l), l.items[0], leafCap)
	case i+1 < int(in.n) && (*leaf)(in.kids[i+1]).n <= leafCap-leafSlack:
		right := t.ownLeaf(&in.kids[i+1])
		t.alignLeaves(l, right)
		l.moveTail(right, (leafCap-int(right.n)+1)/2)
		t.putPair(l, right, pos, it, hint)
		in.counts[i] = int(l.n)
		t.setKid(in, i+1, right)
	case i > 0 && (*leaf)(in.kids[i-1]).n <= leafCap-leafSlack:
		left := t.ownLeaf(&in.kids[i-1])
		t.alignLeaves(left, l)
		pos += int(left.n)
		l.moveHead(left, (leafCap-int(left.n)+1)/2)
		t.putPair(left, l, pos, it, hint)
		in.counts[i-1] = int(left.n)
		t.setKid(in, i, l)
	case i+1 < int(in.n):
		t.splitPair(pt, i, l, t.ownLeaf(&in.kids[i+1]), pos, it, hint)
	case i > 0:
		left := t.ownLeaf(&in.kids[i-1])
		t.splitPair(pt, i-1, left, l, int(left.n)+pos, it, hint)
	default: // the only child: two leaves of one
		right := t.newLeaf()
		t.alignLeaves(l, right)
		l.moveTail(right, leafCap/2)
		t.putPair(l, right, pos, it, hint)
		in.counts[i] = int(l.n)
		t.insertKid(pt, low, i+1, unsafe.Pointer(right), right.items[0], int(right.n))
	}
}

// putPair inserts an item into one of two neighbours. The place counts from the beginning of the first one. The
// second one's first item stays what it is.
func (t *tree) putPair(a, b *leaf, pos int, it unsafe.Pointer, hint uint64) {
	if pos <= int(a.n) {
		t.put(a, pos, it, hint)
	} else {
		t.put(b, pos-int(a.n), it, hint)
	}
	t.deepenLeaf(a)
	t.deepenLeaf(b)
}

// splitPair makes three leaves of children i and i+1 and inserts an item. The place counts from the beginning of
// the first one.
func (t *tree) splitPair(pt *path, i int, a, b *leaf, pos int, it unsafe.Pointer, hint uint64) {
	third := int(a.n+b.n) / 3
	c := t.newLeaf()
	t.alignLeaves(a, b)
	t.alignLeaves(a, c)
	a.moveTail(c, int(a.n)-third)
	b.moveHead(c, int(b.n)-third)
	if pos <= int(a.n) {
		t.put(a, pos, it, hint)
		t.deepenLeaf(c)
		t.deepenLeaf(b)
	} else {
		t.putPair(c, b, pos-int(a.n), it, hint)
	}
	t.deepenLeaf(a)
	low := t.height - 1
	in := pt[low].in
	in.counts[i] = int(a.n)
	t.setKid(in, i+1, b)
	t.insertKid(pt, low, i+1, unsafe.Pointer(c), c.items[0], int(c.n))
}

// setKid sets the count of a leaf and the separator before it.
func (t *tree) setKid(in *inner, i int, l *leaf) {
	t.reshaped()
	in.counts[i] = int(l.n)
	in.items[i] = l.items[0]
	in.hints[i] = t.admit(&in.head, in.hints[1:in.n], in.items[1:in.n], l.items[0])
}

func (t *tree) isFirst(pt *path) bool {
	for h := 0; h < t.height; h++ {
		if pt[h].i != 0 {
			return false
		}
	}
	return true
}

func (t *tree) isLast(pt *path) bool {
	for h := 0; h < t.height; h++ {
		if pt[h].i != int(pt[h].in.n)-1 {
			return false
		}
	}
	return true
}

// insertKid puts a child, with the separator before it, at place i (not the first) of the inner node at a
// level of the way. The counts above the node include the child's already.
func (t *tree) insertKid(pt *path, level, i int, kid, it unsafe.Pointer, count int) {
	t.reshaped()
	in := pt[level].in
	if in.n < innerCap {
		t.putKid(in, i, kid, it, count)
		return
	}
	mid := innerCap / 2
	switch i { // at an end, probably in order: leave full nodes behind
	case innerCap:
		mid = innerCap - 1
	case 1:
		mid = 1
	}
	right := t.newInner()
	right.depth, right.prefix = in.depth, in.prefix
	right.appendFrom(in, mid)
	separator := in.items[mid]
	in.truncate(mid)
	if i <= mid {
		t.putKid(in, i, kid, it, count)
	} else {
		t.putKid(right, i-mid, kid, it, count)
	}
	t.deepenInner(in)
	t.deepenInner(right)
	if level == 0 {
		root := t.newInner()
		root.kids[0], root.counts[0] = unsafe.Pointer(in), in.sum(int(in.n))
		root.n = 1
		t.putKid(root, 1, unsafe.Pointer(right), separator, right.sum(int(right.n)))
		t.root = unsafe.Pointer(root)
		t.height++
		return
	}
	up := &pt[level-1]
	up.in.counts[up.i] = in.sum(int(in.n))
	t.insertKid(pt, level-1, up.i+1, unsafe.Pointer(right), separator, right.sum(int(right.n)))
}

// putKid inserts a child into an inner node that has room.
func (t *tree) putKid(in *inner, i int, kid, it unsafe.Pointer, count int) {
	hint := t.admit(&in.head, in.hints[1:in.n], in.items[1:in.n], it)
	in.insert(i, kid, it, hint, count)
}

// remove takes out the item at a place that locate found.
func (t *tree) remove(pt *path, pos int) {
	t.version++
	t.size--
	t.ascending = false // there may be nothing left
	l := t.own(pt)
	for h := 0; h < t.height; h++ {
		pt[h].in.counts[pt[h].i]--
	}
	l.remove(pos)
	if l.n < leafCap/2 {
		t.refill(pt, l)
	}
}

// refill merges a leaf that is less than half full with a sibling, or evens out with one that is too full.
func (t *tree) refill(pt *path, l *leaf) {
	if t.height == 0 {
		if l.n == 0 {
			t.root = nil
			t.leaves--
		}
		return
	}
	low := t.height - 1
	in, i := pt[low].in, pt[low].i
	var left, right *leaf
	if i > 0 {
		left = (*leaf)(in.kids[i-1])
	}
	if i+1 < int(in.n) {
		right = (*leaf)(in.kids[i+1])
	}
	switch {
	case l.n == 0:
		t.leaves--
		t.removeKid(pt, low, i)
	case left != nil && left.n+l.n <= leafCap-leafSlack:
		left = t.ownLeaf(&in.kids[i-1])
		t.alignLeaves(left, l)
		left.appendFrom(l, 0, int(l.n))
		in.counts[i-1] = int(left.n)
		t.leaves--
		t.removeKid(pt, low, i)
	case right != nil && right.n+l.n <= leafCap-leafSlack:
		right = t.ownLeaf(&in.kids[i+1])
		t.alignLeaves(l, right)
		l.appendFrom(right, 0, int(right.n))
		in.counts[i] = int(l.n)
		t.leaves--
		t.removeKid(pt, low, i+1)
	case l.n >= leafCap/3:
	case left != nil && (right == nil || left.n > right.n):
		left = t.ownLeaf(&in.kids[i-1])
		t.alignLeaves(left, l)
		left.moveTail(l, int(left.n-l.n)/2)
		in.counts[i-1] = int(left.n)
		t.setKid(in, i, l)
	case right != nil:
		right = t.ownLeaf(&in.kids[i+1])
		t.alignLeaves(l, right)
		right.moveHead(l, int(right.n-l.n)/2)
		in.counts[i] = int(l.n)
		t.setKid(in, i+1, right)
	}
}

// removeKid takes a child, whose entries are counted elsewhere by now, out of the inner node at a level of
// the way.
func (t *tree) removeKid(pt *path, level, i int) {
	t.reshaped()
	in := pt[level].in
	in.remove(i)
	if level == 0 {
		for t.height > 0 && (*inner)(t.root).n <= 1 {
			t.root = (*inner)(t.root).kids[0] // nil when there is none
			t.height--
			t.inners--
			if t.root == nil {
				t.height = 0
			}
		}
		return
	}
	up := &pt[level-1]
	if in.n == 0 {
		t.inners--
		t.removeKid(pt, level-1, up.i)
		return
	}
	if in.n >= innerCap/3 {
		return
	}
	const full = innerCap - innerCap/8
	if i := up.i; i > 0 && (*inner)(up.in.kids[i-1]).n+in.n <= full {
		t.mergeKids(pt, level, i-1, t.ownInner(&up.in.kids[i-1]), in)
	} else if i+1 < int(up.in.n) && (*inner)(up.in.kids[i+1]).n+in.n <= full {
		t.mergeKids(pt, level, i, in, t.ownInner(&up.in.kids[i+1]))
	}
}

// mergeKids moves the children of b, which is child i+1 of a node, to a, which is child i.
func (t *tree) mergeKids(pt *path, level, i int, a, b *inner) {
	up := pt[level-1].in
	n := int(a.n)
	t.alignInners(a, b)
	a.appendFrom(b, 0)
	// The separator between them is the one that they had above.
	a.items[n] = up.items[i+1]
	a.hints[n] = t.admit(&a.head, a.hints[1:a.n], a.items[1:a.n], up.items[i+1])
	up.counts[i] += up.counts[i+1]
	t.inners--
	t.removeKid(pt, level-1, i+1)
}

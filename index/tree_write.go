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
		l, pos, found := t.locate(&p, &pt)
		if found {
			dup := (*tuple.Tuple)(l.items[pos])
			if dup != old && (mode == InsertOnly || old != nil) {
				return nil, t.def.duplicate(dup, new)
			}
			t.exchange(&pt, pos, unsafe.Pointer(new))
			return dup, nil
		}
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

func (t *tree) newLeaf() *leaf {
	t.leaves++
	t.fresh = true
	return &leaf{gen: t.gen}
}

func (t *tree) newInner() *inner {
	t.inners++
	t.fresh = true
	return &inner{gen: t.gen}
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

// insert puts an item at a place that locate found.
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
		l.insert(pos, it, hint)
		return
	}
	if t.height == 0 {
		t.splitRoot(l, pos, it, hint)
		return
	}
	t.insertFull(pt, l, pos, it, hint)
}

// splitRoot inserts into a full leaf that is the whole tree.
func (t *tree) splitRoot(l *leaf, pos int, it unsafe.Pointer, hint uint64) {
	right := t.newLeaf()
	mid := leafCap / 2
	switch pos {
	case 0, leafCap: // probably in order: leave the full leaf as it is
		mid = pos
	}
	l.moveTail(right, leafCap-mid)
	if pos < mid || mid == 0 {
		l.insert(pos, it, hint)
	} else {
		right.insert(pos-mid, it, hint)
	}
	in := t.newInner()
	in.n = 2
	in.kids[0], in.counts[0] = unsafe.Pointer(l), int(l.n)
	in.kids[1], in.counts[1] = unsafe.Pointer(right), int(right.n)
	in.items[1], in.hints[1] = right.items[0], right.hints[0]
	t.root = unsafe.Pointer(in)
	t.height = 1
}

// insertFull inserts into a full leaf. It hands entries to a sibling, and where both are full it makes three
// leaves of two, so that random inserts leave leaves four fifths full. Items that arrive in order, ascending or
// descending, leave full leaves behind.
func (t *tree) insertFull(pt *path, l *leaf, pos int, it unsafe.Pointer, hint uint64) {
	low := t.height - 1
	in, i := pt[low].in, pt[low].i
	if pos == leafCap && t.isLast(pt) {
		right := t.newLeaf()
		right.insert(0, it, hint)
		in.counts[i] = leafCap
		t.insertKid(pt, low, i+1, unsafe.Pointer(right), it, hint, 1)
		return
	}
	if pos == 0 && t.isFirst(pt) {
		left := t.newLeaf()
		left.insert(0, it, hint)
		in.kids[0], in.counts[0] = unsafe.Pointer(left), 1
		t.insertKid(pt, low, 1, unsafe.Pointer(l), l.items[0], l.hints[0], leafCap)
		return
	}
	if i+1 < int(in.n) && (*leaf)(in.kids[i+1]).n <= leafCap-leafSlack {
		right := t.ownLeaf(&in.kids[i+1])
		l.moveTail(right, (leafCap-int(right.n)+1)/2)
		if pos <= int(l.n) {
			l.insert(pos, it, hint)
		} else {
			right.insert(pos-int(l.n), it, hint)
		}
		in.counts[i] = int(l.n)
		in.refresh(i+1, right)
		return
	}
	if i > 0 && (*leaf)(in.kids[i-1]).n <= leafCap-leafSlack {
		left := t.ownLeaf(&in.kids[i-1])
		k := (leafCap - int(left.n) + 1) / 2
		l.moveHead(left, k)
		if pos > k {
			l.insert(pos-k, it, hint)
		} else {
			left.insert(int(left.n)-k+pos, it, hint)
		}
		in.counts[i-1] = int(left.n)
		in.refresh(i, l)
		return
	}

	var a, b *leaf
	if i+1 < int(in.n) {
		a, b = l, t.ownLeaf(&in.kids[i+1])
	} else if i > 0 {
		i--
		a, b = t.ownLeaf(&in.kids[i]), l
		pos += int(a.n)
	} else { // the only child: two leaves of one
		right := t.newLeaf()
		l.moveTail(right, leafCap/2)
		if pos <= int(l.n) {
			l.insert(pos, it, hint)
		} else {
			right.insert(pos-int(l.n), it, hint)
		}
		in.counts[i] = int(l.n)
		t.insertKid(pt, low, i+1, unsafe.Pointer(right), right.items[0], right.hints[0], int(right.n))
		return
	}
	third := int(a.n+b.n) / 3
	c := t.newLeaf()
	a.moveTail(c, int(a.n)-third)
	b.moveHead(c, int(b.n)-third)
	switch {
	case pos <= int(a.n):
		a.insert(pos, it, hint)
	case pos-int(a.n) <= int(c.n):
		c.insert(pos-int(a.n), it, hint)
	default:
		b.insert(pos-int(a.n)-int(c.n), it, hint)
	}
	in.counts[i] = int(a.n)
	in.refresh(i+1, b)
	t.insertKid(pt, low, i+1, unsafe.Pointer(c), c.items[0], c.hints[0], int(c.n))
}

// refresh sets the count of a child and the separator before it.
func (in *inner) refresh(i int, l *leaf) {
	in.counts[i] = int(l.n)
	in.items[i], in.hints[i] = l.items[0], l.hints[0]
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
func (t *tree) insertKid(pt *path, level, i int, kid, it unsafe.Pointer, hint uint64, count int) {
	in := pt[level].in
	if in.n < innerCap {
		in.insert(i, kid, it, hint, count)
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
	right.appendFrom(in, mid, nil, 0)
	sep, sepHint := in.items[mid], in.hints[mid]
	in.truncate(mid)
	if i <= mid {
		in.insert(i, kid, it, hint, count)
	} else {
		right.insert(i-mid, kid, it, hint, count)
	}
	if level == 0 {
		root := t.newInner()
		root.kids[0], root.counts[0] = unsafe.Pointer(in), in.sum(int(in.n))
		root.n = 1
		root.insert(1, unsafe.Pointer(right), sep, sepHint, right.sum(int(right.n)))
		t.root = unsafe.Pointer(root)
		t.height++
		return
	}
	up := &pt[level-1]
	up.in.counts[up.i] = in.sum(int(in.n))
	t.insertKid(pt, level-1, up.i+1, unsafe.Pointer(right), sep, sepHint, right.sum(int(right.n)))
}

// remove takes out the item at a place that locate found.
func (t *tree) remove(pt *path, pos int) {
	t.version++
	t.size--
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
		left.appendFrom(l, 0, int(l.n))
		in.counts[i-1] = int(left.n)
		t.leaves--
		t.removeKid(pt, low, i)
	case right != nil && right.n+l.n <= leafCap-leafSlack:
		l.appendFrom(right, 0, int(right.n))
		in.counts[i] = int(l.n)
		t.leaves--
		t.removeKid(pt, low, i+1)
	case l.n >= leafCap/3:
	case left != nil && (right == nil || left.n > right.n):
		left = t.ownLeaf(&in.kids[i-1])
		left.moveTail(l, int(left.n-l.n)/2)
		in.counts[i-1] = int(left.n)
		in.refresh(i, l)
	case right != nil:
		right = t.ownLeaf(&in.kids[i+1])
		right.moveHead(l, int(right.n-l.n)/2)
		in.counts[i] = int(l.n)
		in.refresh(i+1, right)
	}
}

// removeKid takes a child, whose entries are counted elsewhere by now, out of the inner node at a level of
// the way.
func (t *tree) removeKid(pt *path, level, i int) {
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
	if up.i > 0 && (*inner)(up.in.kids[up.i-1]).n+in.n <= innerCap-innerCap/8 {
		left := t.ownInner(&up.in.kids[up.i-1])
		left.appendFrom(in, 0, up.in.items[up.i], up.in.hints[up.i])
		up.in.counts[up.i-1] += up.in.counts[up.i]
		t.inners--
		t.removeKid(pt, level-1, up.i)
		return
	}
	if up.i+1 < int(up.in.n) {
		right := (*inner)(up.in.kids[up.i+1])
		if right.n+in.n <= innerCap-innerCap/8 {
			in.appendFrom(right, 0, up.in.items[up.i+1], up.in.hints[up.i+1])
			up.in.counts[up.i] += up.in.counts[up.i+1]
			t.inners--
			t.removeKid(pt, level-1, up.i+1)
		}
	}
}

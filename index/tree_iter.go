package index

import (
	"unsafe"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// walk is a search of a tree in its simplest form: from where, in which direction, and how far.
type walk struct {
	nothing bool // no item can be found
	reverse bool
	stop    bool   // at the first item that doesn't equal the key
	key     []byte // start at this key
	n       int    // its parts; 0: start at the end of the tree
	upper   bool   // the start is behind the items that equal the key
	after   []byte // or start behind (in the direction of the walk) this position, if not nil
	afterN  int
}

// plan checks a search and brings it to its simplest form.
func (t *tree) plan(typ IteratorType, key []byte, n int, after Position) (walk, error) {
	w := walk{key: key, n: n}
	switch typ {
	case EQ:
		w.stop = n > 0
	case REQ:
		w.reverse, w.stop, w.upper = true, n > 0, true
	case ALL, GE:
	case GT:
		w.upper = true
	case LE:
		w.reverse, w.upper = true, true
	case LT, PP:
		w.reverse = true
	case NP:
		w.startBehindPrefix(t.cmp)
	default:
		return w, t.def.Unsupported(iteratorFeature)
	}
	if len(after) == 0 {
		return w, nil
	}
	return w, t.planAfter(&w, after)
}

// startBehindPrefix makes a walk start behind all keys that begin with the given one: behind the strings that
// start with its last part if that is a string.
func (w *walk) startBehindPrefix(cmp *tuple.KeyDef) {
	w.upper = true
	if w.n == 0 || cmp.Parts[w.n-1].Desc {
		return // in descending order the strings that start with a prefix stand before the prefix
	}
	rest := w.key
	for range w.n - 1 {
		rest, _ = msgpack.Skip(rest)
	}
	s, _, ok := msgpack.ReadString(rest)
	if !ok {
		return
	}
	for len(s) > 0 && s[len(s)-1] == 0xff {
		s = s[:len(s)-1]
	}
	if len(s) == 0 {
		w.nothing = true
		return
	}
	key := append([]byte(nil), w.key[:len(w.key)-len(rest)]...)
	w.key = msgpack.AppendStringBytes(key, s)
	w.key[len(w.key)-1]++
	w.upper = false
}

// planAfter makes a walk start behind a position, which must be one that the walk could have reached.
func (t *tree) planAfter(w *walk, after Position) error {
	n, parts, ok := msgpack.ReadArrayHeader(after)
	if !ok || t.posDef.ValidatePosition(parts, n) != nil {
		return boxerr.New(boxerr.IteratorPosition)
	}
	if w.n > 0 {
		c := t.posDef.CompareKey(tuple.New(after), w.key, w.n)
		if w.reverse {
			c = -c
		}
		inclusive := w.upper == w.reverse
		if c < 0 || c == 0 && !inclusive || c > 0 && w.stop {
			return boxerr.New(boxerr.IteratorPosition)
		}
	}
	w.after, w.afterN = parts, min(n, len(t.cmp.Parts))
	return nil
}

// treeIterator walks over a tree. It looks at one leaf at a time: the items from lo to hi (exclusive) of it are
// those still to be returned. When the tree has changed since, it looks for its place again by the item that it
// returned last.
type treeIterator struct {
	t *tree
	walk
	version uint64
	started bool
	done    bool // Next has returned nil
	more    bool // the walk goes on in the next leaf
	leaf    *leaf
	lo, hi  int
	last    unsafe.Pointer // the item returned last, nil at the start
	path    path
}

// Iterate implements Index.
func (t *tree) Iterate(typ IteratorType, key []byte, n int, after Position) (Iterator, error) {
	it := new(treeIterator)
	if err := it.init(t, typ, key, n, after); err != nil {
		return nil, err
	}
	return it, nil
}

func (it *treeIterator) init(t *tree, typ IteratorType, key []byte, n int, after Position) (err error) {
	it.t = t
	it.walk, err = t.plan(typ, key, n, after)
	return err
}

// Next implements Iterator.
func (it *treeIterator) Next() *tuple.Tuple {
	if !it.ready() {
		return nil
	}
	if it.reverse {
		it.hi--
		it.last = it.leaf.items[it.hi]
	} else {
		it.last = it.leaf.items[it.lo]
		it.lo++
	}
	return it.t.tupleOf(it.last)
}

// ready makes sure that the window holds an item.
func (it *treeIterator) ready() bool {
	if it.done {
		return false
	}
	if !it.started || it.version != it.t.version {
		it.place()
	}
	for it.lo >= it.hi {
		if !it.more {
			it.done = true
			return false
		}
		it.nextLeaf()
	}
	return true
}

// place finds where the walk starts or goes on.
func (it *treeIterator) place() {
	t := it.t
	it.started, it.version = true, t.version
	it.more, it.lo, it.hi, it.leaf = false, 0, 0, nil
	if t.size == 0 || it.nothing {
		return
	}
	var p probe
	switch {
	case it.last != nil:
		last := t.keyOf(it.last)
		p = probe{hint: t.cmp.Hint(last), item: last, upper: !it.reverse}
	case it.after != nil:
		p = t.keyProbe(it.after, it.afterN, !it.reverse)
	case it.n > 0:
		p = t.keyProbe(it.key, it.n, it.upper)
	case it.reverse:
		l, pos := t.seekRank(t.size-1, &it.path)
		it.enter(l, pos+1)
		return
	default:
		l, pos := t.seekRank(0, &it.path)
		it.enter(l, pos)
		return
	}
	l, pos := t.seek(&p, &it.path)
	it.enter(l, pos)
}

// enter sets the window to what the walk may take of a leaf when it comes to the place pos.
func (it *treeIterator) enter(l *leaf, pos int) {
	it.leaf, it.more = l, true
	if it.reverse {
		it.lo, it.hi = 0, pos
	} else {
		it.lo, it.hi = pos, int(l.n)
	}
	if !it.stop || it.lo >= it.hi {
		return
	}
	// One comparison tells whether the whole leaf is equal to the key.
	p := it.t.keyProbe(it.key, it.n, !it.reverse)
	if it.reverse {
		if !it.t.matches(l, 0, &p) {
			it.lo = min(it.hi, it.t.boundLeaf(l, &p))
			it.more = false
		}
	} else if !it.t.matches(l, int(l.n)-1, &p) {
		it.hi = max(it.lo, it.t.boundLeaf(l, &p))
		it.more = false
	}
}

// matches reports whether an item of a leaf equals what the probe looks for.
func (t *tree) matches(l *leaf, i int, p *probe) bool {
	if l.depth == 0 && l.hints[i] != p.hint {
		return false
	}
	return t.compare(l.items[i], p) == 0
}

// nextLeaf goes to the leaf behind, or before, the present one.
func (it *treeIterator) nextLeaf() {
	t := it.t
	h := t.height - 1
	for ; h >= 0; h-- {
		s := &it.path[h]
		if it.reverse && s.i > 0 {
			s.i--
			break
		}
		if !it.reverse && s.i+1 < int(s.in.n) {
			s.i++
			break
		}
	}
	if h < 0 {
		it.more, it.lo, it.hi = false, 0, 0
		return
	}
	node := it.path[h].in.kids[it.path[h].i]
	for h++; h < t.height; h++ {
		in := (*inner)(node)
		i := 0
		if it.reverse {
			i = int(in.n) - 1
		}
		it.path[h] = step{in, i}
		node = in.kids[i]
	}
	l := (*leaf)(node)
	if it.reverse {
		it.enter(l, int(l.n))
	} else {
		it.enter(l, 0)
	}
}

// Skip implements Skipper. It costs one descent, however many tuples are left out.
func (it *treeIterator) Skip(n int) {
	if n <= 0 || !it.ready() {
		return
	}
	t := it.t
	if n > it.hi-it.lo {
		// Go to the item before those that are wanted, as if it had been returned.
		if it.reverse {
			rank := t.rankOf(&it.path, it.hi) - n
			if rank < 0 {
				it.done = true
				return
			}
			l, pos := t.seekRank(rank, &it.path)
			it.enter(l, pos+1)
		} else {
			rank := t.rankOf(&it.path, it.lo) + n - 1
			if rank >= t.size {
				it.done = true
				return
			}
			l, pos := t.seekRank(rank, &it.path)
			it.enter(l, pos)
		}
		if it.lo >= it.hi {
			it.done = true
			return
		}
		n = 1
	}
	if it.reverse {
		it.hi -= n
		it.last = it.leaf.items[it.hi]
	} else {
		it.lo += n
		it.last = it.leaf.items[it.lo-1]
	}
}

// AppendPosition implements Positioner.
func (it *treeIterator) AppendPosition(dst []byte) []byte {
	if it.last == nil {
		return dst
	}
	if it.t.keyed {
		return append(dst, (*entry)(it.last).key.Data()...)
	}
	return it.t.def.CmpDef.ExtractKey(dst, (*tuple.Tuple)(it.last))
}

// Select implements Index.
func (t *tree) Select(dst []*tuple.Tuple, typ IteratorType, key []byte, n int, after Position, offset, limit int) ([]*tuple.Tuple, error) {
	if limit <= 0 && len(after) == 0 {
		_, err := t.plan(typ, key, n, nil)
		return dst, err
	}
	if n > 0 && (typ == EQ || typ == REQ) && len(after) == 0 && t.decides(n) {
		if offset == 0 {
			if tp := t.Get(key, n); tp != nil {
				dst = append(dst, tp)
			}
		}
		return dst, nil
	}
	var it treeIterator
	if err := it.init(t, typ, key, n, after); err != nil {
		return dst, err
	}
	if offset > 0 {
		it.Skip(offset)
	}
	for limit > 0 && it.ready() {
		k := min(limit, it.hi-it.lo)
		limit -= k
		if it.reverse {
			for i := it.hi - 1; i >= it.hi-k; i-- {
				dst = append(dst, t.tupleOf(it.leaf.items[i]))
			}
			it.hi -= k
		} else {
			for _, item := range it.leaf.items[it.lo : it.lo+k] {
				dst = append(dst, t.tupleOf(item))
			}
			it.lo += k
		}
	}
	return dst, nil
}

// decides reports whether a key of n parts can equal one item at most.
func (t *tree) decides(n int) bool { return n >= len(t.cmp.Parts) }

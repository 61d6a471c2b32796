package index

import (
	"unsafe"

	"github.com/lycosadb/lycosa/tuple"
)

// tree is a TREE index: a counted B+tree.
//
// Beside each item stands its hint, the first key part packed into an integer whose order is the key's order,
// so that a search compares integers that lie side by side and looks at a tuple only where hints are equal.
// Inner nodes count the entries below each child: ranks, counts and offsets cost one descent.
//
// Snapshots share nodes with the tree. A node belongs to the tree alone when it was made in the tree's present
// generation; Snapshot begins a new one, and a change first copies those nodes on its way that are older.
type tree struct {
	def   *Def
	cmp   *tuple.KeyDef // the order of the items
	words words         // of their keys
	// keyed trees hold entries, that is, tuples together with a key made of them.
	keyed bool
	// exact means that no two items have the same hint: it is the whole key.
	exact    bool
	excludes bool          // tuples whose key has a null in certain parts stay outside
	posDef   *tuple.KeyDef // CmpDef for positions: its parts are the fields
	primary  *tuple.KeyDef // of a functional index: those parts of CmpDef that read the tuple

	root    unsafe.Pointer // *inner, or *leaf when height is 0; nil in an empty tree
	height  int            // of the inner nodes
	size    int
	gen     uint32
	fresh   bool // a node was made or copied in this generation
	frozen  bool
	version uint64 // grows with every change; iterators compare it
	// ascending means that the newest item is the last one, so that the next one may go behind it.
	ascending bool
	shape     uint32 // grows when entries move between nodes
	fingers   *fingers

	leaves, inners int
	keyBytes       int64 // of the entries of a keyed tree
}

// NewTree makes an empty TREE index.
func NewTree(def *Def) Index {
	key, full := def.KeyDef, def.CmpDef
	if full == nil {
		def.CmpDef, full = key, key
	}
	if def.Unique && full.UniqueParts != len(key.Parts) {
		f := *full
		f.UniqueParts = len(key.Parts)
		full = &f
	}
	t := &tree{def: def, cmp: full, excludes: key.Excluding, posDef: inOrder(full)}
	if def.Unique && !key.Nullable {
		t.cmp = key
	}
	if def.Keys != nil || full.Multikey {
		t.keyed = true
		t.cmp = t.posDef
	}
	if def.Keys != nil {
		t.primary = primaryPart(def)
	}
	t.words = newWords(t.cmp)
	t.exact = !t.keyed && t.cmp.HintIsKey()
	return t
}

func (t *tree) Def() *Def { return t.def }

func (t *tree) Len() int { return t.size }

func (t *tree) Bytes() int64 {
	return int64(t.leaves)*leafBytes + int64(t.inners)*innerBytes + t.keyBytes
}

// probe is what a search looks for: the place before, or behind, the items that equal a key or an item.
type probe struct {
	hint  uint64
	item  *tuple.Tuple // nil: the key is looked for
	key   []byte
	n     int
	upper bool // behind them
	words int8 // how many of word are known
	word  [maxWords - 1]uint64
}

func (t *tree) keyProbe(key []byte, n int, upper bool) probe {
	return probe{hint: t.cmp.HintKey(key, n), key: key, n: n, upper: upper}
}

// keyOf returns what an item is ordered by.
func (t *tree) keyOf(it unsafe.Pointer) *tuple.Tuple {
	if t.keyed {
		return (*entry)(it).key
	}
	return (*tuple.Tuple)(it)
}

// tupleOf returns the tuple that an item stands for.
func (t *tree) tupleOf(it unsafe.Pointer) *tuple.Tuple {
	if t.keyed {
		return (*entry)(it).tuple
	}
	return (*tuple.Tuple)(it)
}

// compare tells where an item stands, seen from what the probe looks for.
func (t *tree) compare(it unsafe.Pointer, p *probe) int {
	if p.item != nil {
		return t.cmp.Compare(t.keyOf(it), p.item)
	}
	return t.cmp.CompareKey(t.keyOf(it), p.key, p.n)
}

// bound returns how many of the items of a node stand before the probe.
func (t *tree) bound(h *head, hints []uint64, items []unsafe.Pointer, p *probe) int {
	hint := p.hint
	if h.depth > 0 {
		var at side
		switch hint, at = t.enter(h, p); {
		case at == before || at == equals && !p.upper:
			return 0
		case at != within:
			return len(items)
		}
	}
	lo := lowerHint(hints, hint)
	if lo == len(hints) || hints[lo] != hint {
		return lo
	}
	hi := lo + sameHint(hints[lo:], hint)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		if c := t.compare(items[mid], p); c < 0 || c == 0 && p.upper {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo
}

// find returns how many of the items of a node stand before what the probe looks for, and whether the next one
// equals it.
func (t *tree) find(h *head, hints []uint64, items []unsafe.Pointer, p *probe) (int, bool) {
	hint := p.hint
	if h.depth > 0 {
		var at side
		switch hint, at = t.enter(h, p); at {
		case before:
			return 0, false
		case behind:
			return len(items), false
		case equals:
			return 0, len(items) > 0
		}
	}
	lo := lowerHint(hints, hint)
	if lo == len(hints) || hints[lo] != hint {
		return lo, false
	}
	if t.exact {
		return lo, true
	}
	hi := lo + sameHint(hints[lo:], hint)
	for lo < hi {
		mid := int(uint(lo+hi) >> 1)
		c := t.compare(items[mid], p)
		if c == 0 {
			return mid, true
		}
		if c < 0 {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, false
}

func (t *tree) boundLeaf(l *leaf, p *probe) int {
	return t.bound(&l.head, l.hints[:l.n], l.items[:l.n], p)
}

func (t *tree) findLeaf(l *leaf, p *probe) (int, bool) {
	return t.find(&l.head, l.hints[:l.n], l.items[:l.n], p)
}

// findKid returns the child of an inner node in which the one item that equals the probe would have to be.
func (t *tree) findKid(in *inner, p *probe) int {
	i, eq := t.find(&in.head, in.hints[1:in.n], in.items[1:in.n], p)
	if eq {
		i++
	}
	return i
}

// step is a node on the way down and the child that the way takes.
type step struct {
	in *inner
	i  int
}

// path is a way from the root to a leaf.
type path [maxDepth]step

// locate finds the place of the one item that equals the probe. The way goes to the leaf where it would have
// to be.
func (t *tree) locate(p *probe, pt *path) (l *leaf, pos int, found bool) {
	node := t.root
	if node == nil {
		return nil, 0, false
	}
	if f := t.finger(p.hint); f != nil {
		for h := range t.height {
			in := (*inner)(node)
			i := int(f.way[h])
			pt[h] = step{in, i}
			node = in.kids[i]
		}
		l = (*leaf)(node)
		pos, found = t.pick(f, l, p)
		return l, pos, found
	}
	for h := 0; h < t.height; h++ {
		in := (*inner)(node)
		i := t.findKid(in, p)
		pt[h] = step{in, i}
		node = in.kids[i]
	}
	l = (*leaf)(node)
	pos, found = t.findLeaf(l, p)
	return l, pos, found
}

// lookup returns the item that equals the probe, nil when there is none.
func (t *tree) lookup(p *probe) unsafe.Pointer {
	node := t.root
	if node == nil {
		return nil
	}
	if f := t.finger(p.hint); f != nil {
		for h := range t.height {
			node = (*inner)(node).kids[f.way[h]]
		}
		l := (*leaf)(node)
		if pos, found := t.pick(f, l, p); found {
			return l.items[pos]
		}
		return nil
	}
	for h := t.height; h > 0; h-- {
		in := (*inner)(node)
		node = in.kids[t.findKid(in, p)]
	}
	l := (*leaf)(node)
	if pos, found := t.findLeaf(l, p); found {
		return l.items[pos]
	}
	return nil
}

// seek goes to the first item that doesn't stand before the probe; pos may be the end of the leaf.
func (t *tree) seek(p *probe, pt *path) (l *leaf, pos int) {
	node := t.root
	if node == nil {
		return nil, 0
	}
	for h := 0; h < t.height; h++ {
		in := (*inner)(node)
		i := t.bound(&in.head, in.hints[1:in.n], in.items[1:in.n], p)
		pt[h] = step{in, i}
		node = in.kids[i]
	}
	l = (*leaf)(node)
	return l, t.boundLeaf(l, p)
}

// seekRank goes to the item that has rank others before it. The rank must be less than the size.
func (t *tree) seekRank(rank int, pt *path) (l *leaf, pos int) {
	node := t.root
	for h := 0; h < t.height; h++ {
		in := (*inner)(node)
		i := 0
		for rank >= in.counts[i] {
			rank -= in.counts[i]
			i++
		}
		pt[h] = step{in, i}
		node = in.kids[i]
	}
	return (*leaf)(node), rank
}

// rank returns how many items stand before the probe.
func (t *tree) rank(p *probe) int {
	var pt path
	_, pos := t.seek(p, &pt)
	return t.rankOf(&pt, pos)
}

func (t *tree) rankOf(pt *path, pos int) int {
	for h := 0; h < t.height; h++ {
		pos += pt[h].in.sum(pt[h].i)
	}
	return pos
}

// Get implements Index.
func (t *tree) Get(key []byte, n int) *tuple.Tuple {
	if n == 0 {
		return nil
	}
	p := t.keyProbe(key, n, false)
	if it := t.lookup(&p); it != nil {
		return t.tupleOf(it)
	}
	return nil
}

// Min implements Index.
func (t *tree) Min(key []byte, n int) (*tuple.Tuple, error) { return t.first(EQ, key, n) }

// Max implements Index.
func (t *tree) Max(key []byte, n int) (*tuple.Tuple, error) { return t.first(REQ, key, n) }

func (t *tree) first(typ IteratorType, key []byte, n int) (*tuple.Tuple, error) {
	var it treeIterator
	if err := it.init(t, typ, key, n, nil); err != nil {
		return nil, err
	}
	return it.Next(), nil
}

// Random implements Index.
func (t *tree) Random(seed uint32) *tuple.Tuple {
	if t.size == 0 {
		return nil
	}
	var pt path
	l, pos := t.seekRank(int(uint64(seed)%uint64(t.size)), &pt)
	return t.tupleOf(l.items[pos])
}

// Count implements Index.
func (t *tree) Count(typ IteratorType, key []byte, n int) (int, error) {
	w, err := t.plan(typ, key, n, nil)
	if err != nil {
		return 0, err
	}
	switch {
	case w.nothing:
		return 0, nil
	case w.n == 0:
		return t.size, nil
	}
	p := t.keyProbe(w.key, w.n, w.upper)
	r := t.rank(&p)
	switch {
	case w.stop:
		p.upper = !p.upper
		if s := t.rank(&p); s > r {
			return s - r, nil
		} else {
			return r - s, nil
		}
	case w.reverse:
		return r, nil
	}
	return t.size - r, nil
}

// Snapshot implements Index. It costs the same whatever the size of the tree.
func (t *tree) Snapshot() Index {
	s := *t
	s.frozen, s.fingers = true, nil
	if t.fresh && !t.frozen {
		t.gen++
		t.fresh = false
	}
	return &s
}

// AppendPosition implements Index.
func (t *tree) AppendPosition(dst []byte, tp *tuple.Tuple) ([]byte, error) {
	if t.keyed {
		return dst, t.def.Unsupported("position by tuple")
	}
	return t.def.CmpDef.ExtractKey(dst, tp), nil
}

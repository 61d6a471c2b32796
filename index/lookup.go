package index

import (
	"unsafe"

	"github.com/lycosadb/lycosa/tuple"
)

// Lookup is one of several searches that are made together, see GetAll.
type Lookup struct {
	// Index is where to look, Key and N the key with all parts of a unique index, as for Index.Get.
	Index Index
	Key   []byte
	N     int
	// Tuple is what was found, nil if there is no such tuple.
	Tuple *tuple.Tuple

	// How far the search of a tree has come.
	tree  *tree
	other bool   // an index that isn't searched side by side with others
	seen  uint64 // the version of the tree
	probe probe
	node  unsafe.Pointer
	rows  int // of inner nodes from node on
	at    int // the place in the leaf
	keeps bool
	way   [fingerRows]uint8 // with keeps: see finger
}

// cached is how many inner nodes may be taken to stay in the processor's cache, so that there is no need to ask for them.
const cached = 64

// GetAll makes several lookups. The searches go down their trees side by side: what one of them has to wait for from memory
// comes while the others are looked at, so that many together take much less time than one after the other.
func GetAll(list []Lookup) {
	fetch(list, false)
	for i := range list {
		if l := &list[i]; l.tree != nil {
			l.finish()
		} else if l.other {
			l.Tuple = l.Index.Get(l.Key, l.N)
		}
	}
}

// Current tells whether the index still holds what GetAll has found there. Only trees know.
func (l *Lookup) Current() bool {
	t, ok := plainTree(l.Index)
	return ok && l.seen == t.version
}

// Fetch goes with lookups as far as to have what they lead to in the processor's cache, and finds nothing. The keys may be of
// wrong types. Whoever looks for one of the keys soon finds it sooner, which is why nobody else may use the indexes meanwhile.
func Fetch(list []Lookup) { fetch(list, true) }

// fetch is Fetch; with keep it leaves fingers in the trees.
func fetch(list []Lookup, keep bool) {
	rows := 0
	for i := range list {
		l := &list[i]
		l.Tuple, l.tree, l.rows, l.other = nil, nil, 0, false
		t, ok := plainTree(l.Index)
		if ok {
			l.seen = t.version
		}
		if !ok || l.N == 0 {
			l.other = true
		} else if t.root != nil {
			l.tree, l.node, l.rows = t, t.root, t.height
			l.keeps = keep && t.keepFingers()
			l.probe.reset(t.cmp.HintKey(l.Key, l.N), l.Key, l.N)
			rows = max(rows, t.height)
		}
	}
	for ; rows > 0; rows-- {
		for i := range list {
			if l := &list[i]; l.rows == rows {
				l.descend()
			}
		}
	}
	for i := range list {
		if l := &list[i]; l.tree != nil {
			l.arrive()
		}
	}
	for i := range list {
		if l := &list[i]; l.tree != nil {
			l.touch()
		}
	}
}

// plainTree returns the tree behind an index, unless its entries aren't tuples.
func plainTree(x Index) (*tree, bool) {
	t, ok := x.(*tree)
	return t, ok && !t.keyed
}

func (p *probe) reset(hint uint64, key []byte, n int) {
	p.hint, p.item, p.key, p.n, p.upper, p.words = hint, nil, key, n, false, 0
}

// descend goes from an inner node to its child.
func (l *Lookup) descend() {
	in := (*inner)(l.node)
	i := l.tree.findKid(in, &l.probe)
	if l.keeps {
		l.way[l.tree.height-l.rows] = uint8(i)
	}
	l.node = in.kids[i]
	l.rows--
	if l.rows > 0 {
		if l.tree.inners > cached {
			n := (*inner)(l.node)
			prefetch(unsafe.Pointer(n), 1)
			prefetch(unsafe.Pointer(&n.hints), hintLines)
		}
		return
	}
	n := (*leaf)(l.node)
	prefetch(unsafe.Pointer(n), 1)
	prefetch(unsafe.Pointer(&n.hints), hintLines)
}

// hintLines is how many lines of the cache the hints of a node take.
const hintLines = (leafCap*8 + 63) / 64

// arrive finds the place in the leaf as far as the hints tell it.
func (l *Lookup) arrive() {
	n := (*leaf)(l.node)
	hint := l.probe.hint
	if n.depth > 0 {
		var at side
		if hint, at = l.tree.enter(&n.head, &l.probe); at != within {
			l.at = -1 // left to finish
			return
		}
	}
	l.at = lowerHint(n.hints[:n.n], hint)
	if l.keeps {
		*l.tree.fingers.of(hint) = finger{hint, l.tree.shape, l.way, uint8(l.at)}
	}
	if l.at == int(n.n) || n.hints[l.at] != hint {
		l.tree = nil // it isn't there
		return
	}
	prefetch(unsafe.Pointer(&n.items[l.at]), 1)
}

// tupleLines is how many lines of a tuple are asked for: what short tuples take.
const tupleLines = 2

// touch asks for the tuple that it must be, if any.
func (l *Lookup) touch() {
	if l.at >= 0 {
		prefetch((*leaf)(l.node).items[l.at], tupleLines)
	}
}

// finish compares with the tuple, or tuples, that the hints could not tell apart.
func (l *Lookup) finish() {
	t, n := l.tree, (*leaf)(l.node)
	if l.at >= 0 && t.exact {
		l.Tuple = (*tuple.Tuple)(n.items[l.at])
	} else if at, found := t.findLeaf(n, &l.probe); found {
		l.Tuple = (*tuple.Tuple)(n.items[at])
	}
	l.tree, l.node = nil, nil
}

package index

import (
	"unsafe"

	"github.com/lycosadb/lycosa/tuple"
)

// Loader fills an empty index with tuples that come one after the other. As long as they come in the order of a tree, each
// goes to its place in a leaf at once, without a search; others are collected for BulkLoad.
type Loader struct {
	index Index
	tree  *tree // nil: they are collected
	leaf  *leaf // the last one, which is being filled
	row   []kid // the leaves
	last  hinted
	size  int
	list  []*tuple.Tuple
}

// NewLoader begins to fill an index, which nothing else may change before End.
func NewLoader(x Index) *Loader {
	l := &Loader{index: x}
	if t, ok := plainTree(x); ok && t.size == 0 && !t.frozen && !t.excludes {
		l.tree = t
	}
	return l
}

// Len is the number of tuples that were added.
func (l *Loader) Len() int { return l.size }

// Add adds a tuple with its hint by the index's KeyDef.
func (l *Loader) Add(tp *tuple.Tuple, hint uint64) {
	l.size++
	t := l.tree
	if t == nil {
		l.list = append(l.list, tp)
		return
	}
	it := unsafe.Pointer(tp)
	if l.leaf != nil && hint <= l.last.hint && (hint < l.last.hint || t.exact || t.cmp.Compare(t.keyOf(l.last.item), tp) >= 0) {
		l.collect()
		l.list = append(l.list, tp)
		return
	}
	if l.leaf == nil || l.leaf.n == loadFill {
		l.endLeaf()
		l.leaf = t.newLeaf()
		l.row = append(l.row, kid{unsafe.Pointer(l.leaf), hinted{hint: hint, item: it}, 0})
	}
	n := l.leaf.n
	l.leaf.items[n], l.leaf.hints[n] = it, hint
	l.leaf.n = n + 1
	l.last.hint, l.last.item = hint, it
}

func (l *Loader) endLeaf() {
	if l.leaf != nil {
		l.row[len(l.row)-1].count = int(l.leaf.n)
		l.tree.deepenLeaf(l.leaf)
	}
}

// collect takes the tuples back out of the leaves: they are not in order.
func (l *Loader) collect() {
	l.list = make([]*tuple.Tuple, 0, 2*l.size)
	for _, k := range l.row {
		f := (*leaf)(k.node)
		for _, it := range f.items[:f.n] {
			l.list = append(l.list, l.tree.tupleOf(it))
		}
	}
	l.tree.clear()
	l.tree, l.leaf, l.row = nil, nil, nil
}

// End makes the index hold the tuples. The error is that of BulkLoad; the index is empty then.
func (l *Loader) End() error {
	if l.tree == nil {
		return l.index.BulkLoad(l.list)
	}
	l.endLeaf()
	l.tree.version++
	l.tree.size = l.size
	l.tree.raise(l.row)
	return nil
}

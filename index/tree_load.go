package index

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	"github.com/lycosadb/lycosa/tuple"
)

// hinted is an item on its way into a tree, with the first two words of its key.
type hinted struct {
	hint, second uint64
	item         unsafe.Pointer
}

func (t *tree) hinted(it unsafe.Pointer) hinted {
	h := hinted{hint: t.itemWord(it, 0), item: it}
	if t.words.count > 1 {
		h.second = t.itemWord(it, 1)
	}
	return h
}

// loadFill is how many entries BulkLoad puts into a leaf: nearly all that fit, with room for the first inserts.
const loadFill = leafCap - leafSlack/4

// loadChunk is the least number of items that is worth a goroutine of its own.
const loadChunk = 1 << 14

// BulkLoad implements Index.
func (t *tree) BulkLoad(tuples []*tuple.Tuple) error {
	if t.frozen {
		return errReadOnly()
	}
	if t.size > 0 {
		return t.insertAll(tuples)
	}
	var items []hinted
	if t.keyed {
		for _, tp := range tuples {
			entries, err := t.entries(tp)
			if err != nil {
				return err
			}
			for _, e := range entries {
				items = append(items, t.hinted(unsafe.Pointer(&e)))
			}
		}
	} else {
		items = make([]hinted, 0, len(tuples))
		for _, tp := range tuples {
			if !t.excludes || !t.def.KeyDef.Excludes(tp, 0) {
				items = append(items, hinted{item: unsafe.Pointer(tp)})
			}
		}
		inParallel(len(items), func(from, to int) {
			for i := from; i < to; i++ {
				items[i] = t.hinted(items[i].item)
			}
		})
	}
	t.sort(items)
	kept := items[:0]
	for i := range items {
		if i > 0 && t.order(items[i-1], items[i]) == 0 {
			if t.tupleOf(items[i-1].item) != t.tupleOf(items[i].item) {
				return t.insertAll(tuples) // to fail at the tuple that an insert would fail at
			}
			continue
		}
		kept = append(kept, items[i])
	}
	if t.keyed {
		for i := range kept {
			t.keyBytes += (*entry)(kept[i].item).bytes()
		}
	}
	t.build(kept)
	return nil
}

// insertAll inserts tuples one by one. When one fails the tree is left empty.
func (t *tree) insertAll(tuples []*tuple.Tuple) error {
	for _, tp := range tuples {
		if _, err := t.Replace(nil, tp, InsertOnly); err != nil {
			t.clear()
			return err
		}
	}
	return nil
}

func (t *tree) clear() {
	t.version++
	t.ascending = false
	t.root, t.height, t.size, t.leaves, t.inners, t.keyBytes = nil, 0, 0, 0, 0, 0
}

func (t *tree) order(a, b hinted) int {
	if c := cmp.Compare(a.hint, b.hint); c != 0 {
		return c
	}
	if c := cmp.Compare(a.second, b.second); c != 0 {
		return c
	}
	return t.cmp.Compare(t.keyOf(a.item), t.keyOf(b.item))
}

// build makes the tree of items that are in order.
func (t *tree) build(items []hinted) {
	t.version++
	t.size = len(items)
	if len(items) == 0 {
		return
	}
	var row []kid
	for n := (len(items) + loadFill - 1) / loadFill; n > 0; n-- {
		take := (len(items) + n - 1) / n // spread evenly
		l := t.newLeaf()
		l.n = int16(take)
		for i, it := range items[:take] {
			l.items[i], l.hints[i] = it.item, it.hint
		}
		t.deepenLeaf(l)
		row = append(row, kid{unsafe.Pointer(l), items[0], take})
		items = items[take:]
	}
	t.raise(row)
}

// raise makes the inner nodes above leaves.
func (t *tree) raise(row []kid) {
	if len(row) == 0 {
		return
	}
	for len(row) > 1 {
		var above []kid
		for n := (len(row) + innerCap - 1) / innerCap; n > 0; n-- {
			take := (len(row) + n - 1) / n
			in := t.newInner()
			for i, k := range row[:take] {
				in.kids[i], in.items[i], in.hints[i], in.counts[i] = k.node, k.first.item, k.first.hint, k.count
			}
			in.n = int16(take)
			in.items[0] = nil
			t.deepenInner(in)
			above = append(above, kid{unsafe.Pointer(in), row[0].first, in.sum(take)})
			row = row[take:]
		}
		row = above
		t.height++
	}
	t.root = row[0].node
	t.reshaped()
}

// kid is a node that raise has still to put below another.
type kid struct {
	node  unsafe.Pointer
	first hinted
	count int
}

// sort sorts items, in parts side by side that are then merged.
func (t *tree) sort(items []hinted) {
	if slices.IsSortedFunc(items, t.order) {
		return
	}
	parts := min(runtime.GOMAXPROCS(0), len(items)/loadChunk)
	t.sortParts(items, make([]hinted, len(items)), parts)
}

// sortParts sorts items with as many goroutines as there are parts. spare is as long as items.
func (t *tree) sortParts(items, spare []hinted, parts int) {
	if parts < 2 {
		t.sortWords(items, spare, 0)
		return
	}
	mid := len(items) / 2
	var wg sync.WaitGroup
	wg.Go(func() { t.sortParts(items[:mid], spare[:mid], parts/2) })
	t.sortParts(items[mid:], spare[mid:], parts-parts/2)
	wg.Wait()
	copy(spare, items)
	a, b := spare[:mid], spare[mid:]
	for i := range items {
		if len(b) == 0 || len(a) > 0 && t.order(a[0], b[0]) <= 0 {
			items[i], a = a[0], a[1:]
		} else {
			items[i], b = b[0], b[1:]
		}
	}
}

// radixFrom is the number of items from which counting their bytes is faster than comparing them.
const radixFrom = 1 << 9

// sortWords sorts items that are equal in the words before the given one: by that word byte by byte, and those that are
// equal in it too by the next one, until there is none and keys have to be compared. spare is as long as items.
func (t *tree) sortWords(items, spare []hinted, word int) {
	if len(items) < radixFrom || word > 1 || word == 1 && t.words.count < 2 {
		if !slices.IsSortedFunc(items, t.order) {
			slices.SortFunc(items, t.order)
		}
		return
	}
	radixSort(items, spare, word)
	for from := 0; from < len(items); {
		to := from + 1
		for to < len(items) && items[to].word(word) == items[from].word(word) {
			to++
		}
		if to-from > 1 {
			t.sortWords(items[from:to], spare[from:to], word+1)
		}
		from = to
	}
}

func (h *hinted) word(i int) uint64 {
	if i == 0 {
		return h.hint
	}
	return h.second
}

// radixSort sorts items by one of their words, from its last byte to the first, without the bytes that all of them have.
func radixSort(items, spare []hinted, word int) {
	differ := uint64(0)
	for i := range items {
		differ |= items[i].word(word) ^ items[0].word(word)
	}
	from, to := items, spare
	for shift := 0; shift < 64; shift += 8 {
		if byte(differ>>shift) == 0 {
			continue
		}
		var at [256]int // how many items have the byte, then where the next one of them goes
		for i := range from {
			at[byte(from[i].word(word)>>shift)]++
		}
		sum := 0
		for b, n := range at {
			at[b] = sum
			sum += n
		}
		for i := range from {
			b := byte(from[i].word(word) >> shift)
			to[at[b]] = from[i]
			at[b]++
		}
		from, to = to, from
	}
	if &from[0] != &items[0] {
		copy(items, from)
	}
}

// inParallel calls f for parts of the numbers from 0 to n (exclusive), on as many processors as there are.
func inParallel(n int, f func(from, to int)) {
	parts := min(runtime.GOMAXPROCS(0), n/loadChunk)
	var wg sync.WaitGroup
	for i := 0; i < parts-1; i++ {
		wg.Go(func() { f(n/parts*i, n/parts*(i+1)) })
	}
	f(n/max(parts, 1)*max(parts-1, 0), n)
	wg.Wait()
}

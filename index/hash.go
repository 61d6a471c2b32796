package index

import (
	"unsafe"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/tuple"
)

// hash is a HASH index: an extendible hash table. The first bits of a hash choose a page through the directory,
// and in its page an entry stands near the place that its further bits name, as entries are in the order of their
// hashes and those are spread evenly. A page that is full is split, so growing never stops the world, and the whole
// table is in the order of the hashes, which iterators use.
//
// Pages are shared with snapshots as the nodes of a tree are.
type hash struct {
	def    *Def
	hasher keyHasher

	dir     []*page // 1 << depth of them; pages of less depth stand in several places
	depth   uint8
	size    int
	gen     uint32
	shared  bool // the directory is a snapshot's too
	frozen  bool
	version uint64
	pages   int
	room    int // for entries, in all pages
}

// page holds the entries whose hashes begin with the same depth bits, in the order of hash and key.
type page struct {
	gen    uint32
	depth  uint8
	hashes []uint32
	items  []*tuple.Tuple
}

const (
	// pageCap is when a page is split. With it the two slices fill size classes of Go's allocator.
	pageCap = 127
	// maxHashDepth limits the directory. Pages of that depth grow instead of being split.
	maxHashDepth = 28

	slotBytes = 12
)

// NewHash makes an empty HASH index.
func NewHash(def *Def) Index {
	if def.CmpDef == nil {
		def.CmpDef = def.KeyDef
	}
	return &hash{def: def, hasher: newKeyHasher(def.KeyDef)}
}

func (h *hash) Def() *Def { return h.def }

func (h *hash) Len() int { return h.size }

func (h *hash) Bytes() int64 {
	return int64(len(h.dir))*8 + int64(h.pages)*int64(unsafe.Sizeof(page{})) + int64(h.room)*slotBytes
}

// at returns the place in the directory for a hash.
func (h *hash) at(x uint32) int { return int(x >> (32 - h.depth)) }

// lower returns how many entries have a lesser hash.
func (p *page) lower(x uint32) int {
	n := len(p.hashes)
	i := int(uint64(x<<p.depth) * uint64(n) >> 32)
	for i > 0 && p.hashes[i-1] >= x {
		i--
	}
	for i < n && p.hashes[i] < x {
		i++
	}
	return i
}

// find returns the place of the tuple with the key of t, or where it would have to be.
func (h *hash) find(p *page, x uint32, t *tuple.Tuple) (i int, found bool) {
	for i = p.lower(x); i < len(p.hashes) && p.hashes[i] == x; i++ {
		if c := h.def.KeyDef.Compare(p.items[i], t); c >= 0 {
			return i, c == 0
		}
	}
	return i, false
}

// findKey is find for a key.
func (h *hash) findKey(p *page, x uint32, key []byte, n int) (i int, found bool) {
	for i = p.lower(x); i < len(p.hashes) && p.hashes[i] == x; i++ {
		if c := h.def.KeyDef.CompareKey(p.items[i], key, n); c >= 0 {
			return i, c == 0
		}
	}
	return i, false
}

// Get implements Index.
func (h *hash) Get(key []byte, n int) *tuple.Tuple {
	if h.size == 0 || n != len(h.def.KeyDef.Parts) {
		return nil
	}
	x := h.hasher.hash(key, n)
	p := h.dir[h.at(x)]
	if i, found := h.findKey(p, x, key, n); found {
		return p.items[i]
	}
	return nil
}

// Replace implements Index.
func (h *hash) Replace(old, new *tuple.Tuple, mode Mode) (*tuple.Tuple, error) {
	if h.frozen {
		return nil, errReadOnly()
	}
	if new != nil {
		x := h.hasher.tuple(new)
		i, found := 0, false
		if h.size > 0 {
			i, found = h.find(h.dir[h.at(x)], x, new)
		}
		if found {
			dup := h.dir[h.at(x)].items[i]
			if dup != old && (mode == InsertOnly || old != nil) {
				return nil, h.def.duplicate(dup, new)
			}
			h.version++
			h.own(x).items[i] = new
			return dup, nil
		}
		h.insert(x, i, new)
	}
	if old == nil || h.size == 0 {
		return nil, nil
	}
	x := h.hasher.tuple(old)
	p := h.dir[h.at(x)]
	i, found := h.find(p, x, old)
	if !found || p.items[i] != old {
		return nil, nil
	}
	h.remove(x, i)
	return old, nil
}

// own returns the page for a hash, as one that the table may change.
func (h *hash) own(x uint32) *page {
	h.ownDir()
	p := h.dir[h.at(x)]
	if p.gen != h.gen {
		c := &page{gen: h.gen, depth: p.depth}
		c.hashes = append(make([]uint32, 0, cap(p.hashes)), p.hashes...)
		c.items = append(make([]*tuple.Tuple, 0, cap(p.items)), p.items...)
		h.set(x, c)
		p = c
	}
	return p
}

func (h *hash) ownDir() {
	if h.shared {
		h.dir = append([]*page(nil), h.dir...)
		h.shared = false
	}
}

// set makes p the page for all hashes that begin as x does, as far as p's depth goes.
func (h *hash) set(x uint32, p *page) {
	wide := 1 << (h.depth - p.depth)
	from := h.at(x) &^ (wide - 1)
	for i := range h.dir[from : from+wide] {
		h.dir[from+i] = p
	}
}

// insert puts a tuple at place i of the page for its hash.
func (h *hash) insert(x uint32, i int, t *tuple.Tuple) {
	h.version++
	h.size++
	if h.dir == nil {
		h.dir = []*page{{gen: h.gen}}
		h.pages = 1
	}
	p := h.own(x)
	for len(p.items) >= pageCap && p.depth < maxHashDepth {
		low, high := h.split(x, p)
		if x>>(32-low.depth)&1 == 0 {
			p = low
		} else {
			p, i = high, i-len(low.items)
		}
	}
	if n := len(p.items); n == cap(p.items) {
		h.resize(p, pageRoom(n+1))
	}
	n := len(p.items)
	p.hashes, p.items = p.hashes[:n+1], p.items[:n+1]
	copy(p.hashes[i+1:], p.hashes[i:n])
	copy(p.items[i+1:], p.items[i:n])
	p.hashes[i], p.items[i] = x, t
}

// pageRoom returns for how many entries a page of n is made, with about a tenth more than it needs.
func pageRoom(n int) int {
	switch {
	case n > pageCap:
		return n + n/8
	case n > 4*16:
		return min((n+15)&^15, pageCap)
	}
	return (n + n/8 + 7) &^ 7
}

func (h *hash) resize(p *page, room int) {
	h.room += room - cap(p.items)
	p.hashes = append(make([]uint32, 0, room), p.hashes...)
	p.items = append(make([]*tuple.Tuple, 0, room), p.items...)
}

// split makes two pages of one, by the bit behind those that its entries have in common.
func (h *hash) split(x uint32, p *page) (low, high *page) {
	if p.depth == h.depth {
		dir := make([]*page, 2*len(h.dir))
		for i, q := range h.dir {
			dir[2*i], dir[2*i+1] = q, q
		}
		h.dir = dir
		h.depth++
	}
	bit := uint32(1) << (31 - p.depth)
	prefix := x &^ (bit<<1 - 1)
	mid := p.lower(prefix | bit)
	part := func(from, to int) *page {
		room := pageRoom(to - from + 1)
		return &page{
			gen: h.gen, depth: p.depth + 1,
			hashes: append(make([]uint32, 0, room), p.hashes[from:to]...),
			items:  append(make([]*tuple.Tuple, 0, room), p.items[from:to]...),
		}
	}
	low, high = part(0, mid), part(mid, len(p.items))
	h.pages++
	h.room += cap(low.items) + cap(high.items) - cap(p.items)
	h.set(prefix, low)
	h.set(prefix|bit, high)
	return low, high
}

// remove takes out the tuple at place i of the page for its hash.
func (h *hash) remove(x uint32, i int) {
	h.version++
	h.size--
	p := h.own(x)
	n := len(p.items) - 1
	copy(p.hashes[i:], p.hashes[i+1:])
	copy(p.items[i:], p.items[i+1:])
	p.items[n] = nil
	p.hashes, p.items = p.hashes[:n], p.items[:n]
	h.merge(x, p)
	if h.size == 0 {
		h.clear()
	}
}

// merge makes one page of two that are nearly empty.
func (h *hash) merge(x uint32, p *page) {
	for p.depth > 0 && len(p.items) < pageCap/4 {
		bit := uint32(1) << (32 - p.depth)
		q := h.dir[h.at(x^bit)]
		if q.depth != p.depth || len(p.items)+len(q.items) > pageCap/2 {
			return
		}
		low, high := p, q
		if x&bit != 0 {
			low, high = q, p
		}
		room := pageRoom(len(low.items) + len(high.items))
		m := &page{gen: h.gen, depth: p.depth - 1}
		m.hashes = append(append(make([]uint32, 0, room), low.hashes...), high.hashes...)
		m.items = append(append(make([]*tuple.Tuple, 0, room), low.items...), high.items...)
		h.pages--
		h.room += room - cap(p.items) - cap(q.items)
		h.set(x, m)
		p = m
	}
}

func (h *hash) clear() {
	h.version++
	h.dir, h.depth, h.size, h.pages, h.room, h.shared = nil, 0, 0, 0, 0, false
}

// atEnd is behind every directory: an iterator stays at the end when the table grows.
const atEnd = 1 << 62

// hashIterator walks over a table in the order of hash and key.
type hashIterator struct {
	h       *hash
	version uint64
	at      int // in the directory
	i       int // in the page
	last    *tuple.Tuple
}

// Next implements Iterator.
func (it *hashIterator) Next() *tuple.Tuple {
	if it.version != it.h.version {
		it.resume()
	}
	for it.at < len(it.h.dir) {
		p := it.h.dir[it.at]
		if it.i < len(p.items) {
			it.last = p.items[it.i]
			it.i++
			return it.last
		}
		it.nextPage(p)
	}
	it.at = atEnd
	return nil
}

func (it *hashIterator) nextPage(p *page) {
	it.at += 1 << (it.h.depth - p.depth)
	it.i = 0
}

// resume finds the place behind the last tuple in a table that has changed.
func (it *hashIterator) resume() {
	h := it.h
	it.version = h.version
	if it.at == atEnd {
		return
	}
	it.at, it.i = 0, 0
	if it.last == nil || h.size == 0 {
		return
	}
	x := h.hasher.tuple(it.last)
	i, found := h.find(h.dir[h.at(x)], x, it.last)
	if found {
		i++
	}
	it.place(x, i)
}

func (it *hashIterator) place(x uint32, i int) {
	p := it.h.dir[it.h.at(x)]
	it.at, it.i = it.h.at(x)&^(1<<(it.h.depth-p.depth)-1), i
}

// Skip implements Skipper.
func (it *hashIterator) Skip(n int) {
	if n <= 0 {
		return
	}
	if it.version != it.h.version {
		it.resume()
	}
	for it.at < len(it.h.dir) {
		p := it.h.dir[it.at]
		if left := len(p.items) - it.i; n <= left {
			it.i += n
			it.last = p.items[it.i-1]
			return
		} else {
			n -= left
		}
		it.nextPage(p)
	}
}

// oneIterator returns a single tuple.
type oneIterator struct{ t *tuple.Tuple }

// Next implements Iterator.
func (it *oneIterator) Next() *tuple.Tuple {
	t := it.t
	it.t = nil
	return t
}

// plan checks a search.
func (h *hash) plan(typ IteratorType, n int, after Position) error {
	if len(after) > 0 {
		return h.def.Unsupported("pagination")
	}
	switch typ {
	case ALL, EQ, GT:
	default:
		return h.def.Unsupported(iteratorFeature)
	}
	if parts := len(h.def.KeyDef.Parts); n < parts && (n > 0 || typ == EQ) {
		return boxerr.New(boxerr.PartialKey, h.def.Type.String(), parts, n)
	}
	return nil
}

// walk starts a walk that isn't EQ. Behind a key that isn't there stands nothing.
func (h *hash) walk(typ IteratorType, key []byte, n int) hashIterator {
	it := hashIterator{h: h, version: h.version}
	if typ == GT && n > 0 && h.size > 0 {
		x := h.hasher.hash(key, n)
		p := h.dir[h.at(x)]
		i, found := h.findKey(p, x, key, n)
		if !found {
			it.at = atEnd
			return it
		}
		it.last = p.items[i]
		it.place(x, i+1)
	}
	return it
}

// Iterate implements Index.
func (h *hash) Iterate(typ IteratorType, key []byte, n int, after Position) (Iterator, error) {
	if err := h.plan(typ, n, after); err != nil {
		return nil, err
	}
	if typ == EQ {
		return &oneIterator{h.Get(key, n)}, nil
	}
	it := h.walk(typ, key, n)
	return &it, nil
}

// Select implements Index.
func (h *hash) Select(dst []*tuple.Tuple, typ IteratorType, key []byte, n int, after Position, offset, limit int) ([]*tuple.Tuple, error) {
	if err := h.plan(typ, n, after); err != nil {
		return dst, err
	}
	if typ == EQ {
		if offset > 0 || limit <= 0 {
			return dst, nil
		}
		if t := h.Get(key, n); t != nil {
			dst = append(dst, t)
		}
		return dst, nil
	}
	it := h.walk(typ, key, n)
	it.Skip(offset)
	for ; limit > 0; limit-- {
		t := it.Next()
		if t == nil {
			break
		}
		dst = append(dst, t)
	}
	return dst, nil
}

// Count implements Index.
func (h *hash) Count(typ IteratorType, key []byte, n int) (int, error) {
	if err := h.plan(typ, n, nil); err != nil {
		return 0, err
	}
	if typ == EQ {
		if h.Get(key, n) == nil {
			return 0, nil
		}
		return 1, nil
	}
	if typ == ALL || n == 0 {
		return h.size, nil
	}
	count := 0
	for it := h.walk(typ, key, n); it.Next() != nil; {
		count++
	}
	return count, nil
}

// Min implements Index.
func (h *hash) Min([]byte, int) (*tuple.Tuple, error) { return nil, h.def.Unsupported("min()") }

// Max implements Index.
func (h *hash) Max([]byte, int) (*tuple.Tuple, error) { return nil, h.def.Unsupported("max()") }

// Random implements Index.
func (h *hash) Random(seed uint32) *tuple.Tuple {
	if h.size == 0 {
		return nil
	}
	for at := int(uint64(seed) * uint64(len(h.dir)) >> 32); ; at++ {
		if p := h.dir[at%len(h.dir)]; len(p.items) > 0 {
			return p.items[int(seed)%len(p.items)]
		}
	}
}

// AppendPosition implements Index.
func (h *hash) AppendPosition(dst []byte, _ *tuple.Tuple) ([]byte, error) {
	return dst, h.def.Unsupported("pagination")
}

// Snapshot implements Index.
func (h *hash) Snapshot() Index {
	s := *h
	s.frozen = true
	if !h.frozen {
		h.gen++
		h.shared = true
	}
	return &s
}

// BulkLoad implements Index.
func (h *hash) BulkLoad(tuples []*tuple.Tuple) error {
	if h.frozen {
		return errReadOnly()
	}
	for _, t := range tuples {
		if _, err := h.Replace(nil, t, InsertOnly); err != nil {
			h.clear()
			return err
		}
	}
	return nil
}

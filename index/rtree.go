package index

import (
	"math"
	"slices"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// rtree is an RTREE index: boxes in 1 to MaxDimension dimensions, in an R-tree whose nodes are split as in an
// R*-tree. Nodes are shared with snapshots as those of a tree are; an iterator is a snapshot too, so it returns
// what the index held when it was made.
type rtree struct {
	def    *Def
	dim    int
	root   *rnode // nil when empty
	size   int
	gen    uint32
	frozen bool
	nodes  int
	loose  []loose // what removing a tuple left without a node
}

// An rnode has between rnodeMin and rnodeMax entries, the root may have fewer.
const (
	rnodeMax = 32
	rnodeMin = 12
)

// rnode holds tuples (level 0) or children, and beside them the boxes that they lie in. A box is dim lower bounds
// and then dim upper ones.
type rnode struct {
	gen    uint32
	level  int
	boxes  []float64
	kids   []*rnode
	tuples []*tuple.Tuple
}

// loose is an entry that looks for a node of the given level.
type loose struct {
	level int
	box   []float64
	kid   *rnode
	tuple *tuple.Tuple
}

// NewRTree makes an empty RTREE index.
func NewRTree(def *Def) Index {
	return &rtree{def: def, dim: def.dimension()}
}

func (r *rtree) Def() *Def { return r.def }

func (r *rtree) Len() int { return r.size }

func (r *rtree) Bytes() int64 {
	const headers = 96
	return int64(r.nodes) * (headers + int64(rnodeMax+1)*int64(16*r.dim+8))
}

// readBox reads a point or a box from n coordinates. It puts the bounds of each dimension in order. What is no
// number counts as being everywhere.
func (r *rtree) readBox(box []float64, coords []byte, n int) []float64 {
	for range n {
		f, rest, _ := msgpack.ReadNumber(coords)
		box = append(box, f)
		coords = rest
	}
	if n == r.dim {
		box = append(box, box[len(box)-n:]...)
	}
	for i := range r.dim {
		low, high := box[i], box[i+r.dim]
		if math.IsNaN(low) || math.IsNaN(high) {
			low, high = math.Inf(-1), math.Inf(1)
		}
		box[i], box[i+r.dim] = min(low, high), max(low, high)
	}
	return box
}

// keyBox reads a key that CheckKey took.
func (r *rtree) keyBox(box []float64, key []byte, n int) ([]float64, error) {
	if n == 1 && msgpack.TypeOf(key[0]) == msgpack.Array {
		n, key, _ = msgpack.ReadArrayHeader(key)
	}
	if n != r.dim && n != 2*r.dim {
		return nil, boxerr.New(boxerr.KeyPartCount, 2*r.dim, n)
	}
	return r.readBox(box, key, n), nil
}

// boxOf appends the box of a tuple. The errors are RTREE_RECT and FIELD_TYPE.
func (r *rtree) boxOf(box []float64, t *tuple.Tuple) ([]float64, error) {
	var room [512]byte
	n, coords, ok := msgpack.ReadArrayHeader(r.def.KeyDef.AppendKey(room[:0], t.Data(), 0))
	if !ok || n != r.dim && n != 2*r.dim {
		return nil, r.def.wrongBox("Field")
	}
	rest := coords
	for i := range n {
		if !isCoordinate(rest) {
			return nil, boxerr.New(boxerr.FieldType, uint64(i+1), tuple.Number.String(), tuple.KindName(rest))
		}
		rest, _ = msgpack.Skip(rest)
	}
	return r.readBox(box, coords, n), nil
}

func (n *rnode) len() int { return len(n.kids) + len(n.tuples) }

func (r *rtree) box(n *rnode, i int) []float64 { return n.boxes[2*r.dim*i : 2*r.dim*(i+1)] }

func (r *rtree) newNode(level int) *rnode {
	r.nodes++
	return &rnode{gen: r.gen, level: level}
}

// own returns a node that the index may change.
func (r *rtree) own(n *rnode) *rnode {
	if n.gen == r.gen {
		return n
	}
	return &rnode{
		gen: r.gen, level: n.level,
		boxes: slices.Clone(n.boxes), kids: slices.Clone(n.kids), tuples: slices.Clone(n.tuples),
	}
}

// add puts an entry of n's level at the end of n.
func (n *rnode) add(e loose) {
	n.boxes = append(n.boxes, e.box...)
	if n.level > 0 {
		n.kids = append(n.kids, e.kid)
	} else {
		n.tuples = append(n.tuples, e.tuple)
	}
}

func (r *rtree) remove(n *rnode, i int) {
	n.boxes = slices.Delete(n.boxes, 2*r.dim*i, 2*r.dim*(i+1))
	if n.level > 0 {
		n.kids = slices.Delete(n.kids, i, i+1)
	} else {
		n.tuples = slices.Delete(n.tuples, i, i+1)
	}
}

// entry returns entry i of a node.
func (r *rtree) entry(n *rnode, i int) loose {
	e := loose{level: n.level, box: r.box(n, i)}
	if n.level > 0 {
		e.kid = n.kids[i]
	} else {
		e.tuple = n.tuples[i]
	}
	return e
}

// cover sets box to the least box around all entries of a node.
func (r *rtree) cover(box []float64, n *rnode) {
	copy(box, r.box(n, 0))
	for i := 1; i < n.len(); i++ {
		r.extend(box, r.box(n, i))
	}
}

func (r *rtree) extend(box, by []float64) {
	for d := range r.dim {
		box[d] = min(box[d], by[d])
		box[d+r.dim] = max(box[d+r.dim], by[d+r.dim])
	}
}

func (r *rtree) volume(box []float64) float64 {
	v := 1.0
	for d := range r.dim {
		v *= box[d+r.dim] - box[d]
	}
	return v
}

func (r *rtree) margin(box []float64) float64 {
	m := 0.0
	for d := range r.dim {
		m += box[d+r.dim] - box[d]
	}
	return m
}

// Replace implements Index.
func (r *rtree) Replace(old, new *tuple.Tuple, _ Mode) (*tuple.Tuple, error) {
	if r.frozen {
		return nil, errReadOnly()
	}
	var room, roomOld [2 * MaxDimension]float64
	var box []float64
	var err error
	if new != nil {
		if box, err = r.boxOf(room[:0], new); err != nil {
			return nil, err
		}
	}
	if old != nil {
		was, err := r.boxOf(roomOld[:0], old)
		if err != nil || !r.take(old, was) {
			old = nil
		}
	}
	if new != nil {
		r.put(loose{box: slices.Clone(box), tuple: new})
		r.size++
	}
	return old, nil
}

// put inserts an entry.
func (r *rtree) put(e loose) {
	if r.root == nil {
		r.root = r.newNode(0)
	}
	root, sibling := r.putBelow(r.root, e)
	r.root = root
	if sibling != nil {
		top := r.newNode(root.level + 1)
		for _, n := range []*rnode{root, sibling} {
			box := make([]float64, 2*r.dim)
			r.cover(box, n)
			top.add(loose{box: box, kid: n})
		}
		r.root = top
	}
}

// putBelow inserts an entry into a subtree. It returns the subtree's node, which may be a copy, and a second one
// if it was split.
func (r *rtree) putBelow(n *rnode, e loose) (self, sibling *rnode) {
	n = r.own(n)
	if n.level == e.level {
		n.add(e)
	} else {
		i := r.choose(n, e.box)
		kid, second := r.putBelow(n.kids[i], e)
		n.kids[i] = kid
		r.cover(r.box(n, i), kid)
		if second != nil {
			box := make([]float64, 2*r.dim)
			r.cover(box, second)
			n.add(loose{box: box, kid: second})
		}
	}
	if n.len() > rnodeMax {
		return n, r.split(n)
	}
	return n, nil
}

// choose returns the child whose box has to grow least to take a box in.
func (r *rtree) choose(n *rnode, box []float64) int {
	var room [2 * MaxDimension]float64
	grown := room[:2*r.dim]
	best, bestGrowth, bestWidth := 0, math.Inf(1), math.Inf(1)
	for i := range n.kids {
		b := r.box(n, i)
		copy(grown, b)
		r.extend(grown, box)
		growth, width := r.volume(grown)-r.volume(b), r.margin(grown)
		if growth < bestGrowth || growth == bestGrowth && width < bestWidth {
			best, bestGrowth, bestWidth = i, growth, width
		}
	}
	return best
}

// split moves entries of a node that is too full to a new one. It sorts the entries along the axis on which the two
// halves have the least edges, and cuts where the halves overlap least.
func (r *rtree) split(n *rnode) *rnode {
	size := n.len()
	all := make([]loose, size)
	for i := range all {
		all[i] = r.entry(n, i)
	}
	low := make([]float64, 2*r.dim*(size+1)) // the box around the first i entries
	high := make([]float64, 2*r.dim*(size+1))
	at := func(boxes []float64, i int) []float64 { return boxes[2*r.dim*i : 2*r.dim*(i+1)] }
	sortAlong := func(axis int) {
		slices.SortStableFunc(all, func(a, b loose) int {
			ca, cb := a.box[axis]+a.box[axis+r.dim], b.box[axis]+b.box[axis+r.dim]
			switch {
			case ca < cb:
				return -1
			case ca > cb:
				return 1
			}
			return 0
		})
		copy(at(low, 1), all[0].box)
		copy(at(high, size-1), all[size-1].box)
		for i := 2; i <= size; i++ {
			copy(at(low, i), at(low, i-1))
			r.extend(at(low, i), all[i-1].box)
			copy(at(high, size-i), at(high, size-i+1))
			r.extend(at(high, size-i), all[size-i].box)
		}
	}
	axis, edges := 0, math.Inf(1)
	for d := range r.dim {
		sortAlong(d)
		sum := 0.0
		for i := rnodeMin; i <= size-rnodeMin; i++ {
			sum += r.margin(at(low, i)) + r.margin(at(high, i))
		}
		if sum < edges {
			axis, edges = d, sum
		}
	}
	if axis != r.dim-1 || r.dim == 1 {
		sortAlong(axis)
	}
	cut, overlap, volume := size/2, math.Inf(1), math.Inf(1)
	for i := rnodeMin; i <= size-rnodeMin; i++ {
		o := r.common(at(low, i), at(high, i))
		v := r.volume(at(low, i)) + r.volume(at(high, i))
		if o < overlap || o == overlap && v < volume {
			cut, overlap, volume = i, o, v
		}
	}
	sibling := r.newNode(n.level)
	first := &rnode{gen: n.gen, level: n.level}
	for i, e := range all {
		if i < cut {
			first.add(e)
		} else {
			sibling.add(e)
		}
	}
	*n = *first
	return sibling
}

// common returns the volume that two boxes share.
func (r *rtree) common(a, b []float64) float64 {
	v := 1.0
	for d := range r.dim {
		w := min(a[d+r.dim], b[d+r.dim]) - max(a[d], b[d])
		if w <= 0 {
			return 0
		}
		v *= w
	}
	return v
}

// take removes a tuple with the given box.
func (r *rtree) take(t *tuple.Tuple, box []float64) bool {
	if r.root == nil {
		return false
	}
	root, found := r.takeBelow(r.root, t, box)
	if !found {
		return false
	}
	r.size--
	r.root = root
	for len(r.loose) > 0 {
		e := r.loose[len(r.loose)-1]
		r.loose[len(r.loose)-1] = loose{}
		r.loose = r.loose[:len(r.loose)-1]
		r.put(e)
	}
	for r.root.level > 0 && r.root.len() == 1 {
		r.root = r.root.kids[0]
		r.nodes--
	}
	if r.root.len() == 0 {
		r.root = nil
		r.nodes = 0
	}
	return true
}

// takeBelow removes a tuple from a subtree and returns the subtree's node, which may be a copy. The entries of nodes
// that get too empty become loose.
func (r *rtree) takeBelow(n *rnode, t *tuple.Tuple, box []float64) (self *rnode, found bool) {
	if n.level == 0 {
		i := slices.Index(n.tuples, t)
		if i < 0 {
			return n, false
		}
		n = r.own(n)
		r.remove(n, i)
		return n, true
	}
	for i := range n.kids {
		if !r.holds(r.box(n, i), box) {
			continue
		}
		kid, found := r.takeBelow(n.kids[i], t, box)
		if !found {
			continue
		}
		n = r.own(n)
		if kid.len() >= rnodeMin {
			n.kids[i] = kid
			r.cover(r.box(n, i), kid)
			return n, true
		}
		for j := range kid.len() {
			r.loose = append(r.loose, r.entry(kid, j))
		}
		r.nodes--
		r.remove(n, i)
		return n, true
	}
	return n, false
}

// holds reports whether a lies around b; they may touch.
func (r *rtree) holds(a, b []float64) bool {
	for d := range r.dim {
		if a[d] > b[d] || a[d+r.dim] < b[d+r.dim] {
			return false
		}
	}
	return true
}

// encloses reports whether a lies around b without touching it.
func (r *rtree) encloses(a, b []float64) bool {
	for d := range r.dim {
		if a[d] >= b[d] || a[d+r.dim] <= b[d+r.dim] {
			return false
		}
	}
	return true
}

func (r *rtree) overlaps(a, b []float64) bool {
	for d := range r.dim {
		if a[d] > b[d+r.dim] || a[d+r.dim] < b[d] {
			return false
		}
	}
	return true
}

// Get implements Index. An RTREE is never unique.
func (r *rtree) Get([]byte, int) *tuple.Tuple { return nil }

// Min implements Index.
func (r *rtree) Min([]byte, int) (*tuple.Tuple, error) { return nil, r.def.Unsupported("min()") }

// Max implements Index.
func (r *rtree) Max([]byte, int) (*tuple.Tuple, error) { return nil, r.def.Unsupported("max()") }

// Random implements Index.
func (r *rtree) Random(uint32) *tuple.Tuple { return nil }

// AppendPosition implements Index.
func (r *rtree) AppendPosition(dst []byte, _ *tuple.Tuple) ([]byte, error) {
	return dst, r.def.Unsupported("pagination")
}

// Snapshot implements Index.
func (r *rtree) Snapshot() Index {
	s := *r
	s.frozen = true
	if !r.frozen {
		r.gen++
	}
	return &s
}

// BulkLoad implements Index.
func (r *rtree) BulkLoad(tuples []*tuple.Tuple) error {
	for _, t := range tuples {
		if _, err := r.Replace(nil, t, InsertOnly); err != nil {
			if !r.frozen {
				r.root, r.size, r.nodes = nil, 0, 0
			}
			return err
		}
	}
	return nil
}

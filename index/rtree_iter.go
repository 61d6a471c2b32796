package index

import (
	"math"

	"github.com/lycosadb/lycosa/tuple"
)

// rtreeIterator walks over the boxes that stand in some relation to that of the key.
type rtreeIterator struct {
	r     *rtree
	typ   IteratorType
	key   []float64
	stack []rstep
}

// rstep is a node on the way down and the entry of it that comes next.
type rstep struct {
	n *rnode
	i int
}

// start checks a search and makes its iterator.
func (r *rtree) start(typ IteratorType, key []byte, n int, after Position) (Iterator, error) {
	if len(after) > 0 {
		return nil, r.def.Unsupported("pagination")
	}
	switch typ {
	case ALL, EQ, LT, LE, GE, GT, Overlaps, Neighbor:
	default:
		return nil, r.def.Unsupported(iteratorFeature)
	}
	var box []float64
	if typ != ALL {
		var err error
		if box, err = r.keyBox(make([]float64, 0, 2*r.dim), key, n); err != nil {
			return nil, err
		}
	}
	if typ == Neighbor {
		it := &neighborIterator{r: r, point: box[:r.dim]}
		if r.root != nil {
			it.push(near{node: r.root})
		}
		return it, nil
	}
	it := &rtreeIterator{r: r, typ: typ, key: box}
	if r.root != nil {
		it.stack = append(it.stack, rstep{n: r.root})
	}
	return it, nil
}

// Next implements Iterator.
func (it *rtreeIterator) Next() *tuple.Tuple {
	for len(it.stack) > 0 {
		s := &it.stack[len(it.stack)-1]
		if s.i == s.n.len() {
			*s = rstep{}
			it.stack = it.stack[:len(it.stack)-1]
			continue
		}
		n, i := s.n, s.i
		s.i++
		switch box := it.r.box(n, i); {
		case n.level > 0:
			if it.reaches(box) {
				it.stack = append(it.stack, rstep{n: n.kids[i]})
			}
		case it.matches(box):
			return n.tuples[i]
		}
	}
	return nil
}

// reaches reports whether boxes inside of the given one may match.
func (it *rtreeIterator) reaches(box []float64) bool {
	switch it.typ {
	case ALL:
		return true
	case LT, LE, Overlaps:
		return it.r.overlaps(box, it.key)
	}
	return it.r.holds(box, it.key)
}

// matches reports whether a tuple's box stands in the right relation to the key.
func (it *rtreeIterator) matches(box []float64) bool {
	switch it.typ {
	case EQ:
		return it.r.holds(box, it.key) && it.r.holds(it.key, box)
	case LT:
		return it.r.encloses(it.key, box)
	case LE:
		return it.r.holds(it.key, box)
	case GE:
		return it.r.holds(box, it.key)
	case GT:
		return it.r.encloses(box, it.key)
	case Overlaps:
		return it.r.overlaps(box, it.key)
	}
	return true
}

// neighborIterator returns tuples by the distance of their boxes from a point, the nearest first. Its queue is a heap
// of tuples and of nodes that may hold nearer ones.
type neighborIterator struct {
	r     *rtree
	point []float64
	queue []near
	seq   int
}

// near is a node or a tuple on its way through the queue. Those at the same distance come in the order in which they
// were met.
type near struct {
	distance float64
	seq      int
	node     *rnode
	tuple    *tuple.Tuple
}

func (a *near) before(b *near) bool {
	if a.distance != b.distance {
		return a.distance < b.distance
	}
	return a.seq < b.seq
}

// distance returns how far a box is from the point; the euclidean distance is squared.
func (it *neighborIterator) distance(box []float64) float64 {
	sum := 0.0
	for d, p := range it.point {
		way := 0.0
		if low, high := box[d], box[d+it.r.dim]; p < low {
			way = low - p
		} else if p > high {
			way = p - high
		}
		if it.r.def.Distance == Euclid {
			way *= way
		}
		sum += way
	}
	if math.IsNaN(sum) {
		return math.Inf(1)
	}
	return sum
}

// Next implements Iterator.
func (it *neighborIterator) Next() *tuple.Tuple {
	for len(it.queue) > 0 {
		top := it.pop()
		if top.tuple != nil {
			return top.tuple
		}
		for i := range top.node.len() {
			e := it.r.entry(top.node, i)
			it.push(near{distance: it.distance(e.box), node: e.kid, tuple: e.tuple})
		}
	}
	return nil
}

func (it *neighborIterator) push(n near) {
	it.seq++
	n.seq = it.seq
	q := append(it.queue, n)
	for i := len(q) - 1; i > 0; {
		up := (i - 1) / 2
		if !q[i].before(&q[up]) {
			break
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
	it.queue = q
}

func (it *neighborIterator) pop() near {
	q := it.queue
	top := q[0]
	last := len(q) - 1
	q[0] = q[last]
	q[last] = near{}
	q = q[:last]
	for i := 0; ; {
		least := i
		for _, down := range [2]int{2*i + 1, 2*i + 2} {
			if down < len(q) && q[down].before(&q[least]) {
				least = down
			}
		}
		if least == i {
			break
		}
		q[i], q[least] = q[least], q[i]
		i = least
	}
	it.queue = q
	return top
}

// Iterate implements Index. What is walked over is the index as it is now.
func (r *rtree) Iterate(typ IteratorType, key []byte, n int, after Position) (Iterator, error) {
	view := r
	if !r.frozen {
		view = r.Snapshot().(*rtree)
	}
	return view.start(typ, key, n, after)
}

// Select implements Index.
func (r *rtree) Select(dst []*tuple.Tuple, typ IteratorType, key []byte, n int, after Position, offset, limit int) ([]*tuple.Tuple, error) {
	it, err := r.start(typ, key, n, after)
	if err != nil {
		return dst, err
	}
	return take(dst, it, offset, limit), nil
}

// Count implements Index.
func (r *rtree) Count(typ IteratorType, key []byte, n int) (int, error) {
	if typ == ALL {
		return r.size, nil
	}
	it, err := r.start(typ, key, n, nil)
	if err != nil {
		return 0, err
	}
	return count(it), nil
}

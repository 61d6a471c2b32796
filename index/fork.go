package index

import (
	"maps"

	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// Mover is implemented by the iterators of ordered and of hashed indexes. Move lets the walk go on in another version
// of the index, a Fork or a Snapshot of it, behind the tuple that Next returned last.
type Mover interface {
	Move(to Index)
}

// EachKey calls f with every key, by CmpDef, under which an index holds a tuple; n parts one after another. The keys
// are valid during the call only. What an RTREE or a BITSET holds has no such key: f is called once, with none. room is
// for a key.
func EachKey(x Index, t *tuple.Tuple, room []byte, f func(key []byte, n int)) {
	def := x.Def()
	if def.Type == RTree || def.Type == Bitset {
		f(nil, 0)
		return
	}
	if k, ok := x.(*tree); ok && k.keyed {
		all, _ := k.entries(t) // an index that could not make the keys does not hold the tuple
		n := len(def.CmpDef.Parts)
		for i := range all {
			_, key, _ := msgpack.ReadArrayHeader(all[i].key.Data())
			f(key, n)
		}
		return
	}
	if def.KeyDef.Excludes(t, 0) {
		return
	}
	f(def.CmpDef.AppendKey(room[:0], t.Data(), 0), len(def.CmpDef.Parts))
}

// Fork implements Index. It costs the same whatever the size of the tree.
func (t *tree) Fork() Index {
	f := *t
	f.gen++
	f.fresh, f.frozen, f.fingers = false, false, nil
	if t.fresh && !t.frozen {
		t.gen++
		t.fresh = false
	}
	return &f
}

// Move implements Mover.
func (it *treeIterator) Move(to Index) {
	it.t = to.(*tree)
	it.started = false
}

// Fork implements Index. The first change after it, on either side, copies the directory.
func (h *hash) Fork() Index {
	f := *h
	f.gen++
	f.frozen, f.shared = false, true
	if !h.frozen {
		h.gen++
		h.shared = true
	}
	return &f
}

// Move implements Mover.
func (it *hashIterator) Move(to Index) {
	it.h = to.(*hash)
	it.version = it.h.version - 1
}

// Fork implements Index. It costs as much as the index has slots, and so does the first change of either side.
func (b *bitset) Fork() Index {
	f := *b
	f.frozen, f.shared = false, true
	f.free = append([]int(nil), b.free...)
	if f.where = maps.Clone(b.where); f.where == nil { // of a snapshot
		f.where = make(map[*tuple.Tuple]int, b.size)
		for i, t := range b.slots {
			if t != nil {
				f.where[t] = i
			} else {
				f.free = append(f.free, i)
			}
		}
	}
	b.shared = true
	return &f
}

// Fork implements Index. It costs the same whatever the size of the tree.
func (r *rtree) Fork() Index {
	f := *r
	f.gen++
	f.frozen, f.loose = false, nil
	if !r.frozen {
		r.gen++
	}
	return &f
}

package index

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/tuple"
)

// ids returns the first fields of tuples, in order.
func ids(t *testing.T, rows []*tuple.Tuple, sorted bool) []int {
	t.Helper()
	out := []int{}
	for _, tp := range rows {
		out = append(out, int(tp.Field(0)[0]))
	}
	if sorted {
		slices.Sort(out)
	}
	return out
}

func TestBitset(t *testing.T) {
	b := NewBitset(&Def{Type: Bitset, Name: "bits", Space: "s", KeyDef: keyDef(t, tuple.KeyPart{Field: 1, Type: tuple.Unsigned})})
	s := NewBitset(&Def{Type: Bitset, Name: "str", Space: "s", KeyDef: keyDef(t, tuple.KeyPart{Field: 2, Type: tuple.String})})
	for _, tp := range []*tuple.Tuple{row(1, 5, "ab"), row(2, 0, "abc"), row(3, 7, ""), row(4, 1<<40, "b")} {
		b.Replace(nil, tp, InsertOnly)
		s.Replace(nil, tp, InsertOnly)
	}
	for _, c := range []struct {
		x    Index
		typ  IteratorType
		key  any
		want []int
	}{
		{b, EQ, 5, []int{1}}, {b, EQ, 0, []int{2}}, {b, ALL, 5, []int{1, 2, 3, 4}},
		{b, BitsAllSet, 5, []int{1, 3}}, {b, BitsAllSet, 0, []int{}},
		{b, BitsAnySet, 5, []int{1, 3}}, {b, BitsAnySet, 0, []int{}}, {b, BitsAnySet, 1<<40 + 2, []int{3, 4}},
		{b, BitsAllNotSet, 5, []int{2, 4}}, {b, BitsAllNotSet, 0, []int{1, 2, 3, 4}},
		{s, EQ, "ab", []int{1, 2}}, {s, EQ, "", []int{1, 2, 3, 4}},
		{s, BitsAllSet, "ab", []int{1, 2}}, {s, BitsAnySet, "ab", []int{1, 2, 4}}, {s, BitsAllNotSet, "ab", []int{3}},
	} {
		k, n := key(c.key)
		rows, err := c.x.Select(nil, c.typ, k, n, nil, 0, 100)
		if got := ids(t, rows, false); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%v %v: %v, %v", c.typ, c.key, got, err)
		}
		if count, _ := c.x.Count(c.typ, k, n); count != len(c.want) {
			t.Errorf("%v %v: count %d", c.typ, c.key, count)
		}
	}
	if _, err := b.Iterate(GE, nil, 0, nil); err == nil || err.Error() != "Index 'bits' (BITSET) of space 's' (memtx) does not support requested iterator type" {
		t.Error(err)
	}
	if _, err := b.Max(nil, 0); err == nil {
		t.Error("max() works")
	}
}

func TestBitsetAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	random := func() string {
		s := make([]byte, r.IntN(45))
		for i := range s {
			// Three random numbers, so that few bits are set.
			s[i] = byte(r.Uint32() & r.Uint32() & r.Uint32())
		}
		return string(s)
	}
	x := NewBitset(&Def{KeyDef: keyDef(t, tuple.KeyPart{Field: 1, Type: tuple.String})})
	m := map[*tuple.Tuple]string{}
	check := func(x Index, m map[*tuple.Tuple]string) {
		t.Helper()
		for range 8 {
			k := random()
			for _, typ := range []IteratorType{EQ, BitsAllSet, BitsAnySet, BitsAllNotSet, ALL} {
				want := 0
				for _, s := range m {
					all, any, equal, set := true, false, true, false
					for i := range len(k) {
						var c byte
						if i < len(s) {
							c = s[i]
						}
						all = all && c&k[i] == k[i]
						any = any || c&k[i] != 0
						equal = equal && c == k[i]
						set = set || k[i] != 0
					}
					if typ == EQ && equal || typ == BitsAllSet && all && set || typ == BitsAnySet && any ||
						typ == BitsAllNotSet && !any || typ == ALL {
						want++
					}
				}
				b, n := key(k)
				it, _ := x.Iterate(typ, b, n, nil)
				if got := len(collect(it)); got != want {
					t.Fatalf("%v %x: %d instead of %d", typ, k, got, want)
				}
			}
		}
	}
	var view Index
	var viewed map[*tuple.Tuple]string
	for op := range 3000 {
		s := random()
		tp := row(op, s)
		var old *tuple.Tuple
		if r.IntN(2) == 0 {
			for old = range m {
				delete(m, old)
				break
			}
		}
		if replaced, err := x.Replace(old, tp, InsertOnly); err != nil || replaced != old {
			t.Fatal(replaced, err)
		}
		m[tp] = s
		if op == 1500 {
			view, viewed = x.Snapshot(), map[*tuple.Tuple]string{}
			for k, v := range m {
				viewed[k] = v
			}
		}
	}
	check(x, m)
	check(view, viewed)
}

func boxes(t testing.TB, dimension int, distance Distance) *rtree {
	return NewRTree(&Def{
		Type: RTree, Name: "rect", Space: "t", Dimension: dimension, Distance: distance,
		KeyDef: keyDef(t, tuple.KeyPart{Field: 1, Type: tuple.Array}),
	}).(*rtree)
}

func TestRTree(t *testing.T) {
	x := boxes(t, 0, Euclid)
	for _, tp := range []*tuple.Tuple{
		row(1, []any{0, 0, 2, 2}), row(2, []any{1, 1, 3, 3}), row(3, []any{5, 5}), row(4, []any{8, 8, 9, 9}), row(5, []any{3, 3, 0, 0}),
	} {
		if _, err := x.Replace(nil, tp, InsertOnly); err != nil {
			t.Fatal(err)
		}
	}
	all := []int{1, 2, 3, 4, 5}
	for _, c := range []struct {
		typ  IteratorType
		key  []any
		want []int
	}{
		{EQ, []any{0, 0, 3, 3}, []int{5}}, {EQ, []any{3, 3, 0, 0}, []int{5}}, {EQ, []any{5, 5}, []int{3}}, {EQ, []any{1, 1, 2, 2}, []int{}},
		{ALL, nil, all}, {LT, []any{0, 0, 3, 3}, []int{}}, {LT, []any{-1, -1, 10, 10}, all},
		{LE, []any{0, 0, 3, 3}, []int{1, 2, 5}}, {LE, []any{5, 5}, []int{3}},
		{GT, []any{1, 1, 2, 2}, []int{5}}, {GT, []any{2, 2}, []int{2, 5}},
		{GE, []any{1, 1, 2, 2}, []int{1, 2, 5}}, {GE, []any{[]any{1, 1, 2, 2}}, []int{1, 2, 5}},
		{Overlaps, []any{2, 2}, []int{1, 2, 5}}, {Overlaps, []any{-1, -1, 10, 10}, all},
	} {
		k, n := key(c.key...)
		if err := x.def.CheckKey(c.typ, k, n); err != nil {
			t.Errorf("%v %v: %v", c.typ, c.key, err)
		}
		rows, err := x.Select(nil, c.typ, k, n, nil, 0, 100)
		if got := ids(t, rows, true); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%v %v: %v, %v", c.typ, c.key, got, err)
		}
	}
	k, n := key(6, 6)
	rows, _ := x.Select(nil, Neighbor, k, n, nil, 0, 3)
	if got := ids(t, rows, false); !slices.Equal(got, []int{3, 4, 2}) && !slices.Equal(got, []int{3, 4, 5}) {
		t.Errorf("neighbours %v", got)
	}
	m := boxes(t, 3, Manhattan)
	for _, tp := range []*tuple.Tuple{
		row(1, []any{0, 0, 0}), row(2, []any{3, 0, 0}), row(3, []any{2, 2, 0}), row(4, []any{1.5, 1, 1, 2, 2, 2}),
	} {
		m.Replace(nil, tp, InsertOnly)
	}
	k, n = key(0, 0, 0)
	rows, _ = m.Select(nil, Neighbor, k, n, nil, 0, 9)
	if got := ids(t, rows, false); !slices.Equal(got, []int{1, 2, 4, 3}) {
		t.Errorf("neighbours %v", got)
	}
}

func TestRTreeErrors(t *testing.T) {
	x := boxes(t, 2, Euclid)
	for _, c := range []struct {
		tp   *tuple.Tuple
		want string
	}{
		{row(4, []any{1, 2, 3}), "RTree: Field must be an array with 2 (point) or 4 (rectangle/box) numeric coordinates"},
		{row(4, []any{}), "RTree: Field must be an array with 2 (point) or 4 (rectangle/box) numeric coordinates"},
		{row(4, []any{"a", "b"}), "Tuple field 1 type does not match one required by operation: expected number, got string"},
		{row(4, []any{1, "b", 3, 4}), "Tuple field 2 type does not match one required by operation: expected number, got string"},
	} {
		if _, err := x.Replace(nil, c.tp, InsertOnly); err == nil || err.Error() != c.want {
			t.Errorf("%v: %v", c.tp, err)
		}
	}
	if _, err := x.Replace(nil, row(1, []any{math.NaN(), 0}), InsertOnly); err != nil {
		t.Error(err)
	}
	k, n := key(7, 0)
	if rows, _ := x.Select(nil, Overlaps, k, n, nil, 0, 9); len(rows) != 1 {
		t.Error("a box without bounds is lost")
	}
}

func TestRTreeAgainstModel(t *testing.T) {
	for _, dim := range []int{1, 2, 5} {
		r := rand.New(rand.NewPCG(1, uint64(dim)))
		x := boxes(t, dim, Euclid)
		random := func(wide int) []any {
			var low, high []any
			for range dim {
				a := r.IntN(300)
				low = append(low, a)
				high = append(high, a+r.IntN(wide))
			}
			if r.IntN(3) == 0 {
				return low
			}
			return append(low, high...)
		}
		m := map[*tuple.Tuple][]float64{}
		check := func(x *rtree, m map[*tuple.Tuple][]float64) {
			t.Helper()
			for _, typ := range []IteratorType{EQ, ALL, LT, LE, GE, GT, Overlaps, Neighbor} {
				k, n := key(random(150)...)
				box, _ := x.keyBox(nil, k, n)
				it := &rtreeIterator{r: x, typ: typ, key: box}
				want := map[*tuple.Tuple]bool{}
				for tp, b := range m {
					if it.matches(b) {
						want[tp] = true
					}
				}
				walk, err := x.Iterate(typ, k, n, nil)
				if err != nil {
					t.Fatal(err)
				}
				got := collect(walk)
				far := -1.0
				for _, tp := range got {
					if !want[tp] {
						t.Fatalf("%v: %v is wrong or came twice", typ, tp)
					}
					delete(want, tp)
					if typ == Neighbor {
						d := walk.(*neighborIterator).distance(m[tp])
						if d < far {
							t.Fatalf("distance %v after %v", d, far)
						}
						far = d
					}
				}
				if len(want) > 0 {
					t.Fatalf("%v: %d are lost", typ, len(want))
				}
			}
		}
		var view *rtree
		var viewed map[*tuple.Tuple][]float64
		for op := range 8000 {
			var old *tuple.Tuple
			if op > 4000 && r.IntN(10) < 9 || r.IntN(3) == 0 {
				for old = range m {
					delete(m, old)
					break
				}
			}
			var tp *tuple.Tuple
			if old == nil || r.IntN(2) == 0 {
				tp = row(op, random(20))
				m[tp], _ = x.boxOf(nil, tp)
			}
			if replaced, err := x.Replace(old, tp, InsertOnly); err != nil || replaced != old {
				t.Fatal(replaced, err)
			}
			if op%1500 == 0 {
				check(x, m)
				nodes := 0
				var count func(n *rnode)
				count = func(n *rnode) {
					nodes++
					for _, k := range n.kids {
						count(k)
					}
				}
				if x.root != nil {
					count(x.root)
				}
				if nodes != x.nodes || x.Len() != len(m) {
					t.Fatalf("%d nodes counted as %d, %d tuples as %d", nodes, x.nodes, len(m), x.Len())
				}
			}
			if op == 4000 {
				view, viewed = x.Snapshot().(*rtree), map[*tuple.Tuple][]float64{}
				for k, v := range m {
					viewed[k] = v
				}
			}
		}
		check(view, viewed)
	}
}

func TestCheckKey(t *testing.T) {
	two := keyDef(t, tuple.KeyPart{Type: tuple.Unsigned}, tuple.KeyPart{Field: 1, Type: tuple.String})
	one := keyDef(t, tuple.KeyPart{Type: tuple.Unsigned})
	box := keyDef(t, tuple.KeyPart{Type: tuple.Array})
	for i, c := range []struct {
		def  Def
		typ  IteratorType
		key  []any
		want boxerr.Code
	}{
		{Def{Type: Tree, KeyDef: two}, EQ, []any{1}, 0},
		{Def{Type: Tree, KeyDef: two}, EQ, []any{1, "a", 2}, boxerr.KeyPartCount},
		{Def{Type: Tree, KeyDef: two}, LE, []any{"a"}, boxerr.KeyPartType},
		{Def{Type: Hash, KeyDef: two}, EQ, []any{1}, boxerr.PartialKey},
		{Def{Type: Hash, KeyDef: two}, ALL, nil, 0},
		{Def{Type: Hash, KeyDef: two}, GT, nil, 0},
		{Def{Type: Hash, KeyDef: two}, GE, nil, boxerr.PartialKey},
		{Def{Type: Bitset, KeyDef: one}, BitsAnySet, []any{1}, 0},
		{Def{Type: Bitset, KeyDef: one}, BitsAnySet, nil, boxerr.PartialKey},
		{Def{Type: Bitset, KeyDef: one}, BitsAnySet, []any{1, 2}, boxerr.KeyPartCount},
		{Def{Type: RTree, KeyDef: box}, LE, nil, boxerr.KeyPartCount},
		{Def{Type: RTree, KeyDef: box}, LE, []any{1, 2, 3}, boxerr.KeyPartCount},
		{Def{Type: RTree, KeyDef: box}, LE, []any{1}, boxerr.KeyPartType},
		{Def{Type: RTree, KeyDef: box}, LE, []any{1, "b"}, boxerr.KeyPartType},
		{Def{Type: RTree, KeyDef: box}, LE, []any{[]any{1, "b"}}, boxerr.KeyPartType},
		{Def{Type: RTree, KeyDef: box}, LE, []any{[]any{1, 2, 3}}, boxerr.RtreeRect},
		{Def{Type: RTree, KeyDef: box}, ALL, nil, 0},
		{Def{Type: RTree, KeyDef: box, Dimension: 1}, LE, []any{1}, 0},
	} {
		k, n := key(c.key...)
		err := c.def.CheckKey(c.typ, k, n)
		if c.want == 0 && err != nil || c.want != 0 && !boxerr.Is(err, c.want) {
			t.Errorf("%d %v %v %v: %v", i, c.def.Type, c.typ, c.key, err)
		}
	}
}

func TestNames(t *testing.T) {
	for typ := EQ; typ.Valid(); typ++ {
		if got, ok := IteratorTypeByName(typ.String()); !ok || got != typ {
			t.Errorf("%v becomes %v", typ, got)
		}
	}
	for _, typ := range []Type{Tree, Hash, Bitset, RTree} {
		if got, ok := TypeByName(typ.String()); !ok || got != typ {
			t.Errorf("%v becomes %v", typ, got)
		}
		if x := New(&Def{Type: typ, KeyDef: keyDef(t, tuple.KeyPart{})}); fmt.Sprintf("%T", x) == "*index.tree" != (typ == Tree) {
			t.Errorf("%v makes a %T", typ, x)
		}
	}
}

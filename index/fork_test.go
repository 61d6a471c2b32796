package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lycosadb/lycosa/tuple"
)

// family makes one index of every kind that can hold the rows of randomRow.
func family(t testing.TB) map[string]Index {
	pk := primaryDef(t)
	number := keyDef(t, tuple.KeyPart{Field: 1, Type: tuple.Unsigned})
	box := keyDef(t, tuple.KeyPart{Field: 2, Type: tuple.Array})
	many := keyDef(t, tuple.KeyPart{Field: 2, Type: tuple.Integer, Path: "[*]"})
	def := func(typ Type, k *tuple.KeyDef, unique bool) *Def {
		return &Def{Type: typ, Name: "x", Space: "s", Unique: unique, KeyDef: k, CmpDef: k.Merge(pk)}
	}
	return map[string]Index{
		"tree":     New(def(Tree, pk, true)),
		"ordered":  New(def(Tree, number, false)),
		"hash":     New(def(Hash, pk, true)),
		"bitset":   New(def(Bitset, number, false)),
		"rtree":    New(def(RTree, box, false)),
		"multikey": New(def(Tree, many, false)),
	}
}

func randomRow(rnd *rand.Rand, id int) *tuple.Tuple {
	return row(id, rnd.IntN(50), []any{rnd.IntN(100), rnd.IntN(100)})
}

// held lists what an index holds, in an order of its own.
func held(t *testing.T, x Index) []string {
	t.Helper()
	rows, err := x.Select(nil, ALL, nil, 0, nil, 0, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	list := make([]string, 0, len(rows))
	for _, r := range rows {
		list = append(list, fmt.Sprintf("%p", r))
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// TestForksAreApart changes an index and forks of it, and forks of those, at random.
func TestForksAreApart(t *testing.T) {
	for name, first := range family(t) {
		t.Run(name, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(1, 2))
			type version struct {
				x    Index
				rows map[int]*tuple.Tuple
			}
			versions := []*version{{first, map[int]*tuple.Tuple{}}}
			for step := range 6000 {
				v := versions[rnd.IntN(len(versions))]
				switch n := rnd.IntN(100); {
				case n < 2 && len(versions) < 12:
					from := v.x
					if n == 0 {
						from = v.x.Snapshot()
					}
					copied := make(map[int]*tuple.Tuple, len(v.rows))
					for id, r := range v.rows {
						copied[id] = r
					}
					versions = append(versions, &version{from.Fork(), copied})
				case n == 2 && len(versions) > 1:
					versions = slices.DeleteFunc(versions, func(w *version) bool { return w == v })
				default:
					id := rnd.IntN(600)
					old := v.rows[id]
					fresh := randomRow(rnd, id)
					if old != nil && rnd.IntN(3) == 0 {
						fresh = nil
					}
					if _, err := v.x.Replace(old, fresh, InsertOnly); err != nil {
						t.Fatal(err)
					}
					if fresh == nil {
						delete(v.rows, id)
					} else {
						v.rows[id] = fresh
					}
				}
				if step%500 != 0 {
					continue
				}
				for _, v := range versions {
					var want []string
					for _, r := range v.rows {
						want = append(want, fmt.Sprintf("%p", r))
					}
					slices.Sort(want)
					if got := held(t, v.x); !slices.Equal(got, want) {
						t.Fatalf("step %d: %d rows, want %d", step, len(got), len(want))
					}
					if k, ok := v.x.(*tree); ok {
						if err := checkTree(k); err != nil {
							t.Fatal(err)
						}
					}
				}
			}
		})
	}
}

func TestIteratorsMove(t *testing.T) {
	for _, name := range []string{"tree", "hash"} {
		x := family(t)[name]
		for id := range 300 {
			if _, err := x.Replace(nil, row(id, 0, []any{0, 0}), InsertOnly); err != nil {
				t.Fatal(err)
			}
		}
		it, err := x.Iterate(ALL, nil, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[*tuple.Tuple]bool{}
		for range 100 {
			seen[it.Next()] = true
		}
		fork := x.Fork()
		all, _ := fork.Select(nil, ALL, nil, 0, nil, 0, 1000)
		removed := 0
		for i, r := range all {
			if i%3 == 0 && !seen[r] {
				if _, err := fork.Replace(r, nil, InsertOnly); err != nil {
					t.Fatal(err)
				}
				removed++
			}
		}
		it.(Mover).Move(fork)
		for r := it.Next(); r != nil; r = it.Next() {
			if seen[r] {
				t.Errorf("%s: %v came twice", name, r)
			}
			seen[r] = true
		}
		if len(seen) != 300-removed {
			t.Errorf("%s: %d rows, want %d", name, len(seen), 300-removed)
		}
	}
}

func TestEachKey(t *testing.T) {
	count := func(x Index, r *tuple.Tuple) (n int) {
		EachKey(x, r, nil, func([]byte, int) { n++ })
		return n
	}
	f := family(t)
	r := row(1, 2, []any{5, 7})
	for name, want := range map[string]int{"tree": 1, "ordered": 1, "hash": 1, "bitset": 1, "rtree": 1, "multikey": 2} {
		if got := count(f[name], r); got != want {
			t.Errorf("%s: %d keys, want %d", name, got, want)
		}
	}
	EachKey(f["multikey"], row(1, 2, []any{9}), nil, func(key []byte, n int) {
		want := append(encode(9), encode(1)...)
		if string(key) != string(want) || n != 2 {
			t.Errorf("key %x of %d parts, want %x", key, n, want)
		}
	})
}

package index

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// TestGetAll looks up what is there and what isn't, in indexes of all sizes, together and one by one.
func TestGetAll(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, c := range benchCases {
		if c.key == nil {
			continue
		}
		for _, size := range []int{0, 1, 3, leafCap, leafCap + 1, 5000, 40000} {
			t.Run(fmt.Sprintf("%s/%d", c.name, size), func(t *testing.T) {
				x := c.make(t)
				for _, tp := range benchTuples(size) {
					if _, err := x.Replace(nil, tp, InsertOnly); err != nil {
						t.Fatal(err)
					}
				}
				found := 0
				for range 20 {
					list := make([]Lookup, r.IntN(65))
					for i := range list {
						list[i] = Lookup{Index: x, Key: c.key(nil, r.Uint64N(uint64(size)*3/2+1)), N: 1}
					}
					GetAll(list)
					for i := range list {
						if want := x.Get(list[i].Key, 1); list[i].Tuple != want {
							t.Fatalf("key % x: %v, one by one %v", list[i].Key, list[i].Tuple, want)
						} else if want != nil {
							found++
						}
					}
				}
				if (found > 0) != (size > 0) {
					t.Errorf("%d tuples found", found)
				}
			})
		}
	}
}

// TestGetAllOfSeveral mixes indexes of different heights and kinds.
func TestGetAllOfSeveral(t *testing.T) {
	var list []Lookup
	for i, size := range []int{0, 10, 30000, 200} {
		c := benchCases[i%2*3]
		x := c.make(t)
		for _, tp := range benchTuples(size) {
			if _, err := x.Replace(nil, tp, InsertOnly); err != nil {
				t.Fatal(err)
			}
		}
		list = append(list, Lookup{Index: x, Key: msgpack.AppendUint(nil, 27), N: 1})
	}
	GetAll(list)
	for i, l := range list {
		if found := l.Tuple != nil; found != (i > 0) {
			t.Errorf("index %d: found %v", i, found)
		}
	}
}

func BenchmarkGetAll(b *testing.B) {
	rows := benchTuples(benchRows)
	for _, c := range benchCases {
		if c.key == nil {
			continue
		}
		x := c.make(b)
		for _, tp := range rows {
			x.Replace(nil, tp, InsertOnly)
		}
		for _, together := range []int{1, 4, 16, 64} {
			b.Run(fmt.Sprintf("%s/%d", c.name, together), func(b *testing.B) {
				r := rand.New(rand.NewPCG(3, 4))
				list := make([]Lookup, together)
				for i := range list {
					list[i] = Lookup{Index: x, Key: make([]byte, 0, 16), N: 1}
				}
				b.ReportAllocs()
				for i := 0; i < b.N; i += together {
					for k := range list {
						list[k].Key = c.key(list[k].Key[:0], r.Uint64N(benchRows))
					}
					GetAll(list)
				}
			})
		}
	}
}

// TestCurrent changes a tree behind a lookup: whatever changes in it, what was found is not current any more.
func TestCurrent(t *testing.T) {
	tuples := benchTuples(3000)
	x := benchCases[0].make(t)
	l := []Lookup{{Index: x, Key: benchCases[0].key(nil, 7), N: 1}}
	replace := func(old, new *tuple.Tuple, mode Mode) {
		t.Helper()
		GetAll(l)
		if !l[0].Current() {
			t.Fatal("a lookup isn't current at once")
		}
		if _, err := x.Replace(old, new, mode); err != nil {
			t.Fatal(err)
		}
		if l[0].Current() {
			t.Fatal("a lookup is current behind a change")
		}
	}
	for _, tp := range tuples {
		replace(nil, tp, InsertOnly)
	}
	replace(nil, tuples[7], ReplaceOrInsert)
	for _, tp := range tuples {
		replace(tp, nil, InsertOnly)
	}
	if h := benchCases[3].make(t); (&Lookup{Index: h}).Current() {
		t.Error("a lookup of a hash is current")
	}
}

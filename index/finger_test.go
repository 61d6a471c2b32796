package index

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// TestFingers changes trees at the places that a look ahead has found, while leaves split and merge, and while snapshots and
// forks share the nodes.
func TestFingers(t *testing.T) {
	for _, keys := range []uint64{100, 3000, 60000} {
		t.Run(fmt.Sprint(keys), func(t *testing.T) {
			r := rand.New(rand.NewPCG(keys, 1))
			x := New(&Def{Type: Tree, Unique: true, KeyDef: keyDef(t, tuple.KeyPart{Type: tuple.Unsigned})}).(*tree)
			model := map[uint64]*tuple.Tuple{}
			var frozen Index
			var kept int // what frozen holds
			for round := range 1500 {
				list := make([]Lookup, 64)
				start := r.Uint64N(keys)
				for i := range list {
					k := r.Uint64N(keys)
					if round%3 == 0 {
						k = (start + uint64(i)) % keys // so that a leaf gets them all
					}
					list[i] = Lookup{Index: x, Key: msgpack.AppendUint(nil, k), N: 1}
				}
				Fetch(list)
				if len(model) > 0 && x.fingers == nil {
					t.Fatal("no place was kept")
				}
				remove := round/300%2 == 1 // trees grow and shrink in turn
				for i := range list {
					l := &list[r.IntN(i+1)] // some of them several times
					k, _, _ := msgpack.ReadUint(l.Key)
					if got := x.Get(l.Key, 1); got != model[k] {
						t.Fatalf("key %d: %v instead of %v", k, got, model[k])
					}
					if (r.IntN(4) == 0) == remove {
						tp := row(k, round)
						if old, err := x.Replace(nil, tp, ReplaceOrInsert); err != nil || old != model[k] {
							t.Fatalf("key %d: replaced %v instead of %v, %v", k, old, model[k], err)
						}
						model[k] = tp
					} else if old := model[k]; old != nil {
						if got, err := x.Replace(old, nil, InsertOnly); err != nil || got != old {
							t.Fatalf("key %d: removed %v instead of %v, %v", k, got, old, err)
						}
						delete(model, k)
					}
				}
				if round%16 > 0 {
					continue
				}
				if err := checkTree(x); err != nil {
					t.Fatal(err)
				}
				if frozen != nil && (frozen.Len() != kept || checkTree(frozen.(*tree)) != nil) {
					t.Fatal("a snapshot has changed", checkTree(frozen.(*tree)))
				}
				switch r.IntN(4) {
				case 0:
					frozen, kept = x.Snapshot(), x.Len()
				case 1: // the fork goes on, the other one stays
					frozen, kept = x, x.Len()
					x = x.Fork().(*tree)
				}
			}
		})
	}
}

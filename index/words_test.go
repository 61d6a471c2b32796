package index

import (
	"math/rand/v2"
	"testing"

	"github.com/lycosadb/lycosa/tuple"
)

// Of two keys that share words, the one with the lesser next word is the lesser key, and keys have the words of their
// tuples.
func TestWordsAreInOrder(t *testing.T) {
	for _, c := range treeCases {
		r := rand.New(rand.NewPCG(9, 9))
		x := NewTree(c.def(t)).(*tree)
		w := &x.words
		if c.name == "prefixes" && w.count != maxWords || c.name == "unsigned" && w.count != 1 || c.name == "secondary" && w.count != 2 {
			t.Errorf("%s has %d words", c.name, w.count)
		}
		word := func(tp *tuple.Tuple, i int) uint64 {
			if i == 0 {
				return x.cmp.Hint(tp)
			}
			return w.tuple(tp, i)
		}
		for range 20000 {
			a, b := c.row(r), c.row(r)
			for i := range w.count {
				if wa, wb := word(a, i), word(b, i); wa != wb {
					if got := x.cmp.Compare(a, b); wa < wb != (got < 0) {
						t.Fatalf("%s: %v and %v compare as %d, but word %d is %x and %x", c.name, a, b, got, i, wa, wb)
					}
					break
				}
			}
			k := x.cmp.AppendKey(nil, a.Data(), 0)
			for i := 1; i < w.count; i++ {
				if got, ended := w.key(k, len(x.cmp.Parts), i); ended || got != w.tuple(a, i) {
					t.Fatalf("%s: word %d of %v is %x, of its key %x", c.name, i, a, w.tuple(a, i), got)
				}
			}
			// A shorter key that has ended is a prefix of the tuple's.
			for n := 1; n < len(x.cmp.Parts); n++ {
				for i := 1; i < w.count; i++ {
					if got, ended := w.key(k, n, i); !ended && got != w.tuple(a, i) {
						t.Fatalf("%s: word %d of %v is %x, of %d parts of its key %x", c.name, i, a, w.tuple(a, i), n, got)
					}
				}
			}
		}
	}
}

package index

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

const benchRows = 1 << 20

// benchTuples are tuples {number, text, small number} in the order of a shuffled deck.
func benchTuples(n int) []*tuple.Tuple {
	r := rand.New(rand.NewPCG(1, 2))
	rows := make([]*tuple.Tuple, n)
	var b []byte
	for i, id := range r.Perm(n) {
		b = msgpack.AppendArrayHeader(b[:0], 3)
		b = msgpack.AppendUint(b, uint64(id)*3)
		b = msgpack.AppendString(b, fmt.Sprintf("user-%08d", id))
		b = msgpack.AppendUint(b, uint64(id)%100)
		rows[i] = tuple.New(b)
	}
	return rows
}

var benchCases = []struct {
	name string
	make func(tb testing.TB) Index
	key  func(b []byte, id uint64) []byte
}{
	{"tree/unsigned", func(tb testing.TB) Index {
		return NewTree(&Def{Unique: true, KeyDef: keyDef(tb, tuple.KeyPart{Type: tuple.Unsigned})})
	}, func(b []byte, id uint64) []byte { return msgpack.AppendUint(b, id*3) }},
	{"tree/string", func(tb testing.TB) Index {
		return NewTree(&Def{Unique: true, KeyDef: keyDef(tb, tuple.KeyPart{Field: 1, Type: tuple.String})})
	}, appendUser},
	{"tree/secondary", func(tb testing.TB) Index {
		k := keyDef(tb, tuple.KeyPart{Field: 2, Type: tuple.Unsigned})
		return NewTree(&Def{KeyDef: k, CmpDef: k.Merge(keyDef(tb, tuple.KeyPart{Type: tuple.Unsigned}))})
	}, nil},
	{"hash/unsigned", func(tb testing.TB) Index {
		return NewHash(&Def{Unique: true, KeyDef: keyDef(tb, tuple.KeyPart{Type: tuple.Unsigned})})
	}, func(b []byte, id uint64) []byte { return msgpack.AppendUint(b, id*3) }},
	{"hash/string", func(tb testing.TB) Index {
		return NewHash(&Def{Unique: true, KeyDef: keyDef(tb, tuple.KeyPart{Field: 1, Type: tuple.String})})
	}, appendUser},
}

func appendUser(b []byte, id uint64) []byte {
	var digits [8]byte
	for i := range digits {
		digits[7-i] = '0' + byte(id%10)
		id /= 10
	}
	return append(append(append(b, 0xad), "user-"...), digits[:]...)
}

func BenchmarkGet(b *testing.B) {
	rows := benchTuples(benchRows)
	for _, c := range benchCases {
		if c.key == nil {
			continue
		}
		b.Run(c.name, func(b *testing.B) {
			x := c.make(b)
			for _, tp := range rows {
				x.Replace(nil, tp, InsertOnly)
			}
			r := rand.New(rand.NewPCG(3, 4))
			buf := make([]byte, 0, 64)
			b.ReportAllocs()
			for b.Loop() {
				if x.Get(c.key(buf, r.Uint64N(benchRows)), 1) == nil {
					b.Fatal("lost")
				}
			}
			b.ReportMetric(float64(x.Bytes())/benchRows, "bytes/tuple")
		})
	}
}

// BenchmarkInsert fills an index of a million tuples again and again, in random order.
func BenchmarkInsert(b *testing.B) {
	rows := benchTuples(benchRows)
	for _, c := range benchCases {
		b.Run(c.name, func(b *testing.B) {
			var x Index
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if i%benchRows == 0 {
					x = c.make(b)
				}
				x.Replace(nil, rows[i%benchRows], InsertOnly)
				i++
			}
		})
	}
}

// BenchmarkReplace replaces random tuples of a million; with snapshots one is taken every thousand writes.
func BenchmarkReplace(b *testing.B) {
	rows := benchTuples(benchRows)
	for _, every := range []int{0, 1000} {
		for _, c := range benchCases {
			b.Run(fmt.Sprintf("%s/snapshot every %d", c.name, every), func(b *testing.B) {
				x := c.make(b)
				x.BulkLoad(append([]*tuple.Tuple(nil), rows...))
				r := rand.New(rand.NewPCG(3, 4))
				b.ReportAllocs()
				i := 0
				for b.Loop() {
					if every > 0 && i%every == 0 {
						x.Snapshot()
					}
					i++
					tp := rows[r.IntN(benchRows)]
					x.Replace(nil, tp, ReplaceOrInsert)
				}
			})
		}
	}
}

// BenchmarkChurn deletes a random tuple and inserts another, and reports what that does to the memory.
func BenchmarkChurn(b *testing.B) {
	rows := benchTuples(benchRows)
	for _, c := range benchCases {
		b.Run(c.name, func(b *testing.B) {
			x := c.make(b)
			x.BulkLoad(append([]*tuple.Tuple(nil), rows[:benchRows/2]...))
			own := append([]*tuple.Tuple(nil), rows...)
			r := rand.New(rand.NewPCG(3, 4))
			b.ReportAllocs()
			for b.Loop() {
				i, j := r.IntN(benchRows/2), benchRows/2+r.IntN(benchRows/2)
				x.Replace(own[i], nil, InsertOnly)
				x.Replace(nil, own[j], InsertOnly)
				own[i], own[j] = own[j], own[i]
			}
			b.ReportMetric(float64(x.Bytes())/float64(x.Len()), "bytes/tuple")
		})
	}
}

func BenchmarkBulkLoad(b *testing.B) {
	rows := benchTuples(benchRows)
	for _, c := range benchCases {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				x := c.make(b)
				x.BulkLoad(rows)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/tuple")
		})
	}
}

// BenchmarkLoader reports the cost of a tuple whose hint is known.
func BenchmarkLoader(b *testing.B) {
	rows := benchTuples(benchRows)
	x := benchCases[0].make(b)
	slices.SortFunc(rows, x.Def().KeyDef.Compare)
	hints := make([]uint64, len(rows))
	for i, tp := range rows {
		hints[i] = x.Def().KeyDef.Hint(tp)
	}
	b.ReportAllocs()
	for b.Loop() {
		l := NewLoader(benchCases[0].make(b))
		for i, tp := range rows {
			l.Add(tp, hints[i])
		}
		if err := l.End(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/tuple")
}

// BenchmarkIterate reports the cost of a tuple.
func BenchmarkIterate(b *testing.B) {
	rows := benchTuples(benchRows)
	x := benchCases[0].make(b)
	x.BulkLoad(rows)
	b.Run("next", func(b *testing.B) {
		it, _ := x.Iterate(ALL, nil, 0, nil)
		b.ReportAllocs()
		for b.Loop() {
			if it.Next() == nil {
				it, _ = x.Iterate(ALL, nil, 0, nil)
			}
		}
	})
	b.Run("select 10", func(b *testing.B) {
		r := rand.New(rand.NewPCG(3, 4))
		buf := make([]byte, 0, 64)
		dst := make([]*tuple.Tuple, 0, 10)
		b.ReportAllocs()
		for b.Loop() {
			dst, _ = x.Select(dst[:0], GE, msgpack.AppendUint(buf, r.Uint64N(benchRows)*3), 1, nil, 0, 10)
		}
	})
	b.Run("offset 100000", func(b *testing.B) {
		dst := make([]*tuple.Tuple, 0, 10)
		b.ReportAllocs()
		for b.Loop() {
			dst, _ = x.Select(dst[:0], ALL, nil, 0, nil, 100000, 10)
		}
	})
	b.Run("count", func(b *testing.B) {
		r := rand.New(rand.NewPCG(3, 4))
		buf := make([]byte, 0, 64)
		b.ReportAllocs()
		for b.Loop() {
			x.Count(GE, msgpack.AppendUint(buf, r.Uint64N(benchRows)*3), 1)
		}
	})
}

func BenchmarkRTree(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	x := boxes(b, 2, Euclid)
	const n = 100000
	for i := range n {
		x.Replace(nil, row(i, []any{r.Float64(), r.Float64()}), InsertOnly)
	}
	dst := make([]*tuple.Tuple, 0, 100)
	k := make([]byte, 18)
	point := func() []byte {
		k[0], k[9] = 0xcb, 0xcb
		binary.BigEndian.PutUint64(k[1:], uint64(0x3fe)<<52|r.Uint64()>>12)
		binary.BigEndian.PutUint64(k[10:], uint64(0x3fe)<<52|r.Uint64()>>12)
		return k
	}
	b.Run("neighbor 10", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			dst, _ = x.Select(dst[:0], Neighbor, point(), 2, nil, 0, 10)
		}
	})
}

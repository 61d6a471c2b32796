package index

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// row makes a tuple of Go values.
func row(fields ...any) *tuple.Tuple {
	return tuple.New(encode(fields))
}

func encode(v any) []byte {
	b, err := msgpack.Append(nil, v)
	if err != nil {
		panic(err)
	}
	return b
}

// key makes a key of Go values.
func key(parts ...any) (k []byte, n int) {
	for _, p := range parts {
		k = append(k, encode(p)...)
	}
	return k, len(parts)
}

func keyDef(t testing.TB, parts ...tuple.KeyPart) *tuple.KeyDef {
	t.Helper()
	k, err := tuple.NewKeyDef(parts)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// checkTree reports what is wrong with the structure of a tree.
func checkTree(t *tree) error {
	var last unsafe.Pointer
	leaves, inners := 0, 0
	var walk func(node unsafe.Pointer, depth int, low, high unsafe.Pointer) (int, error)
	walk = func(node unsafe.Pointer, depth int, low, high unsafe.Pointer) (int, error) {
		if depth == t.height {
			leaves++
			l := (*leaf)(node)
			for i, it := range l.items[:l.n] {
				k := t.keyOf(it)
				switch {
				case l.hints[i] != t.itemWord(it, int(l.depth)):
					return 0, fmt.Errorf("hint of %v is wrong", k)
				case !shares(t, &l.head, it):
					return 0, fmt.Errorf("%v doesn't share the prefix of its leaf", k)
				case last != nil && t.cmp.Compare(t.keyOf(last), k) >= 0:
					return 0, fmt.Errorf("%v stands before %v", t.keyOf(last), k)
				case low != nil && t.cmp.Compare(t.keyOf(low), k) > 0:
					return 0, fmt.Errorf("%v is less than its separator %v", k, t.keyOf(low))
				case high != nil && t.cmp.Compare(t.keyOf(high), k) <= 0:
					return 0, fmt.Errorf("%v isn't less than the next separator %v", k, t.keyOf(high))
				}
				last = it
			}
			for _, it := range l.items[l.n:] {
				if it != nil {
					return 0, errors.New("a leaf keeps a tuple that isn't its own")
				}
			}
			if l.n == 0 {
				return 0, errors.New("empty leaf")
			}
			return int(l.n), nil
		}
		inners++
		in := (*inner)(node)
		if in.n == 0 || depth == 0 && in.n == 1 {
			return 0, fmt.Errorf("inner node with %d children", in.n)
		}
		sum := 0
		for i := range int(in.n) {
			lo, hi := low, high
			if i > 0 {
				lo = in.items[i]
				if in.hints[i] != t.itemWord(lo, int(in.depth)) || !shares(t, &in.head, lo) {
					return 0, fmt.Errorf("hint of separator %v is wrong", t.keyOf(lo))
				}
			}
			if i+1 < int(in.n) {
				hi = in.items[i+1]
			}
			n, err := walk(in.kids[i], depth+1, lo, hi)
			if err != nil {
				return 0, err
			}
			if n != in.counts[i] {
				return 0, fmt.Errorf("count %d instead of %d", in.counts[i], n)
			}
			sum += n
		}
		return sum, nil
	}
	size := 0
	if t.root != nil {
		n, err := walk(t.root, 0, nil, nil)
		if err != nil {
			return err
		}
		size = n
	}
	if size != t.size || leaves != t.leaves || inners != t.inners {
		return fmt.Errorf("size %d, leaves %d, inners %d; counted %d, %d, %d", t.size, t.leaves, t.inners, size, leaves, inners)
	}
	return nil
}

// shares reports whether an item has the words that the keys of a node have in common.
func shares(t *tree, h *head, it unsafe.Pointer) bool {
	for i := range int(h.depth) {
		if t.itemWord(it, i) != h.prefix[i] {
			return false
		}
	}
	return true
}

// model is what a tree is held against: tuples in a sorted slice.
type model struct {
	cmp  *tuple.KeyDef
	rows []*tuple.Tuple
}

func (m *model) find(t *tuple.Tuple) (int, bool) {
	return slices.BinarySearchFunc(m.rows, t, m.cmp.Compare)
}

func (m *model) insert(t *tuple.Tuple) {
	i, found := m.find(t)
	if found {
		m.rows[i] = t
	} else {
		m.rows = slices.Insert(m.rows, i, t)
	}
}

func (m *model) delete(t *tuple.Tuple) {
	if i, found := m.find(t); found && m.rows[i] == t {
		m.rows = slices.Delete(m.rows, i, i+1)
	}
}

// search returns what an iterator must return.
func (m *model) search(typ IteratorType, key []byte, n int) []*tuple.Tuple {
	var found []*tuple.Tuple
	for _, t := range m.rows {
		c := m.cmp.CompareKey(t, key, n)
		ok := false
		switch typ {
		case EQ, REQ:
			ok = c == 0
		case ALL, GE:
			ok = c >= 0
		case GT, NP:
			ok = c > 0 || n == 0
		case LE:
			ok = c <= 0
		case LT, PP:
			ok = c < 0 || n == 0
		}
		if ok {
			found = append(found, t)
		}
	}
	if typ.Reverse() {
		slices.Reverse(found)
	}
	return found
}

// treeCase is a shape of key with a source of tuples for it.
type treeCase struct {
	name   string
	unique bool
	parts  []tuple.KeyPart
	row    func(r *rand.Rand) *tuple.Tuple
	keys   func(r *rand.Rand) ([]byte, int)
}

var treeCases = []treeCase{
	{"unsigned", true, []tuple.KeyPart{{Field: 0, Type: tuple.Unsigned}},
		func(r *rand.Rand) *tuple.Tuple { return row(r.IntN(4000), "x") },
		func(r *rand.Rand) ([]byte, int) { return key(r.IntN(4000)) }},
	{"descending", true, []tuple.KeyPart{{Field: 0, Type: tuple.Unsigned, Desc: true}},
		func(r *rand.Rand) *tuple.Tuple { return row(r.IntN(4000)) },
		func(r *rand.Rand) ([]byte, int) { return key(r.IntN(4000)) }},
	{"equal hints", true, []tuple.KeyPart{{Field: 1, Type: tuple.String}},
		func(r *rand.Rand) *tuple.Tuple { return row(1, fmt.Sprintf("the same prefix %d", r.IntN(4000))) },
		func(r *rand.Rand) ([]byte, int) { return key(fmt.Sprintf("the same prefix %d", r.IntN(4000))) }},
	{"prefixes", true, []tuple.KeyPart{{Field: 1, Type: tuple.String}, {Field: 0, Type: tuple.Unsigned}},
		func(r *rand.Rand) *tuple.Tuple { return row(r.IntN(3), prefixed(r)) },
		func(r *rand.Rand) ([]byte, int) {
			if r.IntN(2) == 0 {
				return key(prefixed(r))
			}
			return key(prefixed(r), r.IntN(3))
		}},
	{"descending prefixes", true, []tuple.KeyPart{{Field: 1, Type: tuple.String, Desc: true}, {Field: 0, Type: tuple.Unsigned}},
		func(r *rand.Rand) *tuple.Tuple { return row(r.IntN(3), prefixed(r)) },
		func(r *rand.Rand) ([]byte, int) { return key(prefixed(r)) }},
	{"varbinary", true, []tuple.KeyPart{{Field: 1, Type: tuple.Varbinary}, {Field: 0, Type: tuple.Unsigned}},
		func(r *rand.Rand) *tuple.Tuple { return row(r.IntN(3), []byte(prefixed(r))) },
		func(r *rand.Rand) ([]byte, int) { return key([]byte(prefixed(r))) }},
	{"three parts", true, []tuple.KeyPart{{Field: 1, Type: tuple.Unsigned}, {Field: 2, Type: tuple.Boolean}, {Field: 0, Type: tuple.Integer}},
		func(r *rand.Rand) *tuple.Tuple { return row(r.IntN(1500)-700, r.IntN(3), r.IntN(2) == 0) },
		func(r *rand.Rand) ([]byte, int) {
			return key(r.IntN(3), r.IntN(2) == 0)
		}},
	{"composite", true, []tuple.KeyPart{{Field: 1, Type: tuple.String}, {Field: 0, Type: tuple.Integer}},
		func(r *rand.Rand) *tuple.Tuple { return row(r.IntN(400)-200, string(rune('a'+r.IntN(12)))) },
		func(r *rand.Rand) ([]byte, int) {
			if r.IntN(2) == 0 {
				return key(string(rune('a' + r.IntN(12))))
			}
			return key(string(rune('a'+r.IntN(12))), r.IntN(400)-200)
		}},
	{"secondary", false, []tuple.KeyPart{{Field: 1, Type: tuple.Unsigned}},
		func(r *rand.Rand) *tuple.Tuple { return row(r.IntN(4000), r.IntN(20)) },
		func(r *rand.Rand) ([]byte, int) { return key(r.IntN(22)) }},
	{"nullable", true, []tuple.KeyPart{{Field: 1, Type: tuple.Unsigned, Nullable: true}},
		func(r *rand.Rand) *tuple.Tuple {
			if r.IntN(2) == 0 {
				return row(r.IntN(4000), nil)
			}
			return row(r.IntN(4000), r.IntN(2000))
		},
		func(r *rand.Rand) ([]byte, int) {
			if r.IntN(2) == 0 {
				return key(nil)
			}
			return key(r.IntN(2000))
		}},
}

// prefixed makes strings that share long prefixes and end in zeros, where the words of keys meet.
func prefixed(r *rand.Rand) string {
	s := []string{"", "user:", "user:account:", "user:account:number:", "user:account:number:0000000000:"}[r.IntN(5)]
	switch r.IntN(3) {
	case 0:
		return s + string(make([]byte, r.IntN(20)))
	case 1:
		return s + string([]byte{byte(r.IntN(3)), 0, byte(r.IntN(2))})
	}
	return s + fmt.Sprint(r.IntN(500))
}

func (c *treeCase) def(t testing.TB) *Def {
	k := keyDef(t, c.parts...)
	primary := keyDef(t, tuple.KeyPart{Field: 0, Type: tuple.Integer})
	full := k.Merge(primary)
	if c.unique {
		full = k.MergeUnique(primary)
	}
	return &Def{Name: "i", Space: "s", Unique: c.unique, KeyDef: k, CmpDef: full}
}

func collect(it Iterator) (found []*tuple.Tuple) {
	for t := it.Next(); t != nil; t = it.Next() {
		found = append(found, t)
	}
	return found
}

func wantRows(t *testing.T, what string, got, want []*tuple.Tuple) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Fatalf("%s: got %d tuples %v, want %d %v", what, len(got), clip(got), len(want), clip(want))
	}
}

func clip(rows []*tuple.Tuple) []*tuple.Tuple { return rows[:min(len(rows), 5)] }

// compare holds all ways to read a tree against the model.
func (c *treeCase) compare(t *testing.T, r *rand.Rand, x Index, m *model) {
	t.Helper()
	if x.Len() != len(m.rows) {
		t.Fatalf("%d tuples instead of %d", x.Len(), len(m.rows))
	}
	for _, typ := range []IteratorType{EQ, REQ, ALL, LT, LE, GE, GT, PP} {
		k, n := c.keys(r)
		if r.IntN(6) == 0 {
			k, n = nil, 0
		}
		want := m.search(typ, k, n)
		what := fmt.Sprintf("%v %x", typ, k)
		it, err := x.Iterate(typ, k, n, nil)
		if err != nil {
			t.Fatal(err)
		}
		wantRows(t, what, collect(it), want)

		count, _ := x.Count(typ, k, n)
		if count != len(want) {
			t.Fatalf("%s: count %d instead of %d", what, count, len(want))
		}
		offset, limit := r.IntN(len(want)+3), r.IntN(300)
		got, _ := x.Select(nil, typ, k, n, nil, offset, limit)
		from := min(offset, len(want))
		wantRows(t, fmt.Sprintf("%s offset %d limit %d", what, offset, limit), got, want[from:min(from+limit, len(want))])

		it, _ = x.Iterate(typ, k, n, nil)
		it.(Skipper).Skip(offset)
		wantRows(t, what+" skip", collect(it), want[from:])

		if len(want) > 0 {
			at := r.IntN(len(want))
			pos, err := x.AppendPosition(nil, want[at])
			if err != nil {
				t.Fatal(err)
			}
			it, err := x.Iterate(typ, k, n, pos)
			if err != nil {
				t.Fatalf("%s after %x: %v", what, pos, err)
			}
			wantRows(t, fmt.Sprintf("%s after %x", what, pos), collect(it), want[at+1:])
		}
	}
	if len(m.rows) > 0 {
		first, _ := x.Min(nil, 0)
		last, _ := x.Max(nil, 0)
		if first != m.rows[0] || last != m.rows[len(m.rows)-1] {
			t.Fatalf("min %v, max %v", first, last)
		}
		if x.Random(r.Uint32()) == nil {
			t.Fatal("no random tuple")
		}
	}
}

func TestTreeAgainstModel(t *testing.T) {
	for _, c := range treeCases {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			x := NewTree(c.def(t)).(*tree)
			m := &model{cmp: x.cmp}
			type view struct {
				x Index
				m *model
			}
			var views []view
			for op := range 24000 {
				grow := op/6000%2 == 0
				tp := c.row(r)
				if i, found := m.find(tp); found && (!grow || r.IntN(4) == 0) {
					old := m.rows[i]
					if replaced, err := x.Replace(old, nil, InsertOnly); err != nil || replaced != old {
						t.Fatalf("delete %v: %v, %v", old, replaced, err)
					}
					m.delete(old)
				} else if !grow && len(m.rows) > 0 && r.IntN(8) > 0 {
					old := m.rows[r.IntN(len(m.rows))]
					x.Replace(old, nil, InsertOnly)
					m.delete(old)
				} else if found && r.IntN(2) == 0 {
					if _, err := x.Replace(nil, tp, InsertOnly); !boxerr.Is(err, boxerr.TupleFound) {
						t.Fatalf("duplicate %v: %v", tp, err)
					}
				} else {
					replaced, err := x.Replace(nil, tp, ReplaceOrInsert)
					if err != nil || found != (replaced != nil) || found && replaced != m.rows[i] {
						t.Fatalf("replace %v: %v, %v", tp, replaced, err)
					}
					m.insert(tp)
				}
				if op%1009 == 0 {
					if err := checkTree(x); err != nil {
						t.Fatalf("operation %d: %v", op, err)
					}
					c.compare(t, r, x, m)
				}
				if op%5003 == 0 {
					views = append(views, view{x.Snapshot(), &model{m.cmp, slices.Clone(m.rows)}})
				}
			}
			for _, v := range views {
				if err := checkTree(v.x.(*tree)); err != nil {
					t.Fatal(err)
				}
				c.compare(t, r, v.x, v.m)
				if _, err := v.x.Replace(nil, c.row(r), InsertOnly); err == nil {
					t.Fatal("a snapshot was changed")
				}
			}
			for len(m.rows) > 0 {
				old := m.rows[r.IntN(len(m.rows))]
				x.Replace(old, nil, InsertOnly)
				m.delete(old)
			}
			if err := checkTree(x); err != nil || x.Bytes() != 0 {
				t.Fatalf("emptied: %v, %d bytes", err, x.Bytes())
			}
		})
	}
}

// An iterator goes on behind the last tuple that it returned, whatever happens to the tree meanwhile.
func TestTreeIteratorSurvivesChanges(t *testing.T) {
	for _, c := range treeCases {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			x := NewTree(c.def(t)).(*tree)
			m := &model{cmp: x.cmp}
			for range 1500 {
				tp := c.row(r)
				x.Replace(nil, tp, ReplaceOrInsert)
				m.insert(tp)
			}
			for round := range 35 {
				typ := []IteratorType{EQ, REQ, ALL, LT, LE, GE, GT}[round%7]
				k, n := c.keys(r)
				if round%3 == 0 {
					k, n = nil, 0
				}
				it, _ := x.Iterate(typ, k, n, nil)
				var last *tuple.Tuple
				for {
					for range r.IntN(3) {
						tp := c.row(r)
						x.Replace(nil, tp, ReplaceOrInsert)
						m.insert(tp)
					}
					if last != nil && r.IntN(2) == 0 {
						x.Replace(last, nil, InsertOnly)
						m.delete(last)
					}
					var want *tuple.Tuple
					for _, tp := range m.search(typ, k, n) {
						if last == nil || typ.Reverse() && m.cmp.Compare(tp, last) < 0 || !typ.Reverse() && m.cmp.Compare(tp, last) > 0 {
							want = tp
							break
						}
					}
					got := it.Next()
					if got != want {
						t.Fatalf("%v %x after %v: got %v, want %v", typ, k, last, got, want)
					}
					if got == nil {
						break
					}
					last = got
					if r.IntN(2) == 0 {
						it.(Skipper).Skip(50)
						rest := m.search(typ, k, n)
						at := slices.Index(rest, last) + 50
						if at >= len(rest) {
							break
						}
						last = rest[at]
					}
				}
				if round%5 == 0 {
					x.Snapshot()
				}
			}
		})
	}
}

func TestTreeBulkLoad(t *testing.T) {
	for _, c := range treeCases {
		for _, n := range []int{0, 1, 100, 127, 128, 5000, 40000} {
			r := rand.New(rand.NewPCG(5, uint64(n)))
			x := NewTree(c.def(t)).(*tree)
			m := &model{cmp: x.cmp}
			var rows []*tuple.Tuple
			seen := map[string]bool{}
			for i := range n {
				tp := c.row(r)
				if n > 5000 && c.name == "unsigned" {
					tp = row((i*7919)%n, "x")
				}
				k := string(x.cmp.ExtractKey(nil, tp))
				if c.name == "nullable" {
					k = string(encode([]any{tp.Field(0), "or", string(tp.Field(1))}))
					if f := tp.Field(1); f[0] != 0xc0 {
						k = string(f)
					}
				}
				if !seen[k] {
					seen[k] = true
					rows = append(rows, tp)
				}
			}
			want := slices.Clone(rows)
			slices.SortFunc(want, m.cmp.Compare)
			if err := x.BulkLoad(rows); err != nil {
				t.Fatalf("%s %d: %v", c.name, n, err)
			}
			if err := checkTree(x); err != nil {
				t.Fatalf("%s %d: %v", c.name, n, err)
			}
			it, _ := x.Iterate(ALL, nil, 0, nil)
			wantRows(t, c.name, collect(it), want)
			for range 300 {
				tp := c.row(r)
				if _, err := x.Replace(nil, tp, ReplaceOrInsert); err != nil {
					t.Fatal(err)
				}
			}
			if err := checkTree(x); err != nil {
				t.Fatalf("%s %d, then inserts: %v", c.name, n, err)
			}
		}
	}
}

// TestLoader adds tuples in several orders, whose trees must be those of BulkLoad.
func TestLoader(t *testing.T) {
	for _, c := range treeCases {
		for _, n := range []int{0, 1, loadFill, loadFill + 1, 5000, 40000} {
			r := rand.New(rand.NewPCG(6, uint64(n)))
			want := NewTree(c.def(t)).(*tree)
			for range n {
				if _, err := want.Replace(nil, c.row(r), ReplaceOrInsert); err != nil {
					t.Fatal(err)
				}
			}
			it, _ := want.Iterate(ALL, nil, 0, nil)
			sorted := collect(it)
			orders := map[string][]*tuple.Tuple{"in order": sorted}
			if len(sorted) > 1 {
				late := slices.Clone(sorted)
				late[len(late)-1], late[len(late)-2] = late[len(late)-2], late[len(late)-1]
				orders["at last out of order"] = late
				turned := slices.Clone(sorted)
				slices.Reverse(turned)
				orders["descending"] = turned
			}
			for name, rows := range orders {
				x := NewTree(c.def(t)).(*tree)
				l := NewLoader(x)
				for _, tp := range rows {
					l.Add(tp, x.def.KeyDef.Hint(tp))
				}
				if l.Len() != len(rows) || x.Len() != 0 {
					t.Errorf("%s %d, %s: %d tuples were added, the index has %d already", c.name, n, name, l.Len(), x.Len())
				}
				if err := l.End(); err != nil {
					t.Fatalf("%s %d, %s: %v", c.name, n, name, err)
				}
				if err := checkTree(x); err != nil {
					t.Fatalf("%s %d, %s: %v", c.name, n, name, err)
				}
				it, _ := x.Iterate(ALL, nil, 0, nil)
				wantRows(t, c.name+", "+name, collect(it), sorted)
			}
		}
	}
}

func TestLoaderDuplicate(t *testing.T) {
	for name, at := range map[string]int{"beside": 6, "later": 9} {
		x := New(treeCases[0].def(t))
		l := NewLoader(x)
		for i := range 200 {
			tp := row(i, "first")
			if i == at {
				tp = row(5, "second")
			}
			l.Add(tp, x.Def().KeyDef.Hint(tp))
		}
		err := l.End()
		want := `Duplicate key exists in unique index "i" in space "s" with old tuple - [5, "first"] and new tuple - [5, "second"]`
		if err == nil || err.Error() != want || x.Len() != 0 || x.Bytes() != 0 {
			t.Errorf("%s: %v, %d tuples and %d bytes left", name, err, x.Len(), x.Bytes())
		}
	}
}

func TestTreeBulkLoadDuplicate(t *testing.T) {
	c := &treeCases[0]
	x := NewTree(c.def(t))
	first := row(5, "first")
	err := x.BulkLoad([]*tuple.Tuple{row(9), first, row(7), row(5, "second"), row(7)})
	want := `Duplicate key exists in unique index "i" in space "s" with old tuple - [5, "first"] and new tuple - [5, "second"]`
	if err == nil || err.Error() != want || x.Len() != 0 {
		t.Fatalf("%v, %d tuples left", err, x.Len())
	}
}

// Tuples that arrive in order leave full leaves behind.
func TestTreeInOrder(t *testing.T) {
	for name, at := range map[string]func(i int) int{
		"ascending":  func(i int) int { return i },
		"descending": func(i int) int { return 100000 - i },
	} {
		x := NewTree(treeCases[0].def(t)).(*tree)
		for i := range 50000 {
			x.Replace(nil, row(at(i)), InsertOnly)
		}
		if err := checkTree(x); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if per := float64(x.Bytes()) / 50000; per > 17.5 {
			t.Errorf("%s: %.1f bytes a tuple", name, per)
		}
		for i := range 50000 {
			x.Replace(x.Random(uint32(i)), nil, InsertOnly)
		}
		if err := checkTree(x); err != nil || x.Len() != 0 {
			t.Fatalf("%s, emptied: %v", name, err)
		}
	}
}

// What comes in order goes straight to the end, which must be right whatever happens in between.
func TestTreeMostlyInOrder(t *testing.T) {
	for _, c := range treeCases {
		r := rand.New(rand.NewPCG(8, 1))
		all := NewTree(c.def(t)).(*tree)
		for range 3000 {
			if _, err := all.Replace(nil, c.row(r), ReplaceOrInsert); err != nil {
				t.Fatal(err)
			}
		}
		it, _ := all.Iterate(ALL, nil, 0, nil)
		sorted := collect(it)
		x := NewTree(c.def(t)).(*tree)
		in := map[*tuple.Tuple]bool{}
		insert := func(tp *tuple.Tuple) {
			if old, err := x.Replace(nil, tp, InsertOnly); old != nil || err != nil {
				t.Fatalf("%s: %v, %v", c.name, old, err)
			}
			in[tp] = true
		}
		for i, tp := range sorted {
			if in[tp] {
				continue
			}
			insert(tp)
			switch r.IntN(40) {
			case 0: // the last one leaves, or all
				n := 1
				if r.IntN(5) == 0 {
					n = len(in)
				}
				for _, tp := range slices.Backward(sorted[:i+1]) {
					if n > 0 && in[tp] {
						x.Replace(tp, nil, InsertOnly)
						delete(in, tp)
						n--
					}
				}
			case 1: // one comes too early
				if tp := sorted[i+r.IntN(len(sorted)-i)]; !in[tp] {
					insert(tp)
				}
			case 2: // one comes late
				if tp := sorted[r.IntN(i+1)]; !in[tp] {
					insert(tp)
				}
			case 3: // one is there already
				if _, err := x.Replace(nil, x.Random(r.Uint32()), InsertOnly); err != nil && !boxerr.Is(err, boxerr.TupleFound) {
					t.Fatal(err)
				}
			case 4:
				x.Snapshot()
			}
		}
		if err := checkTree(x); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		var want []*tuple.Tuple
		for _, tp := range sorted {
			if in[tp] {
				want = append(want, tp)
			}
		}
		it, _ = x.Iterate(ALL, nil, 0, nil)
		wantRows(t, c.name, collect(it), want)
	}
}

func TestTreePrefix(t *testing.T) {
	x := NewTree(&Def{Unique: true, KeyDef: keyDef(t, tuple.KeyPart{Type: tuple.String})})
	for _, s := range []string{"ab", "abc", "abd", "ac", "b", "ba", "\xff", "\xff\xffz"} {
		x.Replace(nil, row(s), InsertOnly)
	}
	for _, c := range []struct {
		typ  IteratorType
		key  string
		want string
	}{
		{NP, "ab", `[["ac"] ["b"] ["ba"]`},
		{NP, "a", `[["b"] ["ba"]`},
		{NP, "", `[]`},
		{NP, "\xff", `[]`},
		{PP, "ac", `[["abd"] ["abc"] ["ab"]]`},
		{PP, "b", `[["ac"] ["abd"] ["abc"] ["ab"]]`},
	} {
		k, n := key(c.key)
		rows, err := x.Select(nil, c.typ, k, n, nil, 0, 100)
		if got := fmt.Sprint(rows); err != nil || got[:min(len(got), len(c.want))] != c.want {
			t.Errorf("%v %q: %s, %v", c.typ, c.key, got, err)
		}
	}
}

func TestTreePositionErrors(t *testing.T) {
	x := NewTree(&Def{Name: "i", Space: "s", Unique: true, KeyDef: keyDef(t, tuple.KeyPart{Type: tuple.Unsigned})})
	for i := range 6 {
		x.Replace(nil, row(i), InsertOnly)
	}
	for _, c := range []struct {
		typ   IteratorType
		key   []any
		after any
	}{
		{ALL, nil, "text"},
		{ALL, nil, []any{"x"}},
		{ALL, nil, []any{1, 2}},
		{ALL, nil, []any{nil}},
		{EQ, []any{3}, []any{5}},
		{GE, []any{3}, []any{1}},
		{GT, []any{3}, []any{3}},
		{LE, []any{3}, []any{4}},
	} {
		k, n := key(c.key...)
		if _, err := x.Iterate(c.typ, k, n, encode(c.after)); !boxerr.Is(err, boxerr.IteratorPosition) {
			t.Errorf("%v %v after %v: %v", c.typ, c.key, c.after, err)
		}
	}
	if _, err := x.Iterate(BitsAllSet, nil, 0, nil); err == nil || err.Error() != "Index 'i' (TREE) of space 's' (memtx) does not support requested iterator type" {
		t.Errorf("%v", err)
	}
	it, _ := x.Iterate(GE, nil, 0, nil)
	it.Next()
	it.(Skipper).Skip(2)
	if pos := it.(Positioner).AppendPosition(nil); string(pos) != string(encode([]any{2})) {
		t.Errorf("position %x", pos)
	}
}

func TestTreeExcludesNull(t *testing.T) {
	k := keyDef(t, tuple.KeyPart{Field: 1, Type: tuple.Unsigned, ExcludeNull: true})
	x := NewTree(&Def{Unique: true, KeyDef: k, CmpDef: k.MergeUnique(keyDef(t, tuple.KeyPart{Type: tuple.Unsigned}))})
	a, b, c := row(1, nil), row(2), row(3, 7)
	for _, tp := range []*tuple.Tuple{a, b, c} {
		if _, err := x.Replace(nil, tp, InsertOnly); err != nil {
			t.Fatal(err)
		}
	}
	if x.Len() != 1 {
		t.Fatalf("%d tuples", x.Len())
	}
	d := row(1, 8)
	x.Replace(a, d, InsertOnly)
	x.Replace(c, row(3), InsertOnly)
	if rows, _ := x.Select(nil, ALL, nil, 0, nil, 0, 9); len(rows) != 1 || rows[0] != d {
		t.Fatalf("%v", rows)
	}
}

func appendExt(b []byte, typ int8, data []byte) []byte { return msgpack.AppendExt(b, typ, data) }

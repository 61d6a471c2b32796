package index

import (
	"fmt"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// FuzzTree makes changes to a tree that the bytes ask for, three bytes a change, and holds it against the model.
func FuzzTree(f *testing.F) {
	f.Add([]byte("insert and delete some of these things, please"))
	f.Add([]byte{0, 1, 2, 0, 1, 2, 200, 1, 2, 0, 255, 255})
	f.Fuzz(func(t *testing.T, ops []byte) {
		c := treeCase{parts: []tuple.KeyPart{{Field: 1, Type: tuple.String}}}
		x := NewTree(c.def(t)).(*tree)
		m := &model{cmp: x.cmp}
		snapshot, frozen := Index(nil), []*tuple.Tuple(nil)
		for ; len(ops) >= 3; ops = ops[3:] {
			many := 1 + int(ops[0]%64)
			for i := range many {
				id := int(ops[1])*many + i
				tp := row(id, fmt.Sprintf("%.*s%d", int(ops[2]%40), "a long prefix that many of the keys share", id%50))
				if at, found := m.find(tp); found && ops[0] >= 128 {
					old := m.rows[at]
					x.Replace(old, nil, InsertOnly)
					m.delete(old)
				} else {
					x.Replace(nil, tp, ReplaceOrInsert)
					m.insert(tp)
				}
			}
			if ops[0] == 77 {
				snapshot, frozen = x.Snapshot(), append([]*tuple.Tuple(nil), m.rows...)
			}
		}
		if err := checkTree(x); err != nil {
			t.Fatal(err)
		}
		it, _ := x.Iterate(REQ, nil, 0, nil)
		wantRows(t, "all", collect(it), m.search(REQ, nil, 0))
		if snapshot != nil {
			it, _ := snapshot.Iterate(ALL, nil, 0, nil)
			wantRows(t, "snapshot", collect(it), frozen)
		}
	})
}

// FuzzSearch searches indexes of all kinds by keys and positions of any values, as a client may send them.
func FuzzSearch(f *testing.F) {
	add := func(typ IteratorType, key []any, after any) {
		b := encode(key)
		if after != nil {
			b = append(b, encode(after)...)
		}
		f.Add(byte(typ), b)
	}
	add(EQ, []any{1, "a"}, nil)
	add(NP, []any{1, "a\xff"}, []any{1, "b", 2})
	add(Overlaps, []any{0, 0, 5, 5}, nil)
	add(Neighbor, []any{[]any{1.5, 2}}, nil)
	add(BitsAnySet, []any{7}, []any{})
	add(GT, nil, "x")

	number := tuple.KeyPart{Type: tuple.Unsigned}
	defs := []*Def{
		{Type: Tree, Unique: true, KeyDef: keyDef(f, number, tuple.KeyPart{Field: 1, Type: tuple.String})},
		{Type: Tree, KeyDef: keyDef(f, tuple.KeyPart{Field: 2, Type: tuple.Scalar, Nullable: true})},
		{Type: Hash, Unique: true, KeyDef: keyDef(f, tuple.KeyPart{Field: 2, Type: tuple.Scalar})},
		{Type: Bitset, KeyDef: keyDef(f, number)},
		{Type: Bitset, KeyDef: keyDef(f, tuple.KeyPart{Field: 1, Type: tuple.String})},
		{Type: RTree, KeyDef: keyDef(f, tuple.KeyPart{Field: 3, Type: tuple.Array})},
	}
	var indexes []Index
	for _, def := range defs {
		if !def.Unique {
			def.CmpDef = def.KeyDef.Merge(keyDef(f, number))
		}
		x := New(def)
		for i := range 300 {
			if _, err := x.Replace(nil, row(i, fmt.Sprint("text ", i), float64(i)/2, []any{i, i % 7}), InsertOnly); err != nil {
				f.Fatal(err)
			}
		}
		indexes = append(indexes, x)
	}
	f.Fuzz(func(t *testing.T, typ byte, data []byte) {
		after, ok := msgpack.Check(data)
		if !ok {
			return
		}
		n, parts, ok := msgpack.ReadArrayHeader(data[:len(data)-len(after)])
		if !ok {
			return
		}
		for _, x := range indexes {
			typ := IteratorType(typ) % iteratorTypes
			if x.Def().CheckKey(typ, parts, n) != nil {
				continue
			}
			for _, pos := range []Position{nil, after} {
				if rest, ok := msgpack.Check(pos); len(pos) > 0 && (!ok || len(rest) > 0) {
					continue
				}
				rows, err := x.Select(nil, typ, parts, n, pos, 0, 1000)
				if err != nil {
					if boxerr.From(err).Code == boxerr.Unknown {
						t.Fatal(err)
					}
					continue
				}
				it, err := x.Iterate(typ, parts, n, pos)
				if err != nil {
					t.Fatalf("select works, but not iterate: %v", err)
				}
				wantRows(t, x.Def().Type.String(), collect(it), rows)
				if count, _ := x.Count(typ, parts, n); len(pos) == 0 && count != len(rows) {
					t.Fatalf("count %d of %d", count, len(rows))
				}
			}
		}
	})
}

// Reading and changing what is there takes no memory.
func TestAllocations(t *testing.T) {
	rows := benchTuples(4096)
	for _, c := range benchCases {
		x := c.make(t)
		for _, tp := range rows {
			x.Replace(nil, tp, InsertOnly)
		}
		dst := make([]*tuple.Tuple, 0, 16)
		k := make([]byte, 0, 64)
		i := 0
		for what, f := range map[string]func(){
			"replace": func() { x.Replace(nil, rows[i], ReplaceOrInsert) },
			"get": func() {
				if c.key != nil {
					x.Get(c.key(k, uint64(i)), 1)
				}
			},
			"select": func() { dst, _ = x.Select(dst[:0], ALL, nil, 0, nil, i, 10) },
			"count":  func() { x.Count(ALL, nil, 0) },
		} {
			if n := testing.AllocsPerRun(100, func() { f(); i = (i + 37) % len(rows) }); n != 0 {
				t.Errorf("%s: %s allocates %v times", c.name, what, n)
			}
		}
	}
}

// A snapshot is read by one goroutine while another one changes the index; the race detector watches.
func TestSnapshotWhileWriting(t *testing.T) {
	rows := benchTuples(3000)
	for _, typ := range []Type{Tree, Hash, Bitset, RTree} {
		part := tuple.KeyPart{Type: tuple.Unsigned}
		if typ == RTree {
			part = tuple.KeyPart{Field: 3, Type: tuple.Array}
		}
		x := New(&Def{Type: typ, Unique: true, KeyDef: keyDef(t, part)})
		var all []*tuple.Tuple
		for i, tp := range rows {
			if typ == RTree {
				tp = row(i, "", 0, []any{i % 50, i % 70})
			}
			all = append(all, tp)
		}
		if err := x.BulkLoad(all); err != nil {
			t.Fatal(err)
		}
		view := x.Snapshot()
		walked := make(chan int)
		go func() {
			it, _ := view.Iterate(ALL, nil, 0, nil)
			walked <- len(collect(it))
		}()
		for _, tp := range all {
			x.Replace(tp, nil, InsertOnly)
		}
		for _, tp := range all[:100] {
			x.Replace(nil, tp, InsertOnly)
		}
		if n := <-walked; n != len(all) || view.Len() != n || x.Len() != 100 {
			t.Errorf("%v: %d of %d tuples in the snapshot", typ, n, len(all))
		}
	}
}

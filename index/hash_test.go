package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/tuple"
)

func newHash(t testing.TB, parts ...tuple.KeyPart) *hash {
	return NewHash(&Def{Type: Hash, Name: "pk", Space: "h", Unique: true, KeyDef: keyDef(t, parts...)}).(*hash)
}

// checkHash reports what is wrong with the structure of a table.
func checkHash(h *hash) error {
	size, pages, room := 0, 0, 0
	for at := 0; at < len(h.dir); {
		p := h.dir[at]
		wide := 1 << (h.depth - p.depth)
		if at%wide != 0 {
			return fmt.Errorf("page of depth %d at %d", p.depth, at)
		}
		for _, q := range h.dir[at : at+wide] {
			if q != p {
				return fmt.Errorf("page at %d isn't in all of its places", at)
			}
		}
		if len(p.items) != len(p.hashes) || cap(p.items) != cap(p.hashes) {
			return fmt.Errorf("page at %d is uneven", at)
		}
		for i, tp := range p.items {
			if x := h.hasher.tuple(tp); x != p.hashes[i] || h.dir[h.at(x)] != p {
				return fmt.Errorf("%v stands in the wrong page", tp)
			}
			if i > 0 && p.hashes[i-1] > p.hashes[i] {
				return fmt.Errorf("page at %d isn't in order", at)
			}
		}
		size += len(p.items)
		room += cap(p.items)
		pages++
		at += wide
	}
	if size != h.size || pages != h.pages || room != h.room {
		return fmt.Errorf("size %d, pages %d, room %d; counted %d, %d, %d", h.size, h.pages, h.room, size, pages, room)
	}
	return nil
}

func TestHashAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	h := newHash(t, tuple.KeyPart{Type: tuple.Unsigned}, tuple.KeyPart{Field: 1, Type: tuple.String})
	m := map[int]*tuple.Tuple{}
	random := func() (int, *tuple.Tuple) {
		id := r.IntN(20000)
		return id, row(id, fmt.Sprint("text ", id), r.IntN(9))
	}
	check := func(h *hash, m map[int]*tuple.Tuple) {
		t.Helper()
		if err := checkHash(h); err != nil {
			t.Fatal(err)
		}
		seen := map[*tuple.Tuple]bool{}
		it, _ := h.Iterate(ALL, nil, 0, nil)
		all := collect(it)
		for _, tp := range all {
			seen[tp] = true
		}
		for id, tp := range m {
			if k, n := key(id, fmt.Sprint("text ", id)); !seen[tp] || h.Get(k, n) != tp {
				t.Fatalf("%v is lost", tp)
			}
		}
		if len(all) != len(m) || h.Len() != len(m) {
			t.Fatalf("%d tuples walked, %d counted, %d put in", len(all), h.Len(), len(m))
		}
		if k, n := key(50000, "text"); h.Get(k, n) != nil {
			t.Fatal("found what isn't there")
		}
		offset := r.IntN(len(all) + 2)
		got, _ := h.Select(nil, GT, nil, 0, nil, offset, 100)
		from := min(offset, len(all))
		wantRows(t, "offset", got, all[from:min(from+100, len(all))])
		if len(all) > 0 {
			at := r.IntN(len(all))
			k := h.def.KeyDef.AppendKey(nil, all[at].Data(), 0)
			got, _ := h.Select(nil, GT, k, 2, nil, 0, 1<<30)
			wantRows(t, "after a key", got, all[at+1:])
			if n, _ := h.Count(GT, k, 2); n != len(all)-at-1 {
				t.Fatalf("count %d", n)
			}
		}
	}
	type view struct {
		h *hash
		m map[int]*tuple.Tuple
	}
	var views []view
	for op := range 40000 {
		id, tp := random()
		old := m[id]
		switch {
		case op/10000%2 == 1 && len(m) > 0 && r.IntN(8) > 0:
			old = h.Random(r.Uint32())
			if replaced, err := h.Replace(old, nil, InsertOnly); err != nil || replaced != old {
				t.Fatalf("delete %v: %v %v", old, replaced, err)
			}
			for id, tp := range m {
				if tp == old {
					delete(m, id)
					break
				}
			}
		case old != nil && r.IntN(2) == 0:
			if _, err := h.Replace(nil, tp, InsertOnly); !boxerr.Is(err, boxerr.TupleFound) {
				t.Fatal(err)
			}
		default:
			if replaced, err := h.Replace(nil, tp, ReplaceOrInsert); err != nil || replaced != old {
				t.Fatalf("replace: %v, %v", replaced, err)
			}
			m[id] = tp
		}
		if op%4001 == 0 {
			check(h, m)
		}
		if op%9001 == 0 {
			c := map[int]*tuple.Tuple{}
			for id, tp := range m {
				c[id] = tp
			}
			views = append(views, view{h.Snapshot().(*hash), c})
		}
	}
	for _, v := range views {
		check(v.h, v.m)
	}
	for _, tp := range m {
		h.Replace(tp, nil, InsertOnly)
	}
	if h.Len() != 0 || h.Bytes() != 0 {
		t.Fatalf("%d tuples and %d bytes are left", h.Len(), h.Bytes())
	}
}

// An iterator returns each tuple that is there all the time exactly once.
func TestHashIteratorSurvivesChanges(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		h := newHash(t, tuple.KeyPart{Type: tuple.Unsigned})
		stay := map[*tuple.Tuple]int{}
		for i := range 500 {
			tp := row(i)
			h.Replace(nil, tp, InsertOnly)
			stay[tp] = 0
		}
		it, _ := h.Iterate(ALL, nil, 0, nil)
		next := 1000
		for {
			if r.IntN(3) == 0 {
				h.Replace(nil, row(next), InsertOnly)
				next++
			}
			tp := it.Next()
			if tp == nil {
				break
			}
			if _, ok := stay[tp]; ok {
				if stay[tp]++; stay[tp] > 1 {
					t.Fatalf("%v came twice", tp)
				}
				if r.IntN(2) == 0 {
					h.Replace(tp, nil, InsertOnly)
				}
			}
		}
		for tp, n := range stay {
			if n != 1 {
				t.Fatalf("%v came %d times", tp, n)
			}
		}
		for i := range 3000 {
			h.Replace(nil, row(next+i), InsertOnly)
		}
		if it.Next() != nil {
			t.Fatal("an iterator went on after its end")
		}
	}
}

func TestHashOfEqualKeys(t *testing.T) {
	decimal := func(scale byte, digits ...byte) msgpackExt { return msgpackExt{1, append([]byte{scale}, digits...)} }
	for _, c := range []struct {
		typ  tuple.FieldType
		keys []any
	}{
		{tuple.Unsigned, []any{raw("\x05"), raw("\xcc\x05"), raw("\xcf\x00\x00\x00\x00\x00\x00\x00\x05")}},
		{tuple.Integer, []any{raw("\xff"), raw("\xd0\xff"), raw("\xd3\xff\xff\xff\xff\xff\xff\xff\xff")}},
		{tuple.Number, []any{1, 1.0, float32(1), decimal(0, 0x1c), decimal(1, 0x01, 0x0c)}},
		{tuple.Number, []any{0.5, float32(0.5), decimal(1, 0x5c)}},
		{tuple.Number, []any{-3, -3.0, decimal(0, 0x3d)}},
		{tuple.Number, []any{0, 0.0, decimal(0, 0x0c)}},
		{tuple.Number, []any{uint64(1) << 60, float64(uint64(1) << 60)}},
		{tuple.Double, []any{7, 7.0, float32(7)}},
		{tuple.Scalar, []any{7, 7.0, decimal(0, 0x7c)}},
		{tuple.Datetime, []any{
			msgpackExt{4, []byte{1, 0, 0, 0, 0, 0, 0, 0}},
			msgpackExt{4, []byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 180, 0, 0, 0}},
		}},
		{tuple.String, []any{raw("\xa1a"), raw("\xd9\x01a")}},
	} {
		h := newHash(t, tuple.KeyPart{Type: c.typ})
		first := row(c.keys[0])
		h.Replace(nil, first, InsertOnly)
		for _, k := range c.keys {
			if b, n := key(k); h.Get(b, n) != first {
				t.Errorf("%v: %v isn't found by %v", c.typ, first, k)
			}
		}
	}
}

type msgpackExt struct {
	typ  int8
	data []byte
}

func (e msgpackExt) AppendMsgpack(b []byte) []byte { return appendExt(b, e.typ, e.data) }

type raw string

func (r raw) AppendMsgpack(b []byte) []byte { return append(b, r...) }

func TestHashErrors(t *testing.T) {
	h := newHash(t, tuple.KeyPart{Type: tuple.Unsigned}, tuple.KeyPart{Field: 1, Type: tuple.Unsigned})
	const unsupported = "Index 'pk' (HASH) of space 'h' (memtx) does not support "
	for _, c := range []struct {
		typ   IteratorType
		parts []any
		after Position
		want  string
	}{
		{GE, []any{1, 2}, nil, unsupported + "requested iterator type"},
		{LT, nil, nil, unsupported + "requested iterator type"},
		{REQ, []any{1, 2}, nil, unsupported + "requested iterator type"},
		{EQ, []any{1}, nil, "HASH index  does not support selects via a partial key (expected 2 parts, got 1). Please Consider changing index type to TREE."},
		{EQ, nil, nil, "HASH index  does not support selects via a partial key (expected 2 parts, got 0). Please Consider changing index type to TREE."},
		{ALL, nil, Position{0x91, 1}, unsupported + "pagination"},
	} {
		k, n := key(c.parts...)
		if _, err := h.Iterate(c.typ, k, n, c.after); err == nil || err.Error() != c.want {
			t.Errorf("%v %v: %v", c.typ, c.parts, err)
		}
	}
	if _, err := h.Min(nil, 0); err == nil || err.Error() != unsupported+"min()" {
		t.Error(err)
	}
	e := boxerr.From(h.Def().Unsupported("x"))
	var fields []string
	for _, f := range e.Fields {
		fields = append(fields, fmt.Sprint(f.Name, "=", f.Value))
	}
	slices.Sort(fields)
	if got := fmt.Sprint(fields); got != "[engine=memtx feature=x index=pk index_type=HASH name=UNKNOWN space=h]" {
		t.Error(got)
	}
}

package index

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

func primaryDef(t testing.TB) *tuple.KeyDef {
	return keyDef(t, tuple.KeyPart{Type: tuple.Unsigned})
}

// tagged makes an index over the strings of the second field.
func tagged(t testing.TB, unique bool) *tree {
	k := keyDef(t, tuple.KeyPart{Field: 1, Type: tuple.String, Path: "[*]"})
	return NewTree(&Def{Name: "tags", Space: "s", Unique: unique, KeyDef: k, CmpDef: k.Merge(primaryDef(t))}).(*tree)
}

func texts(rows []*tuple.Tuple) string {
	var all []string
	for _, t := range rows {
		all = append(all, t.String())
	}
	return strings.Join(all, " ")
}

func selectKey(t *testing.T, x Index, typ IteratorType, parts ...any) string {
	t.Helper()
	k, n := key(parts...)
	rows, err := x.Select(nil, typ, k, n, nil, 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	return texts(rows)
}

func TestMultikey(t *testing.T) {
	x := tagged(t, false)
	first, second := row(1, []any{"red", "blue"}), row(2, []any{"blue", "blue", "green"})
	for _, tp := range []*tuple.Tuple{first, second, row(3, []any{})} {
		if _, err := x.Replace(nil, tp, InsertOnly); err != nil {
			t.Fatal(err)
		}
	}
	if x.Len() != 4 {
		t.Errorf("%d entries", x.Len())
	}
	if got := selectKey(t, x, EQ, "blue"); got != texts([]*tuple.Tuple{first, second}) {
		t.Error(got)
	}
	if got := selectKey(t, x, GE, "c"); got != texts([]*tuple.Tuple{second, first}) {
		t.Error(got)
	}
	changed := row(1, []any{"green"})
	if _, err := x.Replace(first, changed, InsertOnly); err != nil {
		t.Fatal(err)
	}
	if got := selectKey(t, x, EQ, "green"); got != texts([]*tuple.Tuple{changed, second}) {
		t.Error(got)
	}
	it, _ := x.Iterate(ALL, nil, 0, nil)
	it.Next()
	pos := it.(Positioner).AppendPosition(nil)
	if want := encode([]any{"blue", 2}); string(pos) != string(want) {
		t.Errorf("position %x instead of %x", pos, want)
	}
	rows, err := x.Select(nil, ALL, nil, 0, pos, 0, 10)
	if err != nil || texts(rows) != texts([]*tuple.Tuple{changed, second}) {
		t.Errorf("%v, %v", rows, err)
	}
	x.Replace(second, nil, InsertOnly)
	if got := selectKey(t, x, ALL); got != texts([]*tuple.Tuple{changed}) {
		t.Error(got)
	}
	if err := checkTree(x); err != nil {
		t.Error(err)
	}
	x.Replace(changed, nil, InsertOnly)
	if x.Bytes() != 0 {
		t.Errorf("%d bytes in an empty index", x.Bytes())
	}
}

func TestMultikeyUnique(t *testing.T) {
	k := keyDef(t, tuple.KeyPart{Field: 1, Type: tuple.Unsigned, Path: "[*]"})
	x := NewTree(&Def{Name: "u", Space: "s", Unique: true, KeyDef: k, CmpDef: k.MergeUnique(primaryDef(t))}).(*tree)
	first := row(1, []any{5, 5, 6})
	if _, err := x.Replace(nil, first, InsertOnly); err != nil {
		t.Fatal(err)
	}
	_, err := x.Replace(nil, row(2, []any{7, 6}), InsertOnly)
	if want := `Duplicate key exists in unique index "u" in space "s" with old tuple - [1, [5, 5, 6]] and new tuple - [2, [7, 6]]`; err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	if x.Len() != 2 {
		t.Errorf("%d entries after a refused insert", x.Len())
	}
	next := row(1, []any{6, 7})
	if _, err := x.Replace(first, next, InsertOnly); err != nil {
		t.Fatal(err)
	}
	for v, want := range map[int]*tuple.Tuple{5: nil, 6: next, 7: next} {
		if got := x.Get(key(v)); got != want {
			t.Errorf("get %d: %v", v, got)
		}
	}
}

func TestMultikeyExcludesNull(t *testing.T) {
	k := keyDef(t, tuple.KeyPart{Field: 1, Type: tuple.String, Path: "[*].name", ExcludeNull: true})
	x := NewTree(&Def{KeyDef: k, CmpDef: k.Merge(primaryDef(t))})
	x.Replace(nil, row(1, []any{map[string]any{"name": "a"}, map[string]any{"x": 1}, map[string]any{"name": nil}}), InsertOnly)
	if x.Len() != 1 {
		t.Errorf("%d entries", x.Len())
	}
}

// wordIndex makes a functional index over the words of the second field.
func wordIndex(t testing.TB, unique bool) *tree {
	k := keyDef(t, tuple.KeyPart{Type: tuple.String})
	full, err := FunctionalCmpDef(k, primaryDef(t), unique)
	if err != nil {
		t.Fatal(err)
	}
	return NewTree(&Def{
		Name: "words", Space: "s", Unique: unique, KeyDef: k, CmpDef: full,
		Keys: func(tp *tuple.Tuple) (keys []byte, n int, err error) {
			s, _, ok := msgpack.ReadString(tp.Field(1))
			if !ok {
				return nil, 0, errors.New("no text")
			}
			for _, w := range strings.Fields(string(s)) {
				keys = append(keys, encode([]any{w})...)
				n++
			}
			return keys, n, nil
		},
	}).(*tree)
}

func TestFunctional(t *testing.T) {
	x := wordIndex(t, false)
	a, b := row(1, "to be or not"), row(2, "be here")
	for _, tp := range []*tuple.Tuple{a, b} {
		if _, err := x.Replace(nil, tp, InsertOnly); err != nil {
			t.Fatal(err)
		}
	}
	if got := selectKey(t, x, EQ, "be"); got != texts([]*tuple.Tuple{a, b}) || x.Len() != 6 {
		t.Errorf("%s of %d", got, x.Len())
	}
	if _, err := x.Replace(nil, row(3, 5), InsertOnly); err == nil {
		t.Error("the error of the function is lost")
	}
	x.Replace(a, nil, InsertOnly)
	if got := selectKey(t, x, ALL); got != texts([]*tuple.Tuple{b, b}) {
		t.Error(got)
	}

	u := wordIndex(t, true)
	u.Replace(nil, a, InsertOnly)
	if _, err := u.Replace(nil, b, InsertOnly); !boxerr.Is(err, boxerr.TupleFound) || u.Len() != 4 {
		t.Errorf("%v, %d entries", err, u.Len())
	}
	if got := u.Get(key("or")); got != a {
		t.Errorf("get: %v", got)
	}
	if err := u.BulkLoad([]*tuple.Tuple{row(9, "new or not")}); !boxerr.Is(err, boxerr.TupleFound) {
		t.Errorf("%v", err)
	}
}

func TestKeyedAgainstModel(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	x := tagged(t, false)
	rows := map[int]*tuple.Tuple{}
	random := func(id int) *tuple.Tuple {
		tags := []any{}
		for range r.IntN(6) {
			tags = append(tags, fmt.Sprintf("tag number %d", r.IntN(40)))
		}
		return row(id, tags)
	}
	check := func(x *tree) {
		t.Helper()
		if err := checkTree(x); err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, tp := range rows {
			v, _, _ := msgpack.Decode(tp.Data())
			seen := map[any]bool{}
			for _, tag := range v.([]any)[1].([]any) {
				if !seen[tag] {
					want = append(want, fmt.Sprint(tag, " ", tp))
				}
				seen[tag] = true
			}
		}
		var got []string
		it, _ := x.Iterate(ALL, nil, 0, nil)
		for tp := it.Next(); tp != nil; tp = it.Next() {
			pos, _, _ := msgpack.Decode(it.(Positioner).AppendPosition(nil))
			got = append(got, fmt.Sprint(pos.([]any)[0], " ", tp))
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("%d entries instead of %d", len(got), len(want))
		}
	}
	for op := range 6000 {
		id := r.IntN(800)
		old := rows[id]
		if old != nil && r.IntN(3) == 0 {
			x.Replace(old, nil, InsertOnly)
			delete(rows, id)
		} else {
			tp := random(id)
			if _, err := x.Replace(old, tp, InsertOnly); err != nil {
				t.Fatal(err)
			}
			rows[id] = tp
		}
		if op%997 == 0 {
			check(x)
		}
	}
	var all []*tuple.Tuple
	for _, tp := range rows {
		all = append(all, tp)
	}
	loaded := tagged(t, false)
	if err := loaded.BulkLoad(all); err != nil {
		t.Fatal(err)
	}
	check(loaded)
	if loaded.keyBytes != x.keyBytes {
		t.Errorf("%d bytes of keys loaded, %d inserted", loaded.keyBytes, x.keyBytes)
	}
}

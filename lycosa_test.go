package lycosa_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/lycosatest"
)

func TestSpace(t *testing.T) {
	db := lycosatest.Run(t)
	s, err := db.CreateSpace("s", box.SpaceSpec{Fields: []box.Field{{Name: "id", Type: "unsigned"}, {Name: "name", Type: "string"}, {Name: "n", Type: "number", Nullable: true}}})
	must(t, err)
	must(t, s.CreateIndex("primary", box.IndexSpec{}))
	must(t, s.CreateIndex("name", box.IndexSpec{Keys: []box.Part{{Name: "name"}}, NonUnique: true}))
	check := func(v any, err error, want string) {
		t.Helper()
		got := fmt.Sprint(v)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	tuple := func(x lycosa.Tuple, err error) (any, error) { return x, err }
	one := func(want string) func(any, error) {
		return func(v any, err error) {
			t.Helper()
			check(v, err, want)
		}
	}
	one(`[1, "a"]`)(tuple(s.Insert([]any{1, "a"})))
	one(`Duplicate key exists in unique index "primary" in space "s" with old tuple - [1, "a"] and new tuple - [1, "b"]`)(tuple(s.Insert([]any{1, "b"})))
	one(`[2, "b", 1.5]`)(tuple(s.Replace([]any{2, "b", 1.5})))
	x, err := lycosa.TupleOf(3, "b", nil)
	must(t, err)
	one(`[3, "b", null]`)(tuple(s.Replace(x)))
	one(`[1, "a"]`)(tuple(s.Get(1)))
	one(`nil`)(tuple(s.Get(9)))
	one(`[1, "c"]`)(tuple(s.Update(lycosa.Key{1}, lycosa.Op{"=", 1, "c"})))
	one(`nil`)(tuple(s.Update(lycosa.Key{9}, lycosa.Op{"=", "name", "c"})))
	check(nil, s.Upsert([]any{4, "x", 0}, lycosa.Op{"+", "n", 1}), "<nil>")
	check(nil, s.Upsert([]any{4, "x", 0}, lycosa.Op{"+", "n", 1}), "<nil>")
	one(`[4, "x", 1]`)(tuple(s.Delete(4)))
	one(`Supplied key type of part 0 does not match index part type: expected unsigned`)(tuple(s.Get("x")))
	sel := func(q lycosa.Query, want string) {
		t.Helper()
		list, err := s.Select(q)
		check(list, err, want)
	}
	sel(lycosa.Query{}, `[[1, "c"] [2, "b", 1.5] [3, "b", null]]`)
	sel(lycosa.Query{Index: "name", Key: lycosa.Key{"b"}}, `[[2, "b", 1.5] [3, "b", null]]`)
	sel(lycosa.Query{Iterator: index.LT, Key: lycosa.Key{3}, Limit: 1}, `[[2, "b", 1.5]]`)
	sel(lycosa.Query{Offset: 1}, `[[2, "b", 1.5] [3, "b", null]]`)
	sel(lycosa.Query{After: x, Iterator: index.LE}, `[[2, "b", 1.5] [1, "c"]]`)
	sel(lycosa.Query{Index: "no"}, `No index 'no' is defined in space 's'`)
	n, err := s.Len()
	check(n, err, "3")
	id, err := s.ID()
	check(id, err, "512")
	n, err = db.SpaceByID(id).Len()
	check(n, err, "3")
	check(nil, s.Truncate(), "<nil>")
	n, err = s.Len()
	check(n, err, "0")
	check(nil, s.Drop(), "<nil>")
	_, err = s.Len()
	check(nil, err, "Space 's' does not exist")
	_, err = db.SpaceByID(512).Len()
	check(nil, err, "Space '512' does not exist")
}

func TestTx(t *testing.T) {
	db := lycosatest.Run(t)
	must(t, numbers(db, 3))
	s := db.Space("numbers")
	lost := errors.New("lost")
	var kept *lycosa.Tx
	err := db.Tx(func(tx *lycosa.Tx) error {
		kept = tx
		x := tx.Space("numbers")
		for i := 10; i < 15; i++ {
			if _, err := x.Insert([]any{i}); err != nil {
				return err
			}
		}
		if n, err := x.Len(); n != 8 || err != nil {
			t.Error(n, err)
		}
		return lost
	})
	if err != lost {
		t.Error(err)
	}
	if n, err := s.Len(); n != 3 || err != nil {
		t.Error(n, err)
	}
	if _, err := kept.Space("numbers").Len(); err == nil {
		t.Error("a transaction that has ended can be used")
	}
	func() {
		defer func() { _ = recover() }()
		_ = db.Tx(func(tx *lycosa.Tx) error {
			_, _ = tx.Space("numbers").Insert([]any{20})
			panic("lost")
		})
	}()
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for j := range 20 {
				if _, err := s.Insert([]any{100 + 20*i + j}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	if n, err := s.Len(); n != 163 || err != nil {
		t.Error(n, err)
	}
}

// TestStored keeps data in a directory.
func TestStored(t *testing.T) {
	dir := t.TempDir()
	o := lycosa.Options{Config: box.Config{MemtxDir: dir}}
	db, err := lycosa.Open(o)
	must(t, err)
	must(t, numbers(db, 10))
	if _, err := lycosa.Open(o); err == nil {
		t.Error("a directory can be opened twice")
	}
	must(t, db.Close(context.Background()))
	db, err = lycosa.Open(o)
	must(t, err)
	if n, err := db.Space("numbers").Len(); n != 10 || err != nil {
		t.Error(n, err)
	}
	must(t, db.Close(context.Background()))
}

func TestWithoutLua(t *testing.T) {
	db := lycosatest.Run(t)
	if _, err := db.Call("f"); err == nil || err.Error() != "Procedure 'f' is not defined" {
		t.Error(err)
	}
	if _, err := db.Eval("return 1"); err == nil || err.Error() != "Lycosa without Lua does not support EVAL" {
		t.Error(err)
	}
}

func TestValue(t *testing.T) {
	v, err := lycosa.ValueOf([]any{1, -1, 1.5, "text", []byte("bin"), true, nil, []any{2}, map[int]any{1: "one"}, uint64(math.MaxUint64)})
	must(t, err)
	if got := v.String(); got != `[1, -1, 1.5, "text", "bin", true, null, [2], {1: "one"}, 18446744073709551615]` {
		t.Error(got)
	}
	x := lycosa.Tuple(v)
	var (
		i        int
		i64      int64
		f        float64
		s        string
		b        []byte
		ok       bool
		anything any
		sub      lycosa.Tuple
		raw      lycosa.Value
		u        uint64
	)
	must(t, x.Scan(&i, &i64, &f, &s, &b, &ok, &anything, &sub, &raw, &u))
	if got := fmt.Sprint(i, i64, f, s, string(b), ok, anything, sub, raw, u); got != `1 -1 1.5textbintrue <nil> [2] {1: "one"} 18446744073709551615` {
		t.Error(got)
	}
	for _, into := range [][]any{{&s}, {nil, &u}, {nil, nil, &i}, {nil, nil, nil, &ok}, {nil, nil, nil, nil, &s}, {nil, nil, nil, nil, nil, nil, &sub}, {new(struct{})},
		{nil, nil, nil, nil, nil, nil, nil, nil, nil, &i64}, {nil, nil, nil, nil, nil, nil, nil, nil, nil, nil, &s}} {
		if x.Scan(into...) == nil {
			t.Errorf("%d variables fit", len(into))
		}
	}
	none := x.Field(10)
	if none.Exists() || !none.IsNil() || none.Any() != nil || none.Len() != 0 || none.Str() != "" || none.Uint() != 0 || none.String() != "nil" ||
		none.Tuple() != nil || none.Tuples() != nil || none.Index(0) != nil || none.Lookup(1) != nil || none.Bool() || none.Float() != 0 {
		t.Error("what isn't there is something")
	}
	if x.Field(8).Lookup(1).Str() != "one" || x.Field(-1) != nil || len(x.Any()) != 10 {
		t.Error("fields are not found")
	}
	for _, bad := range []any{[]byte{0xc1}, []byte{}, []byte{1, 1}, make(chan int)} {
		if _, err := lycosa.ValueOf(bad); err == nil {
			t.Errorf("%v is a value", bad)
		}
	}
}

// FuzzValue reads any bytes.
func FuzzValue(f *testing.F) {
	f.Add([]byte{0x92, 1, 0x81, 0x10, 2})
	f.Add([]byte{0xdd, 0xff, 0xff, 0xff, 0xff, 1})
	f.Add([]byte{0xdf, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		v := lycosa.Value(b)
		_, _, _, _, _, _ = v.Uint(), v.Int(), v.Float(), v.Str(), v.Bool(), v.Len()
		_, _, _, _ = v.Index(0), v.Index(5), v.Lookup(0x10), v.Any()
		_, _, _ = v.Tuple(), v.Tuples(), v.String()
		var s string
		_ = lycosa.Tuple(b).Scan(nil, &s)
	})
}

// TestNoCgo builds what doesn't need Lua without cgo.
func TestNoCgo(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the module")
	}
	list := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}", ".", "./server", "./lycosatest")
	out, err := list.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, path := range strings.Fields(string(out)) {
		if strings.HasSuffix(path, "/lycosa/lua") || strings.HasSuffix(path, "/internal/luajit") {
			t.Errorf("%s is needed", path)
		}
	}
	build := exec.Command("go", "build", ".", "./server", "./box", "./lycosatest")
	build.Env = append(build.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

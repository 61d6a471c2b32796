package lycosa_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/lycosatest"
)

// filled makes a space with a primary index.
func filled(t *testing.T, db *lycosa.DB, name string, rows ...any) *lycosa.Space {
	t.Helper()
	s, err := db.CreateSpace(name, box.SpaceSpec{})
	must(t, err)
	must(t, s.CreateIndex("pk", box.IndexSpec{}))
	for _, row := range rows {
		_, err := s.Insert(row)
		must(t, err)
	}
	return s
}

func TestOnReplace(t *testing.T) {
	db := lycosatest.Run(t)
	s, audit := filled(t, db, "t"), filled(t, db, "audit")
	n := 0
	must(t, s.OnReplace("audit", func(tx *lycosa.Tx, c lycosa.Change) error {
		if c.New != nil && c.New.Field(1).Str() == "bad" {
			return boxerr.Illegal("that is bad")
		}
		if c.Request == "DELETE" && c.Old.Field(0).Uint() == 9 {
			panic("oh")
		}
		n++
		_, err := tx.Space("audit").Insert([]any{n, c.Space, c.Request, c.Old, c.New})
		return err
	}))
	_, err := s.Insert([]any{1, "one"})
	must(t, err)
	_, err = s.Update(lycosa.Key{1}, lycosa.Op{"=", 1, "two"})
	must(t, err)
	_, err = s.Replace([]any{2, "bad"})
	if err == nil || err.Error() != "that is bad" {
		t.Errorf("%v", err)
	}
	_, err = s.Insert([]any{9, "x"})
	must(t, err)
	if _, err = s.Delete(9); err == nil {
		t.Error("a panic is no error")
	}
	_, err = s.Delete(1)
	must(t, err)
	rows, err := audit.Select(lycosa.Query{})
	must(t, err)
	want := []string{
		`[1, "t", "INSERT", null, [1, "one"]]`, `[2, "t", "UPDATE", [1, "one"], [1, "two"]]`,
		`[3, "t", "INSERT", null, [9, "x"]]`, `[4, "t", "DELETE", [1, "two"], null]`,
	}
	for i, r := range rows {
		if i >= len(want) || r.String() != want[i] {
			t.Errorf("%d: %s", i, r)
		}
	}
	if len(rows) != len(want) {
		t.Errorf("%d rows", len(rows))
	}
	must(t, s.OnReplace("audit", nil))
	_, err = s.Replace([]any{2, "bad"})
	must(t, err)
	if err := s.OnReplace("", nil); err == nil {
		t.Error("a trigger without a name")
	}
}

func TestBeforeReplace(t *testing.T) {
	db := lycosatest.Run(t)
	s := filled(t, db, "t", []any{1, "one"})
	must(t, s.BeforeReplace("rule", func(tx *lycosa.Tx, c lycosa.Change) (lycosa.Tuple, error) {
		switch text := c.New.Field(1).Str(); text {
		case "keep":
			return c.Old, nil
		case "delete":
			return nil, nil
		case "refuse":
			return nil, errors.New("refused")
		case "other":
			return lycosa.TupleOf(c.New.Field(0).Uint(), "another")
		case "broken":
			return lycosa.Tuple{0x93}, nil
		}
		return c.New, nil
	}))
	for _, step := range []struct{ text, err, want string }{
		{"two", "", `[[1, "two"]]`},
		{"keep", "", `[[1, "two"]]`},
		{"other", "", `[[1, "another"]]`},
		{"refuse", "refused", `[[1, "another"]]`},
		{"broken", "Invalid return value of space:before_replace trigger: expected tuple or nil", `[[1, "another"]]`},
		{"delete", "", `[]`},
	} {
		_, err := s.Replace([]any{1, step.text})
		if got := fmt.Sprint(err); err != nil && got != step.err || err == nil && step.err != "" {
			t.Errorf("%s: %v", step.text, err)
		}
		rows, err := s.Select(lycosa.Query{})
		must(t, err)
		if got := lycosa.Value(mustValue(t, rows)).String(); got != step.want {
			t.Errorf("%s: %s", step.text, got)
		}
	}
}

func mustValue(t *testing.T, v any) lycosa.Value {
	t.Helper()
	b, err := lycosa.ValueOf(v)
	must(t, err)
	return b
}

func TestHandleFunc(t *testing.T) {
	db := lycosatest.Run(t)
	filled(t, db, "t")
	must(t, lycosatest.GrantAll(db))
	db.HandleFunc("put", func(tx *lycosa.Tx, args []lycosa.Value) ([]any, error) {
		for i, v := range args {
			if _, err := tx.Space("t").Insert([]any{v, i}); err != nil {
				return nil, err
			}
		}
		return []any{len(args), tx.User()}, nil
	})
	db.HandleFunc("panics", func(*lycosa.Tx, []lycosa.Value) ([]any, error) { panic("oh") })
	c := lycosatest.Connect(t, db)
	call := func(name string, args ...any) fields {
		if args == nil {
			args = []any{}
		}
		return fields{iproto.KeyFunctionName: name, iproto.KeyTuple: args}
	}
	ask(t, c, iproto.TypeCall, call("put", 1, 2), `[2, "guest"]`)
	ask(t, c, iproto.TypeCall, call("put", 3, 2), `Duplicate key exists in unique index "pk" in space "t" with old tuple - [2, 1] and new tuple - [2, 1]`)
	ask(t, c, iproto.TypeCall, call("put"), `[0, "guest"]`)
	if n, err := db.Space("t").Len(); err != nil || n != 2 {
		t.Errorf("%d rows, %v", n, err)
	}
	ask(t, c, iproto.TypeCall, call("panics"), "oh")
	db.HandleFunc("put", nil)
	ask(t, c, iproto.TypeCall, call("put", 1), "Procedure 'put' is not defined")
}

func TestEndsOfTransactions(t *testing.T) {
	db := lycosatest.Run(t)
	s := filled(t, db, "t")
	var notes []string
	note := func(tx *lycosa.Tx, n string) {
		must(t, tx.OnCommit(func() { notes = append(notes, "commit "+n) }))
		must(t, tx.OnRollback(func() { notes = append(notes, "rollback "+n) }))
	}
	var after *lycosa.Tx
	must(t, db.Tx(func(tx *lycosa.Tx) error {
		after = tx
		note(tx, "a")
		note(tx, "b")
		_, err := tx.Space("t").Insert([]any{1})
		return err
	}))
	if err := db.Tx(func(tx *lycosa.Tx) error {
		note(tx, "c")
		_, err := tx.Space("t").Insert([]any{1})
		return err
	}); err == nil {
		t.Error("no error")
	}
	if n, err := s.Len(); err != nil || n != 1 { // the lock is taken: whatever was to be called has been
		t.Errorf("%d rows, %v", n, err)
	}
	if want := []string{"commit b", "commit a", "rollback c"}; !slices.Equal(notes, want) {
		t.Errorf("%q", notes)
	}
	if err := after.OnCommit(func() {}); err == nil {
		t.Error("a transaction that has ended takes functions")
	}
}

package memtx

import (
	"slices"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// newSpace makes a space with a primary index on field 1 (unsigned) and unique ones on fields 2 and 3 (strings).
func newSpace(t *testing.T) *Space {
	sp := &Space{ID: 512, Name: "t"}
	var pk *tuple.KeyDef
	for i, typ := range []tuple.FieldType{tuple.Unsigned, tuple.String, tuple.String} {
		kd, err := tuple.NewKeyDef([]tuple.KeyPart{{Field: i, Type: typ}})
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			pk = kd
		}
		sp.Indexes = append(sp.Indexes, NewIndex(uint32(i), &index.Def{
			Name: string(rune('a' + i)), Space: "t", Unique: true, KeyDef: kd, CmpDef: kd.MergeUnique(pk),
		}))
	}
	return sp
}

func tup(id uint64, b, c string) *tuple.Tuple {
	data := msgpack.AppendArrayHeader(nil, 3)
	data = msgpack.AppendUint(data, id)
	data = msgpack.AppendString(data, b)
	return tuple.New(msgpack.AppendString(data, c))
}

// contents shows what each index of a space holds.
func contents(t *testing.T, sp *Space) string {
	t.Helper()
	var all []string
	for _, x := range sp.Indexes {
		list, err := sp.Select(nil, x, nil, index.ALL, nil, 0, nil, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, t := range list {
			s = append(s, t.String())
		}
		all = append(all, strings.Join(s, ""))
	}
	return strings.Join(all, " | ")
}

func TestApplyChangesAllIndexesOrNone(t *testing.T) {
	sp := newSpace(t)
	var txn Txn
	put := func(old, new *tuple.Tuple, mode index.Mode) error {
		txn.Begin()
		_, err := txn.Apply(sp, old, new, mode)
		if err != nil {
			txn.Undo()
		} else {
			txn.Commit()
		}
		return err
	}
	one, two := tup(1, "x", "p"), tup(2, "y", "q")
	for _, tp := range []*tuple.Tuple{one, two} {
		if err := put(nil, tp, index.InsertOnly); err != nil {
			t.Fatal(err)
		}
	}
	before, bytes := contents(t, sp), sp.Bytes()
	for _, test := range []struct {
		name     string
		old, new *tuple.Tuple
		mode     index.Mode
	}{
		{"taken in the first", nil, tup(1, "z", "z"), index.InsertOnly},
		{"taken in the second", nil, tup(3, "y", "z"), index.InsertOnly},
		{"taken in the third", nil, tup(3, "z", "q"), index.InsertOnly},
		{"another one replaced", nil, tup(1, "z", "q"), index.ReplaceOrInsert},
		{"an update", one, tup(1, "x", "q"), index.InsertOnly},
	} {
		if err := put(test.old, test.new, test.mode); !boxerr.Is(err, boxerr.TupleFound) {
			t.Errorf("%s: %v", test.name, err)
		}
		if got := contents(t, sp); got != before || sp.Bytes() != bytes {
			t.Errorf("%s: left %s, %d bytes", test.name, got, sp.Bytes())
		}
	}
	if err := put(nil, tup(1, "z", "p"), index.ReplaceOrInsert); err != nil {
		t.Error(err)
	}
	if err := put(two, nil, index.InsertOnly); err != nil {
		t.Error(err)
	}
	const one_ = `[1, "z", "p"]`
	if got, want := contents(t, sp), one_+" | "+one_+" | "+one_; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if txn.Len() != 4 {
		t.Errorf("%d statements", txn.Len())
	}
	txn.Rollback()
	if got := contents(t, sp); got != " |  | " || sp.Bytes() != 0 {
		t.Errorf("after the rollback: %s, %d bytes", got, sp.Bytes())
	}
}

func TestHooksAndNesting(t *testing.T) {
	sp := newSpace(t)
	var txn Txn
	var calls []string
	say := func(s string) func() { return func() { calls = append(calls, s) } }
	statement := func(id uint64, inside func()) {
		txn.Begin()
		if _, err := txn.Apply(sp, nil, tup(id, string(rune('a'+id)), string(rune('a'+id))), index.InsertOnly); err != nil {
			t.Fatal(err)
		}
		txn.OnStatementRollback(say("undo " + string(rune('0'+id))))
		txn.OnStatementCommit(say("commit " + string(rune('0'+id))))
		inside()
	}
	statement(1, func() {})
	txn.Commit()
	save := txn.Savepoint("here")
	statement(2, func() {
		statement(3, func() {})
		txn.Commit()
	})
	txn.Undo()
	if want := []string{"undo 3", "undo 2"}; !slices.Equal(calls, want) {
		t.Errorf("calls %q, want %q", calls, want)
	}
	statement(4, func() {})
	txn.Commit()
	calls = nil
	if p, ok := txn.Named("here"); !ok || p != save {
		t.Error("the savepoint has lost its name")
	}
	//lint:ignore SA4000 a savepoint outlives a rollback to it
	if !txn.RollbackTo(save) || !txn.RollbackTo(save) {
		t.Error("no way back")
	}
	if !txn.Hooked() {
		t.Error("the hooks of the first statement are gone")
	}
	txn.Confirm()
	if want := []string{"undo 4", "commit 1"}; !slices.Equal(calls, want) {
		t.Errorf("calls %q, want %q", calls, want)
	}
	if sp.Len(nil) != 1 {
		t.Errorf("%d tuples", sp.Len(nil))
	}
	txn.Reset()
	if txn.Len() != 0 || txn.RollbackTo(save) || txn.Hooked() {
		t.Error("something is left of a transaction that was reset")
	}
}

func TestRows(t *testing.T) {
	sp := newSpace(t)
	var txn Txn
	log := func(typ uint8, body string) {
		i := txn.Last()
		txn.LogEnd(i, append(txn.LogStart(i, typ), body...))
	}
	txn.Begin()
	txn.Nothing(sp)
	log(5, "one")
	txn.Commit()
	txn.Begin()
	txn.Nothing(sp)
	log(5, "two")
	txn.Undo()
	txn.Begin()
	txn.Nothing(sp)
	log(2, "three")
	txn.Commit()
	if txn.Len() != 2 || string(txn.Row(0)) != "one" || string(txn.Row(1)) != "three" || txn.Stmt(1).Type != 2 {
		t.Errorf("%d rows: %q %q", txn.Len(), txn.Row(0), txn.Row(1))
	}
}

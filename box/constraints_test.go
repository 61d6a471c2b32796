package box

import (
	"errors"
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
)

// goFunc makes a function of _func out of one in Go.
func goFunc(name string, f func(args []byte, nargs int) ([]byte, int, error)) *Func {
	return &Func{Name: name, Owner: AdminID, Ref: GoFunc(func(c *Ctx, args []byte, nargs int) ([]byte, int, error) { return f(args, nargs) })}
}

func TestConstraints(t *testing.T) {
	w := newWorld(t)
	sp := w.space(512, "t", []string{"id unsigned", "n integer nullable", "m integer nullable"}, "pk 1 unsigned")
	positive := goFunc("positive", func(args []byte, nargs int) ([]byte, int, error) {
		v, _, _ := msgpack.ReadInt(args)
		if v == 13 {
			return nil, 0, errors.New("unlucky")
		}
		return msgpack.AppendBool(nil, v > 0), 1, nil
	})
	ordered := goFunc("ordered", func(args []byte, nargs int) ([]byte, int, error) {
		tup, _, ok := readTuple(args)
		if !ok || tup.FormatID() != sp.Mem.Format.ID {
			t.Error("no tuple of the space")
		}
		n, _, _ := msgpack.ReadInt(tup.Field(1))
		m, _, _ := msgpack.ReadInt(tup.Field(2))
		return msgpack.AppendBool(nil, n <= m), 1, nil
	})
	sp.Constraints = []Constraint{{Name: "positive", Field: 1, Func: positive}}
	w.script(`
		insert t [1, 5] -> [1, 5]
		insert t [2, -5] -> ClientError 235: Check constraint 'positive' failed for field '2 (n)' {constraint "positive", field "2 (n)", field_id 1, name "FIELD_CONSTRAINT_FAILED", space "t", space_id 512, tuple [2, -5]}
		insert t [3, 13] -> ClientError 235: Check constraint 'positive' failed for field '2 (n)' {constraint "positive", field "2 (n)", field_id 1, name "FIELD_CONSTRAINT_FAILED", space "t", space_id 512, tuple [3, 13]}
		insert t [2, null] -> [2, null]
		insert t [3] -> [3]
		update t [1] [["-", 1, 10]] -> ClientError 235: Check constraint 'positive' failed for field '2 (n)' {constraint "positive", field "2 (n)", field_id 1, index "pk", index_id 0, name "FIELD_CONSTRAINT_FAILED", space "t", space_id 512, tuple [1, -5]}
	`)
	sp.Constraints = append(sp.Constraints, Constraint{Name: "checked", Field: -1, Func: ordered})
	w.script(`
		insert t [7, 1, 2] -> [7, 1, 2]
		insert t [8, 3, 2] -> ClientError 236: Check constraint 'checked' failed for a tuple {constraint "checked", name "TUPLE_CONSTRAINT_FAILED", space "t", space_id 512, tuple [8, 3, 2]}
	`)
}

func TestDefaults(t *testing.T) {
	w := newWorld(t)
	sp := w.space(512, "t", []string{"id unsigned", "n unsigned nullable", "s string nullable", "last any nullable"}, "pk 1 unsigned")
	calls := 0
	sp.Defaults = []Default{
		{Field: 1, Value: mp("5")},
		{Field: 2, Value: mp("41"), Func: goFunc("made", func(args []byte, nargs int) ([]byte, int, error) {
			switch calls++; calls {
			case 4:
				return nil, 0, nil
			case 5:
				return nil, 0, errors.New("not today")
			}
			if n, _, _ := msgpack.ReadInt(args); nargs != 1 || n != 41 {
				t.Error("wrong argument")
			}
			return msgpack.AppendString(nil, "made"), 1, nil
		})},
	}
	w.script(`
		insert t [1] -> [1, 5, "made"]
		insert t [2, null, "own"] -> [2, 5, "own"]
		insert t [3, 7, null, "x"] -> [3, 7, "made", "x"]
		insert t [4, "x"] -> ClientError 23: Tuple field 2 (n) type does not match one required by operation: expected unsigned, got string {actual "string", expected "unsigned", field "2 (n)", name "FIELD_TYPE", space "t", space_id 512, tuple [4, "x", "made"]}
		insert t [4] -> ClientError 276: Error calling field default function 'made': expected 1 return value, got 0 {details "expected 1 return value, got 0", func "made", name "DEFAULT_FUNC_FAILED"}
		insert t [4] -> ClientError 276: Error calling field default function 'made': not today {details "not today", func "made", name "DEFAULT_FUNC_FAILED"}
		update t [3] [["=", 1, null]] -> [3, null, "made", "x"]
		upsert t [6] []
		get t [6] -> [6, 5, "made"]
	`)
}

func TestForeignKeys(t *testing.T) {
	w := newWorld(t)
	country := w.space(512, "country", []string{"id unsigned", "name string"}, "pk 1 unsigned")
	city := w.space(513, "city", []string{"id unsigned", "country unsigned nullable"}, "pk 1 unsigned")
	fk := &ForeignKey{Name: "country", Child: city, Field: 1, ParentID: 512, ChildFields: []int{1}, ParentFields: []int{0}}
	city.ForeignKeys = []*ForeignKey{fk}
	country.ReferencedBy = []*ForeignKey{fk}
	w.script(`
		insert country [1, "no"] -> [1, "no"]
		insert country [2, "it"] -> [2, "it"]
		insert city [1, 1] -> [1, 1]
		insert city [2, 9] -> ClientError 239: Foreign key constraint 'country' failed for field '2 (country)': foreign tuple was not found {constraint "country", details "foreign tuple was not found", field "2 (country)", field_id 1, name "FIELD_FOREIGN_KEY_FAILED", space "city", space_id 513, tuple [2, 9]}
		insert city [3, null] -> [3, null]
		insert city [4] -> [4]
		delete country [2] -> ClientError 238: Foreign key 'country' integrity check failed: index was not found {constraint "country", details "index was not found", name "country"}
		select country [] -> [1, "no"] [2, "it"]
	`)
	city.Mem.Indexes = append(city.Mem.Indexes, w.space(514, "help", nil, "pk 1 unsigned", "*country 2 unsigned nullable").Mem.Indexes[1])
	if _, err := city.Mem.Indexes[1].Replace(nil, city.Mem.Indexes[0].Get(mp("1"), 1), 0); err != nil {
		t.Fatal(err)
	}
	w.script(`
		delete country [1] -> ClientError 238: Foreign key 'country' integrity check failed: tuple is referenced {constraint "country", details "tuple is referenced", name "country"}
		delete country [2] -> [2, "it"]
		update country [1] [["=", 1, "norge"]] -> [1, "norge"]
		delete city [1] -> [1, 1]
		delete country [1] -> [1, "norge"]
	`)
	fk.ParentFields[0] = 1
	w.script(`insert city [5, 1] -> ClientError 239: Foreign key constraint 'country' failed for field '2 (country)': foreign index was not found {constraint "country", details "foreign index was not found", field "2 (country)", field_id 1, name "FIELD_FOREIGN_KEY_FAILED", space "city", space_id 513, tuple [5, 1]}`)
}

func TestSequenceInTuple(t *testing.T) {
	w := newWorld(t)
	sp := w.space(512, "t", nil, "pk 1 unsigned")
	sp.Sequence = &Sequence{Name: "tens", Owner: AdminID, Step: 10, Min: 1, Max: 30, Start: 10}
	w.script(`
		insert t [null, "a"] -> [10, "a"]
		insert t [null] -> [20]
		replace t [null] -> [30]
		insert t [null] -> ClientError 147: Sequence 'tens' has overflowed {name "SEQUENCE_OVERFLOW", sequence "tens"}
		insert t ["x"] -> ClientError 23: Tuple field 1 type does not match one required by operation: expected unsigned, got string {actual "string", expected "unsigned", field "1", name "FIELD_TYPE", space "t", space_id 512, tuple ["x"]}
		insert t [] -> ClientError 39: Tuple field 1 required by space format is missing {field "1", name "FIELD_MISSING", space "t", space_id 512, tuple []}
	`)
	sp.Sequence = &Sequence{Name: "deep", Owner: AdminID, Step: 1, Min: 1, Max: 30, Start: 1}
	sp.SequenceField, sp.SequencePath = 1, "a.id"
	w.script(`
		insert t [7, {"a": {"id": null}}, 1] -> [7, {"a": {"id": 1}}, 1]
		insert t [8, {"a": {"id": 20}}] -> [8, {"a": {"id": 20}}]
		insert t [9, {"a": {"id": null}}] -> [9, {"a": {"id": 21}}]
		insert t [11, {"b": {}}] -> [11, {"b": {}}]
	`)
}

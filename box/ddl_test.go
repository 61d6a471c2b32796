package box

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// ddl is a fresh database with short ways to change and look at it.
type ddl struct {
	*testing.T
	b *Box
	c *Ctx
}

func newDDL(t *testing.T) *ddl {
	b, c := fresh(t)
	return &ddl{t, b, c}
}

// want fails the test unless err is the one described as "CODE message", or none for "".
func (d *ddl) want(err error, text string) {
	d.Helper()
	got := ""
	if err != nil {
		e := boxerr.From(err)
		got = fmt.Sprintf("%d %s", e.Code, e.Message)
	}
	if got != text {
		d.Errorf("\n got %s\nwant %s", got, text)
	}
}

// space creates a space with a primary index over its first field.
func (d *ddl) space(name string) *Space {
	d.Helper()
	s, err := d.b.CreateSpace(d.c, name, SpaceSpec{})
	if err != nil {
		d.Fatal(err)
	}
	if _, err := d.b.CreateIndex(d.c, s.ID, "pk", IndexSpec{}); err != nil {
		d.Fatal(err)
	}
	return s
}

func (d *ddl) insert(s *Space, rows ...string) {
	d.Helper()
	for _, row := range rows {
		if _, err := d.b.Insert(d.c, s.ID, mp(row)); err != nil {
			d.Fatal(err)
		}
	}
}

// all returns the tuples of an index in its order.
func (d *ddl) all(space, id uint32) string {
	d.Helper()
	found, err := d.b.Select(d.c, &SelectRequest{Space: space, Index: id, Iterator: index.ALL, Limit: 1000}, nil)
	if err != nil {
		return err.Error()
	}
	var texts []string
	for _, t := range found {
		texts = append(texts, t.String())
	}
	return strings.Join(texts, " ")
}

func (d *ddl) row(space uint32, parts ...any) string {
	t, err := d.b.Get(d.c, space, 0, key(parts...))
	switch {
	case err != nil:
		return err.Error()
	case t == nil:
		return "none"
	}
	return t.String()
}

func (d *ddl) same(what, got, want string) {
	d.Helper()
	if got != want {
		d.Errorf("%s: got %s, want %s", what, got, want)
	}
}

func ptr[T any](v T) *T { return &v }

func TestCreateSpace(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	create := func(name string, o SpaceSpec) error { _, err := b.CreateSpace(c, name, o); return err }
	version := b.SchemaVersion()
	d.want(create("taken", SpaceSpec{ID: ptr(uint32(600))}), "")
	if b.SchemaVersion() <= version {
		t.Error("the schema version did not grow")
	}
	d.same("row", d.row(SpaceID, 600), `[600, 1, "taken", "memtx", 0, {}, []]`)
	tests := []struct {
		name string
		spec SpaceSpec
		want string
	}{
		{"taken", SpaceSpec{}, "10 Space 'taken' already exists"},
		{"taken", SpaceSpec{IfNotExists: true}, ""},
		{"other", SpaceSpec{ID: ptr(uint32(600))}, `3 Duplicate key exists in unique index "primary" in space "_space" with old tuple - ` +
			`[600, 1, "taken", "memtx", 0, {}, []] and new tuple - [600, 1, "other", "memtx", 0, {}, []]`},
		{"", SpaceSpec{}, "70 Invalid identifier '' (expected printable symbols only or it is too long)"},
		{"x", SpaceSpec{Engine: "disk"}, "57 Space engine 'disk' does not exist"},
		{"x", SpaceSpec{FieldCount: -1}, "23 Tuple field 5 (field_count) type does not match one required by operation: expected unsigned, got integer"},
		{strings.Repeat("n", 65001), SpaceSpec{}, "9 Failed to create space '" + strings.Repeat("n", 64) + "': space name is too long"},
		{"bad\x01name", SpaceSpec{}, "70 Invalid identifier 'bad\x01name' (expected printable symbols only or it is too long)"},
		{"x", SpaceSpec{ID: ptr(uint32(1 << 31))}, "9 Failed to create space 'x': space id is too big"},
		{"x", SpaceSpec{ID: ptr(uint32(0))}, "9 Failed to create space 'x': space id 0 is reserved"},
		{"local_sync", SpaceSpec{Options: SpaceOptions{Local: true, Sync: true}}, "9 Failed to create space 'local_sync': local space can't be synchronous"},
		{"x", SpaceSpec{Flags: mp(`{"temporary": 5}`)}, "111 Wrong space options: 'temporary' must be boolean"},
		{"x", SpaceSpec{Flags: mp(`{"odd": 5}`)}, "111 Wrong space options: unexpected option 'odd'"},
		{"x", SpaceSpec{Flags: mp(`{"group_id": -1}`)}, "111 Wrong space options: 'group_id' must be unsigned"},
		{"x", SpaceSpec{Flags: mp(`{"group_id": 7}`)}, "155 Replication group '7' does not exist"},
		{"x", SpaceSpec{Flags: mp(`{"view": true}`)}, "163 Space declared as a view must have SQL statement"},
		{"x", SpaceSpec{Flags: mp(`{"type": "odd"}`)}, "111 Wrong space options: unknown space type, must be one of: 'normal', 'data-temporary', 'temporary'."},
		{"x", SpaceSpec{FieldCount: 1, Fields: []Field{{Name: "a"}, {Name: "b"}}}, "9 Failed to create space 'x': exact_field_count must be either 0 or >= formatted field count"},
		{"x", SpaceSpec{Fields: []Field{{Name: "a", Type: "odd"}}}, "141 Wrong space format field 1: unknown field type"},
		{"x", SpaceSpec{Fields: []Field{{Name: "a"}, {Name: "a"}}}, "149 Space field 'a' is duplicate"},
		{"x", SpaceSpec{Fields: []Field{{}}}, "141 Wrong space format field 1: field name is missing"},
		{"x", SpaceSpec{Format: mp(`[{"name": "a", "is_nullable": "yes"}]`)}, "141 Wrong space format field 1: 'is_nullable' must be boolean"},
		{"x", SpaceSpec{Fields: []Field{{Name: "a", Type: "unsigned", Collation: "unicode"}}},
			"141 Wrong space format field 1: collation is reasonable only for 'string', 'scalar', and 'any' fields"},
		{"x", SpaceSpec{Format: mp(`[{"name": "v", "type": "unsigned", "default": -1}]`)},
			"248 Type of the default value does not match tuple field 1 (v) type: expected unsigned, got integer"},
	}
	for _, test := range tests {
		d.want(create(test.name, test.spec), test.want)
	}
	if b.SpaceByName("x") != nil {
		t.Error("a space that could not be created is there")
	}
	s, err := b.CreateSpace(c, "next", SpaceSpec{})
	if err != nil || s.ID != 601 {
		t.Errorf("next space: %v, %v", s, err)
	}
	s, err = b.CreateSpace(c, "fleeting", SpaceSpec{Options: SpaceOptions{Temporary: true}})
	if err != nil || s.ID < TemporarySpaceMin || !s.Mem.Temporary {
		t.Errorf("temporary space: %v, %v", s, err)
	}
}

func TestAlterSpace(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	s := d.space("s")
	d.insert(s, `[1, 2]`)
	alter := func(o SpaceChange) error { return b.AlterSpace(c, s.ID, o) }
	d.want(alter(SpaceChange{Name: ptr("renamed")}), "")
	if b.SpaceByName("s") != nil || b.SpaceByName("renamed") != s || s.Mem.Name != "renamed" {
		t.Error("the space goes by its old name")
	}
	d.want(alter(SpaceChange{FieldCount: ptr(int64(2))}), "")
	_, err := b.Insert(c, s.ID, mp(`[5]`))
	d.want(err, "38 Tuple field count 1 does not match space field count 2")
	d.want(alter(SpaceChange{FieldCount: ptr(int64(3))}), "38 Tuple field count 2 does not match space field count 3")
	d.want(alter(SpaceChange{Flags: mp(`{"temporary": true}`)}), "12 Can't modify space 'renamed': can not change data-temporariness on a non-empty space")
	d.want(alter(SpaceChange{Flags: mp(`{"is_sync": true}`)}), "")
	d.want(alter(SpaceChange{Format: mp(`[{"name": "a", "type": "string"}]`)}),
		"27 Field 1 (a) has type 'string' in space format, but type 'unsigned' in index definition")
	d.want(alter(SpaceChange{Format: mp(`[{"name": "a", "type": "unsigned"}, {"name": "b", "type": "string"}]`)}),
		"23 Tuple field 2 (b) type does not match one required by operation: expected string, got unsigned")
	d.want(alter(SpaceChange{Format: mp(`[{"name": "a", "type": "unsigned"}]`)}), "")
	d.want(alter(SpaceChange{Name: ptr("")}), "70 Invalid identifier '' (expected printable symbols only or it is too long)")
	d.want(alter(SpaceChange{Flags: mp(`{"group_id": 1, "is_sync": false}`)}), "12 Can't modify space 'renamed': replication group is immutable")
	d.want(b.AlterSpace(c, 9999, SpaceChange{}), "36 Space '#9999' does not exist")
	d.same("row", d.row(SpaceID, s.ID), `[512, 1, "renamed", "memtx", 2, {"is_sync": true}, [{"name": "a", "type": "unsigned"}]]`)
	other := d.space("other")
	d.want(b.RenameSpace(c, other.ID, "renamed"), `3 Duplicate key exists in unique index "name" in space "_space" with old tuple - `+
		`[512, 1, "renamed", "memtx", 2, {"is_sync": true}, [{"name": "a", "type": "unsigned"}]] and new tuple - [513, 1, "renamed", "memtx", 0, {}, []]`)
	d.want(b.RenameSpace(c, 9999, "x"), "")
}

func TestDropSpace(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	s, _ := b.CreateSpace(c, "s", SpaceSpec{})
	_, err := b.CreateIndex(c, s.ID, "pk", IndexSpec{Sequence: &SequenceSpec{}})
	d.want(err, "")
	_, err = b.CreateIndex(c, s.ID, "sk", IndexSpec{NonUnique: true, Keys: []Part{{Field: 1, Type: "unsigned"}}})
	d.want(err, "")
	_, err = b.CreateUser(c, "u", nil)
	d.want(err, "")
	d.want(b.GrantByName(c, "u", "read", "space", "s", GrantOptions{}), "")
	d.insert(s, `[null, 5]`)
	d.want(b.Truncate(c, s.ID), "")
	_, err = b.Delete(c, SpaceID, 0, key(s.ID))
	d.want(err, "11 Can't drop space 's': the space has indexes")
	d.want(b.DropSpace(c, s.ID, "s", false), "")
	for _, left := range []string{d.row(SpaceID, s.ID), d.row(TruncateID, s.ID), d.all(SequenceID, 0), d.all(SequenceDataID, 0), d.all(SpaceSequenceID, 0)} {
		if left != "" && left != "none" {
			t.Errorf("left over: %s", left)
		}
	}
	if b.hasGrants(SpaceObject, s.ID) || b.hasRows(IndexID, 0, uint64(s.ID)) || b.SpaceByID(s.ID) != nil {
		t.Error("the space has left something behind")
	}
	d.want(b.DropSpace(c, s.ID, "s", false), "36 Space 's' does not exist")
	d.want(b.DropSpace(c, 9999, "ghost", true), "")
	d.want(b.DropSpace(c, SchemaID, "_schema", false), "15 Can't drop the primary key in a system space, space '_schema'")
	again, err := b.CreateSpace(c, "s", SpaceSpec{})
	if err != nil || again.ID != s.ID {
		t.Errorf("the number is not used again: %v %v", again, err)
	}
}

func TestTruncate(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	s := d.space("s")
	d.insert(s, `[1]`, `[2]`)
	b.Begin(c, TxnOptions{})
	d.want(b.Truncate(c, s.ID), "")
	d.insert(s, `[3]`)
	d.same("inside", d.all(s.ID, 0), "[3]")
	b.Rollback(c)
	d.same("rolled back", d.all(s.ID, 0), "[1] [2]")
	d.want(b.Truncate(c, s.ID), "")
	d.want(b.Truncate(c, s.ID), "")
	d.same("row", d.row(TruncateID, s.ID), "[512, 2]")
	if s.Mem.Bytes() != 0 || s.Mem.Len(nil) != 0 {
		t.Error("not empty")
	}
	d.want(b.Truncate(c, SchemaID), "137 Can't truncate a system space, space '_schema'")
	d.want(b.Truncate(c, VSpaceID), "137 Can't truncate a system space, space '_vspace'")
}

func TestCreateIndex(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	s, _ := b.CreateSpace(c, "s", SpaceSpec{Fields: []Field{{Name: "a", Type: "unsigned"}, {Name: "b", Type: "string"}, {Name: "m", Type: "map"}}})
	create := func(name string, o IndexSpec) error { _, err := b.CreateIndex(c, s.ID, name, o); return err }
	raw := func(options, parts string) IndexSpec { return IndexSpec{Options: mp(options), Parts: mp(parts)} }
	d.want(create("sk", IndexSpec{ID: ptr(uint32(1))}), "12 Can't modify space 's': can not add a secondary key before primary")
	d.want(create("pk", IndexSpec{NonUnique: true}), "14 Can't create or modify index 'pk' in space 's': primary key must be unique")
	d.want(create("pk", IndexSpec{Keys: []Part{{Type: "unsigned", Nullable: true}}}), "152 Primary index of space 's' can not contain nullable parts")
	d.want(create("pk", IndexSpec{Type: "odd"}), "13 Unsupported index type supplied for index 'pk' in space 's'")
	d.want(create("pk", raw(`{"unique": true}`, `[{"field": 2, "type": "string", "path": "[*]"}]`)), "14 Can't create or modify index 'pk' in space 's': primary key cannot be multikey")
	d.want(create("pk", IndexSpec{}), "")
	const cannot = "14 Can't create or modify index 'i' in space 's': "
	hash := IndexSpec{Type: "hash", NonUnique: true}
	part := func(text string) IndexSpec { return raw(`{"unique": true}`, "["+text+"]") }
	for _, test := range []struct {
		name string
		spec IndexSpec
		want string
	}{
		{"pk", IndexSpec{}, "85 Index 'pk' already exists"},
		{"pk", IndexSpec{IfNotExists: true}, ""},
		{"other", IndexSpec{ID: ptr(uint32(0))}, `3 Duplicate key exists in unique index "primary" in space "_index" with old tuple - ` +
			`[512, 0, "pk", "tree", {"unique": true}, [[0, "unsigned"]]] and new tuple - [512, 0, "other", "tree", {"unique": true}, [[0, "unsigned"]]]`},
		{"", IndexSpec{}, "70 Invalid identifier '' (expected printable symbols only or it is too long)"},
		{"i", IndexSpec{ID: ptr(uint32(128))}, cannot + "index id too big"},
		{"i", hash, cannot + "HASH index must be unique"},
		{"i", IndexSpec{Type: "rtree", Keys: []Part{{Field: 6, Type: "array"}}}, cannot + "RTREE index can not be unique"},
		{"i", IndexSpec{Type: "bitset", Keys: []Part{{Field: 6, Type: "unsigned"}}}, cannot + "BITSET can not be unique"},
		{"i", IndexSpec{Type: "hash", Keys: []Part{{Field: 6, Type: "string", Nullable: true}}}, "5 HASH does not support nullable parts"},
		{"i", IndexSpec{Func: "nope"}, "51 Function 'nope' does not exist"},
		{"i", IndexSpec{Sequence: &SequenceSpec{}}, cannot + "sequence cannot be used with a secondary key"},
		{"i", IndexSpec{Type: "rtree", NonUnique: true, Dimension: 21, Keys: []Part{{Field: 6, Type: "array"}}},
			"112 Index 'i' (RTREE) of space 's' (memtx) does not support dimension (21): must belong to range [1, 20]"},
		{"i", IndexSpec{Type: "rtree", NonUnique: true, Distance: "far", Keys: []Part{{Field: 6, Type: "array"}}},
			"108 Wrong index options: distance must be either 'euclid' or 'manhattan'"},
		{"i", IndexSpec{Type: "rtree", NonUnique: true, Keys: []Part{{Field: 6, Type: "unsigned"}}}, cannot + "RTREE index field type must be ARRAY"},
		{"i", IndexSpec{Type: "rtree", NonUnique: true, Keys: []Part{{Field: 6, Type: "array"}, {Field: 7, Type: "array"}}}, cannot + "RTREE index key can not be multipart"},
		{"i", IndexSpec{Type: "hash", Options: mp(`{"unique": true, "hint": true}`)}, cannot + "hint is only reasonable with memtx tree index"},
		{"i", raw(`{"unique": 5}`, `[[0, "unsigned"]]`), "108 Wrong index options: 'unique' must be boolean"},
		{"i", raw(`{"odd": 5}`, `[[0, "unsigned"]]`), "108 Wrong index options: unexpected option 'odd'"},
		{"i", raw(`{"page_size": 0}`, `[[0, "unsigned"]]`), "108 Wrong index options: page_size must be greater than 0 and less than or equal to range_size"},
		{"i", part(``), cannot + "part count must be positive"},
		{"i", part(`[1.5, "unsigned"]`), "107 Wrong index part 1: field id must be an integer"},
		{"i", part(`[1, "unsigned"]`), "27 Field 2 (b) has type 'string' in space format, but type 'unsigned' in index definition"},
		{"i", part(`[1, "odd"]`), "107 Wrong index part 1: unknown field type"},
		{"i", part(`{"field": 6, "type": "map"}`), cannot + "field type 'map' is not supported"},
		{"i", part(`[6, "any"]`), cannot + "field type 'any' is not supported"},
		{"i", part(`{"field": 0, "type": "unsigned", "collation": 1}`), "107 Wrong index part 1: collation is only reasonable for 'string' and 'scalar' parts"},
		{"i", part(`{"field": 1, "type": "string", "nonsense": true}`), "107 Wrong index part 1: unexpected option 'nonsense'"},
		{"i", part(`[1, "string"], [1, "string"]`), cannot + "same key part is indexed twice"},
		{"i", part(`[40000, "string"]`), cannot + "field no is too big"},
		{"i", part(`{"field": 6, "type": "string", "sort_order": "up"}`), "107 Wrong index part 1: unknown sort order"},
		{"i", part(`{"field": 2, "type": "string", "path": "a[["}`), "107 Wrong index part 1: invalid path"},
		{"i", part(`{"field": 2, "type": "string", "path": 5}`), "107 Wrong index part 1: 'path' must be string"},
		{"i", part(`{"field": 6, "type": "unsigned", "path": "a[*]"}, {"field": 6, "type": "unsigned", "path": "b[*]"}`), "107 Wrong index part 2: incompatible multikey index path"},
		{"i", part(`{"field": 6, "type": "unsigned", "path": "[*].a[*]"}`), "107 Wrong index part 1: no more than one array index placeholder [*] is allowed in JSON path"},
		{"i", part(strings.TrimSuffix(strings.Repeat(`[9, "unsigned"],`, 256), ",")), cannot + "too many key parts"},
	} {
		d.want(create(test.name, test.spec), test.want)
	}
	if len(s.Mem.Indexes) != 1 || len(s.indexes) != 1 {
		t.Errorf("%d indexes, want 1", len(s.Mem.Indexes))
	}
	d.want(create("fifth", IndexSpec{ID: ptr(uint32(5))}), "")
	id, err := b.CreateIndex(c, s.ID, "next", IndexSpec{})
	if err != nil || id != 6 {
		t.Errorf("next index: %d %v", id, err)
	}
}

func TestBuildIndexes(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	s := d.space("s")
	d.insert(s, `[1, "a", 10]`, `[2, "b", 10]`, `[3, "b"]`)
	create := func(name string, o IndexSpec) error { _, err := b.CreateIndex(c, s.ID, name, o); return err }
	d.want(create("dup", IndexSpec{Keys: []Part{{Field: 1, Type: "string"}}}),
		`3 Duplicate key exists in unique index "dup" in space "s" with old tuple - [2, "b", 10] and new tuple - [3, "b"]`)
	d.want(create("missing", IndexSpec{NonUnique: true, Keys: []Part{{Field: 2, Type: "unsigned"}}}), "39 Tuple field 3 required by space format is missing")
	d.want(create("type", IndexSpec{NonUnique: true, Keys: []Part{{Field: 1, Type: "unsigned"}}}),
		"23 Tuple field 2 type does not match one required by operation: expected unsigned, got string")
	d.want(create("nullable", IndexSpec{NonUnique: true, Keys: []Part{{Field: 2, Type: "unsigned", Nullable: true}}}), "")
	d.same("nullable", d.all(s.ID, 1), `[3, "b"] [1, "a", 10] [2, "b", 10]`)
	d.want(create("excluding", IndexSpec{NonUnique: true, Keys: []Part{{Field: 2, Type: "unsigned", ExcludeNull: true}}}), "")
	d.same("excluding", d.all(s.ID, 2), `[1, "a", 10] [2, "b", 10]`)
	b.Begin(c, TxnOptions{})
	d.insert(s, `[4, "d"]`)
	d.want(create("late", IndexSpec{NonUnique: true, Keys: []Part{{Field: 1, Type: "string"}}}),
		"54 Can not perform index build in a multi-statement transaction")
	b.Rollback(c)
	b.Begin(c, TxnOptions{})
	d.want(create("undone", IndexSpec{NonUnique: true, Keys: []Part{{Field: 1, Type: "string"}}}), "")
	d.insert(s, `[4, "d"]`)
	d.same("undone", d.all(s.ID, 3), `[1, "a", 10] [2, "b", 10] [3, "b"] [4, "d"]`)
	b.Rollback(c)
	d.same("after", d.all(s.ID, 0), `[1, "a", 10] [2, "b", 10] [3, "b"]`)
	if len(s.Mem.Indexes) != 3 || s.Mem.Bytes() == 0 {
		t.Error("the index is still there")
	}
}

func TestAlterIndex(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	s := d.space("s")
	b.CreateIndex(c, s.ID, "sk", IndexSpec{NonUnique: true, Keys: []Part{{Field: 1, Type: "string"}}})
	d.insert(s, `[1, "x", 10]`, `[2, "x", 5]`)
	alter := func(id uint32, o IndexChange) error { return b.AlterIndex(c, s.ID, id, o) }
	d.want(alter(0, IndexChange{Parts: mp(`[[2, "unsigned"]]`)}), "")
	d.same("primary", d.all(s.ID, 0), `[2, "x", 5] [1, "x", 10]`)
	d.same("secondary", d.all(s.ID, 1), `[2, "x", 5] [1, "x", 10]`)
	d.want(alter(0, IndexChange{Parts: mp(`[[1, "string"]]`)}),
		`3 Duplicate key exists in unique index "pk" in space "s" with old tuple - [2, "x", 5] and new tuple - [1, "x", 10]`)
	d.want(alter(0, IndexChange{Parts: mp(`[[3, "unsigned"]]`)}), "39 Tuple field 4 required by space format is missing")
	d.want(alter(0, IndexChange{Options: mp(`{"unique": false}`)}), "14 Can't create or modify index 'pk' in space 's': primary key must be unique")
	d.want(alter(0, IndexChange{Parts: mp(`[[2, "integer"]]`)}), "")
	d.insert(s, `[9, "y", -4]`)
	d.same("integers", d.all(s.ID, 0), `[9, "y", -4] [2, "x", 5] [1, "x", 10]`)
	d.want(alter(1, IndexChange{Options: mp(`{"unique": true}`)}),
		`3 Duplicate key exists in unique index "sk" in space "s" with old tuple - [2, "x", 5] and new tuple - [1, "x", 10]`)
	d.want(alter(1, IndexChange{ID: ptr(uint32(9))}), "94 Attempt to modify a tuple field which is part of primary index in space '_index'")
	d.want(b.RenameIndex(c, s.ID, 1, "third"), "")
	if s.Mem.Index(1).Name != "third" || s.Mem.Index(1).Def().Name != "third" {
		t.Error("the index goes by its old name")
	}
	d.want(b.RenameIndex(c, s.ID, 1, ""), "70 Invalid identifier '' (expected printable symbols only or it is too long)")
	if s.Mem.Index(1).Name != "third" {
		t.Error("a rename that failed has its effect")
	}
	d.want(alter(7, IndexChange{}), "35 No index #7 is defined in space 's'")
	d.want(b.DropIndex(c, s.ID, 0), "17 Can't drop primary key in space 's' while secondary keys exist")
	d.want(b.DropIndex(c, s.ID, 1), "")
	d.want(b.DropIndex(c, s.ID, 1), "")
	d.want(b.DropIndex(c, s.ID, 0), "")
	_, err := b.Insert(c, s.ID, mp(`[7]`))
	d.want(err, "35 No index #0 is defined in space 's'")
	if s.Mem.Bytes() != 0 {
		t.Error("bytes of a space without tuples")
	}
}

func TestDDLInTransactions(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	var changes []uint32
	b.OnSchemaChange = append(b.OnSchemaChange, func(id uint32) { changes = append(changes, id) })
	b.Begin(c, TxnOptions{})
	d.insert(d.space("s"), `[1]`)
	b.Rollback(c)
	if b.SpaceByName("s") != nil || b.hasRows(IndexID, 0, 512) {
		t.Error("the space outlived its transaction")
	}
	if len(changes) < 4 {
		t.Errorf("%d changes told, want those of creating and of undoing", len(changes))
	}
	s := d.space("s")
	d.insert(s, `[1]`, `[2]`, `[3]`)
	b.Begin(c, TxnOptions{})
	d.want(b.DropSpace(c, s.ID, "s", false), "")
	if b.SpaceByID(s.ID) != nil {
		t.Error("the dropped space is there")
	}
	b.Rollback(c)
	d.same("rows", d.all(s.ID, 0), "[1] [2] [3]")
	b.Begin(c, TxnOptions{})
	d.want(b.RenameSpace(c, s.ID, "renamed"), "")
	_, err := b.Insert(c, s.ID, mp(`[1]`))
	d.want(err, `3 Duplicate key exists in unique index "pk" in space "renamed" with old tuple - [1] and new tuple - [1]`)
	b.Rollback(c)
	_, err = b.Insert(c, s.ID, mp(`[1]`))
	d.want(err, `3 Duplicate key exists in unique index "pk" in space "s" with old tuple - [1] and new tuple - [1]`)
	b.Begin(c, TxnOptions{})
	b.CreateUser(c, "u", nil)
	d.want(b.GrantByName(c, "u", "read", "space", "s", GrantOptions{}), "")
	b.Rollback(c)
	if b.UserByName("u") != nil {
		t.Error("the user outlived its transaction")
	}
}

func TestForeignKeyDefinitions(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	country := d.space("country")
	d.insert(country, `[1, "Norway"]`)
	format := fmt.Sprintf(`[{"name": "id", "type": "unsigned"}, {"name": "country", "type": "unsigned", "is_nullable": true,
		"foreign_key": {"country": {"space": %d, "field": 0}}}]`, country.ID)
	city := d.space("city")
	d.insert(city, `[1, 9]`)
	d.want(b.SetFormat(c, city.ID, mp(format)), "239 Foreign key constraint 'country' failed for field '2 (country)': foreign tuple was not found")
	if len(city.ForeignKeys) != 0 || len(country.ReferencedBy) != 0 {
		t.Error("a foreign key that could not be made is there")
	}
	b.Delete(c, city.ID, 0, key(1))
	d.want(b.SetFormat(c, city.ID, mp(format)), "")
	_, err := b.Insert(c, city.ID, mp(`[2, 1]`))
	d.want(err, "")
	_, err = b.Insert(c, city.ID, mp(`[3, 9]`))
	d.want(err, "239 Foreign key constraint 'country' failed for field '2 (country)': foreign tuple was not found")
	d.want(b.Truncate(c, country.ID), "12 Can't modify space 'country': space is referenced by foreign key")
	d.want(b.DropSpace(c, country.ID, "country", false), "12 Can't modify space 'country': space is referenced by foreign key")
	d.want(b.DropIndex(c, country.ID, 0), "12 Can't modify space 'country': space is referenced by foreign key")
	d.want(b.DropSpace(c, city.ID, "city", false), "")
	d.want(b.DropSpace(c, country.ID, "country", false), "")
}

func TestHandWrittenRows(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	put := func(space uint32, row string) error { _, err := b.Insert(c, space, mp(row)); return err }
	d.want(put(SpaceID, `[800, 1, "by_hand", "memtx", 0, {}, [{"name": "a"}]]`), "")
	d.want(put(IndexID, `[800, 0, "first", "tree", {"unique": true}, [[0, "unsigned"]]]`), "")
	d.insert(b.SpaceByID(800), `[5, "x"]`)
	d.want(put(SpaceID, `[801, 1]`), "39 Tuple field 3 (name) required by space format is missing")
	d.want(put(SpaceID, `[801, 1, "x", "memtx", 0, [], []]`), "23 Tuple field 6 (flags) type does not match one required by operation: expected map, got array")
	d.want(put(IndexID, `[800, 1, "second", "tree", {"unique": true}, [[0, "odd"]]]`), "107 Wrong index part 1: unknown field type")
	d.want(put(IndexID, `[9999, 0, "pk", "tree", {"unique": true}, [[0, "unsigned"]]]`), "36 Space '9999' does not exist")
	d.want(put(VSpaceID, `[900, 1, "x", "memtx", 0, {}, []]`), "113 View '_vspace' is read-only")
	_, err := b.Update(c, SpaceID, 0, key(800), mp(`[["=", "name", "other"]]`), 1)
	d.want(err, "")
	if b.SpaceByName("by_hand") != nil || b.SpaceByName("other") == nil {
		t.Error("the space was not renamed")
	}
	b.Delete(c, IndexID, 0, key(800, 0))
	_, err = b.Delete(c, SpaceID, 0, key(800))
	d.want(err, "")
	if b.SpaceByName("other") != nil {
		t.Error("the space was not dropped")
	}
}

func TestRenamedFields(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	s, other := d.space("s"), d.space("other")
	d.insert(s, `[1, "a"]`)
	d.insert(other, `[1, "a"]`)
	old, _ := b.Get(c, s.ID, 0, key(1))
	stranger, _ := b.Get(c, other.ID, 0, key(1))
	format := func(names ...string) {
		d.Helper()
		f := `[{"name": "` + strings.Join(names, `"}, {"name": "`) + `"}]`
		d.want(b.SetFormat(c, s.ID, mp(f)), "")
	}
	has := func(t *tuple.Tuple, name, want string) {
		d.Helper()
		got := "none"
		if v := t.FieldByPath(name); v != nil {
			got = string(msgpack.AppendText(nil, v))
		}
		d.same(name, got, want)
	}
	format("id", "text")
	has(old, "text", `"a"`)
	b.CreateIndex(c, s.ID, "sk", IndexSpec{Keys: []Part{{Field: 1, Type: "string"}}})
	b.Begin(c, TxnOptions{})
	format("id", "name")
	has(old, "name", `"a"`)
	has(old, "text", "none")
	b.Rollback(c)
	has(old, "text", `"a"`)
	format("key")
	has(old, "key", "1")
	has(old, "text", "none")
	has(stranger, "key", "none")
	has(stranger, "text", "none")
}

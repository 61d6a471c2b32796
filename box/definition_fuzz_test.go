package box

import (
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// FuzzDefinitions reads arbitrary rows as rows of the system spaces: whatever is in them, that ends with a definition
// or with an error.
func FuzzDefinitions(f *testing.F) {
	rows, err := bootstrapRows()
	if err != nil {
		f.Fatal(err)
	}
	for _, row := range rows {
		if row.space != CollationID {
			f.Add(row.data)
		}
	}
	for _, text := range []string{
		`[1, 1, "s", "memtx", 0, {"constraint": {"c": 1}, "foreign_key": {"f": {"space": 1, "field": {"a": 0, "1": "b"}}}},
			[{"name": "a", "type": "string", "collation": 1, "default": "x", "default_func": 3, "nullable_action": "none",
			"constraint": {"c": 1}, "foreign_key": {"f": {"field": "b"}}}]]`,
		`[1, 1, "i", "rtree", {"unique": false, "dimension": 3, "distance": "manhattan", "func": 5, "hint": true, "bloom_fpr": 0.5},
			[{"field": 1, "type": "string", "path": "a[*].b", "exclude_null": true, "is_nullable": true, "sort_order": "desc"}]]`,
		`[1, 1, "i", "tree", {}, [[0, "odd", 5], [], [0], 5]]`,
	} {
		f.Add(mp(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if rest, ok := msgpack.Check(data); !ok || len(rest) > 0 || msgpack.TypeOf(data[0]) != msgpack.Array {
			t.Skip()
		}
		row := tuple.New(data)
		s := &Space{Name: "s", Engine: memtx.Engine, Mem: new(memtx.Space)}
		if d, err := decodeSpace(row, boxerr.CreateSpace); err == nil {
			s.fields = d.fields
		}
		decodeIndex(row, s, s.fields)
		decodeFunc(row, false)
		decodeUser(row)
		decodeGrant(row)
		decodeSequence(row, boxerr.CreateSequence)
		decodeCollation(row)
	})
}

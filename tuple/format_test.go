package tuple

import (
	"bytes"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

func TestFormatCheck(t *testing.T) {
	numbers := must(NewFormatOf([]FieldDef{{Name: "u", Type: Unsigned}, {Name: "i", Type: Integer}, {Name: "n", Type: Number},
		{Name: "d", Type: Double}}, 0, nil))
	names := must(NewFormatOf([]FieldDef{{Name: "id", Type: Unsigned}, {Name: "name", Type: String},
		{Name: "note", Type: String, Nullable: true}}, 0, nil))
	kinds := must(NewFormatOf([]FieldDef{{Name: "any", Type: Any}, {Name: "str", Type: String, Nullable: true},
		{Name: "bin", Type: Varbinary, Nullable: true}, {Name: "scalar", Type: Scalar, Nullable: true}, {Name: "map", Type: Map, Nullable: true}}, 0, nil))
	three := must(NewFormatOf(nil, 3, []*KeyDef{mustKeyDef(t, KeyPart{Type: Unsigned})}))
	keys := must(NewFormatOf(nil, 0, []*KeyDef{mustKeyDef(t, KeyPart{Type: Unsigned}), mustKeyDef(t, KeyPart{Field: 2, Type: String})}))
	defaults := must(NewFormatOf([]FieldDef{{Name: "id", Type: Unsigned}, {Name: "n", Type: Unsigned, Default: true}}, 0, nil))
	strict := must(NewFormatOf([]FieldDef{{Name: "id", Type: Unsigned}, {Name: "n", Type: Scalar, Nullable: true}}, 0,
		[]*KeyDef{mustKeyDef(t, KeyPart{Field: 1, Type: String})}))
	inside := must(NewFormatOf([]FieldDef{{Name: "id", Type: Unsigned}, {Name: "doc", Type: Map}}, 0, []*KeyDef{
		mustKeyDef(t, KeyPart{Field: 1, Type: String, Path: "name"}),
		mustKeyDef(t, KeyPart{Field: 1, Type: Integer, Path: "pos.x", Nullable: true}),
		mustKeyDef(t, KeyPart{Field: 1, Type: String, Path: `["list"][2]`, Nullable: true}),
	}))
	multi := must(NewFormatOf(nil, 0, []*KeyDef{mustKeyDef(t, KeyPart{Type: Unsigned}),
		mustKeyDef(t, KeyPart{Field: 1, Type: String, Path: "[*]"}),
		mustKeyDef(t, KeyPart{Field: 2, Type: String, Path: "p[*].k", Nullable: true}, KeyPart{Field: 2, Type: Unsigned, Path: "p[*].n"})}))
	for _, c := range []struct {
		format *Format
		tuple  string
		want   string
	}{
		{numbers, `[1, -1, 1.5, 2.5]`, "no error"},
		{numbers, `[-1, 1, 1, 1.5]`, "23 Tuple field 1 (u) type does not match one required by operation: expected unsigned, got integer"},
		{numbers, `[1.0, 1, 1, 1.5]`, "23 Tuple field 1 (u) type does not match one required by operation: expected unsigned, got double"},
		{numbers, `[1, 1, 1, 1]`, "no error"},
		{numbers, `[1, 1, 1, 1.5f]`, "no error"},
		{numbers, `[1, 1, dec'1.5', 0.0]`, "no error"},
		{numbers, `[1, 1, 1, dec'1']`, "23 Tuple field 4 (d) type does not match one required by operation: expected double, got decimal"},
		{numbers, `[nil, 1, 1, 1.5]`, "23 Tuple field 1 (u) type does not match one required by operation: expected unsigned, got nil"},
		{names, `[2, "nil note", nil]`, "no error"},
		{names, `[3, "short"]`, "no error"},
		{names, `[8, "more", nil, "extra", 5]`, "no error"},
		{names, `[4]`, "39 Tuple field 2 (name) required by space format is missing"},
		{names, `[]`, "39 Tuple field 1 (id) required by space format is missing"},
		{names, `[6, nil]`, "23 Tuple field 2 (name) type does not match one required by operation: expected string, got nil"},
		{names, `["6"]`, "39 Tuple field 2 (name) required by space format is missing"},
		{names, `5`, "22 Tuple/Key must be MsgPack array"},
		{kinds, `[nil]`, "no error"},
		{kinds, `[1, h'73']`, "23 Tuple field 2 (str) type does not match one required by operation: expected string, got blob"},
		{kinds, `[1, nil, "s"]`, "23 Tuple field 3 (bin) type does not match one required by operation: expected varbinary, got string"},
		{kinds, `[1, nil, nil, {}]`, "23 Tuple field 4 (scalar) type does not match one required by operation: expected scalar, got map"},
		{kinds, `[1, nil, nil, nil, []]`, "23 Tuple field 5 (map) type does not match one required by operation: expected map, got array"},
		{kinds, `[1, nil, nil, uuid'00000000000000000000000000000001']`, "no error"},
		{three, `[1, 2, 3]`, "no error"},
		{three, `[1, 2]`, "38 Tuple field count 2 does not match space field count 3"},
		{three, `["1", 2, 3]`, "23 Tuple field 1 type does not match one required by operation: expected unsigned, got string"},
		{keys, `[1, nil, "x"]`, "no error"},
		{keys, `[2, {}]`, "39 Tuple field 3 required by space format is missing"},
		{keys, `[2, {}, nil]`, "23 Tuple field 3 type does not match one required by operation: expected string, got nil"},
		{defaults, `[1, nil]`, "no error"},
		{defaults, `[1, "x"]`, "23 Tuple field 2 (n) type does not match one required by operation: expected unsigned, got string"},
		{strict, `[1]`, "39 Tuple field 2 (n) required by space format is missing"},
		{strict, `[1, 1]`, "23 Tuple field 2 (n) type does not match one required by operation: expected string, got unsigned"},
		{inside, `[1, {"name": "ann", "pos": {"x": 5}, "list": ["a", "b"]}]`, "no error"},
		{inside, `[1, {"name": "cy", "pos": {"y": 1}, "list": ["z", "b", "c"]}]`, "no error"},
		{inside, `[1, {"name": "cy", "list": ["z"]}]`, "no error"},
		{inside, `[1, {"pos": {"x": 1}}]`, `39 Tuple field [2]["name"] required by space format is missing`},
		{inside, `[1]`, `39 Tuple field [2]["name"] required by space format is missing`},
		{inside, `[1, {"name": 7}]`, `23 Tuple field [2]["name"] type does not match one required by operation: expected string, got unsigned`},
		{inside, `[1, {"name": "x", "pos": 3}]`, `23 Tuple field [2]["pos"] type does not match one required by operation: expected map, got unsigned`},
		{inside, `[1, {"name": "x", "pos": {"x": "no"}}]`, `23 Tuple field [2]["pos"]["x"] type does not match one required by operation: expected integer, got string`},
		{inside, `[1, {"name": "x", "list": [1, 2]}]`, `23 Tuple field [2]["list"][2] type does not match one required by operation: expected string, got unsigned`},
		{multi, `[1, ["red", "blue"], {"p": [{"k": "x", "n": 1}, {"n": 2}]}]`, "no error"},
		{multi, `[1, []]`, "no error"},
		{multi, `[1, ["x", 5]]`, "23 Tuple field [2][*] type does not match one required by operation: expected string, got unsigned"},
		{multi, `[1, ["x", nil]]`, "23 Tuple field [2][*] type does not match one required by operation: expected string, got nil"},
		{multi, `[1, "x"]`, "23 Tuple field 2 type does not match one required by operation: expected array, got string"},
		{multi, `[1, [], {"p": [{"k": "x"}]}]`, `39 Tuple field [3]["p"][*]["n"] required by space format is missing`},
		{nil, `[1]`, "no error"},
	} {
		err := c.format.Check(mp(c.tuple))
		if got := errorText(err); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.tuple, got, c.want)
		}
		if e := boxerr.From(err); e != nil && e.Code != boxerr.TupleNotArray {
			if raw, _ := e.Field("tuple").(msgpack.Raw); !bytes.Equal(raw, mp(c.tuple)) {
				t.Errorf("%s: the error's tuple is %x", c.tuple, raw)
			}
		}
	}
}

func TestNewFormatErrors(t *testing.T) {
	fields := []FieldDef{{Name: "id", Type: Unsigned}, {Name: "doc", Type: Map}, {Name: "n", Type: Unsigned}}
	pk := KeyPart{Type: Unsigned}
	a := KeyPart{Field: 1, Type: String, Path: "a"}
	for _, c := range []struct {
		parts []KeyPart
		want  string
	}{
		{[]KeyPart{{Field: 2, Type: Scalar}}, "no error"},
		{[]KeyPart{{Field: 2, Type: String}}, "27 Field 3 (n) has type 'unsigned' in space format, but type 'string' in index definition"},
		{[]KeyPart{{Field: 7, Type: Number}, {Field: 7, Type: Scalar}}, "no error"},
		{[]KeyPart{{Field: 6, Type: Number}, {Field: 6, Type: String}}, "24 Field 7 has type 'number' in one index, but type 'string' in another"},
		{[]KeyPart{{Field: 2, Type: String, Path: "a"}}, "24 Field 3 (n) has type 'unsigned' in one index, but type 'map' in another"},
		{[]KeyPart{{Field: 1, Type: String, Path: "[1]"}}, "24 Field 2 (doc) has type 'map' in one index, but type 'array' in another"},
		{[]KeyPart{a, {Field: 1, Type: Unsigned, Path: "a"}}, `24 Field [2]["a"] has type 'string' in one index, but type 'unsigned' in another`},
		{[]KeyPart{a, {Field: 1, Type: Unsigned, Path: "a.b"}}, `24 Field [2]["a"] has type 'string' in one index, but type 'map' in another`},
		{[]KeyPart{{Field: 4, Type: String, Path: "[*]"}, {Field: 4, Type: String, Path: "[1]"}}, "194 Field 5 is used as multikey in one index and as single key in another"},
		{[]KeyPart{{Field: 4, Type: String, Path: "[1]"}, {Field: 4, Type: String, Path: "[*]"}}, "194 Field 5 is used as multikey in one index and as single key in another"},
		{[]KeyPart{{Field: 4, Type: String, Path: "[*]"}, {Field: 4, Type: Array}}, "no error"},
		{[]KeyPart{{Field: 4, Type: String, Path: "[*]"}, {Field: 4, Type: String}}, "24 Field 5 has type 'array' in one index, but type 'string' in another"},
		{[]KeyPart{{Field: 4, Type: String, Path: "a.b"}, {Field: 4, Type: String, Path: "a"}}, `24 Field [5]["a"] has type 'map' in one index, but type 'string' in another`},
	} {
		keys := []*KeyDef{mustKeyDef(t, pk)}
		for _, p := range c.parts {
			keys = append(keys, mustKeyDef(t, p))
		}
		if _, err := NewFormatOf(fields, 0, keys); errorText(err) != c.want {
			t.Errorf("%v:\n got %v\nwant %s", c.parts, err, c.want)
		}
	}
	_, err := NewFormatOf([]FieldDef{{Name: "a"}, {Name: "a"}}, 0, nil)
	if want := "149 Space field 'a' is duplicate"; errorText(err) != want {
		t.Error(err)
	}
}

func TestFormatRegistry(t *testing.T) {
	fields := []FieldDef{{Name: "registered", Type: String}}
	f := must(NewFormatOf(fields, 0, nil))
	if again := must(NewFormatOf(fields, 0, nil)); again != f {
		t.Error("equal formats are two")
	}
	if other := must(NewFormatOf(fields, 1, nil)); other == f || other.ID == f.ID {
		t.Error("different formats are one")
	}
	if FormatByID(f.ID) != f || FormatByID(0) != nil || FormatByID(1<<31) != nil {
		t.Error("formats are not found by id")
	}
	if tp := NewFormat(f, mp(`["x"]`)); tp.Format() != f || tp.FormatID() != f.ID {
		t.Error("tuple has no format")
	}
	if no, ok := f.FieldByName("registered"); no != 0 || !ok {
		t.Error("field is not found by name")
	}
	if got, want := f.AppendFields(nil), mp(`[{"name": "registered", "type": "string"}]`); !bytes.Equal(got, want) {
		t.Errorf("fields %s", show(got))
	}
}

func FuzzFormatCheck(f *testing.F) {
	for _, s := range []string{`[1, {"a": [1, {"b": "x"}]}, ["x"]]`, `[1, nil, nil]`, `[]`, `{}`} {
		f.Add(mp(s))
	}
	format := must(NewFormatOf([]FieldDef{{Name: "id", Type: Unsigned}}, 0, []*KeyDef{
		mustKeyDef(f, KeyPart{Field: 1, Type: String, Path: "a[2].b", Nullable: true}),
		mustKeyDef(f, KeyPart{Field: 2, Type: Scalar, Path: "[*]"}),
	}))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := format.Check(data); err != nil || !checked(data) {
			return
		}
		tp := NewFormat(format, data)
		for i := range tp.Len() {
			if !checked(tp.Field(i)) {
				t.Fatalf("field %d of %x is %x", i, data, tp.Field(i))
			}
		}
		tp.FieldByPath("id")
		tp.FieldByPath("[2].a[2].b")
	})
}

func BenchmarkFormatCheck(b *testing.B) {
	format := must(NewFormatOf([]FieldDef{{Name: "id", Type: Unsigned}, {Name: "name", Type: String}, {Name: "n", Type: Number},
		{Name: "x"}}, 0, []*KeyDef{mustKeyDef(b, KeyPart{Type: Unsigned})}))
	data := mp(`[1, "some name", 1.5, [1, 2, 3]]`)
	b.ReportAllocs()
	for b.Loop() {
		_ = format.Check(data)
	}
}

// TestCheckUpdated has updates break a format: what CheckUpdated leaves out must not be what is wrong.
func TestCheckUpdated(t *testing.T) {
	for _, fields := range []int{0, 4} {
		g := must(NewFormatOf([]FieldDef{
			{Name: "a", Type: Unsigned}, {Name: "b", Type: String, Nullable: true}, {Name: "c", Type: Any},
		}, fields, nil))
		data := mp(`[1, "x", 3, 4]`)
		for _, ops := range []string{
			`[["=", 0, "x"]]`, `[["=", 1, 5]]`, `[["=", 1, nil]]`, `[["=", 2, "x"]]`, `[["=", 3, "x"]]`, `[["=", 4, 5]]`,
			`[["#", 0, 1]]`, `[["#", 1, 1]]`, `[["#", 2, 2]]`, `[["#", 3, 1]]`, `[["!", 0, "x"]]`, `[["!", 4, "x"]]`,
		} {
			got, changed, err := Update(data, mp(ops), 0, g)
			if err != nil {
				t.Fatal(ops, err)
			}
			if a, b := errorText(g.CheckUpdated(got, changed)), errorText(g.Check(got)); a != b {
				t.Errorf("%s, %d fields: %s instead of %s", ops, fields, a, b)
			}
		}
	}
}

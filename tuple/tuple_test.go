package tuple

import (
	"bytes"
	"strings"
	"testing"
	"unsafe"

	"github.com/lycosadb/lycosa/msgpack"
)

func TestTuple(t *testing.T) {
	data := mp(`[1, "text", [2, 3], nil]`)
	tp := New(data)
	data[1] = 99 // it is copied
	if tp.Len() != 4 || tp.Size() != len(data) || tp.FormatID() != 0 || tp.Format() != nil {
		t.Error("wrong size or format")
	}
	for i, want := range []string{`1`, `"text"`, `[2, 3]`, `nil`} {
		if got := tp.Field(i); !bytes.Equal(got, mp(want)) {
			t.Errorf("field %d is %s", i, show(got))
		}
	}
	if tp.Field(4) != nil || tp.Field(-1) != nil {
		t.Error("fields that are not there")
	}
	if got := tp.String(); got != `[1, "text", [2, 3], null]` {
		t.Error(got)
	}
	if got := KeyString(mp(`5`), 1); got != `[5]` {
		t.Error(got)
	}
	// Even the smallest tuples have allocations of their own.
	for n := range 40 {
		tp := New(mp(`["` + strings.Repeat("x", n) + `"]`))
		if uintptr(unsafe.Pointer(tp))%8 != 0 {
			t.Errorf("tuple of %d bytes at %p", tp.Size(), tp)
		}
		if v, _, _ := msgpack.ReadString(tp.Field(0)); len(v) != n {
			t.Errorf("%d of %d bytes", len(v), n)
		}
	}
}

// TestHead checks sizes and formats on both sides of what a short head can say.
func TestHead(t *testing.T) {
	for _, tc := range []struct {
		size     int
		format   uint32
		overhead int
	}{
		{1, 0, shortHead},
		{13, 1, shortHead},
		{14, 1, shortHead},
		{77, 1<<shortFormats - 1, shortHead},
		{77, 1 << shortFormats, longHead},
		{77, 1<<31 - 1, longHead},
		{1<<shortSizes - 1, 1<<shortFormats - 1, shortHead},
		{1 << shortSizes, 1, longHead},
		{1 << 20, 1<<31 - 1, longHead},
	} {
		data := bytes.Repeat([]byte{0xff}, tc.size)
		data[0] = 0x90
		tp := newTuple(tc.format, data)
		if tp.Size() != tc.size || tp.FormatID() != tc.format || !bytes.Equal(tp.Data(), data) {
			t.Errorf("size %d, format %d: %d and %d, data equal: %t",
				tc.size, tc.format, tp.Size(), tp.FormatID(), bytes.Equal(tp.Data(), data))
		}
		if got, want := tp.MemorySize(), max(16, (tc.size+tc.overhead+7)/8*8); got != want {
			t.Errorf("size %d, format %d: %d bytes of memory instead of %d", tc.size, tc.format, got, want)
		}
	}
}

func TestFieldByPath(t *testing.T) {
	f := must(NewFormatOf([]FieldDef{{Name: "id"}, {Name: "doc"}, {Name: "a.b"}}, 0, nil))
	tp := NewFormat(f, mp(`[1, {"pos": {"x": 5}, "list": ["a", "b"], 3: "three"}, "dotted"]`))
	for path, want := range map[string]string{
		"id": `1`, "doc.pos.x": `5`, "[2].list[1]": `"a"`, "[1]": `1`, "doc['list'][2]": `"b"`, "a.b": `"dotted"`, "doc[3]": `"three"`,
		"doc.nope.x": ``, "[9]": ``, "nope": ``, "doc[": ``, "[*]": ``, "doc.list[*]": ``, "": ``, "id.x": ``,
	} {
		got := tp.FieldByPath(path)
		if want == "" && got != nil || want != "" && !bytes.Equal(got, mp(want)) {
			t.Errorf("%q: %s", path, show(got))
		}
	}
	if got := Lookup(tp.Field(1), "pos.x"); !bytes.Equal(got, mp("5")) {
		t.Errorf("lookup found %x", got)
	}
}

func TestParsePath(t *testing.T) {
	for path, want := range map[string]string{
		"": "", "a": `["a"]`, ".a": `["a"]`, "a.b": `["a"]["b"]`, "[2]": `[2]`, "[007]": `[7]`, "a[*].b": `["a"][*]["b"]`,
		`["a b"]['c"']`: `["a b"]["c""]`, "_1.é2": `["_1"]["é2"]`,
	} {
		tokens, bad := ParsePath(path)
		var b []byte
		for _, tok := range tokens {
			b = appendToken(b, tok)
		}
		if bad != 0 || string(b) != want {
			t.Errorf("%q: %s, bad at %d", path, b, bad)
		}
	}
	for path, want := range map[string]int{
		"doc.": 5, "list[": 5, "list[1": 7, "list[1]x": 8, `list["a"`: 9, "list['a": 8, "doc.é[": 6, "doc.1a": 5, "list[4294967296]": 6,
		`doc[""]`: 6, "a b": 2, "[0]": 2, "[": 1, ".": 2, "..": 2, `doc."a"`: 5, "l[1a]": 4, "[-1]": 2, "é.é[x": 5, "\xff": 1, "['\xff']": 3,
	} {
		if _, bad := ParsePath(path); bad != want {
			t.Errorf("%q: bad at %d, not %d", path, bad, want)
		}
	}
}

func FuzzParsePath(f *testing.F) {
	for _, s := range []string{"a.b[1]['c']", "[*]", "a[", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		tokens, bad := ParsePath(path)
		if bad != 0 {
			return
		}
		for _, tok := range tokens {
			if tok.Kind == TokenKey && tok.Key == "" || tok.Index < 0 || tok.Kind == TokenEnd {
				t.Fatalf("%q: %v", path, tokens)
			}
		}
	})
}

func TestFieldTypes(t *testing.T) {
	for i := range fieldTypes {
		if got, ok := FieldTypeByName(strings.ToUpper(i.String())); !ok || got != i {
			t.Errorf("%s is %v", i, got)
		}
	}
	for name, want := range map[string]FieldType{"*": Any, "num": Unsigned, "STR": String} {
		if got, ok := FieldTypeByName(name); !ok || got != want {
			t.Errorf("%s is %v", name, got)
		}
	}
	if _, ok := FieldTypeByName("odd"); ok {
		t.Error("a type that doesn't exist")
	}
	if !Scalar.Contains(Unsigned) || Unsigned.Contains(Scalar) || !Any.Contains(Map) || Number.Contains(String) {
		t.Error("wrong types contain each other")
	}
}

var made *Tuple // so that the compiler can't leave out the allocation

func BenchmarkNew(b *testing.B) {
	data := mp(`[1, "some text", 3.5, true]`)
	b.ReportAllocs()
	for b.Loop() {
		made = New(data)
	}
}

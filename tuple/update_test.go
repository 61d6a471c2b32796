package tuple

import (
	"bytes"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

var namedFormat = must(NewFormatOf([]FieldDef{
	{Name: "id", Type: Unsigned}, {Name: "tags"}, {Name: "doc"}, {Name: "n", Type: Integer, Nullable: true},
	{Name: "a.b", Nullable: true},
}, 0, nil))

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestUpdate runs operations with field numbers that count from 1.
func TestUpdate(t *testing.T) {
	const four = `[1, "b", "c", "d"]`
	const docs = `[1, ["a", "b", "c"], {"k": {"x": 1}}, 5]`
	for _, c := range []struct{ tuple, ops, want string }{
		// arithmetic
		{`[1, 5]`, `[["+", 2, 3]]`, `[1, 8]`},
		{`[1, 3]`, `[["-", 2, 5]]`, `[1, -2]`},
		{`[1, -3]`, `[["+", 2, 5]]`, `[1, 2]`},
		{`[1, 5]`, `[["+", 2, -7]]`, `[1, -2]`},
		{`[1, 5]`, `[["+", 2, 0.5]]`, `[1, 5.5f]`},
		{`[1, 1.5]`, `[["+", 2, 1]]`, `[1, 2.5f]`},
		{`[1, 1.5f]`, `[["+", 2, 0.1]]`, `[1, 1.6]`},
		{`[1, 0.1]`, `[["+", 2, 0.2]]`, `[1, 0.30000000000000004]`},
		{`[1, 0.1f]`, `[["+", 2, 0.2f]]`, `[1, 0.30000000447034836]`},
		{`[1, 1.0]`, `[["+", 2, 2.0]]`, `[1, 3.0f]`},
		{`[1, 3e38f]`, `[["+", 2, 3e38f]]`, `[1, 6.0000000109955115e+38]`},
		{`[1, 1e308]`, `[["+", 2, 1e308]]`, `[1, inf]`},
		{`[1, inf]`, `[["+", 2, 1]]`, `[1, inf]`},
		{`[1, 18446744073709551615]`, `[["-", 2, 1]]`, `[1, 18446744073709551614]`},
		{`[1, 9223372036854775807]`, `[["+", 2, 1]]`, `[1, 9223372036854775808]`},
		{`[1, 0]`, `[["-", 2, 9223372036854775808]]`, `[1, -9223372036854775808]`},
		{`[1, -1]`, `[["+", 2, 18446744073709551615]]`, `[1, 18446744073709551614]`},
		{`[1, 18446744073709551615]`, `[["+", 2, 1]]`, `95 Integer overflow when performing '+' operation on field 2`},
		{`[1, -9223372036854775808]`, `[["-", 2, 1]]`, `95 Integer overflow when performing '-' operation on field 2`},
		{`[1, 0]`, `[["-", 2, 9223372036854775809]]`, `95 Integer overflow when performing '-' operation on field 2`},
		{`[1, "x"]`, `[["+", 2, 1]]`, `26 Argument type in operation '+' on field 2 does not match field type: expected a number`},
		{`[1, 5]`, `[["+", 2, "x"]]`, `26 Argument type in operation '+' on field 2 does not match field type: expected a number`},
		{`[1, nil]`, `[["+", 2, 5]]`, `26 Argument type in operation '+' on field 2 does not match field type: expected a number`},
		{`[1, 2]`, `[["+", 3, 1]]`, `37 Field 3 was not found in the tuple`},
		{`[1, dec'1.5']`, `[["+", 2, 1]]`, `[1, dec'2.5']`},
		{`[1, 1]`, `[["+", 2, dec'1.5']]`, `[1, dec'2.5']`},
		{`[1, dec'1.5']`, `[["+", 2, 0.25]]`, `[1, dec'1.75']`},
		{`[1, dec'1']`, `[["+", 2, 0.30000000000000004]]`, `[1, dec'1.3']`},
		{`[1, dec'1']`, `[["+", 2, 0.1f]]`, `[1, dec'1.100000001490116']`},
		{`[1, dec'0.1']`, `[["+", 2, 18446744073709551615]]`, `[1, dec'18446744073709551615.1']`},
		{`[1, dec'99999999999999999999999999999999999999']`, `[["+", 2, 1]]`, `160 Decimal overflow when performing operation '+' on field 2`},
		{`[1, dec'1']`, `[["+", 2, inf]]`, `26 Argument type in operation '+' on field 2 does not match field type: expected a number convertible to decimal`},
		{`[1, 1e300]`, `[["-", 2, dec'1']]`, `26 Argument type in operation '-' on field 2 does not match field type: expected a number convertible to decimal`},
		// bits
		{`[1, 12]`, `[["&", 2, 10]]`, `[1, 8]`},
		{`[1, 12]`, `[["|", 2, 3]]`, `[1, 15]`},
		{`[1, 12]`, `[["^", 2, 10]]`, `[1, 6]`},
		{`[1, -1]`, `[["&", 2, 1]]`, `26 Argument type in operation '&' on field 2 does not match field type: expected a positive integer`},
		{`[1, 1]`, `[["|", 2, 1.5]]`, `26 Argument type in operation '|' on field 2 does not match field type: expected a positive integer`},
		// set, insert, delete
		{four, `[["=", 2, "X"]]`, `[1, "X", "c", "d"]`},
		{four, `[["=", -1, "X"]]`, `[1, "b", "c", "X"]`},
		{four, `[["=", 5, "X"]]`, `[1, "b", "c", "d", "X"]`},
		{four, `[["=", 6, "X"]]`, `[1, "b", "c", "d", nil, "X"]`},
		{four, `[["=", -5, "X"]]`, `37 Field -5 was not found in the tuple`},
		{four, `[["=", 0, "X"]]`, `37 Field 0 was not found in the tuple`},
		{four, `[["!", 2, "X"]]`, `[1, "X", "b", "c", "d"]`},
		{four, `[["!", 5, "X"]]`, `[1, "b", "c", "d", "X"]`},
		{four, `[["!", 6, "X"]]`, `[1, "b", "c", "d", nil, "X"]`},
		{four, `[["!", -1, "X"]]`, `[1, "b", "c", "d", "X"]`},
		{four, `[["!", -2, "X"]]`, `[1, "b", "c", "X", "d"]`},
		{four, `[["!", -5, "X"]]`, `["X", 1, "b", "c", "d"]`},
		{four, `[["#", 2, 1]]`, `[1, "c", "d"]`},
		{four, `[["#", 2, 100]]`, `[1]`},
		{four, `[["#", 2, 18446744073709551615]]`, `[1]`},
		{four, `[["#", -1, 1]]`, `[1, "b", "c"]`},
		{four, `[["#", -2, 2]]`, `[1, "b"]`},
		{four, `[["#", 5, 1]]`, four},
		{four, `[["#", 2, 0]]`, `29 Field 2 UPDATE error: cannot delete 0 fields`},
		{four, `[["#", 2, -1]]`, `26 Argument type in operation '#' on field 2 does not match field type: expected a positive integer`},
		{four, `[["=", 2147483647, "X"]]`, `37 Field 2147483647 was not found in the tuple`},
		{four, `[]`, four},
		// several operations
		{`[1, 10, 20, 30]`, `[["!", 2, "new"], ["=", 2, "newer"]]`, `[1, "newer", 10, 20, 30]`},
		{`[1, 10, 20, 30]`, `[["#", 2, 1], ["=", 2, "third"]]`, `[1, "third", 30]`},
		{`[1, 10, 20, 30]`, `[["=", 4, 1], ["=", 3, 2], ["=", 2, 3]]`, `[1, 3, 2, 1]`},
		{`[1, 10, 20, 30]`, `[["!", -1, "last"], ["=", -1, "very last"]]`, `[1, 10, 20, 30, "very last"]`},
		{`[1, 10, 20, 30]`, `[["!", 2, "a"], ["!", 2, "b"], ["#", 3, 1]]`, `[1, "b", 10, 20, 30]`},
		{`[1, 10, 20, 30]`, `[["+", 2, 1], ["+", 2, 2]]`, `[1, 13, 20, 30]`},
		{`[1, 10, 20, 30]`, `[["=", 5, 5], ["=", 6, 6], ["=", 7, 7]]`, `[1, 10, 20, 30, 5, 6, 7]`},
		{`[1, 10, 20, 30]`, `[["#", 2, 3], ["=", 2, "x"]]`, `[1, "x"]`},
		{`[1, 10, 20, 30]`, `[["+", 2, 1], ["=", 9, "x"]]`, `[1, 11, 20, 30, nil, nil, nil, nil, "x"]`},
		{`[1, 10, 20, 30]`, `[["+", 2, 1], ["+", 3, "x"]]`, `26 Argument type in operation '+' on field 3 does not match field type: expected a number`},
		// splice
		{`[1, "abcdef"]`, `[[":", 2, 1, 0, "XY"]]`, `[1, "XYabcdef"]`},
		{`[1, "abcdef"]`, `[[":", 2, 3, 1, ""]]`, `[1, "abdef"]`},
		{`[1, "abcdef"]`, `[[":", 2, 100, 5, "XY"]]`, `[1, "abcdefXY"]`},
		{`[1, "abcdef"]`, `[[":", 2, 2, 100, "XY"]]`, `[1, "aXY"]`},
		{`[1, "abcdef"]`, `[[":", 2, -1, 1, "XY"]]`, `[1, "abcdefXY"]`},
		{`[1, "abcdef"]`, `[[":", 2, -3, 2, "XY"]]`, `[1, "abcdXY"]`},
		{`[1, "abcdef"]`, `[[":", 2, -6, 1, "XY"]]`, `[1, "aXYcdef"]`},
		{`[1, "abcdef"]`, `[[":", 2, -7, 1, "XY"]]`, `[1, "XYbcdef"]`},
		{`[1, "abcdef"]`, `[[":", 2, -8, 1, "XY"]]`, `25 SPLICE error on field 2: offset is out of bound`},
		{`[1, "abcdef"]`, `[[":", 2, 0, 1, "XY"]]`, `25 SPLICE error on field 2: offset is out of bound`},
		{`[1, "abcdef"]`, `[[":", 2, 2, -1, "XY"]]`, `[1, "aXYf"]`},
		{`[1, "abcdef"]`, `[[":", 2, 2, -50, "XY"]]`, `[1, "aXYbcdef"]`},
		{`[1, h'616263']`, `[[":", 2, 2, 1, "-"]]`, `[1, h'612d63']`},
		{`[1, "abcdef"]`, `[[":", 2, "x", 1, "XY"]]`, `26 Argument type in operation ':' on field 2 does not match field type: expected an integer`},
		{`[1, "abcdef"]`, `[[":", 2, 1, 1, 5]]`, `26 Argument type in operation ':' on field 2 does not match field type: expected a string or varbinary`},
		{`[1, 5]`, `[[":", 2, 1, 1, "x"]]`, `26 Argument type in operation ':' on field 2 does not match field type: expected a string or varbinary`},
		{`[1, "abc"]`, `[[":", 2, 1, 1, "x"], [":", 2, 1, 1, "y"]]`, `[1, "ybc"]`},
		// names and paths
		{docs, `[["=", "n", 7]]`, `[1, ["a", "b", "c"], {"k": {"x": 1}}, 7]`},
		{docs, `[["+", "n", 7], ["=", "tags[2]", "B"]]`, `[1, ["a", "B", "c"], {"k": {"x": 1}}, 12]`},
		{docs, `[["!", "tags[1]", "first"]]`, `[1, ["first", "a", "b", "c"], {"k": {"x": 1}}, 5]`},
		{docs, `[["!", "tags[4]", "last"]]`, `[1, ["a", "b", "c", "last"], {"k": {"x": 1}}, 5]`},
		{docs, `[["!", "tags[9]", "far"]]`, `201 Field ''tags[9]'' was not found in the tuple`},
		{docs, `[["=", "tags[4]", "last"]]`, `[1, ["a", "b", "c", "last"], {"k": {"x": 1}}, 5]`},
		{docs, `[["#", "tags[2]", 2]]`, `[1, ["a"], {"k": {"x": 1}}, 5]`},
		{docs, `[["#", "tags[2]", 20]]`, `[1, ["a"], {"k": {"x": 1}}, 5]`},
		{docs, `[["#", "tags[4]", 1]]`, `201 Field ''tags[4]'' was not found in the tuple`},
		{docs, `[["+", "doc.k.x", 2]]`, `[1, ["a", "b", "c"], {"k": {"x": 3}}, 5]`},
		{docs, `[["!", "doc.k.y", 3]]`, `[1, ["a", "b", "c"], {"k": {"x": 1, "y": 3}}, 5]`},
		{docs, `[["=", "doc.new", 4]]`, `[1, ["a", "b", "c"], {"k": {"x": 1}, "new": 4}, 5]`},
		{docs, `[["#", "doc.k", 1]]`, `[1, ["a", "b", "c"], {}, 5]`},
		{docs, `[["#", "doc.k", 2]]`, `29 Field 'doc.k' UPDATE error: can delete only 1 field from a map in a row`},
		{docs, `[["!", "doc.k", 5]]`, `29 Field 'doc.k' UPDATE error: the key exists already`},
		{docs, `[["=", "[2][1]", "A"], ["=", "[3].k.x", "X"]]`, `[1, ["A", "b", "c"], {"k": {"x": "X"}}, 5]`},
		{docs, `[["=", "[3]['k'][\"x\"]", "X"]]`, `[1, ["a", "b", "c"], {"k": {"x": "X"}}, 5]`},
		{docs, `[[":", "tags[1]", 1, 1, "zz"]]`, `[1, ["zz", "b", "c"], {"k": {"x": 1}}, 5]`},
		{docs, `[["=", "doc.a.b", 1]]`, `201 Field ''doc.a.b'' was not found in the tuple`},
		{docs, `[["=", "tags[1].x", 1]]`, `29 Field 'tags[1].x' UPDATE error: can not access by key a non-map field`},
		{docs, `[["+", "tags[1].x", 1]]`, `201 Field ''tags[1].x'' was not found in the tuple`},
		{docs, `[["=", "doc[1]", 1]]`, `29 Field 'doc[1]' UPDATE error: can not access by index a non-array field`},
		{docs, `[["=", "nope", 1]]`, `201 Field 'nope' was not found in the tuple`},
		{docs, `[["=", "nope.x", 1]]`, `201 Field 'nope.x' was not found in the tuple`},
		{docs, `[["=", "", 1]]`, `201 Field '' was not found in the tuple`},
		{docs, `[["=", "[*]", 1]]`, `201 Field '[*]' was not found in the tuple`},
		{docs, `[["=", "tags[*]", 1]]`, `29 Field 'tags[*]' UPDATE error: invalid JSON in position 6`},
		{docs, `[["=", "doc..k", 1]]`, `29 Field 'doc..k' UPDATE error: invalid JSON in position 5`},
		{docs, `[["=", "tags[0]", 1]]`, `29 Field 'tags[0]' UPDATE error: invalid JSON in position 6`},
		{docs, `[["=", "tags[-1]", 1]]`, `29 Field 'tags[-1]' UPDATE error: invalid JSON in position 6`},
		{docs, `[["=", "doc[", 1]]`, `29 Field 'doc[' UPDATE error: invalid JSON in position 4`},
		{docs, `[["=", "doc.k.x", 1], ["=", "doc.k", 1]]`, `[1, ["a", "b", "c"], {"k": 1}, 5]`},
		{docs, `[["=", "doc.k", nil]]`, `[1, ["a", "b", "c"], {"k": nil}, 5]`},
		{docs, `[["=", "a.b", 6]]`, `[1, ["a", "b", "c"], {"k": {"x": 1}}, 5, 6]`},
		{docs, `[["+", "a.b", 6]]`, `201 Field ''a.b'' was not found in the tuple`},
		{docs, `[["=", "[9].a", 6]]`, `201 Field ''[9].a'' was not found in the tuple`},
		{docs, `[["+", "tags", 6]]`, `26 Argument type in operation '+' on field 'tags' does not match field type: expected a number`},
		{`[1, {5: 6}]`, `[["+", "[2][5]", 1]]`, `[1, {5: 7}]`},
		// malformed
		{four, `[["?", 2, 1]]`, `28 Unknown UPDATE operation #1: "?"`},
		{four, `[["add", 2, 1]]`, `28 Unknown UPDATE operation #1: "add"`},
		{four, `[["", 2, 1]]`, `28 Unknown UPDATE operation #1: ""`},
		{four, `[[5, 2, 1]]`, `1 update operation name must be a string`},
		{four, `[["=", 2, 1], ["+", 2]]`, `28 Unknown UPDATE operation #2: wrong number of arguments, expected 3, got 2`},
		{four, `[["="]]`, `28 Unknown UPDATE operation #1: wrong number of arguments, expected 3, got 1`},
		{four, `[[":", 2, 1, 1]]`, `28 Unknown UPDATE operation #1: wrong number of arguments, expected 5, got 4`},
		{four, `[["=", {}, 1]]`, `1 field id must be a number or a string`},
		{four, `[["=", 1.5, 1]]`, `1 field id must be a number or a string`},
		{four, `["=", 2, 1]`, `1 update operation must be an array {op,..}`},
		{four, `[[]]`, `1 update operation must be an array {op,..}, got empty array`},
		{four, `5`, `1 update operations must be an array {{op,..}, {op,..}}`},
	} {
		got, _, err := Update(mp(c.tuple), mp(c.ops), 1, namedFormat)
		if !strings.HasPrefix(c.want, "[") {
			if text := errorText(err); text != c.want {
				t.Errorf("%s %s:\n got %s\nwant %s", c.tuple, c.ops, text, c.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v", c.tuple, c.ops, err)
		} else if !bytes.Equal(got, mp(c.want)) {
			t.Errorf("%s %s:\n got %s\nwant %s", c.tuple, c.ops, show(got), show(mp(c.want)))
		}
	}
}

// errorText is the code that a client sees and the message.
func errorText(err error) string {
	e := boxerr.From(err)
	if e == nil {
		return "no error"
	}
	b := []byte{}
	b, _ = msgpack.Append(b, uint64(e.WireCode()))
	return string(msgpack.AppendText(nil, b)) + " " + e.Message
}

func TestUpdateErrorHasTuple(t *testing.T) {
	data := mp(`[1, "a"]`)
	for ops, want := range map[string]bool{
		`[["+", 1, 1]]`: true, `[["=", -9, 1]]`: true, `[["+", 1, "1"]]`: false, `[["?", 1, 1]]`: false,
	} {
		_, _, err := Update(data, mp(ops), 0, nil)
		raw, ok := boxerr.From(err).Field("tuple").(msgpack.Raw)
		if ok != want || ok && !bytes.Equal(raw, data) {
			t.Errorf("%s: tuple field %v", ops, raw)
		}
	}
}

func TestUpsertSkips(t *testing.T) {
	for _, c := range []struct{ ops, want string }{
		{`[["+", 2, 5], ["+", 3, 5]]`, `[1, "b", 35]`},
		{`[["=", 9, 5], ["-", 3, 100]]`, `[1, "b", -70, nil, nil, nil, nil, nil, 5]`},
		{`[["=", -9, 5]]`, `[1, "b", 30]`},
		{`[["?", 2, 5]]`, `28 Unknown UPDATE operation #1: "?"`},
	} {
		got, _, err := Upsert(mp(`[1, "b", 30]`), mp(c.ops), 1, nil)
		switch {
		case err != nil:
			if errorText(err) != c.want {
				t.Errorf("%s: %v", c.ops, err)
			}
			if errorText(CheckOps(mp(c.ops), 1, nil)) != c.want {
				t.Errorf("%s: CheckOps differs", c.ops)
			}
		case !bytes.Equal(got, mp(c.want)):
			t.Errorf("%s: %s", c.ops, show(got))
		}
	}
}

func TestUpdateChangedFields(t *testing.T) {
	for ops, want := range map[string]uint64{
		`[["=", 1, 0], ["+", 2, 1]]`: 0b110,
		`[["!", 1, 0]]`:              ^uint64(1),
		`[["#", -1, 1]]`:             ^uint64(7),
		`[["=", 6, 0]]`:              0b1110000,
		`[]`:                         0,
	} {
		if _, got, err := Update(mp(`[1, 2, 3, 4]`), mp(ops), 0, nil); err != nil || got != want {
			t.Errorf("%s: %b, %v", ops, got, err)
		}
	}
}

func TestUpdateManyOperations(t *testing.T) {
	ops := msgpack.AppendArrayHeader(nil, maxOps)
	for range maxOps {
		ops = append(ops, mp(`["+", "[2].n", 1]`)...)
	}
	got, _, err := Update(mp(`[1, {"n": 0}]`), ops, 0, nil)
	if err != nil || !bytes.Equal(got, mp(`[1, {"n": 4000}]`)) {
		t.Errorf("%s, %v", show(got), err)
	}
	if text := errorText(CheckOps(msgpack.AppendArrayHeader(nil, maxOps+1), 0, nil)); text != "1 too many operations for update" {
		t.Error(text)
	}
}

func FuzzUpdate(f *testing.F) {
	for _, s := range []string{
		`[["+", 1, 1], ["-", 1, 2.5]]`, `[["!", -1, {"a": 1}], ["#", 0, 2]]`, `[[":", "[1]", 0, -1, "x"]]`,
		`[["=", "[2].a[1]", nil], ["#", "[2].a", 1]]`, `[["+", 0, dec'1.5']]`,
	} {
		f.Add(mp(`[1, "text", {"a": [1, 2]}]`), mp(s))
	}
	f.Fuzz(func(t *testing.T, data, ops []byte) {
		got, _, err := Update(data, ops, 0, namedFormat)
		if err != nil || !checked(data) || !checked(ops) {
			return
		}
		if !checked(got) {
			t.Fatalf("%x is no MessagePack value", got)
		}
		if again, _, err := Upsert(data, ops, 0, namedFormat); err != nil || !bytes.Equal(again, got) {
			t.Fatalf("upsert gives %x, update %x", again, got)
		}
		if apart := takenApart(t, data, ops); !bytes.Equal(apart, got) {
			t.Fatalf("taken apart and put together again it is %x, not %x", apart, got)
		}
	})
}

// takenApart is what Update gives when it treats no operations specially.
func takenApart(t *testing.T, data, ops []byte) []byte {
	var u updater
	if err := u.parse(ops, 0, namedFormat); err != nil {
		t.Fatal(err)
	}
	u.behind, u.tail, _ = msgpack.ReadArrayHeader(data)
	for i := range u.ops {
		if err := u.run(&u.ops[i]); err != nil {
			t.Fatal(err)
		}
	}
	return u.append(nil)
}

func BenchmarkUpdateOneField(b *testing.B) {
	data, ops := mp(`[1, 2, "some text", 4, 5, 6]`), mp(`[["+", 1, 1]]`)
	b.ReportAllocs()
	var room []byte
	for b.Loop() {
		room, _, _ = AppendUpdate(room[:0], data, ops, 0, nil)
	}
}

func BenchmarkUpdateFourFields(b *testing.B) {
	data := mp(`[1, 2, "some text", 4, 5, 6, 7, 8, 9, "more text"]`)
	ops := mp(`[["+", 1, 1], ["=", 2, "other"], ["-", 5, 3], ["|", 8, 4]]`)
	b.ReportAllocs()
	for b.Loop() {
		_, _, _ = Update(data, ops, 0, nil)
	}
}

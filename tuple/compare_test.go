package tuple

import (
	"slices"
	"testing"
)

// ascending holds lists of values for each field type, from the least to the greatest. Values in one inner list are
// equal.
var ascending = []struct {
	typ    FieldType
	values [][]string
}{
	{Unsigned, [][]string{{"0"}, {"1"}, {"127"}, {"128"}, {"65536"}, {"9223372036854775808"}, {"18446744073709551615"}}},
	{Integer, [][]string{{"-9223372036854775808"}, {"-129"}, {"-1"}, {"0"}, {"1"}, {"9223372036854775807"},
		{"9223372036854775808"}, {"18446744073709551615"}}},
	{Double, [][]string{{"nan"}, {"-inf"}, {"-1e300"}, {"-1.5f", "-1.5"}, {"-1", "-1.0"}, {"-0.0", "0", "0.0"},
		{"5e-324"}, {"1", "1.0", "1.0f"}, {"9007199254740992", "9007199254740992.0"}, {"9007199254740993"},
		{"9007199254740994.0"}, {"18446744073709551615"}, {"18446744073709551616.0"}, {"inf"}}},
	{Decimal, [][]string{{"dec'-99999999999999999999999999999999999999'"}, {"dec'-1.5'", "dec'-1.50'"}, {"dec'-1'"},
		{"dec'0'", "dec'0.00'"}, {"dec'0.0000001'"}, {"dec'1'", "dec'1.0'"}, {"dec'1.0000000000000000000000000000000000001'"},
		{"dec'9.5'"}, {"dec'10'", "dec'1e1'"}, {"dec'100'"}}},
	{Number, [][]string{{"nan"}, {"-inf"}, {"-1e300"}, {"dec'-99999999999999999999999999999999999999'"},
		{"-9223372036854775809.0", "-9223372036854775808", "dec'-9223372036854775808'"}, {"-1.5", "dec'-1.5'"},
		{"-1", "-1.0", "dec'-1.00'"}, {"dec'-0.5'", "-0.5f"}, {"0", "0.0", "-0.0", "dec'0'"}, {"5e-324"},
		{"dec'0.00000000000000000000000000000000000001'"}, {"0.1", "dec'0.1'"}, {"dec'0.10000000000000000555'"},
		{"dec'0.3'", "0.3"}, {"0.30000000000000004", "dec'0.30000000000000004'"}, {"1", "dec'1'"},
		{"dec'1.0000000000000000000000000000000000001'"}, {"1.5", "1.5f", "dec'1.50'"},
		{"9007199254740992", "9007199254740992.0", "dec'9007199254740992'"}, {"9007199254740993", "dec'9007199254740993'"},
		{"9223372036854775807"}, {"9223372036854775808", "9223372036854775808.0", "dec'9223372036854775808'"},
		{"18446744073709551615", "dec'18446744073709551615'"}, {"18446744073709551616.0"}, {"1e30", "dec'1e30'"},
		{"dec'1e37'"}, {"1e300"}, {"inf"}}},
	{String, [][]string{{`""`}, {`"\x00"`}, {`"a"`}, {`"a\x00"`}, {`"aaaaaaaa"`}, {`"aaaaaaaab"`}, {`"b"`}, {`"é"`}}},
	{Varbinary, [][]string{{`h''`}, {`h'00'`}, {`h'01'`}, {`h'0100'`}, {`h'ff'`}}},
	{Boolean, [][]string{{"false"}, {"true"}}},
	{UUID, [][]string{{"uuid'00000000000000000000000000000001'"}, {"uuid'7fffffffffffffffffffffffffffffff'"},
		{"uuid'80000000000000000000000000000000'"}, {"uuid'800000000000000000000000000000ff'"}}},
	{Datetime, [][]string{{"time'-5'"}, {"time'0'"}, {"time'1700000000'"}}},
	{Scalar, [][]string{{"false"}, {"true"}, {"nan"}, {"-inf"}, {"-2.5"}, {"dec'2.5'", "2.5"}, {"3"}, {"inf"}, {`""`}, {`"Text"`},
		{`"text"`}, {`h''`}, {`h'76'`}, {"uuid'64d22e4dac924a23899ae5934af5479b'"}, {"time'0'"}, {"time'1'"}}},
}

func sign(n int) int {
	return min(max(n, -1), 1)
}

func TestCompareAndHint(t *testing.T) {
	for _, list := range ascending {
		for _, nullable := range []bool{false, true} {
			values := list.values
			if nullable {
				values = append([][]string{{"nil"}}, values...)
			}
			for _, desc := range []bool{false, true} {
				testOrder(t, KeyPart{Type: list.typ, Nullable: nullable, Desc: desc}, values)
			}
		}
	}
}

// testOrder compares all pairs of values with every way to compare, as field 0 and as a value inside of field 1.
func testOrder(t *testing.T, p KeyPart, values [][]string) {
	t.Helper()
	inside := p
	inside.Field, inside.Path = 1, "v"
	one, two := mustKeyDef(t, p), mustKeyDef(t, inside)
	var tuples []*Tuple
	var ranks []int
	for rank, same := range values {
		for _, v := range same {
			if !p.Type.Takes(mp(v)) && v != "nil" {
				t.Errorf("%s doesn't take %s", p.Type, v)
			}
			tuples = append(tuples, New(mp("["+v+`, {"v": `+v+`}]`)))
			ranks = append(ranks, rank)
		}
	}
	for i, a := range tuples {
		for j, b := range tuples {
			want := sign(ranks[i] - ranks[j])
			if p.Desc {
				want = -want
			}
			keyB := b.Field(0)
			for _, k := range []*KeyDef{one, two} {
				if got := sign(k.Compare(a, b)); got != want {
					t.Errorf("%v %s: compare %s, %s = %d", k, p.Type, a, b, got)
				}
				if got := sign(k.CompareKey(a, keyB, 1)); got != want {
					t.Errorf("%v %s: compare %s with key %s = %d", k, p.Type, a, b, got)
				}
				if got := sign(k.CompareKeys(a.Field(0), 1, keyB, 1)); got != want {
					t.Errorf("%v %s: compare keys %s, %s = %d", k, p.Type, a, b, got)
				}
				ha, hb := k.Hint(a), k.Hint(b)
				if ha < hb && want >= 0 || ha > hb && want <= 0 {
					t.Errorf("%v %s: hints of %s, %s are %x, %x", k, p.Type, a, b, ha, hb)
				}
				if k.HintKey(a.Field(0), 1) != ha {
					t.Errorf("%v %s: key's hint of %s differs", k, p.Type, a)
				}
			}
		}
	}
}

func TestHintsTellApart(t *testing.T) {
	for _, c := range []struct {
		typ  FieldType
		a, b string
	}{
		{Unsigned, "1", "2"}, {Integer, "-5", "-4"}, {Number, "1", "1.5"}, {Double, "0.1", "0.2"}, {String, `"abcdefg1"`, `"abcdefg2"`},
		{Decimal, "dec'1.1'", "dec'1.2'"}, {Boolean, "false", "true"}, {Scalar, `"abc"`, `"abd"`}, {Scalar, "false", "true"},
		{Varbinary, "h'01'", "h'02'"}, {Datetime, "time'1'", "time'2'"}, {Scalar, "1", `"1"`},
		{UUID, "uuid'00000000000000010000000000000001'", "uuid'00000000000000020000000000000001'"},
	} {
		k := mustKeyDef(t, KeyPart{Type: c.typ})
		if k.HintKey(mp(c.a), 1) >= k.HintKey(mp(c.b), 1) {
			t.Errorf("%s: hints of %s and %s are not ascending", c.typ, c.a, c.b)
		}
	}
}

func TestCompareComposite(t *testing.T) {
	k := mustKeyDef(t, KeyPart{Field: 2, Type: String}, KeyPart{Field: 0, Type: Unsigned, Desc: true}, KeyPart{Field: 4, Type: Integer, Nullable: true})
	sorted := []string{
		`[2, 0, "a"]`, `[1, 0, "a", 0, nil]`, `[1, 0, "a", 0, -1]`, `[9, 0, "b", 0, 0]`, `[1, 0, "b", 0, 0]`,
	}
	for i, a := range sorted {
		for j, b := range sorted {
			if got := sign(k.Compare(tup(a), tup(b))); got != sign(i-j) {
				t.Errorf("%s, %s: %d", a, b, got)
			}
		}
	}
	for _, c := range []struct {
		key  string
		want int
	}{{`[]`, 0}, {`["a"]`, 0}, {`["a", 1]`, 0}, {`["a", 2]`, 1}, {`["a", 0]`, -1}, {`["a", 1, nil]`, 1}, {`["a", 1, -1]`, 0}, {`["a", 1, 0]`, -1}, {`["b"]`, -1}} {
		parts, n := key(c.key)
		if got := sign(k.CompareKey(tup(`[1, 0, "a", 0, -1]`), parts, n)); got != c.want {
			t.Errorf("%s: %d", c.key, got)
		}
	}
	if got := k.ExtractKey(nil, tup(`[1, 0, "a"]`)); !slices.Equal(got, mp(`["a", 1, nil]`)) {
		t.Errorf("key %s", show(got))
	}
}

func TestUniqueNullable(t *testing.T) {
	pk := mustKeyDef(t, KeyPart{Type: Unsigned})
	k := mustKeyDef(t, KeyPart{Field: 1, Type: String, Nullable: true}).MergeUnique(pk)
	if len(k.Parts) != 2 || k.UniqueParts != 1 {
		t.Fatalf("%v, %d unique parts", k, k.UniqueParts)
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{`[1, "a"]`, `[2, "a"]`, 0}, {`[1, nil]`, `[2, nil]`, -1}, {`[1]`, `[2, nil]`, -1}, {`[1, nil]`, `[1]`, 0}, {`[1]`, `[1, "a"]`, -1}} {
		if got := sign(k.Compare(tup(c.a), tup(c.b))); got != c.want {
			t.Errorf("%s, %s: %d", c.a, c.b, got)
		}
	}
	if got := pk.Merge(pk); len(got.Parts) != 1 {
		t.Errorf("merged with itself: %v", got)
	}
}

func TestMultikey(t *testing.T) {
	k := mustKeyDef(t, KeyPart{Field: 1, Type: Unsigned, Path: "a[*].x"}, KeyPart{Field: 1, Type: String, Path: "a[*].y", ExcludeNull: true}, KeyPart{Type: Unsigned})
	tp := tup(`[7, {"a": [{"x": 1, "y": "p"}, {"x": 2}]}]`)
	if n := k.MultikeyCount(tp); n != 2 {
		t.Fatalf("%d keys", n)
	}
	if got := k.ExtractKeyMulti(nil, tp, 0); !slices.Equal(got, mp(`[1, "p", 7]`)) {
		t.Errorf("key 0 is %s", show(got))
	}
	if got := k.ExtractKeyMulti(nil, tp, 1); !slices.Equal(got, mp(`[2, nil, 7]`)) {
		t.Errorf("key 1 is %s", show(got))
	}
	if k.Excludes(tp, 0) || !k.Excludes(tp, 1) {
		t.Error("wrong keys are excluded")
	}
	if k.CompareMulti(tp, 0, tp, 1) >= 0 || k.CompareMulti(tp, 1, tp, 1) != 0 {
		t.Error("keys of one tuple are in the wrong order")
	}
	parts, n := key(`[2]`)
	if k.CompareKeyMulti(tp, 1, parts, n) != 0 || k.CompareKeyMulti(tp, 0, parts, n) >= 0 {
		t.Error("keys compare wrongly")
	}
	if got := k.MultikeyCount(tup(`[7, {}]`)); got != 0 {
		t.Errorf("%d keys without an array", got)
	}
}

func TestNewKeyDefErrors(t *testing.T) {
	for _, c := range []struct {
		paths []string
		want  string
	}{
		{[]string{"a[["}, "107 Wrong index part 1: invalid path"},
		{[]string{"a[*]", "b[*]"}, "107 Wrong index part 2: incompatible multikey index path"},
		{[]string{"[*].a[*]"}, "107 Wrong index part 1: no more than one array index placeholder [*] is allowed in JSON path"},
		{[]string{"a[*].x", "a[*].y", "b"}, "no error"},
	} {
		var parts []KeyPart
		for _, p := range c.paths {
			parts = append(parts, KeyPart{Type: Unsigned, Path: p})
		}
		if _, err := NewKeyDef(parts); errorText(err) != c.want {
			t.Errorf("%q: %v", c.paths, err)
		}
	}
}

func TestValidateKey(t *testing.T) {
	k := mustKeyDef(t, KeyPart{Field: 1, Type: String}, KeyPart{Field: 2, Type: Integer, Nullable: true})
	for _, c := range []struct {
		key     string
		partial bool
		want    string
	}{
		{`[]`, true, "no error"},
		{`["a"]`, true, "no error"},
		{`["a", nil]`, true, "no error"},
		{`["a", -1]`, false, "no error"},
		{`["a", nil]`, false, "18 Supplied key type of part 1 does not match index part type: expected integer"},
		{`["a", "b"]`, true, "18 Supplied key type of part 1 does not match index part type: expected integer"},
		{`[nil]`, true, "18 Supplied key type of part 0 does not match index part type: expected string"},
		{`[["a"]]`, true, "18 Supplied key type of part 0 does not match index part type: expected string"},
		{`["a", 1, 2]`, true, "31 Invalid key part count (expected [0..2], got 3)"},
		{`["a", 1, 2]`, false, "19 Invalid key part count in an exact match (expected 2, got 3)"},
		{`[]`, false, "19 Invalid key part count in an exact match (expected 2, got 0)"},
	} {
		parts, n := key(c.key)
		if got := errorText(k.ValidateKey(parts, n, c.partial)); got != c.want {
			t.Errorf("%s: %s", c.key, got)
		}
	}
	for data, want := range map[string]string{
		`[1, "a"]`: "no error", `[1, 2]`: "18 Supplied key type of part 0 does not match index part type: expected string",
		`[1]`: "39 Tuple field [2] required by space format is missing",
	} {
		if got := errorText(k.ValidateTuple(mp(data))); got != want {
			t.Errorf("%s: %s", data, got)
		}
	}
}

func FuzzCompare(f *testing.F) {
	for _, list := range ascending {
		for _, same := range list.values {
			f.Add(mp(same[0]), mp(same[len(same)-1]))
		}
	}
	k := mustKeyDef(f, KeyPart{Type: Scalar, Nullable: true})
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, v := range [][]byte{a, b} {
			if !Scalar.Takes(v) || !checked(v) {
				k.CompareKeys(a, 1, b, 1)
				k.HintKey(v, 1)
				k.ExtractKey(nil, New(v))
				k.CompareKey(New(v), b, 1)
				return
			}
		}
		c := k.CompareKeys(a, 1, b, 1)
		if sign(c) != -sign(k.CompareKeys(b, 1, a, 1)) {
			t.Fatalf("%x and %x: %d both ways", a, b, c)
		}
		if ha, hb := k.HintKey(a, 1), k.HintKey(b, 1); ha < hb && c >= 0 || ha > hb && c <= 0 {
			t.Fatalf("%x and %x compare as %d, hints %x and %x", a, b, c, ha, hb)
		}
	})
}

func benchmarkCompare(b *testing.B, k *KeyDef, x, y string) {
	tx, ty := tup(x), tup(y)
	b.Run("compare", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			k.Compare(tx, ty)
		}
	})
	b.Run("key", func(b *testing.B) {
		parts := k.AppendKey(nil, ty.Data(), 0)
		b.ReportAllocs()
		for b.Loop() {
			k.CompareKey(tx, parts, len(k.Parts))
		}
	})
	b.Run("hint", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			k.Hint(tx)
		}
	})
}

func BenchmarkUnsigned(b *testing.B) {
	benchmarkCompare(b, mustKeyDef(b, KeyPart{Type: Unsigned}), `[1000, "a"]`, `[1001, "b"]`)
}

func BenchmarkString(b *testing.B) {
	benchmarkCompare(b, mustKeyDef(b, KeyPart{Field: 1, Type: String}), `[1000, "some name 1"]`, `[1001, "some name 2"]`)
}

func BenchmarkComposite(b *testing.B) {
	benchmarkCompare(b, mustKeyDef(b, KeyPart{Field: 1, Type: String}, KeyPart{Field: 3, Type: Integer}), `[1000, "name", true, 7]`, `[1001, "name", true, 8]`)
}

func BenchmarkNumber(b *testing.B) {
	benchmarkCompare(b, mustKeyDef(b, KeyPart{Type: Number}), `[1.5]`, `[2]`)
}

func BenchmarkDecimal(b *testing.B) {
	benchmarkCompare(b, mustKeyDef(b, KeyPart{Type: Decimal}), `[dec'12345.678']`, `[dec'12345.679']`)
}

func BenchmarkPath(b *testing.B) {
	benchmarkCompare(b, mustKeyDef(b, KeyPart{Field: 1, Type: String, Path: "addr.city"}), `[1, {"addr": {"zip": 1, "city": "Bonn"}}]`, `[1, {"addr": {"zip": 1, "city": "Köln"}}]`)
}

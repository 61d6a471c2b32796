//go:build cgo

package lua

import (
	"math"
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
)

func decodeJSON(text string) (any, error) {
	d := jsonDecoder{text: []byte(text), maxDepth: 128, invalidNumbers: true}
	if err := d.decode(); err != nil {
		return nil, err
	}
	v, _, err := msgpack.Decode(d.out)
	return v, err
}

func TestJSONErrors(t *testing.T) {
	tests := []struct{ text, want string }{
		{"", "Expected value but found end on line 1 at character 1 here ' >> '"},
		{"[1,]", "Expected value but found ']' on line 1 at character 4 here '[1, >> ]'"},
		{"{\n  \"a\": 1,\n  \"b\" 2\n}", "Expected colon but found int on line 3 at character 7 here '  \"b\"  >> 2'"},
		{`"\x"`, `Expected value but found invalid escape code on line 1 at character 2 here '" >> \x"'`},
		{`"\ud834"`, `Expected value but found invalid unicode escape code on line 1 at character 2 here '" >> \ud834"'`},
		{"01", "Expected value but found invalid token on line 1 at character 1 here ' >> 01'"},
		{"1e", "Expected the end but found invalid token on line 1 at character 2 here '1 >> e'"},
		{"18446744073709551615 1", "Expected the end but found int on line 1 at character 22 here '9551615  >> 1'"},
	}
	for _, test := range tests {
		if _, err := decodeJSON(test.text); err == nil || err.Error() != test.want {
			t.Errorf("%q:\ngot  %v\nwant %s", test.text, err, test.want)
		}
	}
}

func TestLuaNumberText(t *testing.T) {
	tests := []struct {
		v         float64
		precision int
		want      string
	}{
		{1.5, 14, "1.5"}, {1.0 / 3, 14, "0.33333333333333"}, {1e100, 14, "1e+100"}, {1e-7, 14, "1e-07"}, {0.0001, 14, "0.0001"},
		{123456.789, 3, "1.23e+05"}, {math.Inf(1), 14, "inf"}, {math.NaN(), 14, "nan"}, {0.5, 0, "0.5"}, {2.0 / 3, 2, "0.67"},
		{99999.5, 5, "1e+05"},
	}
	for _, test := range tests {
		if got := string(appendLuaNumber(nil, test.v, test.precision)); got != test.want {
			t.Errorf("%v with %d digits: %s, not %s", test.v, test.precision, got, test.want)
		}
	}
}

func FuzzJSONDecode(f *testing.F) {
	for _, s := range []string{`{"a": [1, -2.5e3, "x\u00e9\n", null, true]}`, `[[[]]]`, `"\ud834\udd1e"`, "nan", "[1,"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d := jsonDecoder{text: []byte(text), maxDepth: 128, invalidNumbers: true}
		if d.decode() != nil {
			return
		}
		if rest, ok := msgpack.Skip(d.out); !ok || len(rest) != 0 {
			t.Fatalf("%q became % x", text, d.out)
		}
		e := jsonEncoder{in: d.out, precision: 14, invalidNumbers: true}
		if e.value(); e.problem != "" {
			t.Fatalf("%q: %s", text, e.problem)
		}
	})
}

func BenchmarkJSONDecode(b *testing.B) {
	text := []byte(`{"id": 12345, "name": "something", "tags": ["a", "b", "c"], "nested": {"x": 1.5, "y": -2, "ok": true}}`)
	out := make([]byte, 0, 1024)
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		d := jsonDecoder{text: text, out: out, maxDepth: 128, invalidNumbers: true}
		if err := d.decode(); err != nil {
			b.Fatal(err)
		}
	}
}

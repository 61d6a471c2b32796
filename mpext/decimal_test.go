package mpext

import (
	"encoding/hex"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
)

func dec(t testing.TB, s string) Decimal {
	t.Helper()
	d, err := ParseDecimal(s)
	if err != nil {
		t.Fatalf("ParseDecimal(%q): %v", s, err)
	}
	return d
}

func TestParseDecimal(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"0", "0"}, {"-0", "-0"}, {"1", "1"}, {"+1", "1"}, {"-1.50", "-1.50"}, {"1e3", "1000"}, {"1E-3", "0.001"},
		{".5", "0.5"}, {"5.", "5"}, {"0.0000", "0.0000"}, {"007", "7"}, {"1e37", "1" + zeros(37)},
		{"12345678901234567890123456789012345678", "12345678901234567890123456789012345678"},
		{"1e-38", "0." + zeros(37) + "1"}, {"1e-39", "0." + zeros(38)}, {"5e-39", "0." + zeros(37) + "1"},
		{"1e-40", "0." + zeros(38)}, {"1e-1000000", "0." + zeros(38)}, {"1e-99999999999999999999", "0." + zeros(38)},
		{"0e5", "000000"}, {"0e50", zeros(38)}, {"-0e5", "-000000"}, {"0e999999999999", zeros(38)},
		{"1.2345678901234567890123456789012345678901", "1.2345678901234567890123456789012345679"},
		{"0.123456789012345678901234567890123456789", "0.12345678901234567890123456789012345679"},
		{"1" + zeros(100) + "e-100", "1." + zeros(37)},
		{"0." + zeros(200) + "1e201", "1"},
	} {
		if got := dec(t, c.in).String(); got != c.want {
			t.Errorf("%q = %s, want %s", c.in, got, c.want)
		}
	}
	for _, s := range []string{"", " 7", "7 ", "1e38", "123456789012345678901234567890123456789", "abc", "1.2.3", "0x10",
		"nan", "inf", "1 2", "1,5", "+", "-", ".", "e5", "1e", "1e+", "--1", "1e99999999999999999999"} {
		if d, err := ParseDecimal(s); err == nil {
			t.Errorf("%q = %s, want an error", s, d)
		}
	}
}

func zeros(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = '0'
	}
	return string(b)
}

func TestDecimalFromFloat(t *testing.T) {
	for _, c := range []struct {
		in   float64
		want string
	}{
		{0, "0"}, {1, "1"}, {-1.5, "-1.5"}, {0.1, "0.1"}, {1e10, "10000000000"}, {1e20, "100000000000000000000"},
		{123456789.123, "123456789.123"}, {1 << 53, "9007199254740990"},
	} {
		d, err := DecimalFromFloat(c.in)
		if err != nil || d.String() != c.want {
			t.Errorf("%v = %s, %v, want %s", c.in, d, err, c.want)
		}
	}
	for _, f := range []float64{1e38, math.NaN(), math.Inf(1)} {
		if d, err := DecimalFromFloat(f); err == nil {
			t.Errorf("%v = %s, want an error", f, d)
		}
	}
}

func TestDecimalArithmetic(t *testing.T) {
	for _, c := range []struct{ a, op, b, want string }{
		{"1.10", "+", "3", "4.10"}, {"1.10", "-", "3", "-1.90"}, {"1.10", "*", "3", "3.30"},
		{"1.10", "/", "3", "0.36666666666666666666666666666666666667"}, {"1.10", "%", "3", "1.10"}, {"1.10", "^", "2", "1.2100"},
		{"1.10", "*", "2.5", "2.750"}, {"1.10", "-", "0.1", "1.00"}, {"1", "/", "8", "0.125"}, {"10.00", "/", "2", "5.00"},
		{"1", "/", "3", "0.33333333333333333333333333333333333333"}, {"2", "/", "3", "0.66666666666666666666666666666666666667"},
		{"100", "/", "10", "10"}, {"1e5", "/", "2", "50000"}, {"0", "/", "5", "0"}, {"0.25", "-", "0.25", "0.00"},
		{"10", "%", "3", "1"}, {"-10", "%", "3", "-1"}, {"10", "%", "-3", "1"}, {"5.5", "%", "2", "1.5"},
		{"2", "^", "10", "1024"}, {"2", "^", "-1", "0.5"}, {"2", "^", "0.5", "1.4142135623730950488016887242096980786"},
		{"10", "^", "37", "1" + zeros(37)}, {"1e-38", "/", "10", "0." + zeros(38)},
		{"99999999999999999999999999999999999999", "+", "0", "99999999999999999999999999999999999999"},
		{"99999999999999999999999999999999999999", "+", "1", ""}, {"1", "/", "0", ""}, {"0", "/", "0", ""}, {"1", "%", "0", ""},
		{"10", "^", "40", ""}, {"10", "^", "1e30", ""}, {"0", "^", "0", ""}, {"-2", "^", "0.5", ""}, {"0", "^", "-1", ""},
	} {
		a, b := dec(t, c.a), dec(t, c.b)
		var got Decimal
		var err error
		switch c.op {
		case "+":
			got, err = a.Add(b)
		case "-":
			got, err = a.Sub(b)
		case "*":
			got, err = a.Mul(b)
		case "/":
			got, err = a.Quo(b)
		case "%":
			got, err = a.Rem(b)
		case "^":
			got, err = a.Pow(b)
		}
		switch {
		case c.want == "" && (err == nil || err.Error() != "decimal operation failed"):
			t.Errorf("%s %s %s = %s, %v, want an error", c.a, c.op, c.b, got, err)
		case c.want != "" && (err != nil || got.String() != c.want):
			t.Errorf("%s %s %s = %s, %v, want %s", c.a, c.op, c.b, got, err, c.want)
		}
		if a.String() != dec(t, c.a).String() {
			t.Errorf("%s %s %s changed its operand to %s", c.a, c.op, c.b, a)
		}
	}
}

func TestDecimalFunctions(t *testing.T) {
	type unary func(Decimal) (Decimal, error)
	plain := func(f func(Decimal) Decimal) unary { return func(d Decimal) (Decimal, error) { return f(d), nil } }
	round := func(n int) unary { return plain(func(d Decimal) Decimal { return d.Round(n) }) }
	rescale := func(n int) unary { return plain(func(d Decimal) Decimal { return d.Rescale(n) }) }
	for _, c := range []struct {
		name     string
		f        unary
		in, want string
	}{
		{"abs", plain(Decimal.Abs), "-5.5", "5.5"}, {"neg", plain(Decimal.Neg), "1.10", "-1.10"}, {"neg", plain(Decimal.Neg), "0", "0"},
		{"round 0", round(0), "1.2550", "1"}, {"round 1", round(1), "1.2550", "1.3"}, {"round 2", round(2), "1.2550", "1.26"},
		{"round 5", round(5), "1.2550", "1.2550"}, {"round -1", round(-1), "1.2550", "1.2550"},
		{"round 0", round(0), "2.5", "3"}, {"round 0", round(0), "-2.5", "-3"}, {"round 0", round(0), "0.5", "1"}, {"round 0", round(0), "1.5", "2"},
		{"rescale 4", rescale(4), "1.5", "1.5000"}, {"rescale 1", rescale(1), "1.555", "1.6"}, {"rescale 0", rescale(0), "2", "2"},
		{"rescale 50", rescale(50), "1.5", "1.5"},
		{"trim", plain(Decimal.Trim), "1.500", "1.5"}, {"trim", plain(Decimal.Trim), "100", "100"}, {"trim", plain(Decimal.Trim), "0.000", "0"},
		{"sqrt", Decimal.Sqrt, "2", "1.4142135623730950488016887242096980786"}, {"sqrt", Decimal.Sqrt, "16", "4"}, {"sqrt", Decimal.Sqrt, "0", "0"},
		{"ln", Decimal.Ln, "10", "2.3025850929940456840179914546843642076"}, {"ln", Decimal.Ln, "1", "0"},
		{"log10", Decimal.Log10, "1000", "3"}, {"log10", Decimal.Log10, "0.001", "-3"},
		{"exp", Decimal.Exp, "1", "2.7182818284590452353602874713526624978"}, {"exp", Decimal.Exp, "0", "1"},
		{"exp", Decimal.Exp, "-1e30", "0." + zeros(38)},
		{"sqrt", Decimal.Sqrt, "-1", ""}, {"ln", Decimal.Ln, "0", ""}, {"ln", Decimal.Ln, "-1", ""}, {"exp", Decimal.Exp, "1000", ""},
	} {
		got, err := c.f(dec(t, c.in))
		switch {
		case c.want == "" && err == nil:
			t.Errorf("%s(%s) = %s, want an error", c.name, c.in, got)
		case c.want != "" && (err != nil || got.String() != c.want):
			t.Errorf("%s(%s) = %s, %v, want %s", c.name, c.in, got, err, c.want)
		}
	}
	for _, c := range []struct {
		in               string
		scale, precision int
	}{{"1.250", 3, 4}, {"1e3", 0, 4}, {"7", 0, 1}, {"123.450", 3, 6}, {"0.001", 3, 3}, {"0", 0, 1}} {
		if d := dec(t, c.in); d.Scale() != c.scale || d.Precision() != c.precision {
			t.Errorf("%s: scale %d, precision %d, want %d, %d", c.in, d.Scale(), d.Precision(), c.scale, c.precision)
		}
	}
}

func TestDecimalIntegers(t *testing.T) {
	for _, c := range []struct {
		in    string
		i     int64
		iOK   bool
		u     uint64
		uOK   bool
		isInt bool
	}{
		{"0.00", 0, true, 0, true, true}, {"-0", 0, true, 0, true, true}, {"1.50", 0, false, 0, false, false}, {"1e3", 1000, true, 1000, true, true},
		{"-5.0", -5, true, 0, false, true}, {"9223372036854775807", math.MaxInt64, true, math.MaxInt64, true, true},
		{"9223372036854775808", 0, false, 1 << 63, true, true}, {"-9223372036854775808", math.MinInt64, true, 0, false, true},
		{"18446744073709551615", 0, false, math.MaxUint64, true, true}, {"18446744073709551616", 0, false, 0, false, true}, {"1e30", 0, false, 0, false, true},
	} {
		d := dec(t, c.in)
		if v, ok := d.Int64(); ok != c.iOK || ok && v != c.i {
			t.Errorf("%s.Int64() = %d, %v", c.in, v, ok)
		}
		if v, ok := d.Uint64(); ok != c.uOK || ok && v != c.u {
			t.Errorf("%s.Uint64() = %d, %v", c.in, v, ok)
		}
		if d.IsInt() != c.isInt {
			t.Errorf("%s.IsInt() = %v", c.in, d.IsInt())
		}
	}
}

func TestDecimalMsgpack(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"-12.34", "d6010201234d"}, {"0", "d501000c"}, {"1e5", "d501fb1c"}, {"0.001", "d501031c"}, {"-12.345", "d6010312345d"},
		{"1.5", "c7030101015c"}, {"1.50", "c7030102150c"}, {"-6.5", "c7030101065d"}, {"-2", "d501002d"},
		{"1e37", "c70301d0db1c"},
	} {
		got := hex.EncodeToString(dec(t, c.in).AppendMsgpack(nil))
		if got != c.want {
			t.Errorf("%s is encoded as %s, want %s", c.in, got, c.want)
		}
		raw, _ := hex.DecodeString(c.want)
		_, data, _, ok := msgpack.ReadExt(raw)
		d, ok2 := DecodeDecimal(data)
		if !ok || !ok2 || d.String() != dec(t, c.in).String() {
			t.Errorf("%s is decoded as %s, %v", c.want, d, ok2)
		}
	}
	for _, bad := range []string{"", "00", "001a0c", "0010", "a1310c", "270c", "d0da1c", "cd27100c", "001" + zeros(40) + "c"} {
		data, err := hex.DecodeString(bad)
		if err != nil {
			t.Fatal(bad, err)
		}
		if d, ok := DecodeDecimal(data); ok {
			t.Errorf("%s is decoded as %s, want a refusal", bad, d)
		}
		if _, ok := msgpack.Check(msgpack.AppendExt(nil, DecimalType, data)); ok {
			t.Errorf("%s passes Check", bad)
		}
	}
}

// sampleDecimals returns numbers of all sizes, some of them equal with different scales.
func sampleDecimals(t *testing.T, n int) []Decimal {
	rng := rand.New(rand.NewPCG(1, 2))
	ds := []Decimal{dec(t, "0"), dec(t, "-0.00"), dec(t, "0e10"), dec(t, "1"), dec(t, "1.00"), dec(t, "1e0"), dec(t, "10"), dec(t, "1e1"), dec(t, "-1")}
	for range n {
		b := []byte("-+"[rng.IntN(2):][:1])
		for range 1 + rng.IntN(37) {
			b = append(b, "0123456789"[rng.IntN(10)])
		}
		if p := rng.IntN(len(b)); p > 0 {
			b = append(b[:p], append([]byte{'.'}, b[p:]...)...)
		}
		d := dec(t, string(b))
		ds = append(ds, d, d.Round(rng.IntN(5)), d.Trim())
	}
	return ds
}

func TestCompareDecimal(t *testing.T) {
	ds := sampleDecimals(t, 60)
	data := make([][]byte, len(ds))
	for i, d := range ds {
		_, data[i], _, _ = msgpack.ReadExt(d.AppendMsgpack(nil))
		if back, ok := DecodeDecimal(data[i]); !ok || back.String() != d.String() {
			t.Fatalf("%s comes back as %s, %v", d, back, ok)
		}
	}
	for i, a := range ds {
		for j, b := range ds {
			want := a.Compare(b)
			if got := CompareDecimalData(data[i], data[j]); got != want {
				t.Fatalf("CompareDecimalData(%s, %s) = %d, want %d", a, b, got, want)
			}
		}
	}
}

func TestCompareDecimalWithNumbers(t *testing.T) {
	for _, c := range []struct {
		d    string
		f    float64
		want int
	}{
		{"0.1", 0.1, -1}, {"0.5", 0.5, 0}, {"0.50", 0.5, 0}, {"-0.1", -0.1, 1}, {"1", math.NaN(), 1}, {"1", math.Inf(1), -1}, {"1", math.Inf(-1), 1},
		{"9007199254740993", 9007199254740992, 1}, {"0", 5e-324, -1}, {"0", -5e-324, 1}, {"1e37", 1e37, 1}, {"99999999999999999999999999999999999999", 1e38, 1},
		{"0.1000000000000000055511151231257827", 0.1, -1}, {"0.10000000000000000555111512312578270212", 0.1, 1}, {"-0", 0, 0},
	} {
		if got := dec(t, c.d).CompareFloat(c.f); got != c.want {
			t.Errorf("%s against %v = %d, want %d", c.d, c.f, got, c.want)
		}
	}
	if dec(t, "-1").CompareUint(0) != -1 || dec(t, "18446744073709551615.5").CompareUint(math.MaxUint64) != 1 || dec(t, "-9223372036854775808.0").CompareInt(math.MinInt64) != 0 {
		t.Error("comparison with integers")
	}
}

func TestDecimalFloat64(t *testing.T) {
	for _, c := range []struct {
		in   string
		want float64
	}{{"0", 0}, {"1.5", 1.5}, {"-0.1", -0.1}, {"1e37", 1e37}, {"0.3", 0.3}, {"123e7", 123e7}, {"12345678901234567890.12345", 12345678901234567890.12345}} {
		if got := dec(t, c.in).Float64(); got != c.want {
			t.Errorf("%s = %v", c.in, got)
		}
	}
}

func FuzzDecodeDecimal(f *testing.F) {
	f.Add([]byte{0x02, 0x01, 0x23, 0x4d})
	f.Add([]byte{0xfb, 0x1c})
	f.Fuzz(func(t *testing.T, data []byte) {
		d, ok := DecodeDecimal(data)
		if !ok {
			return
		}
		_, again, _, _ := msgpack.ReadExt(d.AppendMsgpack(nil))
		if CompareDecimalData(data, again) != 0 {
			t.Fatalf("%x became %x", data, again)
		}
	})
}

func FuzzParseDecimal(f *testing.F) {
	f.Add("-12.34e-5")
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDecimal(s)
		if err != nil {
			return
		}
		if again, err := ParseDecimal(d.String()); err != nil || again.Compare(d) != 0 {
			t.Fatalf("%q is %s and then %s, %v", s, d, again, err)
		}
		_, data, _, _ := msgpack.ReadExt(d.AppendMsgpack(nil))
		if again, ok := DecodeDecimal(data); !ok || again.String() != d.String() && d.Sign() != 0 {
			t.Fatalf("%q is encoded as %x, which is %s", s, data, again)
		}
	})
}

func BenchmarkCompareDecimalData(b *testing.B) {
	_, x, _, _ := msgpack.ReadExt(dec(b, "123456.78").AppendMsgpack(nil))
	_, y, _, _ := msgpack.ReadExt(dec(b, "123456.79").AppendMsgpack(nil))
	b.ReportAllocs()
	for b.Loop() {
		CompareDecimalData(x, y)
	}
}

func BenchmarkDecimalAdd(b *testing.B) {
	x, y := dec(b, "123456.78"), dec(b, "0.01")
	b.ReportAllocs()
	for b.Loop() {
		x.Add(y)
	}
}

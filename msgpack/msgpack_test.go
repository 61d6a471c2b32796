package msgpack

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

// samples are values of every form with the bytes that Append gives.
var samples = []struct {
	v    any
	want string
}{
	{nil, "c0"}, {false, "c2"}, {true, "c3"},
	{0, "00"}, {127, "7f"}, {128, "cc80"}, {255, "ccff"}, {256, "cd0100"}, {65535, "cdffff"}, {65536, "ce00010000"}, {math.MaxUint32, "ceffffffff"},
	{1 << 32, "cf0000000100000000"}, {uint64(math.MaxUint64), "cfffffffffffffffff"},
	{-1, "ff"}, {-32, "e0"}, {-33, "d0df"}, {-128, "d080"}, {-129, "d1ff7f"}, {-32768, "d18000"}, {-32769, "d2ffff7fff"}, {math.MinInt32, "d280000000"},
	{math.MinInt32 - 1, "d3ffffffff7fffffff"}, {math.MinInt64, "d38000000000000000"},
	{float32(1.5), "ca3fc00000"}, {1.5, "cb3ff8000000000000"},
	{"", "a0"}, {"abc", "a3616263"}, {strings.Repeat("x", 32), "d920" + strings.Repeat("78", 32)}, {strings.Repeat("x", 256), "da0100" + strings.Repeat("78", 256)},
	{strings.Repeat("x", 65536), "db00010000" + strings.Repeat("78", 65536)},
	{[]byte{1, 2}, "c4020102"}, {make([]byte, 256), "c50100" + strings.Repeat("00", 256)}, {make([]byte, 65536), "c600010000" + strings.Repeat("00", 65536)},
	{[]any{}, "90"}, {[]any{int64(1), "a"}, "9201a161"}, {make([]any, 16), "dc0010" + strings.Repeat("c0", 16)}, {make([]any, 65536), "dd00010000" + strings.Repeat("c0", 65536)},
	{map[any]any{}, "80"}, {map[any]any{"a": []any{true}}, "81a16191c3"},
	{ExtValue{Type: 99, Data: []byte{1}}, "d46301"}, {ExtValue{Type: 99, Data: []byte{1, 2}}, "d5630102"}, {ExtValue{Type: -1, Data: []byte{1, 2, 3}}, "c703ff010203"},
	{ExtValue{Type: 99, Data: make([]byte, 4)}, "d66300000000"}, {ExtValue{Type: 99, Data: make([]byte, 8)}, "d7630000000000000000"},
	{ExtValue{Type: 99, Data: make([]byte, 16)}, "d863" + strings.Repeat("00", 16)}, {ExtValue{Type: 99, Data: make([]byte, 256)}, "c8010063" + strings.Repeat("00", 256)},
	{ExtValue{Type: 99, Data: make([]byte, 65536)}, "c90001000063" + strings.Repeat("00", 65536)}, {ExtValue{Type: 99, Data: []byte{}}, "c70063"},
}

func TestAppendAndDecode(t *testing.T) {
	for _, c := range samples {
		b, err := Append(nil, c.v)
		if got := hex.EncodeToString(b); err != nil || got != c.want {
			t.Fatalf("%.40v is encoded as %.40s, %v, want %.40s", c.v, got, err, c.want)
		}
		want := c.v
		if i, ok := want.(int); ok {
			want = int64(i)
		}
		v, rest, err := Decode(append(b, 0xc1))
		if err != nil || len(rest) != 1 || !reflect.DeepEqual(v, want) {
			t.Fatalf("%.40s is decoded as %.40v, %v", c.want, v, err)
		}
		for name, skip := range map[string]func([]byte) ([]byte, bool){"Skip": Skip, "Check": Check} {
			if rest, ok := skip(append(b, 0xc1)); !ok || len(rest) != 1 {
				t.Errorf("%s(%.40s) leaves %d bytes, %v", name, c.want, len(rest), ok)
			}
			for _, n := range []int{0, 1, 2, 3, len(b) / 2, len(b) - 1} {
				if n < len(b) {
					if _, ok := skip(b[:n:n]); ok {
						t.Errorf("%s accepts %d bytes of %.40s", name, n, c.want)
					}
				}
			}
		}
		if _, _, err := Decode(b[:len(b)-1]); err == nil {
			t.Errorf("Decode accepts a part of %.40s", c.want)
		}
	}
}

func TestAppendGoTypes(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{int8(-1), "ff"}, {int16(1), "01"}, {int32(1), "01"}, {uint(200), "ccc8"}, {uint8(1), "01"}, {uint16(1), "01"}, {uint32(1), "01"},
		{Raw{0x93, 1, 2, 3}, "93010203"}, {Raw(nil), "c0"}, {[]string{"a"}, "91a161"}, {[]int{1}, "9101"}, {[]uint64{1}, "9101"}, {[]Raw{{1}}, "9101"}, {[][]any{{1}}, "919101"},
		{map[string]any{"b": 1, "a": 2}, "82a16102a16201"}, {map[any]any{1: 2}, "810102"},
	} {
		b, err := Append(nil, c.v)
		if got := hex.EncodeToString(b); err != nil || got != c.want {
			t.Errorf("%#v is encoded as %s, %v, want %s", c.v, got, err, c.want)
		}
	}
	deep := any(1)
	for range 2 * maxDepth {
		deep = []any{deep}
	}
	for _, v := range []any{struct{}{}, []any{make(chan int)}, map[string]any{"a": func() {}}, map[any]any{complex(1, 1): 1}, deep} {
		if b, err := Append([]byte{7}, v); err == nil || len(b) != 1 {
			t.Errorf("Append(%.20v) = %x, %v", v, b, err)
		}
	}
}

func TestFixedWidths(t *testing.T) {
	b := AppendUint64Fixed(AppendUint32Fixed(nil, 1), 2)
	if got := hex.EncodeToString(b); got != "ce00000001cf0000000000000002" {
		t.Error(got)
	}
}

func TestReads(t *testing.T) {
	if _, _, ok := ReadUint([]byte{0xff}); ok {
		t.Error("ReadUint reads -1")
	}
	if v, _, ok := ReadUint([]byte{0xd0, 5}); !ok || v != 5 {
		t.Error("ReadUint doesn't read a non-negative number in a signed form")
	}
	if _, _, ok := ReadInt(AppendUint(nil, 1<<63)); ok {
		t.Error("ReadInt reads 2^63")
	}
	if v, rest, ok := ReadInt(append(AppendInt(nil, math.MinInt64), 1)); !ok || v != math.MinInt64 || len(rest) != 1 {
		t.Error("ReadInt:", v, rest, ok)
	}
	for _, c := range []struct {
		v    any
		want float64
	}{{uint64(1 << 63), 1 << 63}, {-5, -5}, {1.5, 1.5}, {float32(0.5), 0.5}} {
		b, _ := Append(nil, c.v)
		if v, rest, ok := ReadNumber(b); !ok || v != c.want || len(rest) != 0 {
			t.Errorf("ReadNumber(%v) = %v, %v", c.v, v, ok)
		}
	}
	if rest, ok := ReadNil([]byte{0xc0, 1}); !ok || len(rest) != 1 {
		t.Error("ReadNil")
	}
	if n, rest, ok := ReadArrayHeader(AppendArrayHeader(nil, 70000)); !ok || n != 70000 || len(rest) != 0 {
		t.Error("ReadArrayHeader:", n, ok)
	}
	if n, rest, ok := ReadMapHeader(AppendMapHeader(nil, 16)); !ok || n != 16 || len(rest) != 0 {
		t.Error("ReadMapHeader:", n, ok)
	}
	// Whatever a reader doesn't take leaves nothing of b behind.
	for _, c := range samples {
		b, _ := Append(nil, c.v)
		typ := TypeOf(b[0])
		check := func(name string, types string, ok bool, rest []byte) {
			if want := strings.Contains(types, typ.String()); ok != want {
				t.Errorf("%s of %.20s: %v", name, c.want, ok)
			} else if !ok && rest != nil {
				t.Errorf("%s of %.20s leaves %x", name, c.want, rest)
			}
		}
		_, rest, ok := ReadBool(b)
		check("ReadBool", "bool", ok, rest)
		_, rest, ok = ReadString(b)
		check("ReadString", "string", ok, rest)
		_, rest, ok = ReadBin(b)
		check("ReadBin", "bin", ok, rest)
		_, rest, ok = ReadFloat64(b)
		check("ReadFloat64", "float32 float64", ok, rest)
		_, rest, ok = ReadNumber(b)
		check("ReadNumber", "float32 float64 uint int", ok, rest)
		_, rest, ok = ReadArrayHeader(b)
		check("ReadArrayHeader", "array", ok, rest)
		_, rest, ok = ReadMapHeader(b)
		check("ReadMapHeader", "map", ok, rest)
		_, _, rest, ok = ReadExt(b)
		check("ReadExt", "ext", ok, rest)
	}
}

func TestSkipDeepAndHuge(t *testing.T) {
	deep := bytes.Repeat([]byte{0x91}, 1<<20)
	if _, ok := Skip(deep); ok {
		t.Error("a value without an end is skipped")
	}
	deep = append(deep, 1)
	if rest, ok := Skip(deep); !ok || len(rest) != 0 {
		t.Error("a deep value isn't skipped")
	}
	if _, _, err := Decode(deep); !errors.Is(err, ErrDepth) {
		t.Error("a deep value is decoded:", err)
	}
	// Headers that claim far more than there is.
	huge := binary.BigEndian.AppendUint32([]byte{0xdf}, math.MaxUint32)
	for _, b := range [][]byte{huge, bytes.Repeat(huge, 100), {0xdd, 0xff, 0xff, 0xff, 0xff, 1}, {0xdb, 0xff, 0xff, 0xff, 0xff}, {0xc9, 0xff, 0xff, 0xff, 0xff, 1}, {0xc1}} {
		if _, ok := Skip(b); ok {
			t.Errorf("%.10x is skipped", b)
		}
		if _, _, err := Decode(b); err == nil {
			t.Errorf("%.10x is decoded", b)
		}
	}
	if _, _, err := Decode([]byte{0x81, 0x90, 1}); !errors.Is(err, ErrKey) {
		t.Error("an array is a key:", err)
	}
}

func TestCheckExt(t *testing.T) {
	const typ = 100
	RegisterExtCheck(typ, func(data []byte) bool { return len(data) == 2 })
	defer RegisterExtCheck(typ, nil)
	good, bad := []byte{0x92, 1, 0xd5, typ, 1, 2}, []byte{0x92, 1, 0xd4, typ, 1}
	if _, ok := Check(good); !ok {
		t.Error("a valid value is refused")
	}
	if _, ok := Check(bad); ok {
		t.Error("an invalid value passes")
	}
	if _, ok := Skip(bad); !ok {
		t.Error("Skip checks extension values")
	}
}

func TestAppendText(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{[]any{"a/b\n\x01\x7fé\"\\", 1.5, int64(1e15), 0.1, 123456789.123, map[any]any{"a": 1}, []any{}, 1e100, 100000, uint64(1 << 63), 1.0 / 3, math.Inf(-1)},
			`["a\/b\n\u0001\u007fé\"\\", 1.5, 1000000000000000, 0.1, 1.23457e+08, {"a": 1}, [], 1e+100, 100000, 9223372036854775808, 0.333333, -inf]`},
		{nil, "null"}, {-5, "-5"}, {true, "true"}, {[]byte("x\t"), `"x\t"`}, {ExtValue{99, []byte{1, 2}}, "(extension: type 99, len 2)"},
		{0.0, "0"}, {math.Copysign(0, -1), "-0"}, {1e-5, "1e-05"}, {0.0001, "0.0001"}, {999999.5, "1e+06"}, {100000.0, "100000"}, {1e6, "1e+06"}, {math.NaN(), "nan"}, {float32(2.5), "2.5"},
	} {
		b, err := Append(nil, c.v)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(AppendText(nil, b)); got != c.want {
			t.Errorf("%v: %s, want %s", c.v, got, c.want)
		}
	}
	deep := append(bytes.Repeat([]byte{0x91}, 100), 1)
	if got := string(AppendText(nil, deep)); got != strings.Repeat("[", 32)+"[...]"+strings.Repeat("]", 32) {
		t.Error(got)
	}
}

func FuzzDecode(f *testing.F) {
	for _, c := range samples {
		b, _ := hex.DecodeString(c.want)
		if len(b) < 100 {
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		skipped, skips := Skip(b)
		checked, checks := Check(b)
		if skips != checks || len(skipped) != len(checked) {
			t.Fatalf("Skip leaves %d, %v, Check %d, %v", len(skipped), skips, len(checked), checks)
		}
		AppendText(nil, b)
		ReadUint(b)
		ReadInt(b)
		ReadNumber(b)
		ReadString(b)
		ReadBin(b)
		ReadExt(b)
		ReadArrayHeader(b)
		ReadMapHeader(b)
		for _, p := range []any{new(string), new([]byte), new(bool), new(int8), new(uint64), new(float64), new(Raw), new(any)} {
			if rest, ok := ReadInto(b, p); ok && len(rest) != len(skipped) {
				t.Fatalf("ReadInto %T leaves %d, Skip %d", p, len(rest), len(skipped))
			}
		}
		v, rest, err := Decode(b)
		if err != nil {
			return
		}
		if !checks || len(rest) != len(checked) {
			t.Fatalf("Decode leaves %d, Check %d, %v", len(rest), len(checked), checks)
		}
		again, err := Append(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		if _, rest, err := Decode(again); err != nil || len(rest) != 0 {
			t.Fatalf("%x is encoded as %x, which leaves %d, %v", b, again, len(rest), err)
		}
	})
}

// packet is a typical request: a header, and a body with a tuple.
var packet, _ = hex.DecodeString("8200020105" + "82" + "10cd0200" + "21" + "9501a5616c696365cb3ff8000000000000c0ce00010000")

func BenchmarkSkip(b *testing.B) {
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	for b.Loop() {
		SkipN(packet, 2)
	}
}

func BenchmarkCheck(b *testing.B) {
	b.SetBytes(int64(len(packet)))
	b.ReportAllocs()
	for b.Loop() {
		rest, _ := Check(packet)
		Check(rest)
	}
}

func BenchmarkSkipFields(b *testing.B) {
	tuple := packet[10:]
	b.ReportAllocs()
	for b.Loop() {
		_, rest, _ := ReadArrayHeader(tuple)
		for range 4 {
			rest, _ = Skip(rest)
		}
	}
}

func BenchmarkReadUint(b *testing.B) {
	small, long := AppendUint(nil, 5), AppendUint(nil, 70000)
	b.ReportAllocs()
	for b.Loop() {
		ReadUint(small)
		ReadUint(long)
	}
}

func BenchmarkAppend(b *testing.B) {
	buf := make([]byte, 0, 64)
	b.ReportAllocs()
	for b.Loop() {
		out := AppendArrayHeader(buf, 3)
		out = AppendUint(out, 70000)
		out = AppendString(out, "alice")
		AppendInt(out, -5)
	}
}

package iproto

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
)

// unhex reads hexadecimal digits with spaces in them.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestLength(t *testing.T) {
	tests := []struct {
		in         string
		n          uint64
		size, need int
		ok         bool
	}{
		{"", 0, 0, 1, true},
		{"05", 5, 1, 0, true},
		{"7f", 127, 1, 0, true},
		{"cc", 0, 2, 1, true},
		{"cc05", 5, 2, 0, true},
		{"cd0102", 258, 3, 0, true},
		{"ce0000", 0, 5, 2, true},
		{"ce80000001", 1<<31 + 1, 5, 0, true},
		{"cf0000000100000000", 1 << 32, 9, 0, true},
		{"80", 0, 0, 0, false},
		{"c0", 0, 0, 0, false},
		{"d005", 0, 0, 0, false},
		{"ff", 0, 0, 0, false},
	}
	for _, test := range tests {
		n, size, need, ok := Length(unhex(t, test.in))
		if ok != test.ok || ok && (need != test.need || need == 0 && (size != test.size || n != test.n)) {
			t.Errorf("%s: n=%d size=%d need=%d ok=%v", test.in, n, size, need, ok)
		}
	}
}

func TestDecodeHeader(t *testing.T) {
	tests := []struct {
		name, in string
		want     Header
		rest     string
		ok       bool
	}{
		{"ping", "82 0040 0101", Header{Type: TypePing, Sync: 1}, "", true},
		{"empty", "80", Header{}, "", true},
		{"all", "84 0001 01cd012c 0507 0a09 80", Header{TypeSelect, 300, 7, 9}, "80", true},
		{"long forms", "de0002 cc00 cd0040 01 cf000000000000000b", Header{Type: TypePing, Sync: 11}, "", true},
		{"the last of two", "84 0001 0101 0040 0102", Header{Type: TypePing, Sync: 2}, "", true},
		{"keys of other uses", "85 0040 0101 0203 04cb4029000000000000 10cd0200", Header{Type: TypePing, Sync: 1}, "", true},
		{"unknown keys", "84 0040 0101 6681a16101 cd1388a178", Header{Type: TypePing, Sync: 1}, "", true},
		{"type beyond 32 bits", "82 00cf0000000100000040 0101", Header{Type: TypePing, Sync: 1}, "", true},
		{"wrong type of type", "82 0101 00a3706e67", Header{Sync: 1}, "", false},
		{"wrong type before the sync", "82 00a3706e67 0101", Header{}, "", false},
		{"signed form", "82 0101 00d040", Header{Sync: 1}, "", false},
		{"float32 for a double", "82 0105 04ca41480000", Header{Sync: 5}, "", false},
		{"key of a body", "83 0106 0040 10a17a", Header{Sync: 6, Type: TypePing}, "", false},
		{"string key", "82 0102 a16101", Header{Sync: 2}, "", false},
		{"negative key", "82 0103 ff01", Header{Sync: 3}, "", false},
		{"no map", "920040", Header{}, "", false},
		{"nothing", "", Header{}, "", false},
		{"cut short", "82 0101 00", Header{}, "", false},
		{"no value", "81", Header{}, "", false},
		{"reserved byte", "82 0101 7fc1", Header{}, "", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var h Header
			rest, ok := DecodeHeader(unhex(t, test.in), &h)
			if ok != test.ok || h != test.want || hex.EncodeToString(rest) != test.rest {
				t.Errorf("got %+v, rest %x, ok %v", h, rest, ok)
			}
		})
	}
}

func TestNames(t *testing.T) {
	if n, ok := TypeByName("CALL_16"); !ok || n != int64(TypeCall16) {
		t.Error("CALL_16")
	}
	if n, ok := TypeByName("UNKNOWN"); !ok || n != TypeUnknown {
		t.Error("UNKNOWN")
	}
	for _, c := range Types() {
		if n, ok := TypeByName(c.Name); !ok || n != c.Value || n >= 0 && Type(n).Name() != c.Name {
			t.Errorf("type %s", c.Name)
		}
	}
	if Type(300).String() != "(null)" || Type(17).String() != "(null)" || TypeID.String() != "ID" {
		t.Error("Type.String")
	}
	if len(Keys()) != 65 {
		t.Errorf("%d keys", len(Keys()))
	}
	for _, c := range Keys() {
		for _, name := range []string{c.Name, strings.ToLower(c.Name)} {
			if k, ok := KeyByName(name); !ok || int64(k) != c.Value || k.Name() != c.Name {
				t.Errorf("key %s", name)
			}
		}
	}
	if _, ok := KeyByName("Space_id"); ok {
		t.Error("names are of one case")
	}
	if Key(11).Name() != "" || Key(1000).Name() != "" || FeatureIsSync.String() != "is_sync" || Feature(99).String() != "" {
		t.Error("names of nothing")
	}
}

func FuzzDecodeHeader(f *testing.F) {
	for _, seed := range []string{"8200400101", "840001 01cd012c 0507 0a09 80", "820101 7fc1", "de0002cc00cd0040"} {
		f.Add(unhex(f, seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var h Header
		rest, ok := DecodeHeader(b, &h)
		whole, isWhole := msgpack.Check(b)
		if ok && (!isWhole || len(whole) != len(rest)) {
			t.Errorf("accepted %x", b)
		}
		if !isWhole && h != (Header{}) {
			t.Errorf("kept %+v of %x", h, b)
		}
	})
}

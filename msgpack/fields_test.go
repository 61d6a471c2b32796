package msgpack

import (
	"bytes"
	"encoding/hex"
	"testing"
)

func TestFields(t *testing.T) {
	for _, test := range []struct {
		name, text string
		key        uint32
		want       string // in hexadecimal, "" for nothing
		malformed  bool
	}{
		{name: "first of several", text: "831001110212a3616263", key: 0x10, want: "01"},
		{name: "last of several", text: "831001110212a3616263", key: 0x12, want: "a3616263"},
		{name: "missing", text: "8110cd0258", key: 0x11},
		{name: "twice", text: "8210011002", key: 0x10, want: "02"},
		{name: "nested", text: "82109201921002110311", key: 0x11, malformed: true},
		{name: "behind an array", text: "821092019210021103", key: 0x11, want: "03"},
		{name: "key of two bytes", text: "81cc1001", key: 0x10, want: "01"},
		{name: "key of five bytes", text: "82ce0001000001ce0000001002", key: 0x10000, want: "01"},
		{name: "key beyond those of fields", text: "81cf000000010000001001", key: 0x10},
		{name: "text and nil as keys", text: "83a1610110c3c002", key: 0x10, want: "c3"},
		{name: "negative key", text: "81ff01", key: 0xffffffff},
		{name: "many", text: "de000e00010102020303040405050606070708080909000a0a0b0b0c0c0d0d", key: 0x0d, want: "0d"},
		{name: "too many to remember", text: "de000d000101020203030404050506060707080809090a0a0b0b0c0c0d", key: 0x0c, want: "0d"},
		{name: "twice among many", text: "de000d000101020203030404050506060707080809090a0a0b0b0c000d", key: 0, want: "0d"},
		{name: "empty", text: "80", key: 0},
		{name: "no map", text: "93100111", key: 0x10},
		{name: "nothing", text: "", malformed: true},
		{name: "without a value", text: "8110", malformed: true},
		{name: "without a key", text: "821001", malformed: true},
		{name: "value cut short", text: "8110cd02", malformed: true},
		{name: "key cut short", text: "81cd10", malformed: true},
		{name: "invalid byte", text: "8110c1", malformed: true},
		{name: "something behind", text: "81100101", malformed: true},
		{name: "something behind what is no map", text: "0101", malformed: true},
		{name: "more pairs than bytes", text: "dfffffffff1001", malformed: true},
	} {
		t.Run(test.name, func(t *testing.T) {
			b, err := hex.DecodeString(test.text)
			if err != nil {
				t.Fatal(err)
			}
			f := Fields{n: 3, many: true}
			if ok := f.Check(b); ok == test.malformed {
				t.Fatal("well-formed:", ok)
			}
			if got := hex.EncodeToString(f.Find(b, test.key)); !test.malformed && got != test.want {
				t.Errorf("found %q", got)
			}
		})
	}
}

// TestFieldsSizes has keys and values of several lengths in maps of all sizes around what is remembered.
func TestFieldsSizes(t *testing.T) {
	for n := range 2 * indexedFields {
		b := AppendMapHeader(nil, n)
		for i := range n {
			b = AppendUint(AppendUint(b, uint64(i*40)), uint64(i*i*1000))
		}
		var f Fields
		if !f.Check(b) {
			t.Fatal(n)
		}
		for i := range n + 1 {
			want := AppendUint(nil, uint64(i*i*1000))
			if i == n {
				want = nil
			}
			if got := f.Find(b, uint32(i*40)); !bytes.Equal(got, want) {
				t.Errorf("field %d of %d: %x, not %x", i, n, got, want)
			}
		}
	}
}

func FuzzFields(f *testing.F) {
	for _, text := range []string{"831001110212a3616263", "81cc1001", "83a1610110c3c002", "de000d0001", "9110", "82d4010010c701"} {
		b, err := hex.DecodeString(text)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		rest, ok := Check(b)
		ok = ok && len(rest) == 0
		var x Fields
		if got := x.Check(b); got != ok {
			t.Fatalf("%x is well-formed: %v, not %v", b, got, ok)
		}
		if !ok {
			return
		}
		for key := range uint32(256) {
			if got, want := x.Find(b, key), Lookup(b, uint64(key)); !bytes.Equal(got, want) {
				t.Fatalf("%x has %x under %d, not %x", b, got, key, want)
			}
		}
	})
}

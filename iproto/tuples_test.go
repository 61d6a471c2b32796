package iproto

import (
	"bytes"
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
)

func TestMapTuples(t *testing.T) {
	next := func(id uint64, _ []byte) (uint32, error) { return uint32(id) + 200, nil }
	tests := []struct {
		name, in, want string
	}{
		{"no tuple", "92 01 a17a", "92 01 a17a"},
		{"a seven", "92 07 c0", "92 07 c0"},
		{"one", "92 01 c70307 01 9105", "92 01 d607 ccc9 9105"},
		{"in a map", "91 81 a16b d5070290", "91 81 a16b c70307ccca90"},
		{"two", "93 d5070190 07 d5070290", "93 c70307ccc990 07 c70307ccca90"},
		{"other extension", "92 d40107 d5070190", "92 d40107 c70307ccc990"},
		{"no number", "91 d507a190", ""},
		{"no array", "91 d5070180", ""},
		{"cut short", "91 d50701", ""},
		{"nothing left", "92 d5070190", ""},
	}
	for _, test := range tests {
		got, err := MapTuples(unhex(t, test.in), next)
		if test.want == "" {
			if err == nil {
				t.Errorf("%s: no error but %x", test.name, got)
			}
			continue
		}
		if err != nil || !bytes.Equal(got, unhex(t, test.want)) {
			t.Errorf("%s: %x, %v", test.name, got, err)
		}
	}
}

func FuzzMapTuples(f *testing.F) {
	f.Add(unhex(f, "9201c703070190"))
	f.Add(unhex(f, "93d507019007d5070290"))
	f.Fuzz(func(t *testing.T, b []byte) {
		out, err := MapTuples(b, func(uint64, []byte) (uint32, error) { return 1 << 31, nil })
		if rest, ok := msgpack.Skip(b); ok && len(rest) == 0 && err == nil {
			if rest, ok := msgpack.Skip(out); !ok || len(rest) > 0 {
				t.Errorf("%x became %x", b, out)
			}
		}
	})
}

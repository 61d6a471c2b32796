package vclock

import (
	"bytes"
	"strings"
	"testing"
)

func TestTextForm(t *testing.T) {
	for _, c := range []struct {
		text string
		want VClock
		back string // "" is the same text
	}{
		{"{}", VClock{}, ""},
		{"{1: 10}", VClock{1: 10}, ""},
		{"{0: 1, 1: 27}", VClock{0: 1, 1: 27}, ""},
		{" { 31 : 9223372036854775807 ,2:1 } ", VClock{31: 1<<63 - 1, 2: 1}, "{2: 1, 31: 9223372036854775807}"},
		{"{3: 0}", VClock{}, "{}"},
	} {
		v, err := Parse(c.text)
		if err != nil || v != c.want {
			t.Errorf("Parse(%q) = %v, %v", c.text, v, err)
		}
		back := c.back
		if back == "" {
			back = c.text
		}
		if v.String() != back {
			t.Errorf("String() = %q, want %q", v.String(), back)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{"", "{", "}", "{1}", "{1:}", "{1: 2", "{1: 2,}", "{32: 1}", "{1: 2, 1: 3}", "{1: -2}", "{} {}",
		"{1: 9223372036854775808}", "{,}", "1: 2", strings.Repeat("{", 9)} {
		if v, err := Parse(text); err == nil {
			t.Errorf("Parse(%q) = %v", text, v)
		}
	}
}

func TestCompare(t *testing.T) {
	for _, c := range []struct {
		a, b         VClock
		want, global Order
	}{
		{VClock{}, VClock{}, Equal, Equal},
		{VClock{1: 2}, VClock{1: 2}, Equal, Equal},
		{VClock{1: 2}, VClock{1: 3}, Before, Before},
		{VClock{1: 2, 2: 1}, VClock{1: 2}, After, After},
		{VClock{1: 2}, VClock{2: 2}, Concurrent, Concurrent},
		{VClock{0: 5, 1: 2}, VClock{1: 3}, Concurrent, Before},
		{VClock{0: 5, 1: 2}, VClock{1: 2}, After, Equal},
	} {
		if got := c.a.Compare(&c.b); got != c.want {
			t.Errorf("%v to %v: %d, want %d", c.a, c.b, got, c.want)
		}
		if got := c.a.CompareGlobal(&c.b); got != c.global {
			t.Errorf("%v to %v globally: %d, want %d", c.a, c.b, got, c.global)
		}
	}
}

func TestFollowAndMerge(t *testing.T) {
	var v VClock
	//lint:ignore SA4000 the second call meets what the first has done
	if !v.Follow(1, 5) || !v.Follow(1, 5) || v.Follow(1, 4) || v.Follow(32, 1) {
		t.Error("Follow takes what it must not, or the other way round")
	}
	v.Merge(&VClock{1: 3, 2: 7})
	if v != (VClock{1: 5, 2: 7}) || v.Signature() != 12 || v.Get(2) != 7 || v.Get(77) != 0 {
		t.Errorf("%v", v)
	}
}

func TestWireForm(t *testing.T) {
	v := VClock{0: 1, 2: 1 << 40}
	b := v.AppendMsgpack(nil)
	want := []byte{0x82, 0x00, 0x01, 0x02, 0xcf, 0, 0, 1, 0, 0, 0, 0, 0}
	if !bytes.Equal(b, want) {
		t.Errorf("% x", b)
	}
	got, rest, ok := Decode(append(b, 0xc0))
	if !ok || got != v || len(rest) != 1 {
		t.Errorf("%v %v %v", got, rest, ok)
	}
	for _, bad := range [][]byte{nil, {0xc0}, {0x81}, {0x81, 0x20, 0x01}, {0x81, 0x01, 0xff}, {0xdf, 0xff, 0xff, 0xff, 0xff},
		{0x81, 0x01, 0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0}} {
		if _, _, ok := Decode(bad); ok {
			t.Errorf("% x is accepted", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("{0: 1, 1: 27}")
	f.Add("{}")
	f.Fuzz(func(t *testing.T, s string) {
		v, err := Parse(s)
		if err != nil {
			return
		}
		again, err := Parse(v.String())
		if err != nil || again != v {
			t.Errorf("%q: %v, %v", s, again, err)
		}
	})
}

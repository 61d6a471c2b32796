package hash

import (
	"encoding/hex"
	"strings"
	"testing"
)

func TestSums(t *testing.T) {
	tests := []struct {
		text   string
		md4    string
		murmur uint32
		xx32   uint32
		xx64   uint64
	}{
		{"", "31d6cfe0d16ae931b73c59d7e0c089c0", 2512092562, 46947589, 17241709254077376921},
		{"abc", "a448017aaf21d8525fc10ae87aa6729d", 3408160902, 852579327, 4952883123889572249},
		{strings.Repeat("x", 200), "ebd2de6bd766c2812cd60598d8d1c69f", 3359917850, 3445882313, 14241740744807220778},
	}
	for _, test := range tests {
		b := []byte(test.text)
		sum := MD4(b)
		if got := hex.EncodeToString(sum[:]); got != test.md4 {
			t.Errorf("MD4(%.9q) = %s, not %s", test.text, got, test.md4)
		}
		if got := Murmur(b, 13); got != test.murmur {
			t.Errorf("Murmur(%.9q) = %d, not %d", test.text, got, test.murmur)
		}
		if got := XX32(b, 0); got != test.xx32 {
			t.Errorf("XX32(%.9q) = %d, not %d", test.text, got, test.xx32)
		}
		if got := XX64(b, 0); got != test.xx64 {
			t.Errorf("XX64(%.9q) = %d, not %d", test.text, got, test.xx64)
		}
	}
	if got := XX32([]byte("abc"), 5); got != 1562728233 {
		t.Errorf("XX32 with a seed = %d", got)
	}
	if got := XX64([]byte("abc"), 5); got != 16693548093401108276 {
		t.Errorf("XX64 with a seed = %d", got)
	}
}

func TestGuava(t *testing.T) {
	for _, test := range []struct {
		key     uint64
		buckets int64
		want    int64
	}{{12345, 10, 1}, {0, 1, 0}, {7, 0, 0}} {
		if got := Guava(test.key, test.buckets); got != test.want {
			t.Errorf("Guava(%d, %d) = %d, not %d", test.key, test.buckets, got, test.want)
		}
	}
}

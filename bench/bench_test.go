//go:build linux

package main

import (
	"testing"

	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// TestPackets reads the packets of all loads back.
func TestPackets(t *testing.T) {
	const packets, keys, shares = 50, 100, 3
	for _, l := range loads {
		p := newPool(l, packets, keys, 1, shares)
		if len(p.ends) != packets {
			t.Errorf("%s: %d packets", l.name, len(p.ends))
		}
		rest := p.bytes
		for i := range p.ends {
			packet, after, ok := split(rest)
			if !ok {
				t.Fatalf("%s: packet %d is incomplete", l.name, i)
			}
			rest = after
			var header iproto.Header
			body, ok := iproto.DecodeHeader(packet, &header)
			if !ok || header.Sync != uint64(i+1) {
				t.Fatalf("%s: bad header, sync %d", l.name, header.Sync)
			}
			if left, ok := msgpack.Check(body); !ok || len(left) > 0 {
				t.Fatalf("%s: bad body % x", l.name, body)
			}
		}
		if len(rest) > 0 {
			t.Errorf("%s: % x behind the packets", l.name, rest)
		}
	}
}

func TestPoolIsARing(t *testing.T) {
	l, _ := findLoad("ping")
	p := newPool(l, 10, 1, 0, 1)
	if b, n := p.packets(8, 5); n != 2 || len(b) != len(p.bytes)-p.ends[7] {
		t.Errorf("%d packets, %d bytes", n, len(b))
	}
	if b, n := p.packets(0, 3); n != 3 || len(b) != p.ends[2] {
		t.Errorf("%d packets, %d bytes", n, len(b))
	}
}

func TestSplit(t *testing.T) {
	tests := []struct {
		name, in     string
		packet, rest string
		ok           bool
	}{
		{"nothing", "", "", "", false},
		{"long length", "\xce\x00\x00\x00\x02abc", "ab", "c", true},
		{"short length", "\x02abc", "ab", "c", true},
		{"cut length", "\xce\x00\x00", "", "\xce\x00\x00", false},
		{"cut packet", "\xce\x00\x00\x00\x02a", "", "\xce\x00\x00\x00\x02a", false},
	}
	for _, test := range tests {
		packet, rest, ok := split([]byte(test.in))
		if string(packet) != test.packet || string(rest) != test.rest || ok != test.ok {
			t.Errorf("%s: %q %q %v", test.name, packet, rest, ok)
		}
	}
}

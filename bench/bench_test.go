//go:build linux

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/bench/goals"
	"github.com/lycosadb/lycosa/bench/record"
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/lycosatest"
	"github.com/lycosadb/lycosa/msgpack"
)

// TestPackets reads the packets of all loads back.
func TestPackets(t *testing.T) {
	for _, l := range loads {
		l.rows = 50
		p := newPool(l)
		if len(p.ends) != l.rows*len(l.makers) {
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

// TestComparisons looks whether all that is compared, and all that has goals, is there.
func TestComparisons(t *testing.T) {
	for _, l := range loads {
		if _, ok := findLoad(l.against.load); !ok || l.against.times < 1 {
			t.Errorf("%s is compared with %q", l.name, l.comparison())
		}
	}
	for _, g := range goals.Loads {
		if _, ok := findLoad(g.Name); !ok {
			t.Errorf("there is a goal of %q", g.Name)
		}
	}
	for _, g := range goals.Data {
		if !slices.ContainsFunc(figures, func(f figure) bool { return f.name == g.Name }) {
			t.Errorf("there is a goal of %q", g.Name)
		}
	}
}

// TestRings has connections go around their shares.
func TestRings(t *testing.T) {
	p := newPool(load{makers: []maker{remove, insert}, rows: 10})
	const shares = 3
	seen := make([]byte, 0, len(p.bytes))
	for share := range shares {
		r := p.ring(share, shares)
		packets := r.to - r.from
		if r.from%2 != 0 || packets < 6 {
			t.Errorf("share %d: packets %d to %d", share, r.from, r.to)
		}
		first, n := r.next(1)
		first = slices.Clone(first)
		if n != 1 {
			t.Errorf("share %d: %d packets instead of 1", share, n)
		}
		rest, n := r.next(packets)
		if n != packets-1 {
			t.Errorf("share %d: %d packets instead of %d", share, n, packets-1)
		}
		if again, _ := r.next(1); !bytes.Equal(again, first) {
			t.Errorf("share %d: % x instead of % x", share, again, first)
		}
		seen = append(append(seen, first...), rest...)
	}
	if !bytes.Equal(seen, p.bytes) {
		t.Error("the shares are not the whole")
	}
}

func TestSumUp(t *testing.T) {
	l, _ := findLoad("transaction")
	samples := &pair{
		own:   []record.Figures{{Rate: 10, CPU: 4}, {Rate: 20, CPU: 6}, {Rate: 30, CPU: 5}},
		other: []record.Figures{several(record.Figures{Rate: 60, CPU: 1}, 3), {Rate: 10, CPU: 2}, {Rate: 60, CPU: 5}},
	}
	r := sumUp(l, point{4, 64}, samples)
	want := record.Row{
		Load: "transaction", Connections: 4, InFlight: 64, Against: "lycosa: replace x 3",
		Own: record.Figures{Rate: 20, CPU: 5}, Other: record.Figures{Rate: 20, CPU: 3}, Ratio: record.Figures{Rate: 0.5, CPU: 4. / 3},
	}
	if r != want {
		t.Errorf("%+v, want %+v", r, want)
	}
	if r = sumUp(l, point{4, 64}, &pair{own: samples.own}); r.Against != "" || r.Ratio.CPU != 0 || r.Own.CPU != 5 {
		t.Errorf("without anything to compare with: %+v", r)
	}
}

// TestDrive drives loads on a server in this process, at several depths, and one that the server refuses.
func TestDrive(t *testing.T) {
	db := lycosatest.Open(t, lycosa.Options{Config: box.Config{UseMVCC: true}})
	id := uint32(smallSpace)
	space, err := db.CreateSpace("bench", box.SpaceSpec{ID: &id})
	if err != nil {
		t.Fatal(err)
	}
	if err := space.CreateIndex("primary", box.IndexSpec{}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "s")
	if err := db.Listen(path); err != nil {
		t.Fatal(err)
	}
	drive := func(l load, p point) (record.Figures, error) {
		l.rows = 100
		packets := newPool(l)
		var conns []*conn
		for i := range p.conns {
			c, err := dial(path)
			if err != nil {
				t.Fatal(err)
			}
			defer c.close()
			c.ring = packets.ring(i, p.conns)
			conns = append(conns, c)
		}
		return drive(conns, os.Getpid(), p.depth, l.unit, time.Millisecond, 10*time.Millisecond)
	}
	for _, name := range []string{"ping", "replace", "transaction"} {
		for _, p := range []point{{1, 1}, {1, 8}, {3, 5}} {
			l, _ := findLoad(name)
			f, err := drive(l, p)
			if err != nil {
				t.Fatalf("%s at %v: %v", name, p, err)
			}
			if f.Rate <= 0 || f.CPU <= 0 || f.Generator <= 0 || f.P99 < f.P50 {
				t.Errorf("%s at %v: %+v", name, p, f)
			}
			if timed := p.depth == 1; l.unit == 1 && timed != (f.P50 > 0) {
				t.Errorf("%s at %v: p50 %v", name, p, f.P50)
			}
		}
	}
	if n, err := space.Len(); n == 0 || err != nil {
		t.Errorf("%d tuples are there, %v", n, err)
	}
	if _, err := drive(load{makers: one(selectFrom(largeSpace)), unit: 1}, point{1, 1}); err == nil {
		t.Error("errors of the server were taken for answers")
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

package main

import (
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/bench/record"
)

func TestCompare(t *testing.T) {
	run := func(cpu, ratio float64) *record.Run {
		return &record.Run{Results: []record.Row{
			{Load: "ping", Server: "lycosa", Connections: 4, InFlight: 64, Rate: 2e6 / cpu, CPU: cpu, CPURatio: ratio},
			{Load: "ping", Server: "peer", Connections: 4, InFlight: 64, Rate: 1e6, CPU: 1},
		}}
	}
	tests := []struct {
		name         string
		older, newer *record.Run
		limit        float64
		slower       int
	}{
		{"same", run(1, 0.5), run(1, 0.5), 10, 0},
		{"slower", run(1, 0.5), run(2, 1), 10, 1},
		{"slower without a limit", run(1, 0.5), run(2, 1), 0, 0},
		{"within the limit", run(1, 0.5), run(1.05, 0.52), 10, 0},
		{"a slower machine", run(1, 0.5), run(2, 0.5), 10, 0},
		{"slower without a peer", run(1, 0), run(2, 0), 10, 1},
		{"nothing in common", run(1, 0), &record.Run{}, 10, 0},
	}
	for _, test := range tests {
		var out strings.Builder
		if got := compare(&out, test.older, test.newer, test.limit); got != test.slower {
			t.Errorf("%s: %d slower, want %d\n%s", test.name, got, test.slower, out.String())
		}
	}
}

package main

import (
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/bench/record"
)

// run is a run of PING with this CPU time per request and this ratio of it.
func run(cpu, ratio float64) *record.Run {
	return &record.Run{Rows: []record.Row{{
		Load: "ping", Connections: 4, InFlight: 64, Own: record.Figures{Rate: 2e6 / cpu, CPU: cpu}, Ratio: record.Figures{CPU: ratio},
	}}}
}

func TestCompare(t *testing.T) {
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

// TestBaseline records a run and holds others against it.
func TestBaseline(t *testing.T) {
	dir := t.TempDir()
	baseline, path := filepath.Join(dir, "baseline.json"), filepath.Join(dir, "run.json")
	store := func(r *record.Run) {
		t.Helper()
		if err := r.Write(path); err != nil {
			t.Fatal(err)
		}
	}
	store(run(1, 0.5))
	if err := check(io.Discard, baseline, path, 0.1); err == nil || errors.Is(err, errWorse) {
		t.Errorf("without a baseline: %v", err)
	}
	if err := write(baseline, []string{path}); err != nil {
		t.Fatal(err)
	}
	if err := check(io.Discard, baseline, path, 0.1); err != nil {
		t.Error(err)
	}
	store(run(1, 0.9))
	if err := check(io.Discard, baseline, path, 0.1); !errors.Is(err, errWorse) {
		t.Errorf("a goal that is lost: %v", err)
	}
}

package goals

import (
	"reflect"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/bench/record"
)

func TestCheck(t *testing.T) {
	ratio := record.Figures{Rate: 1.2, CPU: 0.6, P50: 0.9, P99: 1.1}
	run := &record.Run{
		Rows: []record.Row{
			{Load: "ping", Connections: 1, InFlight: 1, Ratio: ratio},
			{Load: "ping", Connections: 4, InFlight: 64, Ratio: ratio},
			{Load: "fallback", Connections: 1, InFlight: 1, Ratio: ratio},
			{Load: "fallback", Connections: 4, InFlight: 64, Ratio: ratio},
			{Load: "replace", Connections: 4, InFlight: 64}, // compared with nothing
			{Load: "no goal", Connections: 4, InFlight: 64, Ratio: ratio},
		},
		Data: []record.Datum{{Name: "start from journal", Ratio: 0.4}},
	}
	want := []Result{
		{"ping 1x1 p50", 1, false, 0.9},
		{"ping 1x1 p99", 1, false, 1.1},
		{"ping 4x64 CPU", 0.6, false, 0.6},
		{"ping 4x64 rate", 1.3, true, 1.2},
		{"fallback 4x64 CPU", 3, false, 0.6},
		{"start from journal", 0.5, false, 0.4},
	}
	if got := Check(run); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	b := Baseline(run)
	if len(b.Ratios) != len(want) || b.Ratios["ping 4x64 rate"] != 1.2 {
		t.Errorf("%+v", b)
	}
}

func TestBaseline(t *testing.T) {
	of := func(form string, cpu, rate float64, data ...record.Datum) *record.Run {
		row := record.Row{Load: "ping", Connections: 4, InFlight: 64, Ratio: record.Figures{CPU: cpu, Rate: rate}}
		return &record.Run{Form: form, Rows: []record.Row{row}, Data: data}
	}
	b := Baseline(of("full", 0.5, 1.2), of("quick", 0.6, 1.3), of("quick", 0.4, 1.4, record.Datum{Name: "start from journal", Ratio: 2}))
	want := map[string]float64{"ping 4x64 CPU": 0.6, "ping 4x64 rate": 1.2, "start from journal": 2}
	if b.Form != "full" || !reflect.DeepEqual(b.Ratios, want) {
		t.Errorf("%+v, want %v", b, want)
	}
}

func TestLost(t *testing.T) {
	tests := []struct {
		name     string
		atLeast  bool
		baseline float64 // 0 for none
		measured float64
		met      bool
		lost     bool
	}{
		{"still met", false, 0.9, 1, true, false},
		{"within the tolerance", false, 0.9, 1.09, false, false},
		{"lost", false, 0.9, 1.11, false, true},
		{"never met", false, 1.01, 1.5, false, false},
		{"not in the baseline", false, 0, 1.5, false, false},
		{"at least: still met", true, 1.1, 1, true, false},
		{"at least: within the tolerance", true, 1.1, 0.91, false, false},
		{"at least: lost", true, 1.1, 0.89, false, true},
		{"at least: never met", true, 0.99, 0.5, false, false},
	}
	for _, test := range tests {
		b := &record.Baseline{Ratios: map[string]float64{}}
		if test.baseline > 0 {
			b.Ratios["x"] = test.baseline
		}
		r := Result{Name: "x", Goal: 1, AtLeast: test.atLeast, Measured: test.measured}
		if r.Met() != test.met || r.Lost(b, 0.1) != test.lost {
			t.Errorf("%s: met %v, lost %v", test.name, r.Met(), r.Lost(b, 0.1))
		}
		var out strings.Builder
		if lost := Print(&out, []Result{r}, b, 0.1); (lost == 1) != test.lost || strings.Contains(out.String(), "LOST") != test.lost {
			t.Errorf("%s: %d lost in\n%s", test.name, lost, out.String())
		}
	}
	if lost := Print(new(strings.Builder), []Result{{Name: "x", Goal: 1, Measured: 2}}, nil, 0.1); lost != 0 {
		t.Errorf("%d lost without a baseline", lost)
	}
}

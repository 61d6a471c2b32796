package record

import (
	"path/filepath"
	"reflect"
	"testing"
)

func TestMedian(t *testing.T) {
	tests := []struct {
		values []float64
		want   float64
	}{
		{nil, 0},
		{[]float64{3}, 3},
		{[]float64{9, 1}, 5},
		{[]float64{7, 1, 2}, 2},
		{[]float64{8, 1, 2, 4}, 3},
	}
	for _, test := range tests {
		if got := Median(test.values); got != test.want {
			t.Errorf("%v: %v, want %v", test.values, got, test.want)
		}
	}
}

func TestWriteAndRead(t *testing.T) {
	row := Row{Load: "ping", Connections: 4, InFlight: 64, Own: Figures{Rate: 1e6, CPU: 0.5}, Ratio: Figures{CPU: 0.6}}
	datum := Datum{Name: "memory", Unit: "bytes a tuple", Own: 90, Other: 100, Ratio: 0.9}
	run := &Run{Form: "quick", Rounds: 3, Servers: map[string]string{"lycosa": "1"}, Rows: []Row{row}, Data: []Datum{datum}}
	path := filepath.Join(t.TempDir(), "run.json")
	if err := run.Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil || !reflect.DeepEqual(got, run) {
		t.Errorf("%+v, %v, want %+v", got, err, run)
	}
	if r, ok := got.Find("ping", 4, 64); !ok || r != row {
		t.Errorf("%+v, %v", r, ok)
	}
	if _, ok := got.Find("ping", 1, 1); ok {
		t.Error("a row that isn't there was found")
	}
	if d, ok := got.FindDatum("memory"); !ok || d != datum {
		t.Errorf("%+v, %v", d, ok)
	}
	if _, ok := got.FindDatum("disk"); ok {
		t.Error("a datum that isn't there was found")
	}
}

func TestBaseline(t *testing.T) {
	b := &Baseline{Form: "full", Servers: map[string]string{"peer": "2"}, Ratios: map[string]float64{"ping 4x64 CPU": 0.5}}
	path := filepath.Join(t.TempDir(), "baseline.json")
	if err := b.Write(path); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadBaseline(path); err != nil || !reflect.DeepEqual(got, b) {
		t.Errorf("%+v, %v, want %+v", got, err, b)
	}
	if _, err := ReadBaseline(path + ".gone"); err == nil {
		t.Error("a file that isn't there was read")
	}
}

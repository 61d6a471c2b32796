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
	row := Row{Load: "ping", Server: "lycosa", Connections: 4, InFlight: 64, Rate: 1e6, CPU: 0.5}
	run := &Run{Form: "quick", Rounds: 3, Servers: map[string]string{"lycosa": "1"}, Results: []Row{row}}
	path := filepath.Join(t.TempDir(), "run.json")
	if err := run.Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil || !reflect.DeepEqual(got, run) {
		t.Errorf("%+v, %v, want %+v", got, err, run)
	}
	if r, ok := got.Find("ping", "lycosa", 4, 64); !ok || r != row {
		t.Errorf("%+v, %v", r, ok)
	}
	if _, ok := got.Find("ping", "peer", 4, 64); ok {
		t.Error("a row that isn't there was found")
	}
}

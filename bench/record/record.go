// Package record is the file that a run of the benchmarks leaves: what was measured where, on which servers.
//
// Run is the main type, one JSON object a file. A Row is the medians of one load at one point, with those of what the load
// is compared with; a Datum is a single figure about data on disk or in memory.
package record

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"time"
)

// Run is one run of the benchmarks.
type Run struct {
	Started time.Time `json:"started"`
	Form    string    `json:"form"` // "quick" or "full"
	Rounds  int       `json:"rounds"`
	Machine Machine   `json:"machine"`
	// Servers are the first lines that Lycosa and the peer print with -v.
	Servers map[string]string `json:"servers"`
	Rows    []Row             `json:"rows,omitempty"`
	Data    []Datum           `json:"data,omitempty"`
}

// Machine is where a run took place.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
}

// Row is one load at one point.
type Row struct {
	Load        string  `json:"load"`
	Connections int     `json:"connections"`
	InFlight    int     `json:"in_flight"` // on each connection
	Own         Figures `json:"own"`
	// Against says what the load was compared with, and Other what that took. Empty when there was nothing.
	Against string  `json:"against,omitempty"`
	Other   Figures `json:"other,omitzero"`
	// Ratio is that of Own to Other: medians of the ratios of neighbouring runs.
	Ratio Figures `json:"ratio,omitzero"`
}

// Figures are medians over the rounds. A transaction counts as one request.
type Figures struct {
	// Rate is requests a second.
	Rate float64 `json:"rate"`
	// CPU is the server's CPU time per request in µs, Generator that of the load generator.
	CPU       float64 `json:"cpu_us"`
	Generator float64 `json:"generator_us"`
	// P50 and P99 are times to an answer in µs, where one request a connection is in flight.
	P50 float64 `json:"p50_us,omitempty"`
	P99 float64 `json:"p99_us,omitempty"`
}

// Datum is a figure about data in memory or on disk, the less the better.
type Datum struct {
	Name  string  `json:"name"`
	Unit  string  `json:"unit"`
	Own   float64 `json:"own"`
	Other float64 `json:"other,omitempty"` // the peer's
	Ratio float64 `json:"ratio,omitempty"` // of Own to Other
}

// Find returns the row of a load at a point.
func (r *Run) Find(load string, connections, inFlight int) (Row, bool) {
	i := slices.IndexFunc(r.Rows, func(x Row) bool {
		return x.Load == load && x.Connections == connections && x.InFlight == inFlight
	})
	if i < 0 {
		return Row{}, false
	}
	return r.Rows[i], true
}

// FindDatum returns the datum of a name.
func (r *Run) FindDatum(name string) (Datum, bool) {
	i := slices.IndexFunc(r.Data, func(x Datum) bool { return x.Name == name })
	if i < 0 {
		return Datum{}, false
	}
	return r.Data[i], true
}

// Write writes the run to a file.
func (r *Run) Write(path string) error { return write(path, r) }

// Read reads the run in a file.
func Read(path string) (*Run, error) {
	r := new(Run)
	return r, read(path, r)
}

func write(path string, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

func read(path string, v any) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Median returns the middle of the values, the mean of the two in the middle of an even number, 0 of none.
func Median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	switch {
	case n == 0:
		return 0
	case n%2 == 1:
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}

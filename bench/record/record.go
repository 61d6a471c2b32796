// Package record is the file that a run of the benchmarks leaves: what was measured where, on which servers.
//
// Run is the main type, one JSON object a file. A Row is the medians of one load at one point on one server.
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
	Rows    int       `json:"rows"` // of the space
	Machine Machine   `json:"machine"`
	// Servers are the first lines that the servers print with -v, by the names in Results.
	Servers map[string]string `json:"servers"`
	Results []Row             `json:"results"`
}

// Machine is where a run took place.
type Machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
	Go     string `json:"go"`
}

// Row is one load at one point on one server: medians over the rounds.
type Row struct {
	Load        string `json:"load"`
	Server      string `json:"server"`
	Connections int    `json:"connections"`
	InFlight    int    `json:"in_flight"` // on each connection
	// Rate is answers a second.
	Rate float64 `json:"rate"`
	// CPU is the server's CPU time per request in µs, Generator that of the load generator.
	CPU       float64 `json:"cpu_us"`
	Generator float64 `json:"generator_us"`
	// P50 and P99 are times to an answer in µs, where one request a connection is in flight.
	P50 float64 `json:"p50_us,omitempty"`
	P99 float64 `json:"p99_us,omitempty"`
	// RateRatio and CPURatio are to the peer: medians of the ratios of neighbouring runs. 0 without a peer.
	RateRatio float64 `json:"rate_ratio,omitempty"`
	CPURatio  float64 `json:"cpu_ratio,omitempty"`
}

// Find returns the row of a load at a point on a server.
func (r *Run) Find(load, server string, connections, inFlight int) (Row, bool) {
	i := slices.IndexFunc(r.Results, func(x Row) bool {
		return x.Load == load && x.Server == server && x.Connections == connections && x.InFlight == inFlight
	})
	if i < 0 {
		return Row{}, false
	}
	return r.Results[i], true
}

// Write writes the run to a file.
func (r *Run) Write(path string) error {
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// Read reads the run in a file.
func Read(path string) (*Run, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := new(Run)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
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

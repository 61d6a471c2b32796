// Package goals says what the benchmarks are to reach, and whether a run has.
//
// Loads and Data are the goals, all of them ratios of Lycosa's figures to those that they are compared with. Check holds a
// run against them, and gives a Result a figure. A baseline remembers which goals were met once: Result.Lost tells those
// that have been missed since.
package goals

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/lycosadb/lycosa/bench/record"
)

// Load is what a load is to reach at every point where connections have several requests in flight, and, of the times
// to an answer, where one request at a time is in flight. 0 is no goal.
type Load struct {
	Name string
	CPU  float64 // ratio of the CPU time per request, at most
	Rate float64 // ratio of the requests a second, at least
	Time float64 // ratios of p50 and of p99, at most
}

// Loads are the goals of loads, in the order of the table.
var Loads = []Load{
	{"ping", 0.6, 1.3, 1},
	{"select 100k", 0.6, 1.5, 1},
	{"select 1M", 0.6, 1.5, 1},
	{"replace", 0.5, 2, 1},
	{"update", 0.5, 2, 1},
	{"delete+insert", 0.5, 2, 1},
	{"call echo", 0.8, 1.2, 1},
	{"eval", 0.8, 1.2, 1},
	{"call get", 0.5, 1.5, 1},
	{"transaction", 1.3, 0, 0},
	{"override in lua", 0.8, 1, 1},
	{"fallback", 3, 0, 0},
	{"override in go", 1.3, 0, 0},
}

// Datum is the ratio that a figure about data is to reach at most.
type Datum struct {
	Name  string
	Ratio float64
}

// Data are the goals of figures about data.
var Data = []Datum{
	{"memory, filled", 0.9},
	{"memory, started", 0.9},
	{"start from snapshot", 0.5},
	{"start from journal", 0.5},
}

// Result is a ratio beside its goal.
type Result struct {
	Name     string // load, point and figure, such as "ping 4x64 CPU"; that of a datum
	Goal     float64
	AtLeast  bool // the ratio is to be the goal or more, otherwise the goal or less
	Measured float64
}

// Met tells whether the goal was reached.
func (r Result) Met() bool { return r.meets(r.Measured, 0) }

// Lost tells whether a goal that a baseline met is now missed by more than the tolerance, a share of the goal.
func (r Result) Lost(b *record.Baseline, tolerance float64) bool {
	before, ok := b.Ratios[r.Name]
	return ok && r.meets(before, 0) && !r.meets(r.Measured, tolerance)
}

func (r Result) meets(ratio, tolerance float64) bool {
	if r.AtLeast {
		return ratio >= r.Goal*(1-tolerance)
	}
	return ratio <= r.Goal*(1+tolerance)
}

// Check holds a run against the goals. What the run has not compared with anything is left out.
func Check(run *record.Run) (results []Result) {
	add := func(name string, goal float64, atLeast bool, measured float64) {
		if goal > 0 && measured > 0 {
			results = append(results, Result{name, goal, atLeast, measured})
		}
	}
	for _, g := range Loads {
		for _, row := range run.Rows {
			if row.Load != g.Name {
				continue
			}
			name := fmt.Sprintf("%s %dx%d ", row.Load, row.Connections, row.InFlight)
			if row.InFlight > 1 {
				add(name+"CPU", g.CPU, false, row.Ratio.CPU)
				add(name+"rate", g.Rate, true, row.Ratio.Rate)
			} else if row.Connections == 1 {
				add(name+"p50", g.Time, false, row.Ratio.P50)
				add(name+"p99", g.Time, false, row.Ratio.P99)
			}
		}
	}
	for _, g := range Data {
		d, _ := run.FindDatum(g.Name)
		add(g.Name, g.Ratio, false, d.Ratio)
	}
	return results
}

// Baseline is what runs have reached, of several runs the worst of each ratio: what counts as met was met every time. The
// first run, of which there must be one, says when and where that was.
func Baseline(runs ...*record.Run) *record.Baseline {
	first := runs[0]
	b := &record.Baseline{
		Recorded: first.Started, Form: first.Form, Machine: first.Machine, Servers: first.Servers, Ratios: map[string]float64{},
	}
	for _, run := range runs {
		for _, r := range Check(run) {
			worst, known := b.Ratios[r.Name]
			switch {
			case !known:
				worst = r.Measured
			case r.AtLeast:
				worst = min(worst, r.Measured)
			default:
				worst = max(worst, r.Measured)
			}
			b.Ratios[r.Name] = math.Round(worst*1000) / 1000
		}
	}
	return b
}

// Print prints results beside a baseline, nil for none, and returns how many goals the baseline met and the run doesn't.
func Print(w io.Writer, results []Result, b *record.Baseline, tolerance float64) (lost int) {
	if b == nil {
		b = new(record.Baseline)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(t, "goal\tratio\tmeasured\t\tbaseline\t")
	met := 0
	for _, r := range results {
		sign, verdict := "<=", "missed"
		if r.AtLeast {
			sign = ">="
		}
		switch {
		case r.Met():
			verdict = "met"
			met++
		case r.Lost(b, tolerance):
			verdict = "LOST"
			lost++
		}
		before := "-"
		if v, ok := b.Ratios[r.Name]; ok {
			before = fmt.Sprintf("%.2f", v)
		}
		_, _ = fmt.Fprintf(t, "%s\t%s %.2g\t%.2f\t%s\t%s\t\n", r.Name, sign, r.Goal, r.Measured, verdict, before)
	}
	_ = t.Flush()
	_, _ = fmt.Fprintf(w, "%d of %d goals are met", met, len(results))
	if len(b.Ratios) > 0 {
		_, _ = fmt.Fprintf(w, "; %d that the baseline met are missed by more than %.0f %%", lost, tolerance*100)
	}
	_, _ = fmt.Fprintln(w)
	return lost
}

//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/lycosadb/lycosa/bench/record"
)

// printRun prints the results of a run.
func printRun(w io.Writer, run *record.Run) {
	_, _ = fmt.Fprintf(w, "%s, %d cores, Linux %s, %s; %d rounds, journal written\n",
		run.Machine.CPU, run.Machine.Cores, run.Machine.Kernel, run.Started.Format("2006-01-02"), run.Rounds)
	for _, name := range []string{nameLycosa, namePeer} {
		if version, ok := run.Servers[name]; ok {
			_, _ = fmt.Fprintf(w, "%s: %s\n", name, version)
		}
	}
	_, _ = fmt.Fprintln(w)
	printRows(w, run.Rows)
	printParallel(w, run)
	printData(w, run.Data)
}

// printRows prints a line a load and point.
func printRows(w io.Writer, rows []record.Row) {
	if len(rows) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "load\tconns\tin flight\tk requests/s\tother\tratio\tCPU µs\tother\tratio\tp50 µs\tother\tp99 µs\tother\tother is\t")
	for _, r := range rows {
		_, _ = fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", r.Load, r.Connections, r.InFlight,
			number(r.Own.Rate/1e3, 1), number(r.Other.Rate/1e3, 1), number(r.Ratio.Rate, 2),
			number(r.Own.CPU, 2), number(r.Other.CPU, 2), number(r.Ratio.CPU, 2),
			number(r.Own.P50, 0), number(r.Other.P50, 0), number(r.Own.P99, 0), number(r.Other.P99, 0), r.Against)
	}
	_ = t.Flush()
	_, _ = fmt.Fprintln(w)
}

// printParallel prints what reads gain from more threads. The generator computes on the same cores, so that its share is
// part of the answer: where both together use all cores, they are what limits the rate.
func printParallel(w io.Writer, run *record.Run) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(t, "%s\tconns\tin flight\tGOMAXPROCS\tk requests/s\tCPU µs\tits cores\tthe generator's\t\n", parallel)
	found := false
	for _, r := range run.Rows {
		if r.Load != parallel {
			continue
		}
		found = true
		for _, line := range []struct {
			threads int
			f       record.Figures
		}{{1, r.Other}, {run.Machine.Cores, r.Own}} {
			_, _ = fmt.Fprintf(t, "\t%d\t%d\t%d\t%.1f\t%.2f\t%.2f\t%.2f\t\n", r.Connections, r.InFlight, line.threads,
				line.f.Rate/1e3, line.f.CPU, line.f.CPU*line.f.Rate/1e6, line.f.Generator*line.f.Rate/1e6)
		}
	}
	if found {
		_ = t.Flush()
		_, _ = fmt.Fprintln(w)
	}
}

// printData prints the figures about data.
func printData(w io.Writer, data []record.Datum) {
	if len(data) == 0 {
		return
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "data\t\tlycosa\tpeer\tratio\t")
	for _, d := range data {
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t\n", d.Name, d.Unit, number(d.Own, 2), number(d.Other, 2), number(d.Ratio, 2))
	}
	_ = t.Flush()
	_, _ = fmt.Fprintln(w)
}

// number prints a figure with digits behind the point, and nothing for one that wasn't measured.
func number(v float64, digits int) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.*f", digits, v)
}

//go:build linux

package main

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/lycosadb/lycosa/bench/record"
)

// printTable prints the results of a run, a line a load and point.
func printTable(w io.Writer, run *record.Run, list []load) {
	_, _ = fmt.Fprintf(w, "%s, %d cores, Linux %s, %s; %d rounds, %d rows, journal written\n",
		run.Machine.CPU, run.Machine.Cores, run.Machine.Kernel, run.Started.Format("2006-01-02"), run.Rounds, run.Rows)
	for _, name := range []string{nameLycosa, namePeer} {
		if version, ok := run.Servers[name]; ok {
			_, _ = fmt.Fprintf(w, "%s: %s\n", name, version)
		}
	}
	_, _ = fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "load\tconns\tin flight\tk requests/s\tpeer\tratio\tCPU µs\tpeer\tratio\tp50 µs\tpeer\tp99 µs\tpeer\t")
	for _, row := range run.Results {
		if row.Server != nameLycosa {
			continue
		}
		peer, _ := run.Find(row.Load, namePeer, row.Connections, row.InFlight)
		_, _ = fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", row.Load, row.Connections, row.InFlight,
			number(row.Rate/1e3, 1), number(peer.Rate/1e3, 1), number(row.RateRatio, 2),
			number(row.CPU, 2), number(peer.CPU, 2), number(row.CPURatio, 2),
			number(row.P50, 0), number(peer.P50, 0), number(row.P99, 0), number(peer.P99, 0))
	}
	_ = t.Flush()
	_, _ = fmt.Fprintln(w)
	for _, l := range list {
		if l.peer == "" {
			continue
		}
		_, _ = fmt.Fprintf(w, "%s: the peer does its own %s\n", l.name, l.peer)
		for _, row := range run.Results {
			own, ok := run.Find(l.peer, nameLycosa, row.Connections, row.InFlight)
			if ok && row.Server == nameLycosa && row.Load == l.name {
				_, _ = fmt.Fprintf(w, "  %dx%d: CPU %.2f of Lycosa's own %s\n", row.Connections, row.InFlight, row.CPU/own.CPU, l.peer)
			}
		}
	}
}

// number prints a figure with digits behind the point, and nothing for one that wasn't measured.
func number(v float64, digits int) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.*f", digits, v)
}

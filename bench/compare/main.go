// Command compare sets two files of bench beside each other.
//
//	go run ./bench/compare [-limit PERCENT] OLD.json NEW.json
//
// With a limit it ends with code 1 when a load's CPU time per request, relative to the peer's where both runs have one,
// has grown by more than that.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/lycosadb/lycosa/bench/record"
)

func main() {
	limit := flag.Float64("limit", 0, "how many percent of CPU time per request a load may have grown; 0 for any")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "Usage: compare [-limit PERCENT] OLD.json NEW.json")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	older, err := record.Read(flag.Arg(0))
	var newer *record.Run
	if err == nil {
		newer, err = record.Read(flag.Arg(1))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(2)
	}
	if slower := compare(os.Stdout, older, newer, *limit); slower > 0 {
		fmt.Fprintf(os.Stderr, "compare: %d figures have grown by more than %g %%\n", slower, *limit)
		os.Exit(1)
	}
}

// compare prints both runs' figures and how they changed, and returns how many of CPU time grew beyond the limit.
func compare(w io.Writer, older, newer *record.Run, limit float64) (slower int) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "load\tserver\tconns\tin flight\tk requests/s\tnow\t\tCPU µs\tnow\t\tCPU ratio\tnow\t\t")
	for _, a := range older.Results {
		b, ok := newer.Find(a.Load, a.Server, a.Connections, a.InFlight)
		if !ok {
			continue
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%.1f\t%.1f\t%s\t%.2f\t%.2f\t%s\t", a.Load, a.Server, a.Connections, a.InFlight,
			a.Rate/1e3, b.Rate/1e3, change(a.Rate, b.Rate), a.CPU, b.CPU, change(a.CPU, b.CPU))
		before, after := a.CPU, b.CPU
		if a.CPURatio > 0 && b.CPURatio > 0 {
			// A slower machine slows the peer down too.
			before, after = a.CPURatio, b.CPURatio
			_, _ = fmt.Fprintf(t, "%.2f\t%.2f\t%s\t\n", before, after, change(before, after))
		} else {
			_, _ = fmt.Fprintf(t, "\t\t\t\n")
		}
		if limit > 0 && a.Server == "lycosa" && after > before*(1+limit/100) {
			slower++
		}
	}
	_ = t.Flush()
	return slower
}

// change prints how much a figure has changed.
func change(before, after float64) string {
	if before == 0 {
		return ""
	}
	return fmt.Sprintf("%+.0f%%", (after/before-1)*100)
}

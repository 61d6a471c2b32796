// Command compare sets a file of bench beside another one, or beside the goals.
//
//	go run ./bench/compare [-limit PERCENT] OLD.json NEW.json
//	go run ./bench/compare -baseline bench/baseline.json [-tolerance PERCENT] RUN.json
//	go run ./bench/compare -record bench/baseline.json RUN.json...
//
// The first prints how the figures of two runs differ. With a limit it ends with code 1 when a load's CPU time per
// request, relative to what it is compared with where both runs have that, has grown by more. The second prints the goals
// and ends with code 1 when one that the baseline met is missed by more than the tolerance. The third makes a baseline of
// runs, of each ratio the worst.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/lycosadb/lycosa/bench/goals"
	"github.com/lycosadb/lycosa/bench/record"
)

// errWorse ends the command with code 1, other errors with code 2.
var errWorse = errors.New("worse than before")

func main() {
	limit := flag.Float64("limit", 0, "how many percent of CPU time per request a load may have grown; 0 for any")
	baseline := flag.String("baseline", "", "the baseline to hold a run against")
	tolerance := flag.Float64("tolerance", 10, "by how many percent a goal that the baseline met may be missed")
	recorded := flag.String("record", "", "the baseline to write from runs")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "Usage: compare [-limit PERCENT] OLD.json NEW.json\n"+
			"       compare -baseline BASELINE.json [-tolerance PERCENT] RUN.json\n"+
			"       compare -record BASELINE.json RUN.json...")
		flag.PrintDefaults()
	}
	flag.Parse()
	var err error
	switch {
	case *baseline != "" && *recorded == "" && flag.NArg() == 1:
		err = check(os.Stdout, *baseline, flag.Arg(0), *tolerance/100)
	case *recorded != "" && *baseline == "" && flag.NArg() > 0:
		err = write(*recorded, flag.Args())
	case *recorded == "" && *baseline == "" && flag.NArg() == 2:
		err = two(os.Stdout, flag.Arg(0), flag.Arg(1), *limit)
	default:
		flag.Usage()
		os.Exit(2)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		if errors.Is(err, errWorse) {
			os.Exit(1)
		}
		os.Exit(2)
	}
}

// check holds a run against the goals and a baseline.
func check(w io.Writer, baseline, path string, tolerance float64) error {
	b, err := record.ReadBaseline(baseline)
	if err != nil {
		return err
	}
	run, err := record.Read(path)
	if err != nil {
		return err
	}
	if lost := goals.Print(w, goals.Check(run), b, tolerance); lost > 0 {
		return fmt.Errorf("%w: %d goals are lost", errWorse, lost)
	}
	return nil
}

// write makes a baseline of runs.
func write(baseline string, paths []string) error {
	runs := make([]*record.Run, len(paths))
	for i, path := range paths {
		var err error
		if runs[i], err = record.Read(path); err != nil {
			return err
		}
	}
	return goals.Baseline(runs...).Write(baseline)
}

// two compares two runs.
func two(w io.Writer, before, after string, limit float64) error {
	older, err := record.Read(before)
	if err != nil {
		return err
	}
	newer, err := record.Read(after)
	if err != nil {
		return err
	}
	if slower := compare(w, older, newer, limit); slower > 0 {
		return fmt.Errorf("%w: %d figures have grown by more than %g %%", errWorse, slower, limit)
	}
	return nil
}

// compare prints both runs' figures and how they changed, and returns how many of CPU time grew beyond the limit.
func compare(w io.Writer, older, newer *record.Run, limit float64) (slower int) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(t, "load\tconns\tin flight\tk requests/s\tnow\t\tCPU µs\tnow\t\tCPU ratio\tnow\t\t")
	for _, a := range older.Rows {
		b, ok := newer.Find(a.Load, a.Connections, a.InFlight)
		if !ok {
			continue
		}
		_, _ = fmt.Fprintf(t, "%s\t%d\t%d\t%.1f\t%.1f\t%s\t%.2f\t%.2f\t%s\t", a.Load, a.Connections, a.InFlight,
			a.Own.Rate/1e3, b.Own.Rate/1e3, change(a.Own.Rate, b.Own.Rate), a.Own.CPU, b.Own.CPU, change(a.Own.CPU, b.Own.CPU))
		before, after := a.Own.CPU, b.Own.CPU
		if a.Ratio.CPU > 0 && b.Ratio.CPU > 0 {
			// A slower machine slows the peer down too.
			before, after = a.Ratio.CPU, b.Ratio.CPU
			_, _ = fmt.Fprintf(t, "%.2f\t%.2f\t%s\t\n", before, after, change(before, after))
		} else {
			_, _ = fmt.Fprintf(t, "\t\t\t\n")
		}
		if limit > 0 && after > before*(1+limit/100) {
			slower++
		}
	}
	_ = t.Flush()
	t = tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	for _, a := range older.Data {
		if b, ok := newer.FindDatum(a.Name); ok {
			_, _ = fmt.Fprintf(t, "%s, %s\t%.2f\t%.2f\t%s\t\n", a.Name, a.Unit, a.Own, b.Own, change(a.Own, b.Own))
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

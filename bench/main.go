//go:build linux

// Command bench puts Lycosa and a peer, Debian's tarantool, under the same loads, compares them, and says which of the
// goals in package goals are met.
//
// All servers run setup.lua on unix sockets in directories of their own. Every load is driven at several points, which
// are numbers of connections and of requests in flight on each, on one server and then on the other, in several rounds:
// what disturbs the machine disturbs both. Loads that the peer doesn't know are set beside others of Lycosa's own. The
// figures are medians. The CPU time of the server per request is the one to trust where other work runs beside. The full
// form then fills servers with millions of tuples and measures their memory and how long they take to start.
//
// A run leaves a JSON file, see package record; bench/compare compares two. The exit status is 1 when a goal that the
// baseline met is missed, and 2 when the run failed.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lycosadb/lycosa/bench/goals"
	"github.com/lycosadb/lycosa/bench/record"
)

// form is how thorough a run is.
type form struct {
	name             string
	points           []point
	rounds           int
	warmUp, measured time.Duration
	tuples           int // to fill servers with; 0 for not at all
}

var (
	points = []point{{1, 1}, {4, 64}, {64, 16}, {256, 4}}
	quick  = form{"quick", points, 5, 40 * time.Millisecond, 120 * time.Millisecond, 0}
	full   = form{"full", points, 5, 250 * time.Millisecond, time.Second, 5_000_000}
)

func main() {
	var o options
	flag.StringVar(&o.binary, "server", "bin/lycosa", "the server")
	flag.StringVar(&o.peer, "peer", "tarantool", "the peer's binary; it is left out when it isn't installed")
	flag.BoolVar(&o.quick, "quick", false, "shorter rounds, and no millions of tuples: about two minutes")
	flag.StringVar(&o.out, "out", "", "the JSON file of the results (default bin/bench-TIME.json)")
	flag.IntVar(&o.rounds, "rounds", 0, "rounds, instead of 5")
	flag.IntVar(&o.tuples, "tuples", -1, "tuples to fill servers with, 0 for not at all, instead of the form's own number")
	flag.StringVar(&o.only, "load", "", "only these loads, comma-separated, or none")
	flag.StringVar(&o.points, "points", "", "only these points, as CONNECTIONSxINFLIGHT, comma-separated")
	flag.StringVar(&o.profile, "profile", "", "only write a profile of the server under the loads, for the compiler, to this file")
	flag.StringVar(&o.baseline, "baseline", "", "the baseline; without one, goals that are missed are only shown")
	flag.Float64Var(&o.tolerance, "tolerance", 10, "by how many percent a goal that the baseline met may be missed")
	flag.Parse()
	lost, err := bench(o)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(2)
	case lost > 0:
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	binary, peer, out, only, points, baseline, profile string
	quick                                              bool
	rounds, tuples                                     int
	tolerance                                          float64
}

// form returns the form that the options ask for.
func (o options) form() (form, error) {
	f := full
	if o.quick {
		f = quick
	}
	if o.rounds > 0 {
		f.rounds = o.rounds
	}
	if o.tuples >= 0 {
		f.tuples = o.tuples
	}
	if o.points == "" {
		return f, nil
	}
	f.points = nil
	for text := range strings.SplitSeq(o.points, ",") {
		var p point
		if _, err := fmt.Sscanf(text, "%dx%d", &p.conns, &p.depth); err != nil || p.conns < 1 || p.depth < 1 {
			return f, fmt.Errorf("%q is no point, such as 4x64", text)
		}
		f.points = append(f.points, p)
	}
	return f, nil
}

// loads returns the loads that the options ask for.
func (o options) loads() ([]load, error) {
	switch o.only {
	case "":
		return loads, nil
	case "none":
		return nil, nil
	}
	var list []load
	for name := range strings.SplitSeq(o.only, ",") {
		l, ok := findLoad(name)
		if !ok {
			return nil, fmt.Errorf("there is no load %q", name)
		}
		list = append(list, l)
	}
	return list, nil
}

// bench does a whole run and returns how many goals are lost.
func bench(o options) (lost int, err error) {
	f, err := o.form()
	if err != nil {
		return 0, err
	}
	list, err := o.loads()
	if err != nil {
		return 0, err
	}
	var baseline *record.Baseline
	if o.baseline != "" {
		if baseline, err = record.ReadBaseline(o.baseline); err != nil {
			return 0, err
		}
	}
	if o.binary, err = locate(o.binary); err != nil {
		return 0, err
	}
	debug.SetGCPercent(1000) // the generator's own collections would be noise
	base, err := os.MkdirTemp("", "bench")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(base)) }()

	if o.profile != "" {
		return 0, writeProfile(o, list, base)
	}
	run := &record.Run{
		Started: time.Now().UTC().Truncate(time.Second), Form: f.name, Rounds: f.rounds, Machine: machine(),
		Servers: map[string]string{},
	}
	if run.Servers[nameLycosa], err = version(o.binary); err != nil {
		return 0, err
	}
	if path, err := exec.LookPath(o.peer); err == nil {
		if run.Servers[namePeer], err = version(path); err != nil {
			return 0, err
		}
	}
	if run.Rows, err = measureLoads(o, f, list, base); err != nil {
		return 0, err
	}
	if f.tuples > 0 {
		if run.Data, err = measureData(o, f.tuples, base); err != nil {
			return 0, err
		}
	}
	printRun(os.Stdout, run)
	lost = goals.Print(os.Stdout, goals.Check(run), baseline, o.tolerance/100)
	if o.out == "" {
		o.out = filepath.Join("bin", "bench-"+run.Started.Format("20060102-150405")+".json")
	}
	if err := run.Write(o.out); err != nil {
		return 0, err
	}
	fmt.Println("results in", o.out)
	return lost, nil
}

// measureLoads drives the loads.
func measureLoads(o options, f form, list []load, base string) ([]record.Row, error) {
	d, err := newDriver(o, f, list, base)
	if err != nil {
		return nil, err
	}
	defer d.stop()
	if err := d.run(); err != nil {
		return nil, err
	}
	return d.rows(), nil
}

// machine says where this runs.
func machine() record.Machine {
	m := record.Machine{Cores: runtime.NumCPU(), Go: runtime.Version()}
	var u unix.Utsname
	if unix.Uname(&u) == nil {
		m.Kernel = unix.ByteSliceToString(u.Release[:])
	}
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, ok := strings.CutPrefix(line, "model name"); ok {
			m.CPU = strings.TrimSpace(strings.TrimLeft(name, "\t :"))
			break
		}
	}
	return m
}

//go:build linux

// Command bench puts Lycosa and a peer, Debian's tarantool, under the same loads and compares them.
//
// Both servers run setup.lua on unix sockets in directories of their own. Every load is driven at several points, which
// are numbers of connections and of requests in flight on each, on one server and then on the other, in several rounds:
// what disturbs the machine disturbs both. The figures are medians. The CPU time of the server per request is the one to
// trust where other work runs beside. A run leaves a JSON file, see package record; bench/compare compares two.
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
	"golang.org/x/term"

	"github.com/lycosadb/lycosa/bench/record"
)

// point is how hard a load is driven.
type point struct{ conns, depth int }

// form is how thorough a run is.
type form struct {
	name             string
	points           []point
	rounds           int
	warmUp, measured time.Duration
}

var (
	quick = form{"quick", []point{{1, 1}, {1, 64}, {4, 1}, {4, 64}}, 3, 60 * time.Millisecond, 240 * time.Millisecond}
	full  = form{"full", []point{{1, 1}, {1, 64}, {4, 1}, {4, 64}, {64, 16}, {256, 4}}, 5, 250 * time.Millisecond, time.Second}
)

// names of the servers in results
const (
	nameLycosa = "lycosa"
	namePeer   = "peer"
)

func main() {
	var o options
	flag.StringVar(&o.binary, "server", "bin/lycosa", "the server")
	flag.StringVar(&o.peer, "peer", "tarantool", "the peer's binary; it is left out when it isn't installed")
	flag.BoolVar(&o.quick, "quick", false, "fewer points and shorter rounds: below two minutes")
	flag.StringVar(&o.out, "out", "", "the JSON file of the results (default bin/bench-TIME.json)")
	flag.IntVar(&o.rounds, "rounds", 0, "rounds, instead of the form's own")
	flag.IntVar(&o.rows, "rows", 100_000, "rows of the space")
	flag.StringVar(&o.only, "load", "", "only these loads, comma-separated")
	flag.StringVar(&o.points, "points", "", "only these points, as CONNECTIONSxINFLIGHT, comma-separated")
	flag.Parse()
	if err := bench(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are the command line.
type options struct {
	binary, peer, out, only, points string
	quick                           bool
	rounds, rows                    int
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
	if o.only == "" {
		return loads, nil
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

func bench(o options) (err error) {
	f, err := o.form()
	if err != nil {
		return err
	}
	list, err := o.loads()
	if err != nil {
		return err
	}
	debug.SetGCPercent(1000) // the generator's own collections would be noise
	base, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(base)) }()

	run := &record.Run{
		Started: time.Now().UTC().Truncate(time.Second), Form: f.name, Rounds: f.rounds, Rows: o.rows, Machine: machine(),
		Servers: map[string]string{},
	}
	lycosa, err := startServer(nameLycosa, o.binary, base, o.rows)
	if err != nil {
		return err
	}
	defer lycosa.stop()
	run.Servers[lycosa.name] = lycosa.version
	var peer *server
	if _, err := exec.LookPath(o.peer); err == nil {
		if peer, err = startServer(namePeer, o.peer, base, o.rows); err != nil {
			return err
		}
		defer peer.stop()
		run.Servers[peer.name] = peer.version
	}
	if run.Results, err = rounds(lycosa, peer, list, f, o.rows); err != nil {
		return err
	}
	printTable(os.Stdout, run, list)
	if o.out == "" {
		o.out = filepath.Join("bin", "bench-"+run.Started.Format("20060102-150405")+".json")
	}
	if err := run.Write(o.out); err != nil {
		return err
	}
	fmt.Println("results in", o.out)
	return nil
}

// cell is a load at a point.
type cell struct {
	load string
	point
}

// rounds drives all loads at all points in all rounds and returns the medians, those of the peer behind those of Lycosa.
func rounds(lycosa, peer *server, list []load, f form, rows int) ([]record.Row, error) {
	own, other := map[cell][]sample{}, map[cell][]sample{}
	for round := range f.rounds {
		for _, l := range list {
			progress("round %d of %d: %s", round+1, f.rounds, l.name)
			beside := l
			if l.peer != "" {
				beside, _ = findLoad(l.peer)
			}
			for _, p := range f.points {
				s, err := lycosa.run(l, p, f, rows)
				if err != nil {
					return nil, err
				}
				own[cell{l.name, p}] = append(own[cell{l.name, p}], s)
				if peer == nil {
					continue
				}
				if s, err = peer.run(beside, p, f, rows); err != nil {
					return nil, err
				}
				other[cell{l.name, p}] = append(other[cell{l.name, p}], s)
			}
			if !l.writes {
				continue
			}
			for _, s := range []*server{lycosa, peer} {
				if s != nil {
					if err := s.control.ask(eval("tidy()")); err != nil {
						return nil, fmt.Errorf("checkpoint of %s: %w", s.name, err)
					}
				}
			}
		}
	}
	progress("")
	var results []record.Row
	for _, l := range list {
		for _, p := range f.points {
			c := cell{l.name, p}
			results = append(results, medians(c, nameLycosa, own[c], other[c]))
			if peer != nil {
				results = append(results, medians(c, namePeer, other[c], nil))
			}
		}
	}
	return results, nil
}

// progress says on a terminal, on one line that is written again and again, what goes on.
func progress(format string, args ...any) {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		fmt.Fprintf(os.Stderr, "\r\x1b[K"+format, args...)
	}
}

// medians sums the rounds of a cell up. beside are those of the peer, in the same order.
func medians(c cell, name string, samples, beside []sample) record.Row {
	median := func(get func(i int) float64) float64 {
		values := make([]float64, len(samples))
		for i := range samples {
			values[i] = get(i)
		}
		return record.Median(values)
	}
	r := record.Row{
		Load: c.load, Server: name, Connections: c.conns, InFlight: c.depth,
		Rate:      median(func(i int) float64 { return samples[i].rate }),
		CPU:       median(func(i int) float64 { return samples[i].cpu }),
		Generator: median(func(i int) float64 { return samples[i].generator }),
		P50:       median(func(i int) float64 { return samples[i].p50 }),
		P99:       median(func(i int) float64 { return samples[i].p99 }),
	}
	if len(beside) == len(samples) {
		r.RateRatio = median(func(i int) float64 { return samples[i].rate / beside[i].rate })
		r.CPURatio = median(func(i int) float64 { return samples[i].cpu / beside[i].cpu })
	}
	return r
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

//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"

	"golang.org/x/term"

	"github.com/lycosadb/lycosa/bench/record"
)

// point is how hard a load is driven.
type point struct{ conns, depth int }

// cell is a load at a point.
type cell struct {
	load string
	point
}

// pair are the samples of a cell, one a round: of the load, and of what it is compared with, if that is there.
type pair struct{ own, other []record.Figures }

// driver drives loads on the servers that they need.
type driver struct {
	form    form
	loads   []load
	servers map[string]*server // what is missing isn't installed
	pools   map[string]*pool   // by load; packets are made once
	samples map[cell]*pair
}

// newDriver starts the servers that the loads need, below a directory.
func newDriver(o options, f form, list []load, base string) (*driver, error) {
	d := &driver{form: f, loads: list, servers: map[string]*server{}, pools: map[string]*pool{}, samples: map[cell]*pair{}}
	large := map[string]bool{}
	for _, l := range list {
		for _, name := range []string{l.server, l.against.server} {
			large[name] = large[name] || l.rows == largeRows
		}
	}
	for _, name := range []string{nameLycosa, namePeer, nameOneThread, nameMVCC, nameEmbedded} {
		rows, needed := large[name]
		if !needed {
			continue
		}
		if _, err := exec.LookPath(o.peer); name == namePeer && err != nil {
			fmt.Printf("%s is not there to compare with\n", o.peer)
			continue
		}
		progress("starting %s", name)
		s, err := startServer(name, o, base, rows)
		if err != nil {
			d.stop()
			return nil, err
		}
		d.servers[name] = s
	}
	return d, nil
}

// stop ends the servers.
func (d *driver) stop() {
	for _, s := range d.servers {
		s.stop()
	}
}

// run drives all loads at all points in all rounds, each on our server and at once on the other one.
func (d *driver) run() error {
	for round := range d.form.rounds {
		for _, l := range d.loads {
			progress("round %d of %d: %s", round+1, d.form.rounds, l.name)
			for _, p := range d.form.points {
				if err := d.both(l, p); err != nil {
					return err
				}
			}
			if err := d.tidy(l); err != nil {
				return err
			}
		}
	}
	progress("")
	return nil
}

// both drives a load and what it is compared with.
func (d *driver) both(l load, p point) error {
	c := cell{l.name, p}
	if d.samples[c] == nil {
		d.samples[c] = new(pair)
	}
	samples := d.samples[c]
	f, err := d.servers[l.server].run(l, d.pool(l), p, d.form)
	if err != nil {
		return err
	}
	samples.own = append(samples.own, f)
	server := d.servers[l.against.server]
	if server == nil {
		return nil
	}
	other, ok := findLoad(l.against.load)
	if !ok {
		return fmt.Errorf("%s: there is no load %q to compare with", l.name, l.against.load)
	}
	if f, err = server.run(other, d.pool(other), p, d.form); err != nil {
		return err
	}
	samples.other = append(samples.other, several(f, l.against.times))
	return nil
}

// several is what so many requests, one behind the other, take.
func several(f record.Figures, times int) record.Figures {
	n := float64(times)
	return record.Figures{Rate: f.Rate / n, CPU: f.CPU * n, Generator: f.Generator * n, P50: f.P50 * n, P99: f.P99 * n}
}

// pool returns the packets of a load.
func (d *driver) pool(l load) *pool {
	if d.pools[l.name] == nil {
		d.pools[l.name] = newPool(l)
	}
	return d.pools[l.name]
}

// tidy drops the journals that a load has made.
func (d *driver) tidy(l load) (err error) {
	if !l.writes {
		return nil
	}
	names := []string{l.server}
	if l.against.server != l.server {
		names = append(names, l.against.server)
	}
	for _, name := range names {
		if s := d.servers[name]; s != nil {
			if e := s.control.ask(eval("tidy()")); e != nil {
				err = errors.Join(err, fmt.Errorf("checkpoint of %s: %w", name, e))
			}
		}
	}
	return err
}

// rows sums the rounds up, in the order of the loads.
func (d *driver) rows() (rows []record.Row) {
	for _, l := range d.loads {
		for _, p := range d.form.points {
			rows = append(rows, sumUp(l, p, d.samples[cell{l.name, p}]))
		}
	}
	return rows
}

// sumUp makes medians of samples.
func sumUp(l load, p point, samples *pair) record.Row {
	r := record.Row{Load: l.name, Connections: p.conns, InFlight: p.depth, Own: medians(samples.own)}
	if len(samples.other) != len(samples.own) {
		return r
	}
	ratios := make([]record.Figures, len(samples.own))
	for i, a := range samples.own {
		b := samples.other[i]
		ratios[i] = record.Figures{
			Rate: ratio(a.Rate, b.Rate), CPU: ratio(a.CPU, b.CPU), Generator: ratio(a.Generator, b.Generator),
			P50: ratio(a.P50, b.P50), P99: ratio(a.P99, b.P99),
		}
	}
	r.Against, r.Other, r.Ratio = l.comparison(), medians(samples.other), medians(ratios)
	return r
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

func medians(samples []record.Figures) record.Figures {
	median := func(get func(f record.Figures) float64) float64 {
		values := make([]float64, len(samples))
		for i, f := range samples {
			values[i] = get(f)
		}
		return record.Median(values)
	}
	return record.Figures{
		Rate:      median(func(f record.Figures) float64 { return f.Rate }),
		CPU:       median(func(f record.Figures) float64 { return f.CPU }),
		Generator: median(func(f record.Figures) float64 { return f.Generator }),
		P50:       median(func(f record.Figures) float64 { return f.P50 }),
		P99:       median(func(f record.Figures) float64 { return f.P99 }),
	}
}

// progress says on a terminal, on one line that is written again and again, what goes on.
func progress(format string, args ...any) {
	if term.IsTerminal(int(os.Stderr.Fd())) {
		fmt.Fprintf(os.Stderr, "\r\x1b[K"+format, args...)
	}
}

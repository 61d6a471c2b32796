// Command crowd measures a server under many connections and under bad ones:
//
//   - connections: the memory of a server with 10,000 connections that wait and 1,000 that ask;
//   - neighbours: what clients notice of others that never read their answers or send a byte a second;
//   - watchers: what a broadcast to 10,000 watchers on 1,000 connections costs.
//
// Each part runs in a server of its own. The clients are this process: on a machine with few cores, what they cost is in
// the times as well, but not in the CPU time of the server.
//
//	go run ./bench/crowd -server bin/lycosa
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lycosadb/lycosa/internal/peer"
)

//go:embed script.lua
var script string

// patience is how long anything may take.
const patience = time.Minute

func main() {
	binary := flag.String("server", "bin/lycosa", "the server")
	only := flag.String("only", "connections,neighbours,watchers", "the parts to run")
	flag.IntVar(&idle, "idle", idle, "connections that wait")
	flag.IntVar(&active, "active", active, "connections that ask")
	flag.Float64Var(&limit, "limit", limit, "megabytes that a server with all these connections may take")
	flag.IntVar(&rounds, "rounds", rounds, "rounds of neighbours")
	flag.DurationVar(&measured, "time", measured, "how long each measurement takes")
	flag.Parse()
	for part := range strings.SplitSeq(*only, ",") {
		if err := run(*binary, part); err != nil {
			fmt.Fprintf(os.Stderr, "crowd: %s: %v\n", part, err)
			os.Exit(1)
		}
	}
}

// How much is measured.
var (
	idle, active = 10_000, 1_000
	limit        = 400.0
	rounds       = 5
	measured     = 2 * time.Second
)

func run(binary, part string) error {
	parts := map[string]func(*servers) error{
		"connections": connections, "neighbours": neighbours, "watchers": watchers,
	}
	f := parts[part]
	if f == nil {
		return fmt.Errorf("no such part")
	}
	path, err := filepath.Abs(binary)
	if err != nil {
		return err
	}
	all := &servers{binary: path}
	defer all.end()
	return f(all)
}

// servers starts servers and ends them.
type servers struct {
	binary  string
	running []*peer.Server
	dirs    []string
}

// start returns a new server that has run its script.
func (all *servers) start() (*peer.Server, error) {
	dir, err := os.MkdirTemp("", "crowd")
	if err != nil {
		return nil, err
	}
	all.dirs = append(all.dirs, dir)
	s, err := peer.Start(peer.Options{Binary: all.binary, Dir: dir, Script: script})
	if err != nil {
		return nil, err
	}
	all.running = append(all.running, s)
	c, err := s.Dial(patience)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, err = c.Eval("return ready and 1 or error('not yet')"); err == nil {
			return s, nil
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%w: %s", err, s.Output())
		}
	}
}

func (all *servers) end() {
	for _, s := range all.running {
		s.Kill()
	}
	for _, dir := range all.dirs {
		_ = os.RemoveAll(dir)
	}
}

// memory is what a server holds now and what it has held at most, in bytes.
func memory(s *peer.Server) (now, most int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Pid()))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		for prefix, to := range map[string]*int64{"VmRSS:": &now, "VmHWM:": &most} {
			if value, found := strings.CutPrefix(line, prefix); found {
				kb, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
				if err != nil {
					return 0, 0, err
				}
				*to = kb << 10
			}
		}
	}
	return now, most, nil
}

// cpuTime is the time that all threads of a server have used.
func cpuTime(s *peer.Server) (time.Duration, error) {
	// The number of a process's CPU clock, as clock_getcpuclockid(3) makes it.
	const scheduler = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^s.Pid()<<3|scheduler), &t); err != nil {
		return 0, err
	}
	return time.Duration(t.Nano()), nil
}

func megabytes(n int64) float64 { return float64(n) / (1 << 20) }

// percentile is the value below which so many hundredths of the values are. It sorts them.
func percentile(values []time.Duration, p int) time.Duration {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[min(len(values)*p/100, len(values)-1)]
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

//go:build linux

package main

import (
	_ "embed"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lycosadb/lycosa/bench/record"
	"github.com/lycosadb/lycosa/internal/peer"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// What becomes of data: how much memory a tuple costs, how long servers take to start from their journal and from a
// checkpoint, how long a checkpoint takes and how long requests wait meanwhile.

//go:embed data.lua
var dataScript string

const (
	// patience is how long a start, or anything else with all tuples, may take.
	patience = 10 * time.Minute
	// starts is how often servers are started from either.
	starts = 3
)

// figure is a kind of figures about data.
type figure struct{ name, unit string }

var (
	memoryFilled  = figure{"memory, filled", "bytes a tuple"}
	memoryStarted = figure{"memory, started", "bytes a tuple"}
	fromJournal   = figure{"start from journal", "s"}
	fromSnapshot  = figure{"start from snapshot", "s"}
	writing       = figure{"checkpoint", "s"}
	size          = figure{"checkpoint's size", "MB"}
	pause         = figure{"longest wait during one", "ms"}
	calm          = figure{"longest wait otherwise", "ms"}
)

// figures are all of them, in the order of the table.
var figures = []figure{memoryFilled, memoryStarted, fromJournal, fromSnapshot, writing, size, pause, calm}

// subject is a server with its data.
type subject struct {
	name, binary, dir string
	tuples            int
	empty             int64 // bytes of memory without tuples
	measured          map[figure][]float64
}

// measureData fills servers with tuples below a directory, one beside the other, and starts them again and again.
func measureData(o options, tuples int, base string) ([]record.Datum, error) {
	own := &subject{name: nameLycosa, binary: o.binary}
	other := &subject{name: namePeer, binary: o.peer}
	subjects := []*subject{own}
	if _, err := exec.LookPath(o.peer); err == nil {
		subjects = append(subjects, other)
	}
	for _, s := range subjects {
		var err error
		if s.dir, err = os.MkdirTemp(base, ""); err != nil {
			return nil, err
		}
		s.tuples, s.measured = tuples, map[figure][]float64{}
	}
	steps := []struct {
		name  string
		times int
		do    func(s *subject) error
	}{
		{"filling it", 1, (*subject).fill},
		{"a start from the journal", starts, func(s *subject) error { return s.restart(fromJournal) }},
		{"a checkpoint", 1, (*subject).checkpoint},
		{"a start from a snapshot", starts, func(s *subject) error { return s.restart(fromSnapshot) }},
	}
	for _, step := range steps {
		for range step.times {
			for _, s := range subjects {
				progress("%d tuples, %s: %s", tuples, s.name, step.name)
				if err := step.do(s); err != nil {
					return nil, fmt.Errorf("%s with %d tuples, %s: %w", s.name, tuples, step.name, err)
				}
			}
		}
	}
	progress("")
	data := make([]record.Datum, 0, len(figures))
	for _, f := range figures {
		a, b := record.Median(own.measured[f]), record.Median(other.measured[f])
		data = append(data, record.Datum{Name: f.name, Unit: f.unit, Own: a, Other: b, Ratio: ratio(a, b)})
	}
	return data, nil
}

func (s *subject) add(f figure, v float64) { s.measured[f] = append(s.measured[f], v) }

// fill starts a new server and fills it.
func (s *subject) fill() error {
	p, c, _, err := s.start()
	if err != nil {
		return err
	}
	defer p.Kill()
	if s.empty, err = settled(p); err != nil {
		return err
	}
	if _, err = c.Call("fill", s.tuples); err != nil {
		return err
	}
	return s.memory(p, memoryFilled)
}

// memory measures what a tuple costs.
func (s *subject) memory(p *peer.Server, f figure) error {
	bytes, err := settled(p)
	s.add(f, float64(bytes-s.empty)/float64(s.tuples))
	return err
}

// restart measures a start, and what memory is taken then.
func (s *subject) restart(f figure) error {
	p, c, took, err := s.start()
	if err != nil {
		return err
	}
	defer p.Kill()
	s.add(f, took.Seconds())
	list, err := c.Call("count")
	switch {
	case err != nil:
		return err
	case len(list) != 1 || fmt.Sprint(list[0]) != strconv.Itoa(s.tuples):
		return fmt.Errorf("%v tuples instead of %d", list, s.tuples)
	case f == fromSnapshot:
		return s.memory(p, memoryStarted)
	}
	return nil
}

// start starts the server and returns how long it takes until it answers.
func (s *subject) start() (p *peer.Server, c *peer.Conn, took time.Duration, err error) {
	began := time.Now()
	if p, err = peer.Start(peer.Options{Binary: s.binary, Dir: s.dir, Script: dataScript}); err != nil {
		return nil, nil, 0, err
	}
	c, err = p.Dial(patience)
	for err == nil {
		if _, e := c.Eval("return count and 1 or error('not yet')"); e == nil {
			return p, c, time.Since(began), nil
		}
		if time.Since(began) > patience {
			err = fmt.Errorf("no answer after %v: %s", patience, p.Output())
		}
		time.Sleep(time.Millisecond)
	}
	p.Kill()
	return nil, nil, 0, err
}

// checkpoint makes one while another connection writes, and leaves one with nothing in the journal behind it.
func (s *subject) checkpoint() error {
	p, c, _, err := s.start()
	if err != nil {
		return err
	}
	defer p.Kill()
	w, err := p.Dial(patience)
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	var took time.Duration
	longest, err := s.writeDuring(w, func() error {
		began := time.Now()
		_, err := c.Eval("box.snapshot()")
		took = time.Since(began)
		return err
	})
	if err != nil {
		return err
	}
	s.add(writing, took.Seconds())
	s.add(pause, float64(longest.Microseconds())/1e3)
	longest, err = s.writeDuring(w, func() error {
		time.Sleep(took) // as much time without a checkpoint
		return nil
	})
	if err != nil {
		return err
	}
	s.add(calm, float64(longest.Microseconds())/1e3)
	if _, err := c.Eval("box.snapshot()"); err != nil {
		return err
	}
	bytes, err := newestSnapshot(s.dir)
	s.add(size, float64(bytes)/1e6)
	return err
}

// writeDuring writes on a connection as long as f runs and returns the longest time that a request waited.
func (s *subject) writeDuring(w *peer.Conn, f func() error) (longest time.Duration, err error) {
	stop, done := make(chan struct{}), make(chan error)
	go func() {
		var err error
		longest, err = keepWriting(w, s.tuples, stop)
		done <- err
	}()
	err = f()
	close(stop)
	if e := <-done; err == nil {
		err = e
	}
	return longest, err
}

// keepWriting replaces tuples one after the other and returns the longest time that it waited for an answer.
func keepWriting(c *peer.Conn, tuples int, stop <-chan struct{}) (longest time.Duration, err error) {
	var body, packet []byte
	for {
		select {
		case <-stop:
			return longest, nil
		default:
		}
		id := uint64(1 + rand.IntN(tuples))
		body = append(msgpack.AppendMapHeader(body[:0], 2), byte(iproto.KeySpaceID))
		body = append(msgpack.AppendUint(body, smallSpace), byte(iproto.KeyTuple))
		body = msgpack.AppendUint(msgpack.AppendArrayHeader(body, 3), id)
		body = msgpack.AppendUint(msgpack.AppendString(body, value), id)
		packet = peer.AppendRequest(packet[:0], iproto.TypeReplace, id, 0, body)
		began := time.Now()
		if err := c.Send(packet); err != nil {
			return longest, err
		}
		a, err := c.Receive()
		if err != nil {
			return longest, err
		}
		if a.Err != nil {
			return longest, a.Err
		}
		longest = max(longest, time.Since(began))
	}
}

// newestSnapshot is the size of the newest checkpoint in a directory.
func newestSnapshot(dir string) (int64, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*.snap"))
	if err != nil || len(names) == 0 {
		return 0, fmt.Errorf("no checkpoint in %s (%v)", dir, err)
	}
	info, err := os.Stat(slices.Max(names))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// settled is the memory that a server has, in bytes, once it gives hardly any back: what work leaves behind is given back
// a little later.
func settled(p *peer.Server) (int64, error) {
	const tries, interval = 20, 500 * time.Millisecond
	bytes, err := rss(p)
	for range tries {
		time.Sleep(interval)
		before := bytes
		if bytes, err = rss(p); err != nil || bytes > before-before/200 {
			break
		}
	}
	return bytes, err
}

// rss is the memory that a server has, in bytes.
func rss(p *peer.Server) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Pid()))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			kb, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("no VmRSS of process %d", p.Pid())
}

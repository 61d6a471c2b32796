// Command persist measures what becomes of data on disk: how long servers take to start from their journal and from a
// checkpoint, how long a checkpoint takes, how large it is, how long requests wait meanwhile, and how much memory a tuple
// costs. Given a peer it does the same with that one, in the same run.
//
//	go run ./bench/persist -server bin/lycosa -peer tarantool -n 1000000,5000000
package main

import (
	_ "embed"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lycosadb/lycosa/internal/peer"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

//go:embed script.lua
var script string

// patience is how long a start or a checkpoint may take.
const patience = 10 * time.Minute

func main() {
	server := flag.String("server", "bin/lycosa", "the server")
	other := flag.String("peer", "tarantool", "a server to compare with; left out when there is none of the name")
	sizes := flag.String("n", "1000000,5000000", "numbers of tuples")
	flag.Parse()
	if err := run(*server, *other, *sizes); err != nil {
		fmt.Fprintln(os.Stderr, "persist:", err)
		os.Exit(1)
	}
}

func run(server, other, sizes string) error {
	path, err := filepath.Abs(server)
	if err != nil {
		return err
	}
	binaries := []string{path}
	if path, err := exec.LookPath(other); err == nil {
		binaries = append(binaries, path)
	} else {
		fmt.Printf("%s is not there to compare with\n", other)
	}
	fmt.Printf("%-12s %9s  %9s %9s  %9s %9s  %9s %9s  %7s  %9s %9s\n", "server", "tuples", "journal", "", "snapshot", "",
		"write", "size", "RSS", "pause", "without")
	fmt.Printf("%-12s %9s  %9s %9s  %9s %9s  %9s %9s  %7s  %9s %9s\n", "", "", "start, s", "tuples/s", "start, s", "tuples/s",
		"s", "MB", "B/tuple", "ms", "ms")
	for size := range strings.SplitSeq(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil {
			return err
		}
		for _, binary := range binaries {
			m, err := measure(binary, n)
			if err != nil {
				return fmt.Errorf("%s with %d tuples: %w", binary, n, err)
			}
			fmt.Printf("%-12s %9d  %9.2f %9.0f  %9.2f %9.0f  %9.2f %9.1f  %7.0f  %9.1f %9.1f\n", filepath.Base(binary), n,
				m.journal.Seconds(), float64(n)/m.journal.Seconds(), m.snapshot.Seconds(), float64(n)/m.snapshot.Seconds(),
				m.write.Seconds(), float64(m.size)/1e6, float64(m.rss)/float64(n),
				float64(m.pause.Microseconds())/1e3, float64(m.calm.Microseconds())/1e3)
		}
	}
	return nil
}

// measured is what was found out about a server.
type measured struct {
	journal, snapshot time.Duration // of a start from either
	write             time.Duration // of a checkpoint
	size              int64         // of a checkpoint, in bytes
	rss               int64         // bytes of memory more than an empty server has
	pause, calm       time.Duration // the longest that a request waited during a checkpoint, and in as much time without
}

func measure(binary string, n int) (m measured, err error) {
	dir, err := os.MkdirTemp("", "persist")
	if err != nil {
		return m, err
	}
	defer func() { _ = os.RemoveAll(dir) }()

	s, c, _, err := start(binary, dir)
	if err != nil {
		return m, err
	}
	empty, err := rss(s)
	if err == nil {
		_, err = c.Call("fill", 1, n)
	}
	s.Kill()
	if err != nil {
		return m, err
	}

	if s, c, m.journal, err = start(binary, dir); err == nil {
		err = check(c, n)
	}
	if err == nil {
		err = m.checkpoint(s, c, n)
	}
	if s != nil {
		s.Kill()
	}
	if err != nil {
		return m, err
	}
	if m.size, err = newestSnapshot(dir); err != nil {
		return m, err
	}

	if s, c, m.snapshot, err = start(binary, dir); err != nil {
		return m, err
	}
	defer s.Kill()
	if err := check(c, n); err != nil {
		return m, err
	}
	time.Sleep(time.Second) // what a start leaves behind is given back a little later
	m.rss, err = rss(s)
	m.rss -= empty
	return m, err
}

// start starts a server and returns how long it takes until it answers.
func start(binary, dir string) (s *peer.Server, c *peer.Conn, d time.Duration, err error) {
	began := time.Now()
	if s, err = peer.Start(peer.Options{Binary: binary, Dir: dir, Script: script}); err != nil {
		return nil, nil, 0, err
	}
	c, err = s.Dial(patience)
	for err == nil {
		if _, e := c.Eval("return count and 1 or error('not yet')"); e == nil {
			return s, c, time.Since(began), nil
		}
		if time.Since(began) > patience {
			err = fmt.Errorf("no answer after %v: %s", patience, s.Output())
		}
		time.Sleep(time.Millisecond)
	}
	s.Kill()
	return nil, nil, 0, err
}

// check looks whether all tuples are there.
func check(c *peer.Conn, n int) error {
	list, err := c.Call("count")
	if err != nil {
		return err
	}
	for _, v := range list {
		if fmt.Sprint(v) != strconv.Itoa(n) {
			return fmt.Errorf("%v tuples instead of %d", list, n)
		}
	}
	return nil
}

// checkpoint makes one while another connection writes.
func (m *measured) checkpoint(s *peer.Server, c *peer.Conn, n int) error {
	w, err := s.Dial(patience)
	if err != nil {
		return err
	}
	defer func() { _ = w.Close() }()
	stop, waited := make(chan struct{}), make(chan time.Duration)
	failed := make(chan error, 1)
	go func() { failed <- keepWriting(w, n, stop, waited) }()
	began := time.Now()
	_, err = c.Eval("box.snapshot()")
	m.write = time.Since(began)
	close(stop)
	m.pause = <-waited
	if e := <-failed; err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	stop, waited = make(chan struct{}), make(chan time.Duration)
	go func() { failed <- keepWriting(w, n, stop, waited) }()
	time.Sleep(m.write)
	close(stop)
	m.calm = <-waited
	return <-failed
}

// keepWriting replaces tuples one after the other and tells the longest time that it waited for an answer.
func keepWriting(c *peer.Conn, n int, stop <-chan struct{}, waited chan<- time.Duration) (err error) {
	longest := time.Duration(0)
	defer func() { waited <- longest }()
	var body, packet []byte
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		id := uint64(1 + rand.IntN(n))
		body = append(msgpack.AppendMapHeader(body[:0], 2), byte(iproto.KeySpaceID))
		body = append(msgpack.AppendUint(body, 512), byte(iproto.KeyTuple))
		body = msgpack.AppendUint(msgpack.AppendArrayHeader(body, 4), id)
		body = msgpack.AppendString(body, fmt.Sprintf("name-%010d", id*7919%1000000007))
		body = msgpack.AppendUint(body, id)
		body = msgpack.AppendString(body, "another text")
		packet = peer.AppendRequest(packet[:0], iproto.TypeReplace, id, 0, body)
		began := time.Now()
		if err := c.Send(packet); err != nil {
			return err
		}
		a, err := c.Receive()
		if err != nil {
			return err
		}
		if a.Err != nil {
			return a.Err
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

// rss is the memory that a server has, in bytes.
func rss(s *peer.Server) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Pid()))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, "VmRSS:"); found {
			kb, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			return kb << 10, err
		}
	}
	return 0, fmt.Errorf("no VmRSS of process %d", s.Pid())
}

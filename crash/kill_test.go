package crash

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/lycosadb/lycosa/internal/peer"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/xlog"
)

var (
	binary = flag.String("binary", "", "the server to test instead of the one built from this module")
	kills  = flag.Int("kills", 15, "how many times the server is killed")
	seed   = flag.Uint64("seed", 0, "what the random numbers begin with, 0 for the clock")
)

// patience is how long a server may take for what it must do.
const patience = 30 * time.Second

// build makes the server that is tested.
func build(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("runs servers")
	}
	if *binary != "" {
		path, err := filepath.Abs(*binary)
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	path := filepath.Join(t.TempDir(), "lycosa")
	if out, err := exec.Command("go", "build", "-o", path, "../cmd/lycosa").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// configure is the beginning of a server's script.
const configure = `
box.cfg{listen = os.getenv('LISTEN'), log_level = 'warn', checkpoint_count = 2, %s}
%s
`

// snapshots makes checkpoints at random moments.
const snapshots = `
require('fiber').create(function()
    math.randomseed(os.time())
    while true do
        require('fiber').sleep(math.random() * 0.2)
        pcall(box.snapshot)
    end
end)
`

// window is how many operations of a worker are in flight.
const window = 64

// TestKill kills servers under load and looks at what is left.
func TestKill(t *testing.T) {
	path := build(t)
	if *seed == 0 {
		*seed = uint64(time.Now().UnixNano())
	}
	t.Logf("seed %d", *seed)
	rnd := rand.New(rand.NewPCG(*seed, 0))
	dir := t.TempDir()
	workers := make([]*Worker, 4)
	for i := range workers {
		workers[i] = NewWorker(i+1, *seed)
	}
	modes := []string{"write", "write", "write", "fsync"}
	var load time.Duration
	for round := range *kills {
		options := fmt.Sprintf("wal_mode = '%s', wal_max_size = %d", modes[rnd.IntN(len(modes))], 4096<<rnd.IntN(12))
		script := fmt.Sprintf(configure, options, Schema) + snapshots
		if rnd.IntN(4) == 0 { // in the middle of a start
			s := start(t, path, dir, script)
			time.Sleep(time.Duration(rnd.IntN(40)) * time.Millisecond)
			s.Kill()
		}
		s := start(t, path, dir, script)
		compareAll(t, s, workers)
		if t.Failed() {
			t.Fatalf("after %d kills; the directory is kept in %s; the server says:\n%s", round, keep(t, dir), s.Output())
		}
		d := time.Duration(rnd.IntN(300)) * time.Millisecond
		load += d
		loadAndKill(t, s, workers, d)
		report, err := xlog.CheckDir(vfs.OS, dir)
		if err != nil {
			t.Fatal(err)
		}
		if !report.OK() {
			_ = report.Print(os.Stderr)
			t.Fatalf("the files are damaged after %d kills; they are kept in %s", round+1, keep(t, dir))
		}
	}
	s := start(t, path, dir, fmt.Sprintf(configure, "checkpoint_interval = 0", Schema))
	defer s.Kill()
	compareAll(t, s, workers)
	total := uint64(0)
	for _, w := range workers {
		total += w.Acked()
	}
	if total == 0 {
		t.Error("nothing was acknowledged")
	}
	t.Logf("%d kills, %d operations acknowledged in %v under load", *kills, total, load)
}

func start(t *testing.T, path, dir, script string) *peer.Server {
	t.Helper()
	s, err := peer.Start(peer.Options{Binary: path, Dir: dir, Script: script})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// dial connects when the script has come to its end.
func dial(t *testing.T, s *peer.Server) *peer.Conn {
	t.Helper()
	c, err := s.Dial(patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, err = c.Eval("return disagreements and 1 or error('not yet')"); err == nil {
			return c
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server is not ready: %v\n%s", err, s.Output())
		}
	}
}

// keep moves a directory to where it outlives the test.
func keep(t *testing.T, dir string) string {
	t.Helper()
	to, err := os.MkdirTemp("", "crash")
	if err == nil {
		err = os.CopyFS(to, os.DirFS(dir))
	}
	if err != nil {
		t.Error(err)
	}
	return to
}

// compareAll looks whether a server has what the workers know of.
func compareAll(t *testing.T, s *peer.Server, workers []*Worker) {
	t.Helper()
	c := dial(t, s)
	for _, w := range workers {
		found, err := w.Contents(c)
		if err == nil {
			err = w.Found(found)
		}
		if err != nil {
			t.Error(err)
		}
	}
	list, err := c.Call("disagreements")
	if err != nil {
		t.Fatal(err)
	}
	if wrong, ok := list[0].([]any); !ok || len(wrong) > 0 {
		t.Errorf("indexes disagree: %v", list)
	}
}

// loadAndKill has all workers write to a server until it is killed.
func loadAndKill(t *testing.T, s *peer.Server, workers []*Worker, d time.Duration) {
	t.Helper()
	var wg sync.WaitGroup
	for _, w := range workers {
		c, err := s.Dial(patience)
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			defer func() { _ = c.Close() }()
			if err := load(w, c); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(d)
	s.Kill()
	wg.Wait()
}

// load sends operations until the connection breaks. Errors that the server answers are errors.
func load(w *Worker, c *peer.Conn) error {
	var packets []byte
	for {
		packets = packets[:0]
		for w.Open() < window {
			packets = w.Operation(packets)
		}
		if c.Send(packets) != nil {
			// What was sent of it may have been executed all the same.
			for {
				a, err := c.Receive()
				if err != nil {
					return nil
				}
				if a.Err == nil {
					w.Ack(a.Sync)
				}
			}
		}
		for range 1 + w.rnd.IntN(w.Open()) {
			a, err := c.Receive()
			if err != nil {
				return nil
			}
			if a.Err != nil {
				return fmt.Errorf("operation %d of worker %d: %w", a.Sync, w.ID, a.Err)
			}
			w.Ack(a.Sync)
		}
	}
}

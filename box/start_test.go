package box

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/vfs"
)

// open starts a database in a directory.
func open(t *testing.T, cfg Config) (*world, error) {
	t.Helper()
	if cfg.MemtxDir == "" {
		cfg.MemtxDir = "data"
		if err := cfg.FS.Mkdir("data"); err != nil {
			t.Fatal(err)
		}
	}
	b := New(cfg)
	t.Cleanup(b.Cord.Stop)
	b.Cord.Lock()
	defer b.Cord.Unlock()
	if err := b.Start(); err != nil {
		return nil, err
	}
	return &world{TB: t, b: b, c: b.NewCtx(b.NewSession(SessionBackground))}, nil
}

func mustOpen(t *testing.T, cfg Config) *world {
	t.Helper()
	w, err := open(t, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// under runs f under the cord's lock and waits for what it has committed.
func (w *world) under(f func()) {
	w.Helper()
	ticket := func() Ticket {
		w.b.Cord.Lock()
		defer w.b.Cord.Unlock() // also when f ends the test
		f()
		return w.c.Ticket
	}()
	if err := ticket.Wait(); err != nil {
		w.Error(err)
	}
}

// contents shows all rows of a space.
func (w *world) contents(space string) string {
	w.Helper()
	w.b.Cord.Lock()
	defer w.b.Cord.Unlock()
	sp := w.b.SpaceByName(space)
	if sp == nil {
		return "no space"
	}
	list, err := w.b.Select(w.c, &SelectRequest{Space: sp.ID, Iterator: index.ALL, Limit: 1000}, nil)
	if err != nil {
		return failure(err)
	}
	var out []string
	for _, t := range list {
		out = append(out, t.String())
	}
	return strings.Join(out, " ")
}

func (w *world) expect(space, want string) {
	w.Helper()
	if got := w.contents(space); got != want {
		w.Errorf("%s:\n got %s\nwant %s", space, got, want)
	}
}

func fill(w *world) {
	w.Helper()
	w.under(func() {
		if _, err := w.b.CreateSpace(w.c, "t", SpaceSpec{}); err != nil {
			w.Fatal(err)
		}
		if _, err := w.b.CreateIndex(w.c, 512, "pk", IndexSpec{Sequence: &SequenceSpec{}}); err != nil {
			w.Fatal(err)
		}
		if _, err := w.b.CreateSpace(w.c, "notes", SpaceSpec{Options: SpaceOptions{Local: true}}); err != nil {
			w.Fatal(err)
		}
		if _, err := w.b.CreateIndex(w.c, 513, "pk", IndexSpec{}); err != nil {
			w.Fatal(err)
		}
		w.script(`
			insert t [null, "a"] -> [1, "a"]
			begin
			insert t [null, "b"] -> [2, "b"]
			insert notes [7] -> [7]
			update t [1] [["=", 1, "z"]] -> [1, "z"]
			commit
			insert t [9, "gone"] -> [9, "gone"]
			delete t [9] -> [9, "gone"]
		`)
	})
}

func TestRestart(t *testing.T) {
	for _, test := range []struct {
		name       string
		checkpoint bool
		end        func(w *world, disk *vfs.Mem) *vfs.Mem
	}{
		{"after a clean end", false, func(w *world, disk *vfs.Mem) *vfs.Mem {
			if err := w.b.Close(); err != nil {
				w.Error(err)
			}
			return disk
		}},
		{"after a checkpoint and a clean end", true, func(w *world, disk *vfs.Mem) *vfs.Mem {
			if err := w.b.Close(); err != nil {
				w.Error(err)
			}
			return disk
		}},
		{"after a power cut", false, func(w *world, disk *vfs.Mem) *vfs.Mem { return disk.CrashClone(1) }},
		{"after a checkpoint and a power cut", true, func(w *world, disk *vfs.Mem) *vfs.Mem { return disk.CrashClone(1) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			disk := vfs.NewMem()
			cfg := Config{FS: disk, WALMode: "fsync"}
			w := mustOpen(t, cfg)
			uuid, set := w.b.InstanceUUID(), w.b.ReplicasetUUID()
			fill(w)
			if test.checkpoint {
				done := make(chan error, 1)
				w.b.Cord.Lock()
				w.b.Checkpoint(func(err error) { done <- err })
				w.b.Checkpoint(func(err error) {
					if !boxerr.Is(err, boxerr.CheckpointInProgress) {
						t.Error(err)
					}
				})
				w.b.Cord.Unlock()
				if err := <-done; err != nil {
					t.Fatal(err)
				}
			}
			w.under(func() { w.script(`insert t [null, "late"] -> [10, "late"]`) })
			vclock := w.b.VClock()
			cfg.FS = test.end(w, disk)
			w = mustOpen(t, cfg)
			w.expect("t", `[1, "z"] [2, "b"] [10, "late"]`)
			w.expect("notes", `[7]`)
			if w.b.VClock() != vclock {
				t.Errorf("vclock %v, want %v", w.b.VClock(), vclock)
			}
			if w.b.InstanceUUID() != uuid || w.b.ReplicasetUUID() != set || w.b.InstanceID() != 1 {
				t.Error("another identity")
			}
			w.under(func() { w.script(`insert t [null, "on"] -> [11, "on"]`) })
			if _, err := open(t, cfg); !boxerr.Is(err, boxerr.AlreadyRunning) {
				t.Errorf("a directory was opened twice: %v", err)
			}
			if err := w.b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestReadOnlyBootstrap(t *testing.T) {
	disk := vfs.NewMem()
	if _, err := open(t, Config{FS: disk, ReadOnly: true}); !boxerr.Is(err, boxerr.BootstrapReadonly) {
		t.Error(err)
	}
	if _, err := open(t, Config{FS: disk}); err != nil {
		t.Errorf("the failed start left something: %v", err)
	}
}

// TestReferenceDirectories opens directories that the reference has written.
func TestReferenceDirectories(t *testing.T) {
	for _, test := range []struct {
		dir  string
		want map[string]string
	}{
		{"tarantool-3.2.1/sync-and-nop", map[string]string{
			"odd":  `[1, "changed by the trigger"] [2, "stay"] [3, "c"] [4, "both"] [6, "second start"]`,
			"sync": `[1, "confirmed", "again"] [2, "both"] [5, "after the rollback"]`,
		}},
		{"tarantool-3.2.1/snapshot-and-logs", map[string]string{
			"accounts":    `["ann", 30] ["bob", 5000, "end"] ["dan", 405, "upserted"] ["eve", -3, [1, 2, {"x": "y"}]] ["fay", 607, "aXYZZYef"] ["ivy", 1]`,
			"local_notes": `[2, "moved 70"]`,
			"cleared":     `[100]`,
			"scratch":     ``,
		}},
		{"tarantool-3.2.1/logs-only", nil},
		{"tarantool-3.2.1/snapshot-only", nil},
		{"tarantool-3.2.1/compressed", nil},
		{"tarantool-3.2.1/access", map[string]string{"things": `[100, "first"] [110, "second"] [130, "third"]`}},
		{"tarantool-3.2.1/torn-tail", map[string]string{
			"t": `[1, "whole row 1"] [2, "whole row 2"] [3, "whole row 3"] [4, "whole row 4"] [5, "whole row 5"]`,
		}},
	} {
		t.Run(test.dir, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "xlog", "testdata", filepath.FromSlash(test.dir)))); err != nil {
				t.Fatal(err)
			}
			w := mustOpen(t, Config{MemtxDir: dir})
			for space, want := range test.want {
				w.expect(space, want)
			}
			if strings.Contains(test.dir, "sync") {
				if ro, why := w.b.ReadOnly(); !ro || why != "synchro" || w.b.LSN() != 26 {
					t.Errorf("read-only: %v %s, lsn %d", ro, why, w.b.LSN())
				}
				w.under(w.b.Promote)
				w.under(func() { w.script(`insert sync [100] -> [100]`) })
			}
			if err := w.b.Close(); err != nil {
				t.Error(err)
			}
			again := mustOpen(t, Config{MemtxDir: dir})
			if err := again.b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestCheckpointByThreshold(t *testing.T) {
	w := mustOpen(t, Config{FS: vfs.NewMem(), CheckpointWALThreshold: 1})
	retention := w.b.Retention()
	fill(w)
	// The checkpoint is asked for by a function on the cord, and is made behind it.
	for len(retention.Checkpoints()) < 2 {
		w.under(func() { w.do(`insert t [null]`) })
	}
	if err := w.b.Close(); err != nil {
		t.Error(err)
	}
}

// TestAwaitJournal lets more wait for the journal than may.
func TestAwaitJournal(t *testing.T) {
	w := mustOpen(t, Config{FS: vfs.NewMem(), WALQueueMaxSize: 1})
	fill(w)
	w.b.Cord.Lock()
	defer w.b.Cord.Unlock()
	w.script(`insert t [20, "x"] -> [20, "x"]`)
	ticket := w.c.Ticket
	if ticket.Done() {
		t.Error("nothing waits for the journal")
	}
	w.b.AwaitJournal()
	if !ticket.Done() {
		t.Error("more waits for the journal than may")
	}
}

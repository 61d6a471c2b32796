package box

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDirectoriesOfServers opens copies of directories that real servers wrote.
func TestDirectoriesOfServers(t *testing.T) {
	const fixtures = "../xlog/testdata"
	tests := []struct {
		dir  string
		want map[string]int // how many tuples the spaces have
		old  bool           // wants an upgrade before the schema is changed
	}{
		{"tarantool-3.2.1/snapshot-only", map[string]int{"animals": 9, "hashed": 40, "no_index": 0, "empty": 0}, false},
		{"tarantool-3.2.1/access", map[string]int{"things": 3}, false},
		{"tarantool-3.2.1/compressed", map[string]int{"big": 352}, false},
		{"tarantool-2.6.0/snapshot-only", map[string]int{"animals": 9, "hashed": 40, "no_index": 0, "empty": 0}, true},
		{"tarantool-2.6.0/access", map[string]int{"things": 3}, true},
		{"tarantool-2.6.0/logs-only", map[string]int{"events": 20, "last": 1}, true},
		{"tarantool-2.6.0/snapshot-and-logs", map[string]int{"accounts": 6, "local_notes": 1, "cleared": 1, "scratch": 0}, true},
	}
	for _, test := range tests {
		t.Run(test.dir, func(t *testing.T) {
			dir := t.TempDir()
			files, err := os.ReadDir(filepath.Join(fixtures, test.dir))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range files {
				data, err := os.ReadFile(filepath.Join(fixtures, test.dir, f.Name()))
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, f.Name()), data, 0o644)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			b, err := Open(Config{MemtxDir: dir, WALDir: dir})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Cord.Stop()
			defer b.Close()
			b.Cord.Lock()
			defer b.Cord.Unlock()
			d := &ddl{t, b, b.NewCtx(b.NewSession(SessionBackground))}
			for name, n := range test.want {
				if s := b.SpaceByName(name); s == nil || s.Mem.Len(nil) != n {
					t.Errorf("space %s: want %d tuples", name, n)
				}
			}
			if test.old {
				_, err := b.CreateSpace(d.c, "new", SpaceSpec{})
				if err == nil || !strings.HasPrefix(err.Error(), "Your schema version is 2.") {
					t.Errorf("a space in the directory of an old release: %v", err)
				}
			}
			d.want(b.UpgradeSchema(d.c), "")
			d.insert(d.space("new"), `[1]`)
			d.user("somebody")
			_, err = b.CreateFunction(d.c, "f", FuncSpec{})
			d.want(err, "")
		})
	}
}

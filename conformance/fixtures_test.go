package conformance

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestSQLFixture opens the directory that was filled with SQL. Its own script goes on with SQL, but what the tables and
// indexes are like has to be known without.
func TestSQLFixture(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a server")
	}
	dir, err := filepath.Abs(filepath.Join(root, "fixtures", "tarantool-3.2.1", "sql"))
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := os.ReadFile(filepath.Join(dir, "expect.out"))
	if err != nil {
		t.Fatal(err)
	}
	want, _, found := strings.Cut(string(recorded), "SELECT")
	if !found {
		t.Fatal("no statement in what was recorded")
	}
	script := filepath.Join(t.TempDir(), "open.lua")
	text := "local d = dofile(os.getenv('CASE_DIR') .. '/../../_dump.lua')\nd.open()\nd.schema()\nos.exit(0)\n"
	if err := os.WriteFile(script, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r := &Runner{Binary: build(t)}
	cmd := r.command(ctx, t.TempDir(), script)
	cmd.Env = append(cmd.Env, "CASE_DIR="+dir)
	got, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := difference(want, string(got)); diff != "" {
		t.Error(diff)
	}
}

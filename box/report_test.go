package box

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/vfs"
)

// TestReport reads what a database logs of its start and of a checkpoint.
func TestReport(t *testing.T) {
	var text bytes.Buffer
	log := slog.New(slog.NewTextHandler(&text, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.MessageKey {
			return a
		}
		return slog.Attr{}
	}}))
	expect := func(lines ...string) {
		t.Helper()
		got := text.String()
		text.Reset()
		for _, line := range lines {
			_, rest, found := strings.Cut(got, line)
			if !found {
				t.Errorf("no line %q in order in\n%s", line, got)
				return
			}
			got = rest
		}
	}
	disk := vfs.NewMem()
	w := mustOpen(t, Config{FS: disk, Log: log})
	expect("initializing an empty data directory", "saving snapshot `data/00000000000000000000.snap.inprogress'", "done",
		"ready to accept requests")
	fill(w)
	w.under(func() {
		if _, err := w.b.CreateIndex(w.c, 512, "text", IndexSpec{Keys: []Part{{Field: 1, Type: "string"}}}); err != nil {
			t.Fatal(err)
		}
	})
	if err := w.b.Close(); err != nil {
		t.Fatal(err)
	}
	w = mustOpen(t, Config{FS: disk, Log: log})
	expect("instance uuid "+w.b.InstanceUUID(), "instance vclock {}", "recovering from `data/00000000000000000000.snap'",
		"recover from `data/00000000000000000000.xlog'", "done `data/00000000000000000000.xlog'",
		"Building secondary indexes in space 't'", "Adding 2 keys to TREE index 'text'", "Space 't': done",
		"ready to accept requests")
	w.b.Cord.Lock()
	defer w.b.Cord.Unlock()
	w.script(`
		get t/text ["b"] -> [2, "b"]
		delete t [2] -> [2, "b"]
		get t/text ["b"] -> nothing
	`)
}

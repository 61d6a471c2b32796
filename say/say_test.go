package say

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

func TestPlainLines(t *testing.T) {
	tests := []struct {
		name string
		log  func(*slog.Logger)
		want string // behind the time; empty for no line
	}{
		{"information", func(l *slog.Logger) { l.Info("started", "port", 3301) }, ` main I> started port=3301`},
		{"debug is off", func(l *slog.Logger) { l.Debug("x") }, ""},
		{"critical", func(l *slog.Logger) { l.Log(t.Context(), LevelCrit, "bad") }, ` main C> bad`},
		{"an error", func(l *slog.Logger) { l.Error("failed", "error", errors.New("no room")) }, ` main E> failed error="no room"`},
		{"fiber and source", func(l *slog.Logger) { l.With(KeyFiber, "main/103/lua", KeySource, "a.lua:7").Warn("hm") }, ` main/103/lua a.lua:7 W> hm`},
		{"a group", func(l *slog.Logger) { l.WithGroup("net").Info("in", "bytes", 5) }, ` main I> in net.bytes=5`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var out bytes.Buffer
			test.log(slog.New(New(&out).Handler()))
			head := regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \[\d+\]`)
			got := strings.TrimSuffix(head.ReplaceAllString(out.String(), ""), "\n")
			if got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestJSONLines(t *testing.T) {
	var out bytes.Buffer
	l := New(&out)
	l.SetJSON(true)
	slog.New(l.Handler()).Warn(`"quoted"`, "error", errors.New("e"), "n", 7)
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got["level"] != "WARN" || got["message"] != `"quoted"` || got["error"] != "e" || got["n"] != 7.0 {
		t.Error(got)
	}
}

func TestDestinations(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.log")
	for _, destination := range []string{path, "file:" + path, "|cat >> " + path, "pipe:cat >> " + path} {
		l := New(os.Stderr)
		if err := l.Open(destination); err != nil {
			t.Fatal(err)
		}
		slog.New(l.Handler()).Info("line")
		l.Close()
	}
	text, err := os.ReadFile(path)
	if err != nil || strings.Count(string(text), "line\n") != 4 {
		t.Errorf("%q %v", text, err)
	}
	if New(os.Stderr).Open(t.TempDir()) == nil {
		t.Error("a folder is no destination")
	}
}

func TestLevelByName(t *testing.T) {
	for text, want := range map[string]slog.Level{"5": slog.LevelInfo, "verbose": LevelVerbose, "0": LevelFatal, "debug": slog.LevelDebug} {
		if got, ok := LevelByName(text); !ok || got != want {
			t.Errorf("%s: %v %v", text, got, ok)
		}
	}
	if _, ok := LevelByName("loud"); ok {
		t.Error("loud is no level")
	}
}

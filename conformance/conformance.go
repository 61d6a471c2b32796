// Package conformance runs the recorded cases: what a Tarantool 3.2.1 server answered to scripts and to packets, which
// Lycosa has to answer too. testdata/conformance/README.md in the module's root describes the two kinds of case.
//
// Runner is the main type: it plays one case against a server binary and returns how the answers differ. The cases that
// are known to fail stand in known_failures.txt beside the test; the list may only shrink.
package conformance

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"time"
)

// Runner plays cases against a server.
type Runner struct {
	// Binary is the server, run as: BINARY script.lua [phase].
	Binary string
	// Timeout bounds one run of the server.
	Timeout time.Duration
	// Patience is how long an expected answer may take, Silence how long to wait where none may come.
	Patience, Silence time.Duration
}

// Cases lists the cases below root, as paths relative to it.
func Cases(root string) ([]string, error) {
	var list []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name := d.Name()
		if strings.HasSuffix(name, ".wire") || strings.HasSuffix(name, ".lua") && !strings.HasPrefix(name, "_") {
			rel, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			list = append(list, filepath.ToSlash(rel))
		}
		return nil
	})
	return list, err
}

// Run plays the case in a directory of its own, which must be empty, and returns the first lines that differ; nothing
// when the server answers as recorded.
func (r *Runner) Run(path, dir string) (difference string, err error) {
	if strings.HasSuffix(path, ".wire") {
		return r.runWire(path, dir)
	}
	return r.runScript(path, dir)
}

// shownLines is how many lines that differ are shown.
const shownLines = 6

// difference shows the first lines in which got is not what was recorded.
func difference(want, got string) string {
	if want == got {
		return ""
	}
	a, b := strings.Split(want, "\n"), strings.Split(got, "\n")
	line := func(list []string, i int) string {
		if i < len(list) {
			return list[i]
		}
		return "(no line)"
	}
	var out strings.Builder
	shown := 0
	for i := 0; i < max(len(a), len(b)) && shown < shownLines; i++ {
		if w, g := line(a, i), line(b, i); w != g {
			fmt.Fprintf(&out, "line %d\n  want: %s\n  got:  %s\n", i+1, w, g)
			shown++
		}
	}
	return out.String()
}

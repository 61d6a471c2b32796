package conformance

import (
	"bufio"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	serverPath = flag.String("binary", "", "the server to test instead of the one built from this module")
	only       = flag.String("only", "", "run the cases whose path matches this regular expression")
)

const root = "../testdata/conformance"

// knownFailures reads the cases that are known to fail, one a line.
func knownFailures(t *testing.T) map[string]bool {
	f, err := os.Open("known_failures.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	list := map[string]bool{}
	for s := bufio.NewScanner(f); s.Scan(); {
		if line := strings.TrimSpace(s.Text()); line != "" && !strings.HasPrefix(line, "#") {
			list[line] = true
		}
	}
	return list
}

// build makes the server that is tested.
func build(t *testing.T) string {
	if *serverPath != "" {
		path, err := filepath.Abs(*serverPath)
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

// skipped are the parts of the recorded cases that nothing here serves yet; the features are named in the README.
var skipped = regexp.MustCompile(`^(lua|wire|fixtures/[^/]+)/sql/`)

func TestRecordedCases(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a server a case")
	}
	known := knownFailures(t)
	cases, err := Cases(root)
	if err != nil {
		t.Fatal(err)
	}
	match, err := regexp.Compile(*only)
	if err != nil {
		t.Fatal(err)
	}
	r := &Runner{Binary: build(t), Timeout: 60 * time.Second, Patience: 10 * time.Second, Silence: time.Second}
	for _, name := range cases {
		if !match.MatchString(name) || skipped.MatchString(name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, err := os.MkdirTemp("", "case") // short, for the path of a unix socket
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = os.RemoveAll(dir) }()
			diff, err := r.Run(filepath.Join(root, filepath.FromSlash(name)), dir)
			switch {
			case err != nil:
				t.Fatal(err)
			case diff != "" && known[name]:
				t.Skip("known to fail")
			case diff != "":
				t.Errorf("%s", diff)
			case known[name]:
				t.Errorf("passes: take it off known_failures.txt")
			}
		})
	}
}

func TestNotation(t *testing.T) {
	tests := []string{
		`{0x00: 64, 0x01: 1}`,
		`{0x00: 1, 0x01: 2} {0x10: 512, 0x20: [1, -5, 1.5, 2.5f, true, nil, "t\"x", h'00ff']}`,
		`{0x00: 0} {0x30: [ext(2, h'000102030405060708090a0b0c0d0e0f'), ext(99, h'010203')]}`,
	}
	for _, text := range tests {
		b, err := ParseValues(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := FormatPacket(b); got != text {
			t.Errorf("got  %s\nwant %s", got, text)
		}
	}
	for _, text := range []string{`{`, `[1 2]`, `h'0`, `ext(1)`, `"x`, `word`} {
		if _, err := ParseValues(text); err == nil {
			t.Errorf("%s is no value", text)
		}
	}
}

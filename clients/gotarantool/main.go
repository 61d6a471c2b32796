// Command gotarantool runs the own tests of the Go client go-tarantool against a build of the server.
//
//	go run ./clients/gotarantool -server bin/lycosa [-v] [package...]
//
// It downloads the client's module, copies it to a temporary directory, puts the server there under the name
// `tarantool`, and runs the tests, which start servers by that name with scripts of their own. It prints how many
// tests pass, and which fail. The file expected.txt names the tests that are known to fail, and why; the exit code
// is 1 when others do, or when one of these passes.
//
// The client's tests listen on fixed ports from 3013 on, so two runs at a time disturb each other.
package main

import (
	_ "embed"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const module = "github.com/tarantool/go-tarantool/v2@v2.4.1"

// packages are those of the module whose tests need nothing but the server. The others need modules in Lua that are
// distributed apart from it.
var packages = []string{".", "arrow", "box", "datetime", "decimal", "pool", "settings", "uuid"}

//go:embed expected.txt
var expectedText string

// expected returns the tests that are known to fail, as "package Test", with the reasons.
func expected() map[string]string {
	known := make(map[string]string)
	for line := range strings.Lines(expectedText) {
		name, reason, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if ok && !strings.HasPrefix(line, "#") {
			known[name] = reason
		}
	}
	return known
}

func main() {
	server := flag.String("server", "bin/lycosa", "the server's binary")
	verbose := flag.Bool("v", false, "print what the tests print that fail, and which are skipped")
	flag.Parse()
	if flag.NArg() > 0 {
		packages = flag.Args()
	}
	ok, err := test(*server, *verbose)
	if err != nil {
		fmt.Fprintln(os.Stderr, "gotarantool:", err)
		os.Exit(2)
	}
	if !ok {
		os.Exit(1)
	}
}

// test runs the tests and prints the outcome. ok is false when it is not what is expected.
func test(server string, verbose bool) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "gotarantool")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := install(server, filepath.Join(dir, "bin")); err != nil {
		return false, err
	}
	source := filepath.Join(dir, "src")
	if err := download(source); err != nil {
		return false, err
	}
	env := append(os.Environ(),
		"PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"), "TMPDIR="+dir, "GOFLAGS=-mod=mod")
	known := expected()
	ok = true
	var all tally
	for _, pkg := range packages {
		r := &runner{dir: source, env: env, pkg: pkg}
		outcome, err := r.run()
		if err != nil {
			return false, err
		}
		var one tally
		for _, name := range outcome.names() {
			t := outcome[name]
			one.add(t.state)
			reason, isKnown := known[pkg+" "+name]
			switch {
			case t.state == failed && isKnown:
				fmt.Printf("    fails as expected: %s %s: %s\n", pkg, name, reason)
			case t.state == failed:
				ok = false
				fmt.Printf("    FAILS: %s %s\n", pkg, name)
				if verbose {
					fmt.Print(t.output.String())
				}
			case t.state == passed && isKnown:
				ok = false
				fmt.Printf("    PASSES, though it is in expected.txt: %s %s\n", pkg, name)
			case t.state == skipped && verbose:
				fmt.Printf("    skipped: %s %s\n%s", pkg, name, t.output.String())
			}
		}
		fmt.Printf("%-10s %s\n", pkg, one)
		all.join(one)
	}
	fmt.Println("go-tarantool:", all)
	return ok, nil
}

// tally counts tests by their state.
type tally [skipped + 1]int

func (t *tally) add(s state) { t[s]++ }

func (t *tally) join(u tally) {
	for i, n := range u {
		t[i] += n
	}
}

func (t tally) String() string {
	text := fmt.Sprintf("%d of %d", t[passed], t[passed]+t[failed])
	if t[skipped] > 0 {
		text += fmt.Sprintf(" (%d skip themselves)", t[skipped])
	}
	return text
}

// install puts the server in a directory under the name that the tests know.
func install(server, dir string) error {
	path, err := filepath.Abs(server)
	if err != nil {
		return err
	}
	if _, err := os.Stat(path); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.Symlink(path, filepath.Join(dir, "tarantool"))
}

// download copies the client's module to a directory, where its tests may write.
func download(to string) error {
	cmd := exec.Command("go", "mod", "download", "-json", module)
	cmd.Dir, cmd.Stderr = os.TempDir(), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go mod download: %w", err)
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(out, &found); err != nil {
		return err
	}
	return os.CopyFS(to, os.DirFS(found.Dir))
}

// names returns the names of tests in their order.
func (o outcome) names() []string {
	var names []string
	for name := range o {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

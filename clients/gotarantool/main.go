// Command gotarantool runs the own tests of the Go client go-tarantool against a build of the server.
//
//	go run ./clients/gotarantool -server bin/lycosa [-v] [v1|v2 [package...]]
//
// For each of the client's two major releases it downloads the module, copies it to a temporary directory, puts the
// server there under the name `tarantool`, and runs the tests, which start servers by that name with scripts of their
// own. It prints how many tests pass, and which fail. The file expected.txt names the tests that are known to fail, and
// why; the exit code is 1 when others do, or when one of these passes.
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

// release is a major release of the client.
type release struct {
	name, module string
	// packages are those whose tests need nothing but the server. The others need modules in Lua that are distributed
	// apart from it.
	packages []string
}

var releases = []release{
	{"v1", "github.com/tarantool/go-tarantool@v1.12.2", []string{
		".", "connection_pool", "datetime", "decimal", "multi", "settings", "uuid"}},
	{"v2", "github.com/tarantool/go-tarantool/v2@v2.4.1", []string{
		".", "arrow", "box", "datetime", "decimal", "pool", "settings", "uuid"}},
}

//go:embed expected.txt
var expectedText string

// noTests stands for a test in expected.txt where a whole package skips itself.
const noTests = "-"

// expected returns the tests that are known to fail, as "release package test", with the reasons.
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
	verbose := flag.Bool("v", false, "name the tests that fail as expected, too, and those that skip themselves")
	flag.Parse()
	if flag.NArg() > 0 {
		releases = slices.DeleteFunc(releases, func(r release) bool { return r.name != flag.Arg(0) })
	}
	if len(releases) == 0 {
		fail(fmt.Errorf("%s is none of the releases", flag.Arg(0)))
	}
	if flag.NArg() > 1 {
		releases[0].packages = flag.Args()[1:]
	}
	allOK := true
	for _, r := range releases {
		ok, err := r.test(*server, *verbose)
		if err != nil {
			fail(err)
		}
		allOK = allOK && ok
	}
	if !allOK {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "gotarantool:", err)
	os.Exit(2)
}

// test runs the tests of a release and prints the outcome. ok is false when it is not what is expected.
func (r release) test(server string, verbose bool) (ok bool, err error) {
	dir, err := os.MkdirTemp("", "gotarantool")
	if err != nil {
		return false, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := install(server, filepath.Join(dir, "bin")); err != nil {
		return false, err
	}
	source := filepath.Join(dir, "src")
	if err := download(r.module, source); err != nil {
		return false, err
	}
	env := append(os.Environ(),
		"PATH="+filepath.Join(dir, "bin")+string(os.PathListSeparator)+os.Getenv("PATH"), "TMPDIR="+dir, "GOFLAGS=-mod=mod -trimpath")
	known := expected()
	fmt.Println(r.module)
	ok = true
	var all tally
	for _, pkg := range r.packages {
		prefix := r.name + " " + pkg + " "
		isKnown := func(test string) bool { return known[prefix+test] != "" }
		outcome, err := (&runner{dir: source, env: env, pkg: pkg, last: isKnown}).run()
		if err != nil {
			return false, err
		}
		var one tally
		for _, name := range outcome.names() {
			t := outcome[name]
			one.add(t.state)
			switch {
			case t.state == failed && isKnown(name):
				if verbose {
					fmt.Printf("    fails as expected: %s: %s\n", name, known[prefix+name])
				}
			case t.state == failed:
				ok = false
				fmt.Printf("    FAILS: %s\n%s", name, strings.Join(t.output, ""))
			case t.state == passed && isKnown(name):
				ok = false
				fmt.Printf("    PASSES, though it is in expected.txt: %s\n", name)
			case t.state == skipped && verbose:
				fmt.Printf("    skips itself: %s\n%s", name, strings.Join(t.output, ""))
			}
		}
		if reason := known[prefix+noTests]; len(outcome) == 0 && reason != "" {
			fmt.Printf("    %-15s skips itself: %s\n", pkg, reason)
			continue
		} else if (len(outcome) == 0) != (reason != "") {
			ok = false
		}
		fmt.Printf("    %-15s %s\n", pkg, one)
		all.join(one)
	}
	fmt.Printf("    %-15s %s\n", "all", all)
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

// download copies a module to a directory, where its tests may write.
func download(module, to string) error {
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

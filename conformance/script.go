package conformance

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// phases is how a script says that it is run several times in the same directory.
var phases = regexp.MustCompile(`(?m)^-- phases: (\d+)`)

// runScript runs a .lua case once a phase; standard output must be what the .out file beside it holds.
func (r *Runner) runScript(path, dir string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	source, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	want, err := os.ReadFile(strings.TrimSuffix(path, ".lua") + ".out")
	if err != nil {
		return "", err
	}
	runs := 1
	if m := phases.FindSubmatch(source); m != nil {
		if runs, err = strconv.Atoi(string(m[1])); err != nil {
			return "", err
		}
	}
	var out, last bytes.Buffer
	for phase := 1; phase <= runs; phase++ {
		if runs > 1 {
			fmt.Fprintf(&out, "== phase %d\n", phase)
		}
		last.Reset()
		ctx, cancel := context.WithTimeout(context.Background(), r.Timeout)
		cmd := r.command(ctx, dir, path, strconv.Itoa(phase))
		cmd.Env = append(cmd.Env, "CASE_DIR="+filepath.Dir(path))
		cmd.Stdout, cmd.Stderr = &out, &last
		err := cmd.Run()
		switch {
		case ctx.Err() != nil:
			fmt.Fprintln(&out, "== timed out")
		case err != nil:
			fmt.Fprintf(&out, "== %v\n", err)
		}
		cancel()
	}
	diff := difference(string(want), out.String())
	if diff != "" && last.Len() > 0 {
		diff += "standard error:\n" + lastLines(last.String(), 5)
	}
	return diff, nil
}

// command is a run of the server in dir.
func (r *Runner) command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, r.Binary, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "TZ=UTC")
	cmd.WaitDelay = time.Second
	return cmd
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n") + "\n"
}

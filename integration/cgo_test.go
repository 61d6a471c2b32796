package integration

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// TestWithoutCgo builds all packages that don't run Lua without cgo, and looks whether one has come to need it.
func TestWithoutCgo(t *testing.T) {
	const module = "github.com/lycosadb/lycosa"
	out, err := exec.Command("go", "list", "-f", "{{.ImportPath}} {{.Deps}}", module+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	var pure, needing []string
	for line := range strings.Lines(string(out)) {
		path, deps, _ := strings.Cut(line, " ")
		name := strings.TrimPrefix(path, module+"/")
		if name == "internal/luajit" || strings.Contains(deps, module+"/internal/luajit") {
			needing = append(needing, name)
		} else {
			pure = append(pure, path)
		}
	}
	if want := []string{"cmd/lycosa", "internal/luajit", "lua"}; !slices.Equal(needing, want) {
		t.Errorf("LuaJIT is needed by %v, want %v only", needing, want)
	}
	cmd := exec.Command("go", append([]string{"build"}, pure...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

package xlog

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/vfs"
)

// copyFixture returns a file system with the files of a fixture in "/".
func copyFixture(t *testing.T, name string) *vfs.Mem {
	t.Helper()
	m := vfs.NewMem()
	paths, err := filepath.Glob("testdata/" + name + "/*")
	if err != nil || len(paths) == 0 {
		t.Fatal(name, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		write(t, m, "/"+filepath.Base(path), data)
	}
	return m
}

func write(t *testing.T, m *vfs.Mem, name string, data []byte) {
	t.Helper()
	m.Remove(name)
	f, err := m.Create(name)
	if err == nil {
		_, err = f.Write(data)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func contents(t *testing.T, m *vfs.Mem, name string) []byte {
	t.Helper()
	f, err := m.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	size, _ := f.Size()
	data := make([]byte, size)
	if _, err := f.ReadAt(data, 0); err != nil {
		t.Fatal(err)
	}
	return data
}

func TestCheckDirOfFixtures(t *testing.T) {
	dirs, err := filepath.Glob("testdata/tarantool-*/*")
	if err != nil || len(dirs) != 15 {
		t.Fatal(dirs, err)
	}
	for _, dir := range dirs {
		r, err := CheckDir(vfs.OS, dir)
		if err != nil || !r.OK() {
			t.Errorf("%s: %v, %+v", dir, err, r)
		}
	}
	r, err := CheckDir(vfs.OS, "testdata/tarantool-3.2.1/torn-tail")
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	golden(t, "print/check.txt", b.String())
	if _, err := CheckDir(vfs.OS, "testdata/nowhere"); err == nil {
		t.Error("a directory that isn't there is fine")
	}
}

func TestCheckDirFinds(t *testing.T) {
	const first, second, third = "/00000000000000000000.xlog", "/00000000000000000022.xlog", "/00000000000000000031.xlog"
	const snap = "/00000000000000000000.snap"
	for _, c := range []struct {
		name   string
		break_ func(t *testing.T, m *vfs.Mem)
		want   string
	}{
		{"a log is missing", func(t *testing.T, m *vfs.Mem) { m.Remove(second) },
			"Missing .xlog file between LSN 22 {1: 22} and 31 {1: 31}: 00000000000000000031.xlog does not follow 00000000000000000000.xlog"},
		{"the first log is missing", func(t *testing.T, m *vfs.Mem) { m.Remove(first) },
			"Missing .xlog file between LSN 0 {} and 22 {1: 22}"},
		{"the snapshot is missing", func(t *testing.T, m *vfs.Mem) { m.Remove(snap) }, "there are logs, but no snapshot"},
		{"a wrong name", func(t *testing.T, m *vfs.Mem) { m.Rename(third, "/00000000000000000030.xlog") },
			"signature check failed: '/00000000000000000030.xlog' holds {1: 31}"},
		{"another kind", func(t *testing.T, m *vfs.Mem) { m.Rename(third, "/00000000000000000031.snap") },
			"Invalid xlog type: expected SNAP, got XLOG"},
		{"a foreign file", func(t *testing.T, m *vfs.Mem) { write(t, m, "/copy.xlog", nil) }, "skipping 'copy.xlog': not a name of a XLOG file"},
		{"another instance", func(t *testing.T, m *vfs.Mem) {
			data := contents(t, m, second)
			at := strings.Index(string(data), "Instance: ") + 10
			data[at] ^= 1
			write(t, m, second, data)
		}, "invalid instance UUID"},
		{"a damaged block", func(t *testing.T, m *vfs.Mem) {
			data := contents(t, m, second)
			data[300] ^= 1
			write(t, m, second, data)
		}, "tx checksum mismatch"},
		{"lost rows", func(t *testing.T, m *vfs.Mem) {
			data := contents(t, m, second)
			write(t, m, second, data[:len(data)-20])
		}, "rows at the end of 00000000000000000022.xlog are lost"},
		{"rows twice", func(t *testing.T, m *vfs.Mem) {
			data := contents(t, m, third)
			at := len(AppendMeta(nil, &mustOpen(t, m, third).Meta))
			write(t, m, third, append(slices.Clone(data), data[at:]...))
		}, "the row with lsn 32 of component 1 comes after one with 36"},
		{"a snapshot without an end", func(t *testing.T, m *vfs.Mem) {
			data := contents(t, m, snap)
			write(t, m, snap, data[:len(data)-4])
		}, "there is no end marker: the snapshot is not whole"},
		{"a header cut off", func(t *testing.T, m *vfs.Mem) { write(t, m, second, []byte("XLOG\n0.13\n")) }, "Unexpected end of file"},
	} {
		m := copyFixture(t, "tarantool-3.2.1/logs-only")
		c.break_(t, m)
		r, err := CheckDir(m, "/")
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := r.Print(&b); err != nil {
			t.Fatal(err)
		}
		if r.OK() || !strings.Contains(b.String(), c.want) {
			t.Errorf("%s: %s\nwant %s", c.name, b.String(), c.want)
		}
	}
	m := copyFixture(t, "tarantool-3.2.1/logs-only")
	write(t, m, "/00000000000000000036.xlog", []byte("XLOG\n0.1"))
	if r, err := CheckDir(m, "/"); err != nil || !r.OK() || len(r.Files[4].Notes) != 1 {
		t.Errorf("a torn header of the newest log: %v %+v", err, r)
	}
}

func mustOpen(t *testing.T, m *vfs.Mem, name string) *Reader {
	t.Helper()
	r, err := Open(m, name, ReaderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

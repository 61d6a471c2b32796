package vfs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
)

// each runs a test on every file system, in a directory that is empty.
func each(t *testing.T, f func(t *testing.T, fsys FS, dir string)) {
	t.Run("OS", func(t *testing.T) { f(t, OS, t.TempDir()) })
	t.Run("Mem", func(t *testing.T) { f(t, NewMem(), "/") })
	t.Run("Faulty", func(t *testing.T) { f(t, NewFaulty(NewMem()), ".") })
}

func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func content(t *testing.T, fsys FS, name string) string {
	t.Helper()
	f := must(fsys.Open(name))(t)
	defer f.Close()
	return string(must(io.ReadAll(f))(t))
}

func TestFiles(t *testing.T) {
	each(t, func(t *testing.T, fsys FS, dir string) {
		name := filepath.Join(dir, "a")
		f := must(fsys.Create(name))(t)
		must(f.Write([]byte("hello ")))(t)
		must(f.Write([]byte("world")))(t)
		check(t, f.Sync())
		if n := must(f.Size())(t); n != 11 {
			t.Errorf("size %d", n)
		}
		check(t, f.Truncate(5))
		must(f.Write([]byte("!")))(t)
		b := make([]byte, 3)
		if n, err := f.ReadAt(b, 3); n != 3 || err != nil || string(b) != "lo!" {
			t.Errorf("ReadAt: %d %v %q", n, err, b)
		}
		if n, err := f.ReadAt(b, 5); n != 1 || err != io.EOF {
			t.Errorf("ReadAt over the end: %d %v", n, err)
		}
		check(t, f.Close())
		if _, err := f.Write([]byte("x")); !errors.Is(err, fs.ErrClosed) {
			t.Errorf("write after close: %v", err)
		}
		if _, err := fsys.Create(name); !errors.Is(err, fs.ErrExist) {
			t.Errorf("second create: %v", err)
		}

		f = must(fsys.OpenAppend(name))(t)
		check(t, f.Truncate(4))
		must(f.Write([]byte("-")))(t)
		check(t, f.Close())
		if s := content(t, fsys, name); s != "hell-" {
			t.Errorf("%q", s)
		}
		if info := must(fsys.Stat(name))(t); info.Size != 5 || info.Dir {
			t.Errorf("%+v", info)
		}

		f = must(fsys.Open(name))(t)
		if _, err := f.Write([]byte("x")); err == nil {
			t.Error("a file opened for reading takes a write")
		}
		check(t, f.Close())
	})
}

func TestNames(t *testing.T) {
	each(t, func(t *testing.T, fsys FS, dir string) {
		for _, name := range []string{"b", "a", "c"} {
			f := must(fsys.Create(filepath.Join(dir, name)))(t)
			must(f.Write([]byte(name)))(t)
			check(t, f.Close())
		}
		check(t, fsys.Mkdir(filepath.Join(dir, "sub", "deep")))
		check(t, fsys.Mkdir(filepath.Join(dir, "sub", "deep")))
		check(t, fsys.Rename(filepath.Join(dir, "a"), filepath.Join(dir, "b")))
		check(t, fsys.Remove(filepath.Join(dir, "c")))
		check(t, fsys.SyncDir(dir))
		if names := must(fsys.List(dir))(t); !reflect.DeepEqual(names, []string{"b", "sub"}) {
			t.Errorf("%q", names)
		}
		if names := must(fsys.List(filepath.Join(dir, "sub")))(t); !reflect.DeepEqual(names, []string{"deep"}) {
			t.Errorf("%q", names)
		}
		if s := content(t, fsys, filepath.Join(dir, "b")); s != "a" {
			t.Errorf("%q", s)
		}
		if info := must(fsys.Stat(filepath.Join(dir, "sub")))(t); !info.Dir {
			t.Errorf("%+v", info)
		}
		nowhere := filepath.Join(dir, "nowhere")
		for what, err := range map[string]error{
			"open":    second(fsys.Open(nowhere)),
			"append":  second(fsys.OpenAppend(nowhere)),
			"create":  second(fsys.Create(filepath.Join(nowhere, "x"))),
			"rename":  fsys.Rename(nowhere, filepath.Join(dir, "x")),
			"remove":  fsys.Remove(nowhere),
			"list":    second(fsys.List(nowhere)),
			"stat":    second(fsys.Stat(nowhere)),
			"syncdir": fsys.SyncDir(nowhere),
			"lock":    second(fsys.Lock(nowhere)),
		} {
			if !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s: %v", what, err)
			}
		}
	})
}

func second[T any](_ T, err error) error { return err }

func TestLock(t *testing.T) {
	each(t, func(t *testing.T, fsys FS, dir string) {
		l := must(fsys.Lock(dir))(t)
		if _, err := fsys.Lock(dir); err != ErrLocked {
			t.Errorf("second lock: %v", err)
		}
		check(t, l.Close())
		check(t, must(fsys.Lock(dir))(t).Close())
	})
}

func TestSyncedDataSurvives(t *testing.T) {
	m := NewMem()
	f := must(m.Create("/x"))(t)
	must(f.Write([]byte("kept")))(t)
	check(t, f.Sync())
	check(t, m.SyncDir("/"))
	must(f.Write([]byte("maybe")))(t)
	must(f.Write([]byte("later")))(t)
	lengths := map[int]bool{}
	zeros := false
	for seed := range uint64(200) {
		left := m.CrashClone(seed)
		s := content(t, left, "/x")
		if s[:4] != "kept" || len(s) > len("keptmaybelater") {
			t.Fatalf("seed %d: %q", seed, s)
		}
		if again := content(t, m.CrashClone(seed), "/x"); again != s {
			t.Fatalf("seed %d: %q and then %q", seed, s, again)
		}
		lengths[len(s)] = true
		zeros = zeros || bytes.IndexByte([]byte(s), 0) > 0
	}
	if len(lengths) != 11 || !zeros {
		t.Errorf("not all outcomes were seen: %v %v", lengths, zeros)
	}
}

func TestNamesSurviveInOrder(t *testing.T) {
	m := NewMem()
	for _, name := range []string{"/a", "/b"} {
		check(t, must(m.Create(name))(t).Close())
	}
	check(t, m.SyncDir("/"))
	check(t, m.Rename("/a", "/c"))
	check(t, m.Remove("/b"))
	seen := map[string]bool{}
	for seed := range uint64(100) {
		names := must(m.CrashClone(seed).List("/"))(t)
		seen[filepath.Join(names...)] = true
	}
	want := map[string]bool{"a/b": true, "b/c": true, "c": true}
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("%v", seen)
	}
}

func TestFaults(t *testing.T) {
	boom := errors.New("boom")
	f := NewFaulty(NewMem())
	file := must(f.Create("/x"))(t)
	f.FailNth(OpWrite, 2, boom)
	f.ShortWrite(3, 2, boom)
	f.FailNth(OpSync, 1, boom)
	must(file.Write([]byte("one")))(t)
	if n, err := file.Write([]byte("two")); n != 0 || !errors.Is(err, boom) {
		t.Errorf("second write: %d %v", n, err)
	}
	if n, err := file.Write([]byte("three")); n != 2 || !errors.Is(err, boom) {
		t.Errorf("short write: %d %v", n, err)
	}
	must(file.Write([]byte("four")))(t)
	if err := file.Sync(); !errors.Is(err, boom) {
		t.Errorf("sync: %v", err)
	}
	check(t, file.Sync())
	if s := content(t, f, "/x"); s != "onethfour" {
		t.Errorf("%q", s)
	}

	f.DiskFull(4)
	must(file.Write([]byte("abc")))(t)
	if n, err := file.Write([]byte("def")); n != 1 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("full: %d %v", n, err)
	}
	if n, err := file.Write([]byte("ghi")); n != 0 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("still full: %d %v", n, err)
	}
	for _, op := range []Op{OpRename, OpRemove, OpList, OpSyncDir, OpTruncate, OpOpen, OpCreate, OpRead} {
		f.FailFrom(op, 1, boom)
	}
	for range 2 {
		for i, err := range []error{f.Rename("/x", "/y"), f.Remove("/x"), second(f.List("/")), f.SyncDir("/"), file.Truncate(0),
			second(f.Open("/x")), second(f.OpenAppend("/x")), second(f.Create("/z")), second(file.Read(make([]byte, 1)))} {
			if !errors.Is(err, boom) {
				t.Errorf("operation %d: %v", i, err)
			}
		}
	}
	f.Heal()
	check(t, file.Truncate(3))
	must(file.Write([]byte("!")))(t)
	if s := content(t, f, "/x"); s != "one!" || f.Count(OpTruncate) != 3 {
		t.Errorf("%q", s)
	}
}

//go:build cgo

package lua

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lycosadb/lycosa/internal/luajit"
)

func init() { modules = append(modules, registerFio) }

// files are the operations of the module fio, by name, on arguments as they come from Lua. Each runs on a goroutine of its
// own. An error that is a syscall.Errno becomes nil and its number in Lua.
var files = map[string]func(a arguments) (any, error){
	"open": func(a arguments) (any, error) {
		fd, err := unix.Open(a.text(0), a.number(1)|unix.O_CLOEXEC, uint32(a.number(2)))
		return fd, err
	},
	"close":     func(a arguments) (any, error) { return true, unix.Close(a.number(0)) },
	"read":      readFile,
	"pread":     preadFile,
	"write":     writeFile,
	"pwrite":    pwriteFile,
	"seek":      func(a arguments) (any, error) { return unix.Seek(a.number(0), int64(a.number(1)), a.number(2)) },
	"truncate":  func(a arguments) (any, error) { return true, unix.Truncate(a.text(0), int64(a.number(1))) },
	"ftruncate": func(a arguments) (any, error) { return true, unix.Ftruncate(a.number(0), int64(a.number(1))) },
	"fsync":     func(a arguments) (any, error) { return true, unix.Fsync(a.number(0)) },
	"fdatasync": func(a arguments) (any, error) { return true, unix.Fdatasync(a.number(0)) },
	"sync":      func(arguments) (any, error) { unix.Sync(); return true, nil },
	"stat":      func(a arguments) (any, error) { return status(unix.Stat, a.text(0)) },
	"lstat":     func(a arguments) (any, error) { return status(unix.Lstat, a.text(0)) },
	"fstat":     func(a arguments) (any, error) { return status(unix.Fstat, a.number(0)) },
	"mkdir":     func(a arguments) (any, error) { return true, unix.Mkdir(a.text(0), uint32(a.number(1))) },
	"rmdir":     func(a arguments) (any, error) { return true, unix.Rmdir(a.text(0)) },
	"unlink":    func(a arguments) (any, error) { return true, unix.Unlink(a.text(0)) },
	"rename":    func(a arguments) (any, error) { return true, unix.Rename(a.text(0), a.text(1)) },
	"link":      func(a arguments) (any, error) { return true, unix.Link(a.text(0), a.text(1)) },
	"symlink":   func(a arguments) (any, error) { return true, unix.Symlink(a.text(0), a.text(1)) },
	"readlink":  func(a arguments) (any, error) { return os.Readlink(a.text(0)) },
	"chmod":     func(a arguments) (any, error) { return true, unix.Chmod(a.text(0), uint32(a.number(1))) },
	"chown":     func(a arguments) (any, error) { return true, unix.Chown(a.text(0), a.number(1), a.number(2)) },
	"chdir":     func(a arguments) (any, error) { return true, os.Chdir(a.text(0)) },
	"utime": func(a arguments) (any, error) {
		return true, unix.UtimesNano(a.text(0), []unix.Timespec{timespec(a.float(1)), timespec(a.float(2))})
	},
	"listdir":  listDirectory,
	"copyfile": func(a arguments) (any, error) { return true, copyFile(a.text(0), a.text(1)) },
	"tempdir":  func(arguments) (any, error) { return os.MkdirTemp("", "") },
	"glob":     func(a arguments) (any, error) { return globVisible(a.text(0)) },
}

// arguments are what Lua passed.
type arguments []any

func (a arguments) at(i int) any {
	if i < len(a) {
		return a[i]
	}
	return nil
}

func (a arguments) text(i int) string {
	s, _ := a.at(i).(string)
	return s
}

func (a arguments) float(i int) float64 {
	switch v := a.at(i).(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	case uint64:
		return float64(v)
	}
	return 0
}

func (a arguments) number(i int) int {
	switch v := a.at(i).(type) {
	case int64:
		return int(v)
	case uint64:
		return int(v)
	case float64:
		return int(v)
	}
	return 0
}

// argumentsOfCall reads all arguments that are left.
func argumentsOfCall(c *luajit.Call) (arguments, error) {
	a := make(arguments, 0, c.NArgs)
	for c.NArgs > 0 {
		v, err := c.Value()
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
	return a, nil
}

// errnoOr makes the results of a call of the system: the value, or nil and the number of the error.
func errnoOr(v any, err error) (any, error) {
	if err == nil {
		return v, nil
	}
	var number syscall.Errno
	if !errors.As(err, &number) {
		number = syscall.EIO
	}
	return results{nil, int(number)}, nil
}

// registerFio registers what builtin/fio.lua stands on.
func registerFio(s *State) {
	s.Blocking("fio.run", func(c *luajit.Call) error {
		run := files[c.Str()]
		a, err := argumentsOfCall(c)
		if err != nil {
			return err
		}
		return s.background(c, func() (any, error) { return errnoOr(run(a)) })
	})
	s.Func("fio.cwd", func(c *luajit.Call) error {
		dir, err := os.Getwd()
		if err != nil {
			c.PushNil()
			return nil
		}
		c.PushString(dir)
		return nil
	})
	s.Func("fio.is_file", func(c *luajit.Call) error {
		info, err := os.Stat(c.Str())
		c.PushBool(err == nil && !info.IsDir())
		return nil
	})
	s.Func("fio.abspath", func(c *luajit.Call) error {
		path, err := filepath.Abs(c.Str())
		if err != nil {
			c.PushNil()
			return nil
		}
		c.PushString(path)
		return nil
	})
	s.Func("fio.umask", func(c *luajit.Call) error {
		c.PushInt(int64(unix.Umask(int(c.Int()))))
		return nil
	})
	s.Func("fio.constants", func(c *luajit.Call) error { return c.Push(fileConstants) })
}

// fileConstants are the numbers that programs name in fio.c.
var fileConstants = map[string]any{
	"flag": map[string]any{
		"O_RDONLY": unix.O_RDONLY, "O_WRONLY": unix.O_WRONLY, "O_RDWR": unix.O_RDWR, "O_APPEND": unix.O_APPEND,
		"O_ASYNC": unix.O_ASYNC, "O_CLOEXEC": unix.O_CLOEXEC, "O_CREAT": unix.O_CREAT, "O_DIRECT": unix.O_DIRECT,
		"O_DIRECTORY": unix.O_DIRECTORY, "O_EXCL": unix.O_EXCL, "O_LARGEFILE": unix.O_LARGEFILE,
		"O_NDELAY": unix.O_NDELAY, "O_NOATIME": unix.O_NOATIME, "O_NOCTTY": unix.O_NOCTTY,
		"O_NOFOLLOW": unix.O_NOFOLLOW, "O_NONBLOCK": unix.O_NONBLOCK, "O_PATH": unix.O_PATH, "O_SYNC": unix.O_SYNC,
		"O_TMPFILE": unix.O_TMPFILE, "O_TRUNC": unix.O_TRUNC,
	},
	"mode": map[string]any{
		"S_IRWXU": unix.S_IRWXU, "S_IRUSR": unix.S_IRUSR, "S_IWUSR": unix.S_IWUSR, "S_IXUSR": unix.S_IXUSR,
		"S_IRWXG": unix.S_IRWXG, "S_IRGRP": unix.S_IRGRP, "S_IWGRP": unix.S_IWGRP, "S_IXGRP": unix.S_IXGRP,
		"S_IRWXO": unix.S_IRWXO, "S_IROTH": unix.S_IROTH, "S_IWOTH": unix.S_IWOTH, "S_IXOTH": unix.S_IXOTH,
	},
	"seek": map[string]any{"SEEK_SET": io.SeekStart, "SEEK_CUR": io.SeekCurrent, "SEEK_END": io.SeekEnd},
	"type": map[string]any{
		"S_IFMT": unix.S_IFMT, "S_IFREG": unix.S_IFREG, "S_IFDIR": unix.S_IFDIR, "S_IFLNK": unix.S_IFLNK,
		"S_IFIFO": unix.S_IFIFO, "S_IFSOCK": unix.S_IFSOCK, "S_IFBLK": unix.S_IFBLK, "S_IFCHR": unix.S_IFCHR,
	},
}

// readChunk is how much of a file is read at once: no more memory is taken than there is to read.
const readChunk = 1 << 20

// readAll reads up to limit bytes by read, which is told how much was read so far. Without a limit it reads to the end.
func readAll(limit int, read func(b []byte, done int) (int, error)) (any, error) {
	var out []byte
	for limit < 0 || len(out) < limit {
		n := readChunk
		if limit >= 0 {
			n = min(n, limit-len(out))
		}
		from := len(out)
		out = append(out, make([]byte, n)...)
		got, err := read(out[from:], from)
		if err != nil {
			return nil, err
		}
		out = out[:from+got]
		if got == 0 {
			break
		}
	}
	return out, nil
}

// readFile is read(fd, limit): a negative limit is none.
func readFile(a arguments) (any, error) {
	return readAll(a.number(1), func(b []byte, _ int) (int, error) { return unix.Read(a.number(0), b) })
}

// preadFile is pread(fd, limit, offset).
func preadFile(a arguments) (any, error) {
	return readAll(a.number(1), func(b []byte, done int) (int, error) {
		return unix.Pread(a.number(0), b, int64(a.number(2)+done))
	})
}

// writeFile is write(fd, text).
func writeFile(a arguments) (any, error) {
	for b := []byte(a.text(1)); len(b) > 0; {
		n, err := unix.Write(a.number(0), b)
		if err != nil {
			return nil, err
		}
		b = b[n:]
	}
	return true, nil
}

// pwriteFile is pwrite(fd, text, offset).
func pwriteFile(a arguments) (any, error) {
	offset := int64(a.number(2))
	for b := []byte(a.text(1)); len(b) > 0; {
		n, err := unix.Pwrite(a.number(0), b, offset)
		if err != nil {
			return nil, err
		}
		b = b[n:]
		offset += int64(n)
	}
	return true, nil
}

func timespec(seconds float64) unix.Timespec {
	return unix.NsecToTimespec(int64(seconds * float64(time.Second)))
}

// status runs one of the stat calls.
func status[T any](call func(T, *unix.Stat_t) error, of T) (any, error) {
	var st unix.Stat_t
	if err := call(of, &st); err != nil {
		return nil, err
	}
	seconds := func(t unix.Timespec) float64 { return float64(t.Sec) + float64(t.Nsec)/1e9 }
	return map[string]any{
		"dev": uint64(st.Dev), "inode": st.Ino, "mode": uint64(st.Mode), "nlink": uint64(st.Nlink),
		"uid": uint64(st.Uid), "gid": uint64(st.Gid), "rdev": uint64(st.Rdev), "size": st.Size,
		"blksize": int64(st.Blksize), "blocks": st.Blocks, "atime": seconds(st.Atim), "mtime": seconds(st.Mtim),
		"ctime": seconds(st.Ctim),
	}, nil
}

func listDirectory(a arguments) (any, error) {
	d, err := os.Open(a.text(0))
	if err != nil {
		return nil, err
	}
	defer func() { _ = d.Close() }()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	list := make([]any, len(names))
	for i, name := range names {
		list[i] = name
	}
	return list, nil
}

// copyFile copies a file with its mode, into a directory under its own name.
func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	if t, err := os.Stat(to); err == nil && t.IsDir() {
		to = filepath.Join(to, filepath.Base(from))
	}
	out, err := os.OpenFile(to, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, info.Mode().Perm())
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}

// globVisible lists the files that a pattern matches. What a wildcard matches does not start with a dot.
func globVisible(pattern string) (any, error) {
	matches, err := filepath.Glob(pattern)
	if err != nil {
		return nil, syscall.EINVAL
	}
	parts := strings.Split(filepath.Clean(pattern), "/")
	list := []any{}
	for _, m := range matches {
		hidden := false
		for i, part := range strings.Split(filepath.Clean(m), "/") {
			if strings.HasPrefix(part, ".") && part != "." && part != ".." && i < len(parts) &&
				!strings.HasPrefix(parts[i], ".") {
				hidden = true
			}
		}
		if !hidden {
			list = append(list, m)
		}
	}
	return list, nil
}

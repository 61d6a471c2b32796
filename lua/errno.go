//go:build cgo

package lua

import (
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lycosadb/lycosa/internal/luajit"
)

func init() { modules = append(modules, registerSystem) }

// lastErrno is larger than any number of an error.
const lastErrno = 256

// registerSystem registers what builtin/errno.lua and builtin/tarantool.lua stand on.
func registerSystem(s *State) {
	started := time.Now()
	s.Func("errno.numbers", func(c *luajit.Call) error {
		numbers := map[string]any{
			"EWOULDBLOCK": int(unix.EWOULDBLOCK), "EDEADLOCK": int(unix.EDEADLK), "ENOTSUP": int(unix.ENOTSUP),
		}
		for n := 1; n < lastErrno; n++ {
			if name := unix.ErrnoName(syscall.Errno(n)); name != "" {
				numbers[name] = n
			}
		}
		return c.Push(numbers)
	})
	s.Func("process.pid", func(c *luajit.Call) error {
		c.PushInt(int64(os.Getpid()))
		return nil
	})
	s.Func("process.uptime", func(c *luajit.Call) error {
		c.PushFloat(time.Since(started).Seconds())
		return nil
	})
	s.Func("process.info", func(c *luajit.Call) error {
		return c.Push(map[string]any{
			"target": runtime.GOOS + "-" + runtime.GOARCH, "compiler": runtime.Version(), "flags": "", "options": "",
			"mod_format": "so",
		})
	})
}

//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package vfs

import (
	"os"
	"syscall"
)

// flock takes the lock of a directory, which goes when the directory is closed, so also when the process dies.
func flock(d *os.File) error {
	for {
		err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch err {
		case nil:
			return nil
		case syscall.EINTR:
		case syscall.EWOULDBLOCK:
			return ErrLocked
		default:
			return &os.PathError{Op: "flock", Path: d.Name(), Err: err}
		}
	}
}

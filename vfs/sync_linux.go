package vfs

import (
	"os"
	"syscall"
)

// datasync leaves out the times of the file, which nobody needs after a crash; its size is written.
func datasync(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var result error
	err = raw.Control(func(fd uintptr) {
		for {
			if result = syscall.Fdatasync(int(fd)); result != syscall.EINTR {
				return
			}
		}
	})
	if err == nil {
		err = result
	}
	if err != nil {
		return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
	}
	return nil
}

package vfs

import (
	"os"
	"syscall"
)

// beginWriteback is SYNC_FILE_RANGE_WRITE of sync_file_range(2).
const beginWriteback = 2

// writeback has a part of a file written soon. It is a hint: whoever needs to know calls Sync.
func writeback(f *os.File, from, size int64) {
	if raw, err := f.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { _ = syscall.SyncFileRange(int(fd), from, size, beginWriteback) })
	}
}

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

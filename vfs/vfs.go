// Package vfs is the little of a file system that the journal, snapshots and recovery need, behind an interface.
//
// There are three of them: OS is the real one; Mem keeps everything in memory and tells what a power cut would have left
// (CrashClone); Faulty wraps another one and makes chosen operations fail.
//
// What is durable when: the content of a file after File.Sync, a name (created, renamed or removed) after SyncDir of its
// directory. Errors are those of the standard library: errors.Is with fs.ErrNotExist, fs.ErrExist, syscall.ENOSPC and so
// on works on all three.
package vfs

import (
	"errors"
	"io"
	"time"
)

// FS is a file system.
type FS interface {
	// Open opens a file for reading.
	Open(name string) (File, error)
	// Create makes a new file for reading and writing. A file that exists is an error, fs.ErrExist.
	Create(name string) (File, error)
	// OpenAppend opens a file that exists; what is written goes to its end, also after Truncate.
	OpenAppend(name string) (File, error)
	// Rename gives a file another name in the same file system and replaces a file that had it, at once.
	Rename(from, to string) error
	// Remove removes a file.
	Remove(name string) error
	// List returns the names in a directory, sorted, without the directory itself.
	List(dir string) ([]string, error)
	// Stat describes a file or directory.
	Stat(name string) (Info, error)
	// Mkdir makes a directory, and those above it; one that exists is no error.
	Mkdir(dir string) error
	// SyncDir makes the names in a directory durable.
	SyncDir(dir string) error
	// Lock takes a directory for this process until the result is closed. ErrLocked if another one has it.
	Lock(dir string) (io.Closer, error)
}

// File is an open file. It is used by one goroutine at a time, except for ReadAt.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.Closer
	// Sync makes the content durable.
	Sync() error
	// Truncate cuts the file to size bytes.
	Truncate(size int64) error
	// Size returns the number of bytes in the file.
	Size() (int64, error)
}

// Flusher is a File that can be asked to begin writing a part of its content to the disk, without waiting for it, so that
// a later Sync has less to do. It promises nothing.
type Flusher interface {
	Flush(from, size int64)
}

// Info describes a file.
type Info struct {
	// Size in bytes.
	Size int64
	// Dir is true for a directory.
	Dir bool
	// Modified is the time of the last change, zero where the file system keeps none.
	Modified time.Time
}

// ErrLocked is the error of Lock when the directory is taken.
var ErrLocked = errors.New("the directory is locked by another process")

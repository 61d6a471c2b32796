package vfs

import (
	"io"
	"io/fs"
	"sync"
	"syscall"
)

// Op is a kind of operation that Faulty can make fail.
type Op int

// The operations. OpOpen is Open and OpenAppend.
const (
	OpOpen Op = iota
	OpCreate
	OpRead
	OpWrite
	OpSync
	OpTruncate
	OpRename
	OpRemove
	OpList
	OpSyncDir
	opCount
)

// Faulty is a file system on top of another one that fails when told to. Without orders it passes everything on.
type Faulty struct {
	under FS

	mu     sync.Mutex // guards everything below
	done   [opCount]int
	faults [opCount][]fault
	space  int64 // bytes that may still be written, -1 for any number
}

// fault makes operations fail: those from number from on, as many as count, -1 for all that follow.
type fault struct {
	from, count int
	keep        int // of a write: how many bytes are written before it fails
	err         error
}

// NewFaulty returns a Faulty over under.
func NewFaulty(under FS) *Faulty { return &Faulty{under: under, space: -1} }

// FailNth makes the n-th operation of that kind from now on fail (1 is the next one), once.
func (f *Faulty) FailNth(op Op, n int, err error) { f.add(op, fault{from: n, count: 1, err: err}) }

// FailFrom makes the n-th operation of that kind and all that follow fail, until Heal.
func (f *Faulty) FailFrom(op Op, n int, err error) { f.add(op, fault{from: n, count: -1, err: err}) }

// ShortWrite makes the n-th write from now on write only keep bytes and fail.
func (f *Faulty) ShortWrite(n, keep int, err error) {
	f.add(OpWrite, fault{from: n, count: 1, keep: keep, err: err})
}

// DiskFull makes writes fail with ENOSPC once n more bytes have been written; the write that crosses the line is short.
func (f *Faulty) DiskFull(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.space = n
}

// Heal takes back all orders.
func (f *Faulty) Heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.faults = [opCount][]fault{}
	f.space = -1
}

// Count returns how many operations of that kind were tried.
func (f *Faulty) Count(op Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.done[op]
}

func (f *Faulty) add(op Op, ft fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ft.from += f.done[op]
	f.faults[op] = append(f.faults[op], ft)
}

// try counts an operation and returns the fault that hits it, if any.
func (f *Faulty) try(op Op) *fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.done[op]++
	for i := range f.faults[op] {
		ft := &f.faults[op][i]
		if n := f.done[op]; n >= ft.from && (ft.count < 0 || n < ft.from+ft.count) {
			return ft
		}
	}
	return nil
}

func (f *Faulty) fail(op Op, verb, name string) error {
	if ft := f.try(op); ft != nil {
		return &fs.PathError{Op: verb, Path: name, Err: ft.err}
	}
	return nil
}

// Open implements FS.
func (f *Faulty) Open(name string) (File, error) { return f.open(OpOpen, name, f.under.Open) }

// Create implements FS.
func (f *Faulty) Create(name string) (File, error) { return f.open(OpCreate, name, f.under.Create) }

// OpenAppend implements FS.
func (f *Faulty) OpenAppend(name string) (File, error) {
	return f.open(OpOpen, name, f.under.OpenAppend)
}

func (f *Faulty) open(op Op, name string, open func(string) (File, error)) (File, error) {
	if err := f.fail(op, "open", name); err != nil {
		return nil, err
	}
	file, err := open(name)
	if err != nil {
		return nil, err
	}
	return &faultyFile{file, f, name}, nil
}

// Rename implements FS.
func (f *Faulty) Rename(from, to string) error {
	if err := f.fail(OpRename, "rename", from); err != nil {
		return err
	}
	return f.under.Rename(from, to)
}

// Remove implements FS.
func (f *Faulty) Remove(name string) error {
	if err := f.fail(OpRemove, "remove", name); err != nil {
		return err
	}
	return f.under.Remove(name)
}

// List implements FS.
func (f *Faulty) List(dir string) ([]string, error) {
	if err := f.fail(OpList, "open", dir); err != nil {
		return nil, err
	}
	return f.under.List(dir)
}

// Stat implements FS.
func (f *Faulty) Stat(name string) (Info, error) { return f.under.Stat(name) }

// Mkdir implements FS.
func (f *Faulty) Mkdir(dir string) error { return f.under.Mkdir(dir) }

// SyncDir implements FS.
func (f *Faulty) SyncDir(dir string) error {
	if err := f.fail(OpSyncDir, "fsync", dir); err != nil {
		return err
	}
	return f.under.SyncDir(dir)
}

// Lock implements FS.
func (f *Faulty) Lock(dir string) (io.Closer, error) { return f.under.Lock(dir) }

type faultyFile struct {
	File
	fs   *Faulty
	name string
}

func (f *faultyFile) Read(b []byte) (int, error) {
	if err := f.fs.fail(OpRead, "read", f.name); err != nil {
		return 0, err
	}
	return f.File.Read(b)
}

func (f *faultyFile) ReadAt(b []byte, at int64) (int, error) {
	if err := f.fs.fail(OpRead, "read", f.name); err != nil {
		return 0, err
	}
	return f.File.ReadAt(b, at)
}

func (f *faultyFile) Write(b []byte) (int, error) {
	keep, failed := len(b), error(nil)
	if ft := f.fs.try(OpWrite); ft != nil {
		keep, failed = min(keep, ft.keep), ft.err
	}
	if n := f.fs.take(keep); n < keep {
		keep, failed = n, syscall.ENOSPC
	}
	n, err := 0, error(nil)
	if keep > 0 || failed == nil {
		n, err = f.File.Write(b[:keep])
	}
	if err == nil && failed != nil {
		err = &fs.PathError{Op: "write", Path: f.name, Err: failed}
	}
	return n, err
}

// take asks for room for n bytes and returns for how many there is.
func (f *Faulty) take(n int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.space < 0 {
		return n
	}
	n = int(min(int64(n), f.space))
	f.space -= int64(n)
	return n
}

func (f *faultyFile) Sync() error {
	if err := f.fs.fail(OpSync, "fdatasync", f.name); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *faultyFile) Truncate(size int64) error {
	if err := f.fs.fail(OpTruncate, "truncate", f.name); err != nil {
		return err
	}
	return f.File.Truncate(size)
}

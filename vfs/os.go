package vfs

import (
	"io"
	"os"
)

// OS is the file system of the machine.
var OS FS = osFS{}

type osFS struct{}

func (osFS) Open(name string) (File, error) {
	return wrap(os.Open(name))
}

func (osFS) Create(name string) (File, error) {
	return wrap(os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644))
}

func (osFS) OpenAppend(name string) (File, error) {
	return wrap(os.OpenFile(name, os.O_RDWR|os.O_APPEND, 0))
}

func (osFS) Rename(from, to string) error { return os.Rename(from, to) }

func (osFS) Remove(name string) error { return os.Remove(name) }

func (osFS) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.Name()
	}
	return names, nil
}

func (osFS) Stat(name string) (Info, error) {
	s, err := os.Stat(name)
	if err != nil {
		return Info{}, err
	}
	return Info{Size: s.Size(), Dir: s.IsDir(), Modified: s.ModTime()}, nil
}

func (osFS) Mkdir(dir string) error { return os.MkdirAll(dir, 0o755) }

func (osFS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}

func (osFS) Lock(dir string) (io.Closer, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := flock(d); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// osFile is an *os.File with the two methods that are named otherwise there.
type osFile struct{ *os.File }

func wrap(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (f osFile) Sync() error { return datasync(f.File) }

// Flush implements Flusher.
func (f osFile) Flush(from, size int64) { writeback(f.File, from, size) }

func (f osFile) Size() (int64, error) {
	s, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return s.Size(), nil
}

// Truncate cuts the file, and moves the position of a file that is not open for appending back to its end.
func (f osFile) Truncate(size int64) error {
	if err := f.File.Truncate(size); err != nil {
		return err
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err == nil && at > size {
		_, err = f.Seek(size, io.SeekStart)
	}
	return err
}

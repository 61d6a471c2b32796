package wal

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/xlog"
)

// logFile is the log that is being written, and where the next one belongs. One goroutine uses it at a time.
type logFile struct {
	opts *Options

	f     vfs.File // nil until something has to be written
	path  string
	size  int64         // up to the end of the last whole block
	cut   bool          // there may be bytes behind size that must go
	start vclock.VClock // in its header

	last   *vclock.VClock // in the header of the newest log of the directory, nil if there is none
	resume int64          // if not 0: the newest log holds nothing behind its header of that size and is gone on with
	out    []byte         // memory for batches with compressed blocks
}

// Damaged is what is appended to the name of a file that stands where a new log belongs and can't be gone on with.
const Damaged = ".damaged"

// begin looks at the directory as recovery left it.
func (l *logFile) begin(opts *Options) error {
	l.opts = opts
	dir := xlog.Dir{FS: opts.FS, Path: opts.Dir, Kind: xlog.Log, Force: true}
	files, err := dir.Scan()
	if err != nil {
		return err
	}
	path := dir.FilePath(opts.VClock.Signature())
	for _, f := range files {
		if f.Path == path {
			if f.Meta.VClock == opts.VClock && f.Meta.Instance == opts.Instance && l.empty(path) {
				l.last = &opts.VClock
				return nil
			}
			continue
		}
		l.last = &f.Meta.VClock
	}
	return l.setAside(path)
}

// empty says whether a log has no rows, and notes where they would begin.
func (l *logFile) empty(path string) bool {
	r, err := xlog.Open(l.opts.FS, path, xlog.ReaderOptions{})
	if err != nil {
		return false
	}
	defer r.Close()
	if _, err := r.Next(); err != io.EOF {
		return false
	}
	l.resume = r.Good()
	return true
}

// setAside renames a file that has the name of the log to come. Recovery got nothing out of it, but somebody else may.
func (l *logFile) setAside(path string) error {
	if _, err := l.opts.FS.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	to := path + Damaged
	for n := 2; ; n++ {
		if _, err := l.opts.FS.Stat(to); err != nil {
			break
		}
		to = path + Damaged + strconv.Itoa(n)
	}
	if err := l.opts.FS.Rename(path, to); err != nil {
		return xlog.SystemError("rename", path, err)
	}
	return nil
}

// write writes a batch and returns the number of bytes. After an error the log is as if it had not been tried.
func (l *logFile) write(b *batch) (written int64, failure *boxerr.Error) {
	if b.rows > 0 {
		data := l.seal(b)
		err := l.append(b, data)
		if err != nil && isFull(err) && l.opts.NoSpace != nil && l.opts.NoSpace() {
			err = l.append(b, data)
		}
		if err != nil {
			failure = boxerr.New(boxerr.WalIO)
			failure.Cause = boxerr.From(xlog.SystemError("write to", l.path, err))
			return 0, failure
		}
		written = int64(len(data))
		if cap(l.out) > maxSpare {
			l.out = nil
		}
	}
	if b.end && l.f != nil && l.start != b.after {
		l.end()
	}
	return written, nil
}

// isFull says whether err is that of a full disk.
func isFull(err error) bool {
	var e *boxerr.Error
	return errors.Is(err, syscall.ENOSPC) || errors.As(err, &e) && e.Errno == uint32(syscall.ENOSPC)
}

// seal makes whole blocks of what a batch has gathered.
func (l *logFile) seal(b *batch) []byte {
	compressed := false
	l.out = l.out[:0]
	for i, from := range b.blocks {
		to := len(b.buf)
		if i+1 < len(b.blocks) {
			to = b.blocks[i+1]
		}
		block := b.buf[from:to]
		if size := len(block) - xlog.BlockHeaderSize; l.opts.CompressFrom > 0 && size >= l.opts.CompressFrom {
			if !compressed {
				compressed = true
				l.out = append(l.out, b.buf[:from]...)
			}
			l.out = xlog.AppendBlock(l.out, block[xlog.BlockHeaderSize:])
			continue
		}
		xlog.SealBlock(block)
		if compressed {
			l.out = append(l.out, block...)
		}
	}
	if compressed {
		return l.out
	}
	return b.buf
}

// append writes to the log, in a new one if it is time for that.
func (l *logFile) append(b *batch, data []byte) error {
	if l.size >= l.opts.MaxSize {
		l.end()
	}
	if l.f == nil {
		if err := l.open(&b.clock); err != nil {
			return err
		}
	}
	if l.cut {
		if err := l.f.Truncate(l.size); err != nil {
			return err
		}
		l.cut = false
	}
	n, err := l.f.Write(data)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	if err == nil && l.opts.Mode == Fsync {
		err = l.f.Sync()
	}
	if err != nil {
		// What was written in part must go before anything else is written, and better at once: a crash would bring it back.
		l.cut = l.f.Truncate(l.size) != nil
		if !l.cut && l.opts.Mode == Fsync {
			l.warn(l.f.Sync())
		}
		return err
	}
	l.size += int64(n)
	return nil
}

// open begins the log whose first row follows start.
func (l *logFile) open(start *vclock.VClock) error {
	l.path = filepath.Join(l.opts.Dir, xlog.FileName(xlog.Log, start.Signature()))
	var err error
	if l.resume != 0 {
		if l.f, err = l.opts.FS.OpenAppend(l.path); err != nil {
			l.f = nil
			return err
		}
		l.size, l.cut, l.resume = l.resume, true, 0
	} else {
		meta := xlog.Meta{Kind: xlog.Log, Version: l.opts.Version, Instance: l.opts.Instance, VClock: *start, Prev: l.last}
		f, size, err := xlog.CreateFile(l.opts.FS, l.path, &meta, l.opts.Mode == Fsync)
		if err != nil {
			return err
		}
		l.f, l.size, l.cut = f, size, false
	}
	l.start = *start
	clock := *start
	l.last = &clock
	return nil
}

// end closes the log, if one is open. All of its blocks are safe already, so what fails here does no harm.
func (l *logFile) end() {
	if l.f == nil {
		return
	}
	var err error
	if l.cut {
		err = l.f.Truncate(l.size)
	}
	if err == nil {
		_, err = l.f.Write(xlog.AppendEnd(nil))
		if err == nil && l.opts.Mode == Fsync {
			err = l.f.Sync()
		}
	}
	if err != nil {
		l.f.Truncate(l.size) // no half of a marker, if possible
	}
	l.warn(err)
	l.warn(l.f.Close())
	l.f, l.cut = nil, false
}

// finish ends the log and leaves an empty one, unless the newest one is that already or there never was a row to log: then
// the checkpoint tells the state.
func (l *logFile) finish(clock *vclock.VClock) error {
	l.end()
	if l.last == nil || l.last.Signature() >= clock.Signature() {
		return nil
	}
	if err := l.open(clock); err != nil {
		return xlog.SystemError("create", l.path, err)
	}
	l.end()
	return nil
}

func (l *logFile) warn(err error) {
	if err != nil && l.opts.Warn != nil {
		l.opts.Warn(xlog.SystemError("close", l.path, err))
	}
}

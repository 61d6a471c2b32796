package xlog

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/lycosadb/lycosa/vfs"
)

// BlockSize is the number of bytes of rows at which a block is ended, after the transaction that brings it there.
const BlockSize = 128 << 10

// Inprogress is what the name of a file ends with until the file may be seen.
const Inprogress = ".inprogress"

// CreateFile makes a file that holds a header and nothing more, and returns it with its size. The file gets its name when
// the header is in it, so that no reader meets half of one; what had the name before is replaced. With sync it is durable.
func CreateFile(fsys vfs.FS, name string, m *Meta, sync bool) (f vfs.File, size int64, err error) {
	f, size, err = createInprogress(fsys, name, m)
	if err != nil {
		return nil, 0, err
	}
	if sync {
		if err := f.Sync(); err != nil {
			return nil, 0, abandon(fsys, f, name, SystemError("sync", name, err))
		}
	}
	if err := fsys.Rename(name+Inprogress, name); err != nil {
		return nil, 0, abandon(fsys, f, name, SystemError("rename", name+Inprogress, err))
	}
	if sync {
		if err := fsys.SyncDir(filepath.Dir(name)); err != nil {
			f.Close()
			return nil, 0, SystemError("sync the directory of", name, err)
		}
	}
	return f, size, nil
}

func createInprogress(fsys vfs.FS, name string, m *Meta) (f vfs.File, size int64, err error) {
	f, err = fsys.Create(name + Inprogress)
	if errors.Is(err, fs.ErrExist) { // a crash left one
		if err := fsys.Remove(name + Inprogress); err != nil {
			return nil, 0, SystemError("remove", name+Inprogress, err)
		}
		f, err = fsys.Create(name + Inprogress)
	}
	if err != nil {
		return nil, 0, SystemError("create", name+Inprogress, err)
	}
	header := AppendMeta(nil, m)
	if _, err := f.Write(header); err != nil {
		return nil, 0, abandon(fsys, f, name, SystemError("write to", name+Inprogress, err))
	}
	return f, int64(len(header)), nil
}

// abandon removes a file that has not got its name yet, and returns err.
func abandon(fsys vfs.FS, f vfs.File, name string, err error) error {
	f.Close()
	fsys.Remove(name + Inprogress)
	return err
}

// AppendEnd appends the end marker.
func AppendEnd(b []byte) []byte { return binary.BigEndian.AppendUint32(b, endMarker) }

// flushStep is how many bytes are written between two requests to the disk to begin with them. One that gets all of a large
// file at its end keeps others waiting who write little.
const flushStep = 4 << 20

// Writer makes a file as a whole: it gets its name with Commit. Rows are gathered to blocks of about BlockSize.
type Writer struct {
	fs      vfs.FS
	f       vfs.File
	name    string
	block   []byte // room for the header, and the rows of the block that is being filled
	out     []byte // memory for a compressed block
	size    int64
	flushed int64 // size up to which the disk was asked to begin
	rows    int64
	written func(bytes int)
	err     error // of an earlier call
}

// Create begins the file name.
func Create(fsys vfs.FS, name string, m *Meta) (*Writer, error) {
	f, size, err := createInprogress(fsys, name, m)
	if err != nil {
		return nil, err
	}
	return &Writer{fs: fsys, f: f, name: name, size: size, block: make([]byte, BlockHeaderSize, BlockSize+BlockSize/8)}, nil
}

// OnWrite has f called after each write with the number of bytes, before the next one. It may block.
func (w *Writer) OnWrite(f func(bytes int)) { w.written = f }

// Rows is the number of rows so far.
func (w *Writer) Rows() int64 { return w.rows }

// Size is the size of the file in bytes so far, without the block that is being filled.
func (w *Writer) Size() int64 { return w.size }

// Name is the name of the file, which it has after Commit.
func (w *Writer) Name() string { return w.name }

// Add adds a row. Blocks end only after rows that commit.
func (w *Writer) Add(r *Row) error {
	if w.err != nil {
		return w.err
	}
	w.block = AppendRow(w.block, r)
	w.rows++
	if len(w.block) >= BlockHeaderSize+BlockSize && r.Commit() {
		return w.EndBlock()
	}
	return nil
}

// EndBlock ends the block and writes it. The last row must have been one that commits.
func (w *Writer) EndBlock() error {
	if w.err != nil || len(w.block) == BlockHeaderSize {
		return w.err
	}
	out := w.block
	if len(w.block) >= BlockHeaderSize+CompressFrom {
		w.out = AppendBlock(w.out[:0], w.block[BlockHeaderSize:])
		out = w.out
	} else {
		SealBlock(w.block)
	}
	w.write(out)
	w.block = w.block[:BlockHeaderSize]
	return w.err
}

func (w *Writer) write(b []byte) {
	n, err := w.f.Write(b)
	w.size += int64(n)
	if err != nil {
		w.err = SystemError("write to", w.name+Inprogress, err)
		return
	}
	if f, ok := w.f.(vfs.Flusher); ok && w.size-w.flushed >= flushStep {
		f.Flush(w.flushed, w.size-w.flushed)
		w.flushed = w.size
	}
	if w.written != nil {
		w.written(n)
	}
}

// Commit ends the file, makes it durable and gives it its name. If that fails, the file is removed.
func (w *Writer) Commit() error {
	if w.EndBlock() == nil {
		w.write(AppendEnd(nil))
	}
	if w.err == nil {
		if err := w.f.Sync(); err != nil {
			w.err = SystemError("sync", w.name+Inprogress, err)
		}
	}
	if w.err != nil {
		w.Abort()
		return w.err
	}
	if err := w.f.Close(); err != nil {
		w.fs.Remove(w.name + Inprogress)
		return SystemError("close", w.name+Inprogress, err)
	}
	if err := w.fs.Rename(w.name+Inprogress, w.name); err != nil {
		w.fs.Remove(w.name + Inprogress)
		return SystemError("rename", w.name+Inprogress, err)
	}
	if err := w.fs.SyncDir(filepath.Dir(w.name)); err != nil {
		return SystemError("sync the directory of", w.name, err)
	}
	return nil
}

// Abort gives the file up and removes it.
func (w *Writer) Abort() {
	w.f.Close()
	w.fs.Remove(w.name + Inprogress)
}

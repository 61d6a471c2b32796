//go:build cgo

package lua

import (
	"errors"
	"io"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/xlog"
)

func init() { modules = append(modules, registerXlog) }

// xlogBatch is how many bytes of rows cross to Lua at once, about.
const xlogBatch = 16 << 10

// xlogReaders are the files that Lua programs read, by number.
type xlogReaders struct {
	files map[uint32]*xlog.Reader
	last  uint32
}

// registerXlog registers what the module xlog stands on.
func registerXlog(s *State) {
	open := &xlogReaders{files: map[uint32]*xlog.Reader{}}
	// Opens a file: a number for read and close.
	s.Func("xlog.open", func(c *luajit.Call) error {
		r, err := openXlog(s, c.Str())
		if err != nil {
			return err
		}
		open.last++
		open.files[open.last] = r
		c.PushUint(uint64(open.last))
		return nil
	})
	s.Func("xlog.close", func(c *luajit.Call) error {
		id := uint32(c.Uint())
		if r := open.files[id]; r != nil {
			delete(open.files, id)
			return r.Close()
		}
		return nil
	})
	// The next rows as a list, which is empty at the end.
	s.Func("xlog.read", func(c *luajit.Call) error {
		r := open.files[uint32(c.Uint())]
		if r == nil {
			c.PushRaw(emptyArray)
			return nil
		}
		var rows []byte
		n := 0
		for len(rows) < xlogBatch {
			row, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			rows = xlog.AppendNamed(rows, row, func(b, value []byte) []byte { return luajit.AppendTuple(b, value, 0, 0) })
			n++
		}
		c.Out = append(msgpack.AppendArrayHeader(c.Out, n), rows...)
		c.NOut++
		return nil
	})
	// The header of a file as a map.
	s.Func("xlog.meta", func(c *luajit.Call) error {
		r, err := openXlog(s, c.Str())
		if err != nil {
			return err
		}
		defer func() { _ = r.Close() }()
		prev := r.Meta.Prev
		if prev == nil {
			prev = new(vclock.VClock)
		}
		w := startMap(c.Out)
		w.str("filetype", string(r.Meta.Kind))
		w.str("instance_uuid", r.Meta.Instance)
		w.key("vclock")
		w.b = r.Meta.VClock.AppendMsgpack(w.b)
		w.key("prev_vclock")
		w.b = prev.AppendMsgpack(w.b)
		c.Out = w.end()
		c.NOut++
		return nil
	})
}

// openXlog opens a file for a reader that skips what is damaged.
func openXlog(s *State, name string) (*xlog.Reader, error) {
	return xlog.Open(vfs.OS, name, xlog.ReaderOptions{Force: true, Warn: func(err error) {
		s.Log().Warn(boxerr.From(err).Message)
	}})
}

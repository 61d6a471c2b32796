package wal

import (
	"encoding/binary"
	"path/filepath"
	"time"

	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/xlog"
)

// CheckpointOptions say where and how a checkpoint is written.
type CheckpointOptions struct {
	FS  vfs.FS
	Dir string
	// Version and Instance stand in the header, as in logs.
	Version, Instance string
	// VClock is the state that the checkpoint holds. It names the file.
	VClock vclock.VClock
	// BytesPerSecond limits how fast the file is written; 0 stands for no limit.
	BytesPerSecond int64
	// Cancelled is asked between blocks whether to give up; the next call then returns its error. May be nil.
	Cancelled func() error
}

// Checkpoint writes a snapshot. The file is there under its name when Commit has returned without an error, and durable.
//
// The order of rows that servers expect: system spaces by ascending id, each by its primary key; Raft rows; user spaces.
type Checkpoint struct {
	w     *xlog.Writer
	row   xlog.Row
	head  [8]byte // of the body of a row: a map of the space's id and the tuple
	err   error
	began time.Time
	opts  CheckpointOptions
}

// CreateCheckpoint begins a snapshot.
func CreateCheckpoint(opts CheckpointOptions) (*Checkpoint, error) {
	name := filepath.Join(opts.Dir, xlog.FileName(xlog.Snap, opts.VClock.Signature()))
	meta := xlog.Meta{Kind: xlog.Snap, Version: opts.Version, Instance: opts.Instance, VClock: opts.VClock}
	w, err := xlog.Create(opts.FS, name, &meta)
	if err != nil {
		return nil, err
	}
	c := &Checkpoint{w: w, opts: opts, began: time.Now()}
	c.head = [8]byte{0x82, byte(iproto.KeySpaceID), 0xce, 0, 0, 0, 0, byte(iproto.KeyTuple)}
	c.row.Timestamp = float64(c.began.UnixNano()) / 1e9
	w.OnWrite(c.pace)
	return c, nil
}

// pace waits until what was written may have been.
func (c *Checkpoint) pace(int) {
	if c.opts.Cancelled != nil && c.err == nil {
		c.err = c.opts.Cancelled()
	}
	if c.opts.BytesPerSecond > 0 && c.err == nil {
		time.Sleep(time.Until(c.began.Add(time.Duration(float64(c.w.Size()) / float64(c.opts.BytesPerSecond) * float64(time.Second)))))
	}
}

// Tuple adds a tuple of a space; local says that the space's rows stay on this instance. The tuple is a MessagePack array
// and is copied.
func (c *Checkpoint) Tuple(space uint32, local bool, tuple []byte) error {
	binary.BigEndian.PutUint32(c.head[3:], space)
	c.row.Type, c.row.GroupID = iproto.TypeInsert, 0
	if local {
		c.row.GroupID = xlog.GroupLocal
	}
	c.row.Body, c.row.Tail = c.head[:], tuple
	return c.add()
}

// Row adds a row of another type, as the Raft ones are.
func (c *Checkpoint) Row(typ iproto.Type, group uint32, body []byte) error {
	c.row.Type, c.row.GroupID, c.row.Body, c.row.Tail = typ, group, body, nil
	return c.add()
}

func (c *Checkpoint) add() error {
	if c.err != nil {
		return c.err
	}
	c.row.LSN = c.w.Rows()
	c.row.Flags = xlog.FlagCommit
	c.row.TSN = c.row.LSN
	if err := c.w.Add(&c.row); c.err == nil {
		c.err = err
	}
	return c.err
}

// Rows is the number of rows so far.
func (c *Checkpoint) Rows() int64 { return c.w.Rows() }

// Size is the size of the file so far.
func (c *Checkpoint) Size() int64 { return c.w.Size() }

// Path is the path that the file has after Commit.
func (c *Checkpoint) Path() string { return c.w.Name() }

// Commit ends the snapshot and gives it its name. After an error nothing is left of it.
func (c *Checkpoint) Commit() error {
	if c.err != nil {
		c.w.Abort()
		return c.err
	}
	c.w.OnWrite(nil)
	return c.w.Commit()
}

// Abort gives the snapshot up and removes what was written.
func (c *Checkpoint) Abort() { c.w.Abort() }

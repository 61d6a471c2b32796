//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

func (f *boxFace) registerCheckpoint() {
	f.Blocking("box.snapshot", func(*luajit.Call) error {
		w := &pendingWrite{fiber: f.current, out: msgpack.AppendString(nil, "ok"), n: 1}
		if !f.mayPark() {
			return boxerr.New(boxerr.Unsupported, "A function that the database waits for", "checkpoints")
		}
		f.Box.Checkpoint(w.done)
		f.current.parker = w.results
		return luajit.ErrPark
	})
	// Keeps the files of the n-th checkpoint before the newest, and returns their names.
	f.fn("backup_start", func(c *luajit.Call, _ *box.Ctx) error {
		if f.backup != nil {
			return boxerr.New(boxerr.BackupInProgress)
		}
		if f.Box.Retention() == nil {
			return boxerr.New(boxerr.MissingSnapshot)
		}
		files, release, err := f.Box.Retention().Pin(int(c.Int()))
		if err != nil {
			return err
		}
		f.backup = release
		c.Out = msgpack.AppendArrayHeader(c.Out, len(files))
		for _, name := range files {
			c.Out = msgpack.AppendString(c.Out, name)
		}
		c.NOut++
		return nil
	})
	f.fn("backup_stop", func(*luajit.Call, *box.Ctx) error {
		if f.backup != nil {
			f.backup()
			f.backup = nil
			f.collect()
		}
		return nil
	})
	f.fn("info_gc", f.gcInfo)
}

// gcInfo tells of the checkpoints that are kept and who holds files back.
func (f *boxFace) gcInfo(c *luajit.Call, _ *box.Ctx) error {
	w := startMap(c.Out)
	oldest := f.Box.OldestVClock()
	w.int("signature", oldest.Signature())
	w.key("vclock")
	w.b = oldest.AppendMsgpack(w.b)
	w.key("checkpoints")
	if r := f.Box.Retention(); r == nil {
		w.b = append(w.b, emptyArray...)
	} else {
		list := r.Checkpoints()
		w.b = msgpack.AppendArrayHeader(w.b, len(list))
		for i := range list {
			one := startMap(w.b)
			one.int("signature", list[i].VClock.Signature())
			one.key("vclock")
			one.b = list[i].VClock.AppendMsgpack(one.b)
			one.key("references")
			one.b = msgpack.AppendArrayHeader(one.b, list[i].Pins)
			for range list[i].Pins {
				one.b = msgpack.AppendString(one.b, "backup")
			}
			w.b = one.end()
		}
	}
	w.key("consumers")
	w.b = f.appendConsumers(w.b)
	w.bool("checkpoint_is_in_progress", f.Box.CheckpointInProgress())
	w.bool("is_paused", false)
	w.raw("wal_retention_vclock", []byte{0xc0})
	c.Out = w.end()
	c.NOut++
	return nil
}

// appendConsumers appends those who hold logs back.
func (f *boxFace) appendConsumers(b []byte) []byte {
	r := f.Box.Retention()
	if r == nil {
		return append(b, emptyArray...)
	}
	list := r.Consumers()
	b = msgpack.AppendArrayHeader(b, len(list))
	for i := range list {
		w := startMap(b)
		w.str("name", list[i].Name)
		w.int("signature", list[i].VClock.Signature())
		w.key("vclock")
		w.b = list[i].VClock.AppendMsgpack(w.b)
		b = w.end()
	}
	return b
}

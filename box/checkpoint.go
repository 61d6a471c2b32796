package box

import (
	"path/filepath"
	"slices"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/wal"
	"github.com/lycosadb/lycosa/xlog"
)

// ReadView is the data of all spaces that are kept, at one moment. It may be read without the cord's lock.
type ReadView struct {
	spaces []viewedSpace // by ID
	// sequences are the rows of _sequence_data, which say less than the sequences know.
	sequences [][]byte
	// temporary are the spaces whose definitions are not kept either.
	temporary map[uint32]bool
	// queue are the rows about the queue of synchronous transactions, none in the form of releases without one.
	queue []xlog.Row
	// progress is told the number of rows written so far.
	progress func(rows int64)
}

// viewedSpace is a space in a read view.
type viewedSpace struct {
	id    uint32
	local bool
	data  index.Index
}

// ReadView takes a read view. It is called under the cord's lock and costs the same however much data there is.
func (b *Box) ReadView() *ReadView {
	if h := b.commits.history; h != nil {
		h.Clean()
	}
	v := &ReadView{progress: func(rows int64) { b.progress(rows, "written") }}
	for _, sp := range b.catalog.spaces {
		if sp.Options.Temporary {
			if v.temporary == nil {
				v.temporary = make(map[uint32]bool)
			}
			v.temporary[sp.ID] = true
		}
		pk := sp.Mem.Primary()
		if pk == nil || sp.Mem.Temporary || sp.Virtual != nil || sp.Options.View {
			continue
		}
		v.spaces = append(v.spaces, viewedSpace{id: sp.ID, local: sp.Mem.Local, data: pk.Snapshot()})
	}
	slices.SortFunc(v.spaces, func(a, b viewedSpace) int { return int(a.id) - int(b.id) })
	for _, q := range b.catalog.sequences {
		if q.Started {
			row := msgpack.AppendArrayHeader(nil, 2)
			row = msgpack.AppendUint(row, uint64(q.ID))
			v.sequences = append(v.sequences, msgpack.AppendInt(row, q.Value))
		}
	}
	slices.SortFunc(v.sequences, slices.Compare)
	if b.catalog.dataVersion != oldVersion || b.status.term > 1 || b.status.queueOwner != 0 {
		v.queue = b.queueRows()
	}
	return v
}

// queueRows makes the rows about the queue of synchronous transactions that stand in checkpoints.
func (b *Box) queueRows() []xlog.Row {
	raft := msgpack.AppendMapHeader(nil, 1)
	raft = append(raft, iproto.RaftTerm)
	raft = msgpack.AppendUint(raft, max(1, b.status.term))
	fields := 3
	if b.status.term > 0 {
		fields++
	}
	promote := msgpack.AppendMapHeader(nil, fields)
	promote = append(promote, keyReplicaID)
	promote = msgpack.AppendUint(promote, uint64(b.status.queueOwner))
	promote = append(promote, keyLSN)
	promote = msgpack.AppendInt(promote, b.status.confirmed)
	if b.status.term > 0 {
		promote = append(promote, keyTerm)
		promote = msgpack.AppendUint(promote, b.status.term)
	}
	promote = append(promote, keyVClock)
	if b.status.confirmed > 0 {
		promote = msgpack.AppendMapHeader(promote, 1)
		promote = msgpack.AppendUint(promote, uint64(b.status.id))
		promote = msgpack.AppendInt(promote, b.status.confirmed)
	} else {
		promote = msgpack.AppendMapHeader(promote, 0)
	}
	return []xlog.Row{
		{Type: iproto.TypeRaft, GroupID: xlog.GroupLocal, Body: raft},
		{Type: iproto.TypeRaftPromote, Body: promote},
	}
}

// Write writes the read view as a checkpoint.
func (v *ReadView) Write(o wal.CheckpointOptions) (err error) {
	cp, err := wal.CreateCheckpoint(o)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			cp.Abort()
		}
	}()
	queued := false
	for _, sp := range v.spaces {
		if !IsSystem(sp.id) && !queued {
			queued = true
			if err := v.writeQueue(cp); err != nil {
				return err
			}
		}
		if sp.id == SequenceDataID {
			for _, row := range v.sequences {
				if err := cp.Tuple(sp.id, false, row); err != nil {
					return err
				}
			}
			continue
		}
		it, err := sp.data.Iterate(index.ALL, nil, 0, nil)
		if err != nil {
			return err
		}
		for t := it.Next(); t != nil; t = it.Next() {
			if v.temporary != nil && defines(sp.id) && v.temporary[uint32(rowUint(t, 0))] {
				continue
			}
			if err := cp.Tuple(sp.id, sp.local, t.Data()); err != nil {
				return err
			}
			v.progress(cp.Rows())
		}
	}
	if !queued {
		if err := v.writeQueue(cp); err != nil {
			return err
		}
	}
	return cp.Commit()
}

func (v *ReadView) writeQueue(cp *wal.Checkpoint) error {
	for i := range v.queue {
		if err := cp.Row(v.queue[i].Type, v.queue[i].GroupID, v.queue[i].Body); err != nil {
			return err
		}
	}
	return nil
}

// firstCheckpoint stores a fresh database.
func (b *Box) firstCheckpoint() error {
	return b.save(b.ReadView(), b.checkpointOptions(vclock.VClock{}))
}

// save writes a read view as a checkpoint. It needs no lock.
func (b *Box) save(v *ReadView, o wal.CheckpointOptions) error {
	b.info("saving snapshot `%s%s'", filepath.Join(o.Dir, xlog.FileName(xlog.Snap, o.VClock.Signature())), xlog.Inprogress)
	err := v.Write(o)
	if err == nil {
		b.info("done")
	}
	return err
}

func (b *Box) checkpointOptions(at vclock.VClock) wal.CheckpointOptions {
	return wal.CheckpointOptions{
		FS: b.storage.fs, Dir: b.Config.memtxDir(), Version: b.Config.version(), Instance: b.status.uuid, VClock: at,
		BytesPerSecond: b.Config.SnapIORateLimit,
	}
}

// Checkpoint stores the data as it is now and removes the files that are not needed any more then. It is called under
// the cord's lock and returns at once; done is called under the lock when that has ended. When nothing was changed since
// the last checkpoint nothing is written.
func (b *Box) Checkpoint(done func(error)) {
	st := &b.storage
	switch {
	case st.journal == nil:
		done(boxerr.New(boxerr.Unsupported, "A database in memory", "checkpoints"))
		return
	case st.busy:
		done(boxerr.New(boxerr.CheckpointInProgress))
		return
	}
	if list := st.retention.Checkpoints(); len(list) > 0 && list[len(list)-1].VClock == st.journal.Submitted() {
		done(nil)
		return
	}
	st.busy = true
	at, ticket := st.journal.BeginCheckpoint()
	view, options := b.ReadView(), b.checkpointOptions(at)
	go func() {
		err := ticket.Wait()
		if err == nil {
			err = b.save(view, options)
		}
		if err == nil {
			st.retention.Add(at)
			b.complain(st.retention.Collect())
		}
		b.Cord.Post(func() {
			st.busy = false
			done(err)
		})
	}()
}

// SetCheckpointInterval changes the time between checkpoints, 0 for none.
func (b *Box) SetCheckpointInterval(d time.Duration) {
	b.Config.CheckpointInterval = d
	b.scheduleCheckpoint()
}

// scheduleCheckpoint has checkpoints made at the configured interval, counted from now.
func (b *Box) scheduleCheckpoint() {
	st := &b.storage
	if st.timer != nil {
		st.timer.Stop()
		st.timer = nil
	}
	if b.Config.CheckpointInterval <= 0 || st.journal == nil || st.ended {
		return
	}
	st.timer = b.Cord.After(b.Config.CheckpointInterval, func() {
		b.checkpointNow()
		b.scheduleCheckpoint()
	})
}

// checkpointNow makes a checkpoint that nobody waits for, unless one is being made.
func (b *Box) checkpointNow() {
	if !b.storage.busy && !b.storage.ended {
		b.Checkpoint(b.complain)
	}
}

// watchJournal is told after each batch of the journal, with or without the cord's lock.
func (b *Box) watchJournal(position uint64) {
	b.Written(position)
	st := &b.storage
	if limit := st.threshold.Load(); limit > 0 && st.journal.SinceCheckpoint() > limit && st.asked.CompareAndSwap(false, true) {
		b.Cord.Post(func() {
			st.asked.Store(false)
			b.checkpointNow()
		})
	}
}

// SetCheckpointWALThreshold changes how many bytes may be written to the journal before a checkpoint is made, 0 for
// any number.
func (b *Box) SetCheckpointWALThreshold(bytes int64) {
	b.Config.CheckpointWALThreshold = bytes
	b.storage.threshold.Store(bytes)
}

// Retention knows the checkpoints and the logs that are kept, nil for a database in memory.
func (b *Box) Retention() *wal.Retention { return b.storage.retention }

// OldestVClock returns the clock of the oldest state that rows are kept since.
func (b *Box) OldestVClock() vclock.VClock {
	if b.storage.retention == nil {
		return b.VClock()
	}
	return b.storage.retention.Oldest()
}

// CheckpointInProgress reports whether a checkpoint is being written.
func (b *Box) CheckpointInProgress() bool { return b.storage.busy }

package box

import (
	"io"
	"path/filepath"
	"sync/atomic"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/fiber"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/wal"
	"github.com/lycosadb/lycosa/xlog"
)

// storage is what a database with a directory has besides its data.
type storage struct {
	fs        vfs.FS
	lock      io.Closer // of the directory of logs
	journal   *wal.Journal
	retention *wal.Retention
	// busy is set while a checkpoint is written, asked when one was asked for by the journal.
	busy  bool
	asked atomic.Bool
	// threshold is Config.CheckpointWALThreshold, to be read without the lock.
	threshold atomic.Int64
	timer     *fiber.Timer // of the next checkpoint
	// ended stops the checkpoints of Config.CheckpointInterval.
	ended bool
}

// Open makes a database that can be used: a fresh one in memory when the configuration names no directory, otherwise
// the one in the directory, which is made when it holds none. See Start.
func Open(cfg Config) (*Box, error) {
	b := New(cfg)
	b.Cord.Lock()
	err := b.Start()
	b.Cord.Unlock()
	if err != nil {
		b.Cord.Stop()
		return nil, err
	}
	return b, nil
}

// Start gives an empty database its data: that of its directory, or that of a fresh one, which is stored. It is
// called under the cord's lock, which it keeps while it reads.
func (b *Box) Start() error {
	if b.Config.MemtxDir == "" {
		defer b.Stat.Reset()
		defer b.SetLSN(0, 0)
		return b.Bootstrap()
	}
	err := b.startStored()
	if err != nil && b.storage.lock != nil {
		_ = b.storage.lock.Close()
		b.storage.lock = nil
	}
	return err
}

func (b *Box) startStored() error {
	st := &b.storage
	cfg := &b.Config
	if st.fs = cfg.FS; st.fs == nil {
		st.fs = vfs.OS
	}
	mode, err := wal.ParseMode(cfg.walMode())
	if err != nil {
		return err
	}
	if st.lock, err = wal.Lock(st.fs, cfg.walDir()); err != nil {
		return err
	}
	b.status.loading = true
	defer func() { b.status.loading = false }()
	r := &wal.Recovery{FS: st.fs, SnapDir: cfg.memtxDir(), LogDir: cfg.walDir(), Force: cfg.ForceRecovery, Warn: b.complain}
	found, err := b.recover(r)
	if err != nil {
		return err
	}
	if !found {
		if cfg.ReadOnly {
			return boxerr.New(boxerr.BootstrapReadonly)
		}
		if err := b.Bootstrap(); err != nil {
			return err
		}
		if err := b.firstCheckpoint(); err != nil {
			return err
		}
	} else {
		b.identify(r.Instance)
	}
	b.Stat.Reset()
	id := b.status.id
	b.SetLSN(r.VClock[id], r.VClock[0])
	st.threshold.Store(cfg.CheckpointWALThreshold)
	st.journal, err = wal.Open(wal.Options{
		FS: st.fs, Dir: cfg.walDir(), Mode: mode, Version: cfg.version(), Instance: b.status.uuid, ReplicaID: id,
		VClock: r.VClock, MaxSize: cfg.WALMaxSize, QueueMaxSize: cfg.WALQueueMaxSize,
		Written: b.watchJournal,
		Failed:  func(error) { b.Cord.Post(func() { st.journal.Settle() }) },
		NoSpace: func() bool { return st.retention != nil && st.retention.FreeSpace() },
		Warn:    b.complain,
	})
	if err != nil {
		return err
	}
	b.Journal = st.journal
	count := cfg.CheckpointCount
	if count == 0 {
		count = defaultCheckpointCount
	}
	if st.retention, err = wal.NewRetention(st.fs, cfg.memtxDir(), cfg.walDir(), count, st.journal); err != nil {
		return err
	}
	b.scheduleCheckpoint()
	return nil
}

// defaultCheckpointCount is how many checkpoints are kept if the configuration doesn't say.
const defaultCheckpointCount = 2

// Close writes what was committed and gives the directory up. It is called without the cord's lock.
func (b *Box) Close() error {
	st := &b.storage
	b.Cord.Lock()
	st.ended = true
	b.Cord.Unlock()
	var err error
	if st.journal != nil {
		err = st.journal.Close()
	}
	if st.lock != nil {
		if e := st.lock.Close(); err == nil {
			err = e
		}
	}
	return err
}

// recover reads the newest checkpoint and the logs since. It reports whether there is a checkpoint.
func (b *Box) recover(r *wal.Recovery) (found bool, err error) {
	if err := b.LayFoundation(); err != nil {
		return false, err
	}
	b.StartRecovery()
	defer b.EndRecovery()
	c := b.replayCtx()
	load := bulkLoad{box: b, ctx: c}
	found, err = r.Snapshot(func(row *xlog.Row) error {
		switch row.Type {
		case iproto.TypeRaft, iproto.TypeRaftPromote:
			b.replayQueue(row)
			return nil
		}
		return load.row(row)
	})
	if err == nil {
		err = load.end()
	}
	if err != nil || !found {
		return found, err
	}
	queue := syncQueue{box: b, ctx: c}
	if err = r.Logs(queue.replay); err != nil {
		return true, err
	}
	return true, r.Clean()
}

// syncQueue holds transactions of the log back until the synchronous ones among them are confirmed.
type syncQueue struct {
	box     *Box
	ctx     *Ctx
	pending []logged
}

// logged is a transaction of the log that waits.
type logged struct {
	rows []xlog.Row
	lsn  int64 // of its last row
	sync bool
}

// replay takes the next transaction of the log.
func (q *syncQueue) replay(rows []xlog.Row) error {
	last := &rows[len(rows)-1]
	switch last.Type {
	case iproto.TypeRaft, iproto.TypeRaftDemote:
		q.box.replayQueue(last)
		return nil
	case iproto.TypeRaftPromote:
		q.box.replayQueue(last)
		return q.decide(lsnOf(last))
	case iproto.TypeRaftConfirm:
		q.box.status.confirmed = lsnOf(last)
		return q.decide(lsnOf(last))
	case iproto.TypeRaftRollback:
		for i := range q.pending {
			if q.pending[i].lsn >= lsnOf(last) {
				q.pending = q.pending[:i]
				break
			}
		}
		return nil
	}
	sync := last.Flags&xlog.FlagWaitSync != 0
	if !sync && len(q.pending) == 0 {
		return q.run(rows)
	}
	kept := logged{lsn: last.LSN, sync: sync}
	for i := range rows {
		row := rows[i]
		row.Body = append([]byte(nil), row.Body...)
		kept.rows = append(kept.rows, row)
	}
	q.pending = append(q.pending, kept)
	return nil
}

// decide runs the transactions that are confirmed up to a number, with those that only waited behind them.
func (q *syncQueue) decide(lsn int64) error {
	n := 0
	for n < len(q.pending) && (!q.pending[n].sync || q.pending[n].lsn <= lsn) {
		if err := q.run(q.pending[n].rows); err != nil {
			return err
		}
		n++
	}
	q.pending = q.pending[n:]
	return nil
}

// run replays one transaction.
func (q *syncQueue) run(rows []xlog.Row) error {
	b, c := q.box, q.ctx
	if len(rows) == 1 {
		return b.Replay(c, &rows[0], false)
	}
	b.begin(c)
	for i := range rows {
		if err := b.Replay(c, &rows[i], false); err != nil {
			b.abort(c)
			return err
		}
	}
	return b.commit(c)
}

// Keys of the rows about the queue of synchronous transactions.
const (
	keyReplicaID = 0x02
	keyLSN       = 0x03
	keyVClock    = 0x26
	keyTerm      = 0x53
)

// lsnOf reads the LSN in a row about the queue of synchronous transactions.
func lsnOf(row *xlog.Row) int64 {
	return queueFields(row)[keyLSN]
}

// queueFields reads the numbers in a row's body.
func queueFields(row *xlog.Row) map[uint64]int64 {
	fields := make(map[uint64]int64)
	n, body, _ := msgpack.ReadMapHeader(row.Body)
	for range n {
		key, value, ok := msgpack.ReadUint(body)
		if !ok {
			break
		}
		if v, _, ok := msgpack.ReadInt(value); ok {
			fields[key] = v
		}
		if body, ok = msgpack.Skip(value); !ok {
			break
		}
	}
	return fields
}

// replayQueue takes a row about the owner of the queue of synchronous transactions.
func (b *Box) replayQueue(row *xlog.Row) {
	fields := queueFields(row)
	switch row.Type {
	case iproto.TypeRaft:
		b.status.term = max(b.status.term, uint64(fields[iproto.RaftTerm]))
	default:
		b.status.term = max(b.status.term, uint64(fields[keyTerm]))
		b.status.confirmed = max(b.status.confirmed, fields[keyLSN])
		b.status.queueOwner = 0
		if row.Type == iproto.TypeRaftPromote {
			if b.status.queueOwner = row.ReplicaID; row.ReplicaID == 0 { // in a checkpoint
				b.status.queueOwner = uint32(fields[keyReplicaID])
			}
		}
		b.status.frozen = b.status.queueOwner != 0
	}
}

// identify finds out which instance this is from the rows of _cluster and _schema.
func (b *Box) identify(uuid string) {
	b.status.uuid, b.status.id = uuid, 0
	each := func(id uint32, f func(key, value []byte)) {
		sp := b.catalog.spaces[id]
		if sp == nil || sp.Mem.Primary() == nil {
			return
		}
		rows, _ := sp.tuples()
		for _, t := range rows {
			f(t.Field(0), t.Field(1))
		}
	}
	each(ClusterID, func(key, value []byte) {
		if s, _, ok := msgpack.ReadString(value); ok && string(s) == uuid {
			n, _, _ := msgpack.ReadUint(key)
			b.status.id = uint32(n)
		}
	})
	each(SchemaID, func(key, value []byte) {
		name, _, _ := msgpack.ReadString(key)
		if s, _, ok := msgpack.ReadString(value); ok && (string(name) == "replicaset_uuid" || string(name) == "cluster") {
			b.status.replset = string(s)
		}
	})
}

func (c *Config) walMode() string {
	if c.WALMode == "" {
		return "write"
	}
	return c.WALMode
}

func (c *Config) memtxDir() string { return c.dir(c.MemtxDir) }

func (c *Config) walDir() string {
	if c.WALDir == "" {
		return c.memtxDir()
	}
	return c.dir(c.WALDir)
}

func (c *Config) dir(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(c.WorkDir, name)
}

func (c *Config) version() string {
	if c.Version == "" {
		return "3.2.1"
	}
	return c.Version
}

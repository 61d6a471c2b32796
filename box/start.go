package box

import (
	"io"
	"path/filepath"
	"runtime/debug"
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
func (b *Box) Start() (err error) {
	defer func() {
		if err == nil {
			b.compileHandlers()
			b.announce()
		}
	}()
	if b.Config.MemtxDir == "" {
		defer b.Stat.Reset()
		defer b.SetLSN(0, 0)
		return b.Bootstrap()
	}
	err = b.startStored()
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
	r := &wal.Recovery[prepared]{FS: st.fs, SnapDir: cfg.memtxDir(), LogDir: cfg.walDir(), Force: cfg.ForceRecovery, Warn: b.warn}
	found, err := b.recover(r)
	if err != nil {
		return err
	}
	reached := func(states ...string) {
		for _, state := range states {
			if b.OnRecoveryState != nil {
				b.OnRecoveryState(state)
			}
		}
	}
	if !found {
		if cfg.ReadOnly {
			return boxerr.New(boxerr.BootstrapReadonly)
		}
		b.info("initializing an empty data directory")
		if err := b.Bootstrap(); err != nil {
			return err
		}
		if err := b.firstCheckpoint(); err != nil {
			return err
		}
		reached("indexes_built", "snapshot_recovered")
	} else {
		b.identify(r.Instance)
		if err := b.checkIdentity(); err != nil {
			return err
		}
		reached("indexes_built")
	}
	reached("wal_recovered")
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
		Warn:    b.warn,
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
	st.retention.Removed = func(path string) { b.info("removed %s", path) }
	b.scheduleCheckpoint()
	reached("synced")
	b.info("ready to accept requests")
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
func (b *Box) recover(r *wal.Recovery[prepared]) (found bool, err error) {
	if err := b.LayFoundation(); err != nil {
		return false, err
	}
	b.StartRecovery()
	defer b.EndRecovery()
	calm := newTruce(b.Config.truceLimit())
	rows := int64(0)
	defer func() {
		if rows < progressStep {
			calm.end()
			return
		}
		go func() {
			debug.FreeOSMemory() // so many rows leave much behind that nothing needs
			calm.end()
		}()
	}()
	c := b.replayCtx()
	p := &preparer{limit: b.maxTupleSize()}
	r.Prepare = p.prepare
	load := bulkLoad{box: b, ctx: c, preparer: p}
	r.Reading = func(file string) {
		b.info("instance uuid %s", r.Instance)
		b.info("instance vclock %v", &r.VClock)
		b.info("recovering from `%s'", file)
	}
	found, err = r.Snapshot(func(row *xlog.Row, made *prepared) error {
		rows++
		b.progress(rows, "processed")
		switch row.Type {
		case iproto.TypeRaft, iproto.TypeRaftPromote:
			b.replayQueue(row)
			return nil
		}
		return load.row(row, made)
	})
	if err == nil {
		err = load.end()
	}
	if err != nil || !found {
		return found, err
	}
	if b.OnRecoveryState != nil {
		b.OnRecoveryState("snapshot_recovered")
	}
	queue := syncQueue{box: b, ctx: c, preparer: p}
	r.Reading = func(file string) { b.info("recover from `%s'", file) }
	r.Progress = func(file string, _ int64) { b.info("done `%s'", file) }
	err = r.Logs(func(txn []xlog.Row, made []prepared) error {
		for range txn {
			rows++
			b.progress(rows, "processed")
			if rows%progressStep == 0 {
				calm.review(b.dataSize())
			}
		}
		return queue.replay(txn, made)
	})
	if err == nil {
		err = b.buildPutOff()
	}
	if err != nil {
		return true, err
	}
	return true, r.Clean()
}

// checkIdentity refuses the directory of another instance than the configured one.
func (b *Box) checkIdentity() error {
	cfg, st := &b.Config, &b.status
	switch {
	case cfg.InstanceUUID != "" && cfg.InstanceUUID != st.uuid:
		return boxerr.New(boxerr.InstanceUUIDMismatch, cfg.InstanceUUID, st.uuid)
	case cfg.ReplicasetUUID != "" && cfg.ReplicasetUUID != st.replset:
		return boxerr.New(boxerr.ReplicasetUUIDMismatch, cfg.ReplicasetUUID, st.replset)
	}
	return nil
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

package wal

import (
	"errors"
	"io/fs"
	"path/filepath"
	"slices"
	"sync"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/xlog"
)

// Retention knows which files of a database are needed and removes the others: the checkpoints before the newest few, and
// the logs that neither the oldest checkpoint kept nor a consumer needs. Its methods may be called by any goroutine.
type Retention struct {
	// Removed is called for each file that was removed. It is set before the first use. May be nil.
	Removed func(path string)

	fsys            vfs.FS
	snapDir, logDir string
	journal         *Journal

	collecting sync.Mutex // held while files are removed

	mu          sync.Mutex // guards what follows
	count       int
	checkpoints []*kept // oldest first
	consumers   []*Consumer
}

// kept is a checkpoint that is there.
type kept struct {
	vclock vclock.VClock
	pins   int
}

// CheckpointInfo describes a checkpoint that is there.
type CheckpointInfo struct {
	VClock vclock.VClock
	// Pins is the number of those that hold it back from removal, such as a backup.
	Pins int
}

// NewRetention looks which checkpoints are there. count is how many are kept, at least 1.
func NewRetention(fsys vfs.FS, snapDir, logDir string, count int, journal *Journal) (*Retention, error) {
	r := &Retention{fsys: fsys, snapDir: snapDir, logDir: logDir, journal: journal, count: max(count, 1)}
	snaps := xlog.Dir{FS: fsys, Path: snapDir, Kind: xlog.Snap, Force: true}
	files, err := snaps.Scan()
	if err != nil {
		return nil, err
	}
	for i := range files {
		r.checkpoints = append(r.checkpoints, &kept{vclock: files[i].Meta.VClock})
	}
	return r, nil
}

// SetCount changes how many checkpoints are kept.
func (r *Retention) SetCount(count int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.count = max(count, 1)
}

// Add notes a new checkpoint.
func (r *Retention) Add(v vclock.VClock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n := len(r.checkpoints); n == 0 || r.checkpoints[n-1].vclock.Signature() < v.Signature() {
		r.checkpoints = append(r.checkpoints, &kept{vclock: v})
	}
}

// Checkpoints lists the checkpoints, oldest first.
func (r *Retention) Checkpoints() []CheckpointInfo {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]CheckpointInfo, len(r.checkpoints))
	for i, c := range r.checkpoints {
		list[i] = CheckpointInfo{VClock: c.vclock, Pins: c.pins}
	}
	return list
}

// Oldest returns the clock of the oldest state that rows are kept since: that of the oldest checkpoint, or of a consumer
// that is further behind.
func (r *Retention) Oldest() (v vclock.VClock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.checkpoints) > 0 {
		v = r.checkpoints[0].vclock
	}
	for _, c := range r.consumers {
		if c.vclock.Signature() < v.Signature() {
			v = c.vclock
		}
	}
	return v
}

// Pin holds a checkpoint back from removal, the n-th before the newest one, until release is called. It returns the files
// that make a copy of it. The error is MISSING_SNAPSHOT if there are not so many.
func (r *Retention) Pin(n int) (files []string, release func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if n < 0 || n >= len(r.checkpoints) {
		return nil, nil, boxerr.New(boxerr.MissingSnapshot)
	}
	c := r.checkpoints[len(r.checkpoints)-1-n]
	c.pins++
	release = sync.OnceFunc(func() {
		r.mu.Lock()
		c.pins--
		r.mu.Unlock()
	})
	return []string{filepath.Join(r.snapDir, xlog.FileName(xlog.Snap, c.vclock.Signature()))}, release, nil
}

// Consumer reads the logs from some state on and keeps those that it has not read.
type Consumer struct {
	name   string
	owner  *Retention
	vclock vclock.VClock // guarded by owner.mu
}

// ConsumerInfo describes a consumer.
type ConsumerInfo struct {
	Name   string
	VClock vclock.VClock
}

// Consume registers a consumer that needs the logs since v.
func (r *Retention) Consume(name string, v vclock.VClock) *Consumer {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := &Consumer{name: name, owner: r, vclock: v}
	r.consumers = append(r.consumers, c)
	return c
}

// Advance says that the consumer has read all before v.
func (c *Consumer) Advance(v vclock.VClock) {
	c.owner.mu.Lock()
	defer c.owner.mu.Unlock()
	if v.Signature() > c.vclock.Signature() {
		c.vclock = v
	}
}

// Close ends the consumer.
func (c *Consumer) Close() {
	c.owner.mu.Lock()
	defer c.owner.mu.Unlock()
	c.owner.consumers = slices.DeleteFunc(c.owner.consumers, func(other *Consumer) bool { return other == c })
}

// Consumers lists the consumers.
func (r *Retention) Consumers() []ConsumerInfo {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make([]ConsumerInfo, len(r.consumers))
	for i, c := range r.consumers {
		list[i] = ConsumerInfo{Name: c.name, VClock: c.vclock}
	}
	return list
}

// plan drops the checkpoints that are not needed and returns the signatures from which snapshots and logs are.
func (r *Retention) plan() (snap, log int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.checkpoints) > r.count && r.checkpoints[0].pins == 0 {
		r.checkpoints = r.checkpoints[1:]
	}
	if len(r.checkpoints) > 0 {
		snap = r.checkpoints[0].vclock.Signature()
	}
	log = snap
	for _, c := range r.consumers {
		log = min(log, c.vclock.Signature())
	}
	return snap, log
}

// Collect removes the files that are not needed any more.
func (r *Retention) Collect() error {
	r.collecting.Lock()
	defer r.collecting.Unlock()
	snap, log := r.plan()

	snaps := xlog.Dir{FS: r.fsys, Path: r.snapDir, Kind: xlog.Snap}
	found, err := snaps.Signatures()
	if err != nil {
		return err
	}
	var failed error
	for _, s := range found {
		if s < snap {
			failed = errors.Join(failed, r.remove(snaps.FilePath(s)))
		}
	}

	// A log is needed if the next one begins after what is needed. The one after the last is the one that the journal
	// will begin with its next row, unless it is writing to the last.
	logs := xlog.Dir{FS: r.fsys, Path: r.logDir, Kind: xlog.Log}
	next, writing := int64(0), true
	if r.journal != nil {
		next, writing = r.journal.nextLog()
	}
	if found, err = logs.Signatures(); err != nil {
		return err
	}
	if !writing && (len(found) == 0 || found[len(found)-1] < next) {
		found = append(found, next)
	}
	for i := 0; i+1 < len(found) && found[i+1] <= log; i++ {
		failed = errors.Join(failed, r.remove(logs.FilePath(found[i])))
	}
	if failed != nil {
		return boxerr.From(failed)
	}
	return nil
}

// FreeSpace removes the logs that only consumers need, when the disk is full, and says whether there were any.
func (r *Retention) FreeSpace() bool {
	r.mu.Lock()
	newest := int64(0)
	if n := len(r.checkpoints); n > 0 {
		newest = r.checkpoints[n-1].vclock.Signature()
	}
	r.mu.Unlock()
	logs := xlog.Dir{FS: r.fsys, Path: r.logDir, Kind: xlog.Log}
	found, err := logs.Signatures()
	if err != nil {
		return false
	}
	freed := false
	for i := 0; i+1 < len(found) && found[i+1] <= newest; i++ {
		freed = r.remove(logs.FilePath(found[i])) == nil || freed
	}
	return freed
}

func (r *Retention) remove(path string) error {
	switch err := r.fsys.Remove(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return xlog.SystemError("remove", path, err)
	case r.Removed != nil:
		r.Removed(path)
	}
	return nil
}

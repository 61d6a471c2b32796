package wal

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/xlog"
)

// Journal writes transactions to the logs of a directory.
//
// Submit, BeginCheckpoint and Settle are called under the cord's lock. All other methods may be called by any goroutine,
// and those that block must be called without it.
type Journal struct {
	opts Options

	known atomic.Uint64 // position up to which the fate of transactions is known
	since atomic.Int64  // bytes written since the last checkpoint was begun
	limit atomic.Int64  // Options.QueueMaxSize

	failedOnce atomic.Bool // failures is not empty

	mu       sync.Mutex    // guards what follows
	bytes    int64         // size of what is not written yet
	replica  uint32        // Options.ReplicaID
	clock    vclock.VClock // with all that was submitted
	last     uint64        // position of the last transaction submitted
	flushed  uint64        // position up to which the journal's goroutine has to write
	queue    []*batch      // not written yet, in order; the last one is being filled
	writing  *batch        // nil if nobody writes
	spare    *batch        // for reuse, may be nil
	durable  vclock.VClock // with all that is written
	failed   *batch        // the batch that could not be written, until Settle
	failure  *boxerr.Error // why
	failures []failure     // transactions that failed
	logOpen  bool          // the newest log has no end yet
	closed   bool          // by Close
	wake     sync.Cond     // for the journal's goroutine
	change   sync.Cond     // for those who wait for room or for Settle

	done chan struct{} // closed when the journal's goroutine has ended
	log  logFile       // used by the goroutine that set writing
}

// batch is what is written at once.
type batch struct {
	last   uint64        // position of its last transaction
	clock  vclock.VClock // before its first row
	after  vclock.VClock // behind its last row, set when no more can come
	now    float64       // when its first row came, in seconds since the epoch: the time of all its rows
	rows   int
	buf    []byte // blocks: each with room for its header
	blocks []int  // where they begin in buf
	undo   []Undo
	end    bool // the log ends behind this batch

	waiters int // of cond
	cond    sync.Cond
}

// failure is a range of transactions that failed.
type failure struct {
	first, last uint64
	err         *boxerr.Error
}

// again returns a copy of an error, because whoever gets one may add to it.
func again(err *boxerr.Error) error {
	e := *err
	e.Fields = slices.Clone(err.Fields)
	return &e
}

// maxFailures is how many ranges of failed transactions are remembered. Only a ticket that nobody asked for in as many
// later failures would be told a lie.
const maxFailures = 4096

// maxSpare is the capacity of a buffer in bytes that is kept for reuse.
const maxSpare = 4 << 20

// Open begins the journal of a directory that recovery has read. The first log is made, or gone on with, when the first
// transaction is written.
func Open(opts Options) (*Journal, error) {
	if opts.MaxSize <= 0 {
		opts.MaxSize = defaultMaxSize
	}
	if opts.QueueMaxSize <= 0 {
		opts.QueueMaxSize = defaultQueueMaxSize
	}
	if opts.CompressFrom == 0 {
		opts.CompressFrom = defaultCompressFrom
	}
	j := &Journal{opts: opts, replica: opts.ReplicaID, clock: opts.VClock, durable: opts.VClock, done: make(chan struct{})}
	j.limit.Store(opts.QueueMaxSize)
	j.wake.L, j.change.L = &j.mu, &j.mu
	if opts.Mode != None {
		if err := j.log.begin(&j.opts); err != nil {
			return nil, err
		}
	}
	j.queue = append(j.queue, j.fresh())
	go j.run()
	return j, nil
}

// SetReplicaID changes the id of this instance, which it learns when it is registered in the space _cluster.
func (j *Journal) SetReplicaID(id uint32) {
	j.mu.Lock()
	j.replica = id
	j.mu.Unlock()
}

// Submit queues a transaction, gives its rows their numbers and returns what to wait for. It copies the rows, never
// blocks and never fails: if the journal can't write, the transaction fails later like others. With Mode None the ticket
// needs no wait.
func (j *Journal) Submit(e *Entry) Ticket {
	j.mu.Lock()
	b := j.queue[len(j.queue)-1]
	j.number(e, b)
	j.last++
	position := j.last
	if j.opts.Mode == None {
		j.durable = j.clock
		j.mu.Unlock()
		j.known.Store(position)
		return Ticket{}
	}
	before := len(b.buf)
	if n := len(b.blocks); len(e.Rows) > 0 && (n == 0 || before-b.blocks[n-1] >= xlog.BlockHeaderSize+xlog.BlockSize) {
		b.blocks = append(b.blocks, before)
		b.buf = append(b.buf, zeroHeader[:]...)
	}
	for i := range e.Rows {
		b.buf = xlog.AppendRow(b.buf, &e.Rows[i])
	}
	b.rows += len(e.Rows)
	b.last = position
	if e.Undo != nil {
		b.undo = append(b.undo, e.Undo)
	}
	j.bytes += int64(len(b.buf) - before)
	refused := j.closed && j.failure == nil
	if refused {
		j.queue[len(j.queue)-1] = j.fresh()
		j.failed, j.failure = b, boxerr.New(boxerr.WalIO)
	}
	j.mu.Unlock()
	if refused && j.opts.Failed != nil {
		j.opts.Failed(boxerr.New(boxerr.WalIO))
	}
	return Ticket{j, position}
}

var zeroHeader [xlog.BlockHeaderSize]byte

// number gives the rows their numbers and their time. The lock is held.
func (j *Journal) number(e *Entry, b *batch) {
	now := e.Timestamp
	if now == 0 && j.opts.Mode != None {
		if b.rows == 0 {
			b.now = float64(time.Now().UnixNano()) / 1e9
		}
		now = b.now
	}
	if e.Foreign {
		for i := range e.Rows {
			j.clock.Follow(e.Rows[i].Component(), e.Rows[i].LSN)
		}
		return
	}
	// The id of a transaction is the number of its first row that other instances see.
	var tsn int64
	for i := range e.Rows {
		r := &e.Rows[i]
		r.ReplicaID = j.replica
		if r.GroupID == xlog.GroupLocal {
			r.ReplicaID = 0
		}
		j.clock[r.ReplicaID]++
		r.LSN = j.clock[r.ReplicaID]
		r.Timestamp = now
		r.Flags = 0
		if tsn == 0 && r.GroupID != xlog.GroupLocal {
			tsn = r.LSN
		}
	}
	if n := len(e.Rows); n > 0 {
		if tsn == 0 {
			tsn = e.Rows[0].LSN
		}
		for i := range e.Rows {
			e.Rows[i].TSN = tsn
		}
		e.Rows[n-1].Flags = e.Flags | xlog.FlagCommit
	}
}

// BeginCheckpoint is called at the moment of the read view that a checkpoint will be made of. It returns the state, which
// names the checkpoint, and a ticket: when that was written without an error, all transactions of the read view are on
// disk, and later ones go to another log.
func (j *Journal) BeginCheckpoint() (vclock.VClock, Ticket) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.since.Store(0)
	if j.opts.Mode == None {
		return j.clock, Ticket{}
	}
	j.last++
	b := j.queue[len(j.queue)-1]
	b.last, b.end, b.after = j.last, true, j.clock
	j.queue = append(j.queue, j.fresh())
	return j.clock, Ticket{j, j.last}
}

// fresh returns an empty batch that begins at the present state. The lock is held.
func (j *Journal) fresh() *batch {
	b := j.spare
	j.spare = nil
	if b == nil {
		b = &batch{}
		b.cond.L = &j.mu
	}
	b.clock = j.clock
	return b
}

// recycle takes a batch that is not used any more. The lock is held.
func (j *Journal) recycle(b *batch) {
	if j.spare != nil || cap(b.buf) > maxSpare {
		return
	}
	clear(b.undo)
	b.last, b.rows, b.end, b.waiters = 0, 0, false, 0
	b.buf, b.blocks, b.undo = b.buf[:0], b.blocks[:0], b.undo[:0]
	j.spare = b
}

// pending says whether there is something to write and nobody who does. The lock is held.
func (j *Journal) pending() bool {
	return j.writing == nil && j.failure == nil && j.queue[0].last > j.known.Load()
}

// lead writes the first batch. The lock is held, but not while it is written, and pending is true.
func (j *Journal) lead() {
	b := j.queue[0]
	if len(j.queue) == 1 {
		b.after = j.clock
		j.queue[0] = j.fresh()
	} else {
		n := copy(j.queue, j.queue[1:])
		j.queue[n] = nil
		j.queue = j.queue[:n]
	}
	j.writing = b
	j.mu.Unlock()
	written, err := j.log.write(b)
	j.mu.Lock()
	j.logOpen = j.log.f != nil
	if err != nil {
		j.failed, j.failure = b, err
		if j.opts.Failed != nil {
			j.mu.Unlock()
			j.opts.Failed(again(err))
			j.mu.Lock()
		}
		j.writing = nil
		j.passOn()
		return
	}
	j.since.Add(written)
	j.bytes -= int64(len(b.buf))
	j.durable = b.after
	last := b.last
	j.known.Store(last)
	b.waiters = 0
	b.cond.Broadcast()
	j.change.Broadcast()
	// The next batch waits for the hook, so that positions are told in order.
	if j.opts.Written != nil {
		j.mu.Unlock()
		j.opts.Written(last)
		j.mu.Lock()
	}
	j.writing = nil
	j.recycle(b)
	j.passOn()
}

// passOn wakes somebody who will write the next batch, if anybody waits for it. The lock is held.
func (j *Journal) passOn() {
	if j.closed {
		j.wake.Signal()
	}
	if !j.pending() {
		return
	}
	for _, b := range j.queue {
		if b.waiters > 0 {
			b.waiters--
			b.cond.Signal()
			return
		}
	}
	if j.flushed > j.known.Load() {
		j.wake.Signal()
	}
}

// Settle undoes the transactions that could not be written, newest first, and lets the journal write again. It does
// nothing when there are none.
func (j *Journal) Settle() {
	j.mu.Lock()
	if j.failure == nil {
		j.mu.Unlock()
		return
	}
	failed, behind, cause, last := j.failed, j.queue, j.failure, j.last
	j.mu.Unlock()

	// Nothing changes meanwhile: writing has stopped, and submitting needs the cord's lock, which the caller has.
	cascade := boxerr.New(boxerr.CascadeRollback)
	for i := len(behind) - 1; i >= 0; i-- {
		behind[i].undoAll(cascade)
	}
	failed.undoAll(cause)

	j.mu.Lock()
	if first := j.known.Load() + 1; failed.last >= first {
		j.remember(failure{first, failed.last, cause})
	}
	if last > failed.last {
		j.remember(failure{failed.last + 1, last, cascade})
	}
	j.clock = failed.clock
	j.failed, j.failure = nil, nil
	for _, b := range behind {
		b.waiters = 0
		b.cond.Broadcast()
	}
	failed.waiters = 0
	failed.cond.Broadcast()
	j.queue = append(j.queue[:0], j.fresh())
	j.bytes = 0
	j.known.Store(last)
	j.change.Broadcast()
	j.mu.Unlock()
	if j.opts.Written != nil {
		j.opts.Written(last)
	}
}

func (b *batch) undoAll(err *boxerr.Error) {
	for i := len(b.undo) - 1; i >= 0; i-- {
		b.undo[i].Undo(again(err))
	}
}

// remember notes a failure for tickets. The lock is held.
func (j *Journal) remember(f failure) {
	if len(j.failures) == maxFailures {
		j.failures = append(j.failures[:0], j.failures[maxFailures/2:]...)
	}
	j.failures = append(j.failures, f)
	j.failedOnce.Store(true)
}

// run is the journal's own goroutine: it writes what was flushed and nobody waits for.
func (j *Journal) run() {
	defer close(j.done)
	j.mu.Lock()
	defer j.mu.Unlock()
	for {
		switch {
		case j.pending() && (j.closed || j.flushed > j.known.Load()):
			j.lead()
		case j.closed && j.writing == nil:
			return
		default:
			j.wake.Wait()
		}
	}
}

// Flush sees to it that all that was submitted so far gets written although nobody waits for it on a goroutine. It does
// not block.
func (j *Journal) Flush() {
	j.mu.Lock()
	if j.flushed < j.last {
		j.flushed = j.last
		if j.pending() {
			j.wake.Signal()
		}
	}
	j.mu.Unlock()
}

// wait blocks until the fate of a transaction is known.
func (j *Journal) wait(position uint64) error {
	if position > j.known.Load() {
		j.mu.Lock()
		for position > j.known.Load() {
			switch {
			case j.failure != nil:
				j.change.Wait()
			case j.writing == nil:
				j.lead()
			default:
				b := j.writing
				for i := 0; position > b.last; i++ {
					b = j.queue[i]
				}
				b.waiters++
				b.cond.Wait()
			}
		}
		j.mu.Unlock()
	}
	return j.outcome(position)
}

// outcome is the error of a transaction whose fate is known.
func (j *Journal) outcome(position uint64) error {
	if !j.failedOnce.Load() {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := len(j.failures) - 1; i >= 0 && j.failures[i].last >= position; i-- {
		if j.failures[i].first <= position {
			return again(j.failures[i].err)
		}
	}
	return nil
}

// Full says whether so much waits to be written that further transactions should wait as well, see WaitRoom.
func (j *Journal) Full() bool { return j.QueueSize() >= j.limit.Load() }

// WaitRoom blocks until Full is false.
func (j *Journal) WaitRoom() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.bytes >= j.limit.Load() {
		if j.pending() {
			j.lead()
		} else {
			j.change.Wait()
		}
	}
}

// SetQueueMaxSize changes the limit of Full; 0 stands for the default.
func (j *Journal) SetQueueMaxSize(bytes int64) {
	if bytes <= 0 {
		bytes = defaultQueueMaxSize
	}
	j.limit.Store(bytes)
	j.mu.Lock()
	j.change.Broadcast()
	j.mu.Unlock()
}

// QueueSize is the number of bytes that wait to be written.
func (j *Journal) QueueSize() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.bytes
}

// SinceCheckpoint is the number of bytes written since the last checkpoint was begun.
func (j *Journal) SinceCheckpoint() int64 { return j.since.Load() }

// Known is the position up to which the fate of all transactions is known.
func (j *Journal) Known() uint64 { return j.known.Load() }

// VClock is the state on disk.
func (j *Journal) VClock() vclock.VClock {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.durable
}

// Submitted is the state with all that was submitted.
func (j *Journal) Submitted() vclock.VClock {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.clock
}

// nextLog returns the signature of the log to come if no log is being written to.
func (j *Journal) nextLog() (signature int64, writing bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.durable.Signature(), j.logOpen || j.writing != nil
}

// Close writes what was submitted, ends the log and leaves an empty one named by the last state, so that the next start
// finds that state without reading the last log. The journal can't be used any more. What failed and was not settled
// stays so.
func (j *Journal) Close() error {
	j.mu.Lock()
	if j.closed {
		j.mu.Unlock()
		return nil
	}
	j.closed = true
	j.wake.Signal()
	j.mu.Unlock()
	<-j.done
	j.mu.Lock()
	failure := j.failure
	j.mu.Unlock()
	switch {
	case failure != nil:
		j.log.end()
		return again(failure)
	case j.opts.Mode == None:
		return nil
	}
	return j.log.finish(&j.durable)
}

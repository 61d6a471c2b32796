package box

import (
	"sync/atomic"

	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/wal"
	"github.com/lycosadb/lycosa/xlog"
)

// Journal makes committed transactions durable, in the order they were submitted. A *wal.Journal is one.
type Journal interface {
	// Submit queues one transaction, whose rows it copies. It is called under the cord's lock and does not block.
	// Should writing fail, the entry's Undo is called under the lock, the newest transaction first.
	Submit(e *wal.Entry) wal.Ticket
	// Flush has everything written soon that was submitted, without anybody waiting for it.
	Flush()
	// Known is the position up to which the fate of all transactions is known.
	Known() uint64
}

// Ticket stands for a commit that may not be on disk yet. The zero Ticket needs no wait.
type Ticket = wal.Ticket

// inFlight is a transaction that the journal has and that may still fail. It is reused.
type inFlight struct {
	box *Box
	txn *memtx.Txn
	// listened tells that somebody wants to know of the end of the transaction.
	listened bool
	position uint64
}

// waiting is a function to run when the transaction at a position of the journal is written.
type waiting struct {
	position uint64
	done     func(error)
}

// submit hands the rows of a transaction to the journal.
func (b *Box) submit(c *Ctx, txn *memtx.Txn, rows []xlog.Row) {
	cs := &b.commits
	if cs.history == nil {
		cs.known = b.Journal.Known()
	}
	b.settle(cs.known)
	f := b.fly(txn)
	cs.entry.Rows, cs.entry.Undo, cs.entry.Flags = rows, f, 0
	sync := b.isSync(txn)
	if sync {
		cs.entry.Flags = xlog.FlagWaitSync | xlog.FlagWaitAck
	}
	c.Ticket = b.Journal.Submit(&cs.entry)
	position := c.Ticket.Position()
	if sync {
		c.Ticket = b.confirmSync(rows[len(rows)-1].LSN)
	}
	if cs.history != nil {
		cs.newest = c.Ticket
		cs.history.Submitted(txn, position)
	}
	if position == 0 { // nothing is ever written
		cs.put(f)
		b.confirm(c, txn)
		return
	}
	b.launch(f, position)
}

// follow ends a transaction that the journal has nothing of, but that has seen what is not written yet: it stays or
// goes with the transaction submitted last.
func (b *Box) follow(c *Ctx, txn *memtx.Txn) {
	c.Ticket = b.commits.newest
	b.launch(b.fly(txn), c.Ticket.Position())
}

// fly makes an inFlight of a transaction.
func (b *Box) fly(txn *memtx.Txn) *inFlight {
	cs := &b.commits
	f := cs.get()
	f.box, f.txn = b, txn
	f.listened = txn.Hooked() || len(txn.OnCommit) > 0 || cs.events.any(b)
	return f
}

// launch puts a transaction into the queue.
func (b *Box) launch(f *inFlight, position uint64) {
	cs := &b.commits
	f.position, f.txn.Number = position, position
	cs.queue = append(cs.queue, f)
	if f.listened {
		cs.listeners.Add(1)
		b.Journal.Flush()
	}
}

// Undo implements wal.Undo: the transaction, the newest that was submitted, could not be written. Those that follow it
// go first.
func (f *inFlight) Undo(err error) {
	cs := &f.box.commits
	for n := len(cs.queue); n > cs.head && cs.queue[n-1].position == f.position; n = len(cs.queue) {
		last := cs.queue[n-1]
		cs.queue[n-1] = nil
		cs.queue = cs.queue[:n-1]
		cs.trim()
		last.undo(err)
	}
}

func (f *inFlight) undo(err error) {
	b := f.box
	cs := &b.commits
	b.uncount(f.txn)
	if tell := b.undo(f.txn); tell != nil {
		b.Cord.Post(func() { tell(b.background()) }) // who is told may write, which the journal is not ready for now
	}
	for i := len(cs.waiting) - 1; i >= 0; i-- {
		if w := cs.waiting[i]; w.position == f.position {
			cs.waiting = append(cs.waiting[:i], cs.waiting[i+1:]...)
			cs.listeners.Add(-1)
			b.Cord.Post(func() { w.done(err) })
		}
	}
	b.release(f.txn)
	cs.end(f)
}

// settle confirms the transactions up to a position. What failed of them has been undone already. What is called here
// may commit transactions itself.
func (b *Box) settle(known uint64) {
	cs := &b.commits
	for cs.head < len(cs.queue) && cs.queue[cs.head].position <= known {
		f := cs.queue[cs.head]
		cs.queue[cs.head] = nil
		cs.head++
		cs.trim()
		txn := f.txn
		cs.end(f)
		b.confirm(b.background(), txn)
	}
	for len(cs.waiting) > 0 && cs.waiting[0].position <= known {
		w := cs.waiting[0]
		cs.waiting = append(cs.waiting[:0], cs.waiting[1:]...)
		cs.listeners.Add(-1)
		w.done(nil)
	}
}

// trim gives the room of the queue's past back.
func (cs *commits) trim() {
	if cs.head == len(cs.queue) {
		cs.queue, cs.head = cs.queue[:0], 0
	} else if cs.head >= 1024 {
		n := copy(cs.queue, cs.queue[cs.head:])
		clear(cs.queue[n:])
		cs.queue, cs.head = cs.queue[:n], 0
	}
}

// Written tells the database that the fate of the transactions up to a position is known. It may be called by any
// goroutine, with or without the cord's lock, and does not block.
func (b *Box) Written(position uint64) {
	if b.commits.listeners.Load() > 0 {
		b.Cord.Post(func() { b.settle(position) })
	}
}

// AwaitJournal gives the cord's lock up for as long as more waits to be written than Config.WALQueueMaxSize allows. Whoever
// begins something that may write calls it before.
func (b *Box) AwaitJournal() {
	j := b.storage.journal
	if j == nil {
		return
	}
	for j.Full() {
		b.Cord.Unlock()
		j.WaitRoom()
		b.Cord.Lock()
	}
}

// WhenWritten has f called under the cord's lock once the transaction is on disk or has failed. It is to be
// called before the lock is given up after the commit. For the zero Ticket f is called at once.
func (b *Box) WhenWritten(t Ticket, f func(error)) {
	if t.Position() == 0 {
		f(nil)
		return
	}
	b.commits.waiting = append(b.commits.waiting, waiting{position: t.Position(), done: f})
	b.commits.listeners.Add(1)
	b.Journal.Flush()
}

// get returns an unused inFlight.
func (cs *commits) get() *inFlight {
	if n := len(cs.spare); n > 0 {
		f := cs.spare[n-1]
		cs.spare = cs.spare[:n-1]
		return f
	}
	return new(inFlight)
}

// put makes an inFlight available again.
func (cs *commits) put(f *inFlight) {
	*f = inFlight{}
	if len(cs.spare) < maxFreeTxns {
		cs.spare = append(cs.spare, f)
	}
}

// end forgets a transaction whose fate is known.
func (cs *commits) end(f *inFlight) {
	if f.listened {
		cs.listeners.Add(-1)
	}
	cs.put(f)
}

// commits is what becomes of transactions at their end. Guarded by the cord's lock.
type commits struct {
	last    uint64      // id of the transaction begun last
	queue   []*inFlight // committed and not known to be written, oldest first, from head on
	head    int
	waiting []waiting    // ordered by position
	free    []*memtx.Txn // to be used again
	spare   []*inFlight  // to be used again
	entry   wal.Entry    // room for one transaction on its way to the journal
	rows    []xlog.Row   // its rows
	events  txnEvents
	// history keeps concurrent transactions apart. It is nil without Config.UseMVCC.
	history *memtx.History
	// known is the position up to which transactions are taken for written. With a history that is what was known when
	// the lock was taken.
	known uint64
	// newest is the ticket of the transaction submitted last.
	newest Ticket
	// listeners is how many functions and triggers are to be run when transactions are written. It may be read
	// without the lock.
	listeners atomic.Int64
}

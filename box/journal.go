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

// inFlight is a transaction that the journal has and that may still fail.
type inFlight struct {
	position uint64
	// txn is the transaction. It is nil where nothing is left of it but the sole change that it made.
	txn  *memtx.Txn
	sole memtx.Change
	// listened tells that somebody wants to know of the end of the transaction.
	listened bool
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
	cs.entry.Rows, cs.entry.Undo, cs.entry.Flags = rows, (*undoing)(b), 0
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
		b.confirm(c, txn)
		return
	}
	b.launch(txn, position)
}

// follow ends a transaction that the journal has nothing of, but that has seen what is not written yet: it stays or
// goes with the transaction submitted last.
func (b *Box) follow(c *Ctx, txn *memtx.Txn) {
	c.Ticket = b.commits.newest
	b.launch(txn, c.Ticket.Position())
}

// launch puts a transaction into the queue.
func (b *Box) launch(txn *memtx.Txn, position uint64) {
	cs := &b.commits
	if cs.events.any(b) || txn.Hooked() || len(txn.OnCommit) > 0 {
		txn.Number = position
		cs.queue = append(cs.queue, inFlight{position: position, txn: txn, listened: true})
		cs.listeners.Add(1)
		b.Journal.Flush()
	} else if sole, ok := txn.Sole(); ok {
		cs.queue = append(cs.queue, inFlight{position: position, sole: sole})
		b.release(txn)
	} else {
		txn.Number = position
		cs.queue = append(cs.queue, inFlight{position: position, txn: txn})
	}
}

// undoing is the database as a wal.Undo.
type undoing Box

// Undo implements wal.Undo: the transaction that was submitted last and not undone yet could not be written. Those that
// follow it go first.
func (u *undoing) Undo(err error) {
	b := (*Box)(u)
	cs := &b.commits
	n := len(cs.queue)
	if n == cs.head {
		return
	}
	for position := cs.queue[n-1].position; n > cs.head && cs.queue[n-1].position == position; n = len(cs.queue) {
		last := cs.queue[n-1]
		cs.queue[n-1] = inFlight{}
		cs.queue = cs.queue[:n-1]
		cs.trim()
		b.undoFlight(&last, err)
	}
}

func (b *Box) undoFlight(f *inFlight, err error) {
	cs := &b.commits
	var tell func(*Ctx)
	if f.txn == nil {
		tell = b.undoSole(&f.sole)
	} else {
		b.uncount(f.txn)
		tell = b.undo(f.txn)
	}
	if tell != nil {
		b.Cord.Post(func() { tell(b.background()) }) // who is told may write, which the journal is not ready for now
	}
	for i := len(cs.waiting) - 1; i >= 0; i-- {
		if w := cs.waiting[i]; w.position == f.position {
			cs.waiting = append(cs.waiting[:i], cs.waiting[i+1:]...)
			cs.listeners.Add(-1)
			b.Cord.Post(func() { w.done(err) })
		}
	}
	if f.txn != nil {
		b.release(f.txn)
	}
	if f.listened {
		cs.listeners.Add(-1)
	}
}

// undoSole is uncount and undo for a transaction of which nothing is left but its change.
func (b *Box) undoSole(sole *memtx.Change) (tell func(*Ctx)) {
	b.uncountOne(sole.Space)
	b.Stat.Count(OpRollback)
	if b.commits.events.any(b) {
		list := soleChange(sole)
		tell = func(c *Ctx) { b.afterRollback(c, nil, list) }
	}
	sole.Undo()
	return tell
}

// settle confirms the transactions up to a position. What failed of them has been undone already. What is called here
// may commit transactions itself.
func (b *Box) settle(known uint64) {
	cs := &b.commits
	for cs.head < len(cs.queue) && cs.queue[cs.head].position <= known {
		f := cs.queue[cs.head]
		cs.queue[cs.head] = inFlight{}
		cs.head++
		cs.trim()
		if f.txn == nil {
			if cs.events.any(b) { // they have come since
				b.afterCommit(b.background(), nil, soleChange(&f.sole))
			}
			continue
		}
		if f.listened {
			cs.listeners.Add(-1)
		}
		b.confirm(b.background(), f.txn)
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

// commits is what becomes of transactions at their end. Guarded by the cord's lock.
type commits struct {
	last    uint64     // id of the transaction begun last
	queue   []inFlight // committed and not known to be written, oldest first, from head on
	head    int
	waiting []waiting    // ordered by position
	free    []*memtx.Txn // to be used again
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

package box

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/memtx"
)

// commits is what becomes of transactions at their end. Guarded by the cord's lock.
type commits struct {
	last    uint64       // id of the transaction begun last
	queue   []*memtx.Txn // committed and not confirmed by the journal yet, oldest first
	waiting []waiting    // ordered by number
	free    []*memtx.Txn // to be used again
	rows    []Row        // room for the rows of one transaction
	events  txnEvents
}

// waiting is a function to run when the transaction with that number is written.
type waiting struct {
	number uint64
	done   func(error)
}

// commit hands the transaction of c to the journal and ends it. When that is refused it is rolled back.
func (b *Box) commit(c *Ctx) error {
	txn := c.Txn
	if err := b.mayCommit(c, txn); err != nil {
		b.abort(c)
		return err
	}
	b.Stat.Count(OpCommit)
	c.Txn = nil
	rows := b.commits.rows[:0]
	var local, replicated int64
	for i := range txn.Len() {
		s := txn.Stmt(i)
		if s.Type == 0 {
			continue
		}
		rows = append(rows, Row{Type: s.Type, Local: s.Space.Local, Body: txn.Row(i)})
		if s.Space.Local {
			local++
		} else {
			replicated++
		}
	}
	b.commits.rows = rows
	b.status.local += local
	b.status.lsn += replicated
	if b.Journal == nil || len(rows) == 0 {
		b.confirm(c, txn)
		clear(rows)
		return nil
	}
	txn.Number = b.Journal.Submit(rows)
	clear(rows)
	c.Ticket = Ticket{journal: b.Journal, number: txn.Number}
	b.commits.queue = append(b.commits.queue, txn)
	return nil
}

// mayCommit is what can still refuse a transaction at its end.
func (b *Box) mayCommit(c *Ctx, txn *memtx.Txn) error {
	if b.commits.events.any(b) {
		if err := b.beforeCommit(c, txn); err != nil {
			return err
		}
	}
	if b.status.queueOwner == 0 && !b.recovering && b.isSync(txn) {
		return boxerr.New(boxerr.SyncQueueUnclaimed)
	}
	return nil
}

// isSync reports whether a transaction has to wait for a quorum.
func (b *Box) isSync(txn *memtx.Txn) bool {
	if txn.Sync {
		return true
	}
	for i := range txn.Len() {
		if txn.Stmt(i).Space.Sync {
			return true
		}
	}
	return false
}

// confirm ends a transaction that nothing can undo any more.
func (b *Box) confirm(c *Ctx, txn *memtx.Txn) {
	txn.Confirm()
	if len(txn.OnCommit) > 0 || b.commits.events.any(b) {
		b.afterCommit(c, txn)
	}
	b.release(txn)
}

// rollBack undoes a transaction and tells its triggers.
func (b *Box) rollBack(c *Ctx, txn *memtx.Txn) {
	b.Stat.Count(OpRollback)
	if len(txn.OnRollback) > 0 || b.commits.events.any(b) {
		b.aroundRollback(c, txn)
		return
	}
	txn.Rollback()
}

// rollBackStatements undoes a transaction that stays open.
func (b *Box) rollBackStatements(txn *memtx.Txn) {
	depth := txn.Depth()
	txn.Rollback()
	for ; depth > 0; depth-- {
		txn.Begin()
	}
}

// Written is called by the journal, under the cord's lock: the transactions up to the given number are on disk or,
// with an error, that one and all later ones never will be. Those are undone, the last one first.
func (b *Box) Written(number uint64, err error) {
	c := b.background()
	cs := &b.commits
	if err == nil {
		n := 0
		for n < len(cs.queue) && cs.queue[n].Number <= number {
			b.confirm(c, cs.queue[n])
			n++
		}
		cs.queue = append(cs.queue[:0], cs.queue[n:]...)
		b.tellWaiting(func(w uint64) bool { return w <= number }, nil)
		return
	}
	n := len(cs.queue)
	for n > 0 && cs.queue[n-1].Number >= number {
		n--
		b.uncount(cs.queue[n])
		b.rollBack(c, cs.queue[n])
		b.release(cs.queue[n])
	}
	clear(cs.queue[n:])
	cs.queue = cs.queue[:n]
	b.tellWaiting(func(w uint64) bool { return w >= number }, err)
}

// uncount takes back the log sequence numbers of a transaction that could not be written.
func (b *Box) uncount(txn *memtx.Txn) {
	for i := range txn.Len() {
		switch s := txn.Stmt(i); {
		case s.Type == 0:
		case s.Space.Local:
			b.status.local--
		default:
			b.status.lsn--
		}
	}
}

func (b *Box) tellWaiting(match func(uint64) bool, err error) {
	cs := &b.commits
	kept := cs.waiting[:0]
	var done []func(error)
	for _, w := range cs.waiting {
		if match(w.number) {
			done = append(done, w.done)
		} else {
			kept = append(kept, w)
		}
	}
	clear(cs.waiting[len(kept):])
	cs.waiting = kept
	for _, f := range done {
		f(err)
	}
}

// WhenWritten has f called under the cord's lock once the transaction is on disk or has failed. It is to be
// called before the lock is given up after the commit. For the zero Ticket f is called at once.
func (b *Box) WhenWritten(t Ticket, f func(error)) {
	if t.Done() {
		f(nil)
		return
	}
	b.commits.waiting = append(b.commits.waiting, waiting{number: t.number, done: f})
}

// background returns the context of what nobody asked for, with the rights of the administrator.
func (b *Box) background() *Ctx {
	if b.system == nil {
		b.system = b.NewCtx(&Session{Type: SessionBackground, User: b.UserByID(AdminID), FD: -1})
	}
	return b.system
}

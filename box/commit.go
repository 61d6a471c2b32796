package box

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/xlog"
)

// commit hands the transaction of c to the journal and ends it. When that is refused it is rolled back.
func (b *Box) commit(c *Ctx) error {
	txn := c.Txn
	if err := b.mayCommit(c, txn); err != nil {
		b.abort(c)
		return err
	}
	history := b.commits.history
	if history != nil {
		if err := history.Prepare(txn); err != nil {
			b.abort(c)
			return err
		}
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
		if n := len(rows); n < cap(rows) {
			rows = rows[:n+1]
		} else {
			rows = append(rows, xlog.Row{})
		}
		r := &rows[len(rows)-1] // the journal fills in the rest
		r.Type, r.GroupID, r.Body = iproto.Type(s.Type), 0, txn.Row(i)
		if s.Space.Local {
			local++
			r.GroupID = xlog.GroupLocal
		} else {
			replicated++
		}
	}
	b.status.local += local
	b.status.lsn += replicated
	if b.Journal == nil || len(rows) == 0 {
		if history != nil && history.Submitted(txn, 0) != 0 {
			b.follow(c, txn)
		} else {
			b.confirm(c, txn)
		}
	} else {
		b.submit(c, txn, rows)
	}
	if len(rows) > 1 {
		clear(rows[1:]) // the next transaction overwrites the first one
	}
	b.commits.rows = rows
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
		b.afterCommit(c, txn.OnCommit, changes(txn, false))
	}
	b.release(txn)
}

// rollBack undoes a transaction and tells those who want to know.
func (b *Box) rollBack(c *Ctx, txn *memtx.Txn) {
	if tell := b.undo(txn); tell != nil {
		c.Txn = nil
		tell(c)
	}
}

// undo undoes a transaction. tell, if it is not nil, tells those who want to know.
func (b *Box) undo(txn *memtx.Txn) (tell func(*Ctx)) {
	b.Stat.Count(OpRollback)
	if len(txn.OnRollback) == 0 && !b.commits.events.any(b) {
		txn.Rollback()
		return nil
	}
	list := changes(txn, true)
	handlers := append([]any(nil), txn.OnRollback...)
	txn.Rollback()
	return func(c *Ctx) { b.afterRollback(c, handlers, list) }
}

// rollBackStatements undoes a transaction that stays open.
func (b *Box) rollBackStatements(txn *memtx.Txn) {
	depth := txn.Depth()
	txn.Rollback()
	for ; depth > 0; depth-- {
		txn.Begin()
	}
}

// uncount takes back the log sequence numbers of a transaction that could not be written.
func (b *Box) uncount(txn *memtx.Txn) {
	for i := range txn.Len() {
		if s := txn.Stmt(i); s.Type != 0 {
			b.uncountOne(s.Space)
		}
	}
}

// uncountOne takes back the log sequence number of a row of a space.
func (b *Box) uncountOne(sp *memtx.Space) {
	if sp.Local {
		b.status.local--
	} else {
		b.status.lsn--
	}
}

// background returns the context of what nobody asked for, with the rights of the administrator.
func (b *Box) background() *Ctx {
	if b.system == nil {
		b.system = b.NewCtx(&Session{Type: SessionBackground, User: b.UserByID(AdminID), FD: -1})
	}
	return b.system
}

package box

import (
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/memtx"
)

// Isolation is the isolation level of a transaction, by the numbers of the protocol.
type Isolation uint8

// The isolation levels.
const (
	IsolationDefault Isolation = iota
	ReadCommitted
	ReadConfirmed
	BestEffort
	Linearizable
)

// TxnOptions are what BEGIN takes.
type TxnOptions struct {
	// Timeout after which the transaction is aborted: 0 stands for the configured one, a negative one is refused.
	Timeout   time.Duration
	Isolation Isolation
	// Sync makes the transaction wait for a quorum.
	Sync bool
}

// Begin opens a transaction. The errors are ACTIVE_TRANSACTION and ILLEGAL_PARAMS.
func (b *Box) Begin(c *Ctx, o TxnOptions) error {
	switch {
	case c.Txn != nil:
		return boxerr.New(boxerr.ActiveTransaction)
	case o.Timeout < 0:
		return boxerr.Illegal("timeout must be a number greater than 0")
	case o.Isolation > Linearizable:
		return boxerr.Illegal("unknown isolation level")
	case o.Isolation == Linearizable && !b.Config.UseMVCC:
		return boxerr.New(boxerr.Unsupported, "Linearizable transaction", "disabled memtx mvcc engine")
	}
	b.begin(c)
	txn := c.Txn
	if o.Isolation == IsolationDefault {
		o.Isolation = b.Config.TxnIsolation
	}
	txn.Isolation, txn.Sync = uint8(o.Isolation), o.Sync
	if h := b.commits.history; h != nil {
		h.Begin(txn, levels[o.Isolation])
	}
	timeout := o.Timeout
	if timeout == 0 {
		timeout = b.Config.TxnTimeout
	}
	if timeout > 0 && timeout < longestTimeout {
		id := txn.ID
		txn.Timer = b.Cord.After(timeout, func() {
			if txn.ID == id && txn.Number == 0 && txn.Aborted == 0 {
				b.rollBackStatements(txn)
				txn.Aborted = boxerr.TransactionTimeout
			}
		})
	}
	return nil
}

// longestTimeout is where a timeout stops to matter: nothing runs for a year.
const longestTimeout = 365 * 24 * time.Hour

// Commit ends the open transaction and leaves its Ticket in c. Without a transaction it does nothing. Whatever
// the error, there is no transaction afterwards, unless a trigger of a statement tried to commit.
func (b *Box) Commit(c *Ctx) error {
	if c.Txn == nil {
		return nil
	}
	if c.Txn.Depth() > 0 {
		return boxerr.New(boxerr.CommitInSubStmt)
	}
	if err := b.usable(c.Txn); err != nil {
		b.abort(c)
		return err
	}
	return b.commit(c)
}

// Rollback undoes the open transaction and ends it. Without one it does nothing.
func (b *Box) Rollback(c *Ctx) error {
	if c.Txn == nil {
		return nil
	}
	if c.Txn.Depth() > 0 {
		return boxerr.New(boxerr.RollbackInSubStmt)
	}
	b.abort(c)
	return nil
}

// Savepoint marks the present point of the open transaction. The name may be empty; one in use moves here.
func (b *Box) Savepoint(c *Ctx, name string) (memtx.Savepoint, error) {
	if c.Txn == nil {
		return memtx.Savepoint{}, boxerr.New(boxerr.NoTransaction)
	}
	if err := b.usable(c.Txn); err != nil {
		return memtx.Savepoint{}, err
	}
	return c.Txn.Savepoint(name), nil
}

// RollbackTo undoes what the open transaction did since the savepoint.
func (b *Box) RollbackTo(c *Ctx, p memtx.Savepoint) error {
	if c.Txn == nil || !c.Txn.RollbackTo(p) {
		return boxerr.New(boxerr.NoSuchSavepoint)
	}
	return nil
}

// levels are what the isolation levels mean to a History. On a single instance what is confirmed is linearizable.
var levels = [...]memtx.Level{
	IsolationDefault: memtx.BestEffort,
	ReadCommitted:    memtx.Committed,
	ReadConfirmed:    memtx.Confirmed,
	BestEffort:       memtx.BestEffort,
	Linearizable:     memtx.Confirmed,
}

// OnYield is called when the fiber of c lets others run. Without MVCC a transaction that has read or changed
// something does not outlive that: it is undone, and its next statement or commit fails with TRANSACTION_YIELD. With
// MVCC that is so for a transaction that has changed the schema.
func (b *Box) OnYield(c *Ctx) {
	if c.Txn == nil || !c.Txn.Touched || c.Txn.Aborted != 0 || c.Txn.Concurrent() && !c.Txn.Exclusive() {
		return
	}
	b.rollBackStatements(c.Txn)
	c.Txn.Aborted = boxerr.TransactionYield
}

// usable returns the reason why a transaction can only be rolled back.
func (b *Box) usable(txn *memtx.Txn) error {
	if txn.Aborted != 0 {
		return boxerr.New(txn.Aborted)
	}
	return nil
}

// reading tells the open transaction, if any, that it is about to read a space.
func (b *Box) reading(c *Ctx, sp *Space) error {
	txn := c.Txn
	if txn == nil {
		return nil
	}
	if err := b.usable(txn); err != nil {
		return err
	}
	if Isolation(txn.Isolation) == Linearizable && !sp.Mem.Sync {
		return boxerr.New(boxerr.Unsupported, `space "`+sp.Name+`"`, "linearizable operations")
	}
	txn.Touched = true
	if txn.Concurrent() {
		return txn.Enter()
	}
	return nil
}

// read is called behind a read of the open transaction, if any, which may have aborted it.
func (b *Box) read(c *Ctx) error {
	if c.Txn == nil {
		return nil
	}
	return b.usable(c.Txn)
}

// enterWrite tells a transaction that it is about to change a space.
func (b *Box) enterWrite(txn *memtx.Txn, sp *Space) error {
	if sp.System == nil || sp.ID == SequenceDataID { // which is not undone
		return txn.EnterWrite()
	}
	switch sp.ID {
	case SpaceID, IndexID, TruncateID, FuncIndexID, CKConstraintID, FKConstraintID:
		txn.AbortOthers()
	}
	return txn.EnterExclusive(func(f func(*memtx.Space)) {
		for _, s := range b.catalog.spaces {
			f(s.Mem)
		}
	})
}

// begin opens a transaction in c, which has none. It is to end before anybody else can run, unless Begin says otherwise.
func (b *Box) begin(c *Ctx) {
	b.Stat.Count(OpBegin)
	cs := &b.commits
	if n := len(cs.free); n > 0 {
		c.Txn = cs.free[n-1]
		cs.free = cs.free[:n-1]
	} else {
		c.Txn = new(memtx.Txn)
	}
	cs.last++
	c.Txn.ID = cs.last
	if h := b.history(); h != nil {
		h.BeginAlone(c.Txn)
	}
}

// history returns what keeps transactions apart. It is nil without MVCC and during recovery.
func (b *Box) history() *memtx.History {
	if !b.Config.UseMVCC || b.recovering {
		return nil
	}
	cs := &b.commits
	if cs.history == nil {
		cs.history = new(memtx.History)
		b.Cord.OnLock = b.confirmWritten
	}
	return cs.history
}

// confirmWritten is called when the lock has been taken: what the journal has written meanwhile is confirmed. That
// nothing is confirmed while somebody holds the lock keeps what he sees the same between two yields.
func (b *Box) confirmWritten() {
	if b.Journal == nil {
		return
	}
	if known := b.Journal.Known(); known != b.commits.known {
		b.commits.known = known
		b.commits.history.Confirm(known)
	}
}

// abort rolls the transaction of c back and ends it.
func (b *Box) abort(c *Ctx) {
	txn := c.Txn
	b.rollBack(c, txn)
	c.Txn = nil
	b.release(txn)
}

// release makes a transaction that has ended available again.
func (b *Box) release(txn *memtx.Txn) {
	if t, ok := txn.Timer.(interface{ Stop() bool }); ok {
		t.Stop()
	}
	txn.Reset()
	if len(b.commits.free) < maxFreeTxns {
		b.commits.free = append(b.commits.free, txn)
	}
}

// maxFreeTxns is how many ended transactions are kept for reuse.
const maxFreeTxns = 1024

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
	txn.Isolation, txn.Sync = uint8(o.Isolation), o.Sync
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

// OnYield is called when the fiber of c lets others run. Without MVCC a transaction that has read or changed
// something does not outlive that: it is undone, and its next statement or commit fails with TRANSACTION_YIELD.
func (b *Box) OnYield(c *Ctx) {
	if b.Config.UseMVCC || c.Txn == nil || !c.Txn.Touched || c.Txn.Aborted != 0 {
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

// reading tells the open transaction, if any, that it is about to read.
func (b *Box) reading(c *Ctx) error {
	if c.Txn == nil {
		return nil
	}
	if err := b.usable(c.Txn); err != nil {
		return err
	}
	c.Txn.Touched = true
	return nil
}

// begin opens a transaction in c, which has none.
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

package lycosa

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
)

// Tx is an open transaction. It is valid as long as the function that it was given to runs, which holds the lock of the
// database: the function must not block, nor use the DB other than by the Tx.
type Tx struct {
	db  *DB
	ctx *box.Ctx // nil once the function has ended
}

func (tx *Tx) database() *DB { return tx.db }

func (tx *Tx) do(f func(c *box.Ctx) error) error {
	if tx.ctx == nil {
		return boxerr.New(boxerr.NoTransaction)
	}
	return f(tx.ctx)
}

// share declines: what a transaction reads is part of it.
func (tx *Tx) share(func(*box.Box, *box.User) bool) bool { return false }

// Space returns a space by its name; what is done with it is part of the transaction.
func (tx *Tx) Space(name string) *Space { return &Space{scope: tx, name: name} }

// SpaceByID returns a space by its number; what is done with it is part of the transaction.
func (tx *Tx) SpaceByID(id uint32) *Space { return &Space{scope: tx, id: id} }

// CreateSpace creates a space as part of the transaction.
func (tx *Tx) CreateSpace(name string, spec box.SpaceSpec) (*Space, error) {
	return createSpace(tx, name, spec)
}

// Session returns the session with that number.
func (tx *Tx) Session(id uint64) Session { return Session{scope: tx, id: id} }

// User is the name of the user whose rights count.
func (tx *Tx) User() string {
	if tx.ctx == nil || tx.ctx.User == nil {
		return ""
	}
	return tx.ctx.User.Name
}

// AsAdmin runs f with the rights of admin.
func (tx *Tx) AsAdmin(f func() error) error {
	return tx.do(func(c *box.Ctx) error { return c.As(c.Box().UserByID(box.AdminID), f) })
}

// Tx runs f in a transaction of admin, under the lock. It is committed when f returns nil, and Tx returns when it is on
// disk; otherwise it is rolled back, and the error of f is returned.
func (db *DB) Tx(f func(tx *Tx) error) error {
	return db.do(func(c *box.Ctx) error { return db.transact(c, f) })
}

// transact runs f in a transaction of the context. When there is one already, f becomes part of it: an error undoes what
// f has done. The lock is held.
func (db *DB) transact(c *box.Ctx, f func(tx *Tx) error) (err error) {
	tx := &Tx{db, c}
	b := db.Box
	ended := false
	defer func() {
		tx.ctx = nil
		if !ended && c.Txn != nil { // f has panicked
			_ = b.Rollback(c)
		}
	}()
	if c.Txn != nil {
		before, err := b.Savepoint(c, "")
		if err != nil {
			ended = true
			return err
		}
		err = f(tx)
		ended = true
		if err != nil {
			if undo := b.RollbackTo(c, before); undo != nil {
				return undo
			}
		}
		return err
	}
	if err = b.Begin(c, box.TxnOptions{}); err != nil {
		ended = true
		return err
	}
	err = f(tx)
	ended = true
	if err == nil {
		return b.Commit(c)
	}
	_ = b.Rollback(c)
	return err
}

//go:build cgo

package lua

import (
	"time"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
)

// savepoints are those of the transaction that made one last in each context, by numbers from 1.
type savepoints map[*box.Ctx]*savepointList

type savepointList struct {
	txn  uint64
	list []memtx.Savepoint
}

func (f *boxFace) registerTxn() {
	f.saves = make(savepoints)
	f.fn("txn_begin", func(c *luajit.Call, ctx *box.Ctx) error {
		var o box.TxnOptions
		if c.Peek() == msgpack.Nil {
			c.Raw()
		} else {
			o.Timeout = time.Duration(min(c.Float(), 1e9) * float64(time.Second))
		}
		o.Isolation, o.Sync = box.Isolation(c.Uint()), c.Bool()
		return f.Box.Begin(ctx, o)
	})
	f.write("txn_commit", func(_ *luajit.Call, ctx *box.Ctx) error {
		delete(f.saves, ctx)
		return f.Box.Commit(ctx)
	})
	f.fn("txn_rollback", func(_ *luajit.Call, ctx *box.Ctx) error {
		delete(f.saves, ctx)
		return f.Box.Rollback(ctx)
	})
	// The number of the open transaction, nil without one.
	f.fn("txn_id", func(c *luajit.Call, ctx *box.Ctx) error {
		if ctx.Txn != nil {
			c.PushUint(ctx.Txn.ID)
		} else {
			c.PushNil()
		}
		return nil
	})
	f.fn("txn_savepoint", func(c *luajit.Call, ctx *box.Ctx) error {
		p, err := f.Box.Savepoint(ctx, "")
		if err != nil {
			return err
		}
		l := f.saves[ctx]
		if l == nil || l.txn != ctx.Txn.ID {
			l = &savepointList{txn: ctx.Txn.ID}
			f.saves[ctx] = l
		}
		l.list = append(l.list, p)
		c.PushUint(uint64(len(l.list)))
		return nil
	})
	f.fn("txn_rollback_to", func(c *luajit.Call, ctx *box.Ctx) error {
		txn, number := c.Uint(), c.Uint()
		l := f.saves[ctx]
		if l == nil || l.txn != txn || number == 0 || number > uint64(len(l.list)) {
			return boxerr.New(boxerr.NoSuchSavepoint)
		}
		return f.Box.RollbackTo(ctx, l.list[number-1])
	})
	// Two functions: for the commit and for the rollback of the open transaction.
	f.fn("txn_on_end", func(c *luajit.Call, ctx *box.Ctx) error {
		commit, rollback := f.newHandler(c.Func(), 0), f.newHandler(c.Func(), 0)
		if ctx.Txn == nil {
			return boxerr.New(boxerr.NoTransaction)
		}
		ctx.Txn.OnCommit = append(ctx.Txn.OnCommit, commit)
		ctx.Txn.OnRollback = append(ctx.Txn.OnRollback, rollback)
		return nil
	})
}

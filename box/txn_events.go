package box

import (
	"strconv"
	"strings"

	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
)

// txnEvents remembers whether anybody listens to the ends of transactions.
type txnEvents struct {
	generation uint64 // of the trigger registry when the answer was found
	listened   bool
}

// any reports whether an event of the ends of transactions has a handler.
func (e *txnEvents) any(b *Box) bool {
	if g := b.Triggers.Generation(); g != e.generation {
		e.generation, e.listened = g, false
		for _, name := range b.Triggers.Names() {
			if strings.HasPrefix(name, "box.before_commit") || strings.HasPrefix(name, "box.on_commit") ||
				strings.HasPrefix(name, "box.on_rollback") {
				e.listened = true
				break
			}
		}
	}
	return e.listened && !b.recovering
}

// changes lists the statements of a transaction that changed something, in the order of the events.
func changes(txn *memtx.Txn, backwards bool) []memtx.Change {
	var list []memtx.Change
	for i := range txn.Len() {
		if backwards {
			i = txn.Len() - 1 - i
		}
		if s := txn.Stmt(i); s.Old != nil || s.New != nil {
			list = append(list, memtx.Change{Space: s.Space, Old: s.Old, New: s.New})
		}
	}
	return list
}

// soleChange is the list of a change, which is empty where nothing changed.
func soleChange(c *memtx.Change) []memtx.Change {
	if c.Old == nil && c.New == nil {
		return nil
	}
	return []memtx.Change{*c}
}

// appendChanges appends the changes, or those of one space, as Runtime.CallTxn takes them.
func appendChanges(dst []byte, list []memtx.Change, sp *memtx.Space) []byte {
	n := 0
	for _, s := range list {
		if sp == nil || s.Space == sp {
			n++
		}
	}
	dst = msgpack.AppendArrayHeader(dst, n)
	for _, s := range list {
		if sp == nil || s.Space == sp {
			dst = msgpack.AppendArrayHeader(dst, 3)
			dst = AppendTuple(dst, s.Old)
			dst = AppendTuple(dst, s.New)
			dst = msgpack.AppendUint(dst, uint64(s.Space.ID))
		}
	}
	return dst
}

// callTxn calls a handler of the end of a transaction.
func (b *Box) callTxn(c *Ctx, f FuncRef, stmts []byte) error {
	if g, ok := f.(GoFunc); ok {
		_, _, err := g(c, stmts, 1)
		return err
	}
	if b.Runtime == nil {
		return nil
	}
	return b.Runtime.CallTxn(c, f, stmts)
}

// fire fires an event for each space that was changed, by its id and by its name, then for all.
func (b *Box) fire(c *Ctx, event string, list []memtx.Change) error {
	if len(list) == 0 {
		return nil
	}
	for i, s := range list {
		if seen(list[:i], s.Space) {
			continue
		}
		stmts := appendChanges(nil, list, s.Space)
		if err := b.fireOne(c, event+".space["+strconv.FormatUint(uint64(s.Space.ID), 10)+"]", stmts); err != nil {
			return err
		}
		if err := b.fireOne(c, event+".space."+s.Space.Name, stmts); err != nil {
			return err
		}
	}
	return b.fireOne(c, event, appendChanges(nil, list, nil))
}

func seen(list []memtx.Change, sp *memtx.Space) bool {
	for _, s := range list {
		if s.Space == sp {
			return true
		}
	}
	return false
}

func (b *Box) fireOne(c *Ctx, event string, stmts []byte) error {
	e := b.Triggers.Lookup(event)
	if e == nil {
		return nil
	}
	run := e.Start()
	for h, ok := run.Next(); ok; h, ok = run.Next() {
		if err := b.callTxn(c, h, stmts); err != nil {
			return err
		}
	}
	return nil
}

// beforeCommit fires box.before_commit, whose handlers may refuse the transaction.
func (b *Box) beforeCommit(c *Ctx, txn *memtx.Txn) error {
	return b.fire(c, "box.before_commit", changes(txn, false))
}

// afterCommit tells those who wait for the commit of a transaction, of which handlers belong to it alone. Their errors are
// logged.
func (b *Box) afterCommit(c *Ctx, handlers []any, list []memtx.Change) {
	b.callAll(c, handlers, list)
	b.complain(b.fire(c, "box.on_commit", list))
}

// afterRollback tells those who wait for the rollback of a transaction.
func (b *Box) afterRollback(c *Ctx, handlers []any, list []memtx.Change) {
	b.callAll(c, handlers, list)
	b.complain(b.fire(c, "box.on_rollback", list))
}

// callAll calls the handlers of one transaction, the newest first.
func (b *Box) callAll(c *Ctx, handlers []any, list []memtx.Change) {
	if len(handlers) == 0 {
		return
	}
	stmts := appendChanges(nil, list, nil)
	for i := len(handlers) - 1; i >= 0; i-- {
		b.complain(b.callTxn(c, handlers[i], stmts))
	}
}

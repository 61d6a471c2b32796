package lycosa

import (
	"fmt"
	"runtime/debug"
	"strconv"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// Change is what a statement does to one tuple of a space.
type Change struct {
	// Old is the tuple that it takes away, New the one that it puts in; nil where there is none.
	Old, New Tuple
	// Space is the name of the space.
	Space string
	// Request is the statement: "INSERT", "REPLACE", "UPDATE", "UPSERT" or "DELETE".
	Request string
}

// OnReplace has f called after each change of a tuple of the space, within its transaction and with the rights of whoever
// makes it. An error undoes the statement, and is returned to him. A panic becomes an error, and is logged.
//
// Triggers of a space form a chain, together with those in Lua, the newest first; one that is set again under its name
// keeps its place. A nil f takes the trigger of that name away. They live as long as the space, and not longer than the
// process. f runs under the lock: it must not block, nor use the DB other than by the Tx.
func (s *Space) OnReplace(name string, f func(tx *Tx, c Change) error) error {
	if f == nil {
		return s.trigger("on_replace", name, nil)
	}
	return s.trigger("on_replace", name, func(tx *Tx, c Change) ([]byte, error) { return nil, f(tx, c) })
}

// BeforeReplace has f called before each change of a tuple of the space. What it returns is stored instead of Change.New:
// that itself to leave the change as it is, Change.Old to change nothing, nil to have no tuple there. An error keeps the
// change back, and is returned to whoever makes it. Everything else is as for OnReplace.
func (s *Space) BeforeReplace(name string, f func(tx *Tx, c Change) (Tuple, error)) error {
	if f == nil {
		return s.trigger("before_replace", name, nil)
	}
	return s.trigger("before_replace", name, func(tx *Tx, c Change) ([]byte, error) {
		t, err := f(tx, c)
		switch {
		case err != nil:
			return nil, err
		case t == nil:
			return msgpack.AppendNil(nil), nil
		}
		if rest, ok := msgpack.Check(t); !ok || len(rest) > 0 || msgpack.TypeOf(t[0]) != msgpack.Array {
			return nil, boxerr.New(boxerr.BeforeReplaceRet)
		}
		return box.AppendTuple(nil, tuple.New(t)), nil
	})
}

// trigger sets or deletes a trigger of the space. f returns one encoded result, or none.
func (s *Space) trigger(what, name string, f func(tx *Tx, c Change) ([]byte, error)) error {
	if name == "" {
		return boxerr.Illegal("a trigger should have a name")
	}
	db := s.scope.database()
	return s.on(func(c *box.Ctx, sp *box.Space) error {
		event := "box.space[" + strconv.FormatUint(uint64(sp.ID), 10) + "]." + what
		if f == nil {
			c.Box().Triggers.Del(event, name)
			return nil
		}
		c.Box().Triggers.Set(event, name, db.guarded(event+" "+name, func(c *box.Ctx, args []byte, _ int) ([]byte, int, error) {
			tx := &Tx{db, c}
			defer func() { tx.ctx = nil }()
			out, err := f(tx, changeOf(args))
			if out == nil || err != nil {
				return nil, 0, err
			}
			return out, 1, nil
		}))
		return nil
	})
}

// changeOf reads the arguments of a trigger: the tuples, the name of the space and the statement.
func changeOf(args []byte) (c Change) {
	c.Old, args = tupleOf(args)
	c.New, args = tupleOf(args)
	space, args, _ := msgpack.ReadString(args)
	request, _, _ := msgpack.ReadString(args)
	c.Space, c.Request = string(space), string(request)
	return c
}

// tupleOf reads a tuple with the number of its format, or nil.
func tupleOf(args []byte) (t Tuple, rest []byte) {
	typ, data, rest, ok := msgpack.ReadExt(args)
	if !ok || typ != iproto.TupleExt {
		rest, _ = msgpack.Skip(args)
		return nil, rest
	}
	_, array, _ := msgpack.ReadUint(data)
	return array, rest
}

// guarded makes errors of the panics of f. The log calls it by that name.
func (db *DB) guarded(name string, f box.GoFunc) box.GoFunc {
	return func(c *box.Ctx, args []byte, nargs int) (results []byte, n int, err error) {
		defer func() {
			if x := recover(); x != nil {
				db.write('C', fmt.Sprintf("panic in %s: %v\n%s", name, x, debug.Stack()))
				err = boxerr.Luajit(fmt.Sprint(x))
			}
		}()
		return f(c, args, nargs)
	}
}

// Function is a function that clients may CALL. It gets the arguments, valid until it returns, and returns the results.
type Function func(tx *Tx, args []Value) (results []any, err error)

// HandleFunc lets clients CALL f by a name, with the same right as functions in Lua, before which it comes. It runs in a
// transaction with the rights of the client, under the lock: that is committed when f returns without an error, and the
// client gets the results when it is on disk. In a stream whose transaction is open, f is part of that one. A nil f takes
// the function of that name away. A panic becomes an error, and is logged.
func (db *DB) HandleFunc(name string, f Function) {
	db.Box.Cord.Lock()
	defer db.Box.Cord.Unlock()
	if f == nil {
		db.Server.HandleFunc(name, nil)
		return
	}
	db.Server.HandleFunc(name, func(c *box.Ctx, args []byte, nargs int) (out []byte, n int, err error) {
		values := make([]Value, 0, min(nargs, len(args)))
		for range nargs {
			v := first(args)
			values, args = append(values, v), args[len(v):]
		}
		err = db.transact(c, func(tx *Tx) error {
			results, err := f(tx, values)
			if err != nil {
				return err
			}
			n = len(results)
			for _, v := range results {
				if out, err = appendValue(out, v); err != nil {
					return err
				}
			}
			return nil
		})
		return out, n, err
	})
}

// OnCommit has f called when the transaction is on disk, under the lock; OnRollback when it is rolled back, or could not
// be written. Those of the same transaction are called the newest first. The error is NO_TRANSACTION when it has ended.
func (tx *Tx) OnCommit(f func()) error {
	return tx.do(func(c *box.Ctx) error {
		if c.Txn == nil {
			return boxerr.New(boxerr.NoTransaction)
		}
		c.Txn.OnCommit = append(c.Txn.OnCommit, tx.db.ending("an OnCommit function", f))
		return nil
	})
}

// OnRollback is OnCommit for the other end of the transaction.
func (tx *Tx) OnRollback(f func()) error {
	return tx.do(func(c *box.Ctx) error {
		if c.Txn == nil {
			return boxerr.New(boxerr.NoTransaction)
		}
		c.Txn.OnRollback = append(c.Txn.OnRollback, tx.db.ending("an OnRollback function", f))
		return nil
	})
}

// ending makes what the database calls at the end of a transaction.
func (db *DB) ending(name string, f func()) box.GoFunc {
	return db.guarded(name, func(*box.Ctx, []byte, int) ([]byte, int, error) {
		f()
		return nil, 0, nil
	})
}

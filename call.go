package lycosa

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// Call calls a function by its name, as a client's CALL does, with the rights of admin, and waits for its end. Without
// Lua the error is NO_SUCH_PROC. It must not be called by what holds the lock.
func (db *DB) Call(name string, args ...any) ([]Value, error) {
	return db.invoke(name, args, func(c *box.Ctx, r *box.Invocation) error {
		if db.Box.Runtime == nil {
			return boxerr.New(boxerr.NoSuchProc, name)
		}
		db.Box.Runtime.Call(c, r)
		return nil
	})
}

// Eval runs an expression in Lua, as a client's EVAL does, with the rights of admin, and waits for its end. Without Lua
// the error is UNSUPPORTED. It must not be called by what holds the lock.
func (db *DB) Eval(expression string, args ...any) ([]Value, error) {
	return db.invoke(expression, args, func(c *box.Ctx, r *box.Invocation) error {
		if db.Box.Runtime == nil {
			return boxerr.New(boxerr.Unsupported, "Lycosa without Lua", "EVAL")
		}
		db.Box.Runtime.Eval(c, r)
		return nil
	})
}

// invocation waits for the end of a call.
type invocation struct {
	ended chan struct{}
	data  Value
	err   error
}

// Done takes the end; see box.Completion.
func (x *invocation) Done(data []byte, _ []*tuple.Format, err error) {
	x.data, x.err = append(Value(nil), data...), err
	close(x.ended)
}

func (db *DB) invoke(name string, args []any, start func(*box.Ctx, *box.Invocation) error) ([]Value, error) {
	b := msgpack.AppendArrayHeader(nil, len(args))
	var err error
	for _, a := range args {
		if b, err = msgpack.Append(b, a); err != nil {
			return nil, boxerr.Illegal("%s", err.Error())
		}
	}
	x := &invocation{ended: make(chan struct{})}
	db.Box.Cord.Lock()
	c := db.Box.NewCtx(db.Box.NewSession(box.SessionBackground))
	err = start(c, &box.Invocation{Name: []byte(name), Func: db.Box.FuncByName(name), Args: b, Completion: x})
	db.Box.Cord.Unlock()
	if err == nil {
		select {
		case <-x.ended:
			err = x.err
		case <-db.Box.Cord.Stopped():
			return nil, boxerr.New(boxerr.NoSuchProc, name)
		}
	}
	db.Box.Cord.Lock()
	if c.Txn != nil {
		_ = db.Box.Rollback(c)
		if err == nil {
			err = boxerr.New(boxerr.FunctionTXActive)
		}
	}
	ticket := c.Ticket
	db.Box.CloseSession(c.Session)
	db.Box.Cord.Unlock()
	if err == nil {
		err = ticket.Wait()
	}
	if err != nil {
		return nil, err
	}
	n, rest, _ := msgpack.ReadArrayHeader(x.data)
	list := make([]Value, 0, min(n, len(rest)))
	for range n {
		v := first(rest)
		if v == nil {
			break
		}
		rest = rest[len(v):]
		list = append(list, v)
	}
	return list, nil
}

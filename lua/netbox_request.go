//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/client"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// netMode is what Lua wants of an answer.
type netMode uint8

// The modes, numbered as in builtin/net/transport.lua.
const (
	wantNothing netMode = iota
	wantTuple           // the first tuple, nil without one
	wantTuples          // a list of tuples, and the position
	wantValues          // the values that a call returned, as a tuple of them
	wantObject          // the data as the text of a MessagePack value
	wantBody            // the whole body likewise
)

// How a request has ended, numbered as in builtin/net/transport.lua.
const (
	endedWell  = iota // results follow
	endedBadly        // an MP_ERROR follows, as text
	notEnded          // the request's number follows
)

// netRequest is a request of net.box.
type netRequest struct {
	id      uint64
	conn    *netConn
	future  *client.Future
	mode    netMode
	format  uint32 // of the tuples in the answer
	done    bool
	waiters []*Fiber
	pushes  []msgpack.Raw // what the server has pushed so far, if Lua wants it
}

// registerRequests registers the Go functions for requests.
func (n *netbox) registerRequests() {
	n.Func("netbox.send", func(c *luajit.Call) error {
		r, err := n.send(c, true)
		if err != nil {
			return err
		}
		n.register(r)
		c.PushUint(r.id)
		return nil
	})
	n.Blocking("netbox.request", func(c *luajit.Call) error {
		if err := n.mayPark(); err != nil {
			return err
		}
		timeout := seconds(c)
		r, err := n.send(c, false)
		if err != nil {
			return err
		}
		r.waiters = append(r.waiters, n.current)
		return n.Park(timeout, r.ended)
	})
	// wait(request, pushes already seen, timeout): true when there is more.
	n.Blocking("netbox.wait", func(c *luajit.Call) error {
		r := n.requests[c.Uint()]
		seen, timeout := int(c.Int()), seconds(c)
		if r == nil || r.done || len(r.pushes) > seen {
			c.PushBool(true)
			return nil
		}
		if err := n.mayPark(); err != nil {
			return err
		}
		r.waiters = append(r.waiters, n.current)
		return n.Park(timeout, func(f *Fiber) ([]byte, int) {
			r.waiters = remove(r.waiters, f)
			if r.done || len(r.pushes) > seen {
				return resultTrue, 1
			}
			return resultFalse, 1
		})
	})
	n.Func("netbox.ready", func(c *luajit.Call) error {
		r := n.requests[c.Uint()]
		c.PushBool(r == nil || r.done)
		return nil
	})
	n.Func("netbox.take", func(c *luajit.Call) error {
		r := n.requests[c.Uint()]
		if r == nil {
			return boxerr.Illegal("no such request")
		}
		if !r.done {
			c.PushUint(notEnded)
			c.PushUint(r.id)
			return nil
		}
		delete(n.requests, r.id)
		var count int
		c.Out, count = r.result(c.Out)
		c.NOut += count
		return nil
	})
	n.Func("netbox.push", func(c *luajit.Call) error {
		if r, i := n.requests[c.Uint()], int(c.Int()); r != nil && i >= 1 && i <= len(r.pushes) {
			c.PushTuple(r.pushes[i-1], 0, 0)
		}
		return nil
	})
	n.Func("netbox.discard", func(c *luajit.Call) error {
		if r := n.requests[c.Uint()]; r != nil {
			delete(n.requests, r.id)
			r.future.Discard()
		}
		return nil
	})
	n.Func("netbox.timed_out", func(c *luajit.Call) error {
		c.PushError(boxerr.TimedOut())
		return nil
	})
}

// mayPark is the error of Park where nothing can wait, before anything has happened.
func (n *netbox) mayPark() error {
	if n.current == nil || !n.CanYield() {
		return n.Park(0, nil)
	}
	return nil
}

// register gives a request the number by which Lua knows it.
func (n *netbox) register(r *netRequest) {
	n.last++
	r.id = n.last
	n.requests[r.id] = r
}

// send sends the request that the arguments make: the connection, what to make of the answer, the format of its tuples,
// the stream, the request's type and what belongs to that.
func (n *netbox) send(c *luajit.Call, pushes bool) (*netRequest, error) {
	x := n.conns[c.Uint()]
	r := &netRequest{conn: x, mode: netMode(c.Uint()), format: uint32(c.Uint())}
	s := client.Sending{Stream: c.Uint()}
	request, err := n.decode(c)
	if err != nil {
		return nil, err
	}
	if x == nil || x.conn == nil {
		return nil, boxerr.Reason(boxerr.NoConnection, "Connection is not established")
	}
	if pushes {
		s.OnPush = func(data msgpack.Raw) {
			if data, err := iproto.MapTuples(data, noFormat); err == nil && len(data) > 0 && msgpack.TypeOf(data[0]) == msgpack.Array {
				n.post(func() { r.pushed(data) })
			}
		}
	}
	s.OnDone = func(f *client.Future) { n.post(func() { r.finish(f) }) }
	x.open++
	r.future = x.conn.Send(request, s)
	return r, nil
}

// noFormat is the number of the format of tuples in messages, which don't describe any.
func noFormat(uint64, []byte) (uint32, error) { return 0, nil }

// pushed takes a message that came before the answer.
func (r *netRequest) pushed(data msgpack.Raw) {
	r.pushes = append(r.pushes, data)
	r.wake()
}

// finish takes the end of a request.
func (r *netRequest) finish(f *client.Future) {
	r.done = true
	answer, _ := f.Result()
	r.conn.answered(answer)
	r.wake()
}

func (r *netRequest) wake() {
	for _, f := range r.waiters {
		f.Wake()
	}
}

// ended makes the results of netbox.request when its fiber goes on.
func (r *netRequest) ended(f *Fiber) ([]byte, int) {
	r.waiters = remove(r.waiters, f)
	switch {
	case r.done:
		return r.result(nil)
	case f.TimedOut():
		r.future.Discard()
		return luajit.AppendError(nil, boxerr.TimedOut()), -1
	case f.Cancelled():
		r.future.Discard()
		return luajit.AppendError(nil, boxerr.Cancelled()), -1
	}
	// Woken by somebody else: Lua waits for the rest.
	r.conn.box.register(r)
	return msgpack.AppendUint(msgpack.AppendUint(nil, notEnded), r.id), 2
}

// result appends how the request has ended, and its results in the form that Lua wants.
func (r *netRequest) result(b []byte) (out []byte, count int) {
	answer, err := r.future.Result()
	if err == nil {
		if out, count, err = r.values(append(b, endedWell), answer); err == nil {
			return out, 1 + count
		}
	}
	return msgpack.AppendStringBytes(append(b, endedBadly), boxerr.From(err).AppendMsgpack(nil)), 2
}

func (r *netRequest) values(b []byte, answer *client.Response) (out []byte, count int, err error) {
	data := answer.Data()
	switch r.mode {
	case wantTuple:
		n, rest, _ := msgpack.ReadArrayHeader(data)
		if n == 0 {
			return msgpack.AppendNil(b), 1, nil
		}
		out, _, err = appendRemoteTuple(b, rest, r.format)
		return out, 1, err
	case wantTuples:
		n, rest, _ := msgpack.ReadArrayHeader(data)
		b = msgpack.AppendArrayHeader(b, n)
		for range n {
			if b, rest, err = appendRemoteTuple(b, rest, r.format); err != nil {
				return nil, 0, err
			}
		}
		if position := answer.Value(iproto.KeyPosition); position != nil && msgpack.TypeOf(position[0]) == msgpack.String {
			return append(b, position...), 2, nil
		}
		return b, 1, nil
	case wantValues:
		data, err = r.conn.box.localTuples(answer, data)
		if err != nil {
			return nil, 0, err
		}
		if len(data) == 0 || msgpack.TypeOf(data[0]) != msgpack.Array {
			data = msgpack.Raw{0x90}
		}
		return luajit.AppendTuple(b, data, 0, 0), 1, nil
	case wantObject:
		if data, err = r.conn.box.localTuples(answer, data); err != nil {
			return nil, 0, err
		}
		if data == nil {
			return msgpack.AppendNil(b), 1, nil
		}
		return msgpack.AppendStringBytes(b, data), 1, nil
	case wantBody:
		return msgpack.AppendStringBytes(b, answer.Body), 1, nil
	}
	return b, 0, nil
}

// appendRemoteTuple appends the first value of b as a tuple for Lua.
func appendRemoteTuple(out, b []byte, format uint32) ([]byte, []byte, error) {
	item, rest := split(b)
	if len(item) == 0 || msgpack.TypeOf(item[0]) != msgpack.Array {
		return nil, nil, boxerr.New(boxerr.TupleNotArray)
	}
	return luajit.AppendTuple(out, item, 0, format), rest, nil
}

// decode makes a request of the arguments of Lua.
func (n *netbox) decode(c *luajit.Call) (client.Request, error) {
	a := netArgs{Call: c, box: n}
	code := iproto.Type(c.Uint())
	var r client.Request
	switch code {
	case iproto.TypePing:
		r = client.Ping{}
	case iproto.TypeSelect:
		r = a.selection()
	case iproto.TypeInsert:
		name, id := a.name()
		r = client.Insert{Space: name, SpaceID: id, Tuple: a.array()}
	case iproto.TypeReplace:
		name, id := a.name()
		r = client.Replace{Space: name, SpaceID: id, Tuple: a.array()}
	case iproto.TypeUpdate:
		space, spaceID := a.name()
		index, indexID := a.name()
		r = client.Update{Space: space, SpaceID: spaceID, Index: index, IndexID: indexID, Key: a.array(), RawOps: a.array(), Base: 1}
	case iproto.TypeUpsert:
		name, id := a.name()
		r = client.Upsert{Space: name, SpaceID: id, Tuple: a.array(), RawOps: a.array(), Base: 1}
	case iproto.TypeDelete:
		space, spaceID := a.name()
		index, indexID := a.name()
		r = client.Delete{Space: space, SpaceID: spaceID, Index: index, IndexID: indexID, Key: a.array()}
	case iproto.TypeCall, iproto.TypeCall16:
		name := c.Str()
		args, formats := a.arguments()
		r = client.Call{Name: name, RawArgs: args, Formats: formats, Old: code == iproto.TypeCall16}
	case iproto.TypeEval:
		expr := c.Str()
		args, formats := a.arguments()
		r = client.Eval{Expr: expr, RawArgs: args, Formats: formats}
	case iproto.TypeExecute:
		sql, id := a.name()
		args, _ := a.arguments()
		r = client.Execute{SQL: sql, StatementID: id, RawArgs: args}
	case iproto.TypePrepare:
		sql, id := a.name()
		r = client.Prepare{SQL: sql, StatementID: id}
	case iproto.TypeBegin:
		timeout := max(seconds(c), 0)
		r = client.Begin{Timeout: timeout, Isolation: client.Isolation(c.Uint()), IsSync: c.Bool()}
	case iproto.TypeCommit:
		r = client.Commit{IsSync: c.Bool()}
	case iproto.TypeRollback:
		r = client.Rollback{}
	case iproto.TypeWatchOnce:
		r = client.WatchOnce{Key: c.Str()}
	default:
		body := client.Raw{Code: code}
		if b := c.Bytes(); len(b) > 0 {
			body.Body = msgpack.Raw(b)
		}
		r = body
	}
	return r, a.err
}

// netArgs reads arguments that stand in requests as they are. The first error stays.
type netArgs struct {
	*luajit.Call
	box *netbox
	err error
}

// name reads a name or a number.
func (a *netArgs) name() (string, uint32) {
	if a.Peek() == msgpack.String {
		return a.Str(), 0
	}
	return "", uint32(a.Uint())
}

// array reads a value that must be an array.
func (a *netArgs) array() msgpack.Raw {
	raw := a.Raw()
	if len(raw) > 0 && msgpack.TypeOf(raw[0]) == msgpack.Array {
		return raw
	}
	if ref := luajit.RefOf(raw); ref != luajit.NoRef {
		a.box.Release(ref)
	}
	if a.err == nil {
		a.err = boxerr.New(boxerr.TupleNotArray)
	}
	return nil
}

// selection reads the arguments of a SELECT: space, index, iterator, offset, limit, key, position to go on behind (a
// text or a tuple) and whether the answer is to have one.
func (a *netArgs) selection() client.Request {
	r := client.Select{}
	r.Space, r.SpaceID = a.name()
	r.Index, r.IndexID = a.name()
	r.Iterator = client.Iterator(a.Uint())
	r.Offset = uint32(min(a.Uint(), 1<<32-1))
	if r.Limit = int(min(a.Uint(), 1<<32-1)); r.Limit == 0 {
		r.Limit = -1
	}
	r.Key = a.array()
	switch {
	case a.IsNil():
	case a.Peek() == msgpack.String:
		r.After = a.Str()
	default:
		r.AfterTuple = a.array()
	}
	r.FetchPosition = a.Bool()
	return r
}

// arguments reads the text of an array, and lists the formats of the tuples in it, nil without any.
func (a *netArgs) arguments() (args, formats msgpack.Raw) {
	args = a.Bytes()
	if len(args) == 0 {
		args = msgpack.Raw{0x90}
	}
	return args, formatsOf(args)
}

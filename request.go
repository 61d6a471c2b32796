package lycosa

import (
	"context"
	"sync"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/server"
)

// Request is a request of a client that a handler has been asked for. It is valid until the handler returns, and so is
// what it gives out of the header and the body. It is used by one goroutine at a time.
//
// The accessors Uint, String and so on read the body, a map of the protocol's keys, in place. What isn't there, or has
// another type, is the zero value.
type Request struct {
	db     *DB
	inline bool // runs on the connection's goroutine: request may be used as it is

	// request belongs to the lock, as long as the handler isn't inline: nil once the handler's time is over.
	request *server.Request
	typ     iproto.Type
	sync    uint64
	stream  uint64
	session uint64
	header  []byte
	body    []byte
	fields  *msgpack.Fields // of the body: the server's, or own when the handler isn't inline
	own     msgpack.Fields
	room    []byte // to encode answers
	// answered is set by Reply, whose answer waits in reply when the handler isn't inline.
	answered bool
	reply    []byte

	// Of handlers on goroutines of their own. ctx and cancel belong to the lock.
	gone   <-chan struct{} // closed when the client has left
	ctx    context.Context
	cancel context.CancelCauseFunc
	over   chan struct{} // of wraps: closed when the time of the handler is over
	inner  sync.Mutex    // guards last, and keeps calls of next apart
	last   *server.Response

	// What the handler made of it.
	handled  bool
	response *Response
	err      error
}

// errOver is the error of what a handler does when its time is over.
func errOver() error { return boxerr.New(boxerr.Timeout) }

// begin takes over a request of the server.
func (q *Request) begin(db *DB, r *server.Request, inline bool) {
	q.db, q.request, q.inline, q.answered = db, r, inline, false
	q.typ, q.sync, q.stream, q.session = r.Type(), r.Sync(), r.StreamID(), r.Session().ID
	q.header, q.body, q.fields = r.Header(), r.Body(), r.Fields()
	if !inline {
		q.own = *q.fields
		q.fields = &q.own
	}
}

// DB is the database that the request was sent to.
func (q *Request) DB() *DB { return q.db }

// Type is the type of the request.
func (q *Request) Type() iproto.Type { return q.typ }

// Sync is the number that the client gave the request, by which it knows the answer.
func (q *Request) Sync() uint64 { return q.sync }

// StreamID is the stream that the request belongs to, 0 for none.
func (q *Request) StreamID() uint64 { return q.stream }

// SessionID is the number of the client's session.
func (q *Request) SessionID() uint64 { return q.session }

// Session is the client's session. What is asked of it takes the lock.
func (q *Request) Session() Session { return Session{scope: q, id: q.session} }

// User is the name of the user whose rights count for the request. It takes the lock.
func (q *Request) User() (name string) {
	_ = q.do(func(c *box.Ctx) error {
		if c.User != nil {
			name = c.User.Name
		}
		return nil
	})
	return name
}

// Header is the header as it came, a map.
func (q *Request) Header() Value { return q.header }

// Body is the body as it came, a map as a rule, and an empty map when there was none.
func (q *Request) Body() Value { return q.body }

// Raw returns what the body holds under a key.
func (q *Request) Raw(key iproto.Key) Value { return q.fields.Find(q.body, uint32(key)) }

// Has tells whether the body has a key.
func (q *Request) Has(key iproto.Key) bool { return q.Raw(key) != nil }

// Uint reads an integer of the body that is not negative.
func (q *Request) Uint(key iproto.Key) uint64 { return q.Raw(key).Uint() }

// Int reads an integer of the body.
func (q *Request) Int(key iproto.Key) int64 { return q.Raw(key).Int() }

// Float reads a number of the body.
func (q *Request) Float(key iproto.Key) float64 { return q.Raw(key).Float() }

// Bool reads a boolean of the body.
func (q *Request) Bool(key iproto.Key) bool { return q.Raw(key).Bool() }

// String reads a string of the body.
func (q *Request) String(key iproto.Key) string { return q.Raw(key).Str() }

// Bytes reads a string or binary data of the body, in place.
func (q *Request) Bytes(key iproto.Key) []byte { return q.Raw(key).Bytes() }

// Tuple reads an array of the body, in place: iproto.KeyTuple, iproto.KeyKey.
func (q *Request) Tuple(key iproto.Key) Tuple { return q.Raw(key).Tuple() }

func (q *Request) database() *DB { return q.db }

// with runs f with the request of the server: under the lock, unless the handler is inline.
func (q *Request) with(f func(r *server.Request) error) error {
	if q.inline {
		return f(q.request)
	}
	q.db.Box.Cord.Lock()
	defer q.db.Box.Cord.Unlock()
	if q.request == nil {
		return errOver()
	}
	q.flush(q.request)
	return f(q.request)
}

// flush sends the answer that Reply has left. The lock is held.
func (q *Request) flush(r *server.Request) {
	if q.reply != nil {
		_ = r.Reply(q.reply)
		q.reply = nil
	}
}

// do runs f under the lock with the context of the request. Unless the handler is inline, it waits for the disk.
func (q *Request) do(f func(c *box.Ctx) error) error {
	if q.inline {
		return f(q.request.Ctx())
	}
	var ticket box.Ticket
	err := q.with(func(r *server.Request) error {
		c := r.Ctx()
		err := f(c)
		ticket, c.Ticket = c.Ticket, box.Ticket{}
		if c.Txn != nil {
			q.db.Box.OnYield(c)
		}
		return err
	})
	if err != nil {
		return err
	}
	return ticket.Wait()
}

func (q *Request) share(f func(b *box.Box, u *box.User) bool) bool {
	if q.inline {
		return q.request.Share(f)
	}
	b := q.db.Box
	b.Cord.Share()
	defer b.Cord.Unshare()
	if q.request == nil {
		return false
	}
	c := q.request.Ctx()
	return c.Txn == nil && f(b, c.User)
}

// Space returns a space by its name, for single operations with the rights of the client; see Tx for several that belong
// together. Get and Select don't take the lock for themselves: they read together with others who read, also in a handler
// that is inline.
func (q *Request) Space(name string) *Space { return &Space{scope: q, name: name} }

// SpaceByID is Space for a space by its number.
func (q *Request) SpaceByID(id uint32) *Space { return &Space{scope: q, id: id} }

// Reply answers the request in the form of the server's own answers: data is a list, of tuples as a rule, such as
// []any{[]any{1, "one"}}, or encoded already. One that doesn't change is best kept in a variable of type any: Go allocates
// for what it converts to that. The handler still has to return true; the answer leaves when it does, at the
// latest. The errors are ILLEGAL_PARAMS for what is no list, and SESSION_CLOSED.
func (q *Request) Reply(data any) error {
	b, err := q.list(data)
	switch {
	case err != nil:
		return err
	case q.inline:
		err = q.request.Reply(b)
	case q.reply != nil: // a second answer
		reply := append([]byte(nil), b...)
		err = q.with(func(*server.Request) error { return nil })
		q.reply = reply
	default:
		select {
		case <-q.gone:
			err = boxerr.New(boxerr.SessionClosed)
		default:
			q.reply, q.room = b, nil
		}
	}
	q.answered = q.answered || err == nil
	return err
}

// Push sends an out-of-band message for the request, as box.session.push does. data is as for Reply.
func (q *Request) Push(data any) error {
	b, err := q.list(data)
	if err != nil {
		return err
	}
	return q.with(func(r *server.Request) error { return r.Push(b) })
}

// list encodes an array. The result is valid until the next call.
func (q *Request) list(data any) ([]byte, error) {
	if v, ok := data.(Value); ok && len(v) > 0 && msgpack.TypeOf(v[0]) == msgpack.Array {
		return v, nil
	}
	b, err := appendValue(q.room[:0], data)
	if err != nil {
		return nil, err
	}
	if len(b) == 0 || msgpack.TypeOf(b[0]) != msgpack.Array {
		return nil, boxerr.Illegal("an answer should be a list")
	}
	if cap(b) <= keptRoom {
		q.room = b
	}
	return b, nil
}

// keptRoom is how large a buffer may be that is kept for the next request.
const keptRoom = 64 << 10

// Send sends a packet to the client, made of a header and a body, each a map of keys (map[iproto.Key]any), or encoded
// already; a nil body is none. A packet that answers the request has the header {iproto.KeyRequestType: 0,
// iproto.KeySync: q.Sync()}. The errors are those of Reply.
func (q *Request) Send(header, body any) error {
	packet, err := packetOf(header, body)
	if err != nil {
		return err
	}
	return q.with(func(r *server.Request) error { return r.SendPacket(packet) })
}

// Tx runs f in a transaction with the rights of the client, under the lock. Within a stream whose transaction is open, it
// is part of that one; otherwise it is committed when f returns nil, and Tx returns when it is on disk (in a handler that
// is inline the answer waits for that instead).
func (q *Request) Tx(f func(tx *Tx) error) error {
	return q.do(func(c *box.Ctx) error { return q.db.transact(c, f) })
}

// Context ends when the client has left, when the time of the handler is over, when the handler has returned, or with the
// database. Handlers that wait for long should wait for it as well. In a handler that is inline it ends with the
// database only.
func (q *Request) Context() context.Context {
	if q.inline {
		return q.db.ctx
	}
	q.db.Box.Cord.Lock()
	defer q.db.Box.Cord.Unlock()
	if q.ctx != nil {
		return q.ctx
	}
	ctx, cancel := context.WithCancelCause(q.db.ctx)
	q.ctx, q.cancel = ctx, cancel
	if q.request == nil {
		cancel(errOver())
		return ctx
	}
	go func() {
		select {
		case <-q.gone:
			cancel(boxerr.New(boxerr.SessionClosed))
		case <-ctx.Done():
		}
	}()
	return ctx
}

// leave ends the use of the server's request, and returns it: nil if the handler's time was over. The lock is held.
func (q *Request) leave() *server.Request {
	r := q.request
	if r != nil {
		q.flush(r)
	}
	q.request = nil
	if q.cancel != nil {
		q.cancel(nil)
	}
	return r
}

// givenUp is a Request whose time is over.
type givenUp Request

// Cancel makes it a server.Canceler.
func (x *givenUp) Cancel() {
	q := (*Request)(x)
	q.request = nil
	if q.cancel != nil {
		q.cancel(errOver())
	}
	if q.over != nil {
		close(q.over)
	}
}

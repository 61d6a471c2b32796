package lycosa

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/server"
)

// Next runs what would have run without the Wrapper that it was given to: the handlers behind it in the chain and what
// the server does by itself. It waits for the end of that and returns the answer, also when that is an error: see
// Response.Err. A body, as for Send, takes the place of the request's. It may be called several times, one after another,
// or never. The error is ILLEGAL_PARAMS for what is no body, and TIMEOUT when the time of the handler is over.
type Next func(body ...any) (*Response, error)

// Wrapper is a handler around whatever handles a request. The client gets the response that it returns; with nil, what
// Next has brought last, unless Reply was called. Without either, the request goes on as if the handler weren't there.
// Answered says that the handler has answered by Send. An error takes the place of all that.
//
// It runs on a goroutine of its own, without the lock, and may block.
type Wrapper func(q *Request, next Next) (*Response, error)

// Answered is what a Wrapper returns that has answered by Request.Send.
var Answered = new(Response)

// Packet is a header and a body.
type Packet struct {
	Header Value
	Body   Value // nil when there is none
}

// Response is what a request was answered. A Wrapper may change it.
type Response struct {
	// Header is the header of the answer. Without one a Response that a Wrapper returns has that of a success.
	Header Value
	Body   Value
	// Pushed are the packets that were sent before the answer.
	Pushed []Packet
}

// responseOf makes a Response of packets, nil without any.
func responseOf(a *server.Response) *Response {
	n := a.Len()
	if n == 0 {
		return nil
	}
	r := new(Response)
	header, body := a.Packet(n - 1)
	r.Header, r.Body = header, body
	for i := range n - 1 {
		header, body := a.Packet(i)
		r.Pushed = append(r.Pushed, Packet{header, body})
	}
	return r
}

// Type is the type of the answer: iproto.TypeOK, or iproto.TypeError with the code of an error.
func (r *Response) Type() iproto.Type {
	return iproto.Type(r.Header.Lookup(iproto.KeyRequestType).Uint())
}

// Err returns the error that the answer reports, a *boxerr.Error, nil if it is none.
func (r *Response) Err() error {
	typ := r.Type()
	if typ&iproto.TypeError == 0 {
		return nil
	}
	if e, _, ok := boxerr.Decode(r.Body.Lookup(iproto.KeyError)); ok {
		return e
	}
	e := boxerr.New(boxerr.Code(typ &^ iproto.TypeError))
	e.Message = r.Body.Lookup(iproto.KeyError24).Str()
	return e
}

// Data is the list that the answer holds, nil when there is none.
func (r *Response) Data() Value { return r.Body.Lookup(iproto.KeyData) }

// Tuples are the tuples of the answer.
func (r *Response) Tuples() []Tuple { return r.Data().Tuples() }

// SetData makes the answer a success with other data, a list as for Request.Reply.
func (r *Response) SetData(data any) error {
	b := []byte{0x81, byte(iproto.KeyData)}
	b, err := appendValue(b, data)
	if err != nil {
		return err
	}
	if msgpack.TypeOf(b[2]) != msgpack.Array {
		return boxerr.Illegal("an answer should be a list")
	}
	if r.Type() != iproto.TypeOK {
		r.Header = nil
	}
	r.Body = b
	return nil
}

// Wrap sets a handler around whatever handles requests of a type, or the Unknown ones. Wrappers of the same type are
// around each other, those by number around those by name, and among these the newest outermost. All else is as for
// Override; Wrappers can't be Inline.
func (db *DB) Wrap(typ iproto.Type, f Wrapper, options ...Option) error {
	return db.WrapName(eventOf(typ), f, options...)
}

// WrapName is Wrap for a type by its name, such as "select" or "unknown", in lower case.
func (db *DB) WrapName(name string, f Wrapper, options ...Option) error {
	if f == nil {
		return db.set("box.iproto.wrap", name, nil, options)
	}
	options = append(options[:len(options):len(options)], func(s *settings) {
		if s.inline {
			s.refuse("a handler around others can't be inline")
		}
	})
	return db.set("box.iproto.wrap", name, &handler{db: db, wrap: f}, options)
}

// next is the Next of a request.
func (q *Request) next(body ...any) (*Response, error) {
	var with []byte
	switch len(body) {
	case 0:
	case 1:
		var err error
		if with, err = ValueOf(body[0]); err != nil {
			return nil, err
		}
	default:
		return nil, boxerr.Illegal("a request has one body")
	}
	q.inner.Lock()
	defer q.inner.Unlock()
	type end struct {
		answer *server.Response
		err    error
	}
	ended := make(chan end, 1)
	q.db.Box.Cord.Post(func() {
		if q.request == nil {
			return // over is closed
		}
		q.flush(q.request)
		if err := q.request.Next(with, func(a *server.Response) { ended <- end{a, nil} }); err != nil {
			ended <- end{nil, err}
		}
	})
	select {
	case e := <-ended:
		if e.err != nil {
			return nil, e.err
		}
		q.last = e.answer
		return responseOf(e.answer), nil
	case <-q.over:
	case <-q.db.Box.Cord.Stopped():
	}
	return nil, errOver()
}

// respond sends what a Wrapper has returned. The lock is held.
func (q *Request) respond(r *server.Request) (server.Outcome, error) {
	a := q.response
	switch {
	case q.err != nil || a == Answered || a == nil && q.answered:
		return server.Handled, q.err
	case a != nil:
		for _, p := range a.Pushed {
			_ = r.Send(p.Header, p.Body)
		}
		header := a.Header
		if header == nil {
			header = successHeader(q.sync, q.db.Box.SchemaVersion())
		}
		_ = r.Send(header, a.Body) // the client may be gone
		return server.Handled, nil
	case q.last != nil:
		_ = r.Respond(q.last)
		return server.Handled, nil
	}
	return server.Declined, nil
}

// successHeader is the header of an answer without an error.
func successHeader(sync, schemaVersion uint64) []byte {
	b := []byte{0x83, byte(iproto.KeyRequestType), 0, byte(iproto.KeySync)}
	b = msgpack.AppendUint(b, sync)
	return msgpack.AppendUint(append(b, byte(iproto.KeySchemaVersion)), schemaVersion)
}

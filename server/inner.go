package server

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
)

// Response is what a request was answered: packets as they would have been sent, without their lengths.
type Response struct {
	data []byte
	ends []int
}

// Take adds a packet, length and all; it is copied. It makes a Response a box.Sink.
func (a *Response) Take(packet []byte) {
	if n := packetLength(packet); n < len(packet) {
		a.data = append(a.data, packet[n:]...)
		a.ends = append(a.ends, len(a.data))
	}
}

// packetLength is how many bytes the length in front of a packet takes.
func packetLength(packet []byte) int {
	if len(packet) == 0 {
		return 0
	}
	if w := map[byte]int{0xcc: 2, 0xcd: 3, 0xce: 5, 0xcf: 9}[packet[0]]; w > 0 {
		return w
	}
	return 1
}

// Len is the number of packets.
func (a *Response) Len() int { return len(a.ends) }

// Packet returns the header and the body of the i-th packet, in MessagePack. The body is nil when there is none. The
// last packet is the answer, those before it were pushed.
func (a *Response) Packet(i int) (header, body []byte) {
	from := 0
	if i > 0 {
		from = a.ends[i-1]
	}
	p := a.data[from:a.ends[i]]
	rest, ok := msgpack.Skip(p)
	if !ok || len(rest) == 0 {
		return p, nil
	}
	return p[:len(p)-len(rest)], rest
}

// inner is what a request has that runs inside of another one.
type inner struct {
	request *Request   // which has it
	outer   *Request   // nil for a shadow, and when it has ended before
	before  *memtx.Txn // the transaction that was open when it began
	sink    *Response
	saved   box.Sink // the outer request's
	ended   func(*Response)
}

// Next runs what would have run without the handler that calls it: the handlers behind it in the chain and what the
// server does by itself. ended is called under the cord's lock when that has come to its end, with all that would have
// been sent; possibly before Next returns. A body that is not nil takes the place of the request's. Next may be called
// several times, one after another.
func (r *Request) Next(body []byte, ended func(*Response)) error {
	if body != nil {
		if rest, ok := msgpack.Check(body); !ok || len(rest) > 0 {
			return boxerr.New(boxerr.InvalidMsgpack, "packet body")
		}
	}
	x := r.within(body)
	x.route, x.place, x.run = r.route, r.place, r.run
	x.ctx, x.stream = r.ctx, r.stream
	x.inner = &inner{request: x, outer: r, before: r.ctx.Txn, sink: new(Response), saved: r.ctx.Sink, ended: ended}
	r.ctx.Sink = x.inner.sink
	r.child = x.inner
	x.conn.session.Sync = x.head.Sync
	x.serve()
	return nil
}

// within makes a request of the same packet, or of another body.
func (r *Request) within(body []byte) *Request {
	x := r.conn.server.takeFree()
	if x == nil {
		x = new(Request)
	}
	x.reset()
	x.conn, x.head, x.started = r.conn, r.head, true
	x.header, x.body = r.header, r.body
	if body != nil {
		x.body = body
	}
	x.Keep()
	return x
}

// endInner is the end of a request inside of another one.
func (r *Request) endInner() {
	in := r.inner
	if in.outer != nil {
		r.ctx.Sink = in.saved
		in.outer.child = nil
	}
	s := r.conn.server
	r.inner = nil
	ended := in.ended
	r.ctx = nil
	r.stream = nil
	s.release(r)
	if ended != nil {
		ended(in.sink)
	}
}

// giveUp is called when the outer request ends before the inner one: a handler that waits is cancelled; what runs in the
// database goes on to its end, of which nobody hears.
func (r *Request) giveUp() {
	r.inner.outer, r.inner.ended = nil, nil
	r.abandoned = true
	if c := r.child; c != nil {
		r.child = nil
		c.request.giveUp()
	}
	if !r.parked {
		return
	}
	r.parked = false
	if r.onCancel != nil {
		r.onCancel.Cancel()
	}
	if g := r.asked.guard; g != nil {
		if r.asked.deadline != nil {
			r.asked.deadline.Stop()
		}
		g.ended(r.conn.server, &r.asked, Handled, boxerr.New(boxerr.Timeout))
		r.asked.guard = nil
	}
	r.ended = true
	r.endInner()
}

// inherited tells whether the open transaction is not the request's own.
func (r *Request) inherited() bool {
	return r.stream != nil || r.inner != nil && r.inner.before != nil && r.ctx.Txn == r.inner.before
}

// Respond sends a response as the answer to the request, all its packets.
func (r *Request) Respond(a *Response) error {
	for i := range a.Len() {
		header, body := a.Packet(i)
		if err := r.Send(header, body); err != nil {
			return err
		}
	}
	return nil
}

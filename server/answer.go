package server

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
)

// What requests are answered, and what else is sent on their behalf. Within a turn, packets are gathered in its answers;
// otherwise they are queued. What a request has committed is on disk before its answer leaves.

// Send sends a packet to the client, made of a header and a body in MessagePack; the body may be empty. The error is
// SESSION_CLOSED.
func (r *Request) Send(header, body []byte) error {
	s := r.conn.server
	n := uint32(len(header) + len(body))
	if t := r.unlocked; t != nil {
		b := append(t.answers, 0xce, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
		t.answers = append(append(b, header...), body...)
		return nil
	}
	b := append(s.scratch[:0], 0xce, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	b = append(append(b, header...), body...)
	s.scratch = reuse(b)
	return r.SendPacket(b)
}

// SendPacket is Send for a whole packet, its length in front. What the request has committed before is on disk when the
// packet leaves.
func (r *Request) SendPacket(packet []byte) error {
	if t := r.unlocked; t != nil {
		t.answers = append(t.answers, packet...)
		return nil
	}
	if g := r.asked.guard; g != nil {
		g.Sent(len(packet))
	}
	if r.inner != nil {
		r.inner.sink.Take(packet)
		return nil
	}
	if r.tee != nil {
		r.tee.Take(packet)
	}
	return r.emit(packet)
}

// emit gives the connection a packet, or keeps it back as long as the journal has not done what the request has
// committed. Within the turn that the request was started in, noteTicket does the latter.
func (r *Request) emit(packet []byte) error {
	c, ticket := r.conn, r.ctx.Ticket
	if c.turn != nil && !r.detached || r.late == nil && (ticket.Position() == 0 || ticket.Done() && ticket.Err() == nil) {
		return c.Send(packet)
	}
	switch t := c.turn; {
	case c.closed:
		return boxerr.New(boxerr.SessionClosed)
	case t != nil:
		start := len(t.answers)
		t.answers = append(t.answers, packet...)
		t.waits = append(t.waits, journalWait{start, len(t.answers), r.head.Sync, ticket})
	default:
		r.late = append(r.late, packet...)
	}
	return nil
}

// Push sends an out-of-band message for the request; data is a MessagePack array.
func (r *Request) Push(data []byte) error {
	s := r.conn.server
	if t := r.unlocked; t != nil {
		t.answers = iproto.AppendChunk(t.answers, r.head.Sync, s.schema.Load(), data)
		return nil
	}
	b := iproto.AppendChunk(s.scratch[:0], r.head.Sync, s.schema.Load(), data)
	s.scratch = reuse(b)
	return r.SendPacket(b)
}

// Reply answers the request with data, a MessagePack array, in the form of the server's own answers. The handler
// still has to return Handled. An answer about what the request has written itself leaves when that is on disk.
func (r *Request) Reply(data []byte) error {
	if t := r.unlocked; t != nil {
		t.answers = iproto.AppendReply(t.answers, r.head.Sync, r.conn.server.schema.Load(), data)
		return nil
	}
	if r.conn.closed {
		return boxerr.New(boxerr.SessionClosed)
	}
	b, start := r.open()
	b = iproto.AppendData(b, data, 0)
	r.answer(b, start)
	return nil
}

// forwarding passes packets on that others send for a request, and keeps a copy.
type forwarding struct{ request *Request }

// Take makes it a box.Sink.
func (f forwarding) Take(packet []byte) {
	f.request.tee.Take(packet)
	_ = f.request.emit(packet)
}

// watchAnswer begins to keep a copy of what the request is answered.
func (r *Request) watchAnswer() {
	if r.tee == nil {
		r.tee = new(Response)
		if r.ctx.Sink == nil {
			r.ctx.Sink = forwarding{r}
		}
	}
}

// tellAnswer shows the answer to those who wanted to see it.
func (r *Request) tellAnswer() {
	if r.ctx != nil {
		if _, ok := r.ctx.Sink.(forwarding); ok {
			r.ctx.Sink = nil
		}
	}
	for _, c := range r.compared {
		c.answered(r.conn.server, r.tee)
	}
	r.writeTraces(r.tee)
}

// open begins an answer to the request, whose body the caller appends. The cord's lock is held.
func (r *Request) open() (b []byte, start int) {
	s := r.conn.server
	if t := r.conn.turn; t != nil {
		b = t.answers
	} else {
		b = s.scratch[:0]
	}
	return iproto.Begin(b, iproto.TypeOK, r.head.Sync, uint32(s.box.SchemaVersion())), len(b)
}

// answer ends an answer that was begun by open.
func (r *Request) answer(b []byte, start int) {
	iproto.End(b, start)
	r.deliver(b, start)
}

// deliver hands over the bytes of b from start on, which open or its like has begun. They are kept back as long as
// the journal has not done what the request has committed.
func (r *Request) deliver(b []byte, start int) {
	c := r.conn
	if r.inner != nil || r.tee != nil {
		if !r.copyAnswer(b, start) {
			return
		}
	}
	if g := r.asked.guard; g != nil {
		g.Sent(len(b) - start)
	}
	ticket := r.ctx.Ticket
	if t := c.turn; t != nil {
		t.answers = b
		if ticket.Position() != 0 {
			t.waits = append(t.waits, journalWait{start, len(b), r.head.Sync, ticket})
			r.ctx.Ticket = box.Ticket{}
		}
		return
	}
	c.server.scratch = reuse(b)
	switch written := ticket.Position() == 0 || ticket.Done() && ticket.Err() == nil; {
	case c.closed:
		if !written {
			c.server.box.Journal.Flush()
		}
	case written && r.late == nil:
		_ = c.queue(b[start:])
	default:
		r.late = append(r.late, b[start:]...)
	}
}

// copyAnswer gives the bytes of b from start on to those who want them. It returns false when they are not for the client.
func (r *Request) copyAnswer(b []byte, start int) bool {
	if r.inner == nil {
		r.tee.Take(b[start:])
		return true
	}
	r.inner.sink.Take(b[start:])
	if t := r.conn.turn; t != nil {
		t.answers = b[:start]
	} else {
		r.conn.server.scratch = reuse(b)
	}
	return false
}

// deliverLate sends an answer that deliver has kept back, once the journal has done its work. Whoever follows the
// request in its stream begins after that.
func (r *Request) deliverLate() {
	c, ticket, packet := r.conn, r.ctx.Ticket, r.late
	s, sync, ordered := c.server, r.head.Sync, r.stream != nil
	r.late = nil
	go func() {
		if err := ticket.Wait(); err != nil {
			packet = iproto.AppendError(nil, sync, s.schema.Load(), boxerr.From(err))
		}
		_ = c.queue(packet)
		if ordered {
			s.box.Cord.Lock()
			r.leaveAll()
			s.box.Cord.Unlock()
		}
	}()
	if !ordered {
		r.leaveAll()
	}
}

// noteTicket makes what handlers have sent during the turn wait for what they have committed.
func (r *Request) noteTicket() {
	if t := r.conn.turn; t != nil && !r.detached && r.inner == nil && r.ctx.Ticket.Position() != 0 {
		t.waits = append(t.waits, journalWait{r.mark, len(t.answers), r.head.Sync, r.ctx.Ticket})
	}
}

// ok answers that all went well, and ends the request.
func (r *Request) ok() {
	b, start := r.open()
	r.answer(append(b, 0x80), start)
	r.end()
}

// fail answers with an error and ends the request.
func (r *Request) fail(err error) {
	s := r.conn.server
	s.box.Stat.Count(box.OpError)
	if r.ctx.Txn != nil && !r.inherited() {
		_ = s.box.Rollback(r.ctx)
	}
	var b []byte
	if t := r.conn.turn; t != nil {
		b = t.answers
	} else {
		b = s.scratch[:0]
	}
	start := len(b)
	r.deliver(iproto.AppendError(b, r.head.Sync, uint32(s.box.SchemaVersion()), boxerr.From(err)), start)
	r.end()
}

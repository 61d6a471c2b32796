package server

import (
	"net"
	"strconv"
	"syscall"
	"time"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/trigger"
)

const (
	// turnSize is how many requests run before others may have the cord's lock.
	turnSize = 64
	// maxAnswers is how many bytes of answers end a turn.
	maxAnswers = 256 << 10
	// keptAnswers is how large a buffer for answers may be that is kept for later turns.
	keptAnswers = 2 * maxAnswers
)

// conn is the connection of a client. Its goroutine runs serve.
type conn struct {
	output
	server  *Server
	prepare func(*box.Session) // see StartAs

	// Of the connection's goroutine alone.
	input
	// failed is set when the stream of packets can't be followed any more: what is left is not looked at.
	failed bool
	// sampled counts the requests that handlers were asked for without the lock.
	sampled uint

	// wake holds a token when the connection, being blocked, may go on.
	wake chan struct{}
	// resumed is set when it has gone on and not run anything yet.
	resumed bool

	// Guarded by the cord's lock.
	session  *box.Session
	turn     *turn // the turn that runs now, nil between turns
	streams  map[uint64]*stream
	watchers map[string]*watch
	detached int // requests that have been detached and not ended
	closed   bool
	blocked  bool // stands in Server.blocked
	woken    bool // counts in Server.woken
}

// turn is what a connection needs while it runs requests. Connections borrow it.
type turn struct {
	requests [turnSize]*Request // as many as were decoded, the rest nil or unused
	n        int
	answers  []byte
	// waits are the parts of answers that must not be written before the journal has done its work.
	waits  []journalWait
	locked bool // the cord's lock is held for the turn
	// detached is how many of the requests go on when the turn has ended.
	detached int
	tally    tally
	since    time.Time // when the handler was asked that runs without the lock; zero when that isn't measured
	spare    any       // see Request.Spare

	reading reading
}

// journalWait is a part of a turn's answers that depends on a transaction.
type journalWait struct {
	start, end int
	sync       uint64
	ticket     box.Ticket
}

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{server: s, wake: make(chan struct{}, 1)}
	c.input.init(s, nc)
	c.output.init(s, nc)
	return c
}

// abort ends the connection from another goroutine.
func (c *conn) abort() { c.output.close() }

// serve is the life of a connection.
func (c *conn) serve() {
	c.server.stat.enter(Connections, 1)
	defer c.server.stat.leave(Connections, 1)
	if c.greet() {
		c.readAndRun()
	}
	c.output.close()
	c.server.box.Cord.Lock()
	c.end()
	c.server.box.Cord.Unlock()
}

// greet opens the session, sends the greeting and runs the handlers of on_connect. An error of theirs is sent to
// the client and ends the connection.
func (c *conn) greet() bool {
	s := c.server
	c.output.begin()
	s.box.Cord.Lock()
	session := s.box.NewSession(box.SessionBinary)
	session.Conn, session.Peer, session.FD = c, peerName(c.nc), fd(c.nc)
	if c.prepare != nil {
		c.prepare(session)
	}
	c.session = session
	text, salt := s.greeting(s.box.InstanceUUID())
	session.Salt = salt
	s.box.Cord.Unlock()
	if c.output.end(text) != nil {
		return false
	}
	err := c.fire("box.session.on_connect")
	if err == nil {
		return true
	}
	c.output.begin()
	_ = c.output.end(iproto.AppendError(nil, 0, s.schema.Load(), boxerr.From(err)))
	return false
}

// fire runs the handlers of an event of the session and waits for their end. The cord's lock must not be held.
func (c *conn) fire(event string) error {
	s := c.server
	s.box.Cord.Lock()
	e := s.box.Triggers.Event(event)
	if e.Empty() {
		s.box.Cord.Unlock()
		return nil
	}
	ended := make(chan error, 1)
	s.fire(c.session, e, func(err error) { ended <- err })
	s.box.Cord.Unlock()
	select {
	case err := <-ended:
		return err
	case <-c.output.left:
		return errGone
	case <-s.box.Cord.Stopped():
		return ErrClosed
	}
}

// fire runs the handlers of an event, under the cord's lock, and calls done when they have ended. They have all rights,
// whoever the session belongs to.
func (s *Server) fire(session *box.Session, e *trigger.Event, done func(error)) {
	ctx := s.box.NewCtx(session)
	ctx.User = s.box.UserByID(box.AdminID)
	if s.options.Fire != nil {
		s.options.Fire(ctx, e, done)
		return
	}
	err := s.box.Fire(ctx, e, nil, 0)
	if ctx.Txn != nil {
		_ = s.box.Rollback(ctx)
	}
	done(err)
}

// fd returns the number of a connection's socket, -1 without one.
func fd(nc net.Conn) int {
	n := -1
	if sc, ok := nc.(syscall.Conn); ok {
		if raw, err := sc.SyscallConn(); err == nil {
			_ = raw.Control(func(fd uintptr) { n = int(fd) })
		}
	}
	return n
}

// readAndRun reads and runs requests until the other side closes its end or breaks the rules.
func (c *conn) readAndRun() {
	for {
		err := c.fill()
		for !c.failed && c.runSome() {
		}
		if err != nil || c.failed || c.output.isGone() {
			return
		}
	}
}

// runSome runs the complete packets of the buffer in one turn. It returns false when there was none.
func (c *conn) runSome() bool {
	if c.w == c.r {
		return false
	}
	t, _ := c.server.turns.Get().(*turn)
	if t == nil {
		t = new(turn)
	}
	t.n, t.detached = 0, 0
	c.decode(t)
	if t.n == 0 && !c.failed {
		c.server.turns.Put(t)
		return false
	}
	c.server.stat.enter(Requests, t.n)
	c.output.begin()
	blocked := c.run(t)
	c.await(t)
	c.server.stat.leave(Requests, t.n-t.detached)
	err := c.output.end(t.answers)
	if cap(t.answers) > keptAnswers {
		t.answers = nil
	}
	t.answers, t.waits = t.answers[:0], t.waits[:0]
	c.server.turns.Put(t)
	if err != nil {
		c.failed = true
		return false
	}
	if blocked && !c.awaitRoom() {
		c.failed = true
		return false
	}
	return true
}

// decode takes complete packets out of the buffer, at most turnSize.
func (c *conn) decode(t *turn) {
	table := c.server.overrides.table.Load()
	for t.n < turnSize {
		b := c.buf[c.r:c.w]
		n, size, need, ok := iproto.Length(b)
		if need > 0 || n == 0 && len(b) == size {
			return
		}
		if !ok || n > iproto.MaxPacketSize {
			details := "packet length"
			if ok {
				details = "too big packet size in the header: " + strconv.FormatUint(n, 10)
			}
			c.failed = true
			r := t.next()
			r.conn, r.at = c, c.r
			r.refuse(boxerr.New(boxerr.InvalidMsgpack, details))
			return
		}
		if n > uint64(len(b)-size) {
			return
		}
		end := size + int(n)
		r := t.next()
		r.conn, r.at = c, c.r
		r.decode(b[size:end:end], table)
		c.r += end
	}
}

// next returns the request of the next packet.
func (t *turn) next() *Request {
	r := t.requests[t.n]
	if r == nil {
		r = new(Request)
		t.requests[t.n] = r
	}
	t.n++
	return r
}

// run runs the requests of a turn. What it has to leave for another turn is back in the buffer afterwards: when the
// answers are many bytes already, or when too many requests are in flight. It returns true in the latter case.
func (c *conn) run(t *turn) (blocked bool) {
	s := c.server
	n := c.runUnlocked(t)
	if n == t.n && !t.locked && !c.resumed {
		return false
	}
	s.stat.enter(RequestsInProgress, t.n-n)
	if !t.locked {
		s.box.Cord.Lock()
		s.box.AwaitJournal()
		c.turn = t
	}
	c.foresee(t, n)
	ended := 0
	for ; n < t.n; n++ {
		r := t.requests[n]
		if s.inFlight+s.woken >= s.netMsgMax && c.lacksRoom(r) {
			blocked = true
			break
		}
		if len(t.answers) > maxAnswers {
			break
		}
		if r.start() {
			ended++
		} else {
			t.requests[n] = s.takeFree()
		}
	}
	c.turn = nil
	t.reading.forget(t.reading.found)
	c.noteRoom(blocked)
	s.noteSchema()
	t.locked = false
	s.box.Cord.Unlock()
	s.stat.leave(RequestsInProgress, ended)
	if n < t.n {
		s.stat.enter(Requests, n-t.n)
		s.stat.enter(RequestsInProgress, n-t.n)
		c.r = t.requests[n].at
		c.failed = false
		t.n = n
	}
	return blocked
}

// takeFree returns an ended request to take the place of a detached one, nil when there is none.
func (s *Server) takeFree() *Request {
	n := len(s.free)
	if n == 0 {
		return nil
	}
	r := s.free[n-1]
	s.free[n-1] = nil
	s.free = s.free[:n-1]
	return r
}

// await waits for the journal. When it could not write, the answers that said otherwise are replaced.
func (c *conn) await(t *turn) {
	n := len(t.waits)
	if n == 0 || t.waits[n-1].ticket.Wait() == nil {
		// A transaction that follows a lost one is lost as well, so the last one tells about all.
		return
	}
	old := t.answers
	schema := c.server.schema.Load()
	var answers []byte
	at := 0
	for _, w := range t.waits {
		err := w.ticket.Wait()
		if err == nil {
			continue
		}
		answers = append(answers, old[at:w.start]...)
		answers = iproto.AppendError(answers, w.sync, schema, boxerr.From(err))
		at = w.end
	}
	t.answers = append(answers, old[at:]...)
}

// end closes the session: its handlers of on_disconnect run, its watchers stop, and the transactions of streams
// that nothing runs in are rolled back. The session lives on while requests of it do. The cord's lock is held.
func (c *conn) end() {
	if c.session == nil {
		return
	}
	s := c.server
	c.closed = true
	c.unwatchAll()
	c.rollbackStreams()
	c.giveUpRoom()
	c.detached++ // the handlers of on_disconnect
	ended := func(err error) {
		if err != nil {
			s.options.Log('E', "on_disconnect: "+err.Error())
		}
		c.leave()
	}
	if e := s.box.Triggers.Event("box.session.on_disconnect"); e.Empty() {
		ended(nil)
	} else {
		s.fire(c.session, e, ended)
	}
}

// leave is called when something has ended that the session had to live for.
func (c *conn) leave() {
	c.detached--
	if c.closed && c.detached == 0 {
		c.server.box.CloseSession(c.session)
	}
}

// Send queues a whole packet. During a turn of the connection it takes its place among the answers. The cord's
// lock must be held. The error is SESSION_CLOSED.
func (c *conn) Send(packet []byte) error {
	if c.closed {
		return boxerr.New(boxerr.SessionClosed)
	}
	if c.turn != nil {
		c.turn.answers = append(c.turn.answers, packet...)
		return nil
	}
	if c.offer(packet) != nil {
		return boxerr.New(boxerr.SessionClosed)
	}
	return nil
}

// SendParts is Send for a packet that consists of a header and a body, which may be empty; its length is put in
// front of them.
func (c *conn) SendParts(header, body []byte) error {
	s := c.server
	b := s.scratch[:0]
	n := uint32(len(header) + len(body))
	b = append(b, 0xce, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	b = append(append(b, header...), body...)
	s.scratch = reuse(b)
	return c.Send(b)
}

// Push queues an out-of-band message for the request with the given sync. The cord's lock must be held.
func (c *conn) Push(sync uint64, data []byte) error {
	s := c.server
	b := iproto.AppendChunk(s.scratch[:0], sync, s.schema.Load(), data)
	s.scratch = reuse(b)
	return c.Send(b)
}

// Closed reports whether the other side is gone. The cord's lock must be held.
func (c *conn) Closed() bool { return c.closed }

// Room reports whether the client keeps up with what is sent to it. If not, f is called under the cord's lock once
// it does again, or is gone: those who send much should wait for that.
func (c *conn) Room(f func()) bool { return c.output.room(f) }

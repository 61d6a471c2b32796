package server

import (
	"github.com/lycosadb/lycosa/memtx"
)

// stream is a sequence of requests of one connection that run strictly one after another, with a transaction
// that goes from one to the next. Guarded by the cord's lock.
type stream struct {
	conn *conn
	id   uint64
	// txn is the open transaction while no request runs.
	txn  *memtx.Txn
	busy bool
	// The requests that wait, a list linked by Request.following.
	first, last *Request
	// draining is set while leave starts the requests that wait.
	draining bool
}

// enterStream takes the request's place in its stream. It returns false when it has to wait for others.
func (r *Request) enterStream() bool {
	c := r.conn
	st := c.streams[r.head.StreamID]
	if st == nil {
		if c.streams == nil {
			c.streams = make(map[uint64]*stream)
		}
		st = &stream{conn: c, id: r.head.StreamID}
		c.streams[st.id] = st
		c.server.stat.enter(Streams, 1)
	}
	r.stream = st
	if !st.busy {
		st.busy = true
		return true
	}
	c.server.stat.enter(RequestsInStreamQueue, 1)
	c.server.stat.enter(RequestsInProgress, -1) // not yet
	if st.last == nil {
		st.first = r
	} else {
		st.last.following = r
	}
	st.last = r
	return false
}

// leave is called when the request that ran has ended: the next one begins.
func (st *stream) leave() {
	if st.draining {
		return
	}
	st.draining = true
	s := st.conn.server
	st.busy = false
	for !st.busy && st.first != nil {
		r := st.first
		if st.first = r.following; st.first == nil {
			st.last = nil
		}
		r.following = nil
		s.stat.leave(RequestsInStreamQueue, 1)
		s.stat.enter(RequestsInProgress, 1)
		st.busy = true
		r.decodeBody()
		r.ctx.Reset(st.conn.session)
		r.begin()
		st.busy = !r.left
	}
	st.draining = false
	if st.busy {
		return
	}
	if st.conn.closed {
		st.rollback()
	}
	if st.txn == nil {
		delete(st.conn.streams, st.id)
		s.stat.leave(Streams, 1)
	}
}

// rollback ends the transaction of a stream in which nothing runs.
func (st *stream) rollback() {
	if st.txn == nil {
		return
	}
	b := st.conn.server.box
	ctx := b.NewCtx(st.conn.session)
	ctx.Txn, st.txn = st.txn, nil
	_ = b.Rollback(ctx)
}

// rollbackStreams ends the streams of a closed connection. Those in which a request runs or waits end with it.
func (c *conn) rollbackStreams() {
	for id, st := range c.streams {
		if !st.busy {
			st.rollback()
			delete(c.streams, id)
			c.server.stat.leave(Streams, 1)
		}
	}
}

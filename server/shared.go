package server

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// SELECTs at the beginning of a turn don't take the cord's lock: connections that read share it. What they read is what
// the requests of all connections have done under the lock before, so that whoever has got the answer to a write will
// find it, on any connection. Whatever the database doesn't answer to those who share the cord, and all that follows it
// in the turn, runs under the lock as usual.

// reading is what a turn needs for its SELECTs.
type reading struct {
	query   box.SelectRequest
	tuples  []*tuple.Tuple
	lookups [turnSize]index.Lookup
	points  [turnSize]bool

	// What foresee has found, under the lock, on behalf of a user: so many of the lookups.
	found int
	user  *box.User
}

// isRead tells whether the request is a SELECT that may be answered without the cord's lock.
func (r *Request) isRead(schema uint32) bool {
	return r.head.Type == iproto.TypeSelect && r.route == nil && r.fault == nil && r.bodyErr == nil && r.head.StreamID == 0 &&
		r.decoded && !r.dml.HasSpaceName && !r.dml.HasIndexName &&
		(r.head.SchemaVersion == 0 || r.head.SchemaVersion == uint64(schema))
}

// runReads runs SELECTs of a turn from the given one on, as far as they follow one another and can share the cord. It
// returns how many those are.
func (c *conn) runReads(t *turn, first int) (n int) {
	s := c.server
	b := s.box
	if !t.requests[first].isRead(s.schema.Load()) {
		return 0
	}
	b.Cord.Share()
	schema := uint32(b.SchemaVersion()) // now it stays, as do the handlers
	end := first
	if s.overrides.table.Load().find(iproto.TypeSelect) == nil {
		for end < t.n && t.requests[end].isRead(schema) {
			end++
		}
	}
	n = c.read(t, first, end, schema)
	b.Cord.Unshare()
	if n > 0 {
		b.Stat.CountShared(n)
		s.stat.enter(RequestsInProgress, n)
		s.stat.leave(RequestsInProgress, n)
	}
	return n
}

// read answers SELECTs as long as it can and the turn's answers aren't many bytes. It returns how many it has answered.
// The cord is shared.
func (c *conn) read(t *turn, first, end int, schema uint32) (n int) {
	b, user, x := c.server.box, c.session.User, &t.reading
	points := 0
	for i := first; i < end; i++ {
		fillQuery(&x.query, &t.requests[i].dml)
		if x.points[i] = b.PointShared(user, &x.query, &x.lookups[points]); x.points[i] {
			points++
		}
	}
	index.GetAll(x.lookups[:points])
	next := 0
	for i := first; i < end && len(t.answers) <= maxAnswers; i++ {
		r := t.requests[i]
		x.query.Position, x.tuples = x.query.Position[:0], x.tuples[:0]
		if x.points[i] {
			if found := x.lookups[next].Tuple; found != nil {
				x.tuples = append(x.tuples, found)
			}
			next++
		} else {
			var ok bool
			fillQuery(&x.query, &r.dml)
			if x.tuples, ok = b.SelectShared(user, &x.query, x.tuples); !ok {
				break
			}
		}
		start := len(t.answers)
		t.answers = iproto.Begin(t.answers, iproto.TypeOK, r.head.Sync, schema)
		t.answers = appendTuples(t.answers, x.tuples, x.query.Position, r.has(iproto.FeatureDMLTupleExtension))
		iproto.End(t.answers, start)
		clear(x.tuples)
		n++
	}
	x.forget(points)
	return n
}

// Share runs f, which only reads, on behalf of the client's user and together with others who read, if the request's
// handler was asked without the lock. It returns what f returns; false means that f has to be run with the lock.
func (r *Request) Share(f func(b *box.Box, u *box.User) bool) bool {
	if r.unlocked == nil {
		return false
	}
	b := r.conn.server.box
	b.Cord.Share()
	defer b.Cord.Unshare()
	return f(b, r.conn.session.User)
}

// forget lets go of what so many lookups and the query have referred to.
func (x *reading) forget(lookups int) {
	clear(x.lookups[:lookups])
	x.found, x.user = 0, nil
	clearQuery(&x.query)
	if cap(x.tuples) > keptTuples {
		x.tuples = nil
	}
}

// foresee looks ahead at what the turn's requests will search for, from the given one on. The cord's lock is held.
func (c *conn) foresee(t *turn, first int) {
	s := c.server
	f := &s.foresight
	reads := t.n-first >= worthFinding
	for _, r := range t.requests[first:t.n] {
		reads = reads && r.head.Type == iproto.TypeSelect
	}
	points := 0
	for _, r := range t.requests[first:t.n] {
		if r.head.Type >= foreseeable || r.fault != nil {
			continue
		}
		if r.head.Type == iproto.TypeCall {
			if r.habit != nil && r.bodyErr == nil {
				f.Call(s.box, r.habit, r.call.Args)
			}
			continue
		}
		d := &r.dml
		if !r.decoded || r.bodyErr != nil || d.HasSpaceName || d.HasIndexName {
			continue
		}
		switch r.head.Type {
		case iproto.TypeReplace, iproto.TypeInsert, iproto.TypeUpsert:
			f.Tuple(s.box, d.SpaceID, d.Tuple)
		case iproto.TypeUpdate, iproto.TypeDelete:
			f.Key(s.box, d.SpaceID, d.IndexID, d.Key)
		case iproto.TypeSelect:
			if reads && r.lookUp(&t.reading.lookups[points]) {
				points++
				r.point = points
			} else {
				f.Key(s.box, d.SpaceID, d.IndexID, d.Key)
			}
		}
	}
	f.Fetch()
	t.reading.found, t.reading.user = points, c.session.User
	index.GetAll(t.reading.lookups[:points])
}

// worthFinding is how many SELECTs make it worth while to find what they ask for before the first of them runs.
const worthFinding = 4

// lookUp makes a lookup of a SELECT that can find one tuple at most.
func (r *Request) lookUp(l *index.Lookup) bool {
	q := &r.conn.turn.reading.query
	fillQuery(q, &r.dml)
	return r.conn.server.box.PointShared(r.conn.session.User, q, l)
}

// found returns what foresee has found for a SELECT. ok is false when it has not looked for that, or when that may have
// changed since, by what a handler has done.
func (r *Request) found() (list []*tuple.Tuple, ok bool) {
	if r.point == 0 || r.ctx.Txn != nil || r.inner != nil {
		return nil, false
	}
	x := &r.conn.turn.reading
	l := &x.lookups[r.point-1]
	b := r.conn.server.box
	if r.ctx.User != x.user || !b.PointCurrent(x.user, r.dml.SpaceID, r.dml.IndexID, l) {
		return nil, false
	}
	b.Stat.Count(box.OpSelect)
	x.tuples = x.tuples[:0]
	if l.Tuple != nil {
		x.tuples = append(x.tuples, l.Tuple)
	}
	return x.tuples, true
}

// foreseeable is above all types of requests that look for a tuple.
const foreseeable = iproto.TypeCall + 1

// appendTuples appends the body of the answer to a DML request. The position may be empty; extended answers have the
// tuples' formats.
func appendTuples(b []byte, tuples []*tuple.Tuple, position []byte, extended bool) []byte {
	more := 0
	if len(position) > 0 {
		more++
	}
	if extended {
		more++
	}
	b = iproto.AppendDataHead(b, len(tuples), more)
	for _, t := range tuples {
		if extended {
			b = box.AppendTuple(b, t)
		} else {
			b = append(b, t.Data()...)
		}
	}
	if len(position) > 0 {
		b = append(b, byte(iproto.KeyPosition))
		b = msgpack.AppendStringBytes(b, position)
	}
	if extended {
		b = appendFormatsOf(b, tuples)
	}
	return b
}

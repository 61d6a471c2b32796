package server

import (
	"time"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// product is what errors call this server.
const product = "Lycosa"

// builtin does what the server does by itself with the request.
func (r *Request) builtin() {
	r.decodeBody()
	if r.bodyErr != nil {
		r.fail(r.bodyErr)
		return
	}
	var err error
	switch r.head.Type {
	case iproto.TypeSelect:
		err = r.doSelect()
	case iproto.TypeInsert, iproto.TypeReplace, iproto.TypeUpdate, iproto.TypeDelete, iproto.TypeUpsert:
		err = r.doChange()
	case iproto.TypeCall, iproto.TypeCall16, iproto.TypeEval:
		err = r.doCall()
	case iproto.TypePing:
		if err = r.checkSchema(); err == nil {
			r.ok()
		}
	case iproto.TypeBegin, iproto.TypeCommit, iproto.TypeRollback:
		err = r.doTxn()
	case iproto.TypeAuth:
		err = r.doAuth()
	case iproto.TypeID:
		err = r.doID()
	case iproto.TypeWatch, iproto.TypeUnwatch, iproto.TypeWatchOnce:
		err = r.doWatch()
	case iproto.TypeVote, iproto.TypeVoteDeprecated:
		err = r.doVote()
	case iproto.TypeExecute, iproto.TypePrepare:
		err = r.doSQL()
	case iproto.TypeJoin, iproto.TypeSubscribe, iproto.TypeFetchSnapshot, iproto.TypeRegister:
		if len(r.body) == 0 || msgpack.TypeOf(r.body[0]) != msgpack.Map {
			err = boxerr.New(boxerr.InvalidMsgpack, "request body")
		} else {
			err = boxerr.New(boxerr.Unsupported, product, r.head.Type.Name()+": replication")
		}
	default:
		err = boxerr.New(boxerr.UnknownRequestType, uint32(r.head.Type))
	}
	if err != nil {
		r.fail(err)
	}
}

// checkSchema refuses requests that were made for another schema version.
func (r *Request) checkSchema() error {
	if v := r.head.SchemaVersion; v != 0 {
		if now := r.conn.server.box.SchemaVersion(); v != now {
			return boxerr.New(boxerr.WrongSchemaVersion, v, now)
		}
	}
	return nil
}

// space finds the space of a DML request; a name wins over a number.
func (r *Request) space() (*box.Space, error) {
	b := r.conn.server.box
	if r.dml.HasSpaceName {
		if sp := b.SpaceByName(string(r.dml.SpaceName)); sp != nil {
			return sp, nil
		}
		return nil, boxerr.New(boxerr.NoSuchSpace, string(r.dml.SpaceName))
	}
	return b.SpaceByID(r.dml.SpaceID), nil
}

// target finds the space and index numbers of a request.
func (r *Request) target() (space, index uint32, err error) {
	d := &r.dml
	if !d.HasSpaceName && !d.HasIndexName {
		return d.SpaceID, d.IndexID, nil
	}
	sp, err := r.space()
	if err != nil {
		return 0, 0, err
	}
	if sp == nil {
		return d.SpaceID, d.IndexID, nil
	}
	if !d.HasIndexName {
		return sp.ID, d.IndexID, nil
	}
	for _, x := range sp.Mem.Indexes {
		if x.Name == string(d.IndexName) {
			return sp.ID, x.ID, nil
		}
	}
	return 0, 0, boxerr.New(boxerr.NoSuchIndexName, string(d.IndexName), sp.Name)
}

func (r *Request) doSelect() error {
	if err := r.checkSchema(); err != nil {
		return err
	}
	if tuples, ok := r.found(); ok {
		r.answerTuples(tuples, nil)
		clear(tuples)
		return nil
	}
	space, id, err := r.target()
	if err != nil {
		return err
	}
	s := r.conn.server
	q := &s.query
	fillQuery(q, &r.dml)
	q.Space, q.Index = space, id
	tuples, err := s.box.Select(r.ctx, q, s.tuples[:0])
	clearQuery(q)
	if err == nil {
		r.answerTuples(tuples, q.Position)
	}
	clear(tuples)
	if cap(tuples) > keptTuples {
		tuples = nil
	}
	s.tuples = tuples
	return err
}

// fillQuery makes the query of a SELECT that names its space and index by numbers.
func fillQuery(q *box.SelectRequest, d *iproto.DML) {
	q.Space, q.Index, q.Iterator, q.Key = d.SpaceID, d.IndexID, index.IteratorType(d.Iterator), d.Key
	q.Limit, q.Offset = d.Limit, d.Offset
	q.AfterTuple, q.AfterPosition, q.FetchPosition = d.AfterTuple, d.AfterPosition, d.FetchPosition
}

// clearQuery lets go of the request that the query was made of.
func clearQuery(q *box.SelectRequest) { q.Key, q.AfterTuple, q.AfterPosition = nil, nil, nil }

// keptTuples is how long a list of tuples may be that is kept for later.
const keptTuples = 16 << 10

func (r *Request) doChange() error {
	if err := r.checkSchema(); err != nil {
		return err
	}
	b, d, ctx := r.conn.server.box, &r.dml, r.ctx
	typ := r.head.Type
	if typ != iproto.TypeUpdate && typ != iproto.TypeDelete {
		d.HasIndexName = false
	}
	space, id, err := r.target()
	if err != nil {
		return err
	}
	var t *tuple.Tuple
	switch typ {
	case iproto.TypeInsert:
		t, err = b.Insert(ctx, space, d.Tuple)
	case iproto.TypeReplace:
		t, err = b.Replace(ctx, space, d.Tuple)
	case iproto.TypeUpdate:
		t, err = b.Update(ctx, space, id, d.Key, d.Tuple, int(d.IndexBase))
	case iproto.TypeDelete:
		t, err = b.Delete(ctx, space, id, d.Key)
	case iproto.TypeUpsert:
		err = b.Upsert(ctx, space, d.Tuple, d.Ops, int(d.IndexBase))
	}
	if err != nil {
		return err
	}
	list := [1]*tuple.Tuple{t}
	if t == nil {
		r.answerTuples(nil, nil)
	} else {
		r.answerTuples(list[:], nil)
	}
	return nil
}

// answerTuples answers a DML request, and ends it.
func (r *Request) answerTuples(tuples []*tuple.Tuple, position []byte) {
	b, start := r.open()
	b = appendTuples(b, tuples, position, r.has(iproto.FeatureDMLTupleExtension))
	r.answer(b, start)
	r.end()
}

// has tells whether the client has a feature.
func (r *Request) has(f iproto.Feature) bool { return r.conn.session.Features&(1<<f) != 0 }

func (r *Request) doTxn() error {
	b, ctx := r.conn.server.box, r.ctx
	var o iproto.Txn
	switch r.head.Type {
	case iproto.TypeBegin:
		if err := iproto.DecodeBegin(r.body, &o); err != nil {
			return err
		}
		if err := r.checkSchema(); err != nil {
			return err
		}
		timeout := longestTimeout
		if seconds := o.Timeout * float64(time.Second); seconds < float64(timeout) {
			timeout = time.Duration(seconds)
		}
		err := b.Begin(ctx, box.TxnOptions{Timeout: timeout, Isolation: box.Isolation(o.Isolation), Sync: o.IsSync})
		if err != nil {
			return err
		}
	case iproto.TypeCommit:
		if err := iproto.DecodeCommit(r.body, &o); err != nil {
			return err
		}
		if err := r.checkSchema(); err != nil {
			return err
		}
		if o.IsSync && ctx.Txn != nil {
			ctx.Txn.Sync = true
		}
		if err := b.Commit(ctx); err != nil {
			return err
		}
	default:
		if err := r.checkSchema(); err != nil {
			return err
		}
		if err := b.Rollback(ctx); err != nil {
			return err
		}
	}
	r.ok()
	return nil
}

// longestTimeout is what longer timeouts are shortened to.
const longestTimeout = 100 * 365 * 24 * time.Hour

func (r *Request) doAuth() error {
	var a iproto.Auth
	if err := iproto.DecodeAuth(r.body, &a); err != nil {
		return err
	}
	if err := r.checkSchema(); err != nil {
		return err
	}
	if err := r.conn.server.box.Authenticate(r.ctx, string(a.User), a.Tuple); err != nil {
		return err
	}
	r.ok()
	return nil
}

func (r *Request) doID() error {
	var id iproto.ID
	if err := iproto.DecodeID(r.body, &id); err != nil {
		return err
	}
	if err := r.checkSchema(); err != nil {
		return err
	}
	session := r.conn.session
	session.ProtocolVersion, session.Features = id.Version, id.Features
	r.packet(func(b []byte) []byte {
		return iproto.AppendID(b, r.head.Sync, uint32(r.conn.server.box.SchemaVersion()), box.ChapSHA1)
	})
	return nil
}

// packet answers with what appendTo appends, a whole packet, and ends the request.
func (r *Request) packet(appendTo func([]byte) []byte) {
	b, start := r.open()
	r.deliver(appendTo(b[:start]), start)
	r.end()
}

func (r *Request) doWatch() error {
	var w iproto.Watch
	if err := iproto.DecodeWatch(r.body, &w); err != nil {
		return err
	}
	switch r.head.Type {
	case iproto.TypeWatch:
		r.conn.watch(w.Key, r.head.Sync)
		r.end()
	case iproto.TypeUnwatch:
		r.conn.unwatch(w.Key)
		r.end()
	default:
		if err := r.checkSchema(); err != nil {
			return err
		}
		value := r.conn.server.box.WatchOnce(string(w.Key))
		b, start := r.open()
		if value == nil {
			b = iproto.AppendDataHead(b, 0, 0)
		} else {
			b = append(iproto.AppendDataHead(b, 1, 0), value...)
		}
		r.answer(b, start)
		r.end()
	}
	return nil
}

// doVote tells how far this instance is. The old request of that name is answered with the clock alone.
func (r *Request) doVote() error {
	if err := r.checkSchema(); err != nil {
		return err
	}
	b := r.conn.server.box
	now, oldest := b.VClock(), b.OldestVClock()
	now[0], oldest[0] = 0, 0 // rows of local spaces concern nobody else
	if r.head.Type == iproto.TypeVoteDeprecated {
		p, start := r.open()
		r.answer(now.AppendMsgpack(append(p, 0x81, byte(iproto.KeyVClock))), start)
		r.end()
		return nil
	}
	ballot := iproto.Ballot{
		ReadOnlyCfg: b.Config.ReadOnly,
		ReadOnly:    b.CheckWritable() != nil,
		Booted:      true,
		VClock:      now.AppendMsgpack(nil),
		GCVClock:    oldest.AppendMsgpack(nil),
		Leader:      b.InstanceUUID(),
		Registered:  []string{b.InstanceUUID()},
	}
	r.packet(func(p []byte) []byte {
		return iproto.AppendBallot(p, r.head.Sync, uint32(b.SchemaVersion()), &ballot)
	})
	return nil
}

func (r *Request) doSQL() error {
	var q iproto.SQL
	if err := iproto.DecodeSQL(r.body, &q); err != nil {
		return err
	}
	if err := r.checkSchema(); err != nil {
		return err
	}
	if err := r.ctx.CheckSQL(); err != nil {
		return err
	}
	return boxerr.New(boxerr.Unsupported, product, "SQL")
}

package box

import (
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/wal"
	"github.com/lycosadb/lycosa/xlog"
)

// passQueue gives the queue of synchronous transactions to an instance, or to none, in a new term, and logs that.
func (b *Box) passQueue(typ iproto.Type, owner uint32) {
	was := b.status.queueOwner
	b.status.queueOwner, b.status.frozen = owner, false
	b.status.term = max(1, b.status.term) + 1
	term := msgpack.AppendMapHeader(nil, 1)
	term = append(term, iproto.RaftTerm)
	term = msgpack.AppendUint(term, b.status.term)
	b.logQueue(xlog.Row{Type: iproto.TypeRaft, GroupID: xlog.GroupLocal, Body: term})
	body := b.queueBody(3, was)
	body = append(body, keyTerm)
	b.logQueue(xlog.Row{Type: typ, Body: msgpack.AppendUint(body, b.status.term)})
	b.AnnounceMode()
}

// queueBody begins the body of a row about the queue: whose it is and up to where it is confirmed.
func (b *Box) queueBody(fields int, owner uint32) []byte {
	body := msgpack.AppendMapHeader(nil, fields)
	body = append(body, keyReplicaID)
	body = msgpack.AppendUint(body, uint64(owner))
	body = append(body, keyLSN)
	return msgpack.AppendInt(body, b.status.confirmed)
}

// confirmSync logs that a synchronous transaction counts: this instance is all the quorum that there is. The ticket
// is that of the confirmation.
func (b *Box) confirmSync(lsn int64) wal.Ticket {
	b.status.confirmed = lsn
	return b.logQueue(xlog.Row{Type: iproto.TypeRaftConfirm, Body: b.queueBody(2, b.status.queueOwner)})
}

// logQueue logs a row about the queue.
func (b *Box) logQueue(row xlog.Row) wal.Ticket {
	if row.GroupID == xlog.GroupLocal {
		b.status.local++
	} else {
		b.status.lsn++
	}
	if b.Journal == nil {
		return wal.Ticket{}
	}
	return b.Journal.Submit(&wal.Entry{Rows: []xlog.Row{row}})
}

// syncQueue holds transactions of the log back until the synchronous ones among them are confirmed.
type syncQueue struct {
	box      *Box
	ctx      *Ctx
	preparer *preparer
	pending  []logged
}

// logged is a transaction of the log that waits.
type logged struct {
	rows []xlog.Row
	lsn  int64 // of its last row
	sync bool
}

// replay takes the next transaction of the log, with what was made of its rows.
func (q *syncQueue) replay(rows []xlog.Row, made []prepared) error {
	last := &rows[len(rows)-1]
	switch last.Type {
	case iproto.TypeRaft, iproto.TypeRaftDemote:
		q.box.replayQueue(last)
		return nil
	case iproto.TypeRaftPromote:
		q.box.replayQueue(last)
		return q.decide(lsnOf(last))
	case iproto.TypeRaftConfirm:
		q.box.status.confirmed = lsnOf(last)
		return q.decide(lsnOf(last))
	case iproto.TypeRaftRollback:
		for i := range q.pending {
			if q.pending[i].lsn >= lsnOf(last) {
				q.pending = q.pending[:i]
				break
			}
		}
		return nil
	}
	sync := last.Flags&xlog.FlagWaitSync != 0
	if !sync && len(q.pending) == 0 {
		if done, err := q.box.loadStraight(q.preparer, rows, made); done {
			return err
		}
		return q.run(rows)
	}
	kept := logged{lsn: last.LSN, sync: sync}
	for i := range rows {
		row := rows[i]
		row.Body = append([]byte(nil), row.Body...)
		kept.rows = append(kept.rows, row)
	}
	q.pending = append(q.pending, kept)
	return nil
}

// decide runs the transactions that are confirmed up to a number, with those that only waited behind them.
func (q *syncQueue) decide(lsn int64) error {
	n := 0
	for n < len(q.pending) && (!q.pending[n].sync || q.pending[n].lsn <= lsn) {
		if err := q.run(q.pending[n].rows); err != nil {
			return err
		}
		n++
	}
	q.pending = q.pending[n:]
	return nil
}

// run replays one transaction.
func (q *syncQueue) run(rows []xlog.Row) error {
	b, c := q.box, q.ctx
	if len(rows) == 1 {
		return b.Replay(c, &rows[0], false)
	}
	b.begin(c)
	for i := range rows {
		if err := b.Replay(c, &rows[i], false); err != nil {
			b.abort(c)
			return err
		}
	}
	return b.commit(c)
}

// Keys of the rows about the queue of synchronous transactions.
const (
	keyReplicaID = 0x02
	keyLSN       = 0x03
	keyVClock    = 0x26
	keyTerm      = 0x53
)

// lsnOf reads the LSN in a row about the queue of synchronous transactions.
func lsnOf(row *xlog.Row) int64 {
	return queueFields(row)[keyLSN]
}

// queueFields reads the numbers in a row's body.
func queueFields(row *xlog.Row) map[uint64]int64 {
	fields := make(map[uint64]int64)
	n, body, _ := msgpack.ReadMapHeader(row.Body)
	for range n {
		key, value, ok := msgpack.ReadUint(body)
		if !ok {
			break
		}
		if v, _, ok := msgpack.ReadInt(value); ok {
			fields[key] = v
		}
		if body, ok = msgpack.Skip(value); !ok {
			break
		}
	}
	return fields
}

// replayQueue takes a row about the owner of the queue of synchronous transactions.
func (b *Box) replayQueue(row *xlog.Row) {
	fields := queueFields(row)
	switch row.Type {
	case iproto.TypeRaft:
		b.status.term = max(b.status.term, uint64(fields[iproto.RaftTerm]))
	default:
		b.status.term = max(b.status.term, uint64(fields[keyTerm]))
		b.status.confirmed = max(b.status.confirmed, fields[keyLSN])
		b.status.queueOwner = 0
		if row.Type == iproto.TypeRaftPromote {
			if b.status.queueOwner = row.ReplicaID; row.ReplicaID == 0 { // in a checkpoint
				b.status.queueOwner = uint32(fields[keyReplicaID])
			}
		}
		b.status.frozen = b.status.queueOwner != 0
	}
}

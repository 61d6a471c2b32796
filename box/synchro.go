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

package box

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/xlog"
)

// StartRecovery begins a time in which rows are replayed: rights, triggers and constraints do not count.
func (b *Box) StartRecovery() { b.recovering = true }

// EndRecovery ends that time.
func (b *Box) EndRecovery() { b.recovering = false }

// Recovering reports whether rows are being replayed.
func (b *Box) Recovering() bool { return b.recovering }

// rowBody is the body of a row.
type rowBody struct {
	space, index    uint32
	base            int
	key, tuple, ops []byte
}

// decodeRow reads the body of a row. Keys that it doesn't know are skipped.
func decodeRow(row *xlog.Row) (r rowBody, err error) {
	n, body, ok := msgpack.ReadMapHeader(row.Body)
	for range n {
		var key uint64
		if key, body, ok = msgpack.ReadUint(body); !ok {
			break
		}
		value := body
		if body, ok = msgpack.Skip(value); !ok {
			break
		}
		value = value[:len(value)-len(body)]
		switch key {
		case keySpace, keyIndex, keyIndexBase:
			var v uint64
			if v, _, ok = msgpack.ReadUint(value); !ok || v >= 1<<32 {
				return r, boxerr.New(boxerr.InvalidMsgpack, "row body")
			}
			switch key {
			case keySpace:
				r.space = uint32(v)
			case keyIndex:
				r.index = uint32(v)
			default:
				r.base = int(v)
			}
		case keyKey:
			r.key = value
		case keyTuple:
			r.tuple = value
		case keyOps:
			r.ops = value
		}
	}
	if !ok {
		return r, boxerr.New(boxerr.InvalidMsgpack, "row body")
	}
	if row.Type == iproto.TypeUpdate {
		r.tuple, r.ops = nil, r.tuple
	}
	return r, nil
}

// decodePut reads the body of a row that puts a tuple, as it is usually written: the space, then the tuple. The row must be
// one of a Reader, which has found out where the body ends: the tuple takes what is left of it.
func decodePut(row *xlog.Row) (space uint32, tuple []byte, ok bool) {
	body := row.Body
	if len(body) < 2 || body[0] != 0x82 || body[1] != keySpace {
		return 0, nil, false
	}
	v, rest, ok := msgpack.ReadUint(body[2:])
	if !ok || v >= 1<<32 || len(rest) == 0 || rest[0] != keyTuple {
		return 0, nil, false
	}
	return uint32(v), rest[1:], true
}

// Replay runs a row of a checkpoint or of a journal. A tuple from a journal moves the sequence of its space on;
// in a checkpoint the sequences are right by themselves.
func (b *Box) Replay(c *Ctx, row *xlog.Row, checkpoint bool) error {
	if row.Type == iproto.TypeNOP {
		return nil
	}
	op, known := replayed[row.Type]
	if !known {
		return boxerr.New(boxerr.UnknownRequestType, uint64(row.Type))
	}
	r, err := decodeRow(row)
	if err != nil {
		return err
	}
	s := statement{typ: uint8(row.Type), index: r.index, key: r.key, tuple: r.tuple, ops: r.ops, base: r.base}
	if _, err := b.execute(c, op, r.space, s); err != nil {
		return err
	}
	if sp := b.catalog.spaces[r.space]; !checkpoint && sp != nil && (s.typ == typeInsert || s.typ == typeReplace) {
		sp.advance(s.tuple)
	}
	return nil
}

// advance moves the sequence of the space, if it has one, on to what it has in a tuple.
func (sp *Space) advance(data []byte) {
	if sp.Sequence == nil {
		return
	}
	if v := seekPath(data, sp.SequenceField, sp.SequencePath); v != nil {
		if n, _, ok := msgpack.ReadInt(v); ok {
			sp.Sequence.Advance(n)
		}
	}
}

var replayed = map[iproto.Type]Op{
	iproto.TypeInsert:  OpInsert,
	iproto.TypeReplace: OpReplace,
	iproto.TypeUpdate:  OpUpdate,
	iproto.TypeDelete:  OpDelete,
	iproto.TypeUpsert:  OpUpsert,
}

package box

import (
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/fiber"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/trigger"
	"github.com/lycosadb/lycosa/xlog"
)

// New makes an empty database, without even the system spaces. Open makes one that can be used.
func New(cfg Config) *Box {
	b := &Box{Cord: fiber.NewCord(), Triggers: trigger.NewRegistry(), Config: cfg}
	b.catalog = catalog{
		spaces:        make(map[uint32]*Space),
		spacesByName:  make(map[string]*Space),
		users:         make(map[uint32]*User),
		usersByName:   make(map[string]*User),
		funcs:         make(map[uint32]*Func),
		funcsByName:   make(map[string]*Func),
		sequences:     make(map[uint32]*Sequence),
		sequencesName: make(map[string]*Sequence),
		awaited:       make(map[uint32]*Func),
	}
	// Sessions need their users before the rows of _user are there; those rows change these objects.
	b.enterUser(&User{ID: AdminID, Name: "admin", Universe: AllPrivileges, grants: make(map[Object]Privilege)})
	b.enterUser(&User{ID: GuestID, Name: "guest", grants: make(map[Object]Privilege)})
	b.status.started = time.Now()
	b.status.id = 1
	return b
}

// StartRecovery begins a time in which rows are replayed: rights, triggers and constraints do not count.
func (b *Box) StartRecovery() { b.recovering = true }

// EndRecovery ends that time.
func (b *Box) EndRecovery() { b.recovering = false }

// Recovering reports whether rows are being replayed.
func (b *Box) Recovering() bool { return b.recovering }

// Replay runs a row of a checkpoint or of a journal. A tuple from a journal moves the sequence of its space on;
// in a checkpoint the sequences are right by themselves.
func (b *Box) Replay(c *Ctx, row *xlog.Row, checkpoint bool) error {
	if row.Type == iproto.TypeNOP {
		return nil
	}
	var space uint32
	var s statement
	n, body, ok := msgpack.ReadMapHeader(row.Body)
	for range n {
		var key, v uint64
		if key, body, ok = msgpack.ReadUint(body); !ok {
			break
		}
		end, fine := msgpack.Skip(body)
		if !fine {
			ok = false
			break
		}
		value := body[:len(body)-len(end)]
		body = end
		switch key {
		case keySpace, keyIndex, keyIndexBase:
			if v, _, ok = msgpack.ReadUint(value); !ok || v >= 1<<32 {
				return boxerr.New(boxerr.InvalidMsgpack, "row body")
			}
		}
		switch key {
		case keySpace:
			space = uint32(v)
		case keyIndex:
			s.index = uint32(v)
		case keyIndexBase:
			s.base = int(v)
		case keyKey:
			s.key = value
		case keyTuple:
			s.tuple = value
		case keyOps:
			s.ops = value
		}
	}
	if !ok {
		return boxerr.New(boxerr.InvalidMsgpack, "row body")
	}
	if row.Type == iproto.TypeUpdate {
		s.tuple, s.ops = nil, s.tuple
	}
	op, known := replayed[row.Type]
	if !known {
		return boxerr.New(boxerr.UnknownRequestType, uint64(row.Type))
	}
	s.typ = uint8(row.Type)
	if _, err := b.execute(c, op, space, s); err != nil {
		return err
	}
	sp := b.catalog.spaces[space]
	if !checkpoint && sp != nil && sp.Sequence != nil && (s.typ == typeInsert || s.typ == typeReplace) {
		if v := seekPath(s.tuple, sp.SequenceField, sp.SequencePath); v != nil {
			if n, _, ok := msgpack.ReadInt(v); ok {
				sp.Sequence.Advance(n)
			}
		}
	}
	return nil
}

var replayed = map[iproto.Type]Op{
	iproto.TypeInsert:  OpInsert,
	iproto.TypeReplace: OpReplace,
	iproto.TypeUpdate:  OpUpdate,
	iproto.TypeDelete:  OpDelete,
	iproto.TypeUpsert:  OpUpsert,
}

package box

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/trigger"
	"github.com/lycosadb/lycosa/tuple"
)

// hasTriggers reports whether one of the events is to be fired for a statement.
func (b *Box) hasTriggers(sp *Space, events *[3]*trigger.Event) bool {
	if sp.TriggersOff {
		return false
	}
	for _, e := range events {
		if e != nil && !e.Empty() {
			return true
		}
	}
	return false
}

// AppendTuple appends a tuple as arguments of functions carry it, nil for none.
func AppendTuple(b []byte, t *tuple.Tuple) []byte {
	if t == nil {
		return msgpack.AppendNil(b)
	}
	id := uint64(t.FormatID())
	n := 1
	switch {
	case id >= 1<<32:
		n = 9
	case id >= 1<<16:
		n = 5
	case id >= 1<<8:
		n = 3
	case id >= 1<<7:
		n = 2
	}
	b = msgpack.AppendExtHeader(b, TupleExt, n+t.Size())
	b = msgpack.AppendUint(b, id)
	return append(b, t.Data()...)
}

// readTuple reads what AppendTuple wrote.
func readTuple(b []byte) (t *tuple.Tuple, rest []byte, ok bool) {
	typ, data, rest, ok := msgpack.ReadExt(b)
	if !ok || typ != TupleExt {
		return nil, nil, false
	}
	id, data, ok := msgpack.ReadUint(data)
	if !ok || msgpack.TypeOf(first(data)) != msgpack.Array {
		return nil, nil, false
	}
	if end, ok := msgpack.Skip(data); !ok || len(end) > 0 {
		return nil, nil, false
	}
	f := tuple.FormatByID(uint32(id))
	if f == nil {
		return tuple.New(data), rest, true
	}
	return tuple.NewFormat(f, data), rest, true
}

// first returns the first byte of a value, that of an invalid one when there is none.
func first(b []byte) byte {
	if len(b) == 0 {
		return 0xc1
	}
	return b[0]
}

// onReplace fires the events of a changed tuple.
func (b *Box) onReplace(c *Ctx, sp *Space, typ uint8, old, new *tuple.Tuple) error {
	for _, e := range sp.OnReplace {
		if e == nil || e.Empty() {
			continue
		}
		run := e.Start()
		for h, ok := run.Next(); ok; h, ok = run.Next() {
			if _, _, err := b.callFunc(c, h, replaceArgs(nil, sp, typ, old, new), 4); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaceArgs makes the arguments of on_replace and before_replace handlers.
func replaceArgs(args []byte, sp *Space, typ uint8, old, new *tuple.Tuple) []byte {
	args = AppendTuple(args, old)
	args = AppendTuple(args, new)
	args = msgpack.AppendString(args, sp.Name)
	return msgpack.AppendString(args, typeName(typ))
}

// beforeReplace finds out what the statement would do, lets the handlers change that, and makes the statement
// say what they decided: as it was when they left it, a REPLACE of what they returned, a DELETE, or nothing.
func (b *Box) beforeReplace(c *Ctx, s *statement) error {
	sp := s.space
	x, err := sp.indexByID(0)
	if err != nil {
		return err
	}
	old, new, err := b.outcome(c, s, x)
	if err != nil || old == nil && new == nil {
		return err
	}
	decided := new
	for _, e := range sp.BeforeReplace {
		if e == nil || e.Empty() {
			continue
		}
		run := e.Start()
		for h, ok := run.Next(); ok; h, ok = run.Next() {
			results, n, err := b.callFunc(c, h, replaceArgs(nil, sp, s.typ, old, decided), 4)
			if err != nil {
				return err
			}
			if n == 0 {
				continue
			}
			if msgpack.TypeOf(first(results)) == msgpack.Nil {
				decided = nil
				continue
			}
			t, _, ok := readTuple(results)
			if !ok {
				return boxerr.New(boxerr.BeforeReplaceRet)
			}
			switch {
			case decided != nil && sameData(t, decided):
			case old != nil && sameData(t, old):
				decided = old
			default:
				decided = t
			}
		}
	}
	switch {
	case decided == new:
	case decided == old:
		s.typ = typeNop
	case decided == nil:
		c.key = x.KeyDef.ExtractKey(c.key[:0], old)
		s.typ, s.index, s.key = typeDelete, 0, append([]byte(nil), c.key...)
	default:
		if old != nil && sp.Mem.Format.Check(decided.Data()) == nil && x.KeyDef.Compare(old, decided) != 0 {
			return sp.primaryKeyChanged(old, decided)
		}
		s.typ, s.tuple = typeReplace, decided.Data()
	}
	return nil
}

func sameData(a, b *tuple.Tuple) bool { return string(a.Data()) == string(b.Data()) }

// outcome returns the tuple that the statement would remove and the one it would store. Both are nil when it
// would do nothing.
func (b *Box) outcome(c *Ctx, s *statement, pk *memtx.Index) (old, new *tuple.Tuple, err error) {
	sp := s.space
	switch s.typ {
	case typeInsert, typeReplace, typeUpsert:
		new = tuple.NewFormat(sp.Mem.Format, s.tuple)
		if old, err = b.findByKeyParts(c, sp, pk, new); err != nil || s.typ != typeUpsert || old == nil {
			return old, new, err
		}
		data, _, err := tuple.Upsert(old.Data(), s.ops, s.base, sp.Mem.Format)
		if err != nil {
			return nil, nil, sp.withSpace(s.withOps(err))
		}
		return old, tuple.NewFormat(sp.Mem.Format, data), nil
	}
	x, err := sp.indexByID(s.index)
	if err != nil {
		return nil, nil, err
	}
	if old, err = b.findExact(c, sp, x, s.key); err != nil || old == nil || s.typ == typeDelete {
		return old, nil, err
	}
	data, _, err := tuple.Update(old.Data(), s.ops, s.base, sp.Mem.Format)
	if err != nil {
		return nil, nil, sp.withIndex(x, s.withOps(err))
	}
	return old, tuple.NewFormat(sp.Mem.Format, data), nil
}

// findByKeyParts returns the stored tuple with the primary key of t, of which only the key was not checked yet
// either: the rest of the tuple may be what a trigger is there to mend.
func (b *Box) findByKeyParts(c *Ctx, sp *Space, pk *memtx.Index, t *tuple.Tuple) (*tuple.Tuple, error) {
	if err := pk.KeyDef.ValidateTuple(t.Data()); err != nil {
		if wrong := sp.Mem.Format.Check(t.Data()); wrong != nil {
			err = wrong
		}
		return nil, sp.withTuple(t.Data(), err)
	}
	return b.findByTuple(c, sp, pk, t.Data()), nil
}

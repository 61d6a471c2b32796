package box

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// Insert puts a new tuple into a space and returns it. It fails with TUPLE_FOUND when its key is taken. The
// tuple is nil when a before_replace trigger kept it back.
func (b *Box) Insert(c *Ctx, space uint32, data []byte) (*tuple.Tuple, error) {
	return b.execute(c, OpInsert, space, statement{typ: typeInsert, tuple: data})
}

// Replace puts a tuple into a space, in the place of the one with its primary key if there is one, and returns it.
func (b *Box) Replace(c *Ctx, space uint32, data []byte) (*tuple.Tuple, error) {
	return b.execute(c, OpReplace, space, statement{typ: typeReplace, tuple: data})
}

// Update changes the tuple with the given key of a unique index by operations and returns it as it is then, nil
// when there is none. base is the number that the operations give the first field.
func (b *Box) Update(c *Ctx, space, index uint32, key, ops []byte, base int) (*tuple.Tuple, error) {
	b.searching(c, space, index, key)
	return b.execute(c, OpUpdate, space, statement{typ: typeUpdate, index: index, key: key, ops: ops, base: base})
}

// Upsert puts a tuple into a space or, when its primary key is taken, runs the operations on the tuple that is there.
func (b *Box) Upsert(c *Ctx, space uint32, data, ops []byte, base int) error {
	_, err := b.execute(c, OpUpsert, space, statement{typ: typeUpsert, tuple: data, ops: ops, base: base})
	return err
}

// Delete removes the tuple with the given key of a unique index and returns it, nil when there was none.
func (b *Box) Delete(c *Ctx, space, index uint32, key []byte) (*tuple.Tuple, error) {
	b.searching(c, space, index, key)
	return b.execute(c, OpDelete, space, statement{typ: typeDelete, index: index, key: key})
}

// execute runs a statement in the open transaction of c or in one of its own.
func (b *Box) execute(c *Ctx, op Op, space uint32, s statement) (result *tuple.Tuple, err error) {
	if s.space = b.catalog.written; s.space == nil || s.space.ID != space {
		if s.space, err = b.spaceByID(space); err != nil {
			return nil, err
		}
		b.catalog.written = s.space
	}
	if !s.space.Mem.Temporary && !s.space.Mem.Local && !b.describesTemporary(&s) {
		if err := b.CheckWritable(); err != nil {
			return nil, err
		}
	}
	b.Stat.Count(op)
	if err := c.CheckSpace(s.space, Write); err != nil {
		return nil, err
	}
	auto := c.Txn == nil
	if auto {
		b.begin(c)
	}
	if result, err = b.runStatement(c, &s); err != nil {
		if auto {
			b.abort(c)
		}
		return nil, err
	}
	if auto {
		if err := b.commit(c); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// runStatement runs a statement in c.Txn: with all of its effects or, when it fails, with none.
func (b *Box) runStatement(c *Ctx, s *statement) (*tuple.Tuple, error) {
	txn := c.Txn
	if err := b.usable(txn); err != nil {
		return nil, err
	}
	if txn.Depth() >= memtx.MaxNesting {
		return nil, boxerr.New(boxerr.SubStmtMax)
	}
	txn.Touched = true
	if txn.Concurrent() {
		if err := b.enterWrite(txn, s.space); err != nil {
			return nil, err
		}
	}
	txn.Begin()
	result, err := b.change(c, s)
	if s.scratch != nil {
		c.data = s.scratch
	}
	if err != nil {
		txn.Undo()
		return nil, err
	}
	txn.Commit()
	return result, nil
}

// change does what the statement says and returns the answer to it.
func (b *Box) change(c *Ctx, s *statement) (*tuple.Tuple, error) {
	sp := s.space
	if sp.Virtual != nil {
		return b.changeVirtual(c, s)
	}
	if sp.Options.View {
		return nil, boxerr.New(boxerr.ViewIsRO, sp.Name)
	}
	if s.typ == typeInsert || s.typ == typeReplace {
		if sp.Sequence != nil && !b.recovering {
			if err := b.fillFromSequence(c, s); err != nil {
				return nil, err
			}
		}
		if len(sp.Defaults) > 0 {
			if err := b.fillDefaults(c, s); err != nil {
				return nil, err
			}
		}
	} else if s.typ == typeUpsert && len(sp.Defaults) > 0 {
		if err := b.fillDefaults(c, s); err != nil {
			return nil, err
		}
	}
	event := s.typ
	if !b.recovering && b.hasTriggers(sp, &sp.BeforeReplace) {
		if err := b.beforeReplace(c, s); err != nil {
			return nil, err
		}
	}
	switch s.typ {
	case typeInsert:
		return b.put(c, s, event, index.InsertOnly)
	case typeReplace:
		return b.put(c, s, event, index.ReplaceOrInsert)
	case typeUpdate:
		return b.update(c, s, event)
	case typeUpsert:
		return nil, b.upsert(c, s, event)
	case typeDelete:
		return b.remove(c, s, event)
	}
	b.nothing(c, s)
	return nil, nil
}

// nothing records a statement that changes no tuple. The journal gets it all the same.
func (b *Box) nothing(c *Ctx, s *statement) {
	c.Txn.Nothing(s.space.Mem)
	b.log(c, s, nil)
}

// put is INSERT and REPLACE.
func (b *Box) put(c *Ctx, s *statement, event uint8, mode index.Mode) (*tuple.Tuple, error) {
	t, err := b.newTuple(c, s.space, s.tuple)
	if err != nil {
		return nil, err
	}
	if _, err := s.space.indexByID(0); err != nil {
		return nil, err
	}
	return t, b.apply(c, s, event, nil, t, mode)
}

// remove is DELETE.
func (b *Box) remove(c *Ctx, s *statement, event uint8) (*tuple.Tuple, error) {
	x, err := s.space.indexByID(s.index)
	if err != nil {
		return nil, err
	}
	old, err := b.findExact(c, s.space, x, s.key)
	if err != nil {
		return nil, err
	}
	if old == nil {
		b.nothing(c, s)
		return nil, nil
	}
	return old, b.apply(c, s, event, old, nil, index.InsertOnly)
}

// findExact looks a tuple up by the whole key of a unique index.
func (b *Box) findExact(c *Ctx, sp *Space, x *memtx.Index, key []byte) (*tuple.Tuple, error) {
	parts, n, err := sp.exactKey(x, key)
	if err != nil {
		return nil, err
	}
	return sp.Mem.Get(c.Txn, x, parts, n), nil
}

// maxRoom is how large a tuple may be whose memory is kept for the next one that is updated, in bytes.
const maxRoom = 64 << 10

// update is UPDATE. The operations are not looked at when there is no tuple.
func (b *Box) update(c *Ctx, s *statement, event uint8) (*tuple.Tuple, error) {
	sp := s.space
	x, err := sp.indexByID(s.index)
	if err != nil {
		return nil, err
	}
	old, err := b.findExact(c, sp, x, s.key)
	if err != nil {
		return nil, err
	}
	if old == nil {
		b.nothing(c, s)
		return nil, nil
	}
	room := b.room
	b.room = nil // a constraint may come here again
	data, changed, err := tuple.AppendUpdate(room[:0], old.Data(), s.ops, s.base, sp.Mem.Format)
	if err != nil {
		return nil, sp.withIndex(x, s.withOps(err))
	}
	var t *tuple.Tuple
	if err = sp.Mem.Format.CheckUpdated(data, changed); err != nil {
		err = sp.withTuple(data, err)
	} else {
		t, err = b.makeTuple(c, sp, data)
	}
	if cap(data) <= maxRoom {
		b.room = data
	}
	if err != nil {
		if e := boxerr.From(err); e.Code != boxerr.MemtxMaxTupleSize && e.Type == "ClientError" {
			_ = e.With("index", x.Name).With("index_id", uint64(x.ID))
		}
		return nil, err
	}
	if pk := sp.Mem.Primary(); pk.KeyDef.Reads(changed) && pk.KeyDef.Compare(old, t) != 0 {
		if other := b.findByTuple(c, sp, pk, t.Data()); other != nil {
			return nil, boxerr.New(boxerr.TupleFound, pk.Name, sp.Name, other, t)
		}
		return nil, sp.primaryKeyChanged(old, t)
	}
	return t, b.apply(c, s, event, old, t, index.InsertOnly)
}

func (sp *Space) primaryKeyChanged(old, new *tuple.Tuple) error {
	return boxerr.New(boxerr.CantUpdatePrimaryKey, sp.Name, uint64(sp.ID), old, new)
}

// upsert is UPSERT. Operations that cannot be done are skipped, and so is a change of the primary key.
func (b *Box) upsert(c *Ctx, s *statement, event uint8) error {
	sp := s.space
	x, err := sp.indexByID(0)
	if err != nil {
		return err
	}
	if err := sp.Mem.Format.Check(s.tuple); err != nil {
		return sp.withTuple(s.tuple, err)
	}
	old := b.findByTuple(c, sp, x, s.tuple)
	if old == nil {
		if err := tuple.CheckOps(s.ops, s.base, sp.Mem.Format); err != nil {
			return sp.withSpace(s.withOps(err))
		}
		t, err := b.newTuple(c, sp, s.tuple)
		if err != nil {
			return err
		}
		return b.apply(c, s, event, nil, t, index.InsertOnly)
	}
	data, _, err := tuple.Upsert(old.Data(), s.ops, s.base, sp.Mem.Format)
	if err != nil {
		return sp.withSpace(s.withOps(err))
	}
	t, err := b.newTuple(c, sp, data)
	if err != nil {
		return err
	}
	if x.KeyDef.Compare(old, t) != 0 {
		b.nothing(c, s)
		return nil
	}
	return b.apply(c, s, event, old, t, index.InsertOnly)
}

// findByTuple returns the stored tuple that has the primary key of the given data, which fits the format.
func (b *Box) findByTuple(c *Ctx, sp *Space, pk *memtx.Index, data []byte) *tuple.Tuple {
	c.key = pk.KeyDef.AppendKey(c.key[:0], data, 0)
	return sp.Mem.Get(c.Txn, pk, c.key, len(pk.KeyDef.Parts))
}

// apply changes the indexes, then does what hangs on a change: foreign keys that lead here, the row for the
// journal, the catalog, triggers. event is the type that triggers are told.
func (b *Box) apply(c *Ctx, s *statement, event uint8, old, new *tuple.Tuple, mode index.Mode) error {
	sp := s.space
	old, err := c.Txn.Apply(sp.Mem, old, new, mode)
	if err != nil {
		return err
	}
	if c.Txn.Concurrent() && (len(sp.ReferencedBy) > 0 || b.hasTriggers(sp, &sp.OnReplace)) {
		c.Txn.Observe()
	}
	if old != nil && len(sp.ReferencedBy) > 0 && !b.recovering {
		if err := b.checkReferences(c, sp, old, new); err != nil {
			return err
		}
	}
	b.log(c, s, old)
	if sp.System != nil {
		if err := sp.System(c, old, new); err != nil {
			return err
		}
	}
	if b.hasTriggers(sp, &sp.OnReplace) {
		return b.onReplace(c, sp, event, old, new)
	}
	return nil
}

// log gives the statement recorded last its row for the journal. Through whatever index a tuple was found, the
// row names it by its primary key.
func (b *Box) log(c *Ctx, s *statement, old *tuple.Tuple) {
	if s.space.Mem.Temporary || b.describesTemporary(s) {
		return
	}
	txn := c.Txn
	i := txn.Last()
	buf := txn.LogStart(i, s.typ)
	if s.typ == typeNop || b.Journal == nil {
		txn.LogEnd(i, buf)
		return
	}
	key, index := s.key, s.index
	if old != nil && index != 0 {
		c.key = s.space.Mem.Primary().KeyDef.ExtractKey(c.key[:0], old)
		key, index = c.key, 0
	}
	fields := 2
	if s.typ == typeUpdate || s.typ == typeUpsert {
		fields++
		if s.base != 0 {
			fields++
		}
	}
	if index != 0 {
		fields++
	}
	buf = msgpack.AppendMapHeader(buf, fields)
	buf = append(buf, keySpace)
	buf = msgpack.AppendUint(buf, uint64(s.space.ID))
	if index != 0 {
		buf = append(buf, keyIndex)
		buf = msgpack.AppendUint(buf, uint64(index))
	}
	if s.base != 0 && (s.typ == typeUpdate || s.typ == typeUpsert) {
		buf = append(buf, keyIndexBase)
		buf = msgpack.AppendInt(buf, int64(s.base))
	}
	switch s.typ {
	case typeInsert, typeReplace:
		buf = append(append(buf, keyTuple), s.tuple...)
	case typeUpdate:
		buf = append(append(buf, keyKey), key...)
		buf = append(append(buf, keyTuple), s.ops...)
	case typeDelete:
		buf = append(append(buf, keyKey), key...)
	case typeUpsert:
		buf = append(append(buf, keyOps), s.ops...)
		buf = append(append(buf, keyTuple), s.tuple...)
	}
	txn.LogEnd(i, buf)
}

// changeVirtual runs a statement on a space without data of its own.
func (b *Box) changeVirtual(c *Ctx, s *statement) (*tuple.Tuple, error) {
	if s.typ != typeUpdate {
		return nil, s.space.Virtual.Refuse(s.space, typeName(s.typ))
	}
	x, err := s.space.indexByID(s.index)
	if err != nil {
		return nil, err
	}
	parts, n, err := s.space.exactKey(x, s.key)
	if err != nil {
		return nil, err
	}
	return s.space.Virtual.Update(c, x, parts, n, s.ops, s.base)
}

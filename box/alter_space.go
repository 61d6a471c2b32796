package box

import (
	"bytes"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// onSpaceRow creates, changes or drops a space.
func (b *Box) onSpaceRow(c *Ctx, old, new *tuple.Tuple) error {
	if new == nil {
		return b.dropSpaceRow(c, b.catalog.spaces[uint32(rowUint(old, spaceFieldID))])
	}
	s := b.catalog.spaces[uint32(rowUint(new, spaceFieldID))]
	if s == nil {
		return b.createSpaceRow(c, new)
	}
	return b.alterSpaceRow(c, s, new)
}

func (b *Box) createSpaceRow(c *Ctx, row *tuple.Tuple) error {
	d, err := decodeSpace(row, boxerr.CreateSpace)
	if err != nil {
		return err
	}
	if err := c.checkDDL(SpaceObject, d.id, d.name, d.owner, Create); err != nil {
		return err
	}
	if err := checkEngine(d); err != nil {
		return err
	}
	s := &Space{Mem: new(memtx.Space)}
	c.Txn.OnStatementRollback(func() {
		b.detachKeys(s)
		b.forgetSpace(s)
	})
	if err := b.define(s, d); err != nil {
		return err
	}
	b.enterSpace(s)
	return nil
}

// checkEngine refuses engines that do not exist, or that do not exist here.
func checkEngine(d *spaceDef) error {
	switch d.engine {
	case engineMemtx:
		return nil
	case engineSysview, engineService, engineBlackhole:
		if IsSystem(d.id) {
			return nil
		}
		return boxerr.New(boxerr.Unsupported, "Lycosa", "engine '"+d.engine+"' for user spaces")
	case "vinyl":
		return boxerr.New(boxerr.Unsupported, "Lycosa", "engine 'vinyl'")
	}
	return boxerr.New(boxerr.NoSuchEngine, d.engine)
}

// enterSpace makes a space known.
func (b *Box) enterSpace(s *Space) {
	b.catalog.spaces[s.ID] = s
	b.catalog.written = nil
	if IsSystem(s.ID) {
		s.System = b.systemHook(s.ID)
		s.Virtual = b.virtual(s.ID)
	}
	b.renamed(s, s.Name)
	b.adoptKeys(s)
	b.attachKeys(s)
	b.spaceChanged(s.ID)
}

// forgetSpace takes a space out of the catalog.
func (b *Box) forgetSpace(s *Space) {
	if b.catalog.spaces[s.ID] != s {
		return
	}
	delete(b.catalog.spaces, s.ID)
	b.catalog.written = nil
	if b.catalog.spacesByName[s.Name] == s {
		delete(b.catalog.spacesByName, s.Name)
	}
	b.spaceChanged(s.ID)
}

func (b *Box) dropSpaceRow(c *Ctx, s *Space) error {
	if err := c.checkDDL(SpaceObject, s.ID, s.Name, s.Owner, Drop); err != nil {
		return err
	}
	refuse := func(why string) error { return boxerr.New(boxerr.DropSpace, s.Name, why) }
	switch {
	case len(s.indexes) > 0:
		return refuse("the space has indexes")
	case b.hasGrants(SpaceObject, s.ID):
		return refuse("the space has grants")
	case b.hasRows(TruncateID, 0, uint64(s.ID)):
		return refuse("the space has truncate record")
	}
	if err := s.checkPinned(); err != nil {
		return err
	}
	c.Txn.OnStatementRollback(func() { b.enterSpace(s) })
	b.detachKeys(s)
	b.forgetSpace(s)
	return nil
}

// checkPinned refuses to take away what foreign keys of other spaces lead to.
func (s *Space) checkPinned() error {
	for _, k := range s.ReferencedBy {
		if k.Child != s {
			return boxerr.New(boxerr.AlterSpace, s.Name, "space is referenced by foreign key")
		}
	}
	return nil
}

func (b *Box) alterSpaceRow(c *Ctx, s *Space, row *tuple.Tuple) error {
	d, err := decodeSpace(row, boxerr.AlterSpace)
	if err != nil {
		return err
	}
	if err := c.checkDDL(SpaceObject, d.id, d.name, d.owner, Alter); err != nil {
		return err
	}
	refuse := func(why string) error { return boxerr.New(boxerr.AlterSpace, s.Name, why) }
	was := &s.Options
	known := s.Definition != nil // otherwise the row is the one of a system space that was there without it
	switch {
	case known && d.engine != s.Engine:
		return refuse("can not change space engine")
	case known && d.options.Local != was.Local:
		return refuse("replication group is immutable")
	case d.options.View != was.View:
		return refuse("can not convert a space to a view and vice versa")
	case known && d.options.Temporary != was.Temporary:
		return refuse("temporariness cannot change")
	}
	if known && s.Mem.Len(nil) > 0 && d.options.DataTemporary != was.DataTemporary {
		return refuse("can not change data-temporariness on a non-empty space")
	}
	return b.revise(c, s, func() error {
		check := d.stricter(s)
		if err := b.define(s, d); err != nil {
			return err
		}
		if check {
			b.attachKeys(s)
			return b.checkTuples(c, s)
		}
		return nil
	})
}

// stricter reports whether tuples that the space takes may be refused by the new definition.
func (d *spaceDef) stricter(s *Space) bool {
	if d.fieldCount != s.FieldCount && d.fieldCount != 0 {
		return true
	}
	for _, k := range s.ForeignKeys {
		if k.Field < 0 {
			return true
		}
	}
	if len(d.constraints) > 0 || len(d.foreignKeys) > 0 {
		return true
	}
	if bytes.Equal(d.format, s.FormatRaw) {
		return false
	}
	for i := range d.fields {
		f := &d.fields[i]
		if len(f.constraints) > 0 || len(f.foreignKeys) > 0 {
			return true
		}
		if i >= len(s.fields) {
			if !f.Nullable || f.Type != tuple.Any {
				return true
			}
			continue
		}
		was := &s.fields[i]
		if !f.Type.Contains(was.Type) || was.Nullable && !f.Nullable {
			return true
		}
	}
	return false
}

// onTruncateRow empties a space.
func (b *Box) onTruncateRow(c *Ctx, old, new *tuple.Tuple) error {
	if new == nil {
		return nil // the space is about to be dropped
	}
	id := uint32(rowUint(new, 0))
	s := b.catalog.spaces[id]
	if s == nil {
		if b.recovering {
			return nil
		}
		return noSuchSpace(id)
	}
	if old == nil && b.recovering && s.Mem.Len(nil) == 0 {
		return nil
	}
	if IsSystem(id) {
		return boxerr.New(boxerr.TruncateSystemSpace, s.Name)
	}
	if !b.recovering {
		if err := c.CheckSpace(s, Write); err != nil {
			return err
		}
	}
	if err := s.checkPinned(); err != nil {
		return err
	}
	mem := *s.Mem
	c.Txn.OnStatementRollback(func() { s.Mem.Restore(&mem) })
	s.Mem.Indexes = emptied(mem.Indexes)
	s.Mem.SetBytes(0)
	return nil
}

// describesTemporary reports whether the statement is about the definition of a space of type 'temporary', which is
// not kept either: it is neither journaled nor refused to a read-only instance.
func (b *Box) describesTemporary(s *statement) bool {
	if !defines(s.space.ID) {
		return false
	}
	data := s.tuple
	if data == nil {
		data = s.key
	}
	id, _, ok := msgpack.ReadUint(tuple.Field(data, 0))
	if !ok {
		return false
	}
	if known := b.catalog.spaces[uint32(id)]; known != nil {
		return known.Options.Temporary
	}
	flags := tuple.Field(data, spaceFieldFlags)
	return s.space.ID == SpaceID && flags != nil && isTemporary(flags)
}

// defines reports whether the rows of a system space begin with the number of the space that they belong to.
func defines(space uint32) bool {
	switch space {
	case SpaceID, IndexID, TruncateID, SpaceSequenceID, FuncIndexID:
		return true
	}
	return false
}

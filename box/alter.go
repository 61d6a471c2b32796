package box

import (
	"fmt"
	"math"
	"slices"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// revise runs change on a space. When the statement is undone the space is what it was before. The space keeps its
// identity: whoever points to it sees the change.
func (b *Box) revise(c *Ctx, s *Space, change func() error) error {
	before, mem := *s, *s.Mem
	keepNames := func() {}
	b.detachKeys(s)
	c.Txn.OnStatementRollback(func() {
		keepNames()
		b.detachKeys(s)
		references, name := s.ReferencedBy, s.Name
		if slices.Equal(mem.Indexes, s.Mem.Indexes) {
			mem.SetBytes(s.Mem.Bytes())
		}
		s.Mem.Restore(&mem)
		*s = before
		s.ReferencedBy = references
		b.renamed(s, name)
		b.attachKeys(s)
		b.spaceChanged(s.ID)
	})
	name := s.Name
	err := change()
	if err == nil {
		if s.Mem.Format != mem.Format && s.Mem.Len(nil) > 0 {
			keepNames = tuple.Renamed(mem.Format, s.Mem.Format)
		}
		b.renamed(s, name)
		b.attachKeys(s)
		b.spaceChanged(s.ID)
	}
	return err
}

// renamed enters the space under its name and takes it out under the one that it had.
func (b *Box) renamed(s *Space, was string) {
	if was != s.Name && b.catalog.spacesByName[was] == s {
		delete(b.catalog.spacesByName, was)
	}
	b.catalog.spacesByName[s.Name] = s
	s.Mem.Rename(s.Name)
	b.bindEvents(s)
}

// define gives the space what its row says, and a format that goes with its indexes.
func (b *Box) define(s *Space, d *spaceDef) error {
	s.ID, s.Name, s.Owner, s.Engine = d.id, d.name, d.owner, d.engine
	s.FieldCount, s.Options, s.FormatRaw, s.Definition = d.fieldCount, d.options, d.format, d.row
	s.fields = d.fields
	if s.formatOwner == "" {
		s.formatOwner = fmt.Sprintf("%p %d ", b, d.id)
	}
	s.Mem.ID, s.Mem.Name = d.id, d.name
	s.Mem.Local = d.options.Local
	s.Mem.Temporary = d.options.Temporary || d.options.DataTemporary
	s.Mem.Sync = d.options.Sync
	s.Defaults, s.Constraints, s.ForeignKeys = nil, nil, nil
	for i := range d.fields {
		f := &d.fields[i]
		if f.defaultValue != nil || f.defaultFunc != 0 {
			def := Default{Field: i, Value: f.defaultValue}
			if f.defaultFunc != 0 {
				fn, err := b.defaultFunc(f.defaultFunc)
				if err != nil {
					return err
				}
				def.Func = fn
			}
			s.Defaults = append(s.Defaults, def)
		}
		if err := b.addConstraints(s, f.constraints); err != nil {
			return err
		}
		b.addForeignKeys(s, f.foreignKeys)
	}
	if err := b.addConstraints(s, d.constraints); err != nil {
		return err
	}
	b.addForeignKeys(s, d.foreignKeys)
	return s.setFormat(s.Mem.Indexes)
}

// setFormat makes the format that the fields and the keys of the given indexes ask for.
func (s *Space) setFormat(indexes []*memtx.Index) error {
	fields := make([]tuple.FieldDef, len(s.fields))
	for i := range s.fields {
		fields[i] = s.fields[i].FieldDef
		if s.fields[i].defaultValue != nil || s.fields[i].defaultFunc != 0 {
			fields[i].Default = true
		}
	}
	var keys []*tuple.KeyDef
	for _, x := range indexes {
		if x.Def().Keys == nil {
			keys = append(keys, x.KeyDef)
		}
	}
	f, err := tuple.NewFormatIn(s.formatOwner, fields, int(s.FieldCount), keys)
	if err != nil {
		return err
	}
	s.Mem.Format = f
	return nil
}

// setIndexes gives the space the indexes that defs, ordered by number, describe. Those whose order does not change
// are kept, the others are built from the tuples that are there.
func (b *Box) setIndexes(c *Ctx, s *Space, defs []*indexDef) error {
	var pk *indexDef
	movedKey := false
	if len(defs) > 0 && defs[0].id == 0 {
		pk = defs[0]
		was := s.index(0)
		movedKey = was != nil && !sameParts(was.key, pk.key)
	}
	var indexes, fresh []*memtx.Index
	for _, d := range defs {
		was := s.index(d.id)
		old := s.Mem.Index(d.id)
		if old != nil && !movedKey && was.sameOrder(d) {
			if old.Name != d.name {
				b.renameIndex(c, old, d.name)
			}
			indexes = append(indexes, old)
			continue
		}
		def, err := b.newIndexDef(s, d, pk)
		if err != nil {
			return err
		}
		if def == nil { // its function is yet to come
			continue
		}
		x := memtx.NewIndex(d.id, def)
		indexes, fresh = append(indexes, x), append(fresh, x)
	}
	if err := s.setFormat(indexes); err != nil {
		return err
	}
	s.Mem.PrimaryOnly = b.putOffIndexes(s.ID)
	if s.Mem.PrimaryOnly && len(fresh) > 0 {
		fresh = slices.DeleteFunc(fresh, func(x *memtx.Index) bool { return x.ID != 0 })
	}
	if s.Mem.Len(nil) > 0 && len(fresh) > 0 {
		if err := c.checkBuild("index build"); err != nil {
			return err
		}
		if err := b.build(s, fresh); err != nil {
			return err
		}
	}
	if len(indexes) == 0 {
		s.Mem.SetBytes(0)
	}
	s.Mem.Indexes, s.indexes = indexes, defs
	return nil
}

// build fills indexes with the tuples of the space.
func (b *Box) build(s *Space, indexes []*memtx.Index) error {
	tuples, err := s.tuples()
	if err != nil {
		return err
	}
	for _, t := range tuples {
		if err := s.Mem.Format.Check(t.Data()); err != nil {
			return err
		}
	}
	for _, x := range indexes {
		if err := x.BulkLoad(slices.Clone(tuples)); err != nil {
			return err
		}
	}
	return nil
}

// tuples returns all tuples in the order of the primary index.
func (s *Space) tuples() ([]*tuple.Tuple, error) {
	x := s.Mem.Primary()
	return x.Select(make([]*tuple.Tuple, 0, x.Len()), index.ALL, nil, 0, nil, 0, math.MaxInt)
}

// checkTuples checks all tuples against the format, the constraints and the foreign keys of the space.
func (b *Box) checkTuples(c *Ctx, s *Space) error {
	if s.Mem.Len(nil) == 0 || b.recovering {
		return nil
	}
	if err := c.checkBuild("space format check"); err != nil {
		return err
	}
	tuples, err := s.tuples()
	if err != nil {
		return err
	}
	for _, t := range tuples {
		if err := s.Mem.Format.Check(t.Data()); err != nil {
			return err
		}
		if len(s.Constraints) > 0 || len(s.ForeignKeys) > 0 {
			if err := b.checkConstraints(c, s, t.Data()); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkBuild refuses what walks over all tuples in a transaction that has changed data before.
func (c *Ctx) checkBuild(what string) error {
	for i := range c.Txn.Len() {
		if !IsSystem(c.Txn.Stmt(i).Space.ID) {
			return boxerr.New(boxerr.MultistatementTransaction, what)
		}
	}
	return nil
}

// newIndexDef makes what an index is built of. It is nil while the function of a functional index is unknown.
func (b *Box) newIndexDef(s *Space, d, pk *indexDef) (*index.Def, error) {
	def := &index.Def{
		Type: d.typ, Name: d.name, Space: s.Name, Engine: s.Engine, Unique: d.unique, KeyDef: d.key, CmpDef: d.key,
		Dimension: int(d.dimension), Distance: d.distance,
	}
	if d.fn != 0 {
		fn, err := b.indexFunc(d.fn)
		if fn == nil || err != nil {
			return nil, err
		}
		def.Keys = b.functionalKeys(s, d, fn)
		def.CmpDef, err = index.FunctionalCmpDef(d.key, pk.key, d.unique)
		return def, err
	}
	if d.id != 0 && pk != nil {
		if d.unique {
			def.CmpDef = d.key.MergeUnique(pk.key)
		} else {
			def.CmpDef = d.key.Merge(pk.key)
		}
	}
	return def, nil
}

// emptied returns empty indexes of the same definitions.
func emptied(indexes []*memtx.Index) []*memtx.Index {
	fresh := make([]*memtx.Index, len(indexes))
	for i, x := range indexes {
		def := *x.Def()
		fresh[i] = memtx.NewIndex(x.ID, &def)
	}
	return fresh
}

func (b *Box) renameIndex(c *Ctx, x *memtx.Index, name string) {
	was := x.Name
	x.Rename(name)
	c.Txn.OnStatementRollback(func() { x.Rename(was) })
}

// index returns the definition of an index, nil when there is none.
func (s *Space) index(id uint32) *indexDef {
	for _, d := range s.indexes {
		if d.id == id {
			return d
		}
	}
	return nil
}

// sameOrder reports whether an index of definition d needs no change to become one of definition e.
func (d *indexDef) sameOrder(e *indexDef) bool {
	return d != nil && d.typ == e.typ && d.unique == e.unique && d.fn == e.fn && d.dimension == e.dimension &&
		d.distance == e.distance && sameParts(d.key, e.key)
}

func sameParts(a, b *tuple.KeyDef) bool {
	return slices.EqualFunc(a.Parts, b.Parts, func(p, q tuple.KeyPart) bool {
		return tuple.SamePart(p, q) && p.Type == q.Type && p.Nullable == q.Nullable &&
			p.ExcludeNull == q.ExcludeNull && p.Desc == q.Desc
	})
}

// appendUint appends a number as MessagePack.
func appendUint(b []byte, v uint64) []byte { return msgpack.AppendUint(b, v) }

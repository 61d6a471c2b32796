package box

import (
	"cmp"
	"slices"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/tuple"
)

// onIndexRow creates, changes or drops an index.
func (b *Box) onIndexRow(c *Ctx, old, new *tuple.Tuple) error {
	row := new
	if row == nil {
		row = old
	}
	spaceID, id := uint32(rowUint(row, indexFieldSpace)), uint32(rowUint(row, indexFieldID))
	s := b.catalog.spaces[spaceID]
	if s == nil {
		return noSuchSpace(spaceID)
	}
	if s.Options.View {
		return boxerr.New(boxerr.AlterSpace, s.Name, "can not add index on a view")
	}
	right := Alter
	switch {
	case old == nil:
		right = Create
	case new == nil:
		right = Drop
	}
	if err := c.checkDDL(SpaceObject, s.ID, s.Name, s.Owner, right); err != nil {
		return err
	}
	if id == 0 && new == nil {
		if err := s.checkDropPrimary(b.recovering || b.catalog.upgrading); err != nil {
			return err
		}
	}
	if id != 0 && s.index(0) == nil {
		return boxerr.New(boxerr.AlterSpace, s.Name, "can not add a secondary key before primary")
	}
	var d *indexDef
	if new != nil {
		var err error
		if d, err = decodeIndex(new, s, s.fields); err != nil {
			return err
		}
		if d.fn != 0 {
			if _, err := b.indexFunc(d.fn); err != nil {
				return err
			}
		}
		if id == 0 && s.Sequence != nil {
			if err := s.checkSequencePart(d, s.SequenceField, s.SequencePath); err != nil {
				return err
			}
		}
	}
	return b.revise(c, s, func() error {
		defs := slices.DeleteFunc(slices.Clone(s.indexes), func(x *indexDef) bool { return x.id == id })
		if d != nil {
			defs = append(defs, d)
			slices.SortFunc(defs, func(x, y *indexDef) int { return cmp.Compare(x.id, y.id) })
		}
		return b.setIndexes(c, s, defs)
	})
}

// checkDropPrimary refuses to drop the primary index of a space that needs it. A change of release may drop system spaces.
func (s *Space) checkDropPrimary(release bool) error {
	switch {
	case IsSystem(s.ID) && !release:
		return boxerr.New(boxerr.LastDrop, s.Name)
	case len(s.indexes) > 1:
		return boxerr.New(boxerr.DropPrimaryKey, s.Name)
	case s.Sequence != nil:
		return boxerr.New(boxerr.AlterSpace, s.Name, "can not drop primary key while space sequence exists")
	}
	return s.checkPinned()
}

// onFuncIndexRow binds an index to its function. As a rule the row of _index has done so already; while a
// checkpoint is read the function comes after the index.
func (b *Box) onFuncIndexRow(c *Ctx, old, new *tuple.Tuple) error {
	row := new
	if row == nil {
		row = old
	}
	s := b.catalog.spaces[uint32(rowUint(row, 0))]
	if s == nil {
		return noSuchSpace(uint32(rowUint(row, 0)))
	}
	d := s.index(uint32(rowUint(row, 1)))
	if d == nil {
		if new == nil {
			return nil
		}
		return boxerr.New(boxerr.NoSuchIndexID, uint32(rowUint(row, 1)), s.Name)
	}
	if new == nil {
		return nil
	}
	fn := uint32(rowUint(row, 2))
	if d.fn != fn {
		return boxerr.New(boxerr.WrongIndexOptions, "Function ids defined in _index and _func_index don't match")
	}
	if s.Mem.Index(d.id) != nil {
		return nil
	}
	return b.revise(c, s, func() error { return b.setIndexes(c, s, s.indexes) })
}

// IndexFunc returns the function of a functional index, nil for other indexes.
func (b *Box) IndexFunc(s *Space, id uint32) *Func {
	if d := s.index(id); d != nil && d.fn != 0 {
		return b.catalog.funcs[d.fn]
	}
	return nil
}

// IndexHint reports whether the index of a space was asked to keep hints, and whether it was asked at all.
func (s *Space) IndexHint(id uint32) (hint, asked bool) {
	if d := s.index(id); d != nil {
		return d.hint, d.hintAsked
	}
	return false, false
}

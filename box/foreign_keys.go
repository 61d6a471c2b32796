package box

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

func (b *Box) checkFieldForeignKeys(c *Ctx, sp *Space, data []byte) error {
	for _, fk := range sp.ForeignKeys {
		if fk.Field < 0 {
			continue
		}
		v := tuple.Field(data, fk.Field)
		if v == nil || msgpack.TypeOf(v[0]) == msgpack.Nil {
			continue
		}
		if reason := b.lookUpForeign(c, fk, data); reason != "" {
			e := boxerr.New(boxerr.FieldForeignKeyFailed, fk.Name, fieldName(sp, fk.Field), reason, uint64(fk.Field))
			return sp.withTuple(data, e)
		}
	}
	return nil
}

func (b *Box) checkTupleForeignKeys(c *Ctx, sp *Space, data []byte) error {
	for _, fk := range sp.ForeignKeys {
		if fk.Field >= 0 {
			continue
		}
		if reason := b.lookUpForeign(c, fk, data); reason != "" {
			return sp.withTuple(data, boxerr.New(boxerr.ComplexForeignKeyFailed, fk.Name, reason))
		}
	}
	return nil
}

// lookUpForeign returns why the tuple that a foreign key leads to was not found, "" when it was.
func (b *Box) lookUpForeign(c *Ctx, fk *ForeignKey, data []byte) string {
	parent := fk.Child
	if fk.ParentID != 0 {
		parent = b.catalog.spaces[fk.ParentID]
	}
	if parent == nil {
		return "foreign space was not found"
	}
	x, order := parent.indexOver(fk.ParentFields, true)
	if x == nil {
		return "foreign index was not found"
	}
	key := c.ref[:0]
	for _, i := range order {
		v := tuple.Field(data, fk.ChildFields[i])
		if v == nil || fk.ChildFields[i] < 0 {
			return "extract key failed"
		}
		key = append(key, v...)
	}
	c.ref = key
	if x.KeyDef.ValidateKey(key, len(order), false) != nil {
		return "wrong key type"
	}
	if parent.Mem.Get(c.Txn, x, key, len(order)) == nil {
		return "foreign tuple was not found"
	}
	return ""
}

// indexOver finds an index whose first parts are the given fields in any order. A unique one must have no
// other parts. order[i] is the place in fields of the index's part i.
func (sp *Space) indexOver(fields []int, unique bool) (x *memtx.Index, order []int) {
next:
	for _, x := range sp.Mem.Indexes {
		parts := x.KeyDef.Parts
		if len(parts) < len(fields) || unique && (!x.Unique || len(parts) != len(fields)) || x.Type == index.Bitset || x.Type == index.RTree {
			continue
		}
		if !unique && x.Type == index.Hash && len(parts) != len(fields) {
			continue
		}
		order = order[:0]
		for _, p := range parts[:len(fields)] {
			at := -1
			for i, f := range fields {
				if f == p.Field && p.Path == "" {
					at = i
				}
			}
			if at < 0 {
				continue next
			}
			order = append(order, at)
		}
		return x, order
	}
	return nil, nil
}

// checkReferences refuses to take a tuple away to which a foreign key of another tuple leads.
func (b *Box) checkReferences(c *Ctx, sp *Space, old, new *tuple.Tuple) error {
	for _, fk := range sp.ReferencedBy {
		if new != nil && sameFields(old, new, fk.ParentFields) {
			continue
		}
		if reason := b.lookUpReference(c, fk, old); reason != "" {
			return boxerr.New(boxerr.ForeignKeyIntegrity, fk.Name, reason).With("name", fk.Name)
		}
	}
	return nil
}

func sameFields(a, b *tuple.Tuple, fields []int) bool {
	for _, f := range fields {
		if f < 0 || string(a.Field(f)) != string(b.Field(f)) {
			return false
		}
	}
	return true
}

// lookUpReference returns why a tuple of the parent space may not go, "" when it may.
func (b *Box) lookUpReference(c *Ctx, fk *ForeignKey, old *tuple.Tuple) string {
	x, order := fk.Child.indexOver(fk.ChildFields, false)
	if x == nil {
		return "index was not found"
	}
	key := c.ref[:0]
	for _, i := range order {
		v := old.Field(fk.ParentFields[i])
		if v == nil || msgpack.TypeOf(v[0]) == msgpack.Nil {
			return ""
		}
		key = append(key, v...)
	}
	c.ref = key
	if x.KeyDef.ValidateKey(key, len(order), true) != nil {
		return ""
	}
	found, err := fk.Child.Mem.Select(c.Txn, x, nil, index.EQ, key, len(order), nil, 0, 1)
	if err != nil {
		return err.Error()
	}
	if len(found) > 0 {
		return "tuple is referenced"
	}
	return ""
}

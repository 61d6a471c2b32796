package box

import (
	"strings"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// IndexSpec describes an index to be created.
type IndexSpec struct {
	// ID is the number to use; nil takes the next one.
	ID *uint32
	// Type is "tree", "hash", "bitset" or "rtree"; "" is tree.
	Type string
	// NonUnique lets several tuples have the same key. It is not looked at when Options is given.
	NonUnique bool
	// Options are the options as _index holds them, a MessagePack map.
	Options []byte
	// Keys are the parts of the key; without any it is the first field, as a number if the format does not give it
	// a type. They are not looked at when Parts is given.
	Keys []Part
	// Parts are the parts as _index holds them, a MessagePack array.
	Parts []byte
	// Func is the name of the function of a functional index. It is not looked at when Options is given.
	Func string
	// Dimension and Distance ("euclid" or "manhattan") of an RTREE. They are not looked at when Options is given.
	Dimension int
	Distance  string
	// Sequence feeds a primary key.
	Sequence *SequenceSpec
	// IfNotExists returns the number of an index that has the name already instead of the error INDEX_EXISTS.
	IfNotExists bool
}

// Part is one part of a key.
type Part struct {
	// Field is the number of the field, counted from 0. It is not looked at when Name is given.
	Field int
	// Name is the name of the field in the space's format.
	Name string
	// Type is the name of the type; "" is the one that the field has in the format.
	Type                        string
	Nullable, ExcludeNull, Desc bool
	Collation, Path             string
}

// SequenceSpec says which sequence feeds a primary key.
type SequenceSpec struct {
	// ID is the number of the sequence; 0 makes one that lives and dies with the index.
	ID uint32
	// Field is the number of the field to be filled, counted from 0, with Path leading into it; nil is the first
	// part of the key.
	Field *uint32
	Path  string
}

// CreateIndex creates an index and returns its number.
func (b *Box) CreateIndex(c *Ctx, space uint32, name string, o IndexSpec) (uint32, error) {
	s := b.SpaceByID(space)
	if s == nil {
		return 0, boxerr.New(boxerr.NoSuchSpace, "#"+itoa(int64(space)))
	}
	if x := s.Mem.IndexByName(name); x != nil {
		if o.IfNotExists {
			return x.ID, nil
		}
		return 0, boxerr.New(boxerr.IndexExists, name)
	}
	typ := o.Type
	if typ == "" {
		typ = "tree"
	}
	parts := msgpack.Raw(o.Parts)
	var err error
	if parts == nil {
		if parts, err = s.appendParts(nil, o.Keys); err != nil {
			return 0, err
		}
	}
	options := msgpack.Raw(o.Options)
	if options == nil {
		if options, err = b.indexOptions(c, &o); err != nil {
			return 0, err
		}
	}
	var id uint32
	err = b.atomic(c, func() error {
		if o.ID != nil {
			id = *o.ID
		} else if id, err = b.nextIndexID(c, space); err != nil {
			return err
		}
		change, err := b.prepareSequence(c, s, id, name, o.Sequence, false, parts)
		if err != nil {
			return err
		}
		if _, err := b.Insert(c, IndexID, encode([]any{uint64(space), uint64(id), name, typ, options, parts})); err != nil {
			return err
		}
		if err := b.attachSequence(c, change); err != nil {
			return err
		}
		return b.bindFunction(c, space, id, options, true)
	})
	return id, err
}

// nextIndexID returns the number for a new index of a space.
func (b *Box) nextIndexID(c *Ctx, space uint32) (uint32, error) {
	rows, err := b.rows(c, VIndexID, 0, key(uint64(space)))
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	return uint32(rowUint(rows[len(rows)-1], indexFieldID)) + 1, nil
}

// indexOptions returns the options that a spec asks for as _index holds them.
func (b *Box) indexOptions(c *Ctx, o *IndexSpec) (msgpack.Raw, error) {
	m := map[string]any{"unique": !o.NonUnique}
	if o.Dimension != 0 {
		m["dimension"] = o.Dimension
	}
	if o.Distance != "" {
		m["distance"] = o.Distance
	}
	if o.Func != "" {
		row, err := b.find(c, FuncID, o.Func)
		if err != nil {
			return nil, err
		}
		if row == nil {
			return nil, boxerr.New(boxerr.NoSuchFunction, o.Func)
		}
		m["func"] = rowUint(row, funcFieldID)
	}
	return msgpack.Append(nil, m)
}

// appendParts appends parts as _index holds them.
func (s *Space) appendParts(b []byte, parts []Part) ([]byte, error) {
	if len(parts) == 0 {
		parts = []Part{{}}
		if len(s.fields) == 0 || s.fields[0].Type == tuple.Any {
			parts[0].Type = "unsigned"
		}
	}
	b = msgpack.AppendArrayHeader(b, len(parts))
	for i, p := range parts {
		if p.Name != "" {
			if p.Field = s.fieldByName(p.Name); p.Field < 0 {
				return nil, boxerr.Illegal("options.parts[%d]: field was not found by name '%s'", i+1, p.Name)
			}
		}
		var known *fieldDef
		if p.Field < len(s.fields) {
			known = &s.fields[p.Field]
		}
		if p.Type == "" {
			p.Type = "scalar"
			if known != nil {
				p.Type = known.Type.String()
			}
		}
		m := map[string]any{"field": p.Field, "type": p.Type}
		if p.Nullable || p.ExcludeNull || known != nil && known.Nullable && p.Path == "" {
			m["is_nullable"] = true
		}
		if p.ExcludeNull {
			m["exclude_null"] = true
		}
		if p.Desc {
			m["sort_order"] = "desc"
		}
		if p.Path != "" {
			m["path"] = p.Path
		}
		if p.Collation != "" {
			coll := tuple.CollationByName(p.Collation)
			if coll == nil {
				return nil, boxerr.Illegal("options.parts[%d]: collation was not found by name '%s'", i+1, p.Collation)
			}
			m["collation"] = coll.ID
		} else if known != nil && known.Collation != nil && (p.Type == "string" || p.Type == "scalar") {
			m["collation"] = known.Collation.ID
		}
		var err error
		if len(m) == 2 {
			b, err = msgpack.Append(b, []any{p.Field, p.Type})
		} else {
			b, err = msgpack.Append(b, m)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// bindFunction writes, or deletes, the row of _func_index for an index with the given options.
func (b *Box) bindFunction(c *Ctx, space, id uint32, options []byte, fresh bool) error {
	d := indexDef{}
	if err := d.decodeOptions(options); err != nil {
		return err
	}
	var err error
	if !fresh {
		err = b.deleteRows(c, FuncIndexID, 0, key(uint64(space), uint64(id)))
	}
	if err == nil && d.fn != 0 {
		_, err = b.Insert(c, FuncIndexID, key(uint64(space), uint64(id), uint64(d.fn)))
	}
	return err
}

// IndexChange is what AlterIndex is to change; what is nil or "" stays.
type IndexChange struct {
	ID   *uint32
	Name *string
	Type string
	// Options are options to set, a MessagePack map.
	Options []byte
	// Parts are the parts as _index holds them.
	Parts []byte
	// Sequence feeds the primary key from now on; NoSequence takes away the one that does.
	Sequence   *SequenceSpec
	NoSequence bool
}

// AlterIndex changes the definition of an index.
func (b *Box) AlterIndex(c *Ctx, space, id uint32, o IndexChange) error {
	s := b.SpaceByID(space)
	if s == nil {
		return boxerr.New(boxerr.NoSuchSpace, "#"+itoa(int64(space)))
	}
	x := s.Mem.Index(id)
	if x == nil {
		return boxerr.New(boxerr.NoSuchIndexID, id, s.Name)
	}
	return b.atomic(c, func() error {
		if o.ID != nil && *o.ID != id || o.ID == nil && o.onlyName() {
			var ops []any
			if o.ID != nil {
				ops = append(ops, []any{"=", indexFieldID + 1, uint64(*o.ID)})
			}
			if o.Name != nil {
				ops = append(ops, []any{"=", indexFieldName + 1, *o.Name})
			}
			_, err := b.Update(c, IndexID, 0, key(uint64(space), uint64(id)), encode(ops), 1)
			return err
		}
		row, err := b.Get(c, IndexID, 0, key(uint64(space), uint64(id)))
		if err != nil {
			return err
		}
		if row == nil {
			return boxerr.New(boxerr.NoSuchIndexID, id, s.Name)
		}
		fields := rowFields(row)
		if o.Name != nil {
			fields[indexFieldName] = *o.Name
		}
		if o.Type != "" {
			fields[indexFieldType] = strings.ToLower(o.Type)
		}
		options := msgpack.Raw(row.Field(indexFieldOptions))
		if o.Options != nil {
			if options, err = mergeOptions(options, o.Options, false); err != nil {
				return err
			}
			fields[indexFieldOptions] = options
		}
		parts := msgpack.Raw(row.Field(indexFieldParts))
		if o.Parts != nil {
			parts = o.Parts
			fields[indexFieldParts] = parts
		}
		change, err := b.prepareSequence(c, s, id, x.Name, o.Sequence, o.NoSequence, parts)
		if err != nil {
			return err
		}
		if _, err := b.Replace(c, IndexID, encode(fields)); err != nil {
			return err
		}
		if err := b.attachSequence(c, change); err != nil {
			return err
		}
		if o.Options == nil {
			return nil
		}
		return b.bindFunction(c, space, id, options, false)
	})
}

// onlyName reports whether nothing but the name is to be changed.
func (o *IndexChange) onlyName() bool {
	return o.Name != nil && o.Type == "" && o.Options == nil && o.Parts == nil && o.Sequence == nil && !o.NoSequence
}

// RenameIndex gives an index another name.
func (b *Box) RenameIndex(c *Ctx, space, id uint32, name string) error {
	return b.AlterIndex(c, space, id, IndexChange{Name: &name})
}

// DropIndex drops an index, a primary one with its generated sequence. Nothing happens when there is none.
func (b *Box) DropIndex(c *Ctx, space, id uint32) error {
	return b.atomic(c, func() error {
		if id == 0 {
			if err := b.detachSequence(c, space); err != nil {
				return err
			}
		}
		k := key(uint64(space), uint64(id))
		if err := b.deleteRows(c, FuncIndexID, 0, k); err != nil {
			return err
		}
		_, err := b.Delete(c, IndexID, 0, k)
		return err
	})
}

// sequenceChange is what happens to the sequence of a space when its primary index is created or changed.
type sequenceChange struct {
	attach []byte // the new row of _space_sequence, nil for none
	drop   uint32 // the number of a generated sequence that is not needed any more, 0 for none
}

// prepareSequence detaches a sequence that is not to stay, and creates one that is to be.
func (b *Box) prepareSequence(c *Ctx, s *Space, id uint32, name string, want *SequenceSpec, none bool, parts []byte) (sequenceChange, error) {
	var change sequenceChange
	if id != 0 {
		if want != nil {
			return change, boxerr.New(boxerr.ModifyIndex, name, s.Name, "sequence cannot be used with a secondary key")
		}
		return change, nil
	}
	old, err := b.Get(c, SpaceSequenceID, 0, key(uint64(s.ID)))
	if err != nil || want == nil && !none {
		return change, err
	}
	generated := old != nil && rowBool(old, attachFieldGenerated)
	oldID := uint32(0)
	if old != nil {
		oldID = uint32(rowUint(old, attachFieldSequence))
		if _, err := b.Delete(c, SpaceSequenceID, 0, key(uint64(s.ID))); err != nil {
			return change, err
		}
	}
	if want != nil {
		seq, field, path := want.ID, uint32(0), want.Path
		if want.Field != nil {
			field = *want.Field
		} else if list, err := decodeParts(parts, s.fields); err == nil && len(list) > 0 {
			field, path = uint32(list[0].Field), list[0].Path
		}
		switch {
		case seq != 0:
		case generated:
			seq = oldID
		default:
			q, err := b.CreateSequence(c, s.Name+"_seq", SequenceOptions{})
			if err != nil {
				return change, err
			}
			seq = q.ID
		}
		change.attach = key(uint64(s.ID), uint64(seq), want.ID == 0, uint64(field), path)
		if seq == oldID {
			generated = false
		}
	}
	if generated {
		change.drop = oldID
	}
	return change, nil
}

// attachSequence does what prepareSequence prepared, once the index is what it is to be.
func (b *Box) attachSequence(c *Ctx, change sequenceChange) error {
	if change.attach != nil {
		if _, err := b.Insert(c, SpaceSequenceID, change.attach); err != nil {
			return err
		}
	}
	if change.drop != 0 {
		return b.DropSequence(c, change.drop)
	}
	return nil
}

// detachSequence takes the sequence of a space away, and drops it if it was made for the space.
func (b *Box) detachSequence(c *Ctx, space uint32) error {
	row, err := b.Get(c, SpaceSequenceID, 0, key(uint64(space)))
	if err != nil || row == nil {
		return err
	}
	if _, err := b.Delete(c, SpaceSequenceID, 0, key(uint64(space))); err != nil {
		return err
	}
	if rowBool(row, attachFieldGenerated) {
		return b.DropSequence(c, uint32(rowUint(row, attachFieldSequence)))
	}
	return nil
}

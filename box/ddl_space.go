package box

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// SpaceSpec describes a space to be created.
type SpaceSpec struct {
	// ID is the number to use; nil takes the next one.
	ID *uint32
	// Owner is the number of the owner; nil is the effective user.
	Owner *uint32
	// Engine is the name of the engine, "" for memtx.
	Engine string
	// FieldCount is how many fields each tuple must have, 0 for any number.
	FieldCount int64
	// Options are the kind of the space. They are not looked at when Flags is given.
	Options SpaceOptions
	// Flags are the options as _space holds them, a MessagePack map.
	Flags []byte
	// Fields are the format. They are not looked at when Format is given.
	Fields []Field
	// Format is the format as _space holds it, a MessagePack array of maps.
	Format []byte
	// IfNotExists returns a space that has the name already instead of the error SPACE_EXISTS.
	IfNotExists bool
}

// Field is one field of a format.
type Field struct {
	Name string
	// Type is the name of the type, "" for any.
	Type     string
	Nullable bool
	// Collation is the name of a collation, "" to compare by bytes.
	Collation string
}

// CreateSpace creates a space. It returns nil without an error when a before_replace trigger of _space kept it back.
func (b *Box) CreateSpace(c *Ctx, name string, o SpaceSpec) (*Space, error) {
	if s := b.SpaceByName(name); s != nil {
		if o.IfNotExists {
			return s, nil
		}
		return nil, boxerr.New(boxerr.SpaceExists, name)
	}
	flags := msgpack.Raw(o.Flags)
	if flags == nil {
		flags = o.Options.flags()
	}
	format := msgpack.Raw(o.Format)
	if format == nil {
		var err error
		if format, err = appendFormat(nil, o.Fields); err != nil {
			return nil, err
		}
	}
	engine, owner := o.Engine, c.User.ID
	if engine == "" {
		engine = engineMemtx
	}
	if o.Owner != nil {
		owner = *o.Owner
	}
	var id uint32
	err := b.atomic(c, func() error {
		var err error
		if o.ID != nil {
			id = *o.ID
		} else if id, err = b.nextSpaceID(c, isTemporary(flags)); err != nil {
			return err
		}
		_, err = b.Insert(c, SpaceID, encode([]any{uint64(id), uint64(owner), name, engine, o.FieldCount, flags, format}))
		return err
	})
	if err != nil {
		return nil, err
	}
	return b.SpaceByID(id), nil
}

// nextSpaceID returns the number for a new space. Spaces of type 'temporary' have numbers of their own.
func (b *Box) nextSpaceID(c *Ctx, temporary bool) (uint32, error) {
	first, last := uint32(SystemSpaceMax), uint32(TemporarySpaceMin)
	if temporary {
		first, last = TemporarySpaceMin-1, SpaceMax+1
	}
	s := b.catalog.spaces[SpaceID]
	found, err := s.Mem.Select(c.Txn, s.Mem.Primary(), nil, index.LT, appendUint(nil, uint64(last)), 1, nil, 0, 1)
	if err != nil {
		return 0, err
	}
	if len(found) == 0 {
		return first + 1, nil
	}
	return max(first, uint32(rowUint(found[0], spaceFieldID))) + 1, nil
}

// isTemporary reports whether the flags of a space say that neither data nor definition is kept.
func isTemporary(flags []byte) bool {
	d := spaceDef{}
	_, err := d.decodeFlags(flags)
	return err == nil && d.options.Temporary
}

// flags returns the options as _space holds them.
func (o *SpaceOptions) flags() msgpack.Raw {
	m := map[string]any{}
	if o.Local {
		m["group_id"] = 1
	}
	switch {
	case o.Temporary:
		m["type"] = "temporary"
	case o.DataTemporary:
		m["temporary"] = true
	}
	for name, on := range map[string]bool{"is_sync": o.Sync, "view": o.View, "defer_deletes": o.DeferDeletes} {
		if on {
			m[name] = true
		}
	}
	for name, text := range map[string]string{"sql": o.SQL, "comment": o.Comment} {
		if text != "" {
			m[name] = text
		}
	}
	raw, _ := msgpack.Append(nil, m)
	return raw
}

// appendFormat appends fields as _space holds them.
func appendFormat(b []byte, fields []Field) ([]byte, error) {
	b = msgpack.AppendArrayHeader(b, len(fields))
	for i, f := range fields {
		n := 2
		if f.Nullable {
			n++
		}
		if f.Collation != "" {
			n++
		}
		b = msgpack.AppendMapHeader(b, n)
		b = msgpack.AppendString(b, "name")
		b = msgpack.AppendString(b, f.Name)
		b = msgpack.AppendString(b, "type")
		if f.Type == "" {
			f.Type = "any"
		}
		b = msgpack.AppendString(b, f.Type)
		if f.Nullable {
			b = msgpack.AppendString(b, "is_nullable")
			b = msgpack.AppendBool(b, true)
		}
		if f.Collation != "" {
			coll := tuple.CollationByName(f.Collation)
			if coll == nil {
				return nil, boxerr.Illegal("format[%d]: collation was not found by name '%s'", i+1, f.Collation)
			}
			b = msgpack.AppendString(b, "collation")
			b = msgpack.AppendUint(b, uint64(coll.ID))
		}
	}
	return b, nil
}

// SpaceChange is what AlterSpace is to change; what is nil stays.
type SpaceChange struct {
	Name       *string
	Owner      *uint32
	FieldCount *int64
	// Flags are options to set, a MessagePack map; those that are false are removed.
	Flags []byte
	// Format is the format as _space holds it.
	Format []byte
}

// AlterSpace changes the definition of a space.
func (b *Box) AlterSpace(c *Ctx, id uint32, o SpaceChange) error {
	row, err := b.Get(c, VSpaceID, 0, key(uint64(id)))
	if err != nil {
		return err
	}
	if row == nil {
		return boxerr.New(boxerr.NoSuchSpace, "#"+itoa(int64(id)))
	}
	fields := rowFields(row)
	if o.Name != nil {
		fields[spaceFieldName] = *o.Name
	}
	if o.Owner != nil {
		fields[spaceFieldOwner] = uint64(*o.Owner)
	}
	if o.FieldCount != nil {
		fields[spaceFieldCount] = *o.FieldCount
	}
	if o.Flags != nil {
		if fields[spaceFieldFlags], err = mergeOptions(row.Field(spaceFieldFlags), o.Flags, true); err != nil {
			return err
		}
	}
	if o.Format != nil {
		fields[spaceFieldFormat] = msgpack.Raw(o.Format)
	}
	return b.atomic(c, func() error {
		_, err := b.Replace(c, SpaceID, encode(fields))
		return err
	})
}

// rowFields returns the fields of a row, to be changed and encoded.
func rowFields(row *tuple.Tuple) []any {
	fields := make([]any, row.Len())
	for i := range fields {
		fields[i] = msgpack.Raw(row.Field(i))
	}
	return fields
}

// RenameSpace gives a space another name. Nothing happens when there is no space.
func (b *Box) RenameSpace(c *Ctx, id uint32, name string) error {
	return b.atomic(c, func() error {
		_, err := b.Update(c, SpaceID, 0, key(uint64(id)), encode([]any{[]any{"=", spaceFieldName + 1, name}}), 1)
		return err
	})
}

// SetFormat gives a space another format, a MessagePack array of maps as _space holds it.
func (b *Box) SetFormat(c *Ctx, id uint32, format []byte) error {
	return b.AlterSpace(c, id, SpaceChange{Format: format})
}

// DropSpace drops a space with its indexes, rights and generated sequence. name is how the error NO_SUCH_SPACE calls
// it when it is not there; with ifExists that is no error.
func (b *Box) DropSpace(c *Ctx, id uint32, name string, ifExists bool) error {
	return b.atomic(c, func() error {
		k := key(uint64(id))
		if err := b.detachSequence(c, id); err != nil {
			return err
		}
		for _, system := range []struct{ space, index uint32 }{{TriggerID, 1}, {FKConstraintID, 1}, {CKConstraintID, 0}, {FuncIndexID, 0}} {
			if err := b.deleteRows(c, system.space, system.index, k); err != nil {
				return err
			}
		}
		indexes, err := b.rows(c, VIndexID, 0, k)
		if err != nil {
			return err
		}
		for i := len(indexes) - 1; i >= 0; i-- {
			if _, err := b.Delete(c, IndexID, 0, key(uint64(id), rowUint(indexes[i], indexFieldID))); err != nil {
				return err
			}
		}
		if err := b.revokeAll(c, SpaceObject, id); err != nil {
			return err
		}
		if _, err := b.Delete(c, TruncateID, 0, k); err != nil {
			return err
		}
		gone, err := b.Delete(c, SpaceID, 0, k)
		if err == nil && gone == nil && !ifExists {
			err = boxerr.New(boxerr.NoSuchSpace, name)
		}
		return err
	})
}

// deleteRows deletes the rows whose key of an index begins with the given one, if there are any.
func (b *Box) deleteRows(c *Ctx, space, id uint32, k []byte) error {
	s := b.catalog.spaces[space]
	if s == nil || s.Mem.Index(id) == nil {
		return nil
	}
	parts, n, err := splitKey(k)
	if err != nil {
		return err
	}
	rows, err := s.Mem.Select(c.Txn, s.Mem.Index(id), nil, index.EQ, parts, n, nil, 0, 1<<31-1)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if _, err := b.Delete(c, space, 0, s.Mem.Primary().KeyDef.ExtractKey(nil, row)); err != nil {
			return err
		}
	}
	return nil
}

// Truncate deletes all tuples of a space at once.
func (b *Box) Truncate(c *Ctx, id uint32) error {
	s, err := b.spaceByID(id)
	if err != nil {
		return err
	}
	if IsSystem(s.ID) {
		return boxerr.New(boxerr.TruncateSystemSpace, s.Name)
	}
	return b.atomic(c, func() error {
		if err := c.CheckSpace(s, Write); err != nil {
			return err
		}
		return b.asAdmin(c, func() error {
			return b.Upsert(c, TruncateID, key(uint64(id), 1), encode([]any{[]any{"+", 1, 1}}), 0)
		})
	})
}

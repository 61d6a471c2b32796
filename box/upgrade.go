package box

import (
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// UpgradeSchema brings the system spaces of a directory that an old release wrote up to date, so that the schema can
// be changed again. It does nothing when they are. Whoever calls it needs the rights of the administrator.
func (b *Box) UpgradeSchema(c *Ctx) error {
	if b.checkDataVersion() == nil {
		return nil
	}
	b.catalog.upgrading = true
	defer func() { b.catalog.upgrading = false }()
	return b.atomic(c, func() error {
		for _, step := range []func(*Ctx) error{b.dropBuiltins, b.widenRows, b.addSystemRows, b.renameIdentifiers} {
			if err := step(c); err != nil {
				return err
			}
		}
		version := dataVersion
		_, err := b.Replace(c, SchemaID, key("version", version[0], version[1], version[2]))
		return err
	})
}

// dropBuiltins deletes the functions of SQL, which are not in _func any more.
func (b *Box) dropBuiltins(c *Ctx) error {
	rows, err := b.rows(c, FuncID, 0, nil)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if rowString(row, funcFieldLanguage) != "SQL_BUILTIN" {
			continue
		}
		id := uint32(rowUint(row, funcFieldID))
		if err := b.revokeAll(c, FunctionObject, id); err != nil {
			return err
		}
		if _, err := b.Delete(c, FuncID, 0, key(uint64(id))); err != nil {
			return err
		}
	}
	return nil
}

// widenRows adds the fields that came later to the rows of _user and _func.
func (b *Box) widenRows(c *Ctx) error {
	for _, wide := range []struct {
		space uint32
		width int
		more  []any // the last fields of the width
	}{
		{UserID, userFieldLastModified + 1, []any{emptyArray, 0}},
		{FuncID, funcFieldTriggers + 1, []any{emptyArray}},
	} {
		rows, err := b.rows(c, wide.space, 0, nil)
		if err != nil {
			return err
		}
		for _, row := range rows {
			missing := wide.width - row.Len()
			if missing <= 0 || missing > len(wide.more) {
				continue
			}
			fields := append(rowFields(row), wide.more[len(wide.more)-missing:]...)
			if _, err := b.Replace(c, wide.space, encode(fields)); err != nil {
				return err
			}
		}
	}
	return nil
}

// addSystemRows stores those rows of a fresh database that are missing, and its definitions of the system spaces.
func (b *Box) addSystemRows(c *Ctx) error {
	rows, err := bootstrapRows()
	if err != nil {
		return err
	}
	for _, row := range rows {
		switch row.space {
		case SpaceID, IndexID, CollationID, FuncID, PrivID:
		default:
			continue
		}
		s := b.catalog.spaces[row.space]
		old := b.findByTuple(c, s, s.Mem.Primary(), row.data)
		switch {
		case old == nil && !b.nameTaken(s, row.data):
			_, err = b.Insert(c, row.space, row.data)
		case old != nil && row.space == SpaceID && string(old.Data()) != string(row.data):
			_, err = b.Replace(c, row.space, row.data)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// nameTaken reports whether a row of a system space has the name of the given one.
func (b *Box) nameTaken(s *Space, data []byte) bool {
	x := s.Mem.IndexByName("name")
	if x == nil {
		return false
	}
	k := x.KeyDef.ExtractKey(nil, tuple.New(data))
	n, parts, _ := msgpack.ReadArrayHeader(k)
	return x.Get(parts, n) != nil
}

// renameIdentifiers moves what _schema holds to the keys that it has now.
func (b *Box) renameIdentifiers(c *Ctx) error {
	old, err := b.Get(c, SchemaID, 0, key("cluster"))
	if err != nil {
		return err
	}
	if old != nil {
		if _, err := b.Replace(c, SchemaID, key("replicaset_uuid", rowString(old, 1))); err != nil {
			return err
		}
		if err := b.deleteRows(c, SchemaID, 0, key("cluster")); err != nil {
			return err
		}
	}
	return b.deleteRows(c, SchemaID, 0, key("max_id"))
}

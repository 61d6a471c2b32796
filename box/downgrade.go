package box

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// oldRelease is the release before the present form of the system spaces that DowngradeSchema can go back to, and
// oldVersion the version of the system spaces that it knows.
const oldRelease = "2.6.0"

var oldVersion = [3]uint64{2, 3, 1}

// sameSchema are the releases that have the system spaces as they are now.
var sameSchema = []string{"3.1.0", "3.1.1", "3.1.2", "3.2.0", "3.2.1"}

// DowngradeVersions lists the releases that DowngradeSchema takes.
func DowngradeVersions() []string { return append([]string{oldRelease}, sameSchema...) }

// DowngradeSchema changes the system spaces to the form that an older release knows, so that it opens the directory after
// a checkpoint. The schema can't be changed then before UpgradeSchema. It fails with what DowngradeIssues says if there is
// anything. Data is left as it is. Whoever calls it needs the rights of the administrator.
func (b *Box) DowngradeSchema(c *Ctx, release string) error {
	issues, err := b.DowngradeIssues(c, release)
	if err != nil {
		return err
	}
	if len(issues) > 0 {
		return boxerr.Illegal("Cannot downgrade to %s: %s", release, strings.Join(issues, "; "))
	}
	if release != oldRelease || b.catalog.dataVersion == oldVersion {
		return nil
	}
	b.catalog.upgrading = true
	defer func() { b.catalog.upgrading = false }()
	return b.atomic(c, func() error {
		for _, step := range []func(*Ctx) error{b.narrowRows, b.dropNewRows, b.addBuiltins, b.restoreIdentifiers} {
			if err := step(c); err != nil {
				return err
			}
		}
		_, err := b.Replace(c, SchemaID, key("version", oldVersion[0], oldVersion[1], oldVersion[2]))
		return err
	})
}

// oldWidths are how many fields rows of system spaces had, and how many of their fields and those of their views were
// described.
var oldWidths = map[uint32]int{FuncID: 19, VFuncID: 4, UserID: 5, VUserID: 5, ClusterID: 2}

// narrowRows cuts off the fields that came later.
func (b *Box) narrowRows(c *Ctx) error {
	for _, id := range []uint32{FuncID, VFuncID, UserID, VUserID, ClusterID} {
		width := oldWidths[id]
		row, err := b.Get(c, SpaceID, 0, key(uint64(id)))
		if err != nil || row == nil {
			return err
		}
		n, fields, _ := msgpack.ReadArrayHeader(row.Field(spaceFieldFormat))
		rest, ok := msgpack.SkipN(fields, min(n, width))
		if !ok {
			return boxerr.New(boxerr.InvalidMsgpack, "format of a space")
		}
		format := append(msgpack.AppendArrayHeader(nil, min(n, width)), fields[:len(fields)-len(rest)]...)
		changed := rowFields(row)
		changed[spaceFieldFormat] = msgpack.Raw(format)
		if _, err := b.Replace(c, SpaceID, encode(changed)); err != nil {
			return err
		}
		if id != FuncID && id != UserID && id != ClusterID { // a view has no rows of its own
			continue
		}
		rows, err := b.rows(c, id, 0, nil)
		if err != nil {
			return err
		}
		for _, row := range rows {
			if row.Len() <= width {
				continue
			}
			if _, err := b.Replace(c, id, encode(rowFields(row)[:width])); err != nil {
				return err
			}
		}
	}
	return nil
}

// dropNewRows deletes the view and the rights that came later.
func (b *Box) dropNewRows(c *Ctx) error {
	for _, row := range []struct {
		space uint32
		key   []byte
	}{
		{PrivID, key(uint64(PublicID), "space", uint64(VSpaceSequenceID))},
		{PrivID, key(uint64(PublicID), "space", uint64(SessionSettingsID))},
		{IndexID, key(uint64(VSpaceSequenceID), 1)},
		{IndexID, key(uint64(VSpaceSequenceID), 0)},
		{SpaceID, key(uint64(VSpaceSequenceID))},
	} {
		if _, err := b.Delete(c, row.space, 0, row.key); err != nil {
			return err
		}
	}
	return nil
}

// oldBuiltins are the functions of SQL by their numbers, from 2 on. There is a function of another kind under "-".
const oldBuiltins = `TRIM TYPEOF PRINTF UNICODE CHAR HEX VERSION QUOTE REPLACE SUBSTR GROUP_CONCAT JULIANDAY DATE TIME
	DATETIME STRFTIME CURRENT_TIME CURRENT_TIMESTAMP CURRENT_DATE LENGTH POSITION ROUND UPPER LOWER IFNULL RANDOM CEIL
	CEILING CHARACTER_LENGTH CHAR_LENGTH FLOOR MOD OCTET_LENGTH ROW_COUNT COUNT LIKE ABS EXP LN POWER SQRT SUM TOTAL AVG
	RANDOMBLOB NULLIF ZEROBLOB MIN MAX COALESCE EVERY EXISTS EXTRACT SOME GREATER LESSER SOUNDEX LIKELIHOOD LIKELY
	UNLIKELY _sql_stat_get _sql_stat_push _sql_stat_init - GREATEST LEAST`

// addBuiltins stores the functions of SQL and who may call them. A number that a function of the application has got since
// goes to the next free one: SQL knows its functions by name.
func (b *Box) addBuiltins(c *Ctx) error {
	const created = "2019-12-29 17:52:51"
	for i, name := range strings.Fields(oldBuiltins) {
		id := uint32(2 + i)
		if name == "-" || b.catalog.funcsByName[name] != nil {
			continue
		}
		if b.catalog.funcs[id] != nil {
			next, err := b.nextID(c, FuncID)
			if err != nil {
				return err
			}
			id = next
		}
		_, err := b.Insert(c, FuncID, key(uint64(id), uint64(AdminID), name, 1, "SQL_BUILTIN", "", "function", emptyArray, "any",
			"none", "none", false, false, true, emptyArray, emptyMap, "", created, created))
		if err != nil {
			return err
		}
		_, err = b.Insert(c, PrivID, key(uint64(AdminID), uint64(PublicID), "function", uint64(id), uint64(Execute)))
		if err != nil {
			return err
		}
	}
	return nil
}

// restoreIdentifiers moves what _schema holds to the keys that it had.
func (b *Box) restoreIdentifiers(c *Ctx) error {
	row, err := b.Get(c, SchemaID, 0, key("replicaset_uuid"))
	if err != nil {
		return err
	}
	if row != nil {
		if err := b.deleteRows(c, SchemaID, 0, key("replicaset_uuid")); err != nil {
			return err
		}
		if _, err := b.Replace(c, SchemaID, key("cluster", rowString(row, 1))); err != nil {
			return err
		}
	}
	largest := uint64(firstUserSpace - 1)
	for id, s := range b.catalog.spaces {
		if !s.Options.Temporary {
			largest = max(largest, uint64(id))
		}
	}
	_, err = b.Replace(c, SchemaID, key("max_id", largest))
	return err
}

// firstUserSpace is the number from which spaces are those of applications.
const firstUserSpace = 512

// Options that the old release knows, in the maps of definitions.
var (
	oldSpaceOptions = strings.Fields("group_id temporary view sql is_sync checks")
	oldFieldOptions = strings.Fields("name type is_nullable nullable_action collation")
	oldIndexOptions = strings.Fields("unique dimension distance range_size page_size run_count_per_level run_size_ratio " +
		"bloom_fpr lsn stat func")
	oldPartOptions = strings.Fields("field type is_nullable nullable_action collation path sort_order")
	oldFuncOptions = strings.Fields("is_multikey")
	oldObjectTypes = strings.Fields("universe space function user role sequence collation")
)

// DowngradeIssues says what a release does not know of what is defined. The error is ILLEGAL_PARAMS for a release that is
// not among DowngradeVersions.
func (b *Box) DowngradeIssues(c *Ctx, release string) ([]string, error) {
	if !slices.Contains(DowngradeVersions(), release) {
		return nil, boxerr.Illegal("Downgrade is only possible to version listed in box.schema.downgrade_versions().")
	}
	if release != oldRelease {
		return nil, nil
	}
	var issues []string
	note := func(format string, args ...any) { issues = append(issues, fmt.Sprintf(format, args...)) }
	for _, id := range []uint32{SpaceID, IndexID, FuncID, PrivID, ClusterID} {
		rows, err := b.rows(c, id, 0, nil)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			b.noteIssues(id, row, note)
		}
	}
	if b.status.queueOwner != 0 || b.status.term > 1 {
		note("the queue of synchronous transactions has an owner")
	}
	return issues, nil
}

// noteIssues notes what the old release does not know in a row of a system space.
func (b *Box) noteIssues(space uint32, row *tuple.Tuple, note func(format string, args ...any)) {
	switch space {
	case SpaceID:
		s := b.catalog.spaces[uint32(rowUint(row, spaceFieldID))]
		if s == nil || IsSystem(s.ID) || s.Options.Temporary {
			return
		}
		for _, option := range otherKeys(row.Field(spaceFieldFlags), oldSpaceOptions) {
			note("space '%s': option '%s'", s.Name, option)
		}
		for i, m := range elements(row.Field(spaceFieldFormat)) {
			for _, option := range otherKeys(m, oldFieldOptions) {
				note("space '%s', field %d: option '%s'", s.Name, i+1, option)
			}
		}
		for i := range s.fields {
			if t := s.fields[i].Type; isNewType(t) {
				note("space '%s', field %d: type '%s'", s.Name, i+1, t)
			}
		}
	case IndexID:
		s := b.catalog.spaces[uint32(rowUint(row, indexFieldSpace))]
		if s == nil || IsSystem(s.ID) || s.Options.Temporary {
			return
		}
		name := rowString(row, indexFieldName)
		for _, option := range otherKeys(row.Field(indexFieldOptions), oldIndexOptions) {
			note("space '%s', index '%s': option '%s'", s.Name, name, option)
		}
		for _, m := range elements(row.Field(indexFieldParts)) {
			for _, option := range otherKeys(m, oldPartOptions) {
				note("space '%s', index '%s': option '%s' of a part", s.Name, name, option)
			}
		}
		if d := s.index(uint32(rowUint(row, indexFieldID))); d != nil {
			for i := range d.key.Parts {
				if p := &d.key.Parts[i]; p.Desc || isNewType(p.Type) {
					note("space '%s', index '%s': type or order of a part", s.Name, name)
				}
			}
		}
	case FuncID:
		name := rowString(row, funcFieldName)
		for _, option := range otherKeys(row.Field(funcFieldOptions), oldFuncOptions) {
			note("function '%s': option '%s'", name, option)
		}
		if len(elements(row.Field(funcFieldTriggers))) > 0 {
			note("function '%s': triggers", name)
		}
	case PrivID:
		if typ := rowString(row, privFieldType); !slices.Contains(oldObjectTypes, typ) {
			note("rights on objects of type '%s'", typ)
		}
	case ClusterID:
		if name := row.Field(2); name != nil && msgpack.TypeOf(name[0]) != msgpack.Nil {
			note("the name of instance %d", rowUint(row, 0))
		}
	}
}

// isNewType reports whether the old release does not know a type of fields.
func isNewType(t tuple.FieldType) bool {
	return t == tuple.Datetime || t == tuple.Interval
}

// otherKeys lists the keys of a map that are not among the known ones.
func otherKeys(m []byte, known []string) (list []string) {
	if m == nil || msgpack.TypeOf(m[0]) != msgpack.Map {
		return nil
	}
	_ = eachOption(m, false, func(key string, _ []byte) error {
		if !slices.Contains(known, key) {
			list = append(list, key)
		}
		return nil
	})
	return list
}

// elements are the values in an array.
func elements(list []byte) (values [][]byte) {
	n, list, ok := msgpack.ReadArrayHeader(list)
	for ; ok && n > 0; n-- {
		value := list
		if list, ok = msgpack.Skip(value); ok {
			values = append(values, value[:len(value)-len(list)])
		}
	}
	return values
}

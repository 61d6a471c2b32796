package box

import (
	"fmt"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// Field numbers of _space.
const (
	spaceFieldID = iota
	spaceFieldOwner
	spaceFieldName
	spaceFieldEngine
	spaceFieldCount
	spaceFieldFlags
	spaceFieldFormat
)

// The engines.
const (
	engineMemtx     = "memtx"
	engineSysview   = "sysview"
	engineService   = "service"
	engineBlackhole = "blackhole"
)

// spaceDef is what a row of _space means, before it is made the definition of a Space.
type spaceDef struct {
	id, owner    uint32
	name, engine string
	fieldCount   uint32
	options      SpaceOptions
	format       []byte
	fields       []fieldDef
	constraints  []constraintDef
	foreignKeys  []foreignKeyDef
	row          *tuple.Tuple
}

// decodeSpace reads a row of _space. code is CREATE_SPACE or ALTER_SPACE, the error of a wrong row.
func decodeSpace(row *tuple.Tuple, code boxerr.Code) (*spaceDef, error) {
	d := &spaceDef{
		row:    row,
		name:   rowString(row, spaceFieldName),
		engine: rowString(row, spaceFieldEngine),
	}
	wrong := func(details string) error { return boxerr.New(code, d.name, details) }
	err := checkName(d.name, func(short string) error { return boxerr.New(code, short, "space name is too long") })
	if err != nil {
		return nil, err
	}
	id := rowUint(row, spaceFieldID)
	switch {
	case id > SpaceMax:
		return nil, wrong("space id is too big")
	case id == 0:
		return nil, wrong("space id 0 is reserved")
	case len(d.engine) > engineNameMax:
		return nil, wrong("space engine name is too long")
	}
	if err := checkIdentifier(d.engine); err != nil {
		return nil, err
	}
	d.id, d.owner = uint32(id), uint32(rowUint(row, spaceFieldOwner))
	d.fieldCount = uint32(rowUint(row, spaceFieldCount))
	d.format = row.Field(spaceFieldFormat)
	if d.fields, err = decodeFormat(d.format); err != nil {
		return nil, err
	}
	if d.fieldCount != 0 && int(d.fieldCount) < len(d.fields) {
		return nil, wrong("exact_field_count must be either 0 or >= formatted field count")
	}
	group, err := d.decodeFlags(row.Field(spaceFieldFlags))
	if err != nil {
		if bad, ok := err.(badOption); ok {
			err = boxerr.New(boxerr.WrongSpaceOptions, string(bad))
		}
		return nil, err
	}
	switch {
	case group > 1:
		return nil, boxerr.New(boxerr.NoSuchGroup, fmt.Sprint(group))
	case d.options.View && d.options.SQL == "":
		return nil, boxerr.New(boxerr.ViewMissingSQL)
	case d.options.Sync && d.options.Local:
		return nil, wrong("local space can't be synchronous")
	case d.options.Temporary && d.options.Sync:
		return nil, wrong("temporary space can't be synchronous")
	}
	return d, nil
}

// decodeFlags reads the options of a space and returns its replication group.
func (d *spaceDef) decodeFlags(flags []byte) (group uint32, err error) {
	if flags == nil {
		return 0, nil
	}
	o := &d.options
	typed := false
	err = eachOption(flags, false, func(key string, v []byte) error {
		switch key {
		case "group_id":
			if err := setUint32(&group, key, v); err != nil {
				return err
			}
			o.Local = group == 1
			return nil
		case "temporary":
			if typed {
				return badOption("only one of 'type' or 'temporary' may be specified")
			}
			typed = true
			return setBool(&o.DataTemporary, key, v)
		case "type":
			var typ string
			if err := setString(&typ, key, v); err != nil {
				return err
			}
			if typed {
				return badOption("only one of 'type' or 'temporary' may be specified")
			}
			typed = true
			return o.setType(typ)
		case "view":
			return setBool(&o.View, key, v)
		case "is_sync":
			return setBool(&o.Sync, key, v)
		case "defer_deletes":
			return setBool(&o.DeferDeletes, key, v)
		case "sql":
			return setString(&o.SQL, key, v)
		case "comment":
			return setString(&o.Comment, key, v)
		case "constraint":
			d.constraints, err = decodeConstraints(v, -1)
			return err
		case "foreign_key":
			d.foreignKeys, err = decodeForeignKeys(v, -1, true)
			return err
		case "upgrade":
			return boxerr.New(boxerr.Unsupported, "Community edition", "space upgrade")
		case "checks", "user_version": // written by releases before 3.0
			return nil
		}
		return errUnknownOption
	})
	return group, err
}

// errSpaceType is what is wrong with any other name of a type.
const errSpaceType = badOption("unknown space type, must be one of: 'normal', 'data-temporary', 'temporary'.")

// setType sets the flags that stand for a type of space.
func (o *SpaceOptions) setType(typ string) error {
	o.Temporary, o.DataTemporary = false, false
	switch typ {
	case "normal":
	case "data-temporary":
		o.DataTemporary = true
	case "temporary":
		o.Temporary = true
	default:
		return errSpaceType
	}
	return nil
}

// Type returns the name of the space's type.
func (o *SpaceOptions) Type() string {
	switch {
	case o.Temporary:
		return "temporary"
	case o.DataTemporary:
		return "data-temporary"
	}
	return "normal"
}

// fieldDef is the definition of one field in a space's format.
type fieldDef struct {
	tuple.FieldDef
	defaultValue []byte
	defaultFunc  uint32
	constraints  []constraintDef
	foreignKeys  []foreignKeyDef
}

// decodeFormat reads the format of a space: an array of maps.
func decodeFormat(format []byte) ([]fieldDef, error) {
	n, b, ok := msgpack.ReadArrayHeader(format)
	if !ok {
		return nil, boxerr.New(boxerr.WrongSpaceFormat, 1, "expected an array")
	}
	var fields []fieldDef
	for i := range n {
		rest, ok := msgpack.Skip(b)
		if !ok {
			return nil, boxerr.New(boxerr.WrongSpaceFormat, i+1, "expected a map")
		}
		f, err := decodeField(b[:len(b)-len(rest)], i)
		if bad, ok := err.(badOption); ok {
			err = boxerr.New(boxerr.WrongSpaceFormat, i+1, string(bad))
		}
		if err != nil {
			return nil, err
		}
		fields = append(fields, f)
		b = rest
	}
	names := make(map[string]bool, len(fields))
	for i := range fields {
		if names[fields[i].Name] {
			return nil, boxerr.New(boxerr.SpaceFieldIsDuplicate, fields[i].Name)
		}
		names[fields[i].Name] = true
	}
	return fields, nil
}

// decodeField reads the definition of field number i.
func decodeField(m []byte, i int) (f fieldDef, err error) {
	action, coll, collated := "", uint32(0), false
	err = eachOption(m, true, func(key string, v []byte) error {
		var err error
		switch key {
		case "name":
			return setString(&f.Name, key, v)
		case "type":
			var name string
			if _, _, ok := msgpack.ReadString(v); !ok {
				return wrongOptionType(key, "enum")
			}
			_ = setString(&name, key, v)
			if f.Type, err = fieldType(name); err != nil {
				return err
			}
		case "is_nullable":
			return setBool(&f.Nullable, key, v)
		case "nullable_action":
			if setString(&action, key, v) != nil {
				return wrongOptionType(key, "enum")
			}
		case "collation":
			collated = true
			return setUint32(&coll, key, v)
		case "default":
			f.defaultValue = v
		case "default_func":
			return setUint32(&f.defaultFunc, key, v)
		case "constraint":
			f.constraints, err = decodeConstraints(v, i)
		case "foreign_key":
			f.foreignKeys, err = decodeForeignKeys(v, i, false)
		default:
			return errUnknownOption
		}
		return err
	})
	if err != nil {
		return f, err
	}
	if f.Name == "" {
		return f, badOption("field name is missing")
	}
	if len(f.Name) > NameMax {
		return f, badOption("field name is too long")
	}
	if err := checkIdentifier(f.Name); err != nil {
		return f, err
	}
	if err := checkNullableAction(f.Nullable, action); err != nil {
		return f, err
	}
	if collated {
		if f.Type != tuple.String && f.Type != tuple.Scalar && f.Type != tuple.Any {
			return f, badOption("collation is reasonable only for 'string', 'scalar', and 'any' fields")
		}
		if f.Collation = tuple.CollationByID(coll); f.Collation == nil {
			return f, badOption("collation was not found by ID")
		}
	}
	if f.defaultValue != nil && f.defaultFunc == 0 && !f.Type.Takes(f.defaultValue) {
		return f, boxerr.New(boxerr.DefaultValueType, fmt.Sprintf("%d (%s)", i+1, f.Name),
			f.Type.String(), tuple.KindName(f.defaultValue))
	}
	return f, nil
}

func fieldType(name string) (tuple.FieldType, error) {
	t, ok := tuple.FieldTypeByName(name)
	if !ok {
		return t, badOption("unknown field type")
	}
	return t, nil
}

// checkNullableAction checks what to do about a null against whether nulls are allowed. "" is the default action.
func checkNullableAction(nullable bool, action string) error {
	switch action {
	case "":
		return nil
	case "none", "rollback", "abort", "fail", "ignore", "replace", "default":
	default:
		return badOption("unknown nullable action")
	}
	if nullable != (action == "none") {
		return badOption("conflicting nullability and nullable action properties")
	}
	return nil
}

// constraintDef names the function that checks a field, or the whole tuple (field -1).
type constraintDef struct {
	name  string
	field int
	fn    uint32
}

// decodeConstraints reads a map from constraint names to numbers of functions.
func decodeConstraints(m []byte, field int) ([]constraintDef, error) {
	if msgpack.TypeOf(m[0]) != msgpack.Map {
		return nil, badOption("constraint field is expected to be a MAP")
	}
	var list []constraintDef
	err := eachOption(m, false, func(key string, v []byte) error {
		if err := checkPartName("constraint", key); err != nil {
			return err
		}
		id, _, ok := msgpack.ReadUint(v)
		if !ok {
			return badOption("constraint function ID is expected to be a number")
		}
		list = append(list, constraintDef{key, field, uint32(id)})
		return nil
	})
	return list, err
}

func checkPartName(what, name string) error {
	if len(name) > NameMax {
		return badOption(what + " name is too long")
	}
	if checkIdentifier(name) != nil {
		return badOption(what + " name isn't a valid identifier")
	}
	return nil
}

// fieldRef is a field given by number or by name.
type fieldRef struct {
	no   int
	name string // "" for one given by number
}

// foreignKeyDef leads from a field (or from several of them, field -1) to those of another space, 0 being the space itself.
type foreignKeyDef struct {
	name          string
	field         int
	space         uint32
	child, parent []fieldRef
}

// decodeForeignKeys reads a map from the names of foreign keys to their definitions: {space, field}, where field is a
// field of the other space, or a map from fields of this one to fields of the other.
func decodeForeignKeys(m []byte, field int, complex bool) ([]foreignKeyDef, error) {
	if msgpack.TypeOf(m[0]) != msgpack.Map {
		return nil, badOption("foreign key field is expected to be a MAP")
	}
	var list []foreignKeyDef
	err := eachOption(m, false, func(key string, v []byte) error {
		if err := checkPartName("foreign key", key); err != nil {
			return err
		}
		if msgpack.TypeOf(v[0]) != msgpack.Map {
			return badOption("foreign key definition is expected to be a MAP")
		}
		d := foreignKeyDef{name: key, field: field}
		err := eachOption(v, false, func(key string, v []byte) (err error) {
			switch key {
			case "space":
				if setUint32(&d.space, key, v) != nil {
					return badOption("foreign key: space must be a number")
				}
				return nil
			case "field":
				if !complex {
					ref, err := decodeFieldRef(v)
					d.child, d.parent = []fieldRef{{no: field}}, []fieldRef{ref}
					return err
				}
				return d.decodeMapping(v)
			}
			return badOption("foreign key: unexpected key '" + key + "'")
		})
		if err != nil {
			return err
		}
		if len(d.child) == 0 {
			return badOption("foreign key: field mapping is missing")
		}
		list = append(list, d)
		return nil
	})
	return list, err
}

func (d *foreignKeyDef) decodeMapping(m []byte) error {
	n, m, ok := msgpack.ReadMapHeader(m)
	if !ok {
		return badOption("foreign key: field mapping is expected to be a MAP")
	}
	for ; n > 0; n-- {
		child, err := decodeFieldRef(m)
		if err != nil {
			return err
		}
		m, _ = msgpack.Skip(m)
		parent, err := decodeFieldRef(m)
		if err != nil {
			return err
		}
		m, _ = msgpack.Skip(m)
		d.child, d.parent = append(d.child, child), append(d.parent, parent)
	}
	return nil
}

func decodeFieldRef(v []byte) (fieldRef, error) {
	if name, _, ok := msgpack.ReadString(v); ok {
		return fieldRef{no: -1, name: string(name)}, nil
	}
	if no, _, ok := msgpack.ReadUint(v); ok {
		return fieldRef{no: int(no)}, nil
	}
	return fieldRef{}, badOption("foreign key: field must be string or number")
}

// rowUint returns an unsigned field of a row, 0 when it is missing or something else.
func rowUint(t *tuple.Tuple, field int) uint64 {
	v, _, _ := msgpack.ReadUint(t.Field(field))
	return v
}

// rowInt returns an integer field of a row, 0 when it is missing or something else.
func rowInt(t *tuple.Tuple, field int) int64 {
	v, _, ok := msgpack.ReadInt(t.Field(field))
	if !ok {
		u, _, _ := msgpack.ReadUint(t.Field(field))
		return int64(u)
	}
	return v
}

// rowString returns a string field of a row, "" when it is missing or something else.
func rowString(t *tuple.Tuple, field int) string {
	v, _, _ := msgpack.ReadString(t.Field(field))
	return string(v)
}

// rowBool returns a boolean field of a row, false when it is missing or something else.
func rowBool(t *tuple.Tuple, field int) bool {
	v, _, _ := msgpack.ReadBool(t.Field(field))
	return v
}

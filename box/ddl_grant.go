package box

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/tuple"
)

// rightsOn are the rights that objects of a type can be given.
var rightsOn = [ObjectTypes]Privilege{
	UniverseObject: Read | Write | Execute | SessionRight | Usage | Create | Drop | Alter | Reference | TriggerRight |
		InsertRight | UpdateRight | DeleteRight,
	SpaceObject: Read | Write | Usage | Create | Drop | Alter | Reference | TriggerRight | InsertRight | UpdateRight |
		DeleteRight,
	SequenceObject: Read | Write | Usage | Create | Drop | Alter,
	FunctionObject: Execute | Usage | Create | Drop,
	RoleObject:     Execute | Usage | Create | Drop,
	UserObject:     Create | Drop | Alter,
	LuaEvalObject:  Execute | Usage,
	LuaCallObject:  Execute | Usage,
	SQLObject:      Execute | Usage,
}

// ParsePrivileges reads a list of rights on objects of a type, such as "read, write"; whatever is no letter stands
// between two of them. A number is their sum, as _priv holds it. The errors are UNKNOWN_SCHEMA_OBJECT and
// UNSUPPORTED_PRIV.
func ParsePrivileges(list, objectType string) (Privilege, ObjectType, error) {
	typ, ok := ObjectTypeByName(objectType)
	if !ok || rightsOn[typ] == 0 {
		return 0, 0, boxerr.New(boxerr.UnknownSchemaObject, objectType)
	}
	var sum Privilege
	if n, err := strconv.ParseUint(list, 10, 32); err == nil {
		sum = Privilege(n)
	} else {
		sum = privilegesNamed(list)
	}
	if sum == 0 || sum&^rightsOn[typ] != 0 {
		return 0, 0, boxerr.New(boxerr.UnsupportedPriv, objectType, list)
	}
	return sum, typ, nil
}

// privilegesNamed returns the rights of a list, 0 when it names something else.
func privilegesNamed(list string) (sum Privilege) {
	for name := range strings.FieldsFuncSeq(list, func(r rune) bool { return r < utf8.RuneSelf && !isLetter(byte(r)) }) {
		i := slices.IndexFunc(privilegeNames[:], func(n string) bool { return strings.EqualFold(n, name) })
		if i < 0 || Privilege(1)<<i >= Grant {
			return 0
		}
		sum |= 1 << i
	}
	return sum
}

func isLetter(b byte) bool { return 'a' <= b|0x20 && b|0x20 <= 'z' }

// single tells whether there is but one object of a type, which needs no name.
func single(typ ObjectType) bool {
	return typ == UniverseObject || typ == LuaEvalObject || typ == SQLObject
}

// account returns the row of a user, or of a role, as far as the effective user may see it.
func (b *Box) account(c *Ctx, name, typ string, missing boxerr.Code) (*tuple.Tuple, error) {
	row, err := b.find(c, VUserID, name)
	if err == nil && (row == nil || rowString(row, userFieldType) != typ) {
		err = boxerr.New(missing, name)
	}
	return row, err
}

// resolve finds an object by its name. "" is all objects of the type. Spaces are found whoever asks, other objects only
// by who may see them.
func (b *Box) resolve(c *Ctx, typ ObjectType, name string) (Right, error) {
	r := Right{Type: typ}
	var view uint32
	var missing boxerr.Code
	switch typ {
	case UniverseObject, LuaEvalObject, SQLObject:
		return r, nil
	case SpaceObject:
		missing = boxerr.NoSuchSpace
	case FunctionObject:
		view, missing = VFuncID, boxerr.NoSuchFunction
	case SequenceObject:
		view, missing = VSequenceID, boxerr.NoSuchSequence
	case RoleObject:
		view, missing = VUserID, boxerr.NoSuchRole
	case UserObject:
		view, missing = VUserID, boxerr.NoSuchUser
	}
	if name == "" {
		r.All = true
		return r, nil
	}
	switch typ {
	case LuaCallObject:
		r.Name = name
		return r, nil
	case SpaceObject:
		s := b.SpaceByName(name)
		if s == nil {
			return r, boxerr.New(missing, name)
		}
		r.ID = s.ID
		return r, nil
	}
	row, err := b.find(c, view, name)
	if err != nil {
		return r, err
	}
	if row == nil || view == VUserID && rowString(row, userFieldType) != typ.String() {
		return r, boxerr.New(missing, name)
	}
	r.ID = uint32(rowUint(row, 0))
	return r, nil
}

// GrantOptions tell GrantByName and RevokeByName whom and what they are about.
type GrantOptions struct {
	// ToRole says that the grantee is a role, not a user.
	ToRole bool
	// Lenient makes it no error that the rights are there, or are not there, already.
	Lenient bool
	// Grantor is who gives; nil is the effective user.
	Grantor *uint32
}

// GrantByName gives a user or role rights, such as "read,write", on an object. An object without a name stands for
// all objects of the type.
func (b *Box) GrantByName(c *Ctx, grantee, privileges, objectType, object string, o GrantOptions) error {
	r, held, wanted, err := b.resolveGrant(c, grantee, privileges, objectType, object, o)
	if err != nil {
		return err
	}
	if held|wanted == held {
		if o.Lenient {
			return nil
		}
		if r.Type == RoleObject && wanted == Execute && object != "" {
			return boxerr.New(boxerr.RoleGranted, grantee, object)
		}
		target := objectType
		if !single(r.Type) {
			target += " '" + object + "'"
		}
		return boxerr.New(boxerr.PrivGranted, grantee, privileges, target)
	}
	r.Privileges, r.Grantor = held|wanted, o.Grantor
	return b.Grant(c, r)
}

// RevokeByName takes what GrantByName gave.
func (b *Box) RevokeByName(c *Ctx, grantee, privileges, objectType, object string, o GrantOptions) error {
	r, held, wanted, err := b.resolveGrant(c, grantee, privileges, objectType, object, o)
	if err != nil {
		return err
	}
	if held&wanted == 0 {
		if o.Lenient {
			return nil
		}
		if r.Type == RoleObject && wanted == Execute && object != "" {
			return boxerr.New(boxerr.RoleNotGranted, grantee, object)
		}
		return boxerr.New(boxerr.PrivNotGranted, grantee, privileges, objectType, object)
	}
	r.Privileges = held &^ wanted
	return b.Revoke(c, r)
}

func (b *Box) resolveGrant(c *Ctx, grantee, privileges, objectType, object string, o GrantOptions) (r Right, held, wanted Privilege, err error) {
	typ, missing := "user", boxerr.NoSuchUser
	if o.ToRole {
		typ, missing = "role", boxerr.NoSuchRole
	}
	row, err := b.account(c, grantee, typ, missing)
	if err != nil {
		return r, 0, 0, err
	}
	wanted, class, err := ParsePrivileges(privileges, objectType)
	if err != nil {
		return r, 0, 0, err
	}
	if o.ToRole && wanted&(SessionRight|Usage) != 0 {
		return r, 0, 0, boxerr.New(boxerr.Grant, "system privilege can not be granted to role")
	}
	if r, err = b.resolve(c, class, object); err != nil {
		return r, 0, 0, err
	}
	r.Grantee = uint32(rowUint(row, userFieldID))
	held, err = b.Held(c, r)
	return r, held, wanted, err
}

package box

import (
	"bytes"
	"math/bits"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/trigger"
)

// Privilege is a set of rights, with the bits that _priv holds.
type Privilege uint32

// The rights.
const (
	Read Privilege = 1 << iota
	Write
	Execute
	SessionRight
	Usage
	Create
	Drop
	Alter
	Reference
	TriggerRight
	InsertRight
	UpdateRight
	DeleteRight
	Grant
	Revoke

	// AllPrivileges is what the administrator has.
	AllPrivileges Privilege = 1<<32 - 1
)

// Users and roles that every database has.
const (
	GuestID       = 0
	AdminID       = 1
	PublicID      = 2
	ReplicationID = 3
	SuperID       = 31
)

// ObjectType is a type of object that rights are given on.
type ObjectType uint8

// The types of objects.
const (
	UniverseObject ObjectType = iota
	SpaceObject
	FunctionObject
	UserObject
	RoleObject
	SequenceObject
	CollationObject
	LuaEvalObject
	LuaCallObject
	SQLObject

	// ObjectTypes is how many types there are.
	ObjectTypes = iota
)

// Object is a single object that rights are given on. lua_call objects have a Name and no ID.
type Object struct {
	Type ObjectType
	ID   uint32
	Name string
}

var objectNames = [ObjectTypes]string{
	"universe", "space", "function", "user", "role", "sequence", "collation", "lua_eval", "lua_call", "sql",
}

// String returns the name that _priv and error messages carry.
func (t ObjectType) String() string { return objectNames[t] }

// ObjectTypeByName returns the type with the given name.
func ObjectTypeByName(name string) (t ObjectType, ok bool) {
	for i, s := range objectNames {
		if s == name {
			return ObjectType(i), true
		}
	}
	return 0, false
}

var privilegeNames = [...]string{
	"Read", "Write", "Execute", "Session", "Usage", "Create", "Drop", "Alter", "Reference", "Trigger",
	"Insert", "Update", "Delete", "Grant", "Revoke",
}

// String returns the name of the lowest right of the set, as error messages carry it.
func (p Privilege) String() string {
	if i := bits.TrailingZeros32(uint32(p)); i < len(privilegeNames) {
		return privilegeNames[i]
	}
	return "Any"
}

// denied is the error for a right that the user of c lacks. Those who want to know of it are told.
func (c *Ctx) denied(p Privilege, typ ObjectType, name string) error {
	return c.deniedTo(c.User, p, typ, name)
}

// deniedTo is denied for another user.
func (c *Ctx) deniedTo(u *User, p Privilege, typ ObjectType, name string) error {
	err := boxerr.New(boxerr.AccessDenied, p.String(), typ.String(), name, u.Name)
	if b := c.box; b != nil && b.Triggers != nil {
		if e := b.Triggers.Lookup("box.session.on_access_denied"); e != nil && !e.Empty() {
			args := msgpack.AppendString(nil, p.String())
			args = msgpack.AppendString(args, typ.String())
			args = msgpack.AppendString(args, name)
			b.complain(b.fireSession(c, e, args, 3))
		}
	}
	return err
}

// fireSession calls the handlers of an event until one fails.
func (b *Box) fireSession(c *Ctx, e *trigger.Event, args []byte, nargs int) error {
	run := e.Start()
	for h, ok := run.Next(); ok; h, ok = run.Next() {
		if _, _, err := b.callFunc(c, h, args, nargs); err != nil {
			return err
		}
	}
	return nil
}

// CheckSpace checks the right to read or write a space. The owner needs nothing but the right of usage.
func (c *Ctx) CheckSpace(sp *Space, p Privilege) error {
	u := c.User
	if u.may(p, sp) || c.box.recovering {
		return nil
	}
	if u.Universe&Usage == 0 {
		return c.denied(Usage, UniverseObject, "")
	}
	return c.denied((p|Usage)&^u.Universe, SpaceObject, sp.Name)
}

// may reports whether the user has rights over a space.
func (u *User) may(p Privilege, sp *Space) bool {
	missing := (p | Usage) &^ u.Universe
	return missing == 0 || missing&Usage == 0 && (sp.Owner == u.ID || missing&^u.Classes[SpaceObject] == 0 ||
		missing&^u.Classes[SpaceObject]&^u.Objects[Object{Type: SpaceObject, ID: sp.ID}] == 0)
}

// CheckSequence checks the right to use a sequence.
func (c *Ctx) CheckSequence(q *Sequence, p Privilege) error {
	u := c.User
	missing := (p | Usage) &^ u.Universe
	if missing == 0 {
		return nil
	}
	if missing&Usage == 0 && (q.Owner == u.ID ||
		missing&^u.Classes[SequenceObject]&^u.Objects[Object{Type: SequenceObject, ID: q.ID}] == 0) {
		return nil
	}
	if u.Universe&Usage == 0 {
		return c.denied(Usage, UniverseObject, "")
	}
	return c.denied(missing, SequenceObject, q.Name)
}

// CheckFunction checks the right to call a function of _func.
func (c *Ctx) CheckFunction(f *Func) error {
	u := c.User
	missing := (Execute | Usage) &^ u.Universe
	if missing&Usage == 0 && (missing == 0 || f.Owner == u.ID ||
		missing&^u.Classes[FunctionObject]&^u.Objects[Object{Type: FunctionObject, ID: f.ID}] == 0) {
		return nil
	}
	return c.denied(Execute, FunctionObject, f.Name)
}

// CheckCall checks the right to call a global function of the language, one that is not in _func. The right to call all
// of them is about those that programs have defined; what the language has by itself has to be named.
func (c *Ctx) CheckCall(name []byte) error {
	u := c.User
	missing := (Execute | Usage) &^ u.Universe
	if missing == 0 {
		return nil
	}
	if !c.box.builtin(name) {
		missing &^= u.Classes[LuaCallObject]
	}
	if missing&^u.Objects[Object{Type: LuaCallObject, Name: string(name)}] == 0 {
		return nil
	}
	return c.denied(Execute, FunctionObject, string(name))
}

// builtin tells whether the function of that name, such as box.session.su, is the language's own.
func (b *Box) builtin(name []byte) bool {
	if end := bytes.IndexAny(name, ".:"); end >= 0 {
		name = name[:end]
	}
	_, ok := b.Builtins[string(name)]
	return ok
}

// CheckEval checks the right to run expressions.
func (c *Ctx) CheckEval() error {
	if c.mayExecute(LuaEvalObject) {
		return nil
	}
	return c.denied(Execute, UniverseObject, "")
}

// CheckSQL checks the right to run SQL.
func (c *Ctx) CheckSQL() error {
	if c.mayExecute(SQLObject) {
		return nil
	}
	return c.denied(Execute, SQLObject, "")
}

func (c *Ctx) mayExecute(typ ObjectType) bool {
	missing := (Execute | Usage) &^ c.User.Universe
	return missing&Usage == 0 && missing&^c.User.Classes[typ] == 0
}

// CheckUniverse checks rights over everything. The error names typ and name as what they are needed for.
func (c *Ctx) CheckUniverse(p Privilege, typ ObjectType, name string) error {
	if missing := (p | Usage) &^ c.User.Universe; missing != 0 {
		return c.denied(missing, typ, name)
	}
	return nil
}

// CheckSession checks a user's right to open a session.
func (c *Ctx) CheckSession(u *User) error {
	if u.Universe&SessionRight != 0 {
		return nil
	}
	return c.deniedTo(u, SessionRight, UniverseObject, "")
}

package box

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

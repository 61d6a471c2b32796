// Package box is the database: catalog, DDL, DML, transactions, sessions, access rights, sequences and functions.
//
// Box is the main type. Every call acts on behalf of a Ctx, is made under the lock of Box.Cord and never
// blocks; what has to wait for the disk leaves a Ticket in the Ctx. Keys, tuples and operations are
// MessagePack slices, valid during the call only.
//
// The catalog is a projection of the system spaces: DDL is DML on _space, _index, _func, _user, _priv and
// so on, and hooks on those spaces change the catalog as part of the statement. Recovery and clients that
// write system spaces therefore need no second path.
package box

import (
	"time"

	"github.com/lycosadb/lycosa/fiber"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/trigger"
	"github.com/lycosadb/lycosa/tuple"
)

// Box is a database. Its exported fields are set before it is used and are guarded by the cord's lock afterwards.
type Box struct {
	// Cord is the lock of everything below, with the queue of what is to run under it.
	Cord *fiber.Cord
	// Triggers holds the named handlers of events, those of spaces included.
	Triggers *trigger.Registry
	// Runtime runs what needs a language, nil when there is none.
	Runtime Runtime
	// Builtins are the names of the globals that the runtime's language has by itself; nil for none.
	Builtins map[string]struct{}
	// Journal makes committed transactions durable. Without one a commit succeeds at once.
	Journal Journal
	// Config holds the options in force.
	Config Config
	// OnSchemaChange is called after the definition of a space was changed, created or dropped,
	// also when such a change is undone.
	OnSchemaChange []func(spaceID uint32)
	// OnFuncChange and OnSequenceChange are called after a function or sequence was created, changed or
	// dropped, also when that is undone.
	OnFuncChange, OnSequenceChange []func(id uint32)
	// OnError takes errors that nobody waits for, such as those of on_commit handlers; it may be nil.
	OnError func(error)
	// OnRecoveryState is told how far Start has come: "snapshot_recovered", "wal_recovered", "indexes_built",
	// "synced". It may be nil.
	OnRecoveryState func(state string)
	// Stat counts statements.
	Stat Stat

	catalog  catalog
	sessions sessions
	watches  watches
	commits  commits
	habits   *habits
	status   status
	storage  storage
	// recovering is true while rows are replayed: rights are not checked, and nothing refuses or changes a row.
	recovering bool
	// room is memory for a tuple while a statement makes it.
	room []byte
	// system is the context of what nobody asked for.
	system *Ctx
}

// New makes an empty database, without even the system spaces. Open makes one that can be used.
func New(cfg Config) *Box {
	b := &Box{Cord: fiber.NewCord(), Triggers: trigger.NewRegistry(), Config: cfg, habits: new(habits)}
	b.catalog = catalog{
		spaces:        make(map[uint32]*Space),
		spacesByName:  make(map[string]*Space),
		users:         make(map[uint32]*User),
		usersByName:   make(map[string]*User),
		funcs:         make(map[uint32]*Func),
		funcsByName:   make(map[string]*Func),
		sequences:     make(map[uint32]*Sequence),
		sequencesName: make(map[string]*Sequence),
		awaited:       make(map[uint32]*Func),
	}
	// Sessions need their users before the rows of _user are there; those rows change these objects.
	b.enterUser(&User{ID: AdminID, Name: "admin", Universe: AllPrivileges, grants: make(map[Object]Privilege)})
	b.enterUser(&User{ID: GuestID, Name: "guest", grants: make(map[Object]Privilege)})
	b.status.started = time.Now()
	b.status.id = 1
	return b
}

// Space is the definition of a space with what hangs on it.
type Space struct {
	// Mem is the data. Its ID, Name, Format and Indexes agree with the definition.
	Mem        *memtx.Space
	ID         uint32
	Name       string
	Owner      uint32
	Engine     string
	FieldCount uint32
	Options    SpaceOptions
	// FormatRaw is the format as _space holds it, a MessagePack array.
	FormatRaw []byte
	// Definition is the row of _space.
	Definition *tuple.Tuple

	fields  []fieldDef
	indexes []*indexDef // by number
	// formatOwner keeps the formats of this space apart from those of others, see tuple.Renamed.
	formatOwner string

	// Sequence feeds SequenceField (0-based; SequencePath leads into it) with values, nil when there is none.
	Sequence          *Sequence
	SequenceField     int
	SequencePath      string
	SequenceGenerated bool

	// Defaults are the fields that have a default value or function, by field number.
	Defaults []Default
	// Constraints are what each stored tuple is checked against: those of fields first, in the order of
	// the fields, then those of the whole tuple.
	Constraints []Constraint
	// ForeignKeys lead from this space to others.
	ForeignKeys []*ForeignKey
	// ReferencedBy are the foreign keys of other spaces (or of this one) that lead here.
	ReferencedBy []*ForeignKey

	// BeforeReplace and OnReplace are the events of this space: by id, by name, and of all spaces.
	BeforeReplace, OnReplace [3]*trigger.Event
	// TriggersOff is set by space:run_triggers(false).
	TriggersOff bool
	// System is called for each statement of a system space after the indexes have changed; it changes the
	// catalog and registers how to undo that with c.Txn.OnStatementRollback. It is nil for other spaces.
	System func(c *Ctx, old, new *tuple.Tuple) error
	// Virtual stands in for the data of system views and _session_settings. It is nil for other spaces.
	Virtual Virtual
}

// SpaceOptions are the flags of a space's definition.
type SpaceOptions struct {
	// Local is group_id = 1: not replicated.
	Local bool
	// Temporary is type = 'temporary': neither data nor definition is kept.
	Temporary bool
	// DataTemporary is type = 'data-temporary': the definition is kept, the data is not.
	DataTemporary bool
	Sync          bool
	View          bool
	DeferDeletes  bool
	SQL           string
	Comment       string
}

// Default is the default of one field.
type Default struct {
	Field int
	// Value is the default in MessagePack, or the argument of Func; nil when there is none.
	Value []byte
	// Func, when set, makes the value.
	Func *Func
}

// Constraint is a check of a field (Field >= 0) or of a whole tuple (Field -1) by a function.
type Constraint struct {
	Name  string
	Field int
	Func  *Func
}

// ForeignKey leads from fields of a child space to fields of a parent space.
type ForeignKey struct {
	Name string
	// Child is the space whose tuples are checked.
	Child *Space
	// Field is the child's field of a foreign key of one field, -1 when it belongs to the whole tuple.
	Field int
	// ParentID is the id of the space led to; 0 stands for the child itself.
	ParentID uint32
	// ChildFields and ParentFields are the fields that must be equal, pair by pair. -1 is a field that
	// the child or the parent does not have (yet), named by the same place in the name slices.
	ChildFields, ParentFields         []int
	ChildFieldNames, ParentFieldNames []string
}

// FuncRef is something callable: a GoFunc, or a value that Runtime knows how to call.
type FuncRef = any

// GoFunc is a function in Go that can stand wherever a function in Lua can: args holds nargs MessagePack
// values one after another, and results n of them.
type GoFunc func(c *Ctx, args []byte, nargs int) (results []byte, n int, err error)

// Func is a function of _func.
type Func struct {
	ID, Owner uint32
	Name      string
	SetUID    bool
	Language  string
	Body      string
	// Routine is "function" for all that can be called here.
	Routine                  string
	ParamList                []string
	Returns, Aggregate       string
	SQLDataAccess            string
	Deterministic, Sandboxed bool
	NullCall                 bool
	Exports                  []string
	MultiKey, TakesRawArgs   bool
	Comment                  string
	Created, LastAltered     string
	// Triggers are the events that the function handles.
	Triggers []string
	// Ref is the compiled body, nil for a function that names a global one.
	Ref FuncRef
	// Definition is the row of _func.
	Definition *tuple.Tuple
	// lazy is set while Ref only stands in for the body, which is yet to be compiled.
	lazy bool
}

// Sequence makes numbers. Next and Advance stand in sequence.go.
type Sequence struct {
	ID, Owner             uint32
	Name                  string
	Step, Min, Max, Start int64
	Cache                 int64
	Cycle                 bool
	// Value is the last value given out, when Started.
	Value   int64
	Started bool
	// Definition is the row of _sequence.
	Definition *tuple.Tuple
}

// User is a user or a role.
type User struct {
	ID, Owner uint32
	Name      string
	// Role tells a role from a user.
	Role bool
	// AuthMethod and AuthData are the way to prove the user's identity ("chap-sha1" with 20 bytes), empty without a password.
	AuthMethod string
	AuthData   []byte
	// Universe is what the user may do with everything, what roles give included.
	Universe Privilege
	// Classes is what the user may do with all objects of a type.
	Classes [ObjectTypes]Privilege
	// Objects is what the user may do with single objects.
	Objects map[Object]Privilege
	// Definition is the row of _user.
	Definition *tuple.Tuple

	grants map[Object]Privilege // what _priv gives this user or role itself
}

// catalog is what the rows of the system spaces mean. Changed by the hooks of system spaces only.
type catalog struct {
	version       uint64
	spaces        map[uint32]*Space
	written       *Space // the one of the statement run last, so that a row of them looks it up once; may be nil
	spacesByName  map[string]*Space
	users         map[uint32]*User
	usersByName   map[string]*User
	funcs         map[uint32]*Func
	funcsByName   map[string]*Func
	sequences     map[uint32]*Sequence
	sequencesName map[string]*Sequence
	// awaited are functions that rows refer to before the function's own row was replayed.
	awaited map[uint32]*Func
	// orphans is how many foreign keys led to a space that was not there, ever.
	orphans int
	// dataVersion is the release that wrote the system spaces, as its numbers in _schema.
	dataVersion [3]uint64
	// upgrading is set while the system spaces of an old release are brought up to date.
	upgrading bool
}

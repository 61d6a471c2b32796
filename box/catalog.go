package box

import (
	"strconv"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/trigger"
	"github.com/lycosadb/lycosa/tuple"
)

// Numbers of the system spaces.
const (
	VinylDeferredDeleteID = 257
	SchemaID              = 272
	CollationID           = 276
	VCollationID          = 277
	SpaceID               = 280
	VSpaceID              = 281
	SequenceID            = 284
	SequenceDataID        = 285
	VSequenceID           = 286
	IndexID               = 288
	VIndexID              = 289
	FuncID                = 296
	VFuncID               = 297
	UserID                = 304
	VUserID               = 305
	PrivID                = 312
	VPrivID               = 313
	ClusterID             = 320
	TriggerID             = 328
	TruncateID            = 330
	SpaceSequenceID       = 340
	VSpaceSequenceID      = 341
	FKConstraintID        = 356
	CKConstraintID        = 364
	FuncIndexID           = 372
	SessionSettingsID     = 380
)

// systemHook returns what a statement on the system space with the given number does to the catalog, nil for
// spaces that mean nothing to it.
func (b *Box) systemHook(id uint32) func(c *Ctx, old, new *tuple.Tuple) error {
	hook := b.projection(id)
	if hook == nil || id == SchemaID || id == ClusterID || id == TruncateID {
		return hook
	}
	return func(c *Ctx, old, new *tuple.Tuple) error {
		if err := b.checkDataVersion(); err != nil {
			return err
		}
		return hook(c, old, new)
	}
}

func (b *Box) projection(id uint32) func(c *Ctx, old, new *tuple.Tuple) error {
	switch id {
	case SchemaID:
		return b.onSchemaRow
	case CollationID:
		return b.onCollationRow
	case SpaceID:
		return b.onSpaceRow
	case SequenceID:
		return b.onSequenceRow
	case SequenceDataID:
		return b.onSequenceDataRow
	case IndexID:
		return b.onIndexRow
	case FuncID:
		return b.onFuncRow
	case UserID:
		return b.onUserRow
	case PrivID:
		return b.onPrivRow
	case ClusterID:
		return b.onClusterRow
	case TriggerID, CKConstraintID, FKConstraintID:
		return b.onObsoleteRow
	case TruncateID:
		return b.onTruncateRow
	case SpaceSequenceID:
		return b.onSpaceSequenceRow
	case FuncIndexID:
		return b.onFuncIndexRow
	}
	return nil
}

// IsSystem reports whether the number is one of the system's own spaces.
func IsSystem(space uint32) bool { return space > SystemSpaceMin && space <= SystemSpaceMax }

// SpaceByID returns a space, nil when there is none.
func (b *Box) SpaceByID(id uint32) *Space { return b.catalog.spaces[id] }

// SpaceByName returns a space, nil when there is none.
func (b *Box) SpaceByName(name string) *Space { return b.catalog.spacesByName[name] }

// Spaces calls f for each space, in no particular order, until it returns false.
func (b *Box) Spaces(f func(*Space) bool) {
	for _, s := range b.catalog.spaces {
		if !f(s) {
			return
		}
	}
}

// SchemaVersion grows with each change of a space's definition.
func (b *Box) SchemaVersion() uint64 { return b.catalog.version }

// UserByID returns a user or role, nil when there is none.
func (b *Box) UserByID(id uint32) *User { return b.catalog.users[id] }

// UserByName returns a user or role, nil when there is none.
func (b *Box) UserByName(name string) *User { return b.catalog.usersByName[name] }

// FuncByID returns a function of _func, nil when there is none.
func (b *Box) FuncByID(id uint32) *Func { return b.catalog.funcs[id] }

// FuncByName returns a function of _func, nil when there is none.
func (b *Box) FuncByName(name string) *Func { return b.catalog.funcsByName[name] }

// FuncNamed is FuncByName for a name in a buffer.
func (b *Box) FuncNamed(name []byte) *Func { return b.catalog.funcsByName[string(name)] }

// SequenceByID returns a sequence, nil when there is none.
func (b *Box) SequenceByID(id uint32) *Sequence { return b.catalog.sequences[id] }

// SequenceByName returns a sequence, nil when there is none.
func (b *Box) SequenceByName(name string) *Sequence { return b.catalog.sequencesName[name] }

// Functions calls f for each function of _func, in no particular order, until it returns false.
func (b *Box) Functions(f func(*Func) bool) {
	for _, fn := range b.catalog.funcs {
		if !f(fn) {
			return
		}
	}
}

// Sequences calls f for each sequence, in no particular order, until it returns false.
func (b *Box) Sequences(f func(*Sequence) bool) {
	for _, q := range b.catalog.sequences {
		if !f(q) {
			return
		}
	}
}

// spaceChanged tells those who follow the definitions of spaces.
func (b *Box) spaceChanged(id uint32) {
	b.catalog.version++
	for _, f := range b.OnSchemaChange {
		f(id)
	}
	if !b.recovering {
		b.announceSchema()
	}
}

// hasRows reports whether an index of a system space has rows whose key begins with the given numbers.
func (b *Box) hasRows(space, indexID uint32, key ...uint64) bool {
	s := b.catalog.spaces[space]
	if s == nil {
		return false
	}
	x := s.Mem.Index(indexID)
	if x == nil {
		return false
	}
	enc := appendUints(nil, key...)
	if x.Type == index.Hash {
		return x.Get(enc, len(key)) != nil
	}
	t, err := x.Min(enc, len(key))
	return err == nil && t != nil
}

// checkDDL checks the right to create, change or drop an object. Whoever owns it may do everything but create.
func (c *Ctx) checkDDL(typ ObjectType, id uint32, name string, owner uint32, right Privilege) error {
	if c.box.recovering {
		return nil
	}
	u := c.User
	missing := (Usage | right) &^ u.Universe
	if missing == 0 {
		return nil
	}
	missing &^= u.Classes[typ]
	owns := owner == u.ID || u.ID == AdminID
	if missing == 0 || owns && missing&(Usage|Create) == 0 {
		return nil
	}
	if missing&Usage == 0 {
		missing &^= u.Objects[Object{Type: typ, ID: id}]
	}
	switch {
	case missing == 0:
		return nil
	case missing&Usage != 0:
		return c.denied(Usage, UniverseObject, "")
	}
	return c.denied(missing, typ, name)
}

func appendUints(b []byte, values ...uint64) []byte {
	for _, v := range values {
		b = appendUint(b, v)
	}
	return b
}

func itoa(v int64) string { return strconv.FormatInt(v, 10) }

func noSuchSpace(id uint32) error { return boxerr.New(boxerr.NoSuchSpace, itoa(int64(id))) }

// bindEvents attaches the events of a space by its number and name.
func (b *Box) bindEvents(s *Space) {
	bind := func(events *[3]*trigger.Event, what string) {
		events[0] = b.Triggers.Event("box.space[" + itoa(int64(s.ID)) + "]." + what)
		events[1] = b.Triggers.Event("box.space." + s.Name + "." + what)
		events[2] = b.Triggers.Event("box.space." + what)
	}
	bind(&s.BeforeReplace, "before_replace")
	bind(&s.OnReplace, "on_replace")
}

package box

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/tuple"
)

// view shows those rows of a system space that concern the user who asks. Its indexes have the numbers of the space
// that it shows.
type view struct {
	box     *Box
	base    uint32
	visible func(c *Ctx, row *tuple.Tuple) bool
}

// virtual returns what stands in for the data of a system space, nil for spaces with data.
func (b *Box) virtual(id uint32) Virtual {
	v := &view{box: b}
	switch id {
	case SessionSettingsID:
		return settings{}
	case VSpaceID:
		v.base, v.visible = SpaceID, v.seesSpace
	case VIndexID:
		v.base, v.visible = IndexID, v.seesSpace
	case VUserID:
		v.base, v.visible = UserID, v.seesUser
	case VPrivID:
		v.base, v.visible = PrivID, v.seesGrant
	case VFuncID:
		v.base, v.visible = FuncID, v.seesFunc
	case VSequenceID:
		v.base, v.visible = SequenceID, v.seesSequence
	case VSpaceSequenceID:
		v.base, v.visible = SpaceSequenceID, v.seesSpaceSequence
	case VCollationID:
		v.base, v.visible = CollationID, func(*Ctx, *tuple.Tuple) bool { return true }
	default:
		return nil
	}
	return v
}

// anyUse are the rights that make an object visible.
const anyUse = Read | Write | Drop | Alter

// seesAll reports whether the user sees all rows, whatever they are about. Rights on all objects of a type make those
// visible, but users and roles.
func (v *view) seesAll(c *Ctx, typ ObjectType, use Privilege) bool {
	u := c.User
	return u.Universe&use != 0 || u.Classes[typ]&use != 0 || u.Objects[Object{Type: SpaceObject, ID: v.base}]&Read != 0
}

func (v *view) seesSpace(c *Ctx, row *tuple.Tuple) bool {
	if v.seesAll(c, SpaceObject, anyUse) {
		return true
	}
	s := v.box.catalog.spaces[uint32(rowUint(row, 0))]
	return s != nil && (s.Owner == c.User.ID || c.User.Objects[Object{Type: SpaceObject, ID: s.ID}]&anyUse != 0)
}

// Everybody sees the role public, which everybody has.
func (v *view) seesUser(c *Ctx, row *tuple.Tuple) bool {
	id, own := rowUint(row, userFieldID), uint64(c.User.ID)
	return v.seesAll(c, UniverseObject, anyUse) || id == own || id == PublicID || rowUint(row, userFieldOwner) == own
}

func (v *view) seesGrant(c *Ctx, row *tuple.Tuple) bool {
	id := uint64(c.User.ID)
	return v.seesAll(c, UniverseObject, anyUse) || rowUint(row, privFieldGrantor) == id || rowUint(row, privFieldGrantee) == id
}

func (v *view) seesFunc(c *Ctx, row *tuple.Tuple) bool {
	const use = anyUse | Execute
	if v.seesAll(c, FunctionObject, use) || rowUint(row, funcFieldOwner) == uint64(c.User.ID) {
		return true
	}
	return c.User.Objects[Object{Type: FunctionObject, ID: uint32(rowUint(row, funcFieldID))}]&use != 0
}

func (v *view) seesSequence(c *Ctx, row *tuple.Tuple) bool {
	return v.sequenceVisible(c, uint32(rowUint(row, sequenceFieldID)))
}

func (v *view) seesSpaceSequence(c *Ctx, row *tuple.Tuple) bool {
	return v.sequenceVisible(c, uint32(rowUint(row, attachFieldSequence)))
}

func (v *view) sequenceVisible(c *Ctx, id uint32) bool {
	const use = anyUse | Execute
	if v.seesAll(c, SequenceObject, use) {
		return true
	}
	q := v.box.catalog.sequences[id]
	return q != nil && (q.Owner == c.User.ID || c.User.Objects[Object{Type: SequenceObject, ID: id}]&use != 0)
}

// index returns the index of the space beneath that an index of the view stands for.
func (v *view) index(x *memtx.Index) (*Space, *memtx.Index, error) {
	s, err := v.box.spaceByID(v.base)
	if err != nil {
		return nil, nil, err
	}
	y, err := s.indexByID(x.ID)
	return s, y, err
}

func (v *view) Get(c *Ctx, x *memtx.Index, key []byte, n int) (*tuple.Tuple, error) {
	s, y, err := v.index(x)
	if err != nil {
		return nil, err
	}
	t := s.Mem.Get(c.Txn, y, key, n)
	if t != nil && !v.visible(c, t) {
		t = nil
	}
	return t, nil
}

func (v *view) Iterate(c *Ctx, x *memtx.Index, typ index.IteratorType, key []byte, n int, after index.Position) (index.Iterator, error) {
	s, y, err := v.index(x)
	if err != nil {
		return nil, err
	}
	it, err := s.Mem.Iterate(c.Txn, y, typ, key, n, after)
	if err != nil {
		return nil, err
	}
	return &viewIterator{it, c, v}, nil
}

func (v *view) Update(c *Ctx, x *memtx.Index, key []byte, n int, ops []byte, base int) (*tuple.Tuple, error) {
	return nil, boxerr.New(boxerr.ViewIsRO, x.Def().Space)
}

func (v *view) Refuse(sp *Space, request string) error { return boxerr.New(boxerr.ViewIsRO, sp.Name) }

// viewIterator leaves out what the user may not see.
type viewIterator struct {
	index.Iterator
	c *Ctx
	v *view
}

func (it *viewIterator) Next() *tuple.Tuple {
	for {
		t := it.Iterator.Next()
		if t == nil || it.v.visible(it.c, t) {
			return t
		}
	}
}

// AppendPosition implements index.Positioner.
func (it *viewIterator) AppendPosition(dst []byte) []byte {
	if p, ok := it.Iterator.(index.Positioner); ok {
		return p.AppendPosition(dst)
	}
	return dst
}

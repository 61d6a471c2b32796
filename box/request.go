package box

import (
	"strconv"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// Request types, by the numbers of the protocol and of the journal.
const (
	typeInsert  = 2
	typeReplace = 3
	typeUpdate  = 4
	typeDelete  = 5
	typeUpsert  = 9
	typeNop     = 12
)

// Keys of request bodies, by the numbers of the protocol and of the journal.
const (
	keySpace     = 0x10
	keyIndex     = 0x11
	keyIndexBase = 0x15
	keyKey       = 0x20
	keyTuple     = 0x21
	keyOps       = 0x28
)

// typeName returns the name that triggers get, such as INSERT.
func typeName(typ uint8) string {
	switch typ {
	case typeInsert:
		return "INSERT"
	case typeReplace:
		return "REPLACE"
	case typeUpdate:
		return "UPDATE"
	case typeDelete:
		return "DELETE"
	case typeUpsert:
		return "UPSERT"
	}
	return "NOP"
}

// statement is one DML request while it runs.
type statement struct {
	typ   uint8
	space *Space
	index uint32
	key   []byte // with the array header
	tuple []byte
	ops   []byte
	base  int
	// scratch is the memory of Ctx.data while the statement uses it.
	scratch []byte
}

// spaceByID returns a space or the error NO_SUCH_SPACE.
func (b *Box) spaceByID(id uint32) (*Space, error) {
	if sp := b.catalog.spaces[id]; sp != nil {
		return sp, nil
	}
	return nil, boxerr.New(boxerr.NoSuchSpace, strconv.FormatUint(uint64(id), 10))
}

// indexByID returns an index of a space or the error NO_SUCH_INDEX_ID.
func (sp *Space) indexByID(id uint32) (*memtx.Index, error) {
	if x := sp.Mem.Index(id); x != nil {
		return x, nil
	}
	return nil, boxerr.New(boxerr.NoSuchIndexID, id, sp.Name)
}

// indexForReading finds what a read names and checks the right to it.
func (b *Box) indexForReading(c *Ctx, space, index uint32) (*Space, *memtx.Index, error) {
	sp, err := b.spaceByID(space)
	if err != nil {
		return nil, nil, err
	}
	if err := c.CheckSpace(sp, Read); err != nil {
		return nil, nil, err
	}
	x, err := sp.indexByID(index)
	if err != nil {
		return nil, nil, err
	}
	return sp, x, nil
}

// splitKey takes the array header off a key.
func splitKey(key []byte) (parts []byte, n int, err error) {
	if len(key) == 0 {
		return nil, 0, nil
	}
	n, parts, ok := msgpack.ReadArrayHeader(key)
	if !ok {
		return nil, 0, boxerr.New(boxerr.TupleNotArray)
	}
	return parts, n, nil
}

// exactKey takes the header off a key that must have all parts of a unique index, and checks them.
func (sp *Space) exactKey(x *memtx.Index, key []byte) (parts []byte, n int, err error) {
	if !x.Unique {
		return nil, 0, sp.withIndex(x, boxerr.New(boxerr.MoreThanOneTuple))
	}
	if parts, n, err = splitKey(key); err != nil {
		return nil, 0, err
	}
	if err = x.KeyDef.ValidateKey(parts, n, false); err != nil {
		return nil, 0, sp.withKey(x, key, err)
	}
	return parts, n, nil
}

// withSpace adds the space to the payload of an error.
func (sp *Space) withSpace(err error) error {
	return boxerr.From(err).With("space", sp.Name).With("space_id", uint64(sp.ID))
}

// withIndex adds the space and the index to the payload of an error.
func (sp *Space) withIndex(x *memtx.Index, err error) error {
	return boxerr.From(sp.withSpace(err)).With("index", x.Name).With("index_id", uint64(x.ID))
}

// withKey adds the space, the index and the key to the payload of an error.
func (sp *Space) withKey(x *memtx.Index, key []byte, err error) error {
	return boxerr.From(sp.withIndex(x, err)).With("key", copyRaw(key))
}

// withTuple adds the space and the tuple that was refused to the payload of an error.
func (sp *Space) withTuple(data []byte, err error) error {
	return boxerr.From(sp.withSpace(err)).With("tuple", copyRaw(data))
}

// withOps adds the operations of an update to the payload of an error that they caused.
func (s *statement) withOps(err error) error { return boxerr.From(err).With("ops", copyRaw(s.ops)) }

func copyRaw(data []byte) msgpack.Raw { return append(msgpack.Raw(nil), data...) }

// tupleHeader is what the reference adds to the size of a tuple's data when it compares it with the limit.
const tupleHeader = 10

// defaultMaxTupleSize is the limit of a tuple's size without a configured one.
const defaultMaxTupleSize = 1 << 20

// maxTupleSize is how large tuples may be, with tupleHeader.
func (b *Box) maxTupleSize() int {
	if limit := b.Config.MaxTupleSize; limit != 0 {
		return limit
	}
	return defaultMaxTupleSize
}

// newTuple checks data against the format of the space, its constraints and foreign keys, and makes a tuple of it.
func (b *Box) newTuple(c *Ctx, sp *Space, data []byte) (*tuple.Tuple, error) {
	if err := sp.Mem.Format.Check(data); err != nil {
		return nil, sp.withTuple(data, err)
	}
	return b.makeTuple(c, sp, data)
}

// makeTuple is newTuple for data that has the format of the space.
func (b *Box) makeTuple(c *Ctx, sp *Space, data []byte) (*tuple.Tuple, error) {
	limit := b.maxTupleSize()
	if len(data)+tupleHeader > limit {
		return nil, boxerr.New(boxerr.MemtxMaxTupleSize, uint64(len(data)+tupleHeader), uint64(limit))
	}
	if (len(sp.Constraints) > 0 || len(sp.ForeignKeys) > 0) && !b.recovering {
		if err := b.checkConstraints(c, sp, data); err != nil {
			return nil, err
		}
	}
	return tuple.NewFormat(sp.Mem.Format, data), nil
}

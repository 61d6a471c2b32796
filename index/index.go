// Package index holds the four kinds of index over tuples: TREE, HASH, BITSET and RTREE.
//
// An Index keeps pointers to tuples and knows its order (or hash, or bits, or boxes) from the key definitions
// in its Def. It checks neither rights nor keys: callers check keys with KeyDef.ValidateKey first. The rules of
// the package:
//
//   - Replace either changes the index completely or, when it returns an error, not at all.
//   - One goroutine at a time may use an index (the cord's lock sees to that). A Snapshot is different: it never
//     changes, and any number of goroutines may read it while the index itself is changed.
//   - An iterator may be kept over changes of its index. It goes on behind the last tuple that it returned, in
//     the index as it is by then, and never returns what stands before that tuple. That of an RTREE, which has no
//     order to go on in, walks over the index as it was when the iterator was made.
//   - Keys are the MessagePack values of the parts one after another, without an array header; n says how many
//     there are. An empty key (n = 0) stands before, or behind, everything.
package index

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/tuple"
)

// Type tells the kinds of index apart.
type Type uint8

// The kinds of index.
const (
	Tree Type = iota
	Hash
	Bitset
	RTree
)

var typeNames = [...]string{"TREE", "HASH", "BITSET", "RTREE"}

// String returns the name in capitals, as definitions and error messages carry it.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "UNKNOWN"
}

// TypeByName returns the type with the given name in capitals.
func TypeByName(name string) (t Type, ok bool) {
	for i, s := range typeNames {
		if s == name {
			return Type(i), true
		}
	}
	return 0, false
}

// IteratorType is a way to search an index. The numbers are those of the protocol (IPROTO_ITERATOR).
type IteratorType int

// The iterator types.
const (
	EQ            IteratorType = iota // equal to the key, ascending
	REQ                               // equal to the key, descending
	ALL                               // everything; with a key the same as GE
	LT                                // less than the key, descending
	LE                                // less than or equal to the key, descending
	GE                                // greater than or equal to the key, ascending
	GT                                // greater than the key, ascending
	BitsAllSet                        // all bits of the key are set
	BitsAnySet                        // at least one bit of the key is set
	BitsAllNotSet                     // no bit of the key is set
	Overlaps                          // the rectangle overlaps that of the key
	Neighbor                          // everything, by distance from the key's point
	NP                                // next prefix: behind all strings that start with the key, ascending
	PP                                // previous prefix: before the key, descending

	iteratorTypes // how many there are
)

var iteratorNames = [...]string{
	"EQ", "REQ", "ALL", "LT", "LE", "GE", "GT",
	"BITS_ALL_SET", "BITS_ANY_SET", "BITS_ALL_NOT_SET", "OVERLAPS", "NEIGHBOR", "NP", "PP",
}

// Valid reports whether the number stands for an iterator type.
func (t IteratorType) Valid() bool { return t >= 0 && t < iteratorTypes }

// Reverse reports whether the iterator walks an ordered index backwards.
func (t IteratorType) Reverse() bool { return t == REQ || t == LT || t == LE || t == PP }

// String returns the name in capitals, such as BITS_ALL_SET.
func (t IteratorType) String() string {
	if t.Valid() {
		return iteratorNames[t]
	}
	return "UNKNOWN"
}

// IteratorTypeByName returns the iterator type with the given name in capitals.
func IteratorTypeByName(name string) (t IteratorType, ok bool) {
	for i, s := range iteratorNames {
		if s == name {
			return IteratorType(i), true
		}
	}
	return 0, false
}

// Mode says what Replace does about a tuple that has the key of the new one already.
type Mode uint8

// The modes of Replace.
const (
	// InsertOnly refuses the new tuple with TUPLE_FOUND when another tuple than the old one has its key.
	InsertOnly Mode = iota
	// ReplaceOrInsert puts the new tuple in the place of the one that has its key.
	ReplaceOrInsert
)

// Distance is how an RTREE measures the way between two points.
type Distance uint8

// The distances.
const (
	Euclid Distance = iota
	Manhattan
)

// DefaultDimension is the dimension of an RTREE that was defined without one.
const DefaultDimension = 2

// MaxDimension is the highest dimension that an RTREE can have.
const MaxDimension = 20

// Def is what an index needs to know of its definition. It belongs to the index once the index was made of it;
// only the names may be changed then, by whoever renames the index or its space.
type Def struct {
	Type   Type
	Name   string // for error messages
	Space  string // for error messages
	Engine string // for error messages; empty stands for "memtx"
	Unique bool
	// KeyDef is the key as it was defined.
	KeyDef *tuple.KeyDef
	// CmpDef is KeyDef with those parts of the primary key behind it that it lacks. It orders the entries of
	// non-unique and of nullable indexes, and positions are keys of it. In the primary index it is KeyDef.
	CmpDef *tuple.KeyDef
	// Dimension of an RTREE, 1 to MaxDimension; 0 stands for DefaultDimension.
	Dimension int
	Distance  Distance // of an RTREE
	// Keys makes the index a functional one. It returns the keys of a tuple, one MessagePack array of parts
	// after another, and how many there are. KeyDef then describes those arrays: part i reads their item i.
	// The result is valid until the next call.
	Keys func(t *tuple.Tuple) (keys []byte, n int, err error)
}

// Position is where a page ended: the key (by CmpDef) of its last tuple, a MessagePack array with its header.
// An empty Position is the start.
type Position []byte

// Iterator walks over tuples. Next returns nil at the end and from then on.
type Iterator interface {
	Next() *tuple.Tuple
}

// Skipper is implemented by iterators that can leave out n tuples faster than by walking over them.
type Skipper interface {
	Skip(n int)
}

// Positioner is implemented by the iterators of indexes that have pages. AppendPosition appends the Position
// of the tuple that Next returned last.
type Positioner interface {
	AppendPosition(dst []byte) []byte
}

// Index is an index of any kind.
type Index interface {
	// Def returns the definition that the index was made of.
	Def() *Def
	// Len returns the number of entries: of tuples, or of their keys where a tuple may have several.
	Len() int
	// Bytes returns the memory that the index itself takes, without the tuples.
	Bytes() int64

	// Get returns the tuple with the given key, nil when there is none. The key must have all parts of a
	// unique index.
	Get(key []byte, n int) *tuple.Tuple
	// Replace takes old out and puts new in; either may be nil. It returns the tuple that left the index: old,
	// or with ReplaceOrInsert the one that had the key of new, or nil. The error is TUPLE_FOUND, or what kept
	// the key from being made (RTREE_RECT, FIELD_TYPE, or an error of a functional index).
	Replace(old, new *tuple.Tuple, mode Mode) (replaced *tuple.Tuple, err error)

	// Iterate starts a walk. With a Position the walk starts behind it. The errors are
	// UNSUPPORTED_INDEX_FEATURE, PARTIAL_KEY (HASH) and ITERATOR_POSITION. The key must stay
	// unchanged as long as the iterator is used.
	Iterate(typ IteratorType, key []byte, n int, after Position) (Iterator, error)
	// Select appends to dst what Iterate would return, without the first offset tuples and limit tuples at
	// most. It allocates nothing but the room in dst.
	Select(dst []*tuple.Tuple, typ IteratorType, key []byte, n int, after Position, offset, limit int) ([]*tuple.Tuple, error)
	// Count returns how many tuples Iterate would return.
	Count(typ IteratorType, key []byte, n int) (int, error)
	// Min returns the first tuple whose key starts with the given one, nil when there is none.
	Min(key []byte, n int) (*tuple.Tuple, error)
	// Max returns the last tuple whose key starts with the given one, nil when there is none.
	Max(key []byte, n int) (*tuple.Tuple, error)
	// Random returns some tuple, chosen by the seed, nil when there is none. BITSET and RTREE never return one.
	Random(seed uint32) *tuple.Tuple
	// AppendPosition appends the Position of a tuple. The error is UNSUPPORTED_INDEX_FEATURE for indexes
	// without pages and for those in which a tuple may have several keys.
	AppendPosition(dst []byte, t *tuple.Tuple) ([]byte, error)

	// Snapshot returns the index as it is now, to be read only: its Replace and BulkLoad fail.
	Snapshot() Index
	// Fork returns the index as it is now, as one of its own: changes of either do not show in the other. Like
	// the index itself it may be used by one goroutine at a time.
	Fork() Index
	// BulkLoad fills an empty index, fastest with tuples that are in order already. The error is that of
	// Replace; the index is empty then.
	BulkLoad(tuples []*tuple.Tuple) error
}

// New makes an empty index of the kind that the definition asks for.
func New(def *Def) Index {
	switch def.Type {
	case Hash:
		return NewHash(def)
	case Bitset:
		return NewBitset(def)
	case RTree:
		return NewRTree(def)
	}
	return NewTree(def)
}

// Unsupported is the error for what this kind of index cannot do, such as "pagination".
func (d *Def) Unsupported(feature string) error {
	engine := d.Engine
	if engine == "" {
		engine = "memtx"
	}
	return boxerr.New(boxerr.UnsupportedIndexFeature, d.Name, d.Type.String(), d.Space, engine, feature).
		With("name", boxerr.Unknown.Name()).
		With("index", d.Name).With("index_type", d.Type.String()).
		With("space", d.Space).With("engine", engine).
		With("feature", feature)
}

// iteratorFeature is what an iterator type is called that this kind of index doesn't have.
const iteratorFeature = "requested iterator type"

// duplicate is the error for a key that a unique index has already.
func (d *Def) duplicate(old, new *tuple.Tuple) error {
	return boxerr.New(boxerr.TupleFound, d.Name, d.Space, old, new)
}

// errReadOnly is the error of an attempt to change a snapshot.
func errReadOnly() error {
	return boxerr.New(boxerr.Unsupported, "Snapshot of an index", "changes")
}

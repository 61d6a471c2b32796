package client

import (
	"math"

	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// Iterator says which tuples a Select finds, and in which order.
type Iterator uint32

// The iterators.
const (
	EQ  Iterator = iota // equal to the key
	REQ                 // the same in descending order
	All                 // all, from the key on
	LT                  // less than the key, in descending order
	LE                  // less or equal, in descending order
	GE                  // greater or equal
	GT                  // greater
	BitsAllSet
	BitsAnySet
	BitsAllNotSet
	Overlaps // RTREE: rectangles that overlap
	Neighbor // RTREE: the nearest ones first
)

// Select asks for tuples. Spaces and indexes are found by their names, or by number when the name is empty; names need a
// server with iproto.FeatureSpaceAndIndexNames.
type Select struct {
	Space    string
	SpaceID  uint32
	Index    string // with IndexID 0: the primary index
	IndexID  uint32
	Key      any // an array of the key's parts, nil for the empty one
	Iterator Iterator
	Offset   uint32
	Limit    int // the most tuples to find: 0 for all, negative for none
	// FetchPosition asks for Response.Position.
	FetchPosition bool
	// After is a position to go on behind; AfterTuple is a tuple to go on behind. At most one is set.
	After      string
	AfterTuple any
}

// Type implements Request.
func (Select) Type() iproto.Type { return iproto.TypeSelect }

// AppendBody implements Request.
func (r Select) AppendBody(b []byte) ([]byte, error) {
	w := newBody(b)
	w.space(r.Space, r.SpaceID)
	w.index(r.Index, r.IndexID)
	limit := uint64(math.MaxUint32)
	if r.Limit != 0 {
		limit = min(limit, uint64(max(r.Limit, 0)))
	}
	w.uint(iproto.KeyLimit, limit)
	w.uint(iproto.KeyOffset, uint64(r.Offset))
	w.uint(iproto.KeyIterator, uint64(r.Iterator))
	w.array(iproto.KeyKey, r.Key)
	if r.FetchPosition {
		w.bool(iproto.KeyFetchPosition, true)
	}
	if r.After != "" {
		w.string(iproto.KeyAfterPosition, r.After)
	}
	if r.AfterTuple != nil {
		w.array(iproto.KeyAfterTuple, r.AfterTuple)
	}
	return w.end()
}

// Insert stores a tuple that must be new.
type Insert struct {
	Space   string
	SpaceID uint32
	Tuple   any // an array
}

// Type implements Request.
func (Insert) Type() iproto.Type { return iproto.TypeInsert }

// AppendBody implements Request.
func (r Insert) AppendBody(b []byte) ([]byte, error) {
	return appendTuple(b, r.Space, r.SpaceID, r.Tuple)
}

func appendTuple(b []byte, space string, id uint32, tuple any) ([]byte, error) {
	w := newBody(b)
	w.space(space, id)
	w.array(iproto.KeyTuple, tuple)
	return w.end()
}

// Replace stores a tuple in the place of the one with the same primary key, if there is one.
type Replace struct {
	Space   string
	SpaceID uint32
	Tuple   any // an array
}

// Type implements Request.
func (Replace) Type() iproto.Type { return iproto.TypeReplace }

// AppendBody implements Request.
func (r Replace) AppendBody(b []byte) ([]byte, error) {
	return appendTuple(b, r.Space, r.SpaceID, r.Tuple)
}

// Op is an operation of Update and Upsert on one field, given by its number from 0 on or by its name.
type Op struct {
	// Code is one of = + - & | ^ ! # and :.
	Code  string
	Field any
	Args  []any
}

// Set gives a field a value.
func Set(field, value any) Op { return Op{"=", field, []any{value}} }

// Add adds to a number.
func Add(field, value any) Op { return Op{"+", field, []any{value}} }

// Subtract subtracts from a number.
func Subtract(field, value any) Op { return Op{"-", field, []any{value}} }

// InsertField puts a new field before another one.
func InsertField(field, value any) Op { return Op{"!", field, []any{value}} }

// DeleteFields takes n fields out.
func DeleteFields(field any, n int) Op { return Op{"#", field, []any{n}} }

// Splice replaces n bytes of a string from an offset on.
func Splice(field any, offset, n int, text string) Op { return Op{":", field, []any{offset, n, text}} }

// ops appends operations; raw ones, a MessagePack array, win.
func (w *body) ops(k iproto.Key, ops []Op, raw any) {
	if raw != nil {
		w.array(k, raw)
		return
	}
	w.key(k)
	w.b = msgpack.AppendArrayHeader(w.b, len(ops))
	for _, op := range ops {
		w.b = msgpack.AppendArrayHeader(w.b, 2+len(op.Args))
		w.b = msgpack.AppendString(w.b, op.Code)
		w.append(op.Field)
		for _, v := range op.Args {
			w.append(v)
		}
	}
}

// Update changes fields of a tuple.
type Update struct {
	Space   string
	SpaceID uint32
	Index   string
	IndexID uint32
	Key     any // an array of all parts of a unique index's key
	Ops     []Op
	RawOps  any    // instead of Ops: an array of arrays
	Base    uint32 // the number of the first field in operations: 0 or 1
}

// Type implements Request.
func (Update) Type() iproto.Type { return iproto.TypeUpdate }

// AppendBody implements Request.
func (r Update) AppendBody(b []byte) ([]byte, error) {
	w := newBody(b)
	w.space(r.Space, r.SpaceID)
	w.index(r.Index, r.IndexID)
	w.uint(iproto.KeyIndexBase, uint64(r.Base))
	w.array(iproto.KeyKey, r.Key)
	w.ops(iproto.KeyTuple, r.Ops, r.RawOps)
	return w.end()
}

// Upsert stores a tuple, or changes the one that has its primary key. It returns nothing.
type Upsert struct {
	Space   string
	SpaceID uint32
	Tuple   any // an array
	Ops     []Op
	RawOps  any    // instead of Ops: an array of arrays
	Base    uint32 // the number of the first field in operations: 0 or 1
}

// Type implements Request.
func (Upsert) Type() iproto.Type { return iproto.TypeUpsert }

// AppendBody implements Request.
func (r Upsert) AppendBody(b []byte) ([]byte, error) {
	w := newBody(b)
	w.space(r.Space, r.SpaceID)
	w.uint(iproto.KeyIndexBase, uint64(r.Base))
	w.array(iproto.KeyTuple, r.Tuple)
	w.ops(iproto.KeyOps, r.Ops, r.RawOps)
	return w.end()
}

// Delete takes a tuple out.
type Delete struct {
	Space   string
	SpaceID uint32
	Index   string
	IndexID uint32
	Key     any // an array of all parts of a unique index's key
}

// Type implements Request.
func (Delete) Type() iproto.Type { return iproto.TypeDelete }

// AppendBody implements Request.
func (r Delete) AppendBody(b []byte) ([]byte, error) {
	w := newBody(b)
	w.space(r.Space, r.SpaceID)
	w.index(r.Index, r.IndexID)
	w.array(iproto.KeyKey, r.Key)
	return w.end()
}

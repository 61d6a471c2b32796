// Package tuple holds tuples and everything that is computed from them alone: formats that say which tuples a space
// takes, key definitions that order them, the operations that change them, and collations.
//
// A Tuple is the bytes of a MessagePack array and doesn't change. The rules of the package:
//
//   - What a Tuple or Format was made of has been checked with msgpack.Check; reading it then needs no checks of
//     structure. Broken bytes make functions return something meaningless, but never panic.
//   - Fields are counted from 0 in Go and from 1 in paths and in the texts of errors.
//   - Formats, key definitions and collations don't change once they are made and may be used by many goroutines.
//   - Comparing, hashing and extracting keys don't allocate.
package tuple

import (
	"unsafe"

	"github.com/lycosadb/lycosa/msgpack"
)

// Tuple is a row: a MessagePack array and the id of the format that gives names to its fields. It is the head of an
// allocation in which the bytes follow it, so that a tuple costs one allocation, without pointers that the garbage
// collector would have to follow. Tuples are therefore only made by New and its like, and never copied by value.
type Tuple struct {
	formatID uint32
	size     uint32
}

// headSize is where the bytes begin in the allocation of a tuple.
const headSize = int(unsafe.Sizeof(Tuple{}))

// MaxSize is the longest that the bytes of a tuple can be.
const MaxSize = 1<<32 - 1 - 2*headSize

// New makes a tuple without a format of a MessagePack array, which it copies. The array must be well-formed and
// not longer than MaxSize.
func New(data []byte) *Tuple { return newTuple(0, data) }

// NewFormat makes a tuple of a MessagePack array, which it copies, without checking that it has the format. The
// format may be nil.
func NewFormat(f *Format, data []byte) *Tuple {
	if f == nil {
		return newTuple(0, data)
	}
	return newTuple(f.ID, data)
}

func newTuple(formatID uint32, data []byte) *Tuple {
	// Whole words, and never so small that the allocator would put several tuples into a block without aligning them.
	words := max(2, (headSize+len(data)+7)/8)
	block := make([]uint64, words)
	t := (*Tuple)(unsafe.Pointer(unsafe.SliceData(block)))
	t.formatID = formatID
	t.size = uint32(len(data))
	copy(t.Data(), data)
	return t
}

// Data returns the MessagePack array. It must not be changed.
func (t *Tuple) Data() []byte {
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(t), headSize)), int(t.size))
}

// Size returns the length of the MessagePack array in bytes.
func (t *Tuple) Size() int { return int(t.size) }

// MemorySize returns how many bytes the tuple takes in memory, as far as the tuple knows: what the allocator rounds
// up is not in it.
func (t *Tuple) MemorySize() int { return max(16, (headSize+int(t.size)+7)&^7) }

// FormatID returns the id of the tuple's format, 0 if it has none.
func (t *Tuple) FormatID() uint32 { return t.formatID }

// Format returns the format of the tuple, nil if it has none.
func (t *Tuple) Format() *Format {
	if t.formatID == 0 {
		return nil
	}
	return FormatByID(t.formatID)
}

// Len returns the number of fields.
func (t *Tuple) Len() int {
	n, _, _ := msgpack.ReadArrayHeader(t.Data())
	return n
}

// Field returns the MessagePack value of field i, counted from 0, or nil if there is no such field.
func (t *Tuple) Field(i int) []byte { return Field(t.Data(), i) }

// Field returns the value at index i, counted from 0, of a MessagePack array, or nil if it isn't there.
func Field(array []byte, i int) []byte {
	v := seek(array, i)
	if v == nil {
		return nil
	}
	return value(v)
}

// seek returns the bytes from the value at index i of an array on, nil if there is no such value.
func seek(array []byte, i int) []byte {
	n, rest, _ := msgpack.ReadArrayHeader(array)
	if uint(i) >= uint(n) {
		return nil
	}
	if i > 0 {
		rest, _ = msgpack.SkipN(rest, i)
	}
	return rest
}

// FieldByPath returns the value that a JSON path leads to, such as `addr.city`, `[2].x` or the name of a field. The
// names of fields are those of the tuple's format; a name that is written like a path is a name first of all. It
// returns nil when there is no such value or the path is malformed.
func (t *Tuple) FieldByPath(path string) []byte {
	f := t.Format()
	if f != nil {
		if no, ok := f.FieldByName(path); ok {
			return t.Field(no)
		}
	}
	lex := pathLexer{src: path}
	tok, bad := lex.next()
	if bad != 0 {
		return nil
	}
	no := tok.Index
	switch tok.Kind {
	case TokenIndex:
	case TokenKey:
		if f == nil {
			return nil
		}
		ok := false
		if no, ok = f.FieldByName(tok.Key); !ok {
			return nil
		}
	default:
		return nil
	}
	v := seek(t.Data(), no)
	for v != nil {
		if tok, bad = lex.next(); bad != 0 || tok.Kind == TokenAny {
			return nil
		}
		if tok.Kind == TokenEnd {
			return value(v)
		}
		v = child(v, tok)
	}
	return nil
}

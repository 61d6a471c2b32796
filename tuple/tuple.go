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
	"encoding/binary"
	"unsafe"

	"github.com/lycosadb/lycosa/msgpack"
)

// Tuple is a row: a MessagePack array and the id of the format that gives names to its fields. It is the head of an
// allocation in which the bytes follow it, so that a tuple costs one allocation, without pointers that the garbage
// collector would have to follow. Tuples are therefore only made by New and its like, and never copied by value.
//
// The head is a little-endian number: a bit that says whether it is a long one, the size of the bytes and the id of the
// format. A short head has shortHead bytes, so that those behind it belong to the array already, a long one longHead. The
// few bytes that this saves often make the allocator's next smaller size do.
type Tuple struct {
	head [longHead]byte
}

// How many bytes a head has, and of how many bits its parts are.
const (
	shortHead, longHead          = 3, 8
	shortSizes, longSizes        = 12, 32
	shortFormats                 = 8*shortHead - 1 - shortSizes
	shortFormatAt                = 1 + shortSizes
	longFormatAt                 = 1 + longSizes
	longFlag              uint64 = 1
)

// minAlloc is the least that is allocated for a tuple: the allocator puts what is smaller together with other things into a
// block, and a long head can always be read.
const minAlloc = 16

// MaxSize is the longest that the bytes of a tuple can be.
const MaxSize = 1<<longSizes - 1 - 2*longHead

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
	size, at := uint64(len(data)), shortHead
	head := size<<1 | uint64(formatID)<<shortFormatAt
	if size >= 1<<shortSizes || formatID >= 1<<shortFormats {
		at = longHead
		head = longFlag | size<<1 | uint64(formatID)<<longFormatAt
	}
	block := make([]uint64, (max(minAlloc, at+len(data))+7)/8) // whole words are allocated a little faster than bytes
	t := (*Tuple)(unsafe.Pointer(unsafe.SliceData(block)))
	binary.LittleEndian.PutUint64(t.head[:], head)
	copy(t.Data(), data)
	return t
}

// Data returns the MessagePack array. It must not be changed.
func (t *Tuple) Data() []byte {
	head := binary.LittleEndian.Uint64(t.head[:])
	if head&longFlag == 0 {
		return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(t), shortHead)), int(head>>1&(1<<shortSizes-1)))
	}
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(t), longHead)), int(uint32(head>>1)))
}

// Size returns the length of the MessagePack array in bytes.
func (t *Tuple) Size() int { return len(t.Data()) }

// MemorySize returns how many bytes the tuple takes in memory, as far as the tuple knows: what the allocator rounds
// up is not in it.
func (t *Tuple) MemorySize() int {
	at := shortHead
	if t.head[0]&byte(longFlag) != 0 {
		at = longHead
	}
	return max(minAlloc, (at+t.Size()+7)&^7)
}

// FormatID returns the id of the tuple's format, 0 if it has none.
func (t *Tuple) FormatID() uint32 {
	head := binary.LittleEndian.Uint64(t.head[:])
	if head&longFlag == 0 {
		return uint32(head) >> shortFormatAt & (1<<shortFormats - 1)
	}
	return uint32(head >> longFormatAt)
}

// Format returns the format of the tuple, nil if it has none.
func (t *Tuple) Format() *Format {
	id := t.FormatID()
	if id == 0 {
		return nil
	}
	return FormatByID(id)
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

// Package msgpack encodes and decodes MessagePack (https://github.com/msgpack/msgpack/blob/master/spec.md)
// in place, on byte slices.
//
// There is no encoder or decoder object. An Append function appends one value to a slice and returns the longer
// slice; a Read function takes a slice that begins with a value and returns the value, the rest of the slice and
// whether it was there: ok is false for another type and for a truncated value, and then the rest is nil.
// Nothing here panics on bad input, and only Append and Decode, which convert to and from Go values, allocate.
//
// The usual life of bytes from the network is one Check of the whole packet, after which Skip and the Read
// functions can't run into a malformed value.
package msgpack

// Type is the kind of a MessagePack value, as its first byte tells it.
type Type uint8

// The types. Uint and Int divide the integers by sign of the encoding: the values of Int's forms (0xd0 to 0xd3 and
// the negative fixed integers) may still be non-negative if an encoder was not careful.
const (
	Nil Type = iota
	Bool
	Uint
	Int
	Float32
	Float64
	String
	Bin
	Array
	Map
	Ext
	Invalid // the byte 0xc1, which begins no value
)

var typeNames = [...]string{"nil", "bool", "uint", "int", "float32", "float64", "string", "bin", "array", "map", "ext", "invalid"}

// String returns the lower-case name of t.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "invalid"
}

// TypeOf returns the type of the value that begins with the byte first.
func TypeOf(first byte) Type { return typeTable[first] }

// The first bytes of the forms that are not a range.
const (
	codeNil      = 0xc0
	codeNever    = 0xc1
	codeFalse    = 0xc2
	codeTrue     = 0xc3
	codeBin8     = 0xc4
	codeBin16    = 0xc5
	codeBin32    = 0xc6
	codeExt8     = 0xc7
	codeExt16    = 0xc8
	codeExt32    = 0xc9
	codeFloat32  = 0xca
	codeFloat64  = 0xcb
	codeUint8    = 0xcc
	codeUint16   = 0xcd
	codeUint32   = 0xce
	codeUint64   = 0xcf
	codeInt8     = 0xd0
	codeInt16    = 0xd1
	codeInt32    = 0xd2
	codeInt64    = 0xd3
	codeFixExt1  = 0xd4
	codeFixExt2  = 0xd5
	codeFixExt4  = 0xd6
	codeFixExt8  = 0xd7
	codeFixExt16 = 0xd8
	codeStr8     = 0xd9
	codeStr16    = 0xda
	codeStr32    = 0xdb
	codeArray16  = 0xdc
	codeArray32  = 0xdd
	codeMap16    = 0xde
	codeMap32    = 0xdf

	codeFixMap   = 0x80
	codeFixArray = 0x90
	codeFixStr   = 0xa0
	codeNegative = 0xe0 // the first negative fixed integer, -32
)

// shape says how far a value reaches that begins with a given byte: size bytes, followed by kids values. A size of 0
// means that the length is in the bytes that follow (or that the byte is invalid).
type shape struct {
	size uint8
	kids uint8
}

var (
	shapeTable [256]shape
	typeTable  [256]Type
)

func init() {
	for c := range 256 {
		switch {
		case c < codeFixMap:
			shapeTable[c], typeTable[c] = shape{size: 1}, Uint
		case c < codeFixArray:
			shapeTable[c], typeTable[c] = shape{size: 1, kids: uint8(c&0x0f) * 2}, Map
		case c < codeFixStr:
			shapeTable[c], typeTable[c] = shape{size: 1, kids: uint8(c & 0x0f)}, Array
		case c < codeNil:
			shapeTable[c], typeTable[c] = shape{size: 1 + uint8(c&0x1f)}, String
		case c >= codeNegative:
			shapeTable[c], typeTable[c] = shape{size: 1}, Int
		}
	}
	for _, e := range []struct {
		code byte
		typ  Type
		size uint8
	}{
		{codeNil, Nil, 1}, {codeNever, Invalid, 0}, {codeFalse, Bool, 1}, {codeTrue, Bool, 1},
		{codeBin8, Bin, 0}, {codeBin16, Bin, 0}, {codeBin32, Bin, 0},
		{codeExt8, Ext, 0}, {codeExt16, Ext, 0}, {codeExt32, Ext, 0},
		{codeFloat32, Float32, 5}, {codeFloat64, Float64, 9},
		{codeUint8, Uint, 2}, {codeUint16, Uint, 3}, {codeUint32, Uint, 5}, {codeUint64, Uint, 9},
		{codeInt8, Int, 2}, {codeInt16, Int, 3}, {codeInt32, Int, 5}, {codeInt64, Int, 9},
		{codeFixExt1, Ext, 3}, {codeFixExt2, Ext, 4}, {codeFixExt4, Ext, 6}, {codeFixExt8, Ext, 10}, {codeFixExt16, Ext, 18},
		{codeStr8, String, 0}, {codeStr16, String, 0}, {codeStr32, String, 0},
		{codeArray16, Array, 0}, {codeArray32, Array, 0}, {codeMap16, Map, 0}, {codeMap32, Map, 0},
	} {
		shapeTable[e.code], typeTable[e.code] = shape{size: e.size}, e.typ
	}
}

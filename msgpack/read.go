package msgpack

import (
	"encoding/binary"
	"math"
)

// ReadNil reads nil.
func ReadNil(b []byte) (rest []byte, ok bool) {
	if len(b) == 0 || b[0] != codeNil {
		return nil, false
	}
	return b[1:], true
}

// ReadBool reads true or false.
func ReadBool(b []byte) (v bool, rest []byte, ok bool) {
	if len(b) == 0 || b[0]&^1 != codeFalse {
		return false, nil, false
	}
	return b[0] == codeTrue, b[1:], true
}

// ReadUint reads a non-negative integer of any form.
func ReadUint(b []byte) (v uint64, rest []byte, ok bool) {
	if len(b) > 0 && b[0] < codeFixMap {
		return uint64(b[0]), b[1:], true
	}
	return readLongUint(b)
}

func readLongUint(b []byte) (v uint64, rest []byte, ok bool) {
	switch { // the usual forms first
	case len(b) >= 5 && b[0] == codeUint32:
		return uint64(binary.BigEndian.Uint32(b[1:])), b[5:], true
	case len(b) >= 3 && b[0] == codeUint16:
		return uint64(binary.BigEndian.Uint16(b[1:])), b[3:], true
	}
	v, negative, rest, ok := readInteger(b)
	if !ok || negative {
		return 0, nil, false
	}
	return v, rest, true
}

// ReadInt reads an integer of any form that fits an int64.
func ReadInt(b []byte) (v int64, rest []byte, ok bool) {
	if len(b) > 0 && b[0] < codeFixMap {
		return int64(b[0]), b[1:], true
	}
	return readLongInt(b)
}

func readLongInt(b []byte) (v int64, rest []byte, ok bool) {
	u, negative, rest, ok := readInteger(b)
	if !ok || !negative && u > math.MaxInt64 {
		return 0, nil, false
	}
	return int64(u), rest, true
}

// readInteger reads an integer of any form. A negative one is returned in two's complement.
func readInteger(b []byte) (v uint64, negative bool, rest []byte, ok bool) {
	if len(b) == 0 {
		return 0, false, nil, false
	}
	c := b[0]
	switch {
	case c < codeFixMap:
		return uint64(c), false, b[1:], true
	case c >= codeNegative:
		return uint64(int64(int8(c))), true, b[1:], true
	case c < codeUint8 || c > codeInt64:
		return 0, false, nil, false
	}
	size := int(shapeTable[c].size)
	if len(b) < size {
		return 0, false, nil, false
	}
	rest = b[size:]
	switch c {
	case codeUint8:
		return uint64(b[1]), false, rest, true
	case codeUint16:
		return uint64(binary.BigEndian.Uint16(b[1:])), false, rest, true
	case codeUint32:
		return uint64(binary.BigEndian.Uint32(b[1:])), false, rest, true
	case codeUint64:
		return binary.BigEndian.Uint64(b[1:]), false, rest, true
	case codeInt8:
		v = uint64(int64(int8(b[1])))
	case codeInt16:
		v = uint64(int64(int16(binary.BigEndian.Uint16(b[1:]))))
	case codeInt32:
		v = uint64(int64(int32(binary.BigEndian.Uint32(b[1:]))))
	default:
		v = binary.BigEndian.Uint64(b[1:])
	}
	return v, int64(v) < 0, rest, true
}

// ReadFloat64 reads a number of single or double precision.
func ReadFloat64(b []byte) (v float64, rest []byte, ok bool) {
	switch {
	case len(b) >= 9 && b[0] == codeFloat64:
		return math.Float64frombits(binary.BigEndian.Uint64(b[1:])), b[9:], true
	case len(b) >= 5 && b[0] == codeFloat32:
		return float64(math.Float32frombits(binary.BigEndian.Uint32(b[1:]))), b[5:], true
	}
	return 0, nil, false
}

// ReadNumber reads a number of any type; an integer beyond 2^53 is rounded.
func ReadNumber(b []byte) (v float64, rest []byte, ok bool) {
	if v, rest, ok = ReadFloat64(b); ok {
		return v, rest, true
	}
	u, negative, rest, ok := readInteger(b)
	if negative {
		return float64(int64(u)), rest, ok
	}
	return float64(u), rest, ok
}

// ReadString reads a string. The bytes are a part of b.
func ReadString(b []byte) (s, rest []byte, ok bool) {
	if len(b) > 0 && b[0]&0xe0 == codeFixStr {
		if n := 1 + int(b[0]&0x1f); n <= len(b) {
			return b[1:n:n], b[n:], true
		}
		return nil, nil, false
	}
	return readLongString(b)
}

func readLongString(b []byte) (s, rest []byte, ok bool) {
	if len(b) == 0 || b[0] < codeStr8 || b[0] > codeStr32 {
		return nil, nil, false
	}
	return readSized(b, int(b[0]-codeStr8))
}

// ReadBin reads binary data. The bytes are a part of b.
func ReadBin(b []byte) (data, rest []byte, ok bool) {
	if len(b) == 0 || b[0] < codeBin8 || b[0] > codeBin32 {
		return nil, nil, false
	}
	return readSized(b, int(b[0]-codeBin8))
}

// readSized reads bytes whose number follows the first byte in 1<<width bytes.
func readSized(b []byte, width int) (data, rest []byte, ok bool) {
	n, at, ok := readSize(b, width)
	if !ok || n > len(b)-at {
		return nil, nil, false
	}
	end := at + n
	return b[at:end:end], b[end:], true
}

// readSize reads the number in the 1<<width bytes after the first byte, and returns where they end.
func readSize(b []byte, width int) (n, at int, ok bool) {
	at = 1 + 1<<width
	if len(b) < at {
		return 0, 0, false
	}
	switch width {
	case 0:
		return int(b[1]), at, true
	case 1:
		return int(binary.BigEndian.Uint16(b[1:])), at, true
	}
	return int(binary.BigEndian.Uint32(b[1:])), at, true
}

// ReadArrayHeader reads the header of an array and returns the number of its values. That number is what the header
// claims: before b was checked as a whole, nothing may be allocated by it.
func ReadArrayHeader(b []byte) (n int, rest []byte, ok bool) {
	if len(b) > 0 && b[0]&0xf0 == codeFixArray {
		return int(b[0] & 0x0f), b[1:], true
	}
	return readLongHeader(b, codeArray16)
}

// ReadMapHeader reads the header of a map and returns the number of its pairs. That number is what the header
// claims: before b was checked as a whole, nothing may be allocated by it.
func ReadMapHeader(b []byte) (n int, rest []byte, ok bool) {
	if len(b) > 0 && b[0]&0xf0 == codeFixMap {
		return int(b[0] & 0x0f), b[1:], true
	}
	return readLongHeader(b, codeMap16)
}

// readLongHeader reads the header of an array or map: code16 begins the one with two bytes of length, the next code
// that with four.
func readLongHeader(b []byte, code16 byte) (n int, rest []byte, ok bool) {
	if len(b) == 0 || b[0]-code16 > 1 {
		return 0, nil, false
	}
	n, at, ok := readSize(b, 1+int(b[0]-code16))
	if !ok {
		return 0, nil, false
	}
	return n, b[at:], true
}

// ReadExt reads an extension value. The data is a part of b and not checked.
func ReadExt(b []byte) (typ int8, data, rest []byte, ok bool) {
	if len(b) < 3 {
		return 0, nil, nil, false
	}
	at, n := 2, 0
	switch c := b[0]; {
	case c >= codeFixExt1 && c <= codeFixExt16:
		n = 1 << (c - codeFixExt1)
	case c >= codeExt8 && c <= codeExt32:
		n, at, ok = readSize(b, int(c-codeExt8))
		if !ok || at >= len(b) {
			return 0, nil, nil, false
		}
		at++
	default:
		return 0, nil, nil, false
	}
	if n > len(b)-at {
		return 0, nil, nil, false
	}
	end := at + n
	return int8(b[at-1]), b[at:end:end], b[end:], true
}

package msgpack

import (
	"encoding/binary"
	"math"
)

// AppendNil appends nil.
func AppendNil(b []byte) []byte { return append(b, codeNil) }

// AppendBool appends true or false.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, codeTrue)
	}
	return append(b, codeFalse)
}

// AppendUint appends v in its shortest form.
func AppendUint(b []byte, v uint64) []byte {
	if v < codeFixMap {
		return append(b, byte(v))
	}
	return appendLongUint(b, v)
}

func appendLongUint(b []byte, v uint64) []byte {
	switch {
	case v <= math.MaxUint8:
		return append(b, codeUint8, byte(v))
	case v <= math.MaxUint16:
		return append(b, codeUint16, byte(v>>8), byte(v))
	case v <= math.MaxUint32:
		return AppendUint32Fixed(b, uint32(v))
	}
	return AppendUint64Fixed(b, v)
}

// AppendInt appends v in its shortest form; a non-negative one is encoded as unsigned.
func AppendInt(b []byte, v int64) []byte {
	if v >= 0 {
		return AppendUint(b, uint64(v))
	}
	return appendNegative(b, v)
}

func appendNegative(b []byte, v int64) []byte {
	switch {
	case v >= -32:
		return append(b, byte(v))
	case v >= math.MinInt8:
		return append(b, codeInt8, byte(v))
	case v >= math.MinInt16:
		return append(b, codeInt16, byte(v>>8), byte(v))
	case v >= math.MinInt32:
		return append(b, codeInt32, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
	}
	return binary.BigEndian.AppendUint64(append(b, codeInt64), uint64(v))
}

// AppendUint32Fixed appends v in the five-byte form, however small it is: for numbers that are patched later and for
// headers whose size must not vary.
func AppendUint32Fixed(b []byte, v uint32) []byte {
	return append(b, codeUint32, byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

// AppendUint64Fixed appends v in the nine-byte form, however small it is.
func AppendUint64Fixed(b []byte, v uint64) []byte {
	return append(b, codeUint64, byte(v>>56), byte(v>>48), byte(v>>40), byte(v>>32), byte(v>>24), byte(v>>16), byte(v>>8), byte(v))
}

// AppendFloat32 appends v as a single-precision number.
func AppendFloat32(b []byte, v float32) []byte {
	return binary.BigEndian.AppendUint32(append(b, codeFloat32), math.Float32bits(v))
}

// AppendFloat64 appends v as a double-precision number.
func AppendFloat64(b []byte, v float64) []byte {
	return binary.BigEndian.AppendUint64(append(b, codeFloat64), math.Float64bits(v))
}

// AppendStringHeader appends the header of a string of n bytes; the caller appends the bytes.
func AppendStringHeader(b []byte, n int) []byte {
	switch {
	case n < 32:
		return append(b, codeFixStr|byte(n))
	case n <= math.MaxUint8:
		return append(b, codeStr8, byte(n))
	case n <= math.MaxUint16:
		return append(b, codeStr16, byte(n>>8), byte(n))
	}
	return append(b, codeStr32, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// AppendString appends s as a string.
func AppendString(b []byte, s string) []byte {
	return append(AppendStringHeader(b, len(s)), s...)
}

// AppendStringBytes appends s as a string.
func AppendStringBytes(b []byte, s []byte) []byte {
	return append(AppendStringHeader(b, len(s)), s...)
}

// AppendBin appends v as binary data.
func AppendBin(b []byte, v []byte) []byte {
	n := len(v)
	switch {
	case n <= math.MaxUint8:
		b = append(b, codeBin8, byte(n))
	case n <= math.MaxUint16:
		b = append(b, codeBin16, byte(n>>8), byte(n))
	default:
		b = append(b, codeBin32, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(b, v...)
}

// AppendArrayHeader appends the header of an array of n values.
func AppendArrayHeader(b []byte, n int) []byte {
	switch {
	case n < 16:
		return append(b, codeFixArray|byte(n))
	case n <= math.MaxUint16:
		return append(b, codeArray16, byte(n>>8), byte(n))
	}
	return append(b, codeArray32, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// AppendMapHeader appends the header of a map of n pairs.
func AppendMapHeader(b []byte, n int) []byte {
	switch {
	case n < 16:
		return append(b, codeFixMap|byte(n))
	case n <= math.MaxUint16:
		return append(b, codeMap16, byte(n>>8), byte(n))
	}
	return append(b, codeMap32, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

// AppendExtHeader appends the header of an extension value of n bytes; the caller appends the bytes.
func AppendExtHeader(b []byte, typ int8, n int) []byte {
	switch n {
	case 1:
		return append(b, codeFixExt1, byte(typ))
	case 2:
		return append(b, codeFixExt2, byte(typ))
	case 4:
		return append(b, codeFixExt4, byte(typ))
	case 8:
		return append(b, codeFixExt8, byte(typ))
	case 16:
		return append(b, codeFixExt16, byte(typ))
	}
	switch {
	case n <= math.MaxUint8:
		return append(b, codeExt8, byte(n), byte(typ))
	case n <= math.MaxUint16:
		return append(b, codeExt16, byte(n>>8), byte(n), byte(typ))
	}
	return append(b, codeExt32, byte(n>>24), byte(n>>16), byte(n>>8), byte(n), byte(typ))
}

// AppendExt appends an extension value.
func AppendExt(b []byte, typ int8, data []byte) []byte {
	return append(AppendExtHeader(b, typ, len(data)), data...)
}

package tuple

import (
	"encoding/binary"
	"math"

	"github.com/lycosadb/lycosa/msgpack"
)

// A hint is an integer that stands for the first part of a key: if the hints of two keys differ, the keys are in the
// order of the hints. Equal hints say nothing. Indexes keep hints beside their entries, so that most comparisons
// don't touch a tuple.

// Hint returns the hint of t's key.
func (k *KeyDef) Hint(t *Tuple) uint64 {
	switch k.shape {
	case shapeOneUnsigned:
		v, _, _ := msgpack.ReadUint(seek(t.Data(), k.parts[0].field))
		return v
	case shapeOneString:
		s, _, _ := msgpack.ReadString(seek(t.Data(), k.parts[0].field))
		return prefix(s)
	}
	return k.HintMulti(t, 0)
}

// HintMulti is Hint for the key of t with index multi.
func (k *KeyDef) HintMulti(t *Tuple, multi int) uint64 {
	p := &k.parts[0]
	return p.hint(p.value(t.Data(), multi))
}

// HintKey returns the hint of a key of n parts, n > 0. That of an empty key is 0.
func (k *KeyDef) HintKey(key []byte, n int) uint64 {
	if n == 0 {
		return 0
	}
	return k.parts[0].hint(key)
}

// HintIsKey reports whether the hint tells all: keys are equal if, and only if, their hints are.
func (k *KeyDef) HintIsKey() bool { return k.shape == shapeOneUnsigned }

// hint returns the hint of a value of the part. Nil is 0 and everything else more, so that nil may come first.
func (p *part) hint(v []byte) uint64 {
	var h uint64
	if !isNil(v) {
		h = hintValue(p.typ, p.coll, v)
		if p.nullable {
			h = max(h, 1)
		}
	}
	if p.desc {
		return ^h
	}
	return h
}

// hintValue returns the hint of a value that a field of type t takes.
func hintValue(t FieldType, coll *Collation, v []byte) uint64 {
	switch t {
	case Unsigned:
		u, _, _ := msgpack.ReadUint(v)
		return u
	case Integer:
		return hintInteger(v)
	case String:
		s, _, _ := msgpack.ReadString(v)
		if coll != nil {
			return coll.hint(s)
		}
		return prefix(s)
	case Number, Double, Decimal:
		return hintNumber(v)
	case Boolean:
		if b, _, _ := msgpack.ReadBool(v); b {
			return 1
		}
		return 0
	case Varbinary:
		b, _, _ := msgpack.ReadBin(v)
		return prefix(b)
	case UUID:
		_, data, _, _ := msgpack.ReadExt(v)
		return prefix(data)
	case Datetime:
		seconds, _ := readDatetime(v)
		return uint64(seconds) ^ 1<<63
	}
	return hintScalar(coll, v)
}

// hintScalar puts the class of the value in front of the hint that it has in its class.
func hintScalar(coll *Collation, v []byte) uint64 {
	class := scalarClassOf(v)
	var h uint64
	switch class {
	case classBoolean:
		h = hintValue(Boolean, nil, v) << 4
	case classNumber:
		h = hintNumber(v)
	case classString:
		h = hintValue(String, coll, v)
	case classBinary:
		h = hintValue(Varbinary, nil, v)
	case classUUID:
		h = hintValue(UUID, nil, v)
	case classDatetime:
		h = hintValue(Datetime, nil, v)
	}
	return uint64(class)<<60 | h>>4
}

// prefix returns the first eight bytes as a number, as if zeros followed the end.
func prefix(b []byte) uint64 {
	if len(b) >= 8 {
		return binary.BigEndian.Uint64(b)
	}
	var h uint64
	for i, c := range b {
		h |= uint64(c) << (56 - 8*i)
	}
	return h
}

// hintInteger maps the negative integers to the lower half. All that don't fit an int64 share the greatest hint.
func hintInteger(v []byte) uint64 {
	if u, _, ok := msgpack.ReadUint(v); ok {
		return min(u, math.MaxInt64) | 1<<63
	}
	i, _, _ := msgpack.ReadInt(v)
	return uint64(i) ^ 1<<63
}

// hintNumber is the place of the nearest double among all doubles; rounding keeps the order. NaN is 0.
func hintNumber(v []byte) uint64 {
	n, _ := readNumber(v)
	f := n.float
	switch n.form {
	case formInteger:
		f = float64(n.bits)
		if n.negative {
			f = float64(int64(n.bits))
		}
	case formDecimal:
		var d digits
		d.setDecimal(n.decimal)
		f = d.float64()
	}
	switch {
	case f != f:
		return 0
	case f == 0:
		return 1 << 63 // also for the negative zero
	}
	bits := math.Float64bits(f)
	if bits>>63 != 0 {
		return ^bits
	}
	return bits | 1<<63
}

package tuple

import (
	"bytes"
	"cmp"

	"github.com/lycosadb/lycosa/msgpack"
)

// walk finds the fields of an array, which nothing follows, one after another. Going forward it continues where it is.
type walk struct {
	first []byte // from field 0 on
	rest  []byte // from field at on, empty behind the last one
	at    int
}

func newWalk(array []byte) walk {
	_, first, _ := msgpack.ReadArrayHeader(array)
	return walk{first: first, rest: first}
}

// field returns the bytes from the value of field i on, or an empty slice if there is no such field.
func (w *walk) field(i int) []byte {
	if i != w.at {
		w.move(i)
	}
	return w.rest
}

func (w *walk) move(i int) {
	if i < w.at {
		w.rest, w.at = w.first, 0
	}
	w.rest, _ = msgpack.SkipN(w.rest, i-w.at)
	w.at = i
}

// Compare orders two tuples by their keys: the result is negative if that of a comes first, 0 if they are equal and
// positive otherwise.
func (k *KeyDef) Compare(a, b *Tuple) int {
	switch k.shape {
	case shapeOneUnsigned:
		x, _, _ := msgpack.ReadUint(seek(a.Data(), k.parts[0].field))
		y, _, _ := msgpack.ReadUint(seek(b.Data(), k.parts[0].field))
		return cmp.Compare(x, y)
	case shapeOneString:
		x, _, _ := msgpack.ReadString(seek(a.Data(), k.parts[0].field))
		y, _, _ := msgpack.ReadString(seek(b.Data(), k.parts[0].field))
		return bytes.Compare(x, y)
	case shapePlain:
		return k.comparePlain(a.Data(), b.Data())
	}
	return k.CompareMulti(a, 0, b, 0)
}

// comparePlain compares two tuples' arrays when no part has a path.
func (k *KeyDef) comparePlain(a, b []byte) int {
	wa, wb := newWalk(a), newWalk(b)
	someNil := false
	for i := range k.parts {
		if i == k.UniqueParts && !someNil {
			return 0
		}
		p := &k.parts[i]
		x, y := wa.field(p.field), wb.field(p.field)
		if c := p.compare(x, y); c != 0 {
			return c
		}
		someNil = someNil || p.nullable && isNil(x)
	}
	return 0
}

// CompareMulti is Compare for the key with index ai of a and that with index bi of b, which a multikey definition
// finds there. Other definitions take no notice of the indexes.
func (k *KeyDef) CompareMulti(a *Tuple, ai int, b *Tuple, bi int) int {
	someNil := false
	for i := range k.parts {
		if i == k.UniqueParts && !someNil {
			return 0
		}
		p := &k.parts[i]
		x, y := p.value(a.Data(), ai), p.value(b.Data(), bi)
		if c := p.compare(x, y); c != 0 {
			return c
		}
		someNil = someNil || p.nullable && isNil(x)
	}
	return 0
}

// CompareKey orders the key of t against a key of n parts. Only those parts are compared, so 0 means that t's key
// begins with the other.
func (k *KeyDef) CompareKey(t *Tuple, key []byte, n int) int {
	switch k.shape {
	case shapeOneUnsigned:
		if n == 0 {
			return 0
		}
		x, _, _ := msgpack.ReadUint(seek(t.Data(), k.parts[0].field))
		y, _, _ := msgpack.ReadUint(key)
		return cmp.Compare(x, y)
	case shapeOneString:
		if n == 0 {
			return 0
		}
		x, _, _ := msgpack.ReadString(seek(t.Data(), k.parts[0].field))
		y, _, _ := msgpack.ReadString(key)
		return bytes.Compare(x, y)
	case shapePlain:
		w := newWalk(t.Data())
		for i := range k.parts[:n] {
			p := &k.parts[i]
			if c := p.compare(w.field(p.field), key); c != 0 {
				return c
			}
			if i+1 < n {
				key, _ = msgpack.Skip(key)
			}
		}
		return 0
	}
	return k.CompareKeyMulti(t, 0, key, n)
}

// CompareKeyMulti is CompareKey for the key of t with index multi.
func (k *KeyDef) CompareKeyMulti(t *Tuple, multi int, key []byte, n int) int {
	for i := range k.parts[:n] {
		p := &k.parts[i]
		if c := p.compare(p.value(t.Data(), multi), key); c != 0 {
			return c
		}
		if i+1 < n {
			key, _ = msgpack.Skip(key)
		}
	}
	return 0
}

// CompareKeys orders two keys by the parts that both have.
func (k *KeyDef) CompareKeys(a []byte, an int, b []byte, bn int) int {
	for i := range k.parts[:min(an, bn)] {
		if c := k.parts[i].compare(a, b); c != 0 {
			return c
		}
		a, _ = msgpack.Skip(a)
		b, _ = msgpack.Skip(b)
	}
	return 0
}

// compare orders two values of the part.
func (p *part) compare(a, b []byte) int {
	c := 0
	switch {
	case !p.nullable || !isNil(a) && !isNil(b):
		c = compareValues(p.typ, p.coll, a, b)
	case !isNil(a):
		c = 1
	case !isNil(b):
		c = -1
	}
	if p.desc {
		return -c
	}
	return c
}

// compareValues orders two values, neither of them nil, that a field of type t takes.
func compareValues(t FieldType, coll *Collation, a, b []byte) int {
	switch t {
	case Unsigned:
		x, _, _ := msgpack.ReadUint(a)
		y, _, _ := msgpack.ReadUint(b)
		return cmp.Compare(x, y)
	case String:
		x, _, _ := msgpack.ReadString(a)
		y, _, _ := msgpack.ReadString(b)
		if coll != nil {
			return coll.Compare(x, y)
		}
		return bytes.Compare(x, y)
	case Integer:
		return compareIntegers(a, b)
	case Number, Double, Decimal:
		return compareNumbers(a, b)
	case Boolean:
		return compareBooleans(a, b)
	case Varbinary:
		return compareBinary(a, b)
	case UUID:
		return compareUUIDs(a, b)
	case Datetime:
		return compareDatetimes(a, b)
	}
	return compareScalars(coll, a, b)
}

// scalarClass is the order of the classes of scalar values: values of a lower one come before all of a higher one.
type scalarClass uint8

const (
	classNil scalarClass = iota
	classBoolean
	classNumber
	classString
	classBinary
	classUUID
	classDatetime
	classOther
)

func scalarClassOf(v []byte) scalarClass {
	if len(v) == 0 {
		return classNil
	}
	switch kindOf(v) {
	case kindNil:
		return classNil
	case kind(msgpack.Bool):
		return classBoolean
	case kind(msgpack.Uint), kind(msgpack.Int), kind(msgpack.Float32), kind(msgpack.Float64), kindDecimal:
		return classNumber
	case kind(msgpack.String):
		return classString
	case kind(msgpack.Bin):
		return classBinary
	case kindUUID:
		return classUUID
	case kindDatetime:
		return classDatetime
	}
	return classOther
}

// compareScalars orders values of any scalar types, first by their class.
func compareScalars(coll *Collation, a, b []byte) int {
	class, other := scalarClassOf(a), scalarClassOf(b)
	if class != other {
		return cmp.Compare(class, other)
	}
	switch class {
	case classBoolean:
		return compareBooleans(a, b)
	case classNumber:
		return compareNumbers(a, b)
	case classString:
		return compareValues(String, coll, a, b)
	case classBinary:
		return compareBinary(a, b)
	case classUUID:
		return compareUUIDs(a, b)
	case classDatetime:
		return compareDatetimes(a, b)
	}
	return 0
}

func compareBooleans(a, b []byte) int {
	x, _, _ := msgpack.ReadBool(a)
	y, _, _ := msgpack.ReadBool(b)
	switch {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}

func compareBinary(a, b []byte) int {
	x, _, _ := msgpack.ReadBin(a)
	y, _, _ := msgpack.ReadBin(b)
	return bytes.Compare(x, y)
}

// compareUUIDs orders them as the 16 bytes that they are.
func compareUUIDs(a, b []byte) int {
	_, x, _, _ := msgpack.ReadExt(a)
	_, y, _, _ := msgpack.ReadExt(b)
	return bytes.Compare(x, y)
}

// compareDatetimes orders points in time; time zones don't count.
func compareDatetimes(a, b []byte) int {
	xs, xn := readDatetime(a)
	ys, yn := readDatetime(b)
	if c := cmp.Compare(xs, ys); c != 0 {
		return c
	}
	return cmp.Compare(xn, yn)
}

// readDatetime returns the seconds since 1970 and the nanoseconds of a datetime.
func readDatetime(v []byte) (seconds int64, nanoseconds int32) {
	_, data, _, ok := msgpack.ReadExt(v)
	if !ok || len(data) < 8 {
		return 0, 0
	}
	seconds = int64(littleUint64(data))
	if len(data) >= 12 {
		nanoseconds = int32(littleUint32(data[8:]))
	}
	return seconds, nanoseconds
}

package tuple

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"strconv"
	"unsafe"

	"github.com/lycosadb/lycosa/mpext"
	"github.com/lycosadb/lycosa/msgpack"
)

func littleUint64(b []byte) uint64 { return binary.LittleEndian.Uint64(b) }
func littleUint32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// number is a number of a MessagePack value: an integer of 65 bits, a double, or a decimal that is still encoded.
type number struct {
	form     numberForm
	negative bool    // of an integer
	bits     uint64  // of an integer, in two's complement
	float    float64 // of a double
	decimal  []byte  // the extension data of a decimal
}

type numberForm uint8

const (
	formInteger numberForm = iota
	formFloat32
	formFloat64
	formDecimal
)

// readNumber reads a number; ok is false for any other value.
func readNumber(v []byte) (n number, ok bool) {
	if len(v) == 0 {
		return n, false
	}
	switch msgpack.TypeOf(v[0]) {
	case msgpack.Uint:
		n.bits, _, ok = msgpack.ReadUint(v)
	case msgpack.Int:
		var i int64
		i, _, ok = msgpack.ReadInt(v)
		n.bits, n.negative = uint64(i), i < 0
	case msgpack.Float32:
		n.form = formFloat32
		n.float, _, ok = msgpack.ReadFloat64(v)
	case msgpack.Float64:
		n.form = formFloat64
		n.float, _, ok = msgpack.ReadFloat64(v)
	case msgpack.Ext:
		var typ int8
		typ, n.decimal, _, ok = msgpack.ReadExt(v)
		n.form = formDecimal
		ok = ok && typ == extDecimal
	}
	return n, ok
}

// compareNumbers orders numbers of all types by what they stand for. NaN comes first and equals itself.
//
// Integers and doubles are compared exactly. Against a decimal a double counts as the shortest decimal that is read
// back as that double, so that 0.1 and the decimal 0.1 are one key; where doubles have no fraction any more but
// integers still exist, from 2^53 to 2^64, it counts as the integer that it is. So the three types are in one order.
func compareNumbers(a, b []byte) int {
	x, _ := readNumber(a)
	y, _ := readNumber(b)
	switch {
	case x.form == formDecimal && y.form == formDecimal:
		return mpext.CompareDecimalData(x.decimal, y.decimal)
	case x.form == formDecimal || y.form == formDecimal:
		return compareMixed(x, y)
	case x.form == formInteger && y.form == formInteger:
		return compareIntegers(a, b)
	case x.form == formInteger:
		return -compareFloatInteger(y.float, x)
	case y.form == formInteger:
		return compareFloatInteger(x.float, y)
	}
	return cmp.Compare(x.float, y.float)
}

// compareIntegers orders integers.
func compareIntegers(a, b []byte) int {
	x, _, positive := msgpack.ReadUint(a)
	y, _, otherPositive := msgpack.ReadUint(b)
	switch {
	case positive && otherPositive:
		return cmp.Compare(x, y)
	case positive:
		return 1
	case otherPositive:
		return -1
	}
	i, _, _ := msgpack.ReadInt(a)
	j, _, _ := msgpack.ReadInt(b)
	return cmp.Compare(i, j)
}

// compareFloatInteger compares a double with an integer exactly.
func compareFloatInteger(f float64, i number) int {
	switch {
	case math.IsNaN(f):
		return -1
	case i.negative:
		if f < math.MinInt64 {
			return -1
		}
		if f >= 0 {
			return 1
		}
		whole := math.Floor(f)
		if c := cmp.Compare(int64(whole), int64(i.bits)); c != 0 || whole == f {
			return c
		}
		return 1
	case f < 0:
		return -1
	case f >= 1<<64:
		return 1
	}
	whole := math.Floor(f)
	if c := cmp.Compare(uint64(whole), i.bits); c != 0 || whole == f {
		return c
	}
	return 1
}

// digits is a finite number in decimal: 0.d1d2d3… * 10^exp, without leading or trailing zeros.
type digits struct {
	sign int // -1, 0 or 1
	exp  int
	n    int
	d    [48]byte // values 0 to 9
}

// maxDigits is more than a decimal, a 64-bit integer or the shortest form of a double has.
const maxDigits = len(digits{}.d)

// compareMixed compares a decimal with a number of another type.
func compareMixed(x, y number) int {
	xi, yi := infinity(x), infinity(y)
	if xi != 0 || yi != 0 {
		return cmp.Compare(xi, yi)
	}
	var dx, dy digits
	dx.set(x)
	dy.set(y)
	if dx.sign != dy.sign || dx.sign == 0 {
		return cmp.Compare(dx.sign, dy.sign)
	}
	c := cmp.Compare(dx.exp, dy.exp)
	if c == 0 {
		c = bytes.Compare(dx.d[:dx.n], dy.d[:dy.n])
	}
	return c * dx.sign
}

// infinity places what has no digits: -2 for NaN, -1 and 1 for the infinities, 0 for finite numbers.
func infinity(n number) int {
	switch {
	case n.form == formInteger || n.form == formDecimal:
		return 0
	case math.IsNaN(n.float):
		return -2
	case math.IsInf(n.float, -1):
		return -1
	case math.IsInf(n.float, 1):
		return 1
	}
	return 0
}

// set takes over a finite number.
func (d *digits) set(n number) {
	switch n.form {
	case formInteger:
		abs := n.bits
		if n.negative {
			abs = -abs
		}
		d.setUint(abs, n.negative)
	case formDecimal:
		d.setDecimal(n.decimal)
	default:
		d.setFloat(n.float)
	}
}

func (d *digits) setUint(v uint64, negative bool) {
	var buf [20]byte
	text := strconv.AppendUint(buf[:0], v, 10)
	for i := range text {
		text[i] -= '0'
	}
	d.setDigits(text, len(text), negative)
}

func (d *digits) setFloat(f float64) {
	if abs := math.Abs(f); abs >= 1<<53 && abs < 1<<64 {
		d.setUint(uint64(abs), f < 0)
		return
	}
	var buf [32]byte
	text := strconv.AppendFloat(buf[:0], math.Abs(f), 'e', -1, 64) // as in 1.25e-05
	e := bytes.IndexByte(text, 'e')
	exp, _ := strconv.Atoi(string(text[e+1:]))
	n := 0
	for _, c := range text[:e] {
		if c != '.' {
			text[n] = c - '0'
			n++
		}
	}
	d.setDigits(text[:n], exp+1, f < 0)
}

// setDecimal takes over the extension data of a decimal: the scale as a MessagePack integer, then digits of four bits
// each, of which the last is the sign.
func (d *digits) setDecimal(data []byte) {
	scale, bcd, ok := msgpack.ReadInt(data)
	if !ok || len(bcd) == 0 {
		return
	}
	var buf [maxDigits]byte
	n := 0
	for i := 0; i < 2*len(bcd)-1 && n < len(buf); i++ {
		digit := bcd[i/2] >> 4
		if i%2 == 1 {
			digit = bcd[i/2] & 0xf
		}
		if n > 0 || digit != 0 {
			buf[n] = digit
			n++
		}
	}
	sign := bcd[len(bcd)-1] & 0xf
	d.setDigits(buf[:n], n-int(scale), sign == 0x0b || sign == 0x0d)
}

// setDigits takes over digits, of which exp stand before the point.
func (d *digits) setDigits(text []byte, exp int, negative bool) {
	for len(text) > 0 && text[0] == 0 {
		text = text[1:]
		exp--
	}
	for len(text) > 0 && text[len(text)-1] == 0 {
		text = text[:len(text)-1]
	}
	d.n = copy(d.d[:], text)
	d.exp = exp
	switch {
	case d.n == 0:
		d.sign, d.exp = 0, 0
	case negative:
		d.sign = -1
	default:
		d.sign = 1
	}
}

// float64 returns the double nearest to the number.
func (d *digits) float64() float64 {
	if d.sign == 0 {
		return 0
	}
	var buf [maxDigits + 16]byte
	text := append(buf[:0], "-0."...)
	for _, c := range d.d[:d.n] {
		text = append(text, c+'0')
	}
	text = append(text, 'e')
	text = strconv.AppendInt(text, int64(d.exp), 10)
	if d.sign > 0 {
		text = text[1:]
	}
	f, _ := strconv.ParseFloat(unsafe.String(unsafe.SliceData(text), len(text)), 64)
	return f
}

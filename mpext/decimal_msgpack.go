package mpext

import (
	"bytes"

	"github.com/lycosadb/lycosa/msgpack"
)

func init() { register(DecimalType, DecodeDecimal) }

// AppendMsgpack appends the extension value: the scale as a MessagePack integer (negative if zeros follow the digits),
// then the digits as packed BCD, the last nibble being the sign.
func (d Decimal) AppendMsgpack(b []byte) []byte {
	var buf [2 * MaxDigits]byte
	digits := d.appendDigits(buf[:0])
	scale := -int64(d.v.Exponent)
	packed := len(digits)/2 + 1
	scaleSize := 1
	if scale < -32 {
		scaleSize = 2 // beyond the smallest fixed integer
	}
	b = msgpack.AppendExtHeader(b, DecimalType, scaleSize+packed)
	b = msgpack.AppendInt(b, scale)
	sign := byte(0x0c)
	if d.v.Negative {
		sign = 0x0d
	}
	i := 0
	if len(digits)%2 == 0 {
		b = append(b, digits[0]&0x0f)
		i = 1
	}
	for ; i+1 < len(digits); i += 2 {
		b = append(b, digits[i]<<4|digits[i+1]&0x0f)
	}
	return append(b, digits[i]<<4|sign)
}

// packed is the content of an encoded decimal, read in place.
type packed struct {
	data     []byte // the bytes of digits and sign
	first    int    // the nibble of the first digit that isn't zero
	digits   int    // digits from there on, 0 for zero
	scale    int
	negative bool
}

// nibble returns the i-th nibble.
func (p *packed) nibble(i int) byte {
	c := p.data[i>>1]
	if i&1 == 0 {
		return c >> 4
	}
	return c & 0x0f
}

// unpack reads the data of an extension value and checks it.
func unpack(data []byte) (p packed, ok bool) {
	scale, rest, ok := msgpack.ReadInt(data)
	if !ok || len(rest) == 0 || scale < -maxExponent || scale > MaxDigits {
		return p, false
	}
	p.data, p.scale = rest, int(scale)
	last := 2*len(rest) - 1
	switch rest[len(rest)-1] & 0x0f {
	case 0x0a, 0x0c, 0x0e, 0x0f:
	case 0x0b, 0x0d:
		p.negative = true
	default:
		return p, false
	}
	if last == 0 {
		return p, false
	}
	p.first = last
	for i := range last {
		n := p.nibble(i)
		if n > 9 {
			return p, false
		}
		if n != 0 && p.first == last {
			p.first = i
		}
	}
	p.digits = last - p.first
	return p, p.digits <= MaxDigits && p.digits-p.scale <= MaxDigits
}

// DecodeDecimal reads the data of an extension value. It refuses what is no decimal of 38 digits.
func DecodeDecimal(data []byte) (Decimal, bool) {
	p, ok := unpack(data)
	if !ok {
		return Decimal{}, false
	}
	var digits [MaxDigits]byte
	for i := range p.digits {
		digits[i] = p.nibble(p.first + i)
	}
	var d Decimal
	setDigits(&d.v.Coeff, digits[:p.digits])
	d.v.Exponent = -int32(p.scale)
	d.v.Negative = p.negative
	return d, true
}

// CompareDecimalData compares the data of two extension values in place. Malformed data counts as zero.
func CompareDecimalData(a, b []byte) int {
	if bytes.Equal(a, b) {
		return 0
	}
	p, _ := unpack(a)
	q, _ := unpack(b)
	switch {
	case p.digits == 0 && q.digits == 0:
		return 0
	case p.digits == 0:
		return -q.sign()
	case q.digits == 0 || p.negative != q.negative:
		return p.sign()
	}
	// The place of the leading digits decides, then the digits from there on, the shorter number ending in zeros.
	if pp, qp := p.digits-p.scale, q.digits-q.scale; pp != qp {
		if pp < qp {
			return -p.sign()
		}
		return p.sign()
	}
	for i := range max(p.digits, q.digits) {
		var x, y byte
		if i < p.digits {
			x = p.nibble(p.first + i)
		}
		if i < q.digits {
			y = q.nibble(q.first + i)
		}
		if x < y {
			return -p.sign()
		}
		if x > y {
			return p.sign()
		}
	}
	return 0
}

// sign returns the sign of a number that isn't zero.
func (p *packed) sign() int {
	if p.negative {
		return -1
	}
	return 1
}

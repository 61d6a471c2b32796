package mpext

import (
	"math"
	"math/big"
	"strconv"

	"github.com/cockroachdb/apd/v3"

	"github.com/lycosadb/lycosa/boxerr"
)

// MaxDigits is the number of significant digits of a Decimal, and the largest scale.
const MaxDigits = 38

// Decimal is an exact decimal number of up to 38 digits, of which up to 38 may follow the point. It remembers its
// scale: 1.50 and 1.5 are equal but print differently. The zero value is 0. Results that need more digits are rounded,
// halves away from zero. Decimals are values: copy them freely, and compare them with Compare.
type Decimal struct {
	v apd.Decimal // always finite
}

// maxExponent is the exponent of the leading digit of the largest Decimal.
const maxExponent = MaxDigits - 1

// decimalContext rounds like the reference. With the smallest exponent of a leading digit at -1, numbers below 0.1
// lose their last digits instead of going beyond 38 of them after the point.
var decimalContext = apd.Context{
	Precision:   MaxDigits,
	MaxExponent: maxExponent,
	MinExponent: -1,
	Rounding:    apd.RoundHalfUp,
}

// harmless are the conditions under which a result is still a Decimal.
const harmless = apd.Inexact | apd.Rounded | apd.Underflow | apd.Subnormal | apd.Clamped

// errDecimal is the error of an operation whose result is no Decimal.
func errDecimal() error { return boxerr.Luajit("decimal operation failed") }

// finish returns the result of an operation with its conditions.
func (d *Decimal) finish(c apd.Condition, err error) (Decimal, error) {
	if err != nil || c&^harmless != 0 || d.v.Form != apd.Finite {
		return Decimal{}, errDecimal()
	}
	d.clampZero()
	return *d, nil
}

// clampZero brings the exponent of a zero into the range of exponents.
func (d *Decimal) clampZero() {
	if d.v.Coeff.Sign() == 0 {
		d.v.Exponent = min(max(d.v.Exponent, -MaxDigits), maxExponent)
	}
}

// DecimalFromInt returns v.
func DecimalFromInt(v int64) Decimal {
	var d Decimal
	d.v.SetInt64(v)
	return d
}

// DecimalFromUint returns v.
func DecimalFromUint(v uint64) Decimal {
	var d Decimal
	d.v.Coeff.SetUint64(v)
	return d
}

// DecimalFromFloat returns the decimal of v's 15 significant digits, as the reference does; digits beyond are an
// artifact of binary. It fails for infinities, NaN and numbers from 1e38 on.
func DecimalFromFloat(v float64) (Decimal, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Decimal{}, errDecimal()
	}
	var buf [32]byte
	return ParseDecimal(string(strconv.AppendFloat(buf[:0], v, 'g', 15, 64)))
}

// ParseDecimal reads an optional sign, digits with an optional point among or around them, and an optional exponent. A
// number with more digits than fit is rounded; one of 10^38 or more is an error.
func ParseDecimal(s string) (Decimal, error) {
	d, ok := parseDecimal(s)
	if !ok {
		return Decimal{}, boxerr.New(boxerr.InvalidDec, s)
	}
	return d, nil
}

// parsedDigits is how many digits of a text are looked at: more than enough to round half up.
const parsedDigits = 2*MaxDigits + 2

func parseDecimal(s string) (d Decimal, ok bool) {
	var digits [parsedDigits]byte
	n := 0 // digits kept, without leading zeros
	exponent := 0
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		d.v.Negative = s[i] == '-'
		i++
	}
	seen, point := false, false
	for ; i < len(s); i++ {
		c := s[i]
		if c == '.' && !point {
			point = true
			continue
		}
		if c < '0' || c > '9' {
			break
		}
		seen = true
		if point {
			exponent--
		}
		switch {
		case n == 0 && c == '0':
		case n < len(digits):
			digits[n] = c
			n++
		default:
			exponent++
		}
	}
	if !seen {
		return Decimal{}, false
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		e, rest, ok := parseExponent(s[i+1:])
		if !ok || rest != "" {
			return Decimal{}, false
		}
		exponent += e
		i = len(s)
	}
	if i != len(s) {
		return Decimal{}, false
	}
	// Far outside of these bounds a number is zero or too large whatever its digits, as long as they are not much
	// more than a megabyte of them.
	exponent = min(max(exponent, -2*maxParsedExponent), 2*maxParsedExponent)
	if n == 0 {
		d.v.Exponent = int32(exponent)
		d.clampZero()
		return d, true
	}
	if exponent < -(parsedDigits + MaxDigits + 1) {
		// All digits are behind the last place that is kept.
		d.v.Exponent = -MaxDigits
		return d, true
	}
	if exponent > maxExponent {
		return Decimal{}, false
	}
	setDigits(&d.v.Coeff, digits[:n])
	d.v.Exponent = int32(exponent)
	c, err := decimalContext.Round(&d.v, &d.v)
	d, err = d.finish(c, err)
	return d, err == nil
}

// maxParsedExponent bounds the exponents that are added up while a text is parsed.
const maxParsedExponent = 1 << 30

// parseExponent reads a number with an optional sign.
func parseExponent(s string) (e int, rest string, ok bool) {
	negative := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		negative = s[0] == '-'
		s = s[1:]
	}
	for s != "" && s[0] >= '0' && s[0] <= '9' {
		ok = true
		e = min(e*10+int(s[0]-'0'), maxParsedExponent)
		s = s[1:]
	}
	if negative {
		e = -e
	}
	return e, s, ok
}

// chunk is how many decimal digits are added to a coefficient at a time, what fits a uint64.
const chunk = 19

// setDigits sets z to the number that the digits write.
func setDigits(z *apd.BigInt, digits []byte) {
	z.SetUint64(0)
	var part, scale apd.BigInt
	for len(digits) > 0 {
		n := min(chunk, len(digits))
		var v uint64
		factor := uint64(1)
		for _, c := range digits[:n] {
			v = v*10 + uint64(c&0x0f)
			factor *= 10
		}
		if len(digits) == n && z.Sign() == 0 {
			z.SetUint64(v)
			return
		}
		z.Add(z.Mul(z, scale.SetUint64(factor)), part.SetUint64(v))
		digits = digits[n:]
	}
}

// appendDigits appends the digits of d's coefficient.
func (d *Decimal) appendDigits(b []byte) []byte {
	if d.v.Coeff.IsUint64() {
		return strconv.AppendUint(b, d.v.Coeff.Uint64(), 10)
	}
	return d.v.Coeff.Append(b, 10)
}

// AppendText appends the text form: all digits, without an exponent.
func (d Decimal) AppendText(b []byte) []byte {
	var buf [2 * MaxDigits]byte
	digits := d.appendDigits(buf[:0])
	if d.v.Negative {
		b = append(b, '-')
	}
	scale := -int(d.v.Exponent)
	if scale <= 0 {
		b = append(b, digits...)
		for range -scale {
			b = append(b, '0')
		}
		return b
	}
	if whole := len(digits) - scale; whole > 0 {
		b = append(b, digits[:whole]...)
		digits = digits[whole:]
	} else {
		b = append(b, '0')
	}
	b = append(b, '.')
	for range scale - len(digits) {
		b = append(b, '0')
	}
	return append(b, digits...)
}

// String returns the text form: all digits, without an exponent.
func (d Decimal) String() string {
	var buf [MaxDigits*2 + 3]byte
	return string(d.AppendText(buf[:0]))
}

// Sign returns -1, 0 or 1.
func (d Decimal) Sign() int { return d.v.Sign() }

// IsZero reports whether d is zero of any sign and scale.
func (d Decimal) IsZero() bool { return d.v.Coeff.Sign() == 0 }

// Scale returns how many digits follow the point.
func (d Decimal) Scale() int { return max(0, -int(d.v.Exponent)) }

// Precision returns how many digits the text form has without leading zeros, at least as many as follow the point.
func (d Decimal) Precision() int {
	digits := int(d.v.NumDigits())
	if d.v.Exponent < 0 {
		return max(digits, d.Scale())
	}
	return digits + int(d.v.Exponent)
}

// IsInt reports whether d has no fraction, whatever its scale.
func (d Decimal) IsInt() bool {
	t := d.Trim()
	return t.v.Exponent >= 0
}

// Int64 returns d as an integer; ok is false if it has a fraction or doesn't fit.
func (d Decimal) Int64() (v int64, ok bool) {
	u, ok := d.magnitude()
	switch {
	case !ok:
		return 0, false
	case d.v.Negative:
		return -int64(u), u <= 1<<63
	}
	return int64(u), u < 1<<63
}

// Uint64 returns d as a non-negative integer; ok is false if it has a fraction, is negative or doesn't fit.
func (d Decimal) Uint64() (v uint64, ok bool) {
	u, ok := d.magnitude()
	if !ok || d.v.Negative && u != 0 {
		return 0, false
	}
	return u, true
}

// magnitude returns the absolute value of d if that is an integer that fits.
func (d Decimal) magnitude() (uint64, bool) {
	if d.IsZero() {
		return 0, true
	}
	d = d.Trim()
	if d.v.Exponent < 0 || !d.v.Coeff.IsUint64() {
		return 0, false
	}
	u := d.v.Coeff.Uint64()
	for range d.v.Exponent {
		if u > math.MaxUint64/10 {
			return 0, false
		}
		u *= 10
	}
	return u, true
}

// powersOf10 are the powers that a float64 holds exactly.
var powersOf10 = [...]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
	1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// Float64 returns the nearest float64.
func (d Decimal) Float64() float64 {
	if d.v.Coeff.IsUint64() {
		// An integer and a power of ten that are both exact give a correctly rounded result in one operation.
		if u := d.v.Coeff.Uint64(); u <= 1<<53 {
			f := float64(u)
			if d.v.Negative {
				f = -f
			}
			switch e := int(d.v.Exponent); {
			case e >= 0 && e < len(powersOf10) && u < 1<<20:
				if e <= 9 {
					return f * powersOf10[e]
				}
			case e < 0 && -e < len(powersOf10):
				return f / powersOf10[-e]
			}
		}
	}
	f, _ := strconv.ParseFloat(d.String(), 64)
	return f
}

// Compare returns -1, 0 or 1. Scales don't matter.
func (d Decimal) Compare(e Decimal) int { return d.v.Cmp(&e.v) }

// CompareInt compares d with v.
func (d Decimal) CompareInt(v int64) int { return d.Compare(DecimalFromInt(v)) }

// CompareUint compares d with v.
func (d Decimal) CompareUint(v uint64) int { return d.Compare(DecimalFromUint(v)) }

// CompareFloat compares d with the exact value of v. NaN is less than every Decimal.
func (d Decimal) CompareFloat(v float64) int {
	switch {
	case math.IsNaN(v), math.IsInf(v, -1):
		return 1
	case math.IsInf(v, 1):
		return -1
	}
	// Rounding to the nearest float64 keeps the order, so only decimals that round to v itself need more work.
	switch f := d.Float64(); {
	case f < v:
		return -1
	case f > v:
		return 1
	}
	if v == math.Trunc(v) && math.Abs(v) < 1<<63 {
		return d.CompareInt(int64(v))
	}
	var exact, r big.Rat
	exact.SetFloat64(v)
	r.SetString(d.String())
	return r.Cmp(&exact)
}

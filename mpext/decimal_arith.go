package mpext

import "github.com/cockroachdb/apd/v3"

// Add returns d + e. Its scale is the larger one of the two. It fails if the result is too large.
func (d Decimal) Add(e Decimal) (Decimal, error) {
	var r Decimal
	return r.finish(decimalContext.Add(&r.v, &d.v, &e.v))
}

// Sub returns d - e. Its scale is the larger one of the two. It fails if the result is too large.
func (d Decimal) Sub(e Decimal) (Decimal, error) {
	var r Decimal
	return r.finish(decimalContext.Sub(&r.v, &d.v, &e.v))
}

// Mul returns d * e. Its scale is the sum of the two. It fails if the result is too large.
func (d Decimal) Mul(e Decimal) (Decimal, error) {
	var r Decimal
	return r.finish(decimalContext.Mul(&r.v, &d.v, &e.v))
}

// Quo returns d / e: an exact quotient with the scale nearest to the difference of the two, any other with all digits.
// It fails if e is zero or the result is too large.
func (d Decimal) Quo(e Decimal) (Decimal, error) {
	if e.IsZero() {
		return Decimal{}, errDecimal()
	}
	var r Decimal
	c, err := decimalContext.Quo(&r.v, &d.v, &e.v)
	if c&apd.Inexact == 0 {
		r.trimTo(d.v.Exponent - e.v.Exponent)
	}
	return r.finish(c, err)
}

// Rem returns what is left of d after dividing it by e a whole number of times. It has the sign of d. It fails if e is
// zero or the quotient has more digits than a Decimal.
func (d Decimal) Rem(e Decimal) (Decimal, error) {
	if e.IsZero() {
		return Decimal{}, errDecimal()
	}
	var r Decimal
	return r.finish(decimalContext.Rem(&r.v, &d.v, &e.v))
}

// Pow returns d to the power of e. It fails for 0 to the power of 0, a negative d with a fractional e, and a result that
// is too large.
func (d Decimal) Pow(e Decimal) (Decimal, error) {
	var r Decimal
	c, err := decimalContext.Pow(&r.v, &d.v, &e.v)
	if c&apd.Inexact == 0 && e.Sign() < 0 {
		r.trimTo(0)
	}
	return r.finish(c, err)
}

// Sqrt returns the square root. It fails if d is negative.
func (d Decimal) Sqrt() (Decimal, error) {
	var r Decimal
	c, err := decimalContext.Sqrt(&r.v, &d.v)
	ideal := d.v.Exponent >> 1 // floored half
	r.trimTo(ideal)
	return r.finish(c, err)
}

// Exp returns e to the power of d. It fails if the result is too large.
func (d Decimal) Exp() (Decimal, error) {
	if d.IsZero() {
		return DecimalFromInt(1), nil
	}
	if d.CompareInt(100) > 0 {
		// The result has more than 38 digits; there is no need to compute it.
		return Decimal{}, errDecimal()
	}
	if d.CompareInt(-100) < 0 {
		return Decimal{v: apd.Decimal{Exponent: -MaxDigits}}, nil
	}
	var r Decimal
	return r.finish(decimalContext.Exp(&r.v, &d.v))
}

// Ln returns the natural logarithm. It fails if d is not positive.
func (d Decimal) Ln() (Decimal, error) {
	if d.Sign() <= 0 {
		return Decimal{}, errDecimal()
	}
	if d.CompareInt(1) == 0 {
		return Decimal{}, nil
	}
	var r Decimal
	return r.finish(decimalContext.Ln(&r.v, &d.v))
}

// Log10 returns the logarithm to the base of 10. It fails if d is not positive.
func (d Decimal) Log10() (Decimal, error) {
	if d.Sign() <= 0 {
		return Decimal{}, errDecimal()
	}
	var reduced apd.Decimal
	reduced.Reduce(&d.v)
	if reduced.Coeff.IsUint64() && reduced.Coeff.Uint64() == 1 {
		return DecimalFromInt(int64(reduced.Exponent)), nil
	}
	var r Decimal
	return r.finish(decimalContext.Log10(&r.v, &d.v))
}

// Neg returns -d; the negative of zero is zero.
func (d Decimal) Neg() Decimal {
	d.v.Negative = !d.v.Negative && !d.IsZero()
	return d
}

// Abs returns the absolute value.
func (d Decimal) Abs() Decimal {
	d.v.Negative = false
	return d
}

// Round returns d with at most scale digits after the point; a negative scale changes nothing.
func (d Decimal) Round(scale int) Decimal {
	if scale < 0 || scale >= d.Scale() {
		return d
	}
	return d.Rescale(scale)
}

// Rescale returns d with exactly scale digits after the point, rounded or filled with zeros. A scale for which d has
// too many digits, or that is outside of 0 to 37, changes nothing.
func (d Decimal) Rescale(scale int) Decimal {
	if scale < 0 || scale >= MaxDigits {
		return d
	}
	var r Decimal
	c, err := decimalContext.Quantize(&r.v, &d.v, -int32(scale))
	if r, err = r.finish(c, err); err != nil {
		return d
	}
	return r
}

// Trim returns d without the zeros that end its fraction.
func (d Decimal) Trim() Decimal {
	d.trimTo(0)
	return d
}

// trimTo drops zeros at the end of the coefficient until the exponent is as large as exponent.
func (d *Decimal) trimTo(exponent int32) {
	if d.v.Form != apd.Finite || d.v.Exponent >= exponent {
		return
	}
	if d.v.Coeff.Sign() == 0 {
		d.v.Exponent = exponent
		return
	}
	var ten, quotient, remainder apd.BigInt
	ten.SetUint64(10)
	for d.v.Exponent < exponent {
		quotient.QuoRem(&d.v.Coeff, &ten, &remainder)
		if remainder.Sign() != 0 {
			return
		}
		// Set copies; assigning would share the memory of a number that is too large for the struct itself.
		d.v.Coeff.Set(&quotient)
		d.v.Exponent++
	}
}

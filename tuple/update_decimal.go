package tuple

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/mpext"
)

// addDecimals is add when one of the numbers is a decimal.
func (op *operation) addDecimals(b []byte, n number) ([]byte, *boxerr.Error) {
	x, okX := n.toDecimal()
	y, okY := op.number.toDecimal()
	if !okX || !okY {
		return nil, op.argType("a number convertible to decimal")
	}
	var sum mpext.Decimal
	var err error
	if op.code == '+' {
		sum, err = x.Add(y)
	} else {
		sum, err = x.Sub(y)
	}
	if err != nil {
		return nil, boxerr.New(boxerr.UpdateDecimalOverflow, op.code, op.fieldText())
	}
	return sum.AppendMsgpack(b), nil
}

// toDecimal converts a number to a decimal. ok is false for what no decimal can be: NaN, the infinities and numbers
// of more than 38 digits before the point.
func (n number) toDecimal() (d mpext.Decimal, ok bool) {
	switch {
	case n.form == formDecimal:
		return mpext.DecodeDecimal(n.decimal)
	case n.form != formInteger:
		d, err := mpext.DecimalFromFloat(n.float)
		return d, err == nil
	case n.negative:
		return mpext.DecimalFromInt(int64(n.bits)), true
	}
	return mpext.DecimalFromUint(n.bits), true
}

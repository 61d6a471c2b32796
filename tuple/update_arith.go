package tuple

import (
	"math"
	"math/bits"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// compute appends what the operation makes of the value v. The operators are + - & | ^ and :.
func (op *operation) compute(b, v []byte) ([]byte, *boxerr.Error) {
	switch op.code {
	case '+', '-':
		n, ok := readNumber(v)
		if !ok {
			return nil, op.argType("a number")
		}
		return op.add(b, n)
	case ':':
		return op.splice(b, v)
	}
	if !Unsigned.Takes(v) {
		return nil, op.argType("a positive integer")
	}
	n, _, _ := msgpack.ReadUint(v)
	switch op.code {
	case '&':
		n &= op.number.bits
	case '|':
		n |= op.number.bits
	default:
		n ^= op.number.bits
	}
	return msgpack.AppendUint(b, n), nil
}

// add appends the sum or difference of n and the argument. It is a decimal if one of them is, otherwise a double if
// one of them is a float, otherwise an integer.
func (op *operation) add(b []byte, n number) ([]byte, *boxerr.Error) {
	switch {
	case n.form == formDecimal || op.number.form == formDecimal:
		return op.addDecimals(b, n)
	case n.form != formInteger || op.number.form != formInteger:
		x, y := n.toFloat(), op.number.toFloat()
		if op.code == '-' {
			y = -y
		}
		return appendFloat(b, x+y), nil
	}
	// Integers of 128 bits: high is 0 or -1 for the arguments.
	xHigh, yHigh := n.high(), op.number.high()
	var low, high, carry uint64
	if op.code == '+' {
		low, carry = bits.Add64(n.bits, op.number.bits, 0)
		high, _ = bits.Add64(xHigh, yHigh, carry)
	} else {
		low, carry = bits.Sub64(n.bits, op.number.bits, 0)
		high, _ = bits.Sub64(xHigh, yHigh, carry)
	}
	switch {
	case high == 0:
		return msgpack.AppendUint(b, low), nil
	case high == math.MaxUint64 && low>>63 != 0:
		return msgpack.AppendInt(b, int64(low)), nil
	}
	return nil, boxerr.New(boxerr.UpdateIntegerOverflow, op.code, op.fieldText())
}

// high returns the bits above the lower 64 of an integer.
func (n number) high() uint64 {
	if n.negative {
		return math.MaxUint64
	}
	return 0
}

// toFloat returns the double nearest to a number that is no decimal.
func (n number) toFloat() float64 {
	switch {
	case n.form != formInteger:
		return n.float
	case n.negative:
		return float64(int64(n.bits))
	}
	return float64(n.bits)
}

// appendFloat appends a number as a float if that is exact, and else as a double.
func appendFloat(b []byte, f float64) []byte {
	if single := float32(f); float64(single) == f && !math.IsInf(f, 0) {
		return msgpack.AppendFloat32(b, single)
	}
	return msgpack.AppendFloat64(b, f)
}

// splice appends a string with some bytes replaced by others.
func (op *operation) splice(b, v []byte) ([]byte, *boxerr.Error) {
	text, binary, ok := readText(v)
	if !ok {
		return nil, op.argType("a string or varbinary")
	}
	// A negative position counts from behind the end, a negative number of bytes spares as many at the end.
	from := min(op.offset, len(text))
	if op.offset < 0 {
		if from = op.offset + len(text) + 1; from < 0 {
			return nil, op.outOfBound()
		}
	}
	left := len(text) - from
	cut := min(op.cut, left)
	if op.cut < 0 {
		cut = max(left+op.cut, 0)
	}
	size := len(text) - cut + len(op.paste)
	if binary {
		b = appendBinHeader(b, size)
	} else {
		b = msgpack.AppendStringHeader(b, size)
	}
	b = append(b, text[:from]...)
	b = append(b, op.paste...)
	return append(b, text[from+cut:]...), nil
}

// appendBinHeader appends the header of binary data of n bytes.
func appendBinHeader(b []byte, n int) []byte {
	switch {
	case n < 1<<8:
		return append(b, 0xc4, byte(n))
	case n < 1<<16:
		return append(b, 0xc5, byte(n>>8), byte(n))
	}
	return append(b, 0xc6, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
}

package msgpack

import (
	"math"
	"strconv"
)

// extTexts holds what RegisterExtText was given, by the extension type as an unsigned number.
var extTexts [256]func(b, data []byte) []byte

// RegisterExtText makes AppendText write extension values of type typ by text, which appends to b. It is to be called
// by package initialization only.
func RegisterExtText(typ int8, text func(b, data []byte) []byte) { extTexts[uint8(typ)] = text }

// maxTextDepth is the nesting below which AppendText writes "..." for an array or map.
const maxTextDepth = 32

// AppendText appends the JSON-like text of the first value in raw that error messages show. Binary data is written as a
// string, and nothing is written behind a malformed part.
func AppendText(b []byte, raw []byte) []byte {
	b, _ = appendText(b, raw, 0)
	return b
}

func appendText(b, raw []byte, depth int) (out, rest []byte) {
	if len(raw) == 0 {
		return b, nil
	}
	switch t := TypeOf(raw[0]); t {
	case Nil:
		return append(b, "null"...), raw[1:]
	case Bool:
		v, rest, _ := ReadBool(raw)
		return strconv.AppendBool(b, v), rest
	case Uint, Int:
		u, negative, rest, _ := readInteger(raw)
		if negative {
			return strconv.AppendInt(b, int64(u), 10), rest
		}
		return strconv.AppendUint(b, u, 10), rest
	case Float32, Float64:
		v, rest, _ := ReadFloat64(raw)
		return appendFloatText(b, v), rest
	case String:
		s, rest, _ := ReadString(raw)
		return appendQuoted(b, s), rest
	case Bin:
		s, rest, _ := ReadBin(raw)
		return appendQuoted(b, s), rest
	case Array:
		n, rest, _ := ReadArrayHeader(raw)
		if depth == maxTextDepth {
			rest, _ = SkipN(rest, n)
			return append(b, "[...]"...), rest
		}
		b = append(b, '[')
		for i := 0; i < n && len(rest) > 0; i++ {
			if i > 0 {
				b = append(b, ", "...)
			}
			b, rest = appendText(b, rest, depth+1)
		}
		return append(b, ']'), rest
	case Map:
		n, rest, _ := ReadMapHeader(raw)
		if depth == maxTextDepth {
			rest, _ = SkipN(rest, 2*n)
			return append(b, "{...}"...), rest
		}
		b = append(b, '{')
		for i := 0; i < n && len(rest) > 0; i++ {
			if i > 0 {
				b = append(b, ", "...)
			}
			b, rest = appendText(b, rest, depth+1)
			b = append(b, ": "...)
			b, rest = appendText(b, rest, depth+1)
		}
		return append(b, '}'), rest
	case Ext:
		typ, data, rest, ok := ReadExt(raw)
		if !ok {
			return b, nil
		}
		if text := extTexts[uint8(typ)]; text != nil {
			return text(b, data), rest
		}
		b = append(b, "(extension: type "...)
		b = strconv.AppendInt(b, int64(typ), 10)
		b = append(b, ", len "...)
		b = strconv.AppendInt(b, int64(len(data)), 10)
		return append(b, ')'), rest
	}
	return b, nil
}

// appendFloatText appends v as printf's %g does, with 6 digits.
func appendFloatText(b []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, "nan"...)
	case math.IsInf(v, 1):
		return append(b, "inf"...)
	case math.IsInf(v, -1):
		return append(b, "-inf"...)
	case v == 0:
		if math.Signbit(v) {
			return append(b, "-0"...)
		}
		return append(b, '0')
	}
	// strconv's 'g' chooses the exponent form by other bounds when it has a precision, and only then keeps it.
	var scratch [32]byte
	digits := strconv.AppendFloat(scratch[:0], v, 'e', 5, 64)
	at := len(digits) - 1
	for digits[at] != 'e' {
		at--
	}
	exponent, _ := strconv.Atoi(string(digits[at+1:]))
	if exponent < -4 || exponent >= 6 {
		return append(trimZeros(append(b, digits[:at]...)), digits[at:]...)
	}
	return trimZeros(strconv.AppendFloat(b, v, 'f', 5-exponent, 64))
}

// trimZeros cuts the zeros that end a number's fraction, and the point if nothing is left of it.
func trimZeros(b []byte) []byte {
	for i := len(b) - 1; i >= 0; i-- {
		switch b[i] {
		case '0':
		case '.':
			return b[:i]
		default:
			for j := i; j >= 0; j-- {
				if b[j] == '.' {
					return b[:i+1]
				}
				if b[j] < '0' || b[j] > '9' {
					break
				}
			}
			return b
		}
	}
	return b
}

const hexDigits = "0123456789abcdef"

// appendQuoted appends s in quotes, with the escapes of JSON for control characters, quotes, slashes and backslashes.
func appendQuoted(b, s []byte) []byte {
	b = append(b, '"')
	for _, c := range s {
		switch c {
		case '"', '\\', '/':
			b = append(b, '\\', c)
		case '\b':
			b = append(b, `\b`...)
		case '\f':
			b = append(b, `\f`...)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			if c < 0x20 || c == 0x7f {
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
			} else {
				b = append(b, c)
			}
		}
	}
	return append(b, '"')
}

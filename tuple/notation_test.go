package tuple

import (
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
)

// mp encodes values written in a short notation: 1 -2 1.5 1.5f nan inf nil true "text" h'00ff' [1, 2] {"k": 1} and
// dec'1.50' for the value that the tests write as a decimal, uuid'32 hex digits', time'seconds'.
func mp(text string) []byte {
	r := notation{text: text}
	b := r.value(nil)
	r.space()
	if r.text != "" {
		panic("left in notation: " + r.text)
	}
	return b
}

type notation struct{ text string }

func (r *notation) space() { r.text = strings.TrimLeft(r.text, " \n") }

func (r *notation) accept(s string) bool {
	r.space()
	if !strings.HasPrefix(r.text, s) {
		return false
	}
	r.text = r.text[len(s):]
	return true
}

// until returns what stands before one of the characters in stop.
func (r *notation) until(stop string) string {
	i := strings.IndexAny(r.text, stop)
	if i < 0 {
		i = len(r.text)
	}
	s := r.text[:i]
	r.text = r.text[i:]
	return s
}

func (r *notation) quoted() string {
	s := r.until("'")
	r.text = r.text[1:]
	return s
}

func (r *notation) value(b []byte) []byte {
	switch {
	case r.accept("["):
		var items []byte
		n := 0
		for !r.accept("]") {
			items = r.value(items)
			n++
			r.accept(",")
		}
		return append(msgpack.AppendArrayHeader(b, n), items...)
	case r.accept("{"):
		var items []byte
		n := 0
		for !r.accept("}") {
			items = r.value(items)
			if !r.accept(":") {
				panic("colon missing: " + r.text)
			}
			items = r.value(items)
			n++
			r.accept(",")
		}
		return append(msgpack.AppendMapHeader(b, n), items...)
	case r.accept(`"`):
		r.text = `"` + r.text
		q, err := strconv.QuotedPrefix(r.text)
		if err != nil {
			panic(err)
		}
		r.text = r.text[len(q):]
		s, _ := strconv.Unquote(q)
		return msgpack.AppendString(b, s)
	case r.accept("h'"):
		data, err := hex.DecodeString(r.quoted())
		if err != nil {
			panic(err)
		}
		return msgpack.AppendBin(b, data)
	case r.accept("dec'"):
		return appendDecimal(b, r.quoted())
	case r.accept("uuid'"):
		data, err := hex.DecodeString(r.quoted())
		if err != nil {
			panic(err)
		}
		return msgpack.AppendExt(b, extUUID, data)
	case r.accept("time'"):
		n, _ := strconv.ParseInt(r.quoted(), 10, 64)
		data := make([]byte, 8)
		for i := range data {
			data[i] = byte(n >> (8 * i))
		}
		return msgpack.AppendExt(b, extDatetime, data)
	}
	word := r.until(" ,]}:\n")
	switch word {
	case "nil":
		return msgpack.AppendNil(b)
	case "true", "false":
		return msgpack.AppendBool(b, word == "true")
	case "nan":
		return msgpack.AppendFloat64(b, math.NaN())
	case "inf", "-inf":
		f, _ := strconv.ParseFloat(word, 64)
		return msgpack.AppendFloat64(b, f)
	}
	if u, err := strconv.ParseUint(word, 10, 64); err == nil {
		return msgpack.AppendUint(b, u)
	}
	if i, err := strconv.ParseInt(word, 10, 64); err == nil {
		return msgpack.AppendInt(b, i)
	}
	if single, ok := strings.CutSuffix(word, "f"); ok {
		f, err := strconv.ParseFloat(single, 32)
		if err != nil {
			panic(err)
		}
		return msgpack.AppendFloat32(b, float32(f))
	}
	f, err := strconv.ParseFloat(word, 64)
	if err != nil {
		panic(err)
	}
	return msgpack.AppendFloat64(b, f)
}

// appendDecimal encodes a decimal with all the digits that it is written with.
func appendDecimal(b []byte, text string) []byte {
	sign := byte(0x0c)
	if rest, ok := strings.CutPrefix(text, "-"); ok {
		text, sign = rest, 0x0d
	}
	mantissa, exp, _ := strings.Cut(text, "e")
	scale, _ := strconv.Atoi(exp)
	scale = -scale
	whole, fraction, _ := strings.Cut(mantissa, ".")
	scale += len(fraction)
	digits := strings.TrimLeft(whole+fraction, "0")
	if len(digits)%2 == 0 {
		digits = "0" + digits
	}
	data := msgpack.AppendInt(nil, int64(scale))
	for i := 0; i+1 < len(digits); i += 2 {
		data = append(data, (digits[i]-'0')<<4|(digits[i+1]-'0'))
	}
	data = append(data, (digits[len(digits)-1]-'0')<<4|sign)
	return msgpack.AppendExt(b, extDecimal, data)
}

// tup makes a tuple of the notation.
func tup(text string) *Tuple { return New(mp(text)) }

// key splits an array in the notation into the form of a key.
func key(text string) (parts []byte, n int) {
	n, parts, _ = msgpack.ReadArrayHeader(mp(text))
	return parts, n
}

// show writes a value so that two different ones look different.
func show(v []byte) string {
	return fmt.Sprintf("%s (%x)", msgpack.AppendText(nil, v), v)
}

func mustKeyDef(t testing.TB, parts ...KeyPart) *KeyDef {
	t.Helper()
	k, err := NewKeyDef(parts)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// checked reports whether v is one whole well-formed value.
func checked(v []byte) bool {
	rest, ok := msgpack.Check(v)
	return ok && len(rest) == 0
}

//go:build cgo

package lua

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/lycosadb/lycosa/msgpack"
)

// jsonDecoder makes MessagePack of JSON text in one pass. What it accepts and how it words its errors is what programs
// of this ecosystem know: numbers may be nan, inf and -inf, and end in a dot, strings may hold raw control characters.
type jsonDecoder struct {
	text           []byte
	pos            int
	out            []byte
	maxDepth       int
	invalidNumbers bool // nan, inf and -inf are numbers
}

// jsonToken is what stands at a place of the text.
type jsonToken int

const (
	jsonObjectStart jsonToken = iota
	jsonObjectEnd
	jsonArrayStart
	jsonArrayEnd
	jsonString
	jsonUint
	jsonInt
	jsonNumber
	jsonBool
	jsonNull
	jsonColon
	jsonComma
	jsonEnd
	jsonInvalid
)

var jsonTokenNames = [...]string{"'{'", "'}'", "'['", "']'", "string", "unsigned int", "int", "number", "boolean", "null",
	"colon", "comma", "end", "invalid token"}

// jsonError is a malformed text; it ends with the place.
type jsonError string

func (e jsonError) Error() string { return string(e) }

// place describes the byte at at: line, character and what stands around.
func (d *jsonDecoder) place(at int) string {
	line, start := 1, 0
	for i, c := range d.text[:at] {
		if c == '\n' {
			line++
			start = i + 1
		}
	}
	from := max(start, at-8)
	to := at
	for to < len(d.text) && to < at+8 && d.text[to] != '\n' {
		to++
	}
	return fmt.Sprintf(" on line %d at character %d here '%s >> %s'", line, at-start+1, d.text[from:at], d.text[at:to])
}

// expected is the error of finding something else at a place.
func (d *jsonDecoder) expected(what, found string, at int) error {
	return jsonError("Expected " + what + " but found " + found + d.place(at))
}

func (d *jsonDecoder) space() {
	for d.pos < len(d.text) {
		switch d.text[d.pos] {
		case ' ', '\n', '\t', '\r':
			d.pos++
		default:
			return
		}
	}
}

// found names the token at the current place, for an error.
func (d *jsonDecoder) found() (string, int) {
	at := d.pos
	mark := len(d.out)
	token, problem, where := d.scalar()
	d.out, d.pos = d.out[:mark], at
	if problem != "" {
		return problem, where
	}
	return jsonTokenNames[token], at
}

// decode reads the whole text.
func (d *jsonDecoder) decode() error {
	if err := d.value(1); err != nil {
		return err
	}
	d.space()
	if d.pos < len(d.text) {
		name, at := d.found()
		return d.expected("the end", name, at)
	}
	return nil
}

// value reads one value that stands at a depth, the outermost collection being at depth 1.
func (d *jsonDecoder) value(depth int) error {
	d.space()
	at := d.pos
	token, problem, where := d.scalar()
	if problem != "" {
		return d.expected("value", problem, where)
	}
	switch token {
	case jsonString, jsonUint, jsonInt, jsonNumber, jsonBool, jsonNull:
		return nil
	case jsonArrayStart, jsonObjectStart:
		if depth > d.maxDepth {
			return jsonError(fmt.Sprintf("Found too many nested data structures (%d)", depth) + d.place(at))
		}
		if token == jsonArrayStart {
			return d.array(depth)
		}
		return d.object(depth)
	}
	return d.expected("value", jsonTokenNames[token], at)
}

// header makes room for the header of a collection whose size isn't known yet.
func (d *jsonDecoder) header(code byte) int {
	d.out = append(d.out, code, 0, 0, 0, 0)
	return len(d.out) - 4
}

func (d *jsonDecoder) array(depth int) error {
	at := d.header(0xdd)
	d.space()
	if d.pos < len(d.text) && d.text[d.pos] == ']' {
		d.pos++
		return nil
	}
	for n := uint32(1); ; n++ {
		if err := d.value(depth + 1); err != nil {
			return err
		}
		d.space()
		if d.pos < len(d.text) {
			switch d.text[d.pos] {
			case ',':
				d.pos++
				continue
			case ']':
				d.pos++
				binary.BigEndian.PutUint32(d.out[at:], n)
				return nil
			}
		}
		name, where := d.found()
		return d.expected("comma or ']'", name, where)
	}
}

func (d *jsonDecoder) object(depth int) error {
	at := d.header(0xdf)
	d.space()
	if d.pos < len(d.text) && d.text[d.pos] == '}' {
		d.pos++
		return nil
	}
	for n := uint32(1); ; n++ {
		d.space()
		if d.pos >= len(d.text) || d.text[d.pos] != '"' {
			name, where := d.found()
			return d.expected("object key string", name, where)
		}
		if problem, where := d.string(); problem != "" {
			return d.expected("object key string", problem, where)
		}
		d.space()
		if d.pos >= len(d.text) || d.text[d.pos] != ':' {
			name, where := d.found()
			return d.expected("colon", name, where)
		}
		d.pos++
		if err := d.value(depth + 1); err != nil {
			return err
		}
		d.space()
		if d.pos < len(d.text) {
			switch d.text[d.pos] {
			case ',':
				d.pos++
				continue
			case '}':
				d.pos++
				binary.BigEndian.PutUint32(d.out[at:], n)
				return nil
			}
		}
		name, where := d.found()
		return d.expected("comma or '}'", name, where)
	}
}

// scalar reads the token at the current place; a scalar is appended to the output. problem says why there is none, and
// where.
func (d *jsonDecoder) scalar() (token jsonToken, problem string, where int) {
	if d.pos >= len(d.text) {
		return jsonEnd, "", 0
	}
	switch c := d.text[d.pos]; c {
	case '"':
		problem, where = d.string()
		return jsonString, problem, where
	case '{':
		d.pos++
		return jsonObjectStart, "", 0
	case '}':
		d.pos++
		return jsonObjectEnd, "", 0
	case '[':
		d.pos++
		return jsonArrayStart, "", 0
	case ']':
		d.pos++
		return jsonArrayEnd, "", 0
	case ',':
		d.pos++
		return jsonComma, "", 0
	case ':':
		d.pos++
		return jsonColon, "", 0
	case 't':
		if d.word("true") {
			d.out = msgpack.AppendBool(d.out, true)
			return jsonBool, "", 0
		}
	case 'f':
		if d.word("false") {
			d.out = msgpack.AppendBool(d.out, false)
			return jsonBool, "", 0
		}
	case 'n':
		if d.word("null") {
			d.out = msgpack.AppendNil(d.out)
			return jsonNull, "", 0
		}
		if d.invalidNumbers && d.word("nan") {
			d.out = msgpack.AppendFloat64(d.out, math.NaN())
			return jsonNumber, "", 0
		}
	case 'i':
		if d.invalidNumbers && d.word("inf") {
			d.out = msgpack.AppendFloat64(d.out, math.Inf(1))
			return jsonNumber, "", 0
		}
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if token, ok := d.number(); ok {
			return token, "", 0
		}
	}
	return jsonInvalid, jsonTokenNames[jsonInvalid], d.pos
}

// word moves over a word if it stands at the current place.
func (d *jsonDecoder) word(w string) bool {
	if len(d.text)-d.pos < len(w) || string(d.text[d.pos:d.pos+len(w)]) != w {
		return false
	}
	d.pos += len(w)
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// number reads a number: integers become such, as near as 64 bits come to them.
func (d *jsonDecoder) number() (jsonToken, bool) {
	start := d.pos
	negative := d.text[start] == '-'
	i := start
	if negative {
		i++
		if d.invalidNumbers && len(d.text)-i >= 3 && string(d.text[i:i+3]) == "inf" {
			d.pos = i + 3
			d.out = msgpack.AppendFloat64(d.out, math.Inf(-1))
			return jsonNumber, true
		}
	}
	digits := i
	var v uint64
	overflow := false
	for i < len(d.text) && isDigit(d.text[i]) {
		x := uint64(d.text[i] - '0')
		if v > (math.MaxUint64-x)/10 {
			overflow = true
		}
		v = v*10 + x
		i++
	}
	if i == digits || d.text[digits] == '0' && i > digits+1 {
		return 0, false
	}
	if i < len(d.text) && d.text[digits] == '0' && (d.text[i] == 'x' || d.text[i] == 'X') {
		return 0, false
	}
	whole := i
	if i < len(d.text) && d.text[i] == '.' {
		i++
		for i < len(d.text) && isDigit(d.text[i]) {
			i++
		}
	}
	if i < len(d.text) && (d.text[i] == 'e' || d.text[i] == 'E') {
		j := i + 1
		if j < len(d.text) && (d.text[j] == '+' || d.text[j] == '-') {
			j++
		}
		exponent := j
		for j < len(d.text) && isDigit(d.text[j]) {
			j++
		}
		if j > exponent {
			i = j
		}
	}
	d.pos = i
	if i > whole {
		f, err := strconv.ParseFloat(string(d.text[start:i]), 64)
		if err != nil && !errors.Is(err, strconv.ErrRange) {
			return 0, false
		}
		d.out = msgpack.AppendFloat64(d.out, f)
		return jsonNumber, true
	}
	switch {
	case negative && (overflow || v > 1<<63):
		d.out = msgpack.AppendInt(d.out, math.MinInt64)
	case negative:
		d.out = msgpack.AppendInt(d.out, -int64(v))
	case overflow:
		d.out = msgpack.AppendUint(d.out, math.MaxUint64)
		return jsonUint, true
	case v > math.MaxInt64:
		d.out = msgpack.AppendUint(d.out, v)
		return jsonUint, true
	default:
		d.out = appendSigned(d.out, int64(v))
	}
	return jsonInt, true
}

// appendSigned appends an integer so that one that is too large for a Lua number becomes a signed one of 64 bits.
func appendSigned(b []byte, v int64) []byte {
	if v < math.MaxInt32 {
		return msgpack.AppendInt(b, v)
	}
	return binary.BigEndian.AppendUint64(append(b, 0xd3), uint64(v))
}

// string reads a string that starts at the current place.
func (d *jsonDecoder) string() (problem string, where int) {
	start := d.pos + 1
	i := start
	for i < len(d.text) && d.text[i] != '"' && d.text[i] != '\\' {
		i++
	}
	if i < len(d.text) && d.text[i] == '"' {
		d.out = msgpack.AppendStringBytes(d.out, d.text[start:i])
		d.pos = i + 1
		return "", 0
	}
	// With escapes, or without an end: the length is known at the end only.
	at := len(d.out)
	d.out = append(append(d.out, 0xdb, 0, 0, 0, 0), d.text[start:i]...)
	for i < len(d.text) {
		c := d.text[i]
		switch {
		case c == '"':
			binary.BigEndian.PutUint32(d.out[at+1:], uint32(len(d.out)-at-5))
			d.pos = i + 1
			return "", 0
		case c != '\\':
			d.out = append(d.out, c)
			i++
		case i+1 < len(d.text) && d.text[i+1] == 'u':
			r, n := jsonUnicode(d.text[i:])
			if n == 0 {
				return "invalid unicode escape code", i
			}
			d.out = utf8.AppendRune(d.out, r)
			i += n
		default:
			var e byte
			if i+1 < len(d.text) {
				e = jsonEscapes[d.text[i+1]]
			}
			if e == 0 {
				return "invalid escape code", i
			}
			d.out = append(d.out, e)
			i += 2
		}
	}
	return "unexpected end of string", len(d.text)
}

// jsonEscapes are what stands for one character behind a backslash.
var jsonEscapes = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// jsonUnicode reads an escape \uXXXX, or two of them that make one character. n is its length, 0 when it is malformed.
func jsonUnicode(b []byte) (r rune, n int) {
	unit := func(b []byte) (rune, bool) {
		if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
			return 0, false
		}
		v, err := strconv.ParseUint(string(b[2:6]), 16, 16)
		return rune(v), err == nil
	}
	r, ok := unit(b)
	if !ok {
		return 0, 0
	}
	if !utf16.IsSurrogate(r) {
		return r, 6
	}
	low, ok := unit(b[6:])
	r = utf16.DecodeRune(r, low)
	if !ok || r == utf8.RuneError {
		return 0, 0
	}
	return r, 12
}

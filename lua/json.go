//go:build cgo

package lua

import (
	"math"
	"strconv"

	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/mpext"
	"github.com/lycosadb/lycosa/msgpack"
)

func init() { modules = append(modules, registerJSON) }

// registerJSON registers what builtin/json.lua stands on.
func registerJSON(s *State) {
	// json.decode(text, depth, invalid numbers) returns the value, or nothing and what is wrong.
	s.Func("json.decode", func(c *luajit.Call) error {
		d := jsonDecoder{text: c.Bytes(), out: c.Out, maxDepth: int(c.Int()), invalidNumbers: c.Bool()}
		mark := len(c.Out)
		if err := d.decode(); err != nil {
			c.Out = msgpack.AppendNil(d.out[:mark])
			c.NOut++
			c.PushString(err.Error())
			return nil
		}
		c.Out = d.out
		c.NOut++
		return nil
	})
	// json.transcode is json.decode with the value as a string of MessagePack.
	s.Func("json.transcode", func(c *luajit.Call) error {
		d := jsonDecoder{text: c.Bytes(), maxDepth: int(c.Int()), invalidNumbers: c.Bool()}
		if err := d.decode(); err != nil {
			c.PushNil()
			c.PushString(err.Error())
			return nil
		}
		c.PushBytes(d.out)
		return nil
	})
	// json.encode(MessagePack, precision, invalid numbers, invalid as nil, escape slashes) returns the text, or nothing, what is wrong and
	// whether that is an error of its own class.
	s.Func("json.encode", func(c *luajit.Call) error {
		e := jsonEncoder{in: c.Bytes(), precision: int(c.Int()), invalidNumbers: c.Bool(), invalidAsNil: c.Bool()}
		e.escapeSlash = c.Bool()
		at := len(c.Out)
		e.out = append(c.Out, 0xdb, 0, 0, 0, 0)
		e.value()
		if e.problem != "" {
			c.PushNil()
			c.PushString(e.problem)
			c.PushBool(e.object)
			return nil
		}
		n := len(e.out) - at - 5
		e.out[at+1], e.out[at+2], e.out[at+3], e.out[at+4] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
		c.Out = e.out
		c.NOut++
		return nil
	})
}

// jsonEncoder makes JSON text of MessagePack, which comes from the bridge's encoder and so is well-formed.
type jsonEncoder struct {
	in, out        []byte
	precision      int  // significant digits of numbers with a fraction
	invalidNumbers bool // NaN and the infinities are written as words
	invalidAsNil   bool // and otherwise as null
	escapeSlash    bool
	problem        string
	object         bool // the problem is raised as an error object
	text           []byte
}

func (e *jsonEncoder) fail(problem string, object bool) {
	if e.problem == "" {
		e.problem, e.object = problem, object
	}
}

// value writes the next value.
func (e *jsonEncoder) value() {
	if len(e.in) == 0 || e.problem != "" {
		return
	}
	switch msgpack.TypeOf(e.in[0]) {
	case msgpack.Nil:
		e.in = e.in[1:]
		e.out = append(e.out, "null"...)
	case msgpack.Bool:
		var v bool
		v, e.in, _ = msgpack.ReadBool(e.in)
		e.out = strconv.AppendBool(e.out, v)
	case msgpack.Uint:
		var v uint64
		v, e.in, _ = msgpack.ReadUint(e.in)
		e.out = strconv.AppendUint(e.out, v, 10)
	case msgpack.Int:
		var v int64
		v, e.in, _ = msgpack.ReadInt(e.in)
		e.out = strconv.AppendInt(e.out, v, 10)
	case msgpack.Float32, msgpack.Float64:
		var v float64
		v, e.in, _ = msgpack.ReadFloat64(e.in)
		e.float(v)
	case msgpack.String:
		var v []byte
		v, e.in, _ = msgpack.ReadString(e.in)
		e.string(v)
	case msgpack.Bin:
		var v []byte
		v, e.in, _ = msgpack.ReadBin(e.in)
		e.string(v)
	case msgpack.Array:
		var n int
		n, e.in, _ = msgpack.ReadArrayHeader(e.in)
		e.out = append(e.out, '[')
		for i := range n {
			if i > 0 {
				e.out = append(e.out, ',')
			}
			e.value()
		}
		e.out = append(e.out, ']')
	case msgpack.Map:
		var n int
		n, e.in, _ = msgpack.ReadMapHeader(e.in)
		e.out = append(e.out, '{')
		for i := range n {
			if i > 0 {
				e.out = append(e.out, ',')
			}
			e.key()
			e.out = append(e.out, ':')
			e.value()
		}
		e.out = append(e.out, '}')
	case msgpack.Ext:
		e.ext()
	default:
		e.fail("invalid MsgPack", false)
	}
}

// key writes a key: strings as they are, integers as their digits.
func (e *jsonEncoder) key() {
	if len(e.in) == 0 {
		return
	}
	switch msgpack.TypeOf(e.in[0]) {
	case msgpack.String:
		e.value()
	case msgpack.Uint, msgpack.Int:
		e.out = append(e.out, '"')
		e.value()
		e.out = append(e.out, '"')
	default:
		e.fail("table key must be a number or string", false)
	}
}

func (e *jsonEncoder) float(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		switch {
		case !e.invalidNumbers && e.invalidAsNil:
			e.out = append(e.out, "null"...)
			return
		case !e.invalidNumbers:
			e.fail("number must not be NaN or Inf", true)
			return
		}
	}
	e.out = appendLuaNumber(e.out, v, e.precision)
}

// appendLuaNumber appends v with at most that many significant digits, as C's printf does for "%.*g".
func appendLuaNumber(b []byte, v float64, precision int) []byte {
	switch {
	case math.IsNaN(v):
		return append(b, "nan"...)
	case math.IsInf(v, 1):
		return append(b, "inf"...)
	case math.IsInf(v, -1):
		return append(b, "-inf"...)
	case v == 0:
		return append(b, '0')
	}
	precision = max(precision, 1)
	var room [40]byte
	text := strconv.AppendFloat(room[:0], v, 'e', precision-1, 64)
	// text is D.DDDe±XX: the exponent decides on the form.
	at := len(text) - 1
	for text[at] != 'e' {
		at--
	}
	exponent, _ := strconv.Atoi(string(text[at+1:]))
	if exponent < -4 || exponent >= precision {
		return append(append(b, trimZeros(text[:at])...), text[at:]...)
	}
	start := len(b)
	b = strconv.AppendFloat(b, v, 'f', precision-1-exponent, 64)
	return b[:start+len(trimZeros(b[start:]))]
}

// trimZeros cuts the zeros behind a point, and the point when nothing else follows it.
func trimZeros(text []byte) []byte {
	point := false
	for _, c := range text {
		point = point || c == '.'
	}
	if !point {
		return text
	}
	n := len(text)
	for text[n-1] == '0' {
		n--
	}
	if text[n-1] == '.' {
		n--
	}
	return text[:n]
}

// jsonSafe are the bytes that stand for themselves in a string.
var jsonSafe = func() (t [256]bool) {
	for i := range t {
		t[i] = i >= 0x20 && i != 0x7f && i != '"' && i != '\\'
	}
	return t
}()

// string writes a string of any bytes.
func (e *jsonEncoder) string(v []byte) {
	const digits = "0123456789abcdef"
	b := append(e.out, '"')
	from := 0
	for i, c := range v {
		if jsonSafe[c] && (c != '/' || !e.escapeSlash) {
			continue
		}
		b = append(b, v[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\', '/':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		default:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
	}
	e.out = append(append(b, v[from:]...), '"')
}

// ext writes an extension value as the text that it prints as.
func (e *jsonEncoder) ext() {
	typ, data, rest, ok := msgpack.ReadExt(e.in)
	if !ok {
		e.fail("invalid MsgPack", false)
		return
	}
	e.in = rest
	e.text = e.text[:0]
	switch typ {
	case mpext.DecimalType:
		d, _ := mpext.DecodeDecimal(data)
		e.text = d.AppendText(e.text)
	case mpext.UUIDType:
		u, _ := mpext.DecodeUUID(data)
		e.text = u.AppendText(e.text)
	case mpext.DatetimeType:
		d, _ := mpext.DecodeDatetime(data)
		e.text = d.AppendText(e.text)
	case mpext.IntervalType:
		d, _ := mpext.DecodeInterval(data)
		e.text = d.AppendText(e.text)
	default:
		e.fail("unsupported extension type", true)
		return
	}
	e.string(e.text)
}

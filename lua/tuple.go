//go:build cgo

package lua

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
	"unsafe"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

func init() { modules = append(modules, registerTuple) }

// PushTuple returns a tuple of the database to Lua, nil for none.
func PushTuple(c *luajit.Call, t *tuple.Tuple) {
	if t == nil {
		c.PushNil()
		return
	}
	c.PushTuple(t.Data(), uintptr(unsafe.Pointer(t)), t.FormatID())
}

// pushNew returns a tuple that is in no space.
func pushNew(c *luajit.Call, data []byte, format uint32) { c.PushTuple(data, 0, format) }

// pushChecked is pushNew for data that may not fit the format.
func pushChecked(c *luajit.Call, data []byte, format uint32) error {
	if f := tuple.FormatByID(format); f != nil {
		if err := f.Check(data); err != nil {
			return err
		}
	}
	pushNew(c, data, format)
	return nil
}

// registerTuple registers what builtin/tuple.lua stands on. Tuples come as their arrays.
func registerTuple(s *State) {
	s.Func("tuple.new", func(c *luajit.Call) error {
		data := c.Raw()
		id := uint32(c.Uint())
		if msgpack.TypeOf(data[0]) != msgpack.Array {
			return boxerr.New(boxerr.TupleNotArray)
		}
		return pushChecked(c, data, id)
	})
	s.Func("tuple.tostring", func(c *luajit.Call) error {
		c.PushBytes(appendFlow(nil, c.Raw()))
		return nil
	})
	s.Func("tuple.names", func(c *luajit.Call) error {
		f := tuple.FormatByID(uint32(c.Uint()))
		if f == nil {
			c.PushNil()
			return nil
		}
		c.Out = msgpack.AppendArrayHeader(c.Out, len(f.Fields))
		for i := range f.Fields {
			c.Out = msgpack.AppendString(c.Out, f.Fields[i].Name)
		}
		c.NOut++
		return nil
	})
	s.Func("tuple.format", func(c *luajit.Call) error {
		f := tuple.FormatByID(uint32(c.Uint()))
		if f == nil {
			c.PushRaw([]byte{0x90})
			return nil
		}
		c.Out = f.AppendFields(c.Out)
		c.NOut++
		return nil
	})
	s.Func("tuple.format_new", func(c *luajit.Call) error {
		f, err := box.NewTupleFormat(c.Raw())
		if err != nil {
			return err
		}
		c.PushUint(uint64(f.ID))
		return nil
	})
	s.Func("tuple.update", func(c *luajit.Call) error {
		data, id, ops := c.Raw(), uint32(c.Uint()), c.Raw()
		out, _, err := tuple.Update(data, ops, 1, tuple.FormatByID(id))
		if err != nil {
			return boxerr.From(err).With("ops", append(msgpack.Raw(nil), ops...))
		}
		return pushChecked(c, out, id)
	})
	s.Func("tuple.upsert", func(c *luajit.Call) error {
		data, id, ops := c.Raw(), uint32(c.Uint()), c.Raw()
		out, _, err := tuple.Upsert(data, ops, 1, tuple.FormatByID(id))
		if err != nil {
			return err
		}
		return pushChecked(c, out, id)
	})
	s.Func("tuple.path", func(c *luajit.Call) error {
		data, id, path := c.Raw(), uint32(c.Uint()), c.Str()
		v := tuple.NewFormat(tuple.FormatByID(id), data).FieldByPath(path)
		if v == nil {
			c.PushNil()
			return nil
		}
		c.PushRaw(v)
		return nil
	})
	s.Func("tuple.transform", transformTuple)
	s.Func("tuple.info", func(c *luajit.Call) error {
		data := c.Raw()
		return c.Push(map[string]any{
			"data_size": len(data), "header_size": 10, "field_map_size": 0, "waste_size": 0, "arena": "malloc",
		})
	})
}

// transformTuple replaces count fields from an offset on by those of a list.
func transformTuple(c *luajit.Call) error {
	data, offset, count := c.Raw(), int(c.Int()), int(c.Int())
	add, added, _ := msgpack.ReadArrayHeader(c.Raw())
	n, rest, ok := msgpack.ReadArrayHeader(data)
	if !ok {
		return boxerr.New(boxerr.TupleNotArray)
	}
	if offset > 0 {
		offset--
	} else {
		offset += n
	}
	count = min(count, n-offset)
	out := msgpack.AppendArrayHeader(nil, n-count+add)
	for i := range n {
		var field []byte
		field, rest = split(rest)
		if i == offset {
			out = append(out, added...)
		}
		if i < offset || i >= offset+count {
			out = append(out, field...)
		}
	}
	if offset >= n {
		out = append(out, added...)
	}
	pushNew(c, out, 0)
	return nil
}

// appendFlow appends a value as YAML in one line, the way tostring shows tuples. Extension values have no form there.
func appendFlow(out, v []byte) []byte {
	if len(v) == 0 {
		return append(out, "null"...)
	}
	switch msgpack.TypeOf(v[0]) {
	case msgpack.Array:
		n, rest, _ := msgpack.ReadArrayHeader(v)
		out = append(out, '[')
		for i := range n {
			if i > 0 {
				out = append(out, ", "...)
			}
			var item []byte
			item, rest = split(rest)
			out = appendFlow(out, item)
		}
		return append(out, ']')
	case msgpack.Map:
		n, rest, _ := msgpack.ReadMapHeader(v)
		out = append(out, '{')
		for i := range n {
			if i > 0 {
				out = append(out, ", "...)
			}
			var key, item []byte
			key, rest = split(rest)
			item, rest = split(rest)
			out = append(appendFlow(out, key), ": "...)
			out = appendFlow(out, item)
		}
		return append(out, '}')
	case msgpack.String:
		text, _, _ := msgpack.ReadString(v)
		return appendQuoted(out, string(text))
	case msgpack.Bin:
		data, _, _ := msgpack.ReadBin(v)
		return base64.StdEncoding.AppendEncode(append(out, "!!binary "...), data)
	case msgpack.Bool:
		b, _, _ := msgpack.ReadBool(v)
		return strconv.AppendBool(out, b)
	case msgpack.Uint:
		u, _, _ := msgpack.ReadUint(v)
		return strconv.AppendUint(out, u, 10)
	case msgpack.Int:
		i, _, _ := msgpack.ReadInt(v)
		return strconv.AppendInt(out, i, 10)
	case msgpack.Float32, msgpack.Float64:
		f, _, _ := msgpack.ReadFloat64(v)
		switch {
		case math.IsInf(f, 0):
			if f < 0 {
				out = append(out, '-')
			}
			return append(out, "inf"...)
		case math.IsNaN(f):
			return append(out, "nan"...)
		}
		return strconv.AppendFloat(out, f, 'g', 14, 64)
	default:
		return append(out, "null"...)
	}
}

// appendQuoted appends a text in single quotes, or in double quotes with escapes when it has characters that cannot be
// shown; a new line is an empty line in YAML.
func appendQuoted(out []byte, text string) []byte {
	plain := utf8.ValidString(text)
	for _, r := range text {
		plain = plain && (r == '\n' || r >= ' ' && r != 0x7f)
	}
	if plain {
		quoted := strings.ReplaceAll(text, "'", "''")
		return append(append(append(out, '\''), strings.ReplaceAll(quoted, "\n", "\n\n    ")...), '\'')
	}
	out = append(out, '"')
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		switch c := text[i]; {
		case r == utf8.RuneError && n == 1:
			out = fmt.Appendf(out, `\x%02X`, c)
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c < ' ' && flowEscapes[c] != 0:
			out = append(out, '\\', flowEscapes[c])
		case c < ' ' || c == 0x7f:
			out = fmt.Appendf(out, `\x%02X`, c)
		default:
			out = append(out, text[i:i+n]...)
		}
		i += n
	}
	return append(out, '"')
}

// flowEscapes are the control characters that have a letter of their own.
var flowEscapes = [' ']byte{0: '0', 7: 'a', 8: 'b', 9: 't', 10: 'n', 11: 'v', 12: 'f', 13: 'r', 27: 'e'}

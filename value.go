package lycosa

import (
	"fmt"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// Value is one MessagePack value, read in place: its methods cost nothing but the look at its bytes. The nil Value is one
// that isn't there. What is read as a type that it hasn't is that type's zero value, as is what isn't there.
type Value []byte

// ValueOf encodes a Go value, as msgpack.Append does. What is encoded already, a Value, a Tuple or a []byte, is taken as
// it is.
func ValueOf(v any) (Value, error) {
	b, err := appendValue(nil, v)
	return b, err
}

// appendValue appends a value: a []byte is taken for encoded, anything else is what msgpack.Append makes of it.
func appendValue(b []byte, v any) ([]byte, error) {
	if raw, ok := v.([]byte); ok {
		if rest, ok := msgpack.Check(raw); !ok || len(rest) > 0 {
			return b, boxerr.Illegal("a []byte should be one MessagePack value")
		}
		return append(b, raw...), nil
	}
	out, err := msgpack.Append(b, v)
	if err != nil {
		return b, boxerr.Illegal("%s", err.Error())
	}
	return out, nil
}

// Exists tells whether the value is there at all.
func (v Value) Exists() bool { return len(v) > 0 }

// IsNil tells whether the value is nil, or isn't there.
func (v Value) IsNil() bool { return len(v) == 0 || msgpack.TypeOf(v[0]) == msgpack.Nil }

// Uint reads an integer that is not negative.
func (v Value) Uint() uint64 {
	n, _, _ := msgpack.ReadUint(v)
	return n
}

// Int reads an integer.
func (v Value) Int() int64 {
	n, _, _ := msgpack.ReadInt(v)
	return n
}

// Float reads a number.
func (v Value) Float() float64 {
	f, _, _ := msgpack.ReadNumber(v)
	return f
}

// Bool reads a boolean.
func (v Value) Bool() bool {
	x, _, _ := msgpack.ReadBool(v)
	return x
}

// Str reads a string.
func (v Value) Str() string { return string(v.Bytes()) }

// Bytes reads a string or binary data. The bytes are the value's own.
func (v Value) Bytes() []byte {
	if s, _, ok := msgpack.ReadString(v); ok {
		return s
	}
	data, _, _ := msgpack.ReadBin(v)
	return data
}

// Len is the number of elements of an array or of pairs of a map.
func (v Value) Len() int {
	if n, _, ok := msgpack.ReadArrayHeader(v); ok {
		return n
	}
	n, _, _ := msgpack.ReadMapHeader(v)
	return n
}

// Index returns the element of an array at a place counted from 0.
func (v Value) Index(i int) Value {
	n, rest, ok := msgpack.ReadArrayHeader(v)
	if !ok || i < 0 || i >= n {
		return nil
	}
	if rest, ok = msgpack.SkipN(rest, i); !ok {
		return nil
	}
	return first(rest)
}

// Lookup returns what a map holds under a key of the protocol. Of a key that stands twice the last one counts.
func (v Value) Lookup(key iproto.Key) Value { return msgpack.Lookup(v, uint64(key)) }

// first cuts the first value off.
func first(b []byte) Value {
	rest, ok := msgpack.Skip(b)
	if !ok {
		return nil
	}
	return b[: len(b)-len(rest) : len(b)-len(rest)]
}

// Any decodes the value to Go values, see msgpack.Decode. It is nil for what isn't there.
func (v Value) Any() any {
	if len(v) == 0 {
		return nil
	}
	x, _, _ := msgpack.Decode(v)
	return x
}

// Tuple returns an array as a tuple, nil if it is none.
func (v Value) Tuple() Tuple {
	if len(v) > 0 && msgpack.TypeOf(v[0]) == msgpack.Ext {
		if typ, data, _, ok := msgpack.ReadExt(v); ok && typ == box.TupleExt {
			_, rest, _ := msgpack.ReadUint(data)
			v = rest
		}
	}
	if len(v) == 0 || msgpack.TypeOf(v[0]) != msgpack.Array {
		return nil
	}
	return Tuple(v)
}

// Tuples returns the elements of an array of arrays.
func (v Value) Tuples() []Tuple {
	n, rest, ok := msgpack.ReadArrayHeader(v)
	if !ok {
		return nil
	}
	list := make([]Tuple, 0, min(n, len(rest)))
	for range n {
		x := first(rest)
		if x == nil {
			break
		}
		rest = rest[len(x):]
		list = append(list, x.Tuple())
	}
	return list
}

// String shows the value as text.
func (v Value) String() string {
	if len(v) == 0 {
		return "nil"
	}
	return string(msgpack.AppendText(nil, v))
}

// AppendMsgpack appends the value as it is, nil when it isn't there.
func (v Value) AppendMsgpack(b []byte) []byte {
	if len(v) == 0 {
		return msgpack.AppendNil(b)
	}
	return append(b, v...)
}

// Tuple is a row of a space, or any other MessagePack array. It must not be changed. The nil Tuple stands for none.
type Tuple []byte

// TupleOf makes a tuple of fields.
func TupleOf(fields ...any) (Tuple, error) {
	b := msgpack.AppendArrayHeader(nil, len(fields))
	var err error
	for _, f := range fields {
		if b, err = msgpack.Append(b, f); err != nil {
			return nil, boxerr.Illegal("%s", err.Error())
		}
	}
	return b, nil
}

// Len is the number of fields.
func (t Tuple) Len() int { return Value(t).Len() }

// Field returns a field, counted from 0.
func (t Tuple) Field(i int) Value { return Value(t).Index(i) }

// Any decodes the fields.
func (t Tuple) Any() []any {
	list, _ := Value(t).Any().([]any)
	return list
}

// Scan reads the first fields into variables: pointers to string, []byte, bool, integers, floats, Value, Tuple or any. A
// nil pointer skips a field. The error is ILLEGAL_PARAMS for a field that doesn't fit.
func (t Tuple) Scan(into ...any) error {
	n, rest, _ := msgpack.ReadArrayHeader(t)
	for i, p := range into {
		if i >= n {
			return boxerr.Illegal("a tuple of %d fields has no field %d", n, i)
		}
		v := first(rest)
		rest = rest[len(v):]
		if !scan(v, p) {
			return boxerr.Illegal("field %d: %s doesn't fit into %T", i, v, p)
		}
	}
	return nil
}

// scan reads a value into a variable.
func scan(v Value, p any) (ok bool) {
	switch p := p.(type) {
	case *Value:
		*p, ok = v, true
	case *Tuple:
		*p = v.Tuple()
		ok = *p != nil
	case *any:
		*p, ok = v.Any(), true
	default:
		_, ok = msgpack.ReadInto(v, p)
	}
	return ok
}

// String shows the tuple as text.
func (t Tuple) String() string { return Value(t).String() }

// AppendMsgpack appends the tuple as it is.
func (t Tuple) AppendMsgpack(b []byte) []byte { return Value(t).AppendMsgpack(b) }

var (
	_ msgpack.Marshaler = Value(nil)
	_ msgpack.Marshaler = Tuple(nil)
	_ fmt.Stringer      = Tuple(nil)
)

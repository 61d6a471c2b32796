package msgpack

import (
	"errors"
	"math"
	"reflect"
	"slices"
)

// Raw is an encoded value. Append writes it as it is.
type Raw []byte

// Marshaler is what can encode itself.
type Marshaler interface {
	// AppendMsgpack appends the receiver's encoding, exactly one value, to b.
	AppendMsgpack(b []byte) []byte
}

// ExtMarshaler is what is an extension value among other values, although it may have another form of its own as a
// Marshaler. Append prefers this one.
type ExtMarshaler interface {
	// AppendExt appends the receiver as an extension value to b.
	AppendExt(b []byte) []byte
}

// ExtValue is an extension value of a type that no decoder is registered for.
type ExtValue struct {
	Type int8
	Data []byte
}

// AppendMsgpack appends the extension value.
func (e ExtValue) AppendMsgpack(b []byte) []byte { return AppendExt(b, e.Type, e.Data) }

// The errors of Decode.
var (
	ErrMalformed = errors.New("msgpack: malformed or truncated value")
	ErrDepth     = errors.New("msgpack: value nested too deeply")
	ErrKey       = errors.New("msgpack: map key that Go can't hash")
)

// maxDepth bounds the nesting that Decode and Append follow, because they recurse.
const maxDepth = 1000

// Append appends a Go value: nil, a bool, an integer, a float, a string, a []byte (as binary), a slice, array or map of
// those or of any, a pointer to one, a value of a type made of one, a Raw, an ExtMarshaler, or a Marshaler. Maps are
// written in the order of their keys, unless these are of any type. On an error b is returned as it was.
func Append(b []byte, v any) ([]byte, error) {
	out, err := appendValue(b, v, 0)
	if err != nil {
		return b, err
	}
	return out, nil
}

func appendValue(b []byte, v any, depth int) ([]byte, error) {
	if depth > maxDepth {
		return b, ErrDepth
	}
	switch v := v.(type) { // those that are no Marshaler for sure come first, because they are found by comparing a number
	case nil:
		return AppendNil(b), nil
	case Raw:
		if len(v) == 0 {
			return AppendNil(b), nil
		}
		return append(b, v...), nil
	case bool:
		return AppendBool(b, v), nil
	case string:
		return AppendString(b, v), nil
	case []byte:
		return AppendBin(b, v), nil
	case int:
		return AppendInt(b, int64(v)), nil
	case int8:
		return AppendInt(b, int64(v)), nil
	case int16:
		return AppendInt(b, int64(v)), nil
	case int32:
		return AppendInt(b, int64(v)), nil
	case int64:
		return AppendInt(b, v), nil
	case uint:
		return AppendUint(b, uint64(v)), nil
	case uint8:
		return AppendUint(b, uint64(v)), nil
	case uint16:
		return AppendUint(b, uint64(v)), nil
	case uint32:
		return AppendUint(b, uint64(v)), nil
	case uint64:
		return AppendUint(b, v), nil
	case float32:
		return AppendFloat32(b, v), nil
	case float64:
		return AppendFloat64(b, v), nil
	case []any:
		return appendList(b, v, depth)
	case []string:
		return appendSlice(b, v, depth)
	case []int:
		return appendSlice(b, v, depth)
	case []uint64:
		return appendSlice(b, v, depth)
	case []Raw:
		return appendSlice(b, v, depth)
	case [][]any:
		return appendSlice(b, v, depth)
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		b = AppendMapHeader(b, len(v))
		var err error
		for _, k := range keys {
			if b, err = appendValue(AppendString(b, k), v[k], depth+1); err != nil {
				return b, err
			}
		}
		return b, nil
	case map[any]any:
		b = AppendMapHeader(b, len(v))
		var err error
		for k, e := range v {
			if b, err = appendValue(b, k, depth+1); err != nil {
				return b, err
			}
			if b, err = appendValue(b, e, depth+1); err != nil {
				return b, err
			}
		}
		return b, nil
	case ExtMarshaler:
		return v.AppendExt(b), nil
	case Marshaler:
		return v.AppendMsgpack(b), nil
	}
	return appendReflected(b, reflect.ValueOf(v), depth)
}

// appendList is appendSlice for what lists are as a rule.
func appendList(b []byte, v []any, depth int) ([]byte, error) {
	b = AppendArrayHeader(b, len(v))
	var err error
	for _, e := range v {
		if n, isInt := e.(int); isInt && n >= 0 {
			b = AppendUint(b, uint64(n))
		} else if b, err = appendValue(b, e, depth+1); err != nil {
			return b, err
		}
	}
	return b, nil
}

func appendSlice[E any](b []byte, v []E, depth int) ([]byte, error) {
	b = AppendArrayHeader(b, len(v))
	var err error
	for _, e := range v {
		if b, err = appendValue(b, e, depth+1); err != nil {
			return b, err
		}
	}
	return b, nil
}

// extDecoders holds what RegisterExtDecoder was given, by the extension type as an unsigned number.
var extDecoders [256]func(data []byte) (any, error)

// RegisterExtDecoder makes Decode turn extension values of type typ into Go values by decode, which must not keep
// data. It is to be called by package initialization only.
func RegisterExtDecoder(typ int8, decode func(data []byte) (any, error)) {
	extDecoders[uint8(typ)] = decode
}

// Decode reads the first value of b as a Go value that shares no memory with b:
//
//	nil, bool, string     as such
//	an integer            int64, or uint64 from 2^63 on
//	a float               float32 or float64, as encoded
//	binary                []byte
//	an array              []any
//	a map                 map[any]any; of equal keys the last wins
//	an extension          what its registered decoder makes of it, otherwise ExtValue
//
// The value must pass Check, have hashable keys (ErrKey) and be nested at most 1000 deep (ErrDepth).
func Decode(b []byte) (v any, rest []byte, err error) {
	// A checked value holds as many elements as its headers claim, so the headers can be trusted below.
	rest, ok := Check(b)
	if !ok {
		return nil, nil, ErrMalformed
	}
	v, _, err = decode(b[:len(b)-len(rest)], 0)
	if err != nil {
		return nil, nil, err
	}
	return v, rest, nil
}

// decode is Decode for a checked value at the given depth.
func decode(b []byte, depth int) (v any, rest []byte, err error) {
	if depth > maxDepth {
		return nil, nil, ErrDepth
	}
	switch TypeOf(b[0]) {
	case Nil:
		return nil, b[1:], nil
	case Bool:
		return b[0] == codeTrue, b[1:], nil
	case Uint, Int:
		u, negative, rest, _ := readInteger(b)
		if !negative && u > math.MaxInt64 {
			return u, rest, nil
		}
		return int64(u), rest, nil
	case Float32:
		f, rest, _ := ReadFloat64(b)
		return float32(f), rest, nil
	case Float64:
		f, rest, _ := ReadFloat64(b)
		return f, rest, nil
	case String:
		s, rest, _ := ReadString(b)
		return string(s), rest, nil
	case Bin:
		data, rest, _ := ReadBin(b)
		return append([]byte{}, data...), rest, nil
	case Array:
		n, rest, _ := ReadArrayHeader(b)
		a := make([]any, n)
		for i := range a {
			if a[i], rest, err = decode(rest, depth+1); err != nil {
				return nil, nil, err
			}
		}
		return a, rest, nil
	case Map:
		n, rest, _ := ReadMapHeader(b)
		m := make(map[any]any, n)
		for range n {
			var key, value any
			if key, rest, err = decode(rest, depth+1); err != nil {
				return nil, nil, err
			}
			if value, rest, err = decode(rest, depth+1); err != nil {
				return nil, nil, err
			}
			if key != nil && !reflect.TypeOf(key).Comparable() {
				return nil, nil, ErrKey
			}
			m[key] = value
		}
		return m, rest, nil
	case Ext:
		typ, data, rest, _ := ReadExt(b)
		if decoder := extDecoders[uint8(typ)]; decoder != nil {
			v, err = decoder(data)
			return v, rest, err
		}
		return ExtValue{Type: typ, Data: append([]byte{}, data...)}, rest, nil
	}
	return nil, nil, ErrMalformed
}

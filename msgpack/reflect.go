package msgpack

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
)

// appendReflected appends what appendValue has no case for: values of named types, and slices, arrays, maps and pointers
// of whatever can be encoded. Maps are written in the order of their encoded keys.
func appendReflected(b []byte, v reflect.Value, depth int) ([]byte, error) {
	if depth > maxDepth {
		return b, ErrDepth
	}
	switch v.Kind() {
	case reflect.Bool:
		return AppendBool(b, v.Bool()), nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return AppendInt(b, v.Int()), nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return AppendUint(b, v.Uint()), nil
	case reflect.Float32:
		return AppendFloat32(b, float32(v.Float())), nil
	case reflect.Float64:
		return AppendFloat64(b, v.Float()), nil
	case reflect.String:
		return AppendString(b, v.String()), nil
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return AppendNil(b), nil
		}
		return appendValue(b, v.Elem().Interface(), depth+1)
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			return AppendBin(b, v.Bytes()), nil
		}
		fallthrough
	case reflect.Array:
		b = AppendArrayHeader(b, v.Len())
		var err error
		for i := range v.Len() {
			if b, err = appendValue(b, v.Index(i).Interface(), depth+1); err != nil {
				return b, err
			}
		}
		return b, nil
	case reflect.Map:
		return appendMap(b, v, depth)
	}
	return b, fmt.Errorf("msgpack: no encoding for Go type %s", v.Type())
}

func appendMap(b []byte, v reflect.Value, depth int) ([]byte, error) {
	type entry struct{ key, value []byte }
	entries := make([]entry, 0, v.Len())
	for it := v.MapRange(); it.Next(); {
		key, err := appendValue(nil, it.Key().Interface(), depth+1)
		if err != nil {
			return b, err
		}
		value, err := appendValue(nil, it.Value().Interface(), depth+1)
		if err != nil {
			return b, err
		}
		entries = append(entries, entry{key, value})
	}
	slices.SortFunc(entries, func(x, y entry) int { return bytes.Compare(x.key, y.key) })
	b = AppendMapHeader(b, len(entries))
	for _, e := range entries {
		b = append(append(b, e.key...), e.value...)
	}
	return b, nil
}

package boxerr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lycosadb/lycosa/msgpack"
)

// format fills a template in the manner of C's printf. Every verb shows its argument by the argument's own type, so
// that widths and length modifiers have no effect; a ".*" takes an argument of its own only in C and none here.
func format(template string, args []any) string {
	if !strings.Contains(template, "%") {
		return template
	}
	b := make([]byte, 0, len(template)+64)
	next := 0
	for i := 0; i < len(template); i++ {
		if template[i] != '%' {
			b = append(b, template[i])
			continue
		}
		i++
		for i < len(template) && strings.IndexByte("0123456789.*-+ #lhzjt", template[i]) >= 0 {
			i++
		}
		if i == len(template) {
			break
		}
		if template[i] == '%' {
			b = append(b, '%')
			continue
		}
		if next < len(args) {
			b = appendArgument(b, template[i], args[next])
			next++
		}
	}
	return string(b)
}

// appendArgument appends the text of v for a verb.
func appendArgument(b []byte, verb byte, v any) []byte {
	switch v := v.(type) {
	case string:
		return append(b, v...)
	case []byte:
		return append(b, v...)
	case msgpack.Raw:
		return msgpack.AppendText(b, v)
	case fmt.Stringer:
		return append(b, v.String()...)
	case error:
		return append(b, v.Error()...)
	case nil:
		return append(b, "nil"...)
	}
	n, ok := integer(v)
	switch {
	case !ok:
		return fmt.Append(b, v)
	case verb == 'c':
		return append(b, byte(n.(int64)))
	}
	switch n := n.(type) {
	case int64:
		return strconv.AppendInt(b, n, 10)
	case uint64:
		return strconv.AppendUint(b, n, 10)
	}
	return b
}

// integer returns an integer of any Go type as an int64, or as a uint64 if it doesn't fit.
func integer(v any) (any, bool) {
	var u uint64
	switch v := v.(type) {
	case int:
		return int64(v), true
	case int8:
		return int64(v), true
	case int16:
		return int64(v), true
	case int32:
		return int64(v), true
	case int64:
		return v, true
	case uint:
		u = uint64(v)
	case uint8:
		u = uint64(v)
	case uint16:
		u = uint64(v)
	case uint32:
		u = uint64(v)
	case uint64:
		u = v
	case Code:
		u = uint64(v)
	default:
		return nil, false
	}
	if u>>63 == 0 {
		return int64(u), true
	}
	return u, true
}

// payload appends the fields that spec declares, as name:type separated by spaces, with the values of args.
func payload(fields []Field, spec string, args []any) []Field {
	for i := 0; spec != "" && i < len(args); i++ {
		var item string
		item, spec, _ = strings.Cut(spec, " ")
		name, kind, _ := strings.Cut(item, ":")
		if value, ok := payloadValue(kind, args[i]); ok {
			fields = append(fields, Field{name, value})
		}
	}
	return fields
}

// payloadValue returns v as a value of the payload type kind, and false if it is none.
func payloadValue(kind string, v any) (any, bool) {
	switch kind {
	case "string":
		switch v.(type) {
		case nil, msgpack.Raw:
			return nil, false
		}
		return string(appendArgument(nil, 's', v)), true
	case "char":
		if s, ok := v.(string); ok {
			return s, true
		}
		if _, ok := integer(v); !ok {
			return nil, false
		}
		return string(appendArgument(nil, 'c', v)), true
	case "tuple":
		raw, ok := copyRaw(v)
		return raw, ok
	case "msgpack":
		if raw, ok := copyRaw(v); ok {
			return raw, true
		}
		raw, err := msgpack.Append(nil, v)
		return msgpack.Raw(raw), err == nil
	}
	return integer(v)
}

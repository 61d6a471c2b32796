package boxerr

import (
	"math"

	"github.com/lycosadb/lycosa/msgpack"
)

// ExtType is the type of the MessagePack extension that an error is among other values.
const ExtType = 3

// The keys of MP_ERROR (https://www.tarantool.io/en/doc/latest/reference/internals/msgpack_extensions/#the-error-type).
const (
	keyStack = 0 // of the outer map: the array of errors, the latest first

	keyType    = 0
	keyFile    = 1
	keyLine    = 2
	keyMessage = 3
	keyErrno   = 4
	keyCode    = 5
	keyFields  = 6
)

// AppendMsgpack appends e and its causes as an MP_ERROR map: {0: [{0: type, 1: file, 2: line, 3: message, 4: errno,
// 5: code, 6: fields}, ...]}, the latest error first. Fields are left out when there are none.
func (e *Error) AppendMsgpack(b []byte) []byte {
	n := 0
	for c := e; c != nil; c = c.Cause {
		n++
	}
	b = append(b, 0x81, keyStack)
	b = msgpack.AppendArrayHeader(b, n)
	for c := e; c != nil; c = c.Cause {
		b = c.appendOne(b)
	}
	return b
}

func (e *Error) appendOne(b []byte) []byte {
	pairs := 6
	if len(e.Fields) > 0 {
		pairs = 7
	}
	file, line := e.Location()
	b = append(b, 0x80|byte(pairs), keyType)
	b = msgpack.AppendString(b, e.Type)
	b = append(b, keyFile)
	b = msgpack.AppendString(b, file)
	b = append(b, keyLine)
	b = msgpack.AppendUint(b, uint64(line))
	b = append(b, keyMessage)
	b = msgpack.AppendString(b, e.Message)
	b = append(b, keyErrno)
	b = msgpack.AppendUint(b, uint64(e.Errno))
	b = append(b, keyCode)
	b = msgpack.AppendUint(b, uint64(e.WireCode()))
	if len(e.Fields) == 0 {
		return b
	}
	b = append(b, keyFields)
	b = msgpack.AppendMapHeader(b, len(e.Fields))
	for _, f := range e.Fields {
		b = msgpack.AppendString(b, f.Name)
		out, err := msgpack.Append(b, f.Value)
		if err != nil {
			// A Go value of a type that the codec doesn't know must not lose the error itself.
			out = msgpack.AppendNil(b)
		}
		b = out
	}
	return b
}

// AppendExt appends e as the extension value of ExtType, the form of an error among other values.
func (e *Error) AppendExt(b []byte) []byte {
	return msgpack.AppendExt(b, ExtType, e.AppendMsgpack(nil))
}

// Decode reads an MP_ERROR map. The result shares no memory with b.
func Decode(b []byte) (e *Error, rest []byte, ok bool) {
	pairs, rest, ok := msgpack.ReadMapHeader(b)
	if !ok {
		return nil, nil, false
	}
	for range pairs {
		key, next, isUint := msgpack.ReadUint(rest)
		if !isUint {
			return nil, nil, false
		}
		rest = next
		if key != keyStack {
			if rest, ok = msgpack.Skip(rest); !ok {
				return nil, nil, false
			}
			continue
		}
		n, next, ok := msgpack.ReadArrayHeader(rest)
		if !ok || n == 0 {
			return nil, nil, false
		}
		rest = next
		at := &e
		for range n {
			one := new(Error)
			if rest, ok = one.decodeOne(rest); !ok {
				return nil, nil, false
			}
			*at, at = one, &one.Cause
		}
	}
	return e, rest, e != nil
}

// decodeOne reads one error of the stack into e.
func (e *Error) decodeOne(b []byte) (rest []byte, ok bool) {
	pairs, rest, ok := msgpack.ReadMapHeader(b)
	if !ok {
		return nil, false
	}
	hasType, hasMessage := false, false
	for range pairs {
		var key uint64
		if key, rest, ok = msgpack.ReadUint(rest); !ok {
			return nil, false
		}
		switch key {
		case keyType:
			rest, ok = decodeText(&e.Type, rest)
			hasType = ok
		case keyFile:
			rest, ok = decodeText(&e.File, rest)
		case keyLine:
			rest, ok = decodeUint32(&e.Line, rest)
		case keyMessage:
			rest, ok = decodeText(&e.Message, rest)
			hasMessage = ok
		case keyErrno:
			rest, ok = decodeUint32(&e.Errno, rest)
		case keyCode:
			var code uint32
			rest, ok = decodeUint32(&code, rest)
			e.Code = Code(code)
		case keyFields:
			rest, ok = e.decodeFields(rest)
		default:
			rest, ok = msgpack.Skip(rest)
		}
		if !ok {
			return nil, false
		}
	}
	if name, ok := e.Field("name").(string); ok {
		e.Name = name
	}
	if class, ok := e.Field("custom_type").(string); ok && e.Type == TypeCustom {
		e.CustomType = class
	}
	return rest, hasType && hasMessage
}

func (e *Error) decodeFields(b []byte) (rest []byte, ok bool) {
	pairs, rest, ok := msgpack.ReadMapHeader(b)
	if !ok {
		return nil, false
	}
	for range pairs {
		var name []byte
		if name, rest, ok = msgpack.ReadString(rest); !ok {
			return nil, false
		}
		value := rest
		if rest, ok = msgpack.Check(value); !ok {
			return nil, false
		}
		value = value[:len(value)-len(rest)]
		field := Field{Name: string(name)}
		if text, _, isText := msgpack.ReadString(value); isText {
			field.Value = string(text)
		} else {
			field.Value = append(msgpack.Raw(nil), value...)
		}
		e.Fields = append(e.Fields, field)
	}
	return rest, true
}

func decodeText(s *string, b []byte) (rest []byte, ok bool) {
	text, rest, ok := msgpack.ReadString(b)
	*s = string(text)
	return rest, ok
}

func decodeUint32(v *uint32, b []byte) (rest []byte, ok bool) {
	u, rest, ok := msgpack.ReadUint(b)
	if !ok || u > math.MaxUint32 {
		return nil, false
	}
	*v = uint32(u)
	return rest, true
}

func init() {
	msgpack.RegisterExtCheck(ExtType, func(data []byte) bool {
		_, rest, ok := Decode(data)
		return ok && len(rest) == 0
	})
	msgpack.RegisterExtDecoder(ExtType, func(data []byte) (any, error) {
		e, _, ok := Decode(data)
		if !ok {
			return nil, msgpack.ErrMalformed
		}
		return e, nil
	})
}

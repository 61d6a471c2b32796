package msgpack

// ReadInto reads a value into a variable: a pointer to a string, []byte, bool, integer, float64, Raw or any. A []byte
// takes strings, too, and gets a copy; a Raw refers to the bytes of the value. nil skips it. ok is false for a value that doesn't fit, as nil doesn't into any but *Raw and *any, and for another kind of p.
func ReadInto(b []byte, p any) (rest []byte, ok bool) {
	var text []byte
	switch p := p.(type) {
	case nil:
		return Skip(b)
	case *string:
		if text, rest, ok = ReadString(b); ok {
			*p = string(text)
		}
	case *[]byte:
		if text, rest, ok = ReadString(b); !ok {
			text, rest, ok = ReadBin(b)
		}
		if ok {
			*p = append([]byte{}, text...)
		}
	case *bool:
		var v bool
		if v, rest, ok = ReadBool(b); ok {
			*p = v
		}
	case *int:
		return readSigned(b, p)
	case *int8:
		return readSigned(b, p)
	case *int16:
		return readSigned(b, p)
	case *int32:
		return readSigned(b, p)
	case *int64:
		return readSigned(b, p)
	case *uint:
		return readUnsigned(b, p)
	case *uint8:
		return readUnsigned(b, p)
	case *uint16:
		return readUnsigned(b, p)
	case *uint32:
		return readUnsigned(b, p)
	case *uint64:
		return readUnsigned(b, p)
	case *float64:
		var v float64
		if v, rest, ok = ReadNumber(b); ok {
			*p = v
		}
	case *Raw:
		if rest, ok = Skip(b); ok {
			*p = b[:len(b)-len(rest)]
		}
	case *any:
		v, after, err := Decode(b)
		if err != nil {
			return nil, false
		}
		*p, rest, ok = v, after, true
	}
	return rest, ok
}

func readSigned[T int | int8 | int16 | int32 | int64](b []byte, p *T) (rest []byte, ok bool) {
	v, rest, ok := ReadInt(b)
	if !ok || int64(T(v)) != v {
		return nil, false
	}
	*p = T(v)
	return rest, true
}

func readUnsigned[T uint | uint8 | uint16 | uint32 | uint64](b []byte, p *T) (rest []byte, ok bool) {
	v, rest, ok := ReadUint(b)
	if !ok || uint64(T(v)) != v {
		return nil, false
	}
	*p = T(v)
	return rest, true
}

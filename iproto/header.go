package iproto

import (
	"github.com/lycosadb/lycosa/msgpack"
)

// Header is what the server needs of the header of a request.
type Header struct {
	Type          Type
	Sync          uint64
	SchemaVersion uint64
	StreamID      uint64
}

// Length reads the length in front of a packet: size is how many bytes the
// length itself takes, n how many follow. If b is too short to tell, need is
// the number of bytes that are missing. ok is false if b begins with
// something that is no unsigned integer.
func Length(b []byte) (n uint64, size, need int, ok bool) {
	if len(b) == 0 {
		return 0, 0, 1, true
	}
	switch c := b[0]; {
	case c < 0x80:
		return uint64(c), 1, 0, true
	case c == 0xcc:
		size = 2
	case c == 0xcd:
		size = 3
	case c == 0xce:
		size = 5
	case c == 0xcf:
		size = 9
	default:
		return 0, 0, 0, false
	}
	if len(b) < size {
		return 0, 0, size - len(b), true
	}
	for _, x := range b[1:size] {
		n = n<<8 | uint64(x)
	}
	return n, size, 0, true
}

// DecodeHeader reads the header at the start of b and returns what follows
// it. Keys without a name may hold anything, all others must have values of
// their type. When ok is false, h holds what was read before the bad key, as
// far as the header is one whole MessagePack value.
func DecodeHeader(b []byte, h *Header) (rest []byte, ok bool) {
	*h = Header{}
	if rest, ok = decodeHeader(b, h); ok {
		return rest, true
	}
	if _, whole := msgpack.Check(b); !whole {
		*h = Header{}
	}
	return nil, false
}

func decodeHeader(b []byte, h *Header) (rest []byte, ok bool) {
	n, b, ok := msgpack.ReadMapHeader(b)
	if !ok {
		return nil, false
	}
	for ; n > 0; n-- {
		if len(b) < 2 {
			return nil, false
		}
		// Keys that mean something are a byte.
		key := uint64(b[0])
		if key < 0x80 {
			b = b[1:]
		} else if key, b, ok = readKey(b); !ok {
			return nil, false
		}
		if key < uint64(len(keyTypes)) {
			switch want := keyTypes[key]; want {
			case msgpack.Uint:
				value := uint64(b[0])
				if value < 0x80 {
					b = b[1:]
				} else if value, b, ok = readUintExact(b); !ok {
					return nil, false
				}
				switch Key(key) {
				case KeyRequestType:
					h.Type = Type(value)
				case KeySync:
					h.Sync = value
				case KeySchemaVersion:
					h.SchemaVersion = value
				case KeyStreamID:
					h.StreamID = value
				}
				continue
			case msgpack.Nil:
			default:
				if msgpack.TypeOf(b[0]) != want {
					return nil, false
				}
			}
		}
		if b, ok = msgpack.Check(b); !ok {
			return nil, false
		}
	}
	return b, true
}

// readKey reads the key of a pair, an unsigned integer with a value behind it.
func readKey(b []byte) (key uint64, rest []byte, ok bool) {
	key, rest, ok = readUintExact(b)
	return key, rest, ok && len(rest) > 0
}

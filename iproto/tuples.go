package iproto

import (
	"bytes"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// TupleExt is the MessagePack extension of a tuple among other values: the number of its format, which TUPLE_FORMATS
// describes, then the tuple as an array.
const TupleExt = 7

// MapTuples gives the tuples among the values in b, one whole MessagePack value, other numbers of formats: those that
// number returns. Without tuples the result is b itself. An extension that is no tuple is an IllegalParams.
func MapTuples(b []byte, number func(id uint64, array []byte) (uint32, error)) ([]byte, error) {
	if bytes.IndexByte(b, TupleExt) < 0 {
		return b, nil
	}
	var out []byte
	start := b // not copied to out yet
	whole := b
	for pending := 1; pending > 0; pending-- {
		if len(b) == 0 {
			return nil, errTuple()
		}
		ok := false
		switch msgpack.TypeOf(b[0]) {
		case msgpack.Array:
			var n int
			if n, b, ok = msgpack.ReadArrayHeader(b); ok {
				pending += n
			}
		case msgpack.Map:
			var n int
			if n, b, ok = msgpack.ReadMapHeader(b); ok {
				pending += 2 * n
			}
		case msgpack.Ext:
			var typ int8
			var data, rest []byte
			if typ, data, rest, ok = msgpack.ReadExt(b); ok && typ == TupleExt {
				id, array, isTuple := msgpack.ReadUint(data)
				if !isTuple || !isArray(array) {
					return nil, errTuple()
				}
				local, err := number(id, array)
				if err != nil {
					return nil, err
				}
				out = append(out, start[:len(start)-len(b)]...)
				out = AppendTuple(out, local, array)
				start = rest
			}
			b = rest
		default:
			b, ok = msgpack.Skip(b)
		}
		if !ok {
			return nil, errTuple()
		}
	}
	if out == nil {
		return whole, nil
	}
	return append(out, start...), nil
}

// AppendTuple appends a tuple with the number of its format.
func AppendTuple(b []byte, format uint32, array []byte) []byte {
	size := len(msgpack.AppendUint(nil, uint64(format)))
	b = msgpack.AppendExtHeader(b, TupleExt, size+len(array))
	return append(msgpack.AppendUint(b, uint64(format)), array...)
}

func errTuple() *boxerr.Error { return boxerr.Illegal("Can not parse a tuple from MsgPack") }

// isArray tells whether b is one whole array.
func isArray(b []byte) bool {
	if len(b) == 0 || msgpack.TypeOf(b[0]) != msgpack.Array {
		return false
	}
	rest, ok := msgpack.Skip(b)
	return ok && len(rest) == 0
}

// Package mpext holds the values that travel as MessagePack extensions: Decimal (type 1), UUID (2), Datetime (4) and
// Interval (6). Errors, type 3, are in package boxerr.
//
// Each type has its text form (String and Parse), its encoding (AppendMsgpack and a Decode of the extension's data), a
// Compare and its arithmetic. The encodings are those of
// https://www.tarantool.io/en/doc/latest/reference/internals/msgpack_extensions/.
//
// Importing the package registers the types with package msgpack: Check then refuses malformed values of them, Decode
// returns them as the types of this package, and AppendText writes their texts. The functions on encoded data
// (CompareDecimalData and the like) are for comparing tuples in place and allocate nothing.
package mpext

import "github.com/lycosadb/lycosa/msgpack"

// The extension types.
const (
	DecimalType  = 1
	UUIDType     = 2
	DatetimeType = 4
	IntervalType = 6
)

// register registers a type's decoder for checks, Go values and texts.
func register[T interface{ AppendText([]byte) []byte }](typ int8, decode func(data []byte) (T, bool)) {
	msgpack.RegisterExtCheck(typ, func(data []byte) bool {
		_, ok := decode(data)
		return ok
	})
	msgpack.RegisterExtDecoder(typ, func(data []byte) (any, error) {
		v, ok := decode(data)
		if !ok {
			return nil, msgpack.ErrMalformed
		}
		return v, nil
	})
	msgpack.RegisterExtText(typ, func(b, data []byte) []byte {
		if v, ok := decode(data); ok {
			return v.AppendText(b)
		}
		return b
	})
}

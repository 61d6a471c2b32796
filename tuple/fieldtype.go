package tuple

import (
	"strings"

	"github.com/lycosadb/lycosa/msgpack"
)

// FieldType is what a field of a format or a part of a key may hold.
type FieldType uint8

// The field types.
const (
	Any FieldType = iota
	Unsigned
	String
	Number
	Double
	Integer
	Boolean
	Varbinary
	Scalar
	Decimal
	UUID
	Datetime
	Interval
	Array
	Map

	fieldTypes // how many there are
)

var fieldTypeNames = [fieldTypes]string{
	"any", "unsigned", "string", "number", "double", "integer", "boolean", "varbinary",
	"scalar", "decimal", "uuid", "datetime", "interval", "array", "map",
}

// String returns the name of the type, such as "unsigned".
func (t FieldType) String() string {
	if t < fieldTypes {
		return fieldTypeNames[t]
	}
	return "unknown"
}

// FieldTypeByName returns the type with the given name, whatever its case. It knows the names "num", "str", "int" and
// "*" as well.
func FieldTypeByName(name string) (t FieldType, ok bool) {
	for i, s := range fieldTypeNames {
		if strings.EqualFold(name, s) {
			return FieldType(i), true
		}
	}
	switch {
	case strings.EqualFold(name, "num"):
		return Unsigned, true
	case strings.EqualFold(name, "int"):
		return Integer, true
	case strings.EqualFold(name, "str"):
		return String, true
	case strings.EqualFold(name, "int"):
		return Integer, true
	case name == "*":
		return Any, true
	}
	return 0, false
}

// The types of extension values.
const (
	extDecimal  = 1
	extUUID     = 2
	extError    = 3
	extDatetime = 4
	extInterval = 6
)

// kind is the type of a MessagePack value with the known extensions told apart.
type kind uint8

const (
	kindNil = kind(msgpack.Nil)

	kindDecimal kind = iota + kind(msgpack.Invalid)
	kindUUID
	kindError
	kindDatetime
	kindInterval

	kinds
)

// kindNames are what errors call the actual type of a value.
var kindNames = [kinds]string{
	msgpack.Nil: "nil", msgpack.Bool: "boolean", msgpack.Uint: "unsigned", msgpack.Int: "integer",
	msgpack.Float32: "float", msgpack.Float64: "double", msgpack.String: "string", msgpack.Bin: "blob",
	msgpack.Array: "array", msgpack.Map: "map", msgpack.Ext: "ext", msgpack.Invalid: "ext",
	kindDecimal: "decimal", kindUUID: "uuid", kindError: "error", kindDatetime: "datetime", kindInterval: "interval",
}

// kindOf returns the kind of the value at the beginning of v.
func kindOf(v []byte) kind {
	t := typeOf(v)
	if t != msgpack.Ext {
		return kind(t)
	}
	return extKind(v)
}

// typeOf returns the type of the value at the beginning of v, Nil if there is none.
func typeOf(v []byte) msgpack.Type {
	if len(v) == 0 {
		return msgpack.Nil
	}
	return msgpack.TypeOf(v[0])
}

func extKind(v []byte) kind {
	switch typ, _, _, _ := msgpack.ReadExt(v); typ {
	case extDecimal:
		return kindDecimal
	case extUUID:
		return kindUUID
	case extError:
		return kindError
	case extDatetime:
		return kindDatetime
	case extInterval:
		return kindInterval
	}
	return kind(msgpack.Ext)
}

// The sets of kinds that field types take, as bits 1 << kind.
const (
	takesUint    uint32 = 1 << msgpack.Uint
	takesInteger        = takesUint | 1<<msgpack.Int
	takesFloat          = 1<<msgpack.Float32 | 1<<msgpack.Float64
	takesNumber         = takesInteger | takesFloat | 1<<kindDecimal
	takesScalar         = takesNumber | 1<<msgpack.Bool | 1<<msgpack.String | 1<<msgpack.Bin | 1<<kindUUID | 1<<kindDatetime
)

var takes = [fieldTypes]uint32{
	Any: 1<<kinds - 1, Unsigned: takesUint, String: 1 << msgpack.String, Number: takesNumber,
	Double: takesInteger | takesFloat, Integer: takesInteger, Boolean: 1 << msgpack.Bool,
	Varbinary: 1 << msgpack.Bin, Scalar: takesScalar, Decimal: 1 << kindDecimal, UUID: 1 << kindUUID,
	Datetime: 1 << kindDatetime, Interval: 1 << kindInterval, Array: 1 << msgpack.Array, Map: 1 << msgpack.Map,
}

// Takes reports whether the type takes the value at the beginning of v. Nil is taken by any only.
func (t FieldType) Takes(v []byte) bool {
	return len(v) > 0 && t < fieldTypes && takes[t]>>kindOf(v)&1 != 0
}

// broader lists for each type the other types that take all of its values.
var broader = [fieldTypes][]FieldType{
	Unsigned: {Integer, Number, Scalar}, String: {Scalar}, Number: {Scalar}, Double: {Number, Scalar},
	Integer: {Number, Scalar}, Boolean: {Scalar}, Varbinary: {Scalar}, Decimal: {Number, Scalar},
	UUID: {Scalar}, Datetime: {Scalar},
}

// Contains reports whether a field of type t takes whatever a field of type sub takes.
func (t FieldType) Contains(sub FieldType) bool {
	if t == Any || t == sub {
		return true
	}
	for _, b := range broader[sub] {
		if t == b {
			return true
		}
	}
	return false
}

// Indexable reports whether values of the type have an order, so that an ordered index may have them as a part of
// its key.
func (t FieldType) Indexable() bool {
	switch t {
	case Any, Interval, Array, Map:
		return false
	}
	return t < fieldTypes
}

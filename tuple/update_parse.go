package tuple

import (
	"fmt"
	"math"
	"strconv"
	"unsafe"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// operation is one operation of an update, with its arguments read.
type operation struct {
	code  byte
	named bool      // the field was given by name or path
	field int       // counted from 0, or negative from the end
	path  pathLexer // of a named one: src is what was given, and what leads into the field is still to be read

	arg    []byte // of = and !
	number number // of + - & | ^
	count  uint32 // of #
	offset int    // of :, counted from 0 or negative
	cut    int    // of :, may be negative
	paste  []byte // of :
}

// operandCount returns how many items an operation with an operator has, the operator included.
func operandCount(code byte) (n int, ok bool) {
	switch code {
	case '=', '!', '#', '+', '-', '&', '|', '^':
		return 3, true
	case ':':
		return 5, true
	}
	return 0, false
}

// terminal reports whether the operation is on the field itself and not on a value inside of it.
func (op *operation) terminal() bool { return op.path.offset == len(op.path.src) }

// parse reads all operations.
func (u *updater) parse(ops []byte, indexBase int, f *Format) error {
	n, rest, ok := msgpack.ReadArrayHeader(ops)
	if !ok {
		return boxerr.Illegal("update operations must be an array {{op,..}, {op,..}}")
	}
	if n > maxOps {
		return boxerr.Illegal("too many operations for update")
	}
	for i := range n {
		if len(u.ops) < cap(u.ops) {
			u.ops = u.ops[:i+1] // which release has cleared
		} else {
			u.ops = append(u.ops, operation{})
		}
		var err error
		if rest, err = u.ops[i].parse(rest, i+1, indexBase, f); err != nil {
			return err
		}
	}
	return nil
}

// truncated is the error of operations that end too early.
func truncated() error { return boxerr.New(boxerr.InvalidMsgpack, "truncated update operations") }

// parse reads operation number no, counted from 1, from the beginning of v, and returns what follows it.
func (op *operation) parse(v []byte, no, indexBase int, f *Format) (rest []byte, err error) {
	if len(v) == 0 {
		return nil, truncated()
	}
	n, rest, ok := msgpack.ReadArrayHeader(v)
	if !ok {
		return nil, boxerr.Illegal("update operation must be an array {op,..}")
	}
	if n == 0 {
		return nil, boxerr.Illegal("update operation must be an array {op,..}, got empty array")
	}
	name, rest, ok := msgpack.ReadString(rest)
	if !ok {
		return nil, boxerr.Illegal("update operation name must be a string")
	}
	want := 0
	if ok = len(name) == 1; ok {
		op.code = name[0]
		want, ok = operandCount(op.code)
	}
	if !ok {
		return nil, boxerr.New(boxerr.UnknownUpdateOp, no, `"`+string(name)+`"`)
	}
	if n != want {
		return nil, boxerr.New(boxerr.UnknownUpdateOp, no,
			fmt.Sprintf("wrong number of arguments, expected %d, got %d", want, n))
	}
	field := rest
	if rest, ok = msgpack.Skip(rest); !ok {
		return nil, truncated()
	}
	if err := op.parseField(field[:len(field)-len(rest)], indexBase, f); err != nil {
		return nil, err
	}
	return op.parseArguments(rest, indexBase)
}

// parseField reads which field the operation is on.
func (op *operation) parseField(v []byte, indexBase int, f *Format) error {
	switch typeOf(v) {
	case msgpack.Uint, msgpack.Int:
		n, ok := readInt32(v)
		switch {
		case !ok:
			return op.argType("an integer")
		case n < 0:
			op.field = n
		case n < indexBase:
			return boxerr.New(boxerr.NoSuchFieldNo, n)
		default:
			op.field = n - indexBase
		}
		return nil
	case msgpack.String:
	default:
		return boxerr.Illegal("field id must be a number or a string")
	}
	name, _, _ := msgpack.ReadString(v)
	op.named = true
	// The operations stay what they are as long as an updater is at work on them.
	op.path.src = unsafe.String(unsafe.SliceData(name), len(name))
	no, ok := f.fieldByName(name)
	if ok {
		op.field = no
		op.path.offset = len(op.path.src)
		return nil
	}
	tok, bad := op.path.next()
	if bad != 0 {
		return op.badPath(bad)
	}
	switch tok.Kind {
	case TokenIndex:
		op.field = tok.Index
		return nil
	case TokenKey:
		if op.field, ok = f.FieldByName(tok.Key); ok {
			return nil
		}
	}
	return boxerr.New(boxerr.NoSuchFieldName, string(name))
}

// parseArguments reads what stands behind the field, and returns what follows it.
func (op *operation) parseArguments(v []byte, indexBase int) (rest []byte, err error) {
	rest, ok := msgpack.Skip(v)
	if !ok {
		return nil, truncated()
	}
	arg := v[:len(v)-len(rest)]
	switch op.code {
	case '=', '!':
		op.arg = arg
	case '#':
		n, _, ok := msgpack.ReadUint(arg)
		if !ok {
			return nil, op.argType("a positive integer")
		}
		if op.count = uint32(n); op.count == 0 {
			return nil, op.fieldError("cannot delete 0 fields")
		}
	case '+', '-':
		if op.number, ok = readNumber(arg); !ok {
			return nil, op.argType("a number")
		}
	case '&', '|', '^':
		if !Unsigned.Takes(arg) {
			return nil, op.argType("a positive integer")
		}
		op.number, _ = readNumber(arg)
	case ':':
		return op.parseSplice(arg, rest, indexBase)
	}
	return rest, nil
}

// parseSplice reads the offset, and from rest on the two other arguments.
func (op *operation) parseSplice(offset, rest []byte, indexBase int) ([]byte, error) {
	var ok bool
	if op.offset, ok = readInt32(offset); !ok {
		return nil, op.argType("an integer")
	}
	if op.offset >= 0 {
		if op.offset -= indexBase; op.offset < 0 {
			return nil, op.outOfBound()
		}
	}
	cut := rest
	if rest, ok = msgpack.Skip(rest); !ok {
		return nil, truncated()
	}
	if op.cut, ok = readInt32(cut); !ok {
		return nil, op.argType("an integer")
	}
	paste := rest
	if rest, ok = msgpack.Skip(rest); !ok {
		return nil, truncated()
	}
	if op.paste, _, ok = readText(paste); !ok {
		return nil, op.argType("a string or varbinary")
	}
	return rest, nil
}

// readInt32 reads an integer of 32 bits.
func readInt32(v []byte) (n int, ok bool) {
	i, _, ok := msgpack.ReadInt(v)
	return int(i), ok && i >= math.MinInt32 && i <= math.MaxInt32
}

// readText reads a string or binary data.
func readText(v []byte) (text []byte, binary, ok bool) {
	if text, _, ok = msgpack.ReadString(v); ok {
		return text, false, true
	}
	text, _, ok = msgpack.ReadBin(v)
	return text, true, ok
}

// fieldText returns how error messages call the field: by its number counted from 1, or by the path in quotes.
func (op *operation) fieldText() string {
	switch {
	case op.named:
		return "'" + op.path.src + "'"
	case op.field < 0:
		return strconv.Itoa(op.field)
	}
	return strconv.Itoa(op.field + 1)
}

func (op *operation) noSuchField() *boxerr.Error {
	switch {
	case op.named:
		return boxerr.New(boxerr.NoSuchFieldName, op.fieldText())
	case op.field < 0:
		return boxerr.New(boxerr.NoSuchFieldNo, op.field)
	}
	return boxerr.New(boxerr.NoSuchFieldNo, op.field+1)
}

func (op *operation) argType(expected string) *boxerr.Error {
	return boxerr.New(boxerr.UpdateArgType, op.code, op.fieldText(), expected)
}

func (op *operation) fieldError(details string) *boxerr.Error {
	return boxerr.New(boxerr.UpdateField, op.fieldText(), details)
}

func (op *operation) badPath(position int) *boxerr.Error {
	return op.fieldError("invalid JSON in position " + strconv.Itoa(position))
}

func (op *operation) outOfBound() *boxerr.Error {
	return boxerr.New(boxerr.UpdateSplice, op.fieldText(), "offset is out of bound")
}

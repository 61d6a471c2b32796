//go:build cgo

package luajit

/*
#include "bridge.h"
*/
import "C"

import (
	"encoding/binary"
	"runtime/debug"
	"unsafe"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// Call is a call of a Go function by Lua: arguments to be read one by one, and results.
type Call struct {
	State *State
	Args  []byte // the arguments that were not read yet, MessagePack values one after another
	NArgs int    // how many there are in Args
	Out   []byte // results, MessagePack values one after another
	NOut  int    // how many
}

//export lyGoCall
func lyGoCall(h C.uintptr_t, l *C.lua_State, id C.int, args *C.char, size C.size_t, n, depth C.int, outLen *C.size_t, outCount *C.int) C.int {
	s := handle(h).state()
	s.TakeSent()
	outer := s.call
	running := s.running
	s.running = l
	result := &s.vm.results[depth]
	s.call = Call{
		State: s,
		Args:  unsafe.Slice((*byte)(unsafe.Pointer(args)), int(size)),
		NArgs: int(n),
		Out:   unsafe.Slice((*byte)(unsafe.Pointer(result.p)), int(result.cap))[:0],
	}
	err := s.invoke(int(id))
	rc := C.int(C.LY_OK)
	out := s.call.Out
	if err != nil {
		if err == ErrPark {
			rc = C.LY_PARK
			out = out[:0]
		} else {
			rc = C.LY_RAISE
			out = AppendError(out[:0], boxerr.From(err))
		}
	}
	keep(result, out)
	*outLen = C.size_t(len(out))
	*outCount = C.int(s.call.NOut)
	s.call = outer
	s.running = running
	return rc
}

// keep has results in the buffer that they may have grown out of.
func keep(result *C.struct_ly_buf, out []byte) {
	if len(out) > 0 && unsafe.SliceData(out) != (*byte)(unsafe.Pointer(result.p)) {
		result.len = 0
		C.ly_buf_reserve(result, C.size_t(len(out)))
		copy(unsafe.Slice((*byte)(unsafe.Pointer(result.p)), len(out)), out)
	}
}

//export lyGoGet
func lyGoGet(h C.uintptr_t, space, index C.uint32_t, key *C.char, size C.size_t, depth C.int) C.int32_t {
	s := handle(h).state()
	result := &s.vm.results[depth]
	room := unsafe.Slice((*byte)(unsafe.Pointer(result.p)), int(result.cap))[:0]
	out, ok := s.get(room, uint32(space), uint32(index), unsafe.Slice((*byte)(unsafe.Pointer(key)), int(size)))
	switch {
	case !ok:
		return C.LY_UNREAD
	case len(out) == 0:
		return C.LY_ABSENT
	}
	keep(result, out)
	s.vm.shared.result = result.p
	return C.LY_FOUND
}

// get asks OnGet, and declines when that panics.
func (s *State) get(room []byte, space, index uint32, key []byte) (out []byte, ok bool) {
	defer func() {
		if v := recover(); v != nil {
			s.panicked("get", v)
			ok = false
		}
	}()
	return s.OnGet(room, space, index, key)
}

//export lyReport
func lyReport(h C.uintptr_t, text *C.char, size C.size_t) {
	s := handle(h).state()
	if s.OnInterrupt != nil {
		s.OnInterrupt(C.GoStringN(text, C.int(size)))
	}
}

// invoke runs the function and makes an error of a panic.
func (s *State) invoke(id int) (err error) {
	f := &s.funcs[id]
	defer func() {
		if v := recover(); v != nil {
			s.panicked(f.name, v)
			err = boxerr.Luajit("internal error in " + f.name)
		}
	}()
	return f.f(&s.call)
}

// panicked tells of a panic, in the function that recovers from it.
func (s *State) panicked(function string, v any) {
	if s.OnPanic != nil {
		s.OnPanic(function, v, debug.Stack())
	}
}

// AppendError appends an error as the extension that becomes an error object in Lua.
func AppendError(b []byte, e *boxerr.Error) []byte {
	return e.AppendExt(b)
}

// Raw reads the next argument as its bytes; nil when there is none.
func (c *Call) Raw() []byte {
	if c.NArgs <= 0 {
		return nil
	}
	rest, ok := msgpack.Skip(c.Args)
	if !ok {
		c.NArgs = 0
		return nil
	}
	v := c.Args[:len(c.Args)-len(rest)]
	c.Args = rest
	c.NArgs--
	return v
}

// Peek is the type of the next argument; Nil when there is none.
func (c *Call) Peek() msgpack.Type {
	if c.NArgs <= 0 {
		return msgpack.Nil
	}
	return msgpack.TypeOf(c.Args[0])
}

// IsNil says whether the next argument is nil or absent, and reads it if so.
func (c *Call) IsNil() bool {
	if c.Peek() != msgpack.Nil {
		return false
	}
	c.Raw()
	return true
}

// Uint reads an unsigned integer; 0 for anything else.
func (c *Call) Uint() uint64 {
	v, _, ok := msgpack.ReadUint(c.Raw())
	if !ok {
		return 0
	}
	return v
}

// Int reads an integer; 0 for anything else.
func (c *Call) Int() int64 {
	v, _, ok := msgpack.ReadInt(c.Raw())
	if !ok {
		return 0
	}
	return v
}

// Float reads a number; 0 for anything else.
func (c *Call) Float() float64 {
	v, _, ok := msgpack.ReadNumber(c.Raw())
	if !ok {
		return 0
	}
	return v
}

// Str reads a string; empty for anything else.
func (c *Call) Str() string { return string(c.Bytes()) }

// Bytes reads a string without copying it; it is valid during the call.
func (c *Call) Bytes() []byte {
	v, _, ok := msgpack.ReadString(c.Raw())
	if !ok {
		return nil
	}
	return v
}

// Bool reads a boolean: true for true only.
func (c *Call) Bool() bool {
	v, _, ok := msgpack.ReadBool(c.Raw())
	return ok && v
}

// Value reads an argument as a Go value.
func (c *Call) Value() (any, error) {
	raw := c.Raw()
	if raw == nil {
		return nil, nil
	}
	v, _, err := msgpack.Decode(raw)
	return v, err
}

// Func reads a Lua function, which the caller owns from now on; NoRef when it is none.
func (c *Call) Func() Ref { return RefOf(c.Raw()) }

// RefOf reads the function that the bytes of an argument are; NoRef when they are none.
func RefOf(raw []byte) Ref {
	if len(raw) == 0 || msgpack.TypeOf(raw[0]) != msgpack.Ext {
		return NoRef
	}
	typ, data, _, ok := msgpack.ReadExt(raw)
	if !ok || typ != ExtFunction || len(data) != 4 {
		return NoRef
	}
	return Ref(int32(binary.NativeEndian.Uint32(data)))
}

// PushNil returns nil.
func (c *Call) PushNil() { c.Out = msgpack.AppendNil(c.Out); c.NOut++ }

// PushBool returns a boolean.
func (c *Call) PushBool(v bool) { c.Out = msgpack.AppendBool(c.Out, v); c.NOut++ }

// PushUint returns an integer.
func (c *Call) PushUint(v uint64) { c.Out = msgpack.AppendUint(c.Out, v); c.NOut++ }

// PushInt returns an integer.
func (c *Call) PushInt(v int64) { c.Out = msgpack.AppendInt(c.Out, v); c.NOut++ }

// PushFloat returns a number.
func (c *Call) PushFloat(v float64) { c.Out = msgpack.AppendFloat64(c.Out, v); c.NOut++ }

// PushString returns a string.
func (c *Call) PushString(v string) { c.Out = msgpack.AppendString(c.Out, v); c.NOut++ }

// PushBytes returns a string.
func (c *Call) PushBytes(v []byte) { c.Out = msgpack.AppendStringBytes(c.Out, v); c.NOut++ }

// PushRaw returns one value that is MessagePack already.
func (c *Call) PushRaw(v []byte) { c.Out = append(c.Out, v...); c.NOut++ }

// PushError returns an error object, without raising it.
func (c *Call) PushError(err error) { c.Out = AppendError(c.Out, boxerr.From(err)); c.NOut++ }

// Push returns a Go value as msgpack.Append takes it.
func (c *Call) Push(v any) error {
	out, err := msgpack.Append(c.Out, v)
	if err != nil {
		return err
	}
	c.Out = out
	c.NOut++
	return nil
}

// PushTuple returns a tuple of the database: data is its MessagePack, address what tells it from others, format the id
// of its format.
func (c *Call) PushTuple(data []byte, address uintptr, format uint32) {
	c.Out = AppendTuple(c.Out, data, address, format)
	c.NOut++
}

// AppendRef appends a Lua function, as an argument of a call into Lua.
func AppendRef(b []byte, r Ref) []byte {
	return binary.NativeEndian.AppendUint32(append(b, 0xd6, ExtFunction), uint32(int32(r)))
}

// AppendTuple appends a tuple in the form that Lua makes a tuple object of.
func AppendTuple(b, data []byte, address uintptr, format uint32) []byte {
	n := len(data) + 12
	b = append(b, 0xc9, byte(n>>24), byte(n>>16), byte(n>>8), byte(n), ExtLiveTuple)
	b = binary.NativeEndian.AppendUint64(b, uint64(address))
	b = binary.NativeEndian.AppendUint32(b, format)
	return append(b, data...)
}

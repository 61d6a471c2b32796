//go:build cgo

// Package luajit is the bridge to LuaJIT: the only cgo and the only C of the project.
//
// A State is one Lua VM. MessagePack is the language of the bridge: a call in either direction carries its arguments as
// one buffer and brings its results back as one, so it costs one crossing however many values it passes. No Go pointer is
// kept by C, no Lua value by Go other than a Ref.
//
// Lua code runs in a Thread, a coroutine. What blocks parks: the coroutine yields through however many coroutines of the
// program, Resume returns Yielded, and a later Resume continues it with the results. Nothing here locks: everything is
// called under the cord's lock.
//
// An error in Lua never unwinds Go frames, a panic in Go never reaches C: it becomes a Lua error and is reported to
// State.OnPanic.
package luajit

/*
#cgo CFLAGS: -O2 -Wall -Wextra -Werror -I/usr/include/luajit-2.1
#cgo linux LDFLAGS: -l:libluajit-5.1.a -lm -ldl
#include <stdlib.h>
#include "bridge.h"
*/
import "C"

import (
	"errors"
	"unsafe"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// State is one Lua VM.
type State struct {
	vm      *C.struct_ly_vm
	handle  handle
	funcs   []function
	threads int
	call    Call // of the Go function that runs now
	// OnPanic hears of panics in Go functions called by Lua.
	OnPanic func(function string, value any, stack []byte)
	// OnSent gets the packets that were gathered for the fast session: before any Go function runs, and when the caller of
	// Resume asks by TakeSent.
	OnSent func(packets []byte)
	// OnGet appends a tuple found by a key, an array of one value, in the form of AppendTuple; nothing when there is none. ok
	// is false when it declines, and Lua asks in another way. It may be called by code that LuaJIT has compiled, so it must
	// not call Lua.
	OnGet func(room []byte, space, index uint32, key []byte) (out []byte, ok bool)
	// OnInterrupt gets the stack of the Lua code that ran when Interrupt was called.
	OnInterrupt func(stack string)
	running     *C.lua_State // the code that called the Go function that runs now
}

type function struct {
	name string
	f    Func
}

// Func is a Go function that Lua calls. It reads its arguments from the Call and pushes its results to it. An error is
// raised in Lua.
type Func func(c *Call) error

// Ref holds a Lua function for Go until it is released.
type Ref int32

// NoRef is no function.
const NoRef Ref = -1

// Extension types of the bridge; they never leave the process.
const (
	ExtFunction  = 100 // a Ref
	ExtLiveTuple = 101 // address (8 bytes), format id (4), the tuple's MessagePack
)

// ErrPark is returned by a blocking function that has parked the fiber it was called from.
var ErrPark = errors.New("parked")

// New starts a VM with LuaJIT's own libraries open.
func New() (*State, error) {
	s := &State{}
	s.handle = newHandle(s)
	s.vm = C.ly_open(C.uintptr_t(s.handle))
	if s.vm == nil {
		s.handle.delete()
		return nil, boxerr.Luajit("LuaJIT could not be started")
	}
	return s, nil
}

// Close frees the VM and all that is in it.
func (s *State) Close() {
	C.ly_close(s.vm)
	s.vm = nil
	s.handle.delete()
}

// Func makes f known to Lua under that name. It runs under the cord's lock and must not block.
func (s *State) Func(name string, f Func) { s.register(name, f, C.LY_PLAIN) }

// Blocking is Func for functions that may park the calling fiber by returning ErrPark.
func (s *State) Blocking(name string, f Func) { s.register(name, f, C.LY_BLOCKING) }

// Raw is Func for a function whose results Lua does not want decoded but reads itself, where they are.
func (s *State) Raw(name string, f Func) { s.register(name, f, C.LY_RAW) }

// Sender is Func for a function of a session's id, a header and a body: f gets the id as its only argument and, behind it
// in Args, the whole packet that header and body make.
func (s *State) Sender(name string, f Func) { s.register(name, f, C.LY_SEND) }

func (s *State) register(name string, f Func, kind C.int) {
	s.funcs = append(s.funcs, function{name, f})
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	C.ly_register(s.vm, n, C.int(len(s.funcs)-1), kind)
}

// Load compiles a chunk. name is what error messages call it, as luaL_loadbuffer wants it ("=text" or "@file").
func (s *State) Load(chunk []byte, name string) (Ref, error) {
	n := C.CString(name)
	defer C.free(unsafe.Pointer(n))
	ref := C.ly_load(s.vm, (*C.char)(pointer(chunk)), C.size_t(len(chunk)), n)
	if ref < 0 {
		return NoRef, s.failure()
	}
	return Ref(ref), nil
}

// Release lets go of a Lua function.
func (s *State) Release(r Ref) {
	if r >= 0 {
		C.ly_unref(s.vm, C.int(r))
	}
}

// Memory is the number of bytes that Lua uses.
func (s *State) Memory() int64 { return int64(C.ly_memory(s.vm)) }

// Interrupt asks for the stack of the Lua code that runs now, which OnInterrupt gets. It may be called from any
// goroutine, without the cord's lock, as long as the State is open. Compiled loops are left alone until they end.
func (s *State) Interrupt() { C.ly_interrupt(s.vm) }

// Uninterrupt takes an Interrupt back that nothing has heard.
func (s *State) Uninterrupt() { C.ly_uninterrupt(s.vm) }

// CanYield tells whether the code that called the blocking function that runs now may be suspended: it may not inside of
// a C function that calls back.
func (s *State) CanYield() bool { return s.vm.can_yield != 0 }

// TakeSent gives OnSent what was gathered.
func (s *State) TakeSent() {
	if b := &s.vm.sent; b.len > 0 {
		n := int(b.len)
		b.len = 0
		s.OnSent(unsafe.Slice((*byte)(unsafe.Pointer(b.p)), n))
	}
}

// Flush writes what Lua's io library holds back of the standard streams.
func (s *State) Flush() { C.ly_flush(s.vm) }

// Collect runs a full collection of Lua's garbage.
func (s *State) Collect() { C.ly_collect(s.vm) }

// SetPlain says whether tables of plain values are encoded where LuaJIT keeps them, which is so unless its layout is not the
// one that is known, or through its API like all others. It returns what was set before.
func (s *State) SetPlain(on bool) (before bool) {
	before = s.vm.knows_layout != 0
	s.vm.knows_layout = 0
	if on {
		s.vm.knows_layout = 1
	}
	return before
}

// Thread is a coroutine that Go runs.
type Thread struct {
	co  *C.lua_State
	ref C.int
}

// NewThread makes a coroutine. It is used again and again as long as nothing fails in it.
func (s *State) NewThread() *Thread {
	t := &Thread{}
	t.co = C.ly_thread(s.vm, &t.ref)
	s.threads++
	return t
}

// Threads is the number of coroutines made by NewThread and not freed.
func (s *State) Threads() int { return s.threads }

// FreeThread lets go of a coroutine.
func (s *State) FreeThread(t *Thread) {
	C.ly_unref(s.vm, t.ref)
	t.co = nil
	s.threads--
}

// Status is how a Resume ended.
type Status int

// The ways a Resume ends.
const (
	Done    Status = C.LY_DONE    // the function returned; Results has what it passed to finish()
	Yielded Status = C.LY_YIELDED // it parked
	Failed  Status = C.LY_FAILED  // it raised; Err has the error. The thread must not be used again.
	Stray   Status = C.LY_STRAY   // the program yielded outside of any coroutine of its own. Likewise.
)

// Resume runs entry in the thread, where take_function() is f, or continues it where it parked when entry is NoRef. in
// holds count MessagePack values for take(); a negative count makes it one value that take() raises.
func (s *State) Resume(t *Thread, entry, f Ref, in []byte, count int) Status {
	return Status(C.ly_resume(s.vm, t.co, C.int(entry), C.int(f), (*C.char)(pointer(in)), C.size_t(len(in)), C.int(count)))
}

// ResumeRequest runs entry in the thread; its take_request() gets f and the request as msgpack objects. Without an entry
// (NoRef) it runs f(header, body), whose first result is the output if it is a boolean; any other becomes nil. With lend the
// objects are used again for another request when f has ended, which f must not notice.
func (s *State) ResumeRequest(t *Thread, entry, f Ref, header, body []byte, lend bool) Status {
	lent := C.int(0)
	if lend {
		lent = 1
	}
	return Status(C.ly_resume_request(s.vm, t.co, C.int(entry), C.int(f), (*C.char)(pointer(header)), C.size_t(len(header)),
		(*C.char)(pointer(body)), C.size_t(len(body)), lent))
}

// Call runs f to its end on behalf of the Lua code that called Go, or of nobody. A yield inside is an error. The
// results are valid until the next call of any kind.
func (s *State) Call(f Ref, in []byte, count int) (results []byte, n int, err error) {
	rc := C.ly_call(s.vm, s.running, C.int(f), (*C.char)(pointer(in)), C.size_t(len(in)), C.int(count))
	if Status(rc) != Done {
		return nil, 0, s.failure()
	}
	results, n = s.Results()
	return results, n, nil
}

// Results is what the last Resume or Call left: n MessagePack values, valid until the next call of any kind.
func (s *State) Results() (results []byte, n int) {
	o := &s.vm.out
	return unsafe.Slice((*byte)(unsafe.Pointer(o.p)), int(o.len)), int(s.vm.out_count)
}

// Err is the error of the last Resume that failed.
func (s *State) Err() *boxerr.Error { return s.failure() }

// Traceback is the stack of a thread that is parked or has failed.
func (s *State) Traceback(t *Thread) string {
	C.ly_traceback(s.vm, t.co)
	b, _ := s.Results()
	text, _, _ := msgpack.ReadString(b)
	return string(text)
}

// failure makes an error of the one value in the output.
func (s *State) failure() *boxerr.Error {
	b, _ := s.Results()
	return DecodeError(b)
}

// DecodeError makes an error of what a Lua program raised: an error object, or any text.
func DecodeError(b []byte) *boxerr.Error {
	switch msgpack.TypeOf(first(b)) {
	case msgpack.Ext:
		if typ, data, _, ok := msgpack.ReadExt(b); ok && typ == 3 {
			if e, _, ok := boxerr.Decode(data); ok {
				return e
			}
		}
	case msgpack.String:
		if text, _, ok := msgpack.ReadString(b); ok {
			return boxerr.Luajit(string(text))
		}
	}
	return boxerr.Luajit("unknown Lua error")
}

func first(b []byte) byte {
	if len(b) == 0 {
		return 0xc1
	}
	return b[0]
}

// Shared is the memory that Lua reads without a call.
type Shared struct {
	FiberID       uint64
	Switches      uint64
	SessionID     uint64
	Sync          uint64
	SchemaVersion uint64
	// FastSession is the session whose packets are gathered, for OnSent, instead of being given to the Sender; 0 for
	// none.
	FastSession uint64
	ClockOffset float64
	scratch     uint64
}

// Shared returns the memory that Lua reads without a call. It lives as long as the State.
func (s *State) Shared() *Shared { return (*Shared)(unsafe.Pointer(&s.vm.shared)) }

// SetResultForm says in which form tuples leave Lua as results for clients: 0 as arrays, 2 as the protocol's MP_TUPLE.
// errorExt says whether errors leave as extensions or as their message.
func (s *State) SetResultForm(tupleExt int, errorExt bool) {
	s.vm.wire.tuple_ext = C.int32_t(tupleExt)
	s.vm.wire.error_ext = 0
	if errorExt {
		s.vm.wire.error_ext = 1
	}
}

// pointer is the address of b's first byte for the time of one call.
func pointer(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }

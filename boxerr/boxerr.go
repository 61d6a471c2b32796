// Package boxerr is the one kind of error that the packages of the database give each other and their clients: a
// class, a code, a message, named payload fields and a chain of causes.
//
// Most errors are made by New from a Code, whose template and payload are defined in codes.go with the numbers, names
// and texts that programs and clients of the ecosystem know. The other constructors make the classes without codes of
// their own. An *Error travels as the MP_ERROR value of error.go; From turns any other error into one.
package boxerr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"syscall"

	"github.com/lycosadb/lycosa/msgpack"
)

// Code is the number of an error. Programs may raise codes that are not defined here.
type Code uint32

// Name returns the name of the code in upper case with underscores ("NO_SUCH_SPACE"), "UNKNOWN" if it is not defined.
func (c Code) Name() string {
	if int64(c) < int64(len(definitions)) && definitions[c].name != "" {
		return definitions[c].name
	}
	return definitions[Unknown].name
}

// Arguments is how many arguments the template of the code's message has.
func (c Code) Arguments() int {
	if int64(c) >= int64(len(definitions)) {
		return 0
	}
	return strings.Count(definitions[c].template, "%")
}

// Codes returns the defined codes in ascending order.
func Codes() []Code {
	codes := make([]Code, 0, len(definitions))
	for c := range definitions {
		if definitions[c].name != "" {
			codes = append(codes, Code(c))
		}
	}
	return codes
}

// The classes of errors.
const (
	TypeClient        = "ClientError"
	TypeAccessDenied  = "AccessDeniedError"
	TypeCustom        = "CustomError"
	TypeIllegalParams = "IllegalParams"
	TypeLuajit        = "LuajitError"
	TypeSystem        = "SystemError"
	TypeSocket        = "SocketError"
	TypeTimedOut      = "TimedOut"
	TypeCancelled     = "FiberIsCancelled"
	TypeMemory        = "OutOfMemory"
	TypeChannelClosed = "ChannelIsClosed"
	TypeXlog          = "XlogError"
	TypeCollation     = "CollationError"
)

// Error is an error of the database. It must not be changed once another goroutine can see it; one that is returned
// in several places is made anew in each of them, because With adds to it.
type Error struct {
	Type       string  // the class, one of the Type constants
	Code       Code    // the code that a Lua program sees; 0 in the classes without codes (see WireCode)
	Name       string  // the name of the code; empty if the class has no named codes
	Message    string  // the text, without the causes
	File       string  // where it was raised; empty if that is only in the program counter
	Line       uint32  // the line in File
	Errno      uint32  // the operating system's number of the error, 0 if there is none
	Fields     []Field // the payload in the order of its making, "name" and "custom_type" included
	Cause      *Error  // the previous error, nil if there is none
	CustomType string  // the program's own class, when Type is TypeCustom

	pc uintptr // where it was raised, resolved only if somebody asks
}

// Field is a named value of an error's payload. The value is one that msgpack.Append takes.
type Field struct {
	Name  string
	Value any
}

// New makes a ClientError (an AccessDeniedError for AccessDenied, an IllegalParams for IllegalParams). The arguments
// are those of the code's template, followed by those of its payload that the message doesn't show. A tuple is passed
// as msgpack.Raw or as what has a String and a Data or AppendMsgpack method. An argument whose type is not the one
// that the payload declares is shown in the message but left out of the payload.
func New(code Code, args ...any) *Error {
	e := &Error{Type: TypeClient, Code: code, Name: code.Name(), pc: caller()}
	var d definition
	if int64(code) < int64(len(definitions)) {
		d = definitions[code]
	}
	if d.name == "" {
		d = definitions[Unknown]
	}
	e.Message = format(d.template, args)
	switch code {
	case IllegalParams:
		e.Type, e.Code = TypeIllegalParams, 0
		return e
	case AccessDenied:
		e.Type = TypeAccessDenied
		e.Fields = payload(e.Fields, "access_type:string object_type:string object_name:string user:string", args)
		return e
	}
	e.Fields = append(make([]Field, 0, 8), Field{"name", e.Name})
	e.Fields = payload(e.Fields, d.payload, args)
	return e
}

// Reason makes a ClientError with a code and a message chosen by a program. Its name is "UNKNOWN" whatever the code
// is; the code IllegalParams gives that class.
func Reason(code Code, message string) *Error {
	e := &Error{Type: TypeClient, Code: code, Name: Unknown.Name(), Message: message, pc: caller()}
	if code == IllegalParams {
		e.Type, e.Code, e.Name = TypeIllegalParams, 0, IllegalParams.Name()
		return e
	}
	e.Fields = []Field{{"name", e.Name}}
	return e
}

// Illegal makes an IllegalParams, the error of calls with wrong arguments.
func Illegal(format string, args ...any) *Error {
	return &Error{Type: TypeIllegalParams, Name: IllegalParams.Name(), Message: sprintf(format, args), pc: caller()}
}

// Luajit makes a LuajitError, what error() in a Lua program becomes.
func Luajit(message string) *Error {
	return &Error{Type: TypeLuajit, Message: message, pc: caller()}
}

// System makes a SystemError for an errno of the operating system.
func System(errno syscall.Errno, format string, args ...any) *Error {
	return &Error{Type: TypeSystem, Errno: uint32(errno), Message: sprintf(format, args), pc: caller()}
}

// TimedOut makes the error of an operation that took longer than its caller allowed.
func TimedOut() *Error {
	return &Error{Type: TypeTimedOut, Errno: uint32(syscall.ETIMEDOUT), Message: "timed out", pc: caller()}
}

// Cancelled makes the error that ends a cancelled fiber.
func Cancelled() *Error {
	return &Error{Type: TypeCancelled, Message: "fiber is cancelled", pc: caller()}
}

// Custom makes an error of a program's own class.
func Custom(class string, code Code, message string) *Error {
	return &Error{Type: TypeCustom, CustomType: class, Code: code, Message: message,
		Fields: []Field{{"custom_type", class}}, pc: caller()}
}

// OfType makes an error of any class, without a payload.
func OfType(class, format string, args ...any) *Error {
	return &Error{Type: class, Message: sprintf(format, args), pc: caller()}
}

// From returns err as an *Error: the first one in its chain if there is one, nil for nil, a SystemError for an error
// of the operating system, a TimedOut for a deadline, otherwise a ClientError of code Unknown with its text.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		e = System(errno, "%s", err.Error())
	case errors.Is(err, fs.ErrNotExist):
		e = System(syscall.ENOENT, "%s", err.Error())
	case errors.Is(err, context.DeadlineExceeded):
		e = TimedOut()
	default:
		e = Reason(Unknown, err.Error())
	}
	e.pc = caller()
	return e
}

// Is reports whether the first *Error in err's chain is a ClientError or AccessDeniedError with that code.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.Code == code && (e.Type == TypeClient || e.Type == TypeAccessDenied)
}

// Error returns the message.
func (e *Error) Error() string { return e.Message }

// Unwrap returns the cause.
func (e *Error) Unwrap() error {
	if e.Cause == nil {
		return nil
	}
	return e.Cause
}

// With sets a payload field and returns e. A field that is already there keeps its place.
func (e *Error) With(name string, value any) *Error {
	for i := range e.Fields {
		if e.Fields[i].Name == name {
			e.Fields[i].Value = value
			return e
		}
	}
	e.Fields = append(e.Fields, Field{name, value})
	return e
}

// Field returns the payload field of that name, nil if there is none.
func (e *Error) Field(name string) any {
	for i := range e.Fields {
		if e.Fields[i].Name == name {
			return e.Fields[i].Value
		}
	}
	return nil
}

// WireCode returns the code under which a client sees e: a class without codes has one there.
func (e *Error) WireCode() Code {
	if e.Code != 0 {
		return e.Code
	}
	switch e.Type {
	case TypeClient, TypeCustom, TypeXlog:
		return e.Code
	case TypeAccessDenied:
		return AccessDenied
	case TypeIllegalParams:
		return IllegalParams
	case TypeSystem, TypeSocket, TypeTimedOut:
		return SystemFailure
	case TypeMemory:
		return MemoryIssue
	case TypeCollation:
		return CantCreateCollation
	}
	return ProcLua
}

// Location returns the file and line where e was raised.
func (e *Error) Location() (file string, line uint32) {
	if e.File == "" && e.pc != 0 {
		frame, _ := runtime.CallersFrames([]uintptr{e.pc}).Next()
		return trimPath(frame.File), uint32(frame.Line)
	}
	return e.File, e.Line
}

// trimPath keeps the package and the file of a source path.
func trimPath(path string) string {
	slashes := 0
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '/' {
			if slashes++; slashes == 2 {
				return path[i+1:]
			}
		}
	}
	return path
}

// caller returns the program counter of who called the function that calls it.
func caller() uintptr {
	var pcs [1]uintptr
	runtime.Callers(3, pcs[:])
	return pcs[0]
}

func sprintf(format string, args []any) string {
	if len(args) == 0 {
		return format
	}
	return fmt.Sprintf(format, args...)
}

// copyRaw returns the encoding of v if it is a MessagePack value, which the error then owns.
func copyRaw(v any) (msgpack.Raw, bool) {
	switch v := v.(type) {
	case msgpack.Raw:
		if len(v) == 0 {
			return nil, false
		}
		return append(msgpack.Raw(nil), v...), true
	case msgpack.Marshaler:
		return v.AppendMsgpack(nil), true
	case interface{ Data() []byte }:
		return append(msgpack.Raw(nil), v.Data()...), true
	}
	return nil, false
}

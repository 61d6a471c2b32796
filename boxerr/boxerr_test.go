package boxerr

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
)

// fieldsText writes the payload as name=value in its order.
func fieldsText(e *Error) string {
	parts := make([]string, len(e.Fields))
	for i, f := range e.Fields {
		b, err := msgpack.Append(nil, f.Value)
		if err != nil {
			return err.Error()
		}
		parts[i] = f.Name + "=" + string(msgpack.AppendText(nil, b))
	}
	return strings.Join(parts, " ")
}

func TestNew(t *testing.T) {
	tuple := msgpack.Raw{0x92, 1, 0xa1, 'a'}
	for _, c := range []struct {
		e                  *Error
		typ, message, want string
	}{
		{New(Unknown), TypeClient, "Unknown error", `name="UNKNOWN"`},
		{New(NoSuchSpace, "x"), TypeClient, "Space 'x' does not exist", `name="NO_SUCH_SPACE" space="x"`},
		{New(TupleFound, "pk", "s", tuple, msgpack.Raw{0x90}), TypeClient,
			`Duplicate key exists in unique index "pk" in space "s" with old tuple - [1, "a"] and new tuple - []`,
			`name="TUPLE_FOUND" index="pk" space="s" old_tuple=[1, "a"] new_tuple=[]`},
		{New(TupleFound, "i", "s", "old", "new"), TypeClient, `Duplicate key exists in unique index "i" in space "s" with old tuple - old and new tuple - new`,
			`name="TUPLE_FOUND" index="i" space="s"`},
		{New(UpdateArgType, '&', "3", "a positive integer"), TypeClient, "Argument type in operation '&' on field 3 does not match field type: expected a positive integer",
			`name="UPDATE_ARG_TYPE" operation="&" field="3" expected="a positive integer"`},
		{New(UpdateArgType, "+", "3", "a number"), TypeClient, "Argument type in operation '+' on field 3 does not match field type: expected a number",
			`name="UPDATE_ARG_TYPE" operation="+" field="3" expected="a number"`},
		{New(ExactMatch, 2, uint32(1)), TypeClient, "Invalid key part count in an exact match (expected 2, got 1)", `name="EXACT_MATCH" expected=2 actual=1`},
		{New(WrongSchemaVersion, 5, uint64(1<<63)), TypeClient, "Wrong schema version, current: 5, in request: 9223372036854775808",
			`name="WRONG_SCHEMA_VERSION" actual=5 expected=9223372036854775808`},
		{New(MemtxMaxTupleSize, uint64(10), uint64(5)), TypeClient, "Failed to allocate 10 bytes for tuple: tuple is too large. Check 'memtx_max_tuple_size' configuration option.",
			`name="MEMTX_MAX_TUPLE_SIZE" value=10 max=5`},
		{New(FieldConstraintFailed, "positive", "1 (id)", 0), TypeClient, "Check constraint 'positive' failed for field '1 (id)'",
			`name="FIELD_CONSTRAINT_FAILED" constraint="positive" field="1 (id)" field_id=0`},
		{New(UnsupportedIndexFeature, "i", "HASH", "s", "memtx", "requested iterator type"), TypeClient,
			"Index 'i' (HASH) of space 's' (memtx) does not support requested iterator type", `name="UNSUPPORTED_INDEX_FEATURE"`},
		{New(AccessDenied, "Write", "space", "t", "joe"), TypeAccessDenied, "Write access to space 't' is denied for user 'joe'",
			`access_type="Write" object_type="space" object_name="t" user="joe"`},
		{New(IllegalParams, "text"), TypeIllegalParams, "text", ""},
		{New(ProcLua, "100% of 'x'"), TypeClient, "100% of 'x'", `name="PROC_LUA" details="100% of 'x'"`},
		{New(NoSuchSpace), TypeClient, "Space '' does not exist", `name="NO_SUCH_SPACE"`},
		{New(5000), TypeClient, "Unknown error", `name="UNKNOWN"`},
		{Reason(5000, "mine"), TypeClient, "mine", `name="UNKNOWN"`},
		{Reason(IllegalParams, "one"), TypeIllegalParams, "one", ""},
		{Custom("Mine", 7, "typed"), TypeCustom, "typed", `custom_type="Mine"`},
		{Illegal("expected %s", "fiber"), TypeIllegalParams, "expected fiber", ""},
		{Luajit("eval:1: 100%"), TypeLuajit, "eval:1: 100%", ""},
		{TimedOut(), TypeTimedOut, "timed out", ""},
		{Cancelled(), TypeCancelled, "fiber is cancelled", ""},
		{System(syscall.ENOENT, "fio: %s", "no"), TypeSystem, "fio: no", ""},
	} {
		if c.e.Type != c.typ || c.e.Error() != c.message || fieldsText(c.e) != c.want {
			t.Errorf("%s %q %s, want %s %q %s", c.e.Type, c.e.Message, fieldsText(c.e), c.typ, c.message, c.want)
		}
		if file, line := c.e.Location(); file != "boxerr/boxerr_test.go" || line == 0 {
			t.Errorf("%s was raised at %s:%d", c.message, file, line)
		}
	}
}

// TestDefinitions makes an error of each code and expects a message without a verb and all declared fields.
func TestDefinitions(t *testing.T) {
	examples := map[string]any{"string": "s", "char": '+', "int": -1, "uint": 1, "ullong": uint64(1), "tuple": msgpack.Raw{0x90}, "msgpack": msgpack.Raw{1}}
	for _, code := range Codes() {
		d := definitions[code]
		var args []any
		declared := 0
		for spec := range strings.FieldsSeq(d.payload) {
			_, kind, _ := strings.Cut(spec, ":")
			example, ok := examples[kind]
			if !ok {
				t.Errorf("%s: payload type %q", d.name, kind)
			}
			args = append(args, example)
			declared++
		}
		for len(args) < strings.Count(d.template, "%") {
			args = append(args, "s")
		}
		e := New(code, args...)
		if code != AccessDenied && code != IllegalParams && len(e.Fields) != 1+declared {
			t.Errorf("%s has the payload %s, want %s", d.name, fieldsText(e), d.payload)
		}
		if strings.Contains(e.Message, "%") {
			t.Errorf("%s: %s", d.name, e.Message)
		}
		if code.Name() != d.name {
			t.Error(code, code.Name())
		}
	}
	if len(Codes()) < 270 || Code(1<<31).Name() != "UNKNOWN" || Code(4).Name() != "UNKNOWN" {
		t.Error(len(Codes()), "codes")
	}
}

func TestWireCode(t *testing.T) {
	for want, list := range map[Code][]*Error{
		0: {New(Unknown), Custom("T", 0, ""), OfType(TypeXlog, "")}, 7: {Custom("T", 7, ""), New(Readonly)}, IllegalParams: {Illegal(""), New(IllegalParams, "")},
		SystemFailure: {System(syscall.EIO, ""), TimedOut(), OfType(TypeSocket, "")}, ProcLua: {Luajit(""), Cancelled(), OfType(TypeChannelClosed, ""), New(ProcLua, "")},
		AccessDenied: {New(AccessDenied)}, MemoryIssue: {OfType(TypeMemory, "")}, CantCreateCollation: {OfType(TypeCollation, "")},
	} {
		for _, e := range list {
			if e.WireCode() != want {
				t.Errorf("%s %d: %d, want %d", e.Type, e.Code, e.WireCode(), want)
			}
		}
	}
}

func TestWith(t *testing.T) {
	e := New(NoSuchSpace, "x").With("space_id", 5).With("space", "y")
	if got := fieldsText(e); got != `name="NO_SUCH_SPACE" space="y" space_id=5` {
		t.Error(got)
	}
	if e.Field("space_id") != 5 || e.Field("nothing") != nil {
		t.Error("Field")
	}
}

func TestFrom(t *testing.T) {
	e := New(NoSuchSpace, "x")
	_, notThere := os.Open("/no/such/file")
	for _, c := range []struct {
		err  error
		typ  string
		code Code
	}{
		{e, TypeClient, NoSuchSpace}, {fmt.Errorf("wrapped: %w", e), TypeClient, NoSuchSpace}, {errors.New("foreign"), TypeClient, Unknown},
		{notThere, TypeSystem, 0}, {context.DeadlineExceeded, TypeTimedOut, 0}, {os.ErrNotExist, TypeSystem, 0},
	} {
		if got := From(c.err); got.Type != c.typ || got.Code != c.code {
			t.Errorf("%v becomes %s %d", c.err, got.Type, got.Code)
		}
	}
	if From(nil) != nil || From(e) != e || From(notThere).Errno != uint32(syscall.ENOENT) {
		t.Error("From")
	}
	if !Is(fmt.Errorf("wrapped: %w", e), NoSuchSpace) || Is(e, NoSuchUser) || Is(Custom("T", NoSuchSpace, ""), NoSuchSpace) || Is(nil, 0) {
		t.Error("Is")
	}
	effect := Luajit("effect")
	effect.Cause = e
	if !errors.Is(effect, e) || e.Unwrap() != nil {
		t.Error("Unwrap")
	}
}

func TestMsgpack(t *testing.T) {
	e := New(TupleFound, "pk", "s", msgpack.Raw{0x91, 1}, msgpack.Raw{0x91, 2})
	e.File, e.Line = "init.lua", 7
	e.Cause = Custom("Mine", 0, "cause").With("bad", make(chan int))
	e.Cause.File = "x"
	e.Cause.Cause = Luajit("root")
	e.Cause.Cause.File = "y"
	b := e.AppendMsgpack(nil)
	const want = `{0: [{0: "ClientError", 1: "init.lua", 2: 7, 3: "Duplicate key exists in unique index \"pk\" in space \"s\" with old tuple - [1] and new tuple - [2]", 4: 0, 5: 3, ` +
		`6: {"name": "TUPLE_FOUND", "index": "pk", "space": "s", "old_tuple": [1], "new_tuple": [2]}}, ` +
		`{0: "CustomError", 1: "x", 2: 0, 3: "cause", 4: 0, 5: 0, 6: {"custom_type": "Mine", "bad": null}}, {0: "LuajitError", 1: "y", 2: 0, 3: "root", 4: 0, 5: 32}]}`
	if got := string(msgpack.AppendText(nil, b)); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	back, rest, ok := Decode(append(b, 1))
	if !ok || len(rest) != 1 || !reflect.DeepEqual(back.AppendMsgpack(nil), b) || back.Name != "TUPLE_FOUND" || back.Cause.CustomType != "Mine" || back.Cause.Cause.Code != ProcLua {
		t.Errorf("%+v, %d, %v", back, len(rest), ok)
	}
	v, _, err := msgpack.Decode(e.AppendExt(nil))
	if ext, isError := v.(*Error); err != nil || !isError || ext.Message != e.Message {
		t.Error(v, err)
	}
	if among, err := msgpack.Append(nil, []any{e}); err != nil || !reflect.DeepEqual(among[1:], e.AppendExt(nil)) {
		t.Errorf("among other values: %x, %v", among, err)
	}
	for n := range b {
		if _, _, ok := Decode(b[:n:n]); ok {
			t.Errorf("%d of %d bytes are decoded", n, len(b))
		}
	}
	for _, bad := range [][]byte{{0x80}, {0x81, 0, 0x90}, {0x81, 1, 0x90}, {0x81, 0xa0, 0x90}, {0x81, 0, 0x91, 0x80}} {
		if _, ok := msgpack.Check(msgpack.AppendExt(nil, ExtType, bad)); ok {
			t.Errorf("%x passes Check", bad)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(New(NoSuchSpace, "x").AppendMsgpack(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, _, ok := Decode(b)
		if !ok {
			return
		}
		again := e.AppendMsgpack(nil)
		if _, rest, ok := Decode(again); !ok || len(rest) != 0 {
			t.Fatalf("%x becomes %x", b, again)
		}
	})
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		New(NoSuchSpace, "x")
	}
}

func BenchmarkAppendMsgpack(b *testing.B) {
	e := New(NoSuchSpace, "x")
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		e.AppendMsgpack(buf)
	}
}

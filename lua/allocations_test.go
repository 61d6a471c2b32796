//go:build cgo

package lua

import (
	"testing"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// ended is the end of an invocation.
type ended struct {
	data []byte
	err  error
}

func (e *ended) Done(data []byte, _ []*tuple.Format, err error) {
	e.data, e.err = append(e.data[:0], data...), err
}

// TestAllocations counts what calls allocate in Go in steady state.
func TestAllocations(t *testing.T) {
	s := newBare(t)
	chunk, err := s.Load([]byte("function echo(...) return ... end"), "=test")
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.State.Call(chunk, nil, 0); err != nil {
		t.Fatal(err)
	}
	c := s.Box.NewCtx(s.Box.NewSession(box.SessionBinary))
	args := msgpack.AppendUint(msgpack.AppendArrayHeader(nil, 1), 7)
	for _, test := range []struct {
		name, text string
		start      func(*box.Ctx, *box.Invocation)
	}{
		{"call", "echo", s.Call},
		{"eval", "return ...", s.Eval},
	} {
		end := &ended{}
		r := &box.Invocation{Name: []byte(test.text), Args: args, Completion: end}
		got := testing.AllocsPerRun(100, func() { test.start(c, r) })
		if end.err != nil || string(end.data) != string(args) {
			t.Fatalf("%s: %x, %v", test.name, end.data, end.err)
		}
		if got != 0 {
			t.Errorf("%s: %v allocations, none are due", test.name, got)
		}
	}
}

// mustLoad compiles a chunk. The lock is held.
func (s *State) mustLoad(t *testing.T, chunk string) luajit.Ref {
	t.Helper()
	ref, err := s.Load([]byte(chunk), "=test")
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

//go:build cgo

package lua

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

// script is a chunk that runs in a fiber of its own.
type script struct {
	state *State
	chunk luajit.Ref
	end   func(results []byte, n int, err error)
}

// RunFile runs a Lua file in a fiber, as the main script of a process or any other. end is called under the lock when it
// has ended. The cord's lock must be held.
func (s *State) RunFile(path string, args []string, end func(err error)) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return boxerr.Luajit("cannot open " + path)
	}
	return s.Run(text, "@"+path, args, func(_ []byte, _ int, err error) { end(err) })
}

// Run runs a chunk in a fiber, with args as its arguments. name is what error messages call the chunk: "=text" or "@file".
// end is called under the lock when it has ended, with the n values that it returned. The cord's lock must be held.
func (s *State) Run(text []byte, name string, args []string, end func(results []byte, n int, err error)) error {
	if bytes.HasPrefix(text, []byte("#")) { // a line for the shell; its end stays, so that line numbers are right
		i := bytes.IndexByte(text, '\n')
		if i < 0 {
			i = len(text)
		}
		text = text[i:]
	}
	chunk, err := s.Load(text, name)
	if err != nil {
		return err
	}
	x := &script{state: s, chunk: chunk, end: end}
	var in []byte
	for _, a := range args {
		in = msgpack.AppendString(in, a)
	}
	f := s.newFiber(nil, s.entry.run, chunk, x)
	f.Name = "interactive"
	if path, ok := strings.CutPrefix(name, "@"); ok {
		f.Name = filepath.Base(path)
	}
	f.in, f.count = in, len(args)
	if l := s.reload.load; l != nil && l.fiber == 0 {
		l.fiber = f.ID
	}
	if l := s.reload.load; l == nil || l.first {
		s.scriptID = f.ID
	}
	f.run()
	return nil
}

func (x *script) done(f *Fiber, results []byte, n int) {
	x.state.Release(x.chunk)
	if !x.cancelled(f) {
		x.end(results, n, nil)
	}
}

func (x *script) failed(f *Fiber, err *boxerr.Error) {
	x.state.Release(x.chunk)
	if !x.cancelled(f) {
		x.end(nil, 0, err)
	}
}

// cancelled tells whether a shutdown has cancelled the script, whose end says nothing any more then.
func (x *script) cancelled(f *Fiber) bool {
	if x.state.onScriptEnd == nil || f.ID != x.state.scriptID {
		return false
	}
	x.state.scriptEnded()
	return true
}

// SetArg sets the global table arg: args[0] is the script, what follows its arguments; arg[-1] is the program.
func (s *State) SetArg(program string, args []string) error {
	f, err := s.Load([]byte(`
		local program, n = ...
		arg = { [-1] = program }
		for i = 1, n do arg[i - 1] = (select(i + 2, ...)) end
	`), "=arg")
	if err != nil {
		return err
	}
	defer s.Release(f)
	in := msgpack.AppendUint(msgpack.AppendString(nil, program), uint64(len(args)))
	for _, a := range args {
		in = msgpack.AppendString(in, a)
	}
	_, _, err = s.State.Call(f, in, len(args)+2)
	return err
}

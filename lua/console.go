//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

func init() { modules = append(modules, registerConsole) }

// registerConsole registers what the console's Lua side hands over.
func registerConsole(s *State) {
	s.Blocking("console.start", func(c *luajit.Call) error {
		if s.options.Console == nil {
			return boxerr.New(boxerr.Unsupported, "Lycosa", "a console without a terminal")
		}
		return s.await(-1, func(w *wait) {
			s.options.Console(func() { w.post(nil, 0) })
		}, nil)
	})
	for name, ref := range map[string]*luajit.Ref{"evaluate": &s.consoleEval, "complete": &s.consoleComplete} {
		s.Func("console."+name, func(c *luajit.Call) error {
			*ref = c.Func()
			return nil
		})
	}
}

// Evaluate runs a statement as a console does, in a fiber. end is called under the lock with the answer as it is to be
// printed; complete is false when the statement goes on in the next line. The cord's lock must be held.
func (s *State) Evaluate(statement string, end func(answer string, complete bool)) {
	x := &script{state: s, chunk: luajit.NoRef, end: func(results []byte, n int, err error) {
		if err != nil || n < 2 {
			end("---\n- error: "+Describe(err)+"\n...\n", true)
			return
		}
		complete, rest, _ := msgpack.ReadBool(results)
		answer, _, _ := msgpack.ReadString(rest)
		end(string(answer), complete)
	}}
	if err := s.openConsole(); err != nil {
		end("---\n- error: "+Describe(err)+"\n...\n", true)
		return
	}
	if s.console == nil {
		s.console = s.Box.NewCtx(s.Box.NewSession(box.SessionREPL))
	}
	f := s.newFiber(s.console, s.entry.run, s.consoleEval, x)
	f.Name = "interactive"
	f.in, f.count = msgpack.AppendString(nil, statement), 1
	f.run()
}

// openConsole loads the module console, which registers its functions.
func (s *State) openConsole() error {
	if s.consoleEval > 0 {
		return nil
	}
	chunk, err := s.Load([]byte("require('console')"), "=console")
	if err != nil {
		return err
	}
	defer s.Release(chunk)
	_, _, err = s.State.Call(chunk, nil, 0)
	return err
}

// Complete lists what the word at the end of a line can become, as whole lines. The cord's lock must be held.
func (s *State) Complete(line string) []string {
	if s.openConsole() != nil {
		return nil
	}
	results, n, err := s.State.Call(s.consoleComplete, msgpack.AppendString(nil, line), 1)
	if err != nil || n == 0 {
		return nil
	}
	count, rest, _ := msgpack.ReadArrayHeader(results)
	var list []string
	for range count {
		var item []byte
		item, rest = split(rest)
		if text, _, ok := msgpack.ReadString(item); ok {
			list = append(list, string(text))
		}
	}
	return list
}

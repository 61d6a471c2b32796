//go:build cgo

// Package lua is the Lua face of the database: scripts, fibers as coroutines, the built-in modules.
//
// A State is one LuaJIT VM bound to one box.Box. Everything here happens under the lock of the box's cord. The modules
// are Lua files in builtin/, embedded; what they need of the database they call as Go functions, which stand in one Go
// file a module and are registered by name with State.Func and State.Blocking. Go is where every capability lives, Lua
// parses arguments and shapes results.
//
// A Fiber is a coroutine that Go starts and continues. A CALL, an EVAL and an override each run in a pooled one, on the
// goroutine of the connection that sent them; one that parks is detached and is continued by the cord's goroutine.
package lua

import (
	"embed"
	"io/fs"
	"log/slog"
	"path"
	"strings"
	"time"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/fiber"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/say"
	"github.com/lycosadb/lycosa/server"
)

//go:embed builtin
var builtin embed.FS

// Options say how a State differs from the plain one.
type Options struct {
	// Args are the command line: Args[0] is the script, as the table arg has it.
	Args []string
	// Exit ends the process with a code: os.exit. Without it os.exit raises an error.
	Exit func(code int)
	// Log takes what Lua programs log. slog.Default() when nil.
	Log *slog.Logger
	// Lines is the log behind Log when box.cfg may change where it goes; nil when it may not.
	Lines *say.Log
	// Server is what box.cfg{listen = ...} works on, nil when there is none.
	Server *server.Server
	// Console talks with whoever is at the process's terminal until its input ends and calls done then, from any
	// goroutine: console.start. It is called under the cord's lock and must not wait. nil when there is no terminal.
	Console func(done func())
}

// State is a LuaJIT VM bound to a database. All of it is guarded by the cord's lock.
type State struct {
	*luajit.State
	Box  *box.Box
	Cord *fiber.Cord

	options     Options
	entry       entries
	threads     []*luajit.Thread // coroutines that nobody uses
	fibers      []*Fiber         // likewise
	current     *Fiber           // the fiber that runs
	shared      *luajit.Shared
	callCtx     *box.Ctx      // on whose behalf Lua runs outside of any fiber: triggers of native requests
	invocations []*invocation // not in use
	overrides   []*override   // likewise

	consoleEval, consoleComplete luajit.Ref
	console                      *box.Ctx // of the process's console
	idle                         func()   // called when no fiber is left and nothing is configured

	// ShutdownTimeout is how long shutdown triggers may take; 0 stands for three seconds.
	ShutdownTimeout time.Duration
	stopping        bool
	scriptID        uint64 // the fiber of the last script that was run
	reload          reloading
	onScriptEnd     func() // set while a shutdown waits for that fiber
	closed          bool
}

// entries are the Lua functions that Go starts coroutines with, see builtin/internal/fibers.lua.
type entries struct {
	call, callRef, callRaw, eval, handle3, fiber, run, compile, txn, wrap luajit.Ref
}

// maxPooled bounds the coroutines and fibers that are kept for use again.
const maxPooled = 4096

// modules are the registrations of all modules' Go functions, one a file.
var modules []func(*State)

// New starts a VM for b and loads the built-in modules. The cord's lock must be held.
func New(b *box.Box, options Options) (*State, error) {
	vm, err := luajit.New()
	if err != nil {
		return nil, err
	}
	if options.Log == nil {
		options.Log = slog.Default()
	}
	s := &State{State: vm, Box: b, Cord: b.Cord, options: options, shared: vm.Shared()}
	vm.OnPanic = func(function string, value any, stack []byte) {
		options.Log.Error("panic in a function called by Lua", "function", function, "value", value, "stack", string(stack))
	}
	vm.OnSent = s.sent
	vm.OnInterrupt = func(stack string) {
		options.Log.Warn("a handler has been computing for longer than its limit", "stack", stack)
	}
	for _, register := range modules {
		register(s)
	}
	if err := s.boot(); err != nil {
		s.Close()
		return nil, err
	}
	b.OnSchemaChange = append(b.OnSchemaChange, func(uint32) { s.shared.SchemaVersion = b.SchemaVersion() })
	b.Runtime = s
	return s, nil
}

// boot loads builtin/internal/init.lua, which loads the rest through source.
func (s *State) boot() error {
	s.Func("builtin.source", func(c *luajit.Call) error {
		name := c.Str()
		text, err := builtin.ReadFile("builtin/" + strings.ReplaceAll(name, ".", "/") + ".lua")
		if err != nil {
			c.PushNil()
			return nil
		}
		c.PushBytes(text)
		return nil
	})
	s.Func("builtin.list", func(c *luajit.Call) error {
		c.Out = msgpack.AppendArrayHeader(c.Out, 0)
		start := len(c.Out) - 1
		n := 0
		err := fs.WalkDir(builtin, "builtin", func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && path.Ext(p) == ".lua" {
				name := strings.TrimSuffix(strings.TrimPrefix(p, "builtin/"), ".lua")
				c.Out = msgpack.AppendString(c.Out, strings.ReplaceAll(name, "/", "."))
				n++
			}
			return err
		})
		names := append([]byte(nil), c.Out[start+1:]...)
		c.Out = append(msgpack.AppendArrayHeader(c.Out[:start], n), names...)
		c.NOut++
		return err
	})
	for name, ref := range map[string]*luajit.Ref{
		"call": &s.entry.call, "call_ref": &s.entry.callRef, "eval": &s.entry.eval,
		"handle3": &s.entry.handle3, "fiber": &s.entry.fiber, "run": &s.entry.run, "call_raw": &s.entry.callRaw,
		"compile": &s.entry.compile, "txn": &s.entry.txn, "wrap": &s.entry.wrap,
	} {
		s.Func("entry."+name, func(c *luajit.Call) error {
			*ref = c.Func()
			return nil
		})
	}
	s.Box.Builtins = make(map[string]struct{})
	s.Func("builtin.global", func(c *luajit.Call) error {
		s.Box.Builtins[c.Str()] = struct{}{}
		return nil
	})
	text, err := builtin.ReadFile("builtin/internal/init.lua")
	if err != nil {
		return boxerr.From(err)
	}
	chunk, err := s.Load(text, "@builtin/internal/init.lua")
	if err != nil {
		return err
	}
	defer s.Release(chunk)
	_, _, err = s.State.Call(chunk, nil, 0)
	if err != nil {
		return err
	}
	return nil
}

// Close ends the VM. The cord's lock must be held.
func (s *State) Close() {
	s.closed = true
	s.Box.Runtime = nil
	s.State.Close()
}

// Log is where the State's messages go.
func (s *State) Log() *slog.Logger { return s.options.Log }

//go:build cgo

package lua

import (
	"os"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/trigger"
)

func init() { modules = append(modules, registerReload) }

// Script is a Lua file that can be loaded anew while its handlers serve.
//
// The first load runs as any script does. Each later one runs beside what is there: the handlers that it sets by
// box.iproto.override, box.iproto.wrap and trigger.set are kept back until it has ended, and then take the place of those
// of the load before, all at once; those that it has not set again are deleted. Requests that are being handled then end
// on the handlers that they have begun on. The modules that the load requires from files are loaded anew as well. A load
// that fails leaves handlers and modules as they were.
type Script struct {
	state *State
	path  string
	args  []string
	// Guarded by the cord's lock.
	loaded *load // the last one that succeeded, nil before
	files  []stamp
}

// load is one run of a script.
type load struct {
	// fiber is the fiber that runs it, 0 before there is one.
	fiber uint64
	// first is set for the load whose handlers serve at once.
	first bool
	// order is in which the handlers were set or deleted, without repetitions; handlers is what became of them, nil for
	// those that were deleted.
	order    []handlerName
	handlers map[handlerName]*Handler
}

type handlerName struct{ event, name string }

// stamp is how a file was when it was loaded.
type stamp struct {
	path string
	size int64
	time time.Time
}

// stampOf looks at a file; a file that isn't there has the zero size and time.
func stampOf(path string) stamp {
	s := stamp{path: path}
	if info, err := os.Stat(path); err == nil {
		s.size, s.time = info.Size(), info.ModTime()
	}
	return s
}

// reloading is what a State needs for scripts that are loaded anew.
type reloading struct {
	load                      *load // that runs now, nil for none
	begin, rollback, listFile luajit.Ref
}

// NewScript returns a script that has not been loaded yet.
func (s *State) NewScript(path string, args []string) *Script {
	return &Script{state: s, path: path, args: args}
}

// Path is the path of the script.
func (x *Script) Path() string { return x.path }

// Changes counts what a load has changed.
type Changes struct{ Set, Deleted int }

// Load loads the script, for the first time or anew. end is called under the lock when that has ended. The error, also
// that given to end, says why nothing has changed. The cord's lock must be held.
func (x *Script) Load(end func(c Changes, err error)) error {
	s := x.state
	if s.reload.load != nil {
		return boxerr.Luajit(x.path + " is being loaded")
	}
	started := time.Now()
	files := []stamp{stampOf(x.path)}
	text, err := os.ReadFile(x.path)
	if err != nil {
		x.files = append(files, x.others(files)...)
		return boxerr.Luajit("cannot open " + x.path)
	}
	l := &load{first: x.loaded == nil, handlers: map[handlerName]*Handler{}}
	s.reload.load = l
	if _, _, err := s.State.Call(s.reload.begin, nil, 0); err != nil {
		s.reload.load = nil
		return err
	}
	ended := func(err error) {
		s.reload.load = nil
		for _, path := range s.moduleFiles() {
			f := stampOf(path)
			if !f.time.Before(started) {
				f.time = time.Time{} // it may have changed after it was read
			}
			files = append(files, f)
		}
		var c Changes
		if err != nil {
			// What could not be loaded is looked at together with what is in force.
			files = append(files, x.others(files)...)
			if _, _, undo := s.State.Call(s.reload.rollback, nil, 0); undo != nil {
				s.Log().Error("modules could not be put back", "error", undo)
			}
		} else {
			c = x.install(l)
		}
		x.files = files
		end(c, err)
	}
	err = s.Run(text, "@"+x.path, x.args, func(_ []byte, _ int, err error) { ended(err) })
	if err != nil {
		ended(err)
	}
	return nil
}

// others returns the known files that are not in a list.
func (x *Script) others(list []stamp) (rest []stamp) {
	for _, f := range x.files {
		known := false
		for _, other := range list {
			known = known || other.path == f.path
		}
		if !known {
			rest = append(rest, stampOf(f.path))
		}
	}
	return rest
}

// install makes the handlers of a load those of the script.
func (x *Script) install(l *load) (c Changes) {
	triggers := x.state.Box.Triggers
	if !l.first {
		for _, n := range l.order {
			if h := l.handlers[n]; h != nil {
				triggers.Set(n.event, n.name, h)
			} else {
				triggers.Del(n.event, n.name)
			}
		}
		for n, old := range x.loaded.handlers {
			// What somebody else has set since is left alone.
			if e := triggers.Lookup(n.event); old != nil && l.handlers[n] == nil && e != nil && e.Get(n.name) == trigger.Handler(old) {
				triggers.Del(n.event, n.name)
				c.Deleted++
			}
		}
	}
	for _, h := range l.handlers {
		if h != nil {
			c.Set++
		}
	}
	x.loaded = l
	return c
}

// Loaded tells whether the script was loaded with success. The cord's lock must be held.
func (x *Script) Loaded() bool { return x.loaded != nil }

// Changed tells whether the script, or a module that it has required, is not what it was when it was loaded. The cord's
// lock must not be held.
func (x *Script) Changed() bool {
	x.state.Cord.Lock()
	files := x.files
	x.state.Cord.Unlock()
	for _, f := range files {
		if now := stampOf(f.path); now.size != f.size || !now.time.Equal(f.time) {
			return true
		}
	}
	return false
}

// ofLoad returns the load that the running fiber is the script of, nil for none.
func (s *State) ofLoad() *load {
	if l := s.reload.load; l != nil && s.current != nil && s.current.ID == l.fiber {
		return l
	}
	return nil
}

// setHandler sets a handler on behalf of the running fiber; nil deletes it. It returns the one that was there.
func (s *State) setHandler(event, name string, h *Handler) trigger.Handler {
	l := s.ofLoad()
	if l == nil {
		return s.setNow(event, name, h)
	}
	n := handlerName{event, name}
	old, known := l.handlers[n]
	if !known {
		l.order = append(l.order, n)
	}
	l.handlers[n] = h
	if l.first {
		return s.setNow(event, name, h)
	}
	if known {
		if old == nil {
			return nil
		}
		return old
	}
	if e := s.Box.Triggers.Lookup(event); e != nil {
		return e.Get(name)
	}
	return nil
}

func (s *State) setNow(event, name string, h *Handler) trigger.Handler {
	if h == nil {
		return s.Box.Triggers.Del(event, name)
	}
	return s.Box.Triggers.Set(event, name, h)
}

// moduleFiles lists the files of the modules that are loaded.
func (s *State) moduleFiles() (list []string) {
	results, n, err := s.State.Call(s.reload.listFile, nil, 0)
	if err != nil || n == 0 {
		return nil
	}
	count, rest, _ := msgpack.ReadArrayHeader(results)
	for range count {
		var path []byte
		var ok bool
		if path, rest, ok = msgpack.ReadString(rest); !ok {
			break
		}
		list = append(list, string(path))
	}
	return list
}

// registerReload takes the functions of builtin/internal/reload.lua.
func registerReload(s *State) {
	s.Func("reload.register", func(c *luajit.Call) error {
		s.reload.begin, s.reload.rollback, s.reload.listFile = c.Func(), c.Func(), c.Func()
		return nil
	})
}

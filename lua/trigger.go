//go:build cgo

package lua

import (
	"runtime"
	"strings"
	"time"

	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/server"
	"github.com/lycosadb/lycosa/trigger"
)

func init() { modules = append(modules, registerTrigger) }

// Handler is a Lua function that handles events. The function is let go when nobody holds the Handler any more.
type Handler struct {
	state *State
	// Ref is the function.
	Ref luajit.Ref
	// params is how many parameters the function declares.
	params int
	// borrows is set when it can't keep the objects of a request, which are lent to it then.
	borrows bool
	// around is set for handlers around requests.
	around bool
	guard  *server.Guard
}

// Guard makes a Handler a server.Guarded.
func (h *Handler) Guard() *server.Guard {
	if h.guard == nil {
		h.guard = new(server.Guard)
	}
	return h.guard
}

// handles prepares a handler for an event of the given name. It reports whether that is about requests.
func (h *Handler) handles(event, name string) bool {
	h.around = h.around || strings.HasPrefix(event, "box.iproto.wrap")
	if !h.around && !strings.HasPrefix(event, "box.iproto.override") {
		return false
	}
	h.Guard().Name = event
	if name != userHandler {
		h.Guard().Name += " " + name
	}
	return true
}

// newHandler makes a handler of a function whose reference the handler owns from now on.
func (s *State) newHandler(ref luajit.Ref, params int) *Handler {
	h := &Handler{state: s, Ref: ref, params: params}
	runtime.AddCleanup(h, func(ref luajit.Ref) {
		s.Cord.Post(func() {
			if !s.closed {
				s.Release(ref)
			}
		})
	}, ref)
	return h
}

// userHandler is the name of the handlers that box.iproto.override and box.iproto.wrap set.
const userHandler = "box.iproto.override.lua.user_handler"

// readPolicy reads a policy, whose options were checked in Lua: timeout, shadow, trace, max_errors, per, pause, refuse.
func readPolicy(c *luajit.Call) server.Policy {
	if c.IsNil() {
		return server.Policy{}
	}
	span := func() time.Duration { return time.Duration(c.Float() * float64(time.Second)) }
	return server.Policy{
		Timeout: span(), Shadow: c.Bool(), Trace: c.Float(), MaxErrors: int(c.Float()), Per: span(), Pause: span(), Refuse: c.Bool(),
	}
}

// registerTrigger registers what builtin/trigger.lua stands on.
func registerTrigger(s *State) {
	s.Func("trigger.set", func(c *luajit.Call) error {
		event, name := c.Str(), c.Str()
		h := s.newHandler(luajit.Ref(c.Int()), int(c.Int()))
		h.borrows = c.Bool()
		if h.handles(event, name) {
			h.Guard().Policy = readPolicy(c)
		}
		s.setHandler(event, name, h)
		return nil
	})
	s.Func("trigger.del", func(c *luajit.Call) error {
		event, name := c.Str(), c.Str()
		pushHandler(c, s.setHandler(event, name, nil))
		return nil
	})
	s.Func("trigger.handlers", func(c *luajit.Call) error {
		e := s.Box.Triggers.Lookup(c.Str())
		if e == nil {
			c.PushRaw([]byte{0x90})
			return nil
		}
		list := luaEntries(e)
		c.Out = msgpack.AppendArrayHeader(c.Out, len(list))
		for _, entry := range list {
			c.Out = msgpack.AppendArrayHeader(c.Out, 2)
			c.Out = msgpack.AppendString(c.Out, entry.Name)
			c.Out = msgpack.AppendInt(c.Out, int64(entry.Handler.(*Handler).Ref))
		}
		c.NOut++
		return nil
	})
	s.Func("trigger.names", func(c *luajit.Call) error {
		names := s.Box.Triggers.Names()
		c.Out = msgpack.AppendArrayHeader(c.Out, len(names))
		for _, name := range names {
			c.Out = msgpack.AppendString(c.Out, name)
		}
		c.NOut++
		return nil
	})
}

// luaEntries lists the handlers of an event that are Lua functions, in running order.
func luaEntries(e *trigger.Event) []trigger.Entry {
	var list []trigger.Entry
	for _, entry := range e.Entries() {
		if _, ok := entry.Handler.(*Handler); ok {
			list = append(list, entry)
		}
	}
	return list
}

// pushHandler returns the reference of a handler that is a Lua function, nil for none.
func pushHandler(c *luajit.Call, h trigger.Handler) {
	if f, ok := h.(*Handler); ok {
		c.PushInt(int64(f.Ref))
		runtime.KeepAlive(f)
		return
	}
	c.PushNil()
}

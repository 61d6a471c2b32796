// Package trigger is the registry of named handlers on named events.
//
// An Event is a name with an ordered list of handlers, each of which has a
// name that is unique in the event. What a handler is, the registry does not
// know: a Go function, a reference to a Lua function. Whoever fires an event
// walks its handlers and calls them.
//
// Rules:
//
//   - The handler that was set last runs first. Setting a name again replaces
//     the handler and keeps its place.
//   - A handler deleted while the event runs is skipped if its turn has not
//     come; one added while the event runs waits for the next run.
//   - Events are stable: Registry.Event returns the same pointer for a name
//     for as long as the registry lives, so that hot paths may keep it.
//
// Registry and Event are not safe for concurrent use: their owner's lock
// guards them. The exceptions are Registry.Generation and Event.Empty, which
// any goroutine may call.
package trigger

import (
	"sort"
	"strings"
	"sync/atomic"
)

// Handler is what an event calls. Its dynamic type is a matter between the
// one who sets it and the one who fires the event.
type Handler any

// Entry is a handler with its name, as Event.Entries lists them.
type Entry struct {
	Name    string
	Handler Handler
}

// Registry holds events by name.
type Registry struct {
	events     map[string]*Event
	generation atomic.Uint64
	observers  []observer
}

// observer is told about changes of the events whose names start with prefix.
type observer struct {
	prefix string
	tell   func(*Event)
}

// Event is the list of handlers under one name.
type Event struct {
	name string
	// slots is replaced, never changed in place, so that a running Run keeps
	// the list it started with.
	slots []*slot
	count atomic.Int32
}

// slot is the place of one handler in its event. Runs that have started see a
// replaced handler and skip a deleted one through it.
type slot struct {
	name    string
	handler Handler
	deleted bool
}

// NewRegistry returns an empty registry.
func NewRegistry() *Registry {
	return &Registry{events: make(map[string]*Event)}
}

// Generation is a number that grows with every change of any event. Caches of
// handler lists are valid as long as it stays the same.
func (r *Registry) Generation() uint64 { return r.generation.Load() }

// Observe registers tell, which is called after every change of an event
// whose name starts with prefix.
func (r *Registry) Observe(prefix string, tell func(*Event)) {
	r.observers = append(r.observers, observer{prefix, tell})
}

// Event returns the event of that name, making it when it is new.
func (r *Registry) Event(name string) *Event {
	e := r.events[name]
	if e == nil {
		e = &Event{name: name}
		r.events[name] = e
	}
	return e
}

// Lookup returns the event of that name, or nil when nobody has asked for it.
func (r *Registry) Lookup(name string) *Event { return r.events[name] }

// Set makes h the handler called name of the event and returns the one it
// replaces, nil if there was none. A nil h deletes the handler, as Del does.
func (r *Registry) Set(event, name string, h Handler) (old Handler) {
	if h == nil {
		return r.Del(event, name)
	}
	e := r.Event(event)
	if s := e.find(name); s != nil {
		old, s.handler = s.handler, h
	} else {
		slots := make([]*slot, 0, len(e.slots)+1)
		slots = append(slots, &slot{name: name, handler: h})
		e.slots = append(slots, e.slots...)
		e.count.Store(int32(len(e.slots)))
	}
	r.changed(e)
	return old
}

// Del deletes the handler called name of the event and returns it, nil if
// there is none.
func (r *Registry) Del(event, name string) (old Handler) {
	e := r.events[event]
	if e == nil {
		return nil
	}
	s := e.find(name)
	if s == nil {
		return nil
	}
	s.deleted = true
	slots := make([]*slot, 0, len(e.slots)-1)
	for _, other := range e.slots {
		if other != s {
			slots = append(slots, other)
		}
	}
	e.slots = slots
	e.count.Store(int32(len(slots)))
	r.changed(e)
	return s.handler
}

// Clear deletes all handlers of the event and returns them in running order.
func (r *Registry) Clear(event string) []Entry {
	e := r.events[event]
	if e == nil || len(e.slots) == 0 {
		return nil
	}
	old := e.Entries()
	for _, s := range e.slots {
		s.deleted = true
	}
	e.slots = nil
	e.count.Store(0)
	r.changed(e)
	return old
}

// Names returns the names of all events that have handlers, sorted.
func (r *Registry) Names() []string {
	var names []string
	for name, e := range r.events {
		if len(e.slots) > 0 {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	return names
}

func (r *Registry) changed(e *Event) {
	r.generation.Add(1)
	for _, o := range r.observers {
		if strings.HasPrefix(e.name, o.prefix) {
			o.tell(e)
		}
	}
}

// Name is the event's name.
func (e *Event) Name() string { return e.name }

// Empty tells whether the event has no handler.
func (e *Event) Empty() bool { return e.count.Load() == 0 }

// Len is the number of handlers.
func (e *Event) Len() int { return len(e.slots) }

// Get returns the handler called name, nil if there is none.
func (e *Event) Get(name string) Handler {
	if s := e.find(name); s != nil {
		return s.handler
	}
	return nil
}

// Entries returns the handlers with their names, the first to run first.
func (e *Event) Entries() []Entry {
	if len(e.slots) == 0 {
		return nil
	}
	list := make([]Entry, len(e.slots))
	for i, s := range e.slots {
		list[i] = Entry{s.name, s.handler}
	}
	return list
}

func (e *Event) find(name string) *slot {
	for _, s := range e.slots {
		if s.name == name {
			return s
		}
	}
	return nil
}

// Run walks the handlers of an event for one firing of it. The zero Run has
// no handlers. A Run may be kept while its handlers wait; it is not meant to
// be copied once Next was called.
type Run struct {
	slots []*slot
}

// Start begins a run over the handlers that the event has now.
func (e *Event) Start() Run { return Run{e.slots} }

// Next returns the next handler that has not been deleted since the run
// began. ok is false at the end.
func (r *Run) Next() (h Handler, ok bool) {
	for len(r.slots) > 0 {
		s := r.slots[0]
		r.slots = r.slots[1:]
		if !s.deleted {
			return s.handler, true
		}
	}
	return nil, false
}

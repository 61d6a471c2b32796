package server

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/trigger"
)

// Outcome is what a handler made of a request.
type Outcome uint8

const (
	// Handled ends the request. The server answers nothing by itself.
	Handled Outcome = iota
	// Declined passes the request on to the next handler and finally to what the server does by itself.
	Declined
	// Parked says that the handler goes on later and calls Request.Finish then.
	Parked
)

// Handler takes over requests. Serve runs under the cord's lock and must not block. An error ends the request and
// is sent to the client.
type Handler interface {
	Serve(r *Request) (Outcome, error)
}

// HandlerFunc is a function as a Handler.
type HandlerFunc func(r *Request) (Outcome, error)

// Serve calls f.
func (f HandlerFunc) Serve(r *Request) (Outcome, error) { return f(r) }

// Override makes h a handler of a type of request, or of all unknown ones for iproto.TypeUnknown. It comes before
// those that were set earlier, unless it replaces one of the same name. A nil h takes the handler called name away.
// The error is ILLEGAL_PARAMS for a type that cannot be overridden. The cord's lock must be held.
func (s *Server) Override(typ int64, name string, h Handler) error {
	if typ < iproto.TypeUnknown || typ > 1<<32-1 {
		return boxerr.Illegal("%d is not a request type", typ)
	}
	if !overridable(typ) {
		return boxerr.Illegal("%s requests cannot be overridden", iproto.Type(typ))
	}
	event := OverrideEvent(typ)
	if h == nil {
		s.box.Triggers.Del(event, name)
		return nil
	}
	if _, ok := h.(Guarded); !ok {
		h = WithPolicy(h, name, Policy{})
	}
	s.box.Triggers.Set(event, name, h)
	return nil
}

// Wrap is Override for handlers around requests: they run before all others, and decide by Request.Next what becomes of
// these. The cord's lock must be held.
func (s *Server) Wrap(typ int64, name string, h Handler) error {
	if typ < iproto.TypeUnknown || typ > 1<<32-1 || !overridable(typ) {
		return boxerr.Illegal("%s requests cannot be wrapped", iproto.Type(typ))
	}
	if h == nil {
		s.box.Triggers.Del(WrapEvent(typ), name)
		return nil
	}
	if _, ok := h.(Guarded); !ok {
		h = WithPolicy(h, name, Policy{})
	}
	s.box.Triggers.Set(WrapEvent(typ), name, h)
	return nil
}

// OverrideEvent returns the name of the event whose handlers get the requests of a type, by its number.
func OverrideEvent(typ int64) string { return fmt.Sprintf("%s[%d]", overridePrefix, typ) }

// WrapEvent returns the name of the event whose handlers are around requests of a type, by its number: they decide by
// Request.Next what becomes of the handlers behind them.
func WrapEvent(typ int64) string { return fmt.Sprintf("%s[%d]", wrapPrefix, typ) }

const (
	overridePrefix = "box.iproto.override"
	wrapPrefix     = "box.iproto.wrap"
)

// chain is the events whose handlers get a request, in their order: those around it, of its number and its name, then
// those in place of the server, likewise. An event without handlers is nil.
type chain [4]*trigger.Event

// firstOverride is the place in a chain behind the handlers around a request.
const firstOverride = 2

func (c chain) empty() bool { return c == chain{} }

// start begins a run through the chain.
func (c chain) start() trigger.Run {
	if c[0] == nil {
		return trigger.Run{}
	}
	return c[0].Start()
}

// overridden tells whether the chain has handlers in place of the server.
func (c chain) overridden() bool { return c[firstOverride] != nil || c[firstOverride+1] != nil }

// overrides finds chains by request types.
type overrides struct {
	// table is nil when there is no handler at all.
	table atomic.Pointer[overrideTable]
}

// overrideTable is not changed once it was published. A type has no route when it has no handlers.
type overrideTable struct {
	low  [256]*route
	high map[iproto.Type]*route
	// unknown is the route of the types that are not mentioned above.
	unknown *route
}

// route is what is known of a type of request that has handlers.
type route struct {
	chain chain
	// held is what the registry holds for the first handler, nil when there is nothing to know of that: handler and guard
	// are what that is.
	held    trigger.Handler
	handler Handler
	guard   *Guard
	// unlocked is the first handler if that may be asked without the cord's lock, nil otherwise.
	unlocked Unlocked
	// passed is set while the handlers let requests pass to what the server does by itself: the next one will pass as well,
	// as a rule.
	passed atomic.Bool
}

// find returns the route of a type, nil when it has no handlers.
func (t *overrideTable) find(typ iproto.Type) *route {
	if t == nil {
		return nil
	}
	if typ < iproto.Type(len(t.low)) {
		return t.low[typ]
	}
	if r := t.high[typ]; r != nil {
		return r
	}
	return t.unknown
}

// builtin tells whether the server does something by itself with requests of a type.
func builtin(typ iproto.Type) bool {
	switch typ {
	case iproto.TypeSelect, iproto.TypeInsert, iproto.TypeReplace, iproto.TypeUpdate, iproto.TypeDelete,
		iproto.TypeCall16, iproto.TypeAuth, iproto.TypeEval, iproto.TypeUpsert, iproto.TypeCall, iproto.TypeExecute,
		iproto.TypePrepare, iproto.TypeBegin, iproto.TypeCommit, iproto.TypeRollback, iproto.TypePing,
		iproto.TypeJoin, iproto.TypeSubscribe, iproto.TypeVoteDeprecated, iproto.TypeVote, iproto.TypeFetchSnapshot,
		iproto.TypeRegister, iproto.TypeID, iproto.TypeWatch, iproto.TypeUnwatch, iproto.TypeWatchOnce:
		return true
	}
	return false
}

// overridable tells whether requests of a type may be given to handlers.
func overridable(typ int64) bool {
	switch iproto.Type(typ) {
	case iproto.TypeJoin, iproto.TypeSubscribe, iproto.TypeFetchSnapshot, iproto.TypeRegister:
		return typ < 0
	}
	return true
}

// start makes the table follow the registry. The cord's lock is held.
func (o *overrides) start(s *Server) {
	triggers := s.box.Triggers
	for _, name := range triggers.Names() {
		if overrideName(name) {
			o.complain(s, triggers.Event(name))
		}
	}
	o.rebuild(s, triggers)
	for _, prefix := range []string{overridePrefix, wrapPrefix} {
		triggers.Observe(prefix, func(e *trigger.Event) {
			if overrideName(e.Name()) {
				o.complain(s, e)
				o.rebuild(s, triggers)
			}
		})
	}
}

// cutPrefix takes the namespace off the name of an event; place is where its handlers stand in a chain.
func cutPrefix(event string) (rest string, place int, ok bool) {
	if rest, ok = strings.CutPrefix(event, overridePrefix); ok {
		place = firstOverride
	} else {
		rest, ok = strings.CutPrefix(event, wrapPrefix)
	}
	return rest, place, ok && rest != "" && (rest[0] == '.' || rest[0] == '[')
}

// overrideName tells whether an event is in one of the namespaces of handlers of requests.
func overrideName(event string) bool {
	_, _, ok := cutPrefix(event)
	return ok
}

// overriddenType reads the name of an event. place is the event's place in a chain.
func overriddenType(event string) (typ int64, place int, ok bool) {
	rest, place, _ := cutPrefix(event)
	if name, named := strings.CutPrefix(rest, "."); named {
		if name != strings.ToLower(name) {
			return 0, 0, false
		}
		typ, ok = iproto.TypeByName(strings.ToUpper(name))
		return typ, place + 1, ok
	}
	number, closed := strings.CutSuffix(rest[1:], "]")
	typ, err := strconv.ParseInt(number, 10, 64)
	return typ, place, closed && err == nil && typ >= iproto.TypeUnknown && typ <= 1<<32-1
}

// CheckEvent tells whether the handlers of an event can ever be asked for requests: the error is ILLEGAL_PARAMS.
func CheckEvent(name string) error {
	if !overrideName(name) {
		return boxerr.Illegal("`%s' is no event of requests", name)
	}
	typ, _, ok := overriddenType(name)
	if !ok {
		what, _, _ := cutPrefix(name)
		return boxerr.Illegal("`%s' is not a valid request type", strings.TrimPrefix(what, "."))
	}
	if !overridable(typ) {
		return boxerr.Illegal("%s requests cannot be overridden", iproto.Type(typ))
	}
	return nil
}

// complain writes to the log when the handlers of an event will never be called.
func (o *overrides) complain(s *Server, e *trigger.Event) {
	if e.Empty() {
		return
	}
	typ, _, ok := overriddenType(e.Name())
	if !ok {
		what, _, _ := cutPrefix(e.Name())
		s.options.Log('C', fmt.Sprintf("The event `%s' is in IPROTO override namespace, but `%s' is not a valid request type",
			e.Name(), strings.TrimPrefix(what, ".")))
	} else if !overridable(typ) {
		s.options.Log('C', fmt.Sprintf("IPROTO request handler overriding does not support `%s' request type", iproto.Type(typ)))
	}
}

// rebuild publishes a table of all events that have handlers.
func (o *overrides) rebuild(s *Server, triggers *trigger.Registry) {
	chains := make(map[int64]chain)
	for _, name := range triggers.Names() {
		if !overrideName(name) {
			continue
		}
		typ, place, ok := overriddenType(name)
		if !ok || !overridable(typ) {
			continue
		}
		c := chains[typ]
		c[place] = triggers.Event(name)
		chains[typ] = c
	}
	if len(chains) == 0 {
		o.table.Store(nil)
		return
	}
	unknown := chains[iproto.TypeUnknown]
	t := &overrideTable{high: make(map[iproto.Type]*route), unknown: s.route(unknown)}
	for typ := range t.low {
		t.low[typ] = s.route(chains[int64(typ)].orUnknown(iproto.Type(typ), unknown))
	}
	for typ, c := range chains {
		if typ >= int64(len(t.low)) {
			t.high[iproto.Type(typ)] = s.route(c.orUnknown(iproto.Type(typ), unknown))
		}
	}
	o.table.Store(t)
}

// orUnknown is the chain of a type, to which the handlers of unknown types are added where it has none of its own.
func (c chain) orUnknown(typ iproto.Type, unknown chain) chain {
	if !c.overridden() && !builtin(typ) {
		c[firstOverride], c[firstOverride+1] = unknown[firstOverride], unknown[firstOverride+1]
		if c[0] == nil && c[1] == nil {
			c[0], c[1] = unknown[0], unknown[1]
		}
	}
	return c
}

// route makes the route of a chain, nil for one that is empty.
func (s *Server) route(c chain) *route {
	if c.empty() {
		return nil
	}
	r := &route{chain: c, unlocked: s.unlockedOf(c)}
	for _, e := range c {
		if e == nil {
			continue
		}
		h := e.Entries()[0].Handler
		if handler := s.handler(h); handler != nil && reflect.TypeOf(h).Comparable() {
			r.held, r.handler, r.guard = h, handler, guardOf(handler)
		}
		break
	}
	return r
}

// notePassed notes whether handlers have let a request pass. The cord's lock is held.
func (r *route) notePassed(passed bool) {
	if r.passed.Load() != passed {
		r.passed.Store(passed)
	}
}

// handler makes a Handler of what a trigger holds, nil when that is impossible.
func (s *Server) handler(h trigger.Handler) Handler {
	if x, ok := h.(Handler); ok {
		return x
	}
	if s.options.Adapt != nil {
		return s.options.Adapt(h)
	}
	return nil
}

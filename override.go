package lycosa

import (
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/server"
)

// Handler takes requests over. It returns true when it has, and answered itself by Reply or Send, or false to have the
// request go on to the next handler and finally to what the server does by itself. An error ends the request and is sent
// to the client. A panic becomes an error, and is logged.
//
// A handler runs on a goroutine of its own, without the lock, and may block; see Inline for one that doesn't.
type Handler func(q *Request) (handled bool, err error)

// Unknown stands for all types of requests that have neither handlers of their own nor a meaning for the server.
const Unknown = ^iproto.Type(0)

// Option says how a handler is run.
type Option func(*settings)

type settings struct {
	name   string
	inline bool
	policy server.Policy
	fault  error
}

func (s *settings) refuse(format string, args ...any) { s.fault = boxerr.Illegal(format, args...) }

// Name gives the handler a name, which is unique among those of the same type of request: several handlers of a type form
// a chain, and one that is set again under its name keeps its place. Without a name the handler takes the place of the
// last one without a name, and comes before all others.
func Name(name string) Option { return func(s *settings) { s.name = name } }

// Inline runs a handler that never blocks on the goroutine of the connection, which costs no more than the call. As long
// as it doesn't ask for anything that needs the lock (Tx, User, Session), and isn't behind what has it, it even runs
// without the lock, in parallel with all other connections; to read, it has Request.Space. It must not call methods of DB that take the lock.
func Inline() Option { return func(s *settings) { s.inline = true } }

// Timeout bounds the time of a handler: after that the client gets the error TIMEOUT, the Context of the request ends, and
// what the handler still sends is refused. A handler that is inline can't be cut short; it is only reported in the log.
func Timeout(d time.Duration) Option {
	return func(s *settings) {
		if d <= 0 {
			s.refuse("the timeout of a handler should be positive")
		}
		s.policy.Timeout = d
	}
}

// Shadow has the handler run on a copy of each request while the client gets the answer that it would get without it.
// What the handler would have sent is compared with that: differences are counted, and samples of them logged. What it
// does in Request.Tx is rolled back; what it does by other ways isn't.
func Shadow() Option { return func(s *settings) { s.policy.Shadow = true } }

// Trace writes a share of the requests, between 0 and 1, to the log, with their answers and durations.
func Trace(share float64) Option {
	return func(s *settings) {
		if !(share >= 0 && share <= 1) {
			s.refuse("the share of traced requests should be between 0 and 1")
		}
		s.policy.Trace = share
	}
}

// Breaker switches the handler off when it has failed so often within a time: for the pause, requests go on as if it
// weren't there. Then one request is tried; if that doesn't fail, the handler is on again. A pause of 0 is the same as per.
func Breaker(maxErrors int, per, pause time.Duration) Option {
	return func(s *settings) {
		if maxErrors <= 0 || per <= 0 || pause < 0 {
			s.refuse("a breaker should have a positive number of errors and a positive time")
		}
		s.policy.MaxErrors, s.policy.Per, s.policy.Pause = maxErrors, per, pause
	}
}

// Refuse has requests refused with an error while the Breaker has the handler off.
func Refuse() Option { return func(s *settings) { s.policy.Refuse = true } }

// unnamed is the name of handlers without a name.
const unnamed = "box.iproto.override.go.user_handler"

// Override has requests of a type, or the Unknown ones, handled by f. Handlers of the same type form a chain, together
// with those in Lua: those by number come before those by name, and among these the newest first. A nil f takes the
// handler of that name away. Requests that run already aren't affected. The error is ILLEGAL_PARAMS for a type that
// cannot be overridden and for options that make no sense.
func (db *DB) Override(typ iproto.Type, f Handler, options ...Option) error {
	return db.OverrideName(eventOf(typ), f, options...)
}

// OverrideName is Override for a type by its name, such as "select" or "unknown", in lower case.
func (db *DB) OverrideName(name string, f Handler, options ...Option) error {
	if f == nil {
		return db.set("box.iproto.override", name, nil, options)
	}
	return db.set("box.iproto.override", name, &handler{db: db, serve: f}, options)
}

// eventOf is how a type is written in the name of an event.
func eventOf(typ iproto.Type) string {
	if typ == Unknown {
		return "[-1]"
	}
	return fmt.Sprintf("[%d]", uint32(typ))
}

// set makes h the handler of a type, by its name or its number in brackets, in one of the namespaces of events.
func (db *DB) set(namespace, typ string, h *handler, options []Option) error {
	s := settings{name: unnamed}
	for _, o := range options {
		o(&s)
	}
	if s.fault != nil {
		return s.fault
	}
	event := namespace + typ
	if !strings.HasPrefix(typ, "[") {
		event = namespace + "." + typ
	}
	if err := server.CheckEvent(event); err != nil {
		return err
	}
	db.Box.Cord.Lock()
	defer db.Box.Cord.Unlock()
	triggers := db.Box.Triggers
	if h == nil {
		triggers.Del(event, s.name)
		return nil
	}
	h.inline = s.inline
	h.guard.Name, h.guard.Policy = event, s.policy
	if s.name == unnamed {
		triggers.Del(event, s.name)
	} else {
		h.guard.Name += " " + s.name
	}
	triggers.Set(event, s.name, h)
	return nil
}

// HandlerStats counts what a handler did, see OverrideStat.
type HandlerStats = server.HandlerStats

// OverrideStat is the statistics of one handler, in Go or in Lua.
type OverrideStat = server.OverrideStat

// OverrideStats lists the statistics of all handlers of requests, by event, and within it in the order in which they are
// asked. They begin anew when a handler is set again.
func (db *DB) OverrideStats() []OverrideStat {
	db.Box.Cord.Lock()
	defer db.Box.Cord.Unlock()
	return db.Server.OverrideStats()
}

// handler is what stands in the registry for a Handler or a Wrapper.
type handler struct {
	db     *DB
	serve  Handler
	wrap   Wrapper
	inline bool
	guard  server.Guard
}

// Guard makes it a server.Guarded.
func (h *handler) Guard() *server.Guard { return &h.guard }

// Unlocked makes it a server.Unlocked.
func (h *handler) Unlocked() bool { return h.inline }

// Serve makes it a server.Handler.
func (h *handler) Serve(r *server.Request) (server.Outcome, error) {
	if h.inline {
		spare := r.Spare()
		q, _ := (*spare).(*Request)
		if q == nil {
			q = new(Request)
		}
		*spare = nil // one whose handler has panicked is not used again
		q.begin(h.db, r, true)
		handled, err := h.serve(q)
		q.request, q.header, q.body = nil, nil, nil
		*spare = q
		return outcome(handled), err
	}
	r.Keep()
	q := new(Request)
	q.begin(h.db, r, false)
	q.gone = r.Gone()
	r.OnCancel((*givenUp)(q))
	if c := r.Ctx(); c.Txn != nil {
		h.db.Box.OnYield(c)
	}
	if h.wrap != nil {
		q.over = make(chan struct{})
	}
	h.db.startHandler(task{h, q})
	return server.Parked, nil
}

func outcome(handled bool) server.Outcome {
	if handled {
		return server.Handled
	}
	return server.Declined
}

// run asks the handler, on a goroutine of its own. What it made of the request is in q then.
func (h *handler) run(q *Request) {
	defer func() {
		if x := recover(); x != nil {
			h.db.write('C', fmt.Sprintf("panic in the handler %s: %v\n%s", h.guard.Name, x, debug.Stack()))
			q.err = boxerr.Luajit(fmt.Sprint(x))
		}
	}()
	if h.wrap != nil {
		q.response, q.err = h.wrap(q, q.next)
	} else {
		q.handled, q.err = h.serve(q)
	}
}

// finish gives the request back to the server. The lock is held.
func (h *handler) finish(q *Request) {
	r := q.leave()
	switch {
	case r == nil: // its time was over
	case h.wrap != nil:
		r.Finish(q.respond(r))
	default:
		r.Finish(outcome(q.handled), q.err)
	}
}

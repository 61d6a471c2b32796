package box

import (
	"github.com/lycosadb/lycosa/memtx"
)

// Ctx is on whose behalf the database acts: one a fiber, one a native request, one a Go caller. It is
// reused, and never shared between goroutines.
type Ctx struct {
	// Session is never nil.
	Session *Session
	// User is the effective user, whose rights count; session.su and setuid functions change it for a while.
	User *User
	// Txn is the open transaction; nil means that every statement is a transaction of its own.
	Txn *memtx.Txn
	// Ticket is what the last commit that wrote something left to wait for. Whoever has waited clears it.
	Ticket Ticket
	// Sink takes the packets that are sent to the client of the session on behalf of this context, instead of the
	// connection; nil as a rule.
	Sink Sink
	// Local belongs to whoever made the Ctx: the Lua face keeps its fiber here.
	Local any

	box *Box
	// key, args and data are room for keys, references, arguments of functions and tuples while a statement runs.
	key, ref, args, data []byte
}

// Sink takes packets, length and all, each during the call only.
type Sink interface{ Take(packet []byte) }

// NewCtx makes a context for a session, with the session's user.
func (b *Box) NewCtx(s *Session) *Ctx {
	return &Ctx{Session: s, User: s.User, box: b}
}

// Reset prepares a reused context for the next request of a session: its user, no transaction, no ticket.
func (c *Ctx) Reset(s *Session) {
	c.Sink = nil
	c.Session, c.User, c.Txn, c.Ticket, c.Local = s, s.User, nil, Ticket{}, nil
	c.box.habits.forget(c)
}

// Box returns the database that the context belongs to.
func (c *Ctx) Box() *Box { return c.box }

// As runs f with the rights of another user.
func (c *Ctx) As(u *User, f func() error) error {
	was := c.User
	c.User = u
	defer func() { c.User = was }()
	return f()
}

package box

import (
	"github.com/lycosadb/lycosa/boxerr"
)

// Kinds of session.
const (
	SessionBinary     = "binary"
	SessionConsole    = "console"
	SessionREPL       = "repl"
	SessionBackground = "background"
	SessionApplier    = "applier"
)

// Session is a client's: a connection, a console, or the background of fibers.
type Session struct {
	// ID counts from 1 and is never reused.
	ID   uint64
	Type string
	// User is who signed in; Ctx.User may differ.
	User *User
	// Sync is the IPROTO_SYNC of the request that runs.
	Sync uint64
	// Peer is the address of the other side, empty without one.
	Peer string
	// FD is the socket's number, -1 without one.
	FD int
	// Storage is what box.session.storage refers to; it belongs to the runtime.
	Storage any
	// Conn is the connection of a binary session, nil otherwise.
	Conn Conn
	// Salt is what the greeting offered for authentication.
	Salt []byte
	// ProtocolVersion and Features are what the client said with its last ID request; bit n of Features is feature n.
	ProtocolVersion, Features uint64
	// Settings are the values of _session_settings that differ from the defaults, by name, as MessagePack.
	Settings map[string][]byte

	closed bool
}

// Conn is the connection behind a binary session.
type Conn interface {
	// Send queues a whole packet.
	Send(packet []byte) error
	// Push queues an out-of-band message for the request with the given sync; data is its MessagePack array.
	Push(sync uint64, data []byte) error
	// Closed reports whether the other side is gone.
	Closed() bool
}

// sessions is the registry of open sessions. Guarded by the cord's lock.
type sessions struct {
	last uint64
	open map[uint64]*Session
}

// NewSession opens a session of the given type: of guest when binary, of admin otherwise.
func (b *Box) NewSession(typ string) *Session {
	b.sessions.last++
	s := &Session{ID: b.sessions.last, Type: typ, FD: -1}
	if typ == SessionBinary {
		s.User = b.UserByID(GuestID)
	} else {
		s.User = b.UserByID(AdminID)
	}
	if b.sessions.open == nil {
		b.sessions.open = make(map[uint64]*Session)
	}
	b.sessions.open[s.ID] = s
	return s
}

// CloseSession takes a session out of the registry.
func (b *Box) CloseSession(s *Session) {
	s.closed = true
	delete(b.sessions.open, s.ID)
}

// SessionByID returns an open session or the error NO_SUCH_SESSION.
func (b *Box) SessionByID(id uint64) (*Session, error) {
	if s := b.sessions.open[id]; s != nil {
		return s, nil
	}
	return nil, boxerr.New(boxerr.NoSuchSession, id)
}

// Sessions calls f for each open session, in no particular order, until it returns false.
func (b *Box) Sessions(f func(*Session) bool) {
	for _, s := range b.sessions.open {
		if !f(s) {
			return
		}
	}
}

// Closed reports whether the session has ended.
func (s *Session) Closed() bool { return s.closed }

package lycosa

import (
	"encoding/binary"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
)

// Session is the session of a client, by its number, which is never used again. It may have ended.
type Session struct {
	scope scope
	id    uint64
}

// Session returns the session with that number.
func (db *DB) Session(id uint64) Session { return Session{scope: db, id: id} }

// Sessions returns the numbers of the sessions of clients, in no particular order.
func (db *DB) Sessions() (ids []uint64) {
	_ = db.do(func(c *box.Ctx) error {
		c.Box().Sessions(func(s *box.Session) bool {
			if s.Conn != nil {
				ids = append(ids, s.ID)
			}
			return true
		})
		return nil
	})
	return ids
}

// ID is the session's number.
func (s Session) ID() uint64 { return s.id }

// User is the name of who has signed in, "" when the session has ended.
func (s Session) User() (name string) {
	_ = s.on(func(x *box.Session) error {
		if x.User != nil {
			name = x.User.Name
		}
		return nil
	})
	return name
}

// Peer is the address of the client, "" when the session has ended.
func (s Session) Peer() (address string) {
	_ = s.on(func(x *box.Session) error {
		address = x.Peer
		return nil
	})
	return address
}

func (s Session) on(f func(x *box.Session) error) error {
	return s.scope.do(func(c *box.Ctx) error {
		x, err := c.Box().SessionByID(s.id)
		if err != nil {
			return err
		}
		return f(x)
	})
}

// Send sends a packet to the client, made of a header and a body, each a map of keys (map[iproto.Key]any), or encoded
// already; a nil body is none. The errors are NO_SUCH_SESSION, WRONG_SESSION_TYPE for one without a client, and
// SESSION_CLOSED.
func (s Session) Send(header, body any) error {
	packet, err := packetOf(header, body)
	if err != nil {
		return err
	}
	return s.on(func(x *box.Session) error {
		if x.Conn == nil {
			return boxerr.New(boxerr.WrongSessionType, x.Type)
		}
		return x.Conn.Send(packet)
	})
}

// packetOf makes a packet, its length in front.
func packetOf(header, body any) ([]byte, error) {
	b, err := appendValue([]byte{0xce, 0, 0, 0, 0}, header)
	if err == nil && body != nil {
		b, err = appendValue(b, body)
	}
	if err != nil {
		return nil, err
	}
	binary.BigEndian.PutUint32(b[1:], uint32(len(b)-5))
	return b, nil
}

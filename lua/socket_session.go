//go:build cgo

package lua

import (
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
)

// served is the connection of a session that Lua has opened over a socket. The descriptor, which belongs to the session
// from then on, is closed when the connection is.
type served struct {
	net.Conn
	sockets *sockets
	fd      int
	socket  *socket // what the descriptor stood for when it was handed over
}

// serve has the server talk with whoever is at the other end of a socket, as the given user and with the given table as
// its box.session.storage: box.session.new.
func (t *sockets) serve(c *luajit.Call) error {
	if t.options.Server == nil {
		return boxerr.New(boxerr.Unsupported, "Lycosa", "sessions without a server")
	}
	fd, name := int(c.Int()), c.Str()
	var storage *Handler
	if !c.IsNil() {
		storage = t.newHandler(luajit.Ref(c.Int()), 0)
	}
	user := t.Box.UserByName(name)
	if user == nil || user.Role {
		return boxerr.New(boxerr.NoSuchUser, name)
	}
	nc, err := connOf(fd)
	if err != nil {
		return boxerr.From(err)
	}
	t.options.Server.StartAs(&served{Conn: nc, sockets: t, fd: fd, socket: t.open[fd]}, func(session *box.Session) {
		session.User, session.FD = user, fd
		if storage != nil {
			session.Storage = storage
		}
	})
	return nil
}

// connOf makes a connection of a copy of a socket's descriptor.
func connOf(fd int) (net.Conn, error) {
	copied, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	file := os.NewFile(uintptr(copied), "socket")
	defer func() { _ = file.Close() }()
	return net.FileConn(file)
}

// Close closes the connection, and the descriptor unless it stands for something else by now.
func (s *served) Close() error {
	err := s.Conn.Close()
	s.sockets.Cord.Post(func() {
		if s.sockets.open[s.fd] != s.socket {
			return
		}
		if s.socket != nil {
			delete(s.sockets.open, s.fd)
			_ = s.socket.file.Close()
		} else {
			_ = unix.Close(s.fd)
		}
	})
	return err
}

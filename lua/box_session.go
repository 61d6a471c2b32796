//go:build cgo

package lua

import (
	"runtime"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

func (f *boxFace) registerSession() {
	push := func(name string, get func(c *luajit.Call, ctx *box.Ctx)) {
		f.fn(name, func(c *luajit.Call, ctx *box.Ctx) error {
			get(c, ctx)
			return nil
		})
	}
	push("session_id", func(c *luajit.Call, ctx *box.Ctx) { c.PushUint(ctx.Session.ID) })
	push("session_type", func(c *luajit.Call, ctx *box.Ctx) { c.PushString(ctx.Session.Type) })
	push("session_sync", func(c *luajit.Call, ctx *box.Ctx) { c.PushUint(ctx.Session.Sync) })
	push("session_user", func(c *luajit.Call, ctx *box.Ctx) { c.PushString(ctx.Session.User.Name) })
	push("session_uid", func(c *luajit.Call, ctx *box.Ctx) { c.PushUint(uint64(ctx.Session.User.ID)) })
	push("session_effective_user", func(c *luajit.Call, ctx *box.Ctx) {
		if ctx.User.Name == "" { // a user who was dropped
			c.PushNil()
			return
		}
		c.PushString(ctx.User.Name)
	})
	push("session_euid", func(c *luajit.Call, ctx *box.Ctx) { c.PushUint(uint64(ctx.User.ID)) })
	// The session that an argument names; without one the session of the caller.
	other := func(name string, get func(c *luajit.Call, s *box.Session) error) {
		f.fn(name, func(c *luajit.Call, ctx *box.Ctx) error {
			s := ctx.Session
			if !c.IsNil() {
				s, _ = f.Box.SessionByID(c.Uint())
			}
			return get(c, s)
		})
	}
	other("session_exists", func(c *luajit.Call, s *box.Session) error {
		c.PushBool(s != nil && !s.Closed())
		return nil
	})
	other("session_fd", func(c *luajit.Call, s *box.Session) error {
		if s == nil {
			return boxerr.Illegal("session.fd(): session does not exist")
		}
		c.PushInt(int64(s.FD))
		return nil
	})
	other("session_peer", func(c *luajit.Call, s *box.Session) error {
		if s == nil {
			return boxerr.Illegal("session.peer(): session does not exist")
		}
		if s.Peer != "" {
			c.PushString(s.Peer)
		}
		return nil
	})
	f.fn("session_push", func(c *luajit.Call, ctx *box.Ctx) error {
		message := append([]byte{0x91}, c.Raw()...)
		if len(message) == 1 {
			message = append(message, 0xc0)
		}
		sync := ctx.Session.Sync
		if ctx.Session.Conn == nil {
			return boxerr.New(boxerr.Unsupported, "Session '"+ctx.Session.Type+"'", "push()")
		}
		if ctx.Sink != nil {
			ctx.Sink.Take(iproto.AppendChunk(nil, sync, uint32(f.Box.SchemaVersion()), message))
			return nil
		}
		return ctx.Session.Conn.Push(sync, message)
	})
	f.fn("session_storage", f.storage)
	// The table is kept as a handler is: until nobody knows the session any more.
	f.fn("session_set_storage", func(c *luajit.Call, ctx *box.Ctx) error {
		ctx.Session.Storage = f.newHandler(luajit.Ref(c.Int()), 0)
		return nil
	})
	// The fiber's session becomes that of a console on a socket.
	f.fn("session_console", func(c *luajit.Call, ctx *box.Ctx) error {
		ctx.Session.Type, ctx.Session.FD, ctx.Session.Peer = box.SessionConsole, int(c.Int()), c.Str()
		return nil
	})
	f.fn("session_su", func(c *luajit.Call, ctx *box.Ctx) error {
		u, err := f.userArg(c)
		if err != nil {
			return err
		}
		if err := ctx.CheckSession(u); err != nil {
			return err
		}
		ctx.Session.User, ctx.User = u, u
		return nil
	})
	// Becomes another user and returns the number of the one to become again.
	f.fn("session_enter", func(c *luajit.Call, ctx *box.Ctx) error {
		u, err := f.userArg(c)
		if err != nil {
			return err
		}
		if err := ctx.CheckSession(u); err != nil {
			return err
		}
		c.PushUint(uint64(ctx.User.ID))
		ctx.User = u
		return nil
	})
	f.fn("session_leave", f.becomeAgain)
}

// userArg reads a user by name or number.
func (f *boxFace) userArg(c *luajit.Call) (*box.User, error) {
	if !f.Box.Configured() {
		return nil, boxerr.New(boxerr.Unconfigured)
	}
	var u *box.User
	var name string
	if c.Peek() == msgpack.String {
		name = c.Str()
		u = f.Box.UserByName(name)
	} else {
		number := id(c)
		name = itoa(number)
		u = f.Box.UserByID(number)
	}
	if u == nil || u.Role {
		return nil, boxerr.New(boxerr.NoSuchUser, name)
	}
	return u, nil
}

// storage returns the reference of the table that belongs to the session, nil when it has none yet.
func (f *boxFace) storage(c *luajit.Call, ctx *box.Ctx) error {
	if h, ok := ctx.Session.Storage.(*Handler); ok {
		c.PushInt(int64(h.Ref))
		runtime.KeepAlive(h)
	}
	return nil
}

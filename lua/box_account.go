//go:build cgo

package lua

import (
	"encoding/base64"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

func (f *boxFace) registerAccount() {
	f.write("user_create", func(c *luajit.Call, ctx *box.Ctx) error {
		name, err := f.accountName(c, "user")
		if err != nil {
			return err
		}
		_, err = f.Box.CreateUser(ctx, name, optional(c, c.Str))
		return err
	})
	f.write("role_create", func(c *luajit.Call, ctx *box.Ctx) error {
		name, err := f.accountName(c, "role")
		if err != nil {
			return err
		}
		_, err = f.Box.CreateRole(ctx, name)
		return err
	})
	f.write("account_drop", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.DropUser(ctx, id(c))
	})
	f.write("password_set", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.SetPassword(ctx, id(c), c.Str())
	})
	f.write("password_set_own", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.SetOwnPassword(ctx, c.Str())
	})
	f.fn("password_hash", func(c *luajit.Call, _ *box.Ctx) error {
		c.PushString(base64.StdEncoding.EncodeToString(box.PasswordHash(c.Str())))
		return nil
	})
	// The name of a user or role, privileges, the type and name of an object, whether the first is a role, whether it
	// matters that it is so already, and who gives, which may be nil.
	f.write("grant", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.GrantByName(ctx, c.Str(), c.Str(), c.Str(), c.Str(), grantOptions(c))
	})
	f.write("revoke", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.RevokeByName(ctx, c.Str(), c.Str(), c.Str(), c.Str(), grantOptions(c))
	})
}

func grantOptions(c *luajit.Call) box.GrantOptions {
	return box.GrantOptions{ToRole: c.Bool(), Lenient: c.Bool(), Grantor: optionalID(c)}
}

// accountName reads the name of a new user or role. What is no text is refused as the space _user would refuse it.
func (f *boxFace) accountName(c *luajit.Call, kind string) (string, error) {
	if c.Peek() == msgpack.String {
		return c.Str(), nil
	}
	row := append(msgpack.AppendArrayHeader(nil, 7), 0, 0)
	row = msgpack.AppendString(append(row, c.Raw()...), kind)
	row = append(row, 0x80, 0x90, 0)
	return "", f.Box.SpaceByID(box.UserID).Mem.Format.Check(row)
}

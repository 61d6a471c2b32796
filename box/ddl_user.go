package box

import (
	"encoding/base64"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// CreateUser creates a user, who may open sessions and change his own password. password is nil for a user who
// cannot sign in.
func (b *Box) CreateUser(c *Ctx, name string, password *string) (*User, error) {
	return b.createAccount(c, name, "user", boxerr.UserExists, password)
}

// CreateRole creates a role.
func (b *Box) CreateRole(c *Ctx, name string) (*User, error) {
	return b.createAccount(c, name, "role", boxerr.RoleExists, nil)
}

func (b *Box) createAccount(c *Ctx, name, typ string, exists boxerr.Code, password *string) (*User, error) {
	row, err := b.find(c, VUserID, name)
	if err != nil {
		return nil, err
	}
	if row != nil {
		return nil, boxerr.New(exists, name)
	}
	var id uint32
	err = b.atomic(c, func() (err error) {
		id, err = b.insertNumbered(c, UserID, uint64(c.User.ID), name, typ, authOf(password), emptyArray, time.Now().Unix())
		if err != nil || typ == "role" {
			return err
		}
		if err := b.Grant(c, Right{Grantee: id, Type: RoleObject, ID: PublicID, Privileges: Execute}); err != nil {
			return err
		}
		if err := b.Grant(c, Right{Grantee: id, Type: UserObject, ID: id, Privileges: Alter}); err != nil {
			return err
		}
		return b.asAdmin(c, func() error {
			return b.Grant(c, Right{Grantee: id, Type: UniverseObject, Privileges: SessionRight | Usage})
		})
	})
	if err != nil {
		return nil, err
	}
	return b.UserByID(id), nil
}

// authOf returns what _user keeps of a password.
func authOf(password *string) any {
	if password == nil {
		return emptyMap
	}
	return map[string]any{ChapSHA1: base64.StdEncoding.EncodeToString(PasswordHash(*password))}
}

// SetPassword changes the password of a user, for which one has to be allowed to write to _user. The guest can only
// have an empty one.
func (b *Box) SetPassword(c *Ctx, id uint32, password string) error {
	ops := encode([]any{
		[]any{"=", userFieldAuth + 1, authOf(&password)},
		[]any{"=", userFieldLastModified + 1, time.Now().Unix()},
	})
	_, err := b.Update(c, UserID, 0, key(uint64(id)), ops, 1)
	return err
}

// SetOwnPassword changes the password of whoever the session belongs to, which everybody may do.
func (b *Box) SetOwnPassword(c *Ctx, password string) error {
	return b.asAdmin(c, func() error { return b.SetPassword(c, c.Session.User.ID, password) })
}

// DropUser drops a user or role, with all that belongs to it: spaces, functions, sequences and rights.
func (b *Box) DropUser(c *Ctx, id uint32) error {
	u := b.UserByID(id)
	if u == nil {
		return boxerr.New(boxerr.NoSuchUser, itoa(int64(id)))
	}
	switch {
	case id <= PublicID || id == SuperID:
		return boxerr.New(boxerr.DropUser, u.Name, "the user or the role is a system")
	case id == c.User.ID || c.Session.User != nil && id == c.Session.User.ID:
		return boxerr.New(boxerr.DropUser, u.Name, "the user is active in the current session")
	}
	return b.atomic(c, func() error {
		k := key(uint64(id))
		for _, owned := range []struct {
			view uint32
			drop func(row *tuple.Tuple) error
		}{
			{VSpaceID, func(row *tuple.Tuple) error {
				return b.DropSpace(c, uint32(rowUint(row, 0)), rowString(row, spaceFieldName), false)
			}},
			{VFuncID, func(row *tuple.Tuple) error { return b.DropFunction(c, uint32(rowUint(row, 0))) }},
			{VSequenceID, func(row *tuple.Tuple) error { return b.DropSequence(c, uint32(rowUint(row, 0))) }},
		} {
			rows, err := b.rows(c, owned.view, 1, k)
			if err != nil {
				return err
			}
			for _, row := range rows {
				if err := owned.drop(row); err != nil {
					return err
				}
			}
		}
		if err := b.revokeAll(c, RoleObject, id); err != nil {
			return err
		}
		rights, err := b.rows(c, VPrivID, 0, k)
		if err != nil {
			return err
		}
		// The right to drop this user goes with the rights on him, so it is checked before.
		if err := c.CheckSpace(b.catalog.spaces[UserID], Write); err != nil {
			return err
		}
		if err := c.checkDDL(u.objectType(), id, u.Name, u.Owner, Drop); err != nil {
			return err
		}
		return b.asAdmin(c, func() error {
			for _, row := range rights {
				if err := b.deleteGrant(c, row); err != nil {
					return err
				}
			}
			if err := b.revokeAll(c, UserObject, id); err != nil {
				return err
			}
			_, err = b.Delete(c, UserID, 0, k)
			return err
		})
	})
}

// Right is what a user or role is given, or left.
type Right struct {
	// Grantor is who gives it; nil is the effective user.
	Grantor *uint32
	// Grantee is the user or role that gets it.
	Grantee uint32
	Type    ObjectType
	// All is for rights on all objects of the type; ID and Name are not looked at then.
	All bool
	// ID is the number of the object, 0 for the universe and for types with one object only.
	ID uint32
	// Name is the name of a lua_call object, which has no number.
	Name string
	// Privileges are all that the grantee has on the object from then on.
	Privileges Privilege
}

// object returns what a row of _priv holds of the object.
func (r *Right) object() any {
	switch {
	case r.All:
		return ""
	case r.Name != "":
		return r.Name
	}
	return uint64(r.ID)
}

// Grant sets the rights that a user or role has on an object: to exactly those given.
func (b *Box) Grant(c *Ctx, r Right) error {
	grantor := c.User.ID
	if r.Grantor != nil {
		grantor = *r.Grantor
	}
	return b.atomic(c, func() error {
		row := key(uint64(grantor), uint64(r.Grantee), r.Type.String(), r.object(), uint64(r.Privileges))
		_, err := b.Replace(c, PrivID, row)
		return err
	})
}

// Revoke leaves a user or role the given rights on an object, none of them by default, and keeps who gave them.
func (b *Box) Revoke(c *Ctx, r Right) error {
	k := key(uint64(r.Grantee), r.Type.String(), r.object())
	return b.atomic(c, func() error {
		row, err := b.Get(c, VPrivID, 0, k)
		if err != nil || row == nil {
			return err
		}
		if r.Privileges == 0 {
			_, err = b.Delete(c, PrivID, 0, k)
			return err
		}
		fields := rowFields(row)
		// What is left of all the rights that there are is a negative number, which _priv refuses: nobody can take
		// from admin and super.
		fields[privFieldRights] = int64(int32(r.Privileges))
		_, err = b.Replace(c, PrivID, encode(fields))
		return err
	})
}

// Held returns the rights that a user or role was given on an object itself, not through roles, as far as the
// effective user may see them.
func (b *Box) Held(c *Ctx, r Right) (Privilege, error) {
	row, err := b.Get(c, VPrivID, 0, key(uint64(r.Grantee), r.Type.String(), r.object()))
	if err != nil || row == nil {
		return 0, err
	}
	p, _, _ := msgpack.ReadUint(row.Field(privFieldRights))
	return Privilege(p), nil
}

package box

import (
	"bytes"
	"encoding/base64"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// Field numbers of _user.
const (
	userFieldID = iota
	userFieldOwner
	userFieldName
	userFieldType
	userFieldAuth
	userFieldAuthHistory
	userFieldLastModified
)

// onUserRow creates, changes or drops a user or role.
func (b *Box) onUserRow(c *Ctx, old, new *tuple.Tuple) error {
	if new == nil {
		return b.dropUserRow(c, b.catalog.users[uint32(rowUint(old, userFieldID))])
	}
	u, err := decodeUser(new)
	if err != nil {
		return err
	}
	was := b.catalog.users[u.ID]
	if was == nil {
		if err := c.checkDDL(u.objectType(), u.ID, u.Name, u.Owner, Create); err != nil {
			return err
		}
		if len(b.catalog.users) >= UserMax {
			return boxerr.New(boxerr.UserMax, UserMax)
		}
		u.grants = make(map[Object]Privilege)
		b.enterUser(u)
		c.Txn.OnStatementRollback(func() { b.forgetUser(u) })
		return nil
	}
	if err := c.checkDDL(was.objectType(), u.ID, u.Name, u.ID, Alter); err != nil {
		return err
	}
	before := *was
	change := func(to *User) {
		delete(b.catalog.usersByName, was.Name)
		was.Owner, was.Name, was.Role = to.Owner, to.Name, to.Role
		was.AuthMethod, was.AuthData, was.Definition = to.AuthMethod, to.AuthData, to.Definition
		b.catalog.usersByName[was.Name] = was
	}
	change(u)
	c.Txn.OnStatementRollback(func() { change(&before) })
	return nil
}

func (b *Box) dropUserRow(c *Ctx, u *User) error {
	if u == nil {
		return nil
	}
	if err := c.checkDDL(u.objectType(), u.ID, u.Name, u.Owner, Drop); err != nil {
		return err
	}
	refuse := func(why string) error { return boxerr.New(boxerr.DropUser, u.Name, why) }
	if u.ID <= PublicID || u.ID == SuperID {
		return refuse("the user or the role is a system")
	}
	id := uint64(u.ID)
	if b.hasRows(SpaceID, 1, id) || b.hasRows(FuncID, 1, id) || b.hasRows(SequenceID, 1, id) || b.hasRows(PrivID, 0, id) {
		return refuse("the user has objects")
	}
	b.forgetUser(u)
	c.Txn.OnStatementRollback(func() { b.enterUser(u) })
	return nil
}

func (b *Box) enterUser(u *User) {
	b.catalog.users[u.ID], b.catalog.usersByName[u.Name] = u, u
}

func (b *Box) forgetUser(u *User) {
	delete(b.catalog.users, u.ID)
	delete(b.catalog.usersByName, u.Name)
}

func (u *User) objectType() ObjectType {
	if u.Role {
		return RoleObject
	}
	return UserObject
}

// decodeUser reads a row of _user.
func decodeUser(row *tuple.Tuple) (*User, error) {
	u := &User{
		Definition: row,
		ID:         uint32(rowUint(row, userFieldID)),
		Owner:      uint32(rowUint(row, userFieldOwner)),
		Name:       rowString(row, userFieldName),
	}
	if len(u.Name) > NameMax {
		return nil, boxerr.New(boxerr.CreateUser, u.Name[:invalidNameMax], "user name is too long")
	}
	switch rowString(row, userFieldType) {
	case "user":
	case "role":
		u.Role = true
	default:
		return nil, boxerr.New(boxerr.CreateUser, u.Name, "unknown user type")
	}
	if err := checkIdentifier(u.Name); err != nil {
		return nil, err
	}
	auth := row.Field(userFieldAuth)
	if auth == nil {
		return u, nil
	}
	if n, _, ok := msgpack.ReadArrayHeader(auth); ok && n == 0 {
		return u, nil
	}
	n, auth, ok := msgpack.ReadMapHeader(auth)
	if !ok {
		return nil, boxerr.New(boxerr.CreateUser, u.Name,
			"invalid password format, use box.schema.user.passwd() to reset password")
	}
	if n == 0 {
		return u, nil
	}
	if u.Role {
		return nil, boxerr.New(boxerr.CreateRole, u.Name, "authentication data can not be set for a role")
	}
	for ; n > 0; n-- {
		method, rest, ok := msgpack.ReadString(auth)
		if !ok {
			return nil, boxerr.New(boxerr.CreateUser, u.Name,
				"invalid password format, use box.schema.user.passwd() to reset password")
		}
		if auth, ok = msgpack.Skip(rest); !ok || string(method) != ChapSHA1 {
			return nil, boxerr.New(boxerr.UnknownAuthMethod, string(method))
		}
		data, _, ok := msgpack.ReadString(rest)
		if !ok {
			return nil, boxerr.New(boxerr.InvalidAuthData, ChapSHA1, "scramble must be string")
		}
		hash, err := base64.StdEncoding.DecodeString(string(data))
		if err != nil || len(hash) != 20 {
			return nil, boxerr.New(boxerr.InvalidAuthData, ChapSHA1, "invalid scramble size")
		}
		if u.ID == GuestID && !bytes.Equal(hash, PasswordHash("")) {
			return nil, boxerr.New(boxerr.GuestUserPassword)
		}
		u.AuthMethod, u.AuthData = ChapSHA1, hash
	}
	return u, nil
}

// Field numbers of _priv.
const (
	privFieldGrantor = iota
	privFieldGrantee
	privFieldType
	privFieldObject
	privFieldRights
)

// grant is a row of _priv.
type grant struct {
	grantor, grantee uint32
	object           Object
	class            bool // all objects of the type
	rights           Privilege
}

// onPrivRow grants or revokes rights.
func (b *Box) onPrivRow(c *Ctx, old, new *tuple.Tuple) error {
	row, right := new, Grant
	if new == nil {
		row, right = old, Revoke
	}
	g, err := decodeGrant(row)
	if err != nil {
		return err
	}
	grantee := b.catalog.users[g.grantee]
	if b.recovering {
		if grantee == nil {
			return nil
		}
	} else if err := b.checkGrant(c, g, grantee, right); err != nil {
		return err
	}
	if new == nil {
		g.rights = 0
	}
	before := grantee.granted(g)
	b.setGrant(grantee, g, g.rights)
	c.Txn.OnStatementRollback(func() { b.setGrant(grantee, g, before) })
	return nil
}

func decodeGrant(row *tuple.Tuple) (*grant, error) {
	g := &grant{
		grantor: uint32(rowUint(row, privFieldGrantor)),
		grantee: uint32(rowUint(row, privFieldGrantee)),
		rights:  Privilege(rowUint(row, privFieldRights)),
	}
	name := rowString(row, privFieldType)
	typ, ok := ObjectTypeByName(name)
	if !ok {
		return nil, boxerr.New(boxerr.UnknownSchemaObject, name)
	}
	g.object.Type = typ
	field := row.Field(privFieldObject)
	if id, _, ok := msgpack.ReadUint(field); ok {
		g.object.ID = uint32(id)
		if typ == LuaEvalObject || typ == SQLObject || typ == LuaCallObject {
			g.class, g.object.ID = true, 0
		}
	} else if name, _, ok := msgpack.ReadString(field); ok {
		g.object.Name = string(name)
		g.class = len(name) == 0
		if !g.class && typ != LuaCallObject {
			return nil, wrongObject(field)
		}
	} else {
		return nil, wrongObject(field)
	}
	return g, nil
}

// wrongObject is the error for a row of _priv that does not name an object.
func wrongObject(field []byte) error {
	return boxerr.New(boxerr.FieldType, itoa(privFieldObject+1), "unsigned", tuple.KindName(field))
}

// checkGrant checks that the grantor may give or take what the row says. grantee is nil when there is no such user.
func (b *Box) checkGrant(c *Ctx, g *grant, grantee *User, right Privilege) error {
	grantor := b.catalog.users[g.grantor]
	if grantor == nil {
		return boxerr.New(boxerr.NoSuchUser, itoa(int64(g.grantor)))
	}
	if grantee == nil {
		return boxerr.New(boxerr.NoSuchUser, itoa(int64(g.grantee)))
	}
	typ, id := g.object.Type, g.object.ID
	name, owner, known := b.objectName(g)
	if err := c.checkDDL(typ, id, name, grantor.ID, right); err != nil {
		return err
	}
	denied := func() error {
		return boxerr.New(boxerr.AccessDenied, right.String(), typ.String(), name, grantor.Name)
	}
	admin := grantor.ID == AdminID
	switch {
	case g.class || typ == UniverseObject:
		if !admin {
			return denied()
		}
	case typ == RoleObject:
		role := b.catalog.users[id]
		if role == nil || !role.Role {
			if role != nil {
				return boxerr.New(boxerr.NoSuchRole, role.Name)
			}
			return boxerr.New(boxerr.NoSuchRole, itoa(int64(id)))
		}
		if role.Owner != grantor.ID && !admin && (role.ID != PublicID || g.rights != Execute) {
			return denied()
		}
		if grantee.Role && b.reaches(role, grantee) {
			return boxerr.New(boxerr.RoleLoop, role.Name, grantee.Name)
		}
	case typ == UserObject:
		u := b.catalog.users[id]
		if u == nil || u.Role {
			if u != nil {
				return boxerr.New(boxerr.NoSuchUser, u.Name)
			}
			return boxerr.New(boxerr.NoSuchUser, itoa(int64(id)))
		}
		if u.Owner != grantor.ID && !admin {
			return denied()
		}
	case !known:
		return b.noSuchObject(g)
	case owner != grantor.ID && !admin:
		return denied()
	}
	if g.rights == 0 {
		return boxerr.New(boxerr.Grant, "the grant tuple has no privileges")
	}
	return nil
}

// objectName returns the name and the owner of what rights are given on.
func (b *Box) objectName(g *grant) (name string, owner uint32, known bool) {
	if g.class {
		return "", AdminID, true
	}
	id := g.object.ID
	switch g.object.Type {
	case UniverseObject, LuaEvalObject, SQLObject:
		return "", AdminID, true
	case LuaCallObject:
		return g.object.Name, AdminID, true
	case SpaceObject:
		if s := b.catalog.spaces[id]; s != nil {
			return s.Name, s.Owner, true
		}
	case FunctionObject:
		if f := b.catalog.funcs[id]; f != nil {
			return f.Name, f.Owner, true
		}
	case SequenceObject:
		if q := b.catalog.sequences[id]; q != nil {
			return q.Name, q.Owner, true
		}
	case UserObject, RoleObject:
		if u := b.catalog.users[id]; u != nil {
			return u.Name, u.Owner, true
		}
	}
	return itoa(int64(id)), AdminID, false
}

func (b *Box) noSuchObject(g *grant) error {
	id := itoa(int64(g.object.ID))
	switch g.object.Type {
	case FunctionObject:
		return boxerr.New(boxerr.NoSuchFunction, id)
	case SequenceObject:
		return boxerr.New(boxerr.NoSuchSequence, id)
	}
	return boxerr.New(boxerr.NoSuchSpace, id)
}

// reaches reports whether role is to, or has to among its roles.
func (b *Box) reaches(role, to *User) bool {
	seen := map[*User]bool{}
	var walk func(u *User) bool
	walk = func(u *User) bool {
		if u == to {
			return true
		}
		if u == nil || seen[u] {
			return false
		}
		seen[u] = true
		for o, rights := range u.grants {
			if o.Type == RoleObject && rights&Execute != 0 && walk(b.catalog.users[o.ID]) {
				return true
			}
		}
		return false
	}
	return walk(role)
}

// key is what the rights of a row are kept under. Those on all objects of a type have a name that no object has.
func (g *grant) key() Object {
	o := g.object
	if g.class {
		o.Name = "\x00"
	}
	if o.Type == UniverseObject {
		o.ID = 0
	}
	return o
}

func (u *User) granted(g *grant) Privilege { return u.grants[g.key()] }

// setGrant changes what a row of _priv gives, and works out again what everybody may do.
func (b *Box) setGrant(u *User, g *grant, rights Privilege) {
	if u.grants == nil {
		u.grants = make(map[Object]Privilege)
	}
	if rights == 0 {
		delete(u.grants, g.key())
	} else {
		u.grants[g.key()] = rights
	}
	if !u.Role {
		b.computeRights(u)
		return
	}
	for _, other := range b.catalog.users {
		if other == u || b.reaches(other, u) {
			b.computeRights(other)
		}
	}
}

// computeRights works out what a user may do: what was granted to him and to the roles that he has.
func (b *Box) computeRights(u *User) {
	u.Universe, u.Classes = 0, [ObjectTypes]Privilege{}
	u.Objects = make(map[Object]Privilege, len(u.grants))
	seen := map[*User]bool{}
	var add func(from *User)
	add = func(from *User) {
		if from == nil || seen[from] {
			return
		}
		seen[from] = true
		for o, rights := range from.grants {
			switch {
			case o.Type == UniverseObject:
				u.Universe |= rights
			case o.Name == "\x00":
				u.Classes[o.Type] |= rights
			default:
				u.Objects[o] |= rights
			}
			if o.Type == RoleObject && rights&Execute != 0 && o.Name == "" {
				add(b.catalog.users[o.ID])
			}
		}
	}
	add(u)
}

// hasGrants reports whether anybody has rights on an object.
func (b *Box) hasGrants(typ ObjectType, id uint32) bool {
	s := b.catalog.spaces[PrivID]
	if s == nil || s.Mem.Index(2) == nil {
		return false
	}
	key := msgpack.AppendString(nil, typ.String())
	key = msgpack.AppendUint(key, uint64(id))
	t, err := s.Mem.Index(2).Min(key, 2)
	return err == nil && t != nil
}

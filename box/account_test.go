package box

import (
	"testing"

	"github.com/lycosadb/lycosa/index"
)

// grants returns the rows of _priv of a user or role.
func (d *ddl) grants(name string) string {
	d.Helper()
	rows, err := d.b.rows(d.c, PrivID, 0, key(uint64(d.b.UserByName(name).ID)))
	if err != nil {
		return err.Error()
	}
	text := ""
	for _, row := range rows {
		text += row.String()
	}
	return text
}

// as runs f with the rights of a user.
func (d *ddl) as(name string, f func() error) error {
	d.Helper()
	return d.c.As(d.b.UserByName(name), f)
}

func (d *ddl) user(name string) *User {
	d.Helper()
	u, err := d.b.CreateUser(d.c, name, nil)
	if err != nil {
		d.Fatal(err)
	}
	return u
}

func TestUsers(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	u, err := b.CreateUser(c, "ann", ptr("secret"))
	d.want(err, "")
	if u.ID != 32 || u.AuthMethod != ChapSHA1 {
		t.Errorf("user %d with %q", u.ID, u.AuthMethod)
	}
	d.same("rights", d.grants("ann"), `[1, 32, "role", 2, 4][1, 32, "universe", 0, 24][1, 32, "user", 32, 128]`)
	create := func(name string) error { _, err := b.CreateUser(c, name, nil); return err }
	d.want(create("ann"), "46 User 'ann' already exists")
	d.want(create("super"), "46 User 'super' already exists")
	d.want(create(""), "70 Invalid identifier '' (expected printable symbols only or it is too long)")
	d.want(b.SetPassword(c, u.ID, "new"), "")
	d.same("password", string(u.AuthData), string(PasswordHash("new")))
	d.want(b.SetPassword(c, GuestID, "x"), "96 Setting password for guest user has no effect")
	d.want(b.SetPassword(c, GuestID, ""), "")
	d.want(d.as("ann", func() error { return b.SetPassword(c, u.ID, "x") }),
		"42 Write access to space '_user' is denied for user 'ann'")
	admin := b.UserByID(AdminID)
	d.want(d.as("ann", func() error { return b.SetOwnPassword(c, "mine") }), "")
	d.same("password of the session's user", string(admin.AuthData), string(PasswordHash("mine")))
	d.want(b.DropUser(c, AdminID), "44 Failed to drop user or role 'admin': the user or the role is a system")
	d.want(b.DropUser(c, SuperID), "44 Failed to drop user or role 'super': the user or the role is a system")
	_, err = b.Delete(c, UserID, 0, key(u.ID))
	d.want(err, "44 Failed to drop user or role 'ann': the user has objects")
	s, err := b.CreateSpace(c, "anns", SpaceSpec{Owner: &u.ID})
	d.want(err, "")
	d.want(b.DropUser(c, u.ID), "")
	if b.UserByName("ann") != nil || b.SpaceByID(s.ID) != nil {
		t.Error("the user has left something behind")
	}
	_, err = b.Insert(c, UserID, mp(`[40, 1, "x", "odd", {}, [], 0]`))
	d.want(err, "43 Failed to create user 'x': unknown user type")
	_, err = b.Insert(c, UserID, mp(`[40, 1, "x", "role", {"chap-sha1": "vhvewKp0tNyweZQ+cFKAlsyphfg="}, [], 0]`))
	d.want(err, "84 Failed to create role 'x': authentication data can not be set for a role")
}

func TestGrants(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	d.user("ann")
	_, err := b.CreateRole(c, "r")
	d.want(err, "")
	s := d.space("s")
	grant := func(to, rights, typ, object string) error {
		return b.GrantByName(c, to, rights, typ, object, GrantOptions{})
	}
	d.want(grant("nobody", "read", "space", "s"), "45 User 'nobody' is not found")
	d.want(grant("ann", "fly", "space", "s"), "98 Unsupported space privilege 'fly'")
	d.want(grant("ann", "read", "space", "nothing"), "36 Space 'nothing' does not exist")
	d.want(grant("ann", "read", "planet", "s"), "49 Unknown object type 'planet'")
	d.want(grant("ann", "read", "function", "nothing"), "98 Unsupported function privilege 'read'")
	d.want(grant("ann", "execute", "role", "nothing"), "82 Role 'nothing' is not found")
	d.want(grant("r", "read", "space", "s"), "45 User 'r' is not found")
	d.want(b.GrantByName(c, "ann", "read", "space", "s", GrantOptions{ToRole: true}), "82 Role 'ann' is not found")
	d.want(grant("ann", "read", "role", "r"), "98 Unsupported role privilege 'read'")
	d.want(grant("ann", "execute", "role", "r"), "")
	d.want(grant("ann", "execute", "role", "r"), "90 User 'ann' already has role 'r'")
	d.want(grant("ann", "read, write", "space", "s"), "")
	d.want(grant("ann", "read", "space", "s"), "89 User 'ann' already has read access on space 's'")
	d.want(b.GrantByName(c, "ann", "read", "space", "s", GrantOptions{Lenient: true}), "")
	d.want(grant("ann", "READ;Write execute,", "universe", ""), "")
	for _, list := range []string{"", " ", "readwrite", "read,fly", "0", "8", "grant"} {
		d.want(grant("ann", list, "space", "s"), "98 Unsupported space privilege '"+list+"'")
	}
	d.want(grant("ann", "3", "space", "s"), "89 User 'ann' already has 3 access on space 's'")
	d.want(grant("ann", "read", "universe", ""), "89 User 'ann' already has read access on universe")
	d.want(grant("ann", "create", "sequence", ""), "")
	d.want(grant("ann", "create", "sequence", ""), "89 User 'ann' already has create access on sequence ''")
	d.want(b.RevokeByName(c, "ann", "create", "sequence", "", GrantOptions{}), "")
	d.want(b.GrantByName(c, "r", "usage", "universe", "", GrantOptions{ToRole: true}),
		"88 Incorrect grant arguments: system privilege can not be granted to role")
	d.want(b.RevokeByName(c, "super", "read", "universe", "", GrantOptions{ToRole: true}),
		"23 Tuple field 5 (privilege) type does not match one required by operation: expected unsigned, got integer")
	d.want(grant("ann", "create", "sequence", ""), "")
	d.same("rows", d.grants("ann"), `[1, 32, "role", 2, 4][1, 32, "role", 33, 4]`+
		`[1, 32, "sequence", "", 32][1, 32, "space", 512, 3][1, 32, "universe", 0, 31][1, 32, "user", 32, 128]`)
	revoke := func(from, rights, typ, object string) error {
		return b.RevokeByName(c, from, rights, typ, object, GrantOptions{})
	}
	d.want(revoke("ann", "write", "space", "s"), "")
	d.want(revoke("ann", "read", "space", "s"), "")
	d.want(revoke("ann", "read", "space", "s"), "91 User 'ann' does not have read access on space 's'")
	d.want(b.RevokeByName(c, "ann", "read", "space", "s", GrantOptions{Lenient: true}), "")
	d.want(revoke("ann", "execute", "role", "r"), "")
	d.want(revoke("ann", "execute", "role", "r"), "92 User 'ann' does not have role 'r'")
	_, err = b.Insert(c, PrivID, mp(`[1, 77, "space", 512, 1]`))
	d.want(err, "45 User '77' is not found")
	_, err = b.Insert(c, PrivID, mp(`[88, 77, "space", 512, 1]`))
	d.want(err, "45 User '88' is not found")
	_, err = b.Insert(c, PrivID, key(1, b.UserByName("ann").ID, "space", s.ID, 0))
	d.want(err, "88 Incorrect grant arguments: the grant tuple has no privileges")
}

func TestRoles(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	u := d.user("ann")
	for _, name := range []string{"a", "b", "c"} {
		_, err := b.CreateRole(c, name)
		d.want(err, "")
	}
	_, err := b.CreateRole(c, "ann")
	d.want(err, "83 Role 'ann' already exists")
	s := d.space("s")
	toRole := GrantOptions{ToRole: true}
	d.want(b.GrantByName(c, "a", "execute", "role", "b", toRole), "")
	d.want(b.GrantByName(c, "b", "execute", "role", "c", toRole), "")
	d.want(b.GrantByName(c, "c", "execute", "role", "a", toRole), "87 Granting role 'a' to role 'c' would create a loop")
	d.want(b.GrantByName(c, "a", "execute", "role", "a", toRole), "87 Granting role 'a' to role 'a' would create a loop")
	d.want(b.GrantByName(c, "ann", "execute", "role", "a", GrantOptions{}), "")
	d.want(b.GrantByName(c, "c", "read", "space", "s", toRole), "")
	read := func() error { _, err := b.Get(c, s.ID, 0, key(1)); return err }
	d.want(d.as("ann", read), "")
	b.Begin(c, TxnOptions{})
	d.want(b.RevokeByName(c, "b", "execute", "role", "c", toRole), "")
	d.want(d.as("ann", read), "42 Read access to space 's' is denied for user 'ann'")
	b.Rollback(c)
	d.want(d.as("ann", read), "")
	d.want(b.DropUser(c, b.UserByName("b").ID), "")
	d.want(d.as("ann", read), "42 Read access to space 's' is denied for user 'ann'")
	d.want(b.GrantByName(c, "ann", "execute", "role", "super", GrantOptions{}), "")
	if u.Universe != AllPrivileges {
		t.Errorf("super gives %x", u.Universe)
	}
}

func TestDDLRights(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	d.user("dev")
	give := func(rights, typ, object string) {
		d.Helper()
		d.want(b.GrantByName(c, "dev", rights, typ, object, GrantOptions{}), "")
	}
	create := func() error { _, err := b.CreateSpace(c, "own", SpaceSpec{}); return err }
	d.want(d.as("dev", create), "42 Write access to space '_space' is denied for user 'dev'")
	give("write", "universe", "")
	d.want(d.as("dev", create), "42 Create access to space 'own' is denied for user 'dev'")
	give("create", "space", "")
	d.want(d.as("dev", create), "")
	own := b.SpaceByName("own")
	index := func() error { _, err := b.CreateIndex(c, own.ID, "pk", IndexSpec{}); return err }
	d.want(d.as("dev", index), "42 Read access to space '_space_sequence' is denied for user 'dev'")
	give("read", "space", "_space_sequence")
	d.want(d.as("dev", index), "")
	d.want(d.as("dev", func() error { return b.RenameSpace(c, own.ID, "mine") }), "")
	other := d.space("other")
	rename := func() error { return b.RenameSpace(c, other.ID, "x") }
	d.want(d.as("dev", rename), "42 Alter access to space 'x' is denied for user 'dev'")
	give("alter", "space", "other")
	d.want(d.as("dev", rename), "")
	d.want(d.as("dev", func() error { return b.DropSpace(c, own.ID, "mine", false) }), "")
	d.want(d.as("dev", func() error { return b.GrantByName(c, "dev", "read", "universe", "", GrantOptions{}) }),
		"42 Grant access to universe '' is denied for user 'dev'")
	d.want(d.as("dev", func() error { return b.DropUser(c, b.UserByName("dev").ID) }),
		"44 Failed to drop user or role 'dev': the user is active in the current session")
}

// TestDropUserByRightOnHim checks that the right to drop one user suffices, though it goes with him.
func TestDropUserByRightOnHim(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	d.user("bob")
	d.user("boss")
	drop := func() error { return d.as("boss", func() error { return b.DropUser(c, b.UserByName("bob").ID) }) }
	d.want(b.GrantByName(c, "boss", "read", "universe", "", GrantOptions{}), "")
	d.want(drop(), "42 Write access to space '_user' is denied for user 'boss'")
	d.want(b.GrantByName(c, "boss", "write", "universe", "", GrantOptions{}), "")
	d.want(drop(), "42 Drop access to user 'bob' is denied for user 'boss'")
	d.want(b.GrantByName(c, "boss", "drop", "user", "bob", GrantOptions{}), "")
	d.want(drop(), "")
	d.same("rights", d.grants("boss"), `[1, 33, "role", 2, 4][1, 33, "universe", 0, 27][1, 33, "user", 33, 128]`)
}

func TestViews(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	seen, hidden := d.space("seen"), d.space("hidden")
	joe := d.user("joe")
	d.want(b.GrantByName(c, "joe", "read", "space", "seen", GrantOptions{}), "")
	b.CreateSequence(c, "q", SequenceOptions{})
	count := func(view uint32, parts ...any) int {
		d.Helper()
		n := -1
		d.want(c.As(joe, func() (err error) {
			found, err := b.rows(c, view, 0, key(parts...))
			n = len(found)
			return err
		}), "")
		return n
	}
	for _, test := range []struct {
		what string
		got  int
		want int
	}{
		{"the space with a right", count(VSpaceID, seen.ID), 1},
		{"the space without", count(VSpaceID, hidden.ID), 0},
		{"the index with a right", count(VIndexID, seen.ID), 1},
		{"the index without", count(VIndexID, hidden.ID), 0},
		{"himself and the role that all have", count(VUserID), 2},
		{"his rights", count(VPrivID), 4},
		{"functions that public may call", count(VFuncID), 2},
		{"the sequence", count(VSequenceID), 0},
		{"collations", count(VCollationID), 277},
	} {
		if test.got != test.want {
			t.Errorf("%s: %d rows, want %d", test.what, test.got, test.want)
		}
	}
	all, err := b.Count(c, VSpaceID, 0, index.ALL, nil)
	if rows, _ := b.Len(c, SpaceID, 0); err != nil || all != rows {
		t.Errorf("the administrator sees %d of %d spaces, %v", all, rows, err)
	}
	_, err = b.Replace(c, VUserID, mp(`[1]`))
	d.want(err, "113 View '_vuser' is read-only")
	_, err = b.Len(c, VUserID, 0)
	d.want(err, "112 Index 'primary' (TREE) of space '_vuser' (sysview) does not support size()")
	d.want(c.As(joe, func() error { _, err := b.CreateSequence(c, "q", SequenceOptions{}); return err }),
		"42 Read access to space '_sequence' is denied for user 'joe'")
	d.want(c.As(joe, func() error { _, err := b.CurrentValue(c, 1); return err }),
		"42 Write access to sequence 'q' is denied for user 'joe'")
	if n, err := b.Bsize(hidden.ID); n != 0 || err != nil {
		t.Errorf("the size of a space without a right: %d, %v", n, err)
	}
	d.want(c.As(joe, func() error { return b.GrantByName(c, "joe", "write", "space", "hidden", GrantOptions{}) }),
		"42 Write access to space '_priv' is denied for user 'joe'")
}

func TestSettings(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	const name = "sql_full_metadata"
	set := func(value string) error {
		_, err := b.Update(c, SessionSettingsID, 0, key(name), mp(`[["=", "value", `+value+`]]`), 1)
		return err
	}
	d.same("before", d.row(SessionSettingsID, name), `["sql_full_metadata", false]`)
	d.want(set("true"), "")
	d.same("after", d.row(SessionSettingsID, name), `["sql_full_metadata", true]`)
	other := b.NewCtx(b.NewSession(SessionBinary))
	if string(other.Session.Setting(name)) != string(encodedFalse) {
		t.Error("another session has the setting")
	}
	d.want(set("5"), "209 Session setting sql_full_metadata expected a value of type boolean")
	d.same("unknown", d.row(SessionSettingsID, "nope"), "none")
	d.want(c.Session.SetSetting("nope", encodedTrue), "213 Session setting nope doesn't exist")
	_, err := b.Insert(c, SessionSettingsID, mp(`["mine", 1]`))
	d.want(err, "5 _session_settings space does not support replace()")
	_, err = b.Delete(c, SessionSettingsID, 0, key(name))
	d.want(err, "5 _session_settings space does not support delete()")
	found, err := b.Select(c, &SelectRequest{Space: SessionSettingsID, Iterator: index.GE, Key: key("sql_s"), Limit: 1}, nil)
	if err != nil || len(found) != 1 || found[0].String() != `["sql_select_debug", false]` {
		t.Errorf("select: %v %v", found, err)
	}
}

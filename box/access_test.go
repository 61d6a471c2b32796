package box

import (
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
)

func TestAccess(t *testing.T) {
	w := newWorld(t)
	sp := w.space(512, "t", nil, "pk 1 unsigned")
	joe := &User{ID: 32, Name: "joe", Universe: Usage | SessionRight, Objects: make(map[Object]Privilege)}
	denied := func(right, typ, name string) string {
		return "AccessDeniedError 42: " + right + " access to " + typ + " '" + name + "' is denied for user 'joe' {access_type \"" +
			right + `", object_name "` + name + `", object_type "` + typ + `", user "joe"}`
	}
	var told []string
	w.b.Triggers.Set("box.session.on_access_denied", "test", GoFunc(func(c *Ctx, args []byte, nargs int) ([]byte, int, error) {
		v, _, _ := msgpack.ReadString(args)
		told = append(told, string(v)+" as "+c.User.Name)
		return nil, 0, nil
	}))
	w.c.User = joe
	w.script(`
		insert t [1] -> ` + denied("Write", "space", "t") + `
		get t [1] -> ` + denied("Read", "space", "t") + `
		get nowhere [1] -> ClientError 36: Space '999' does not exist {name "NO_SUCH_SPACE", space "999"}`)
	joe.Objects[Object{Type: SpaceObject, ID: 512}] = Write
	w.script(`
		insert t [1] -> [1]
		update t [1] [["=", 1, 5]] -> [1, 5]
		delete t [1] -> [1, 5]
		select t [1] -> ` + denied("Read", "space", "t"))
	joe.Classes[SpaceObject] = Read
	w.script(`select t [1] -> none`)
	joe.Classes, joe.Objects = [ObjectTypes]Privilege{}, nil
	sp.Owner = joe.ID
	w.script(`insert t [1] -> [1]`)
	joe.Universe = 0
	w.script(`insert t [2] -> ` + denied("Usage", "universe", ""))
	joe.Universe = Usage
	f := &Func{ID: 70, Name: "f", Owner: AdminID}
	for _, check := range []struct {
		err  error
		want string
	}{
		{w.c.CheckFunction(f), denied("Execute", "function", "f")},
		{w.c.CheckCall([]byte("g")), denied("Execute", "function", "g")},
		{w.c.CheckEval(), denied("Execute", "universe", "")},
		{w.c.CheckSQL(), denied("Execute", "sql", "")},
		{w.c.CheckUniverse(Create, UserObject, "new"), denied("Create", "user", "new")},
		{w.c.CheckSession(joe), denied("Session", "universe", "")},
	} {
		if got := failure(check.err); got != check.want {
			t.Errorf("got %s\nwant %s", got, check.want)
		}
	}
	joe.Objects = map[Object]Privilege{{Type: FunctionObject, ID: 70}: Execute}
	joe.Classes[LuaEvalObject], joe.Classes[LuaCallObject] = Execute, Execute
	for _, err := range []error{w.c.CheckFunction(f), w.c.CheckCall([]byte("g")), w.c.CheckEval()} {
		if err != nil {
			t.Error(err)
		}
	}
	w.b.Builtins = map[string]struct{}{"os": {}, "box": {}}
	for name, want := range map[string]string{
		"os.exit": "os.exit", "box:x": "box:x", "box": "box", "own.f": "", "osx": "", "": "",
	} {
		if want != "" {
			want = denied("Execute", "function", want)
		} else {
			want = "nothing"
		}
		if got := text(nil, w.c.CheckCall([]byte(name))); got != want {
			t.Errorf("%q: got %s, want %s", name, got, want)
		}
	}
	joe.Objects[Object{Type: LuaCallObject, Name: "os.exit"}] = Execute
	if err := w.c.CheckCall([]byte("os.exit")); err != nil {
		t.Error(err)
	}
	w.c.User = w.b.UserByID(AdminID)
	if err := w.c.CheckSession(&User{Name: "out"}); err == nil {
		t.Error("there is a session without the right")
	}
	if len(told) == 0 || told[0] != "Write as joe" || told[len(told)-1] != "Session as admin" {
		t.Errorf("told %q", told)
	}
}

func TestAuthenticate(t *testing.T) {
	w := newWorld(t)
	joe := &User{ID: 32, Name: "joe", Universe: Usage | SessionRight, AuthMethod: ChapSHA1, AuthData: PasswordHash("secret")}
	w.b.catalog.usersByName["joe"] = joe
	w.b.catalog.usersByName["nopass"] = &User{ID: 33, Name: "nopass", Universe: SessionRight}
	w.b.UserByID(GuestID).Universe &^= SessionRight
	w.b.catalog.usersByName["out"] = &User{ID: 34, Name: "out", AuthMethod: ChapSHA1, AuthData: PasswordHash("x")}
	salt := []byte("0123456789012345678901234567890a")
	var attempts []string
	w.b.Triggers.Set("box.session.on_auth", "test", GoFunc(func(c *Ctx, args []byte, nargs int) ([]byte, int, error) {
		name, rest, _ := msgpack.ReadString(args)
		ok, _, _ := msgpack.ReadBool(rest)
		if ok {
			attempts = append(attempts, "+"+string(name)+" as "+c.Session.User.Name)
		} else {
			attempts = append(attempts, "-"+string(name))
		}
		return nil, 0, nil
	}))
	proof := func(password string) []byte {
		b := msgpack.AppendString(msgpack.AppendArrayHeader(nil, 2), ChapSHA1)
		return msgpack.AppendStringBytes(b, Scramble(salt, password))
	}
	wrong := `ClientError 47: User not found or supplied credentials are invalid {name "CREDS_MISMATCH"}`
	malformed := `ClientError 20: Invalid MsgPack - authentication request body {details "authentication request body", name "INVALID_MSGPACK"}`
	for _, test := range []struct {
		user  string
		proof []byte
		want  string
	}{
		{"joe", proof("secret"), "nothing"},
		{"joe", proof("Secret"), wrong},
		{"nobody", proof("secret"), wrong},
		{"nopass", proof(""), wrong},
		{"guest", proof("any"), wrong},
		{"guest", mp(`[]`), "nothing"},
		{"joe", mp(`[]`), malformed},
		{"joe", mp(`["chap-sha1"]`), malformed},
		{"joe", mp(`[1, "x"]`), malformed},
		{"joe", mp(`["md5", "x"]`), `ClientError 249: Unknown authentication method 'md5' {name "UNKNOWN_AUTH_METHOD", value "md5"}`},
		{"joe", mp(`["chap-sha1", "too short"]`), `ClientError 251: Invalid 'chap-sha1' request: invalid scramble size {auth_method "chap-sha1", details "invalid scramble size", name "INVALID_AUTH_REQUEST"}`},
		{"joe", mp(`["chap-sha1", 5]`), `ClientError 251: Invalid 'chap-sha1' request: scramble must be string {auth_method "chap-sha1", details "scramble must be string", name "INVALID_AUTH_REQUEST"}`},
		{"out", proof("x"), `AccessDeniedError 42: Session access to universe '' is denied for user 'out' {access_type "Session", object_name "", object_type "universe", user "out"}`},
	} {
		s := w.b.NewSession(SessionBinary)
		s.Salt = salt
		c := w.b.NewCtx(s)
		if got := text(nil, w.b.Authenticate(c, test.user, test.proof)); got != test.want {
			t.Errorf("%s: got %s, want %s", test.user, got, test.want)
		}
		if now, want := s.User.Name, "joe"; test.want == "nothing" && test.user == want && now != want {
			t.Errorf("the session is %s's", now)
		}
		w.b.CloseSession(s)
	}
	if len(attempts) != 6 || attempts[0] != "+joe as guest" || attempts[1] != "-joe" || attempts[5] != "+guest as guest" {
		t.Errorf("attempts %q", attempts)
	}
}

func TestSessions(t *testing.T) {
	w := newWorld(t)
	s := w.b.NewSession(SessionBinary)
	if got, err := w.b.SessionByID(s.ID); got != s || err != nil {
		t.Error(got, err)
	}
	if s.User.Name != "guest" {
		t.Errorf("a client is %s", s.User.Name)
	}
	w.b.CloseSession(s)
	if _, err := w.b.SessionByID(s.ID); failure(err) != `ClientError 254: Session 2 does not exist {name "NO_SUCH_SESSION", session_id 2}` {
		t.Error(failure(err))
	}
	n := 0
	w.b.Sessions(func(*Session) bool { n++; return true })
	if n != 1 || !s.Closed() {
		t.Errorf("%d sessions", n)
	}
}

func TestStat(t *testing.T) {
	w := newWorld(t)
	w.space(512, "s", nil, "pk 1 unsigned")
	for _, command := range []string{
		"insert s [1]", "insert s [2]", "insert s [1]", "replace s [1]", "update s [1] []", "upsert s [1] []", "delete s [1]",
		"select s []", "get s [2]", "count s []", "begin", "insert s [9]", "rollback", "begin", "insert s [9]", "commit",
	} {
		w.do(command)
	}
	for op, want := range map[Op]uint64{OpInsert: 5, OpReplace: 1, OpUpdate: 1, OpUpsert: 1, OpDelete: 1, OpSelect: 2, OpBegin: 9, OpCommit: 7, OpRollback: 2} {
		if got := w.b.Stat.Total(op); got != want {
			t.Errorf("%s: %d, want %d", op, got, want)
		}
	}
}

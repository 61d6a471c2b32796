package client_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/client"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/lycosatest"
	"github.com/lycosadb/lycosa/msgpack"
)

// patience is how long a test waits for what must come.
const patience = 30 * time.Second

// through connects to a database in the same process.
func through(db *lycosa.DB) client.Options {
	return client.Options{Dial: func(context.Context, string, string) (net.Conn, error) { return db.Connect(), nil }}
}

func patient(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func connect(t *testing.T, db *lycosa.DB, o client.Options) *client.Conn {
	t.Helper()
	if o.Dial == nil {
		o.Dial = through(db).Dial
	}
	c, err := client.Dial(patient(t), "nowhere:1", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// users makes a space with a primary key and an index of names.
func users(t *testing.T, db *lycosa.DB) {
	t.Helper()
	s, err := db.CreateSpace("users", box.SpaceSpec{Fields: []box.Field{{Name: "id", Type: "unsigned"}, {Name: "name", Type: "string"}}})
	if err == nil {
		err = s.CreateIndex("pk", box.IndexSpec{})
	}
	if err == nil {
		err = s.CreateIndex("name", box.IndexSpec{Keys: []box.Part{{Field: 1, Type: "string"}}, NonUnique: true})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// answer makes a text of how a request has ended.
func answer(r *client.Response, err error) string {
	if err != nil {
		e := boxerr.From(err)
		return fmt.Sprintf("%s %d: %s", e.Type, e.Code, e.Message)
	}
	values, err := r.Values()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(values)
}

func TestRequests(t *testing.T) {
	db := lycosatest.Run(t)
	users(t, db)
	db.Server.HandleFunc("sum", func(_ *box.Ctx, args []byte, n int) ([]byte, int, error) {
		sum := uint64(0)
		for ; n > 0; n-- {
			var v uint64
			v, args, _ = msgpack.ReadUint(args)
			sum += v
		}
		return msgpack.AppendUint(nil, sum), 1, nil
	})
	id, _ := db.Space("users").ID()
	c := connect(t, db, client.Options{})
	for _, test := range []struct {
		request client.Request
		want    string
	}{
		{client.Ping{}, "[]"},
		{client.Insert{Space: "users", Tuple: []any{1, "ann"}}, "[[1 ann]]"},
		{client.Insert{SpaceID: id, Tuple: msgpack.Raw{0x92, 2, 0xa3, 'b', 'o', 'b'}}, "[[2 bob]]"},
		{client.Insert{Space: "users", Tuple: []any{1, "eve"}},
			`ClientError 3: Duplicate key exists in unique index "pk" in space "users" with old tuple - [1, "ann"] and new tuple - [1, "eve"]`},
		{client.Replace{Space: "users", Tuple: []any{3, "cy", 5}}, "[[3 cy 5]]"},
		{client.Update{Space: "users", Key: []any{3}, Ops: []client.Op{client.Add(2, 7), client.Set("name", "cyd")}}, "[[3 cyd 12]]"},
		{client.Update{Space: "users", Key: []any{3}, Ops: []client.Op{client.Subtract(3, 1), client.Splice(2, 1, 1, "a")}, Base: 1}, "[[3 ayd 11]]"},
		{client.Update{Space: "users", Key: []any{3}, Ops: []client.Op{client.InsertField(2, "x"), client.DeleteFields(3, 1)}}, "[[3 ayd x]]"},
		{client.Upsert{Space: "users", Tuple: []any{4, "dan"}, Ops: []client.Op{client.Set(1, "no")}}, "[]"},
		{client.Upsert{Space: "users", Tuple: []any{4, "dan"}, Ops: []client.Op{client.Set(1, "dora")}}, "[]"},
		{client.Select{Space: "users"}, "[[1 ann] [2 bob] [3 ayd x] [4 dora]]"},
		{client.Select{Space: "users", Key: []any{2}}, "[[2 bob]]"},
		{client.Select{Space: "users", Key: []any{2}, Iterator: client.GT, Limit: 1}, "[[3 ayd x]]"},
		{client.Select{Space: "users", Iterator: client.All, Offset: 3}, "[[4 dora]]"},
		{client.Select{Space: "users", Limit: -1}, "[]"},
		{client.Select{Space: "users", Index: "name", Key: []any{"bob"}}, "[[2 bob]]"},
		{client.Select{SpaceID: id, IndexID: 1, Iterator: client.LE, Key: []any{"bob"}}, "[[2 bob] [3 ayd x] [1 ann]]"},
		{client.Select{Space: "users", Iterator: client.All, AfterTuple: []any{3, "ayd"}}, "[[4 dora]]"},
		{client.Delete{Space: "users", Key: []any{4}}, "[[4 dora]]"},
		{client.Delete{Space: "users", Key: []any{4}}, "[]"},
		{client.Call{Name: "sum", Args: []any{1, 2, 3}}, "[6]"},
		{client.Call{Name: "sum", RawArgs: msgpack.Raw{0x91, 7}, Old: true}, "[[7]]"},
		{client.Call{Name: "nothing"}, "ClientError 33: Procedure 'nothing' is not defined"},
		{client.Select{Space: "nothing"}, "ClientError 36: Space 'nothing' does not exist"},
		{client.Raw{Code: 777}, "ClientError 48: Unknown request type 777"},
		{client.Raw{Code: iproto.TypeInsert, Body: map[iproto.Key]any{iproto.KeySpaceID: id, iproto.KeyTuple: []any{9, "z"}}}, "[[9 z]]"},
		{client.Insert{Space: "users", Tuple: make(chan int)}, "IllegalParams 0: msgpack: no encoding for Go type chan int"},
	} {
		if got := answer(c.Do(patient(t), test.request)); got != test.want {
			t.Errorf("%T %v:\n got %s\nwant %s", test.request, test.request, got, test.want)
		}
	}
}

func TestPosition(t *testing.T) {
	db := lycosatest.Run(t)
	users(t, db)
	ctx := patient(t)
	c := connect(t, db, client.Options{})
	for i := range 5 {
		if _, err := c.Insert(ctx, "users", []any{i, "x"}); err != nil {
			t.Fatal(err)
		}
	}
	var got []string
	q := client.Select{Space: "users", Iterator: client.All, Limit: 2, FetchPosition: true}
	for {
		r, err := c.Select(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		if r.Position() == "" {
			break
		}
		got = append(got, answer(r, nil))
		q.After = r.Position()
	}
	if want := "[[0 x] [1 x]] [[2 x] [3 x]] [[4 x]]"; strings.Join(got, " ") != want {
		t.Errorf("%s", got)
	}
}

func TestRows(t *testing.T) {
	respond := func(data any) *client.Response {
		t.Helper()
		b, err := msgpack.Append(nil, map[int]any{int(iproto.KeyData): data})
		if err != nil {
			t.Fatal(err)
		}
		return &client.Response{Body: b}
	}
	rows, err := respond([]any{[]any{1, "Ann", nil}, []any{2, "Bob", 3.5}}).Rows()
	if err != nil || len(rows) != 2 {
		t.Fatal(rows, err)
	}
	var id uint
	var name string
	var score any
	if err := rows[1].Scan(&id, &name, &score); err != nil || id != 2 || name != "Bob" || score != 3.5 {
		t.Error(id, name, score, err)
	}
	if err := rows[0].Scan(nil, &name); err != nil || name != "Ann" {
		t.Error(name, err)
	}
	for _, test := range []struct {
		into []any
		want string
	}{
		{[]any{&name}, "field 0: 1 doesn't fit into *string"},
		{[]any{nil, nil, &name}, "field 2: null doesn't fit into *string"},
		{[]any{nil, nil, nil, nil}, "a tuple of 3 fields has no field 3"},
	} {
		if err := rows[0].Scan(test.into...); err == nil || boxerr.From(err).Message != test.want {
			t.Errorf("got %v, want %s", err, test.want)
		}
	}
	if rows, err := (&client.Response{}).Rows(); rows != nil || err != nil {
		t.Error("nothing:", rows, err)
	}
	for _, data := range []any{5, []any{1}, []any{[]any{}, "x"}} {
		if _, err := respond(data).Rows(); !boxerr.Is(err, boxerr.TupleNotArray) {
			t.Errorf("%v: %v", data, err)
		}
	}
	if _, err := (&client.Response{Body: msgpack.Raw{0x81, 0x30, 0x92, 0x90}}).Rows(); err != nil {
		t.Error("a body that ends early holds no data:", err)
	}
}

func TestManyInFlight(t *testing.T) {
	db := lycosatest.Run(t)
	release := make(chan struct{})
	if err := db.Override(700, func(q *lycosa.Request) (bool, error) {
		<-release // so that answers come in any order
		return true, q.Reply([]any{q.Uint(1)})
	}); err != nil {
		t.Fatal(err)
	}
	c := connect(t, db, client.Options{})
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			f := c.Go(client.Raw{Code: 700, Body: map[int]int{1: i}})
			if i == 199 {
				close(release)
			}
			if got := answer(f.Wait(patient(t))); got != fmt.Sprintf("[%d]", i) {
				t.Errorf("%d got %s", i, got)
			}
		})
	}
	wg.Wait()
}

func TestCancelled(t *testing.T) {
	db := lycosatest.Run(t)
	release := make(chan struct{})
	defer close(release)
	if err := db.Override(700, func(q *lycosa.Request) (bool, error) {
		<-release
		return true, nil
	}); err != nil {
		t.Fatal(err)
	}
	c := connect(t, db, client.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	f := c.Go(client.Raw{Code: 700})
	cancel()
	if _, err := f.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Wait: %v", err)
	}
	if _, err := c.Do(ctx, client.Ping{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Do: %v", err)
	}
	d := c.Go(client.Raw{Code: 700})
	d.Discard()
	if got := answer(d.Wait(patient(t))); got != "ClientError 32: Response is discarded" {
		t.Error(got)
	}
	if err := c.Ping(patient(t)); err != nil {
		t.Error(err)
	}
}

func TestClose(t *testing.T) {
	db := lycosatest.Run(t)
	release := make(chan struct{})
	defer close(release)
	if err := db.Override(700, func(q *lycosa.Request) (bool, error) {
		<-release
		return true, nil
	}); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 1)
	o := through(db)
	o.OnClose = func(err error) { closed <- err }
	c := connect(t, db, o)
	finished := make(chan *client.Future, 1)
	f := c.Send(client.Raw{Code: 700}, client.Sending{OnDone: func(f *client.Future) { finished <- f }})
	_ = c.Close()
	const want = "ClientError 77: Connection closed"
	if got := answer(f.Wait(patient(t))); got != want {
		t.Error(got)
	}
	if <-finished != f {
		t.Error("OnDone has another future")
	}
	if got := answer(nil, <-closed); got != want {
		t.Error(got)
	}
	if got := answer(c.Do(patient(t), client.Ping{})); got != want {
		t.Error(got)
	}
	<-c.Done()
	if c.Err() == nil {
		t.Error("no Err")
	}
	if _, err := c.Watch("key", nil); err == nil {
		t.Error("Watch on a closed connection")
	}
}

func TestPush(t *testing.T) {
	db := lycosatest.Run(t)
	if err := db.Override(iproto.TypeEval, func(q *lycosa.Request) (bool, error) {
		for i := range 3 {
			if err := q.Push([]any{i}); err != nil {
				return false, err
			}
		}
		return true, q.Reply([]any{"end"})
	}); err != nil {
		t.Fatal(err)
	}
	c := connect(t, db, client.Options{})
	var pushed []any
	f := c.Send(client.Eval{Expr: "?"}, client.Sending{OnPush: func(data msgpack.Raw) {
		v, _, _ := msgpack.Decode(data)
		pushed = append(pushed, v)
	}})
	got := answer(f.Wait(patient(t)))
	if got != "[end]" || fmt.Sprint(pushed) != "[[0] [1] [2]]" {
		t.Error(got, pushed)
	}
}

func TestStreams(t *testing.T) {
	db := lycosatest.Open(t, lycosa.Options{Config: box.Config{UseMVCC: true}})
	users(t, db)
	ctx := patient(t)
	c := connect(t, db, client.Options{})
	all := func(q client.Requests) string { return answer(q.Select(ctx, client.Select{Space: "users"})) }
	s, err := c.NewStream()
	if err != nil {
		t.Fatal(err)
	}
	other, _ := c.NewStream()
	if s.ID() == other.ID() || s.Conn() != c {
		t.Error("streams have numbers of their own")
	}
	if err := s.Begin(ctx, client.Begin{Timeout: patience, Isolation: client.ReadConfirmed}); err != nil {
		t.Fatal(err)
	}
	_, _ = s.Insert(ctx, "users", []any{1, "ann"})
	if got := all(s.Requests) + all(other.Requests) + all(c.Requests); got != "[[1 ann]][][]" {
		t.Error(got)
	}
	if err := s.Commit(ctx); err != nil {
		t.Error(err)
	}
	if err := other.Begin(ctx, client.Begin{}); err != nil {
		t.Error(err)
	}
	_, _ = other.Delete(ctx, "users", []any{1})
	if got := answer(nil, other.Begin(ctx, client.Begin{})); !strings.HasPrefix(got, "ClientError 79") {
		t.Error(got)
	}
	if err := other.Rollback(ctx); err != nil {
		t.Error(err)
	}
	if got := all(c.Requests); got != "[[1 ann]]" {
		t.Error(got)
	}
	f := s.Go(client.Begin{})
	g := s.Go(client.Insert{Space: "users", Tuple: []any{2, "bob"}})
	h := s.Go(client.Commit{})
	for _, f := range []*client.Future{f, g, h} {
		if _, err := f.Wait(ctx); err != nil {
			t.Error(err)
		}
	}
	if got, err := c.Get(ctx, "users", 2); err != nil || fmt.Sprint(got) != "[2 bob]" {
		t.Error(got, err)
	}
}

func broadcast(db *lycosa.DB, key string, value any) {
	b, _ := msgpack.Append(nil, value)
	db.Box.Cord.Lock()
	defer db.Box.Cord.Unlock()
	db.Box.Broadcast(key, b)
}

func TestWatch(t *testing.T) {
	db := lycosatest.Run(t)
	c := connect(t, db, client.Options{})
	told := make(chan string, 10)
	watch := func(name string) *client.Watcher {
		w, err := c.Watch("key", func(key string, value msgpack.Raw) {
			if value == nil {
				told <- name + " nothing"
				return
			}
			v, _, _ := msgpack.Decode(value)
			told <- fmt.Sprint(name, " ", key, " ", v)
		})
		if err != nil {
			t.Fatal(err)
		}
		return w
	}
	expect := func(want ...string) {
		t.Helper()
		for range want {
			select {
			case got := <-told:
				found := false
				for i, w := range want {
					if w == got {
						want[i], found = "", true
						break
					}
				}
				if !found {
					t.Fatalf("told %q", got)
				}
			case <-patient(t).Done():
				t.Fatal("nothing told")
			}
		}
	}
	w := watch("a")
	expect("a nothing")
	broadcast(db, "key", 1)
	expect("a key 1")
	v := watch("b")
	expect("b key 1")
	broadcast(db, "key", 2)
	expect("a key 2", "b key 2")
	if value, err := c.WatchOnce(patient(t), "key"); err != nil || string(value) != "\x02" {
		t.Error(value, err)
	}
	if value, err := c.WatchOnce(patient(t), "other"); err != nil || value != nil {
		t.Error(value, err)
	}
	w.Stop()
	w.Stop()
	broadcast(db, "key", 3)
	expect("b key 3")
	v.Stop()
	w = watch("c")
	expect("c key 3")
	w.Stop()
	if len(told) > 0 {
		t.Error("told after Stop")
	}
}

func TestAuth(t *testing.T) {
	db := lycosatest.Run(t)
	func() {
		db.Box.Cord.Lock()
		defer db.Box.Cord.Unlock()
		password := "secret"
		ctx := db.Box.NewCtx(db.Box.NewSession(box.SessionBackground))
		if _, err := db.Box.CreateUser(ctx, "ann", &password); err != nil {
			t.Fatal(err)
		}
	}()
	const refused = "ClientError 47: User not found or supplied credentials are invalid"
	for _, test := range []struct {
		address, user, password, method string
		want                            string
	}{
		{"h:1", "ann", "secret", "", ""},
		{"h:1", "ann", "secret", "chap-sha1", ""},
		{"ann:secret@h:1", "", "", "", ""},
		{"bob:secret@h:1", "ann", "secret", "", ""},
		{"h:1", "guest", "", "", ""},
		{"h:1", "ann", "wrong", "", refused},
		{"h:1", "ann", "", "", refused},
		{"nobody:x@h:1", "", "", "", refused},
		{"h:1", "ann", "secret", "magic", "ClientError 249: Unknown authentication method 'magic'"},
	} {
		o := through(db)
		o.User, o.Password, o.AuthType = test.user, test.password, test.method
		c, err := client.Dial(patient(t), test.address, o)
		if test.want == "" {
			if err != nil {
				t.Errorf("%+v: %v", test, err)
				continue
			}
			_ = c.Close()
		} else if got := answer(nil, err); err == nil || got != test.want {
			t.Errorf("%+v: %s", test, got)
		}
	}
}

func TestPool(t *testing.T) {
	db := lycosatest.Run(t)
	var mu sync.Mutex // guards the fields below
	var open []net.Conn
	fail := true
	o := client.PoolOptions{Size: 3, ReconnectAfter: time.Millisecond}
	o.Dial = func(context.Context, string, string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		if fail {
			return nil, errors.New("not yet")
		}
		nc := db.Connect()
		open = append(open, nc)
		return nc, nil
	}
	states := make(chan error, 1000)
	o.OnState = func(_ string, err error) { states <- err }
	p, err := client.NewPool([]string{"h:1"}, o)
	if err != nil {
		t.Fatal(err)
	}
	for err := range states {
		if err != nil {
			break
		}
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Do(ended, client.Ping{}); err == nil || !strings.Contains(err.Error(), "not yet") {
		t.Errorf("without a connection: %v", err)
	}
	mu.Lock()
	fail = false
	mu.Unlock()
	if err := p.Ping(patient(t)); err != nil {
		t.Error(err)
	}
	for up := 0; up < 3; {
		if err := <-states; err == nil {
			up++
		}
	}
	if p.Len() != 3 {
		t.Error(p.Len())
	}
	a, _ := p.Conn(patient(t))
	b, _ := p.Conn(patient(t))
	if a == b {
		t.Error("connections are not used in turn")
	}
	mu.Lock()
	for _, nc := range open {
		_ = nc.Close()
	}
	mu.Unlock()
	for down, up := 0, 0; down < 3 || up < 3; {
		if err := <-states; err == nil {
			up++
		} else {
			down++
		}
	}
	if err := p.Ping(patient(t)); err != nil {
		t.Error(err)
	}
	_ = p.Close()
	if got := answer(p.Do(patient(t), client.Ping{})); got != "ClientError 77: Connection closed" {
		t.Error(got)
	}
	if _, err := client.NewPool([]string{""}, client.PoolOptions{}); err == nil {
		t.Error("an address that is none")
	}
}

// TestPoolForgetsBeforeRequestsFail repeats requests at once when their connection is lost.
func TestPoolForgetsBeforeRequestsFail(t *testing.T) {
	db := lycosatest.Run(t)
	opened := make(chan net.Conn, 1)
	const hangUp = 1000
	if err := db.Override(hangUp, func(*lycosa.Request) (bool, error) { return true, (<-opened).Close() }); err != nil {
		t.Fatal(err)
	}
	closed := make(chan error, 100)
	o := client.PoolOptions{ReconnectAfter: time.Millisecond}
	o.OnClose = func(err error) { closed <- err }
	o.Dial = func(context.Context, string, string) (net.Conn, error) {
		nc := db.Connect()
		opened <- nc
		return nc, nil
	}
	p, err := client.NewPool([]string{"h:1"}, o)
	if err != nil {
		t.Fatal(err)
	}
	for range cap(closed) - 1 {
		if got := answer(p.Do(patient(t), client.Raw{Code: hangUp})); !strings.HasPrefix(got, "ClientError 77: ") {
			t.Fatal(got)
		}
		if err := p.Ping(patient(t)); err != nil {
			t.Fatal("repeated:", err)
		}
	}
	_ = p.Close()
	if len(closed) != cap(closed) {
		t.Errorf("heard of the end of %d connections", len(closed))
	}
	if _, err := client.NewPool(nil, o); err == nil {
		t.Error("a pool without an address")
	}
}

func TestServer(t *testing.T) {
	db := lycosatest.Run(t)
	c := connect(t, db, client.Options{})
	s := c.Server()
	if s.Protocol != iproto.ProtocolVersion || !s.Has(iproto.FeatureStreams) || s.UUID == "" || s.Version == "" || s.AuthType != "chap-sha1" {
		t.Errorf("%+v", s)
	}
	for _, test := range []struct {
		o    client.Options
		want string
	}{
		{client.Options{RequiredVersion: 1000}, "Protocol version (9) < required (1000)"},
		{client.Options{RequiredFeatures: []iproto.Feature{iproto.FeatureStreams, iproto.FeatureFetchSnapshotCursor}},
			"Missing required protocol features: fetch_snapshot_cursor"},
	} {
		test.o.Dial = through(db).Dial
		if _, err := client.Dial(patient(t), "h:1", test.o); err == nil || err.Error() != test.want {
			t.Errorf("%v", err)
		}
	}
	if v := c.SchemaVersion(); v == 0 {
		t.Error("no schema version")
	}
}

func TestListen(t *testing.T) {
	db := lycosatest.Run(t)
	path := t.TempDir() + "/s.sock"
	if err := db.Listen(path, "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	for _, address := range append(db.Server.Addresses(), "unix/:"+path, path) {
		c, err := client.Dial(patient(t), address, client.Options{})
		if err != nil {
			t.Error(address, err)
			continue
		}
		if err := c.Ping(patient(t)); err != nil {
			t.Error(err)
		}
		_ = c.Close()
	}
	_, err := client.Dial(patient(t), "unix/:"+path+"none", client.Options{})
	if e := boxerr.From(err); e.Type != boxerr.TypeSocket || !strings.HasSuffix(e.Message, "aka unix/:(socket): No such file or directory") {
		t.Error(err)
	}
}

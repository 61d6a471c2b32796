package lycosa_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/lycosatest"
)

// fields makes a body.
type fields = map[iproto.Key]any

// selects is the body of a SELECT of everything in a space.
func selects(space uint32) fields {
	return fields{iproto.KeySpaceID: space, iproto.KeyIndexID: 0, iproto.KeyLimit: 100, iproto.KeyOffset: 0,
		iproto.KeyIterator: 2, iproto.KeyKey: []any{}}
}

// ask does a request and compares the data of its answer, or the message of its error, with a text.
func ask(t *testing.T, c *lycosatest.Client, typ iproto.Type, body any, want string) {
	t.Helper()
	askIn(t, c, 0, typ, body, want)
}

func askIn(t *testing.T, c *lycosatest.Client, stream uint64, typ iproto.Type, body any, want string) {
	t.Helper()
	a, err := c.DoIn(stream, typ, body)
	got := ""
	if err != nil {
		got = err.Error()
	} else {
		for _, p := range a.Pushed {
			got += p.Body.Lookup(iproto.KeyData).String() + " "
		}
		got += a.Data().String()
	}
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// log collects lines.
type log struct {
	mu    sync.Mutex // guards the field below
	lines []string
}

// Write takes a line.
func (l *log) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lines = append(l.lines, string(line))
	return len(line), nil
}

// count is how many lines contain a text.
func (l *log) count(text string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// logged opens a database whose log is kept.
func logged(t *testing.T) (*lycosa.DB, *log) {
	l := new(log)
	return lycosatest.Open(t, lycosa.Options{Log: slog.New(slog.NewTextHandler(l, nil))}), l
}

// must fails the test on an error.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// modes are the ways in which a handler can run.
var modes = map[string][]lycosa.Option{"goroutine": nil, "inline": {lycosa.Inline()}}

func TestOverride(t *testing.T) {
	for mode, options := range modes {
		t.Run(mode, func(t *testing.T) {
			db, l := logged(t)
			must(t, fill(db))
			c := lycosatest.Connect(t, db)
			must(t, db.Override(iproto.TypeSelect, func(q *lycosa.Request) (bool, error) {
				switch q.Uint(iproto.KeySpaceID) {
				case 1:
					return true, q.Reply([]any{[]any{q.Type().String(), q.Sync(), q.SessionID() == q.Session().ID(), q.User(), q.Tuple(iproto.KeyKey)}})
				case 2:
					return true, errors.New("no luck")
				case 3:
					return true, boxerr.New(boxerr.AccessDenied, "Read", "space", "x", "y")
				case 4:
					panic("lost")
				case 5:
					if err := q.Push([]any{"first"}); err != nil {
						return true, err
					}
					return true, q.Reply([]any{"second"})
				case 6:
					return true, q.Tx(func(tx *lycosa.Tx) error {
						x, err := tx.Space("t").Get(1)
						if err != nil {
							return err
						}
						return q.Reply([]any{x, tx.User()})
					})
				case 7:
					return true, q.Reply(42)
				case 8:
					return true, q.Send(fields{iproto.KeyRequestType: 0, iproto.KeySync: q.Sync()}, fields{iproto.KeyData: []any{"sent"}})
				}
				return false, nil
			}, options...))
			ask(t, c, iproto.TypeSelect, selects(1), `[["SELECT", 1, true, "guest", []]]`)
			ask(t, c, iproto.TypeSelect, selects(2), "no luck")
			ask(t, c, iproto.TypeSelect, selects(3), "Read access to space 'x' is denied for user 'y'")
			ask(t, c, iproto.TypeSelect, selects(4), "lost")
			ask(t, c, iproto.TypeSelect, selects(5), `["first"] ["second"]`)
			ask(t, c, iproto.TypeSelect, selects(7), "an answer should be a list")
			ask(t, c, iproto.TypeSelect, selects(8), `["sent"]`)
			ask(t, c, iproto.TypeSelect, selects(600), `[[1, "one"]]`)
			ask(t, c, iproto.TypeSelect, selects(6), `[[1, "one"], "guest"]`)
			if n := l.count("panic in"); n != 1 {
				t.Errorf("%d panics in the log", n)
			}
			s := db.OverrideStats()
			if len(s) != 1 || s[0].Event != "box.iproto.override[1]" {
				t.Fatalf("%+v", s)
			}
			if st := s[0].Stats; st.Calls != 9 || st.Handled != 4 || st.Errors != 4 || st.Fallbacks != 1 || st.InFlight != 0 || st.BytesOut == 0 || st.Max == 0 {
				t.Errorf("%+v", st)
			}
			must(t, db.Override(iproto.TypeSelect, nil))
			ask(t, c, iproto.TypeSelect, selects(1), "Space '1' does not exist")
		})
	}
}

// TestAccessors reads bodies of all kinds.
func TestAccessors(t *testing.T) {
	db := lycosatest.Run(t)
	c := lycosatest.Connect(t, db)
	must(t, db.Override(200, func(q *lycosa.Request) (bool, error) {
		return true, q.Reply([]any{q.Uint(0x10), q.Int(0x11), q.Float(0x12), q.Bool(0x13), q.String(0x14), string(q.Bytes(0x15)),
			q.Tuple(0x16).Field(1).Str(), q.Raw(0x17).Lookup(1).Int(), q.Has(0x18), q.Has(0x19), q.StreamID(), q.Header().Len()})
	}, lycosa.Inline()))
	body := fields{0x10: 7, 0x11: -7, 0x12: 1.5, 0x13: true, 0x14: "text", 0x15: []byte("bin"), 0x16: []any{1, "b"}, 0x17: fields{1: 5}, 0x18: nil}
	const want = `[7, -7, 1.5, true, "text", "bin", "b", 5, true, false, 0, 2]`
	ask(t, c, 200, body, want)
	for i := range 10 {
		body[iproto.Key(100+i)] = i
	}
	ask(t, c, 200, body, want)
	const nothing = `[0, 0, 0, false, "", "", "", 0, false, false, 0, 2]`
	for _, body := range []any{nil, []any{1, 2}, 5, fields{0x10: "x", 0x11: "x", 0x12: "x", 0x13: 1, 0x14: 1, 0x15: 1, 0x16: 1, 0x17: 1, 0x18: 1}} {
		w := nothing
		if m, ok := body.(fields); ok && m != nil {
			w = strings.Replace(nothing, "false, false, 0", "true, false, 0", 1)
		}
		ask(t, c, 200, body, w)
	}
	// Of a key that stands twice the last one counts.
	ask(t, c, 200, []byte{0x82, 0x10, 1, 0x10, 2}, strings.Replace(nothing, "0", "2", 1))
}

// TestChain has handlers in one chain.
func TestChain(t *testing.T) {
	db := lycosatest.Run(t)
	c := lycosatest.Connect(t, db)
	var mu sync.Mutex
	var asked []string
	passes := func(name string) lycosa.Handler {
		return func(*lycosa.Request) (bool, error) {
			mu.Lock()
			asked = append(asked, name)
			mu.Unlock()
			return false, nil
		}
	}
	check := func(want string) {
		t.Helper()
		ask(t, c, iproto.TypePing, nil, "nil")
		mu.Lock()
		defer mu.Unlock()
		if got := strings.Join(asked, " "); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		asked = nil
	}
	must(t, db.OverrideName("ping", passes("byname")))
	must(t, db.Override(iproto.TypePing, passes("a"), lycosa.Name("a")))
	must(t, db.Override(iproto.TypePing, passes("b"), lycosa.Name("b"), lycosa.Inline()))
	check("b a byname")
	must(t, db.Override(iproto.TypePing, passes("a2"), lycosa.Name("a")))
	must(t, db.Override(iproto.TypePing, passes("unnamed")))
	check("unnamed b a2 byname")
	must(t, db.Override(iproto.TypePing, nil, lycosa.Name("a")))
	must(t, db.Override(iproto.TypePing, nil))
	check("b byname")
	must(t, db.Wrap(iproto.TypePing, func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
		_, _ = passes("wrap(")(nil)
		a, err := next()
		_, _ = passes(")")(nil)
		return a, err
	}))
	check("wrap( b byname )")
	must(t, db.WrapName("ping", func(*lycosa.Request, lycosa.Next) (*lycosa.Response, error) {
		_, _ = passes("inner")(nil)
		return nil, nil
	}))
	check("wrap( inner b byname )")

	says := func(text string) lycosa.Handler {
		return func(q *lycosa.Request) (bool, error) { return true, q.Reply([]any{text}) }
	}
	must(t, db.Override(lycosa.Unknown, says("unknown"), lycosa.Inline()))
	ask(t, c, 777, nil, `["unknown"]`)
	must(t, db.Override(777, says("777"), lycosa.Inline()))
	ask(t, c, 777, nil, `["777"]`)
	ask(t, c, 778, nil, `["unknown"]`)
	must(t, db.OverrideName("unknown", nil))
	ask(t, c, 778, nil, `["unknown"]`)
	must(t, db.Override(lycosa.Unknown, nil))
	ask(t, c, 778, nil, "Unknown request type 778")
}

// TestOverrideRefuses has options and types that make no sense.
func TestOverrideRefuses(t *testing.T) {
	db := lycosatest.Run(t)
	f := func(*lycosa.Request) (bool, error) { return false, nil }
	w := func(*lycosa.Request, lycosa.Next) (*lycosa.Response, error) { return nil, nil }
	tests := []struct {
		err  error
		want string
	}{
		{db.Override(iproto.TypeJoin, f), "JOIN requests cannot be overridden"},
		{db.Wrap(iproto.TypeSubscribe, w), "SUBSCRIBE requests cannot be overridden"},
		{db.OverrideName("nothing", f), "`nothing' is not a valid request type"},
		{db.OverrideName("SELECT", f), "`SELECT' is not a valid request type"},
		{db.OverrideName("", f), "`' is not a valid request type"},
		{db.Override(1, f, lycosa.Timeout(0)), "the timeout of a handler should be positive"},
		{db.Override(1, f, lycosa.Trace(2)), "the share of traced requests should be between 0 and 1"},
		{db.Override(1, f, lycosa.Breaker(0, time.Second, 0)), "a breaker should have a positive number of errors and a positive time"},
		{db.Wrap(1, w, lycosa.Inline()), "a handler around others can't be inline"},
	}
	for _, test := range tests {
		if test.err == nil || test.err.Error() != test.want {
			t.Errorf("got %v, want %s", test.err, test.want)
		}
	}
	if s := db.OverrideStats(); len(s) > 0 {
		t.Errorf("%+v", s)
	}
}

// TestInlineAmongOthers sends requests of all kinds at once: answers come in the order of the requests.
func TestInlineAmongOthers(t *testing.T) {
	db := lycosatest.Run(t)
	must(t, fill(db))
	must(t, db.Override(200, func(q *lycosa.Request) (bool, error) {
		switch q.Uint(0x10) {
		case 1:
			return true, q.Reply([]any{"plain"})
		case 2:
			return true, q.Tx(func(tx *lycosa.Tx) error {
				_, err := tx.Space("t").Replace([]any{2, "two"})
				if err != nil {
					return err
				}
				return q.Reply([]any{"written"})
			})
		case 3:
			return false, nil
		}
		return true, errors.New("failed")
	}, lycosa.Inline()))
	path := t.TempDir() + "/s"
	must(t, db.Listen(path))
	c := dial(t, path)
	var all []byte
	types := []iproto.Type{200, iproto.TypePing, iproto.TypeSelect}
	var want []string
	for i := range 500 {
		typ := types[i%len(types)]
		body, text := fields{0x10: i * 7 % 5}, []string{"failed", "plain", "written", "Unknown request type 200", "failed"}[i*7%5]
		switch typ {
		case iproto.TypePing:
			body, text = nil, ""
		case iproto.TypeSelect:
			body, text = selects(600), "one"
		}
		var b any
		if body != nil {
			b = body
		}
		p, err := lycosatest.Packet(fields{iproto.KeyRequestType: uint32(typ), iproto.KeySync: i + 1}, b)
		must(t, err)
		all = append(all, p...)
		want = append(want, text)
	}
	go func() { _, _ = c.Conn.Write(all) }()
	for i, text := range want {
		p, err := c.Receive()
		must(t, err)
		if sync := p.Header.Lookup(iproto.KeySync).Uint(); sync != uint64(i+1) || !strings.Contains(p.Body.String(), text) {
			t.Fatalf("answer %d: sync %d, %s, want %s", i+1, sync, p.Body, text)
		}
	}
	s := db.OverrideStats()[0].Stats
	if s.Calls != 167 || s.Handled+s.Errors+s.Fallbacks != 167 || s.InFlight != 0 {
		t.Errorf("%+v", s)
	}
	if n := db.Server.Stat().Current(4); n != 0 {
		t.Errorf("%d requests in progress", n)
	}
}

// TestWrap sees and changes answers.
func TestWrap(t *testing.T) {
	db := lycosatest.Run(t)
	must(t, fill(db))
	c := lycosatest.Connect(t, db)
	wrap := func(f lycosa.Wrapper, options ...lycosa.Option) {
		t.Helper()
		must(t, db.Wrap(iproto.TypeSelect, f, options...))
	}
	sel := func(want string) { t.Helper(); ask(t, c, iproto.TypeSelect, selects(600), want) }

	wrap(func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) { return next() })
	sel(`[[1, "one"]]`)
	wrap(func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
		_, err := next()
		return nil, err
	})
	sel(`[[1, "one"]]`)
	wrap(func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
		a, err := next()
		if err != nil {
			return nil, err
		}
		return a, a.SetData([]any{a.Tuples()[0].Field(1), len(a.Tuples()), a.Type().String()})
	})
	sel(`["one", 1, "OK"]`)
	wrap(func(q *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
		return next(selects(601)) // another body
	})
	sel("Space '601' does not exist")
	wrap(func(q *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
		for _, space := range []uint32{601, 602, 600} { // until it works
			a, err := next(selects(space))
			if err != nil {
				return nil, err
			}
			var e *boxerr.Error
			if errors.As(a.Err(), &e); e == nil || e.Code != boxerr.NoSuchSpace {
				return a, nil
			}
		}
		return nil, errors.New("never")
	})
	sel(`[[1, "one"]]`)
	wrap(func(q *lycosa.Request, _ lycosa.Next) (*lycosa.Response, error) { return nil, q.Reply([]any{"own"}) })
	sel(`["own"]`)
	wrap(func(q *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
		if _, err := next(); err != nil {
			return nil, err
		}
		return lycosa.Answered, q.Send(fields{iproto.KeyRequestType: 0, iproto.KeySync: q.Sync()}, fields{iproto.KeyData: []any{"sent"}})
	})
	sel(`["sent"]`)
	wrap(func(*lycosa.Request, lycosa.Next) (*lycosa.Response, error) {
		return &lycosa.Response{Body: lycosa.Value("\x81\x30\x91\x05")}, nil
	})
	sel(`[5]`)
	wrap(func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
		_, err := next([]byte{0xc1})
		return nil, err
	})
	sel("a []byte should be one MessagePack value")
	wrap(func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) { panic("lost") })
	sel("lost")

	// What handlers push comes along, in place of it comes what the handler makes of it.
	must(t, db.Override(iproto.TypeSelect, func(q *lycosa.Request) (bool, error) {
		for i := range 2 {
			if err := q.Push([]any{i}); err != nil {
				return true, err
			}
		}
		return true, q.Reply([]any{"end"})
	}))
	wrap(func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) { return next() })
	sel(`[0] [1] ["end"]`)
	wrap(func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
		a, err := next()
		if err == nil {
			a.Pushed = a.Pushed[1:]
		}
		return a, err
	})
	sel(`[1] ["end"]`)
	must(t, db.Override(iproto.TypeSelect, func(q *lycosa.Request) (bool, error) { return true, nil }))
	wrap(func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
		a, err := next()
		if a != nil || err != nil {
			return a, err
		}
		return nil, errors.New("no answer")
	})
	sel("no answer")
}

// TestStreams has handlers take part in the transaction of a stream, which lives on while they wait.
func TestStreams(t *testing.T) {
	db := lycosatest.Open(t, lycosa.Options{Config: box.Config{UseMVCC: true}})
	must(t, fill(db))
	c := lycosatest.Connect(t, db)
	must(t, db.Override(iproto.TypeDelete, func(q *lycosa.Request) (bool, error) {
		err := q.Tx(func(tx *lycosa.Tx) error {
			if _, err := tx.Space("t").Replace([]any{q.Uint(0x10), "from a handler"}); err != nil {
				return err
			}
			if q.Bool(0x11) {
				return errors.New("undone")
			}
			return nil
		})
		if err != nil {
			return true, err
		}
		return true, q.Reply([]any{"done"})
	}, lycosa.Name("x")))
	must(t, db.Wrap(iproto.TypeInsert, func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) { return next() }))
	must(t, db.Wrap(iproto.TypeCommit, func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) { return next() }))
	count := func() int {
		n, err := db.Space("t").Len()
		must(t, err)
		return n
	}
	askIn(t, c, 1, iproto.TypeBegin, fields{}, "nil")
	askIn(t, c, 1, iproto.TypeDelete, fields{0x10: 10}, `["done"]`)
	askIn(t, c, 1, iproto.TypeDelete, fields{0x10: 11, 0x11: true}, "undone")
	askIn(t, c, 1, iproto.TypeInsert, fields{iproto.KeySpaceID: 600, iproto.KeyTuple: []any{12, "x"}}, `[[12, "x"]]`)
	if n, err := db.Space("t").Select(lycosa.Query{}); err != nil || len(n) != 1 {
		t.Errorf("%v, %v before the commit", n, err)
	}
	askIn(t, c, 1, iproto.TypeCommit, fields{}, "nil")
	if n := count(); n != 3 {
		t.Errorf("%d tuples", n)
	}
	askIn(t, c, 2, iproto.TypeDelete, fields{0x10: 20}, `["done"]`)
	askIn(t, c, 2, iproto.TypeDelete, fields{0x10: 21, 0x11: true}, "undone")
	if n := count(); n != 4 {
		t.Errorf("%d tuples", n)
	}
}

// TestDeadline cancels handlers that take too long.
func TestDeadline(t *testing.T) {
	db, _ := logged(t)
	c := lycosatest.Connect(t, db)
	ended := make(chan error, 1)
	must(t, db.Override(200, func(q *lycosa.Request) (bool, error) {
		<-q.Context().Done()
		ended <- errors.Join(context.Cause(q.Context()), q.Send(fields{}, nil))
		return true, nil
	}, lycosa.Timeout(time.Millisecond)))
	ask(t, c, 200, nil, "Timeout exceeded")
	if err := <-ended; err.Error() != "Timeout exceeded\nTimeout exceeded" {
		t.Error(err)
	}
	s := db.OverrideStats()[0].Stats
	if s.Timeouts != 1 || s.Errors != 1 || s.InFlight != 0 || s.Yields != 1 {
		t.Errorf("%+v", s)
	}
	// A wrap whose inner handler doesn't end: both are given up.
	must(t, db.Wrap(200, func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
		a, err := next()
		ended <- err
		return a, err
	}, lycosa.Timeout(time.Millisecond)))
	must(t, db.Override(200, func(q *lycosa.Request) (bool, error) {
		<-q.Context().Done()
		ended <- context.Cause(q.Context())
		return false, nil
	}))
	ask(t, c, 200, nil, "Timeout exceeded")
	for range 2 {
		if err := <-ended; err == nil || err.Error() != "Timeout exceeded" {
			t.Error(err)
		}
	}
}

// TestClientLeaves ends the context of a request.
func TestClientLeaves(t *testing.T) {
	db := lycosatest.Run(t)
	c := lycosatest.Connect(t, db)
	started, ended := make(chan bool), make(chan error)
	must(t, db.Override(200, func(q *lycosa.Request) (bool, error) {
		ctx := q.Context()
		close(started)
		<-ctx.Done()
		err := q.Reply([]any{})
		ended <- errors.Join(context.Cause(ctx), err)
		return true, nil
	}))
	_, err := c.Send(200, nil)
	must(t, err)
	<-started
	c.Close()
	if err := <-ended; err.Error() != "Session is closed\nSession is closed" {
		t.Error(err)
	}
}

// TestSessions sends packets to others.
func TestSessions(t *testing.T) {
	db := lycosatest.Run(t)
	a, b := lycosatest.Connect(t, db), lycosatest.Connect(t, db)
	must(t, db.Override(200, func(q *lycosa.Request) (bool, error) {
		err := db.Session(q.Uint(0x10)).Send(fields{iproto.KeyRequestType: 5}, fields{iproto.KeyData: []any{"from", q.SessionID()}})
		if err != nil {
			return true, err
		}
		return true, q.Reply([]any{q.SessionID(), q.Session().User(), db.Session(99).User()})
	}))
	must(t, db.Override(201, func(q *lycosa.Request) (bool, error) { return true, q.Reply([]any{q.SessionID()}) }))
	id := func(c *lycosatest.Client) uint64 {
		r, err := c.Do(201, nil)
		must(t, err)
		return r.Data().Index(0).Uint()
	}
	self, other := id(a), id(b)
	if ids := db.Sessions(); len(ids) != 2 {
		t.Error(ids)
	}
	ask(t, a, 200, fields{0x10: other}, fmt.Sprintf(`[%d, "guest", ""]`, self))
	p, err := b.Receive()
	must(t, err)
	if got := p.Body.String(); got != fmt.Sprintf(`{48: ["from", %d]}`, self) {
		t.Error(got)
	}
	ask(t, a, 200, fields{0x10: 12345}, "Session 12345 does not exist")
}

// TestShadow compares.
func TestShadow(t *testing.T) {
	db, l := logged(t)
	must(t, fill(db))
	c := lycosatest.Connect(t, db)
	must(t, db.Override(iproto.TypeSelect, func(q *lycosa.Request) (bool, error) {
		if q.Uint(iproto.KeyLimit) == 1 {
			return true, q.Reply([]any{[]any{1, "one"}})
		}
		return true, q.Reply([]any{[]any{1, "uno"}})
	}, lycosa.Shadow()))
	ask(t, c, iproto.TypeSelect, selects(600), `[[1, "one"]]`)
	body := selects(600)
	body[iproto.KeyLimit] = 1
	ask(t, c, iproto.TypeSelect, body, `[[1, "one"]]`)
	ask(t, c, iproto.TypeSelect, selects(601), "Space '601' does not exist")
	waitFor(t, func() bool {
		return db.OverrideStats()[0].Stats.Differences == 2 && db.OverrideStats()[0].Stats.Handled == 3
	})
	waitFor(t, func() bool { return l.count(`would have answered`) == 2 })
}

// TestTrace writes requests to the log.
func TestTrace(t *testing.T) {
	db, l := logged(t)
	c := lycosatest.Connect(t, db)
	must(t, db.Override(200, func(q *lycosa.Request) (bool, error) { return true, q.Reply([]any{"yes"}) }, lycosa.Trace(1)))
	ask(t, c, 200, fields{iproto.KeySpaceID: 5}, `["yes"]`)
	waitFor(t, func() bool { return l.count("SPACE_ID: 5") == 1 && l.count("DATA: [\\\"yes\\\"]") == 1 })
}

// TestBreaker switches a handler off and on again.
func TestBreaker(t *testing.T) {
	db, l := logged(t)
	c := lycosatest.Connect(t, db)
	var mu sync.Mutex
	fail := true
	set := func(options ...lycosa.Option) {
		must(t, db.Override(iproto.TypePing, func(q *lycosa.Request) (bool, error) {
			mu.Lock()
			defer mu.Unlock()
			if fail {
				return true, errors.New("broken")
			}
			return true, q.Reply([]any{"works"})
		}, append(options, lycosa.Breaker(2, time.Hour, time.Nanosecond))...))
	}
	set()
	ask(t, c, iproto.TypePing, nil, "broken")
	ask(t, c, iproto.TypePing, nil, "broken")
	waitFor(t, func() bool { return l.count("is switched off") == 1 }) // the log may come behind the answer
	ask(t, c, iproto.TypePing, nil, "broken")                          // the pause is over: one is tried
	waitFor(t, func() bool { return l.count("is tried again") == 1 && l.count("is switched off") == 2 })
	mu.Lock()
	fail = false
	mu.Unlock()
	ask(t, c, iproto.TypePing, nil, `["works"]`)
	waitFor(t, func() bool { return l.count("is switched on again") == 1 })
	must(t, db.Override(iproto.TypePing, func(*lycosa.Request) (bool, error) { return true, errors.New("broken") },
		lycosa.Breaker(1, time.Hour, time.Hour), lycosa.Refuse()))
	ask(t, c, iproto.TypePing, nil, "broken")
	ask(t, c, iproto.TypePing, nil, "Handler box.iproto.override[64] is switched off after 1 errors")
	must(t, db.Override(iproto.TypePing, func(*lycosa.Request) (bool, error) { return true, errors.New("broken") },
		lycosa.Breaker(1, time.Hour, time.Hour)))
	ask(t, c, iproto.TypePing, nil, "broken")
	ask(t, c, iproto.TypePing, nil, "nil")
	if s := db.OverrideStats()[0].Stats; s.Bypassed != 1 {
		t.Errorf("%+v", s)
	}
}

// waitFor waits for what happens on another goroutine soon.
func waitFor(t *testing.T, f func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !f(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it doesn't happen")
		}
	}
}

// dial connects to a unix socket.
func dial(t *testing.T, path string) *lycosatest.Client {
	t.Helper()
	conn, err := net.Dial("unix", path)
	must(t, err)
	c, err := lycosatest.NewClient(conn)
	must(t, err)
	t.Cleanup(c.Close)
	return c
}

package server

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/wal"
)

// wrap sets a handler around requests.
func (w *world) wrap(event, name string, h HandlerFunc) {
	w.Helper()
	w.locked(func() { w.b.Triggers.Set(event, name, WithPolicy(h, name, Policy{})) })
}

// around makes a handler that lets through what comes back, with a note of its own.
func around(notes *[]string, name string) HandlerFunc {
	return func(r *Request) (Outcome, error) {
		*notes = append(*notes, name+"(")
		err := r.Next(nil, func(a *Response) {
			*notes = append(*notes, ")"+name)
			r.Finish(Handled, r.Respond(a))
		})
		return Parked, err
	}
}

func TestWrapsAreAroundEachOther(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	c := w.pipe()
	var notes []string
	check := func(p []byte, answer, want string) {
		t.Helper()
		notes = nil
		c.ask(p, answer)
		w.locked(func() {
			if got := strings.Join(notes, " "); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	w.wrap("box.iproto.wrap.insert", "name", around(&notes, "name"))
	w.wrap("box.iproto.wrap[2]", "a", around(&notes, "a"))
	w.wrap("box.iproto.wrap[2]", "b", around(&notes, "b"))
	insert := func(sync, id int) []byte { return request(2, sync, m(0x10, 512, 0x21, list(id))) }
	check(insert(1, 1), "0 1 [[1]]", "b( a( name( )name )a )b")
	check(insert(2, 1), `-3 2 Duplicate key exists in unique index "pk" in space "t" with old tuple - [1] and new tuple - [1]`, "b( a( name( )name )a )b")
	w.override(2, "x", func(r *Request) (Outcome, error) {
		notes = append(notes, "handler")
		return Declined, nil
	})
	check(insert(3, 3), "0 3 [[3]]", "b( a( name( handler )name )a )b")
	// a request that isn't known is one for the handlers around it as well
	w.wrap("box.iproto.wrap.unknown", "u", around(&notes, "u"))
	check(request(700, 4, nil), "-48 4 Unknown request type 700", "u( )u")
	w.override(-1, "x", says("unknown"))
	check(request(700, 5, nil), "0 5 [unknown]", "u( )u")
	w.wrap("box.iproto.wrap[700]", "own", around(&notes, "own"))
	check(request(700, 6, nil), "0 6 [unknown]", "own( )own")
	w.override(701, "x", says("701"))
	check(request(701, 7, nil), "0 7 [701]", "")
	w.locked(func() { w.b.Triggers.Del("box.iproto.override[-1]", "x") })
	check(request(700, 8, nil), "-48 8 Unknown request type 700", "own( )own")
}

// TestNext runs what is inside several times, with other bodies, or not at all.
func TestNext(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	c := w.pipe()
	set := func(h HandlerFunc) {
		t.Helper()
		w.wrap("box.iproto.wrap.insert", "x", h)
	}
	insert := func(sync, id int) []byte { return request(2, sync, m(0x10, 512, 0x21, list(id))) }
	body := func(id int) []byte { return m(0x10, 512, 0x21, list(id)) }
	set(func(r *Request) (Outcome, error) {
		var first *Response
		_ = r.Next(nil, func(a *Response) { first = a })
		_ = r.Next(body(2), func(*Response) {})
		_ = r.Next(body(3), func(*Response) {})
		return Handled, r.Respond(first)
	})
	c.ask(insert(1, 1), "0 1 [[1]]")
	c.ask(request(1, 2, m(0x10, 512, 0x12, 9, 0x20, list())), "0 2 [[1] [2] [3]]")
	set(func(r *Request) (Outcome, error) { return Handled, r.Next([]byte{0xc1}, nil) })
	c.ask(insert(3, 4), "-20 3 Invalid MsgPack - packet body")
	set(func(r *Request) (Outcome, error) {
		return Handled, r.Next([]byte{0x90}, func(a *Response) { _ = r.Respond(a) })
	})
	c.ask(insert(4, 4), "-20 4 Invalid MsgPack - packet body")
	set(func(r *Request) (Outcome, error) { return Declined, nil })
	c.ask(insert(5, 5), "0 5 [[5]]")
	set(func(r *Request) (Outcome, error) { return Handled, r.Reply(pack(list("mine"))) })
	c.ask(insert(6, 6), "0 6 [mine]")
	set(func(r *Request) (Outcome, error) {
		err := r.Next(nil, func(*Response) {})
		return Declined, err
	})
	c.ask(insert(7, 7), `-3 7 Duplicate key exists in unique index "pk" in space "t" with old tuple - [7] and new tuple - [7]`)
	set(func(r *Request) (Outcome, error) {
		_ = r.Next(nil, func(*Response) {})
		return Handled, boxerr.Luajit("after all")
	})
	c.ask(insert(8, 8), "-32 8 after all")
	// what is inside sends several packets
	w.override(2, "x", func(r *Request) (Outcome, error) {
		_ = r.Push(pack(list("pushed")))
		_ = r.Send(m(0, 5, 1, 9), nil)
		return Handled, r.Reply(pack(list("end")))
	})
	set(func(r *Request) (Outcome, error) {
		err := r.Next(nil, func(a *Response) {
			header, _ := a.Packet(1)
			_ = r.Reply(pack(list(a.Len(), text(header))))
		})
		return Handled, err
	})
	c.ask(insert(9, 9), "0 9 [3 {0:5 1:9}]")
	w.idle()
}

// idle checks that nothing is left behind.
func (w *world) idle() {
	w.Helper()
	w.locked(func() {
		if w.s.inFlight != 0 || w.s.stat.Current(RequestsInProgress) != 0 || w.s.stat.Current(Streams) != 0 {
			w.Errorf("%d in flight, %d in progress, %d streams", w.s.inFlight, w.s.stat.Current(RequestsInProgress), w.s.stat.Current(Streams))
		}
		for _, o := range w.s.OverrideStats() {
			if o.Stats.InFlight != 0 {
				w.Errorf("%s %s: %d in flight", o.Event, o.Name, o.Stats.InFlight)
			}
		}
	})
}

// TestWrapsInStreams has handlers around requests that begin, are part of, and end a transaction.
func TestWrapsInStreams(t *testing.T) {
	w := newWorld(t, Options{})
	w.b.Config.UseMVCC = true
	w.space(512, "t")
	c := w.pipe()
	var notes []string
	for _, name := range []string{"begin", "commit", "rollback", "insert"} {
		w.wrap("box.iproto.wrap."+name, "x", around(&notes, name))
	}
	insert := func(sync, id int) []byte { return inStream(1, 2, sync, m(0x10, 512, 0x21, list(id))) }
	all := func(sync int) []byte { return request(1, sync, m(0x10, 512, 0x12, 9, 0x20, list())) }
	c.ask(inStream(1, 14, 1, nil), "0 1 {}")
	c.ask(insert(2, 1), "0 2 [[1]]")
	c.ask(all(3), "0 3 []")
	c.ask(inStream(1, 16, 4, nil), "0 4 {}")
	c.ask(inStream(1, 14, 5, nil), "0 5 {}")
	c.ask(insert(6, 2), "0 6 [[2]]")
	c.ask(insert(7, 2), `-3 7 Duplicate key exists in unique index "pk" in space "t" with old tuple - [2] and new tuple - [2]`)
	c.ask(inStream(1, 15, 8, nil), "0 8 {}")
	c.ask(all(9), "0 9 [[2]]")
	c.ask(request(14, 10, nil), "-230 10 Unable to process BEGIN request out of stream")
	// one that is begun inside only stays open
	w.wrap("box.iproto.wrap.begin", "x", func(r *Request) (Outcome, error) {
		return Handled, r.Next(nil, func(a *Response) { _ = r.Respond(a) })
	})
	c.send(inStream(2, 14, 11, nil), inStream(2, 2, 12, m(0x10, 512, 0x21, list(5))), inStream(2, 15, 13, nil))
	c.expect("0 11 {}", "0 12 [[5]]", "0 13 {}")
	c.ask(all(14), "0 14 [[2] [5]]")
	w.idle()
}

// TestParkedInside has what is inside wait.
func TestParkedInside(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	c := w.pipe()
	p := w.park(2)
	var notes []string
	w.wrap("box.iproto.wrap.insert", "outer", around(&notes, "outer"))
	w.wrap("box.iproto.wrap[2]", "outermost", around(&notes, "outermost"))
	insert := func(sync, id int) []byte { return request(2, sync, m(0x10, 512, 0x21, list(id))) }
	c.send(insert(1, 1), insert(2, 2), insert(3, 3), request(64, 4, nil))
	c.expect("0 4 {}")
	p.await(3)
	p.finish(2, Declined, nil)
	c.expect("0 2 [[2]]")
	p.finish(3, Handled, boxerr.Luajit("no"))
	c.expect("-32 3 no")
	// both handlers are deleted meanwhile: what they have begun they end
	w.locked(func() {
		w.b.Triggers.Del("box.iproto.wrap.insert", "outer")
		w.b.Triggers.Del(OverrideEvent(2), "parking")
	})
	p.finish(1, Declined, nil)
	c.expect("0 1 [[1]]")
	c.ask(insert(5, 5), "0 5 [[5]]")
	w.idle()
}

// TestClientLeavesWhileInside ends what waits inside of a request whose client is gone.
func TestClientLeavesWhileInside(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.pipe()
	p := w.park(200)
	var notes []string
	w.wrap("box.iproto.wrap[200]", "x", around(&notes, "x"))
	c.send(request(200, 1, nil))
	p.await(1)
	<-w.leaving(c)
	p.finish(1, Handled, nil)
	w.idle()
	if got := strings.Join(notes, " "); got != "x( )x" {
		t.Error(got)
	}
}

// cancels counts how often it was told to give up.
type cancels int

func (n *cancels) Cancel() { *n++ }

// TestDeadlineInside gives up a request while what is inside waits: neither answers any more.
func TestDeadlineInside(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.pipe()
	var inner *Request
	var given cancels
	came := make(chan bool, 1)
	w.override(200, "inner", func(r *Request) (Outcome, error) {
		inner = r
		r.OnCancel(&given)
		came <- true
		return Parked, nil
	})
	var outer *Request
	ended := 0
	w.locked(func() {
		w.b.Triggers.Set(WrapEvent(200), "x", WithPolicy(HandlerFunc(func(r *Request) (Outcome, error) {
			outer = r
			r.OnCancel(&given)
			return Parked, r.Next(nil, func(*Response) { ended++ })
		}), "x", Policy{Timeout: time.Nanosecond}))
	})
	c.send(request(200, 1, nil))
	<-came
	c.expect("-78 1 Timeout exceeded")
	w.locked(func() {
		inner.Finish(Handled, nil)
		outer.Finish(Handled, nil)
		if given != 2 || ended != 0 {
			t.Errorf("%d given up, %d ended", given, ended)
		}
	})
	c.ask(request(64, 2, nil), "0 2 {}")
	w.idle()
}

// TestWrapEndsBeforeInside has a handler that answers without waiting for what it has begun.
func TestWrapEndsBeforeInside(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.pipe()
	p := w.park(200)
	w.wrap(WrapEvent(200), "x", func(r *Request) (Outcome, error) {
		_ = r.Next(nil, func(*Response) { t.Error("nobody waits") })
		return Handled, r.Reply(pack(list("at once")))
	})
	for i := range 3 {
		c.ask(request(200, i, nil), fmt.Sprintf("0 %d [at once]", i))
	}
	p.await(3)
	for i := range 3 {
		p.finish(uint64(i), Declined, boxerr.Luajit("too late"))
	}
	w.idle()
}

// TestWrapsWaitForTheJournal has no answer leave before what it tells of is written, whatever handlers do in between.
func TestWrapsWaitForTheJournal(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	mem := vfs.NewMem()
	if err := mem.Mkdir("/wal"); err != nil {
		t.Fatal(err)
	}
	fs := vfs.NewFaulty(mem)
	var j *wal.Journal
	j, err := wal.Open(wal.Options{FS: fs, Dir: "/wal", Mode: wal.Write, Instance: w.b.InstanceUUID(), ReplicaID: 1, Written: w.b.Written,
		Failed: func(error) { w.b.Cord.Post(func() { j.Settle() }) }})
	if err != nil {
		t.Fatal(err)
	}
	w.locked(func() { w.b.Journal = j })
	defer func() { _ = j.Close() }()
	c := w.pipe()
	for i, h := range []HandlerFunc{
		func(r *Request) (Outcome, error) {
			return Handled, r.Next(nil, func(a *Response) { _ = r.Respond(a) })
		},
		func(r *Request) (Outcome, error) {
			return Parked, r.Next(nil, func(a *Response) {
				w.b.Cord.Post(func() { r.Finish(Handled, r.Respond(a)) })
			})
		},
		func(r *Request) (Outcome, error) {
			return Parked, r.Next(nil, func(a *Response) {
				w.b.Cord.Post(func() { r.Finish(Handled, r.Send(m(0, 0, 1, int(r.Sync())), m(0x30, list("own")))) })
			})
		},
	} {
		w.wrap("box.iproto.wrap.insert", "x", h)
		want := fmt.Sprintf("0 %d [[%d]]", i, i)
		if i == 2 {
			want = "0 2 [own]"
		}
		insert := request(2, i, m(0x10, 512, 0x21, list(i)))
		fs.FailFrom(vfs.OpWrite, 1, errors.New("broken"))
		c.ask(insert, fmt.Sprintf("-40 %d Failed to write to disk", i))
		fs.Heal()
		c.ask(insert, want)
	}
}

func TestResponse(t *testing.T) {
	var a Response
	for _, p := range [][]byte{{2, 0x80, 0x90}, {0xcc, 1, 0x80}, {0xcd, 0, 1, 0x81}, {0xce, 0, 0, 0, 2, 0x80, 0xc0}, {0xcf, 0, 0, 0, 0, 0, 0, 0, 1, 0xc1}, {0}, nil} {
		a.Take(p)
	}
	want := []string{"80 90", "80 ", "81 ", "80 c0", "c1 "}
	if a.Len() != len(want) {
		t.Fatal(a.Len())
	}
	for i, text := range want {
		header, body := a.Packet(i)
		if got := fmt.Sprintf("%x %x", header, body); got != text {
			t.Errorf("got %s, want %s", got, text)
		}
	}
	_ = a.text()
	_ = appendNamed(nil, msgpack.AppendMapHeader(nil, 1000))
}

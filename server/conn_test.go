package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/wal"
)

// TestSlowReader sends much more than the client reads, which must not make the server run ahead.
func TestSlowReader(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	for _, test := range []struct{ requests, size, ahead int }{
		{2000, 10_000, 2 * turnSize},
		{300, 200_000, 2 * (maxAnswers/200_000 + 1)},
	} {
		w.locked(func() { w.insert(512, test.size, strings.Repeat("x", test.size)) })
		c := w.pipe()
		var packets []byte
		for i := range test.requests {
			packets = append(packets, request(1, i, m(0x10, 512, 0x12, 1, 0x20, list(test.size)))...)
		}
		c.patient()
		before := int(w.s.stat.Total(Requests))
		go func() { _, _ = c.Write(packets) }()
		most := 0
		for i := range test.requests {
			if _, body, err := c.receive(); err != nil || len(body) < test.size {
				t.Fatal(i, err)
			}
			var made int
			w.locked(func() { made = int(w.s.box.Stat.Total(box.OpSelect)) })
			most = max(most, made-i)
		}
		if most > test.ahead {
			t.Errorf("%d requests of %d bytes ahead of the client", most, test.size)
		}
		if got := int(w.s.stat.Total(Requests)) - before; got != test.requests {
			t.Errorf("%d requests were counted, not %d", got, test.requests)
		}
		w.locked(w.b.Stat.Reset)
	}
}

// TestFlood sends to a client that does not read: the server must let go of it.
func TestFlood(t *testing.T) {
	w := newWorld(t, Options{OutputLimit: 1 << 20})
	c := w.pipe()
	var session *box.Session
	w.override(200, "x", func(r *Request) (Outcome, error) {
		session = r.Session()
		return Handled, r.Reply([]byte{0x90})
	})
	c.ask(request(200, 1, nil), "0 1 []")
	const size = 10_000
	sent := 0
	room := make(chan struct{})
	w.locked(func() {
		conn := session.Conn.(*conn)
		if !conn.Room(func() {}) {
			t.Error("there is room at first")
		}
		for session.Conn.Send(packet(make([]byte, size))) == nil && sent < 10<<20 {
			sent += size
		}
		if conn.Room(func() { close(room) }) {
			close(room)
		}
	})
	if sent > 2<<20 || sent < 1<<19 {
		t.Errorf("%d bytes were taken", sent)
	}
	<-room
	if _, err := io.Copy(io.Discard, c); err != nil {
		t.Error(err)
	}
}

func TestRoom(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.pipe()
	var session *box.Session
	w.override(200, "x", func(r *Request) (Outcome, error) {
		session = r.Session()
		return Handled, r.Reply([]byte{0x90})
	})
	c.ask(request(200, 1, nil), "0 1 []")
	room := make(chan struct{})
	w.locked(func() {
		for range 30 {
			if err := session.Conn.Send(packet(m(0, 76), make([]byte, 100_000))); err != nil {
				t.Error(err)
			}
		}
		if session.Conn.(*conn).Room(func() { close(room) }) {
			t.Error("there is room for more")
		}
	})
	for range 30 {
		if _, body, err := c.receive(); err != nil || len(body) != 100_000 {
			t.Fatal(err)
		}
	}
	<-room
}

func TestHalfClose(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.dial()
	var packets []byte
	for i := range 500 {
		packets = append(packets, request(64+i%2*100, i, nil)...)
	}
	if _, err := c.Write(packets); err != nil {
		t.Fatal(err)
	}
	if err := c.Conn.(*net.UnixConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	for i := range 500 {
		want := fmt.Sprintf("0 %d {}", i)
		if i%2 == 1 {
			want = fmt.Sprintf("-48 %d Unknown request type 164", i)
		}
		c.expect(want)
	}
	c.expect("closed")
}

func TestSessionEvents(t *testing.T) {
	w := newWorld(t, Options{})
	var left []uint64
	var as []string
	refuse := false
	w.locked(func() {
		w.b.Triggers.Set("box.session.on_connect", "t", box.GoFunc(func(c *box.Ctx, _ []byte, _ int) ([]byte, int, error) {
			if refuse {
				return nil, 0, boxerr.Luajit("not today")
			}
			as = append(as, c.Session.User.Name+" "+c.User.Name)
			return nil, 0, c.Session.Conn.Send(packet(m(0, 76, 1, 0), m(0x58, int(c.Session.ID))))
		}))
		w.b.Triggers.Set("box.session.on_disconnect", "t", box.GoFunc(func(c *box.Ctx, _ []byte, _ int) ([]byte, int, error) {
			left, as = append(left, c.Session.ID), append(as, c.Session.User.Name+" "+c.User.Name)
			return nil, 0, nil
		}))
	})
	c := w.pipe()
	c.expect("76 0 {88:2}")
	<-w.leaving(c)
	w.locked(func() {
		if len(left) != 1 || left[0] != 2 {
			t.Error(left)
		}
		if got := strings.Join(as, ", "); got != "guest admin, guest admin" {
			t.Errorf("handlers ran as %s", got)
		}
		refuse = true
	})
	w.pipe().expect("-32 0 not today", "closed")
}

func TestWatch(t *testing.T) {
	w := newWorld(t, Options{})
	a, b := w.pipe(), w.pipe()
	watch := func(sync int, key string) []byte { return request(74, sync, m(0x57, key)) }
	broadcast := func(key string, v any) { w.locked(func() { w.b.Broadcast(key, pack(v)) }) }
	a.ask(watch(1, "k"), "76 1 {87:k}")
	a.ask(request(64, 2, nil), "0 2 {}")
	broadcast("k", 1)
	broadcast("k", 2)
	a.ask(request(64, 3, nil), "0 3 {}")
	a.ask(watch(4, "k"), "76 4 {87:k 88:2}")
	b.ask(watch(5, "k"), "76 5 {87:k 88:2}")
	a.send(watch(6, "k"), request(64, 7, nil))
	b.send(watch(8, "k"), request(64, 9, nil))
	a.expect("0 7 {}")
	b.expect("0 9 {}")
	broadcast("k", 3)
	a.expect("76 6 {87:k 88:3}")
	b.expect("76 8 {87:k 88:3}")
	a.send(request(75, 10, m(0x57, "k")), request(75, 11, m(0x57, "other")), request(64, 12, nil))
	a.expect("0 12 {}")
	broadcast("k", list())
	b.ask(request(77, 13, m(0x57, "k")), "0 13 [[]]")
	a.ask(request(77, 14, m(0x57, "none")), "0 14 []")
	a.ask(request(74, 15, m(0x57, 5)), "-20 15 Invalid MsgPack - packet body")
	<-w.leaving(b)
	broadcast("k", 4)
	a.ask(request(64, 16, nil), "0 16 {}")
}

// gateFS makes writes to files wait for a lock.
type gateFS struct {
	vfs.FS
	gate *sync.Mutex // held by those who do not want anything to be written
}

func (g gateFS) Create(name string) (vfs.File, error) {
	f, err := g.FS.Create(name)
	return gateFile{f, g.gate}, err
}

type gateFile struct {
	vfs.File
	gate *sync.Mutex
}

func (g gateFile) Write(b []byte) (int, error) {
	g.gate.Lock()
	defer g.gate.Unlock()
	return g.File.Write(b)
}

func TestAnswersWaitForTheJournal(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	disk := vfs.NewFaulty(vfs.NewMem())
	var gate sync.Mutex
	const dir = "/wal"
	if err := disk.Mkdir(dir); err != nil {
		t.Fatal(err)
	}
	var j *wal.Journal
	j, err := wal.Open(wal.Options{
		FS: gateFS{disk, &gate}, Dir: dir, Mode: wal.Write, Instance: w.b.InstanceUUID(), ReplicaID: 1,
		Written: w.b.Written,
		Failed:  func(error) { w.b.Cord.Post(func() { j.Settle() }) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	w.locked(func() { w.b.Journal = j })
	c := w.pipe()
	replace := func(sync int) []byte { return request(3, sync, m(0x10, 512, 0x21, list(sync))) }
	c.send(request(64, 1, nil), replace(2), replace(3), request(64, 4, nil))
	c.expect("0 1 {}", "0 2 [[2]]", "0 3 [[3]]", "0 4 {}")

	disk.FailFrom(vfs.OpWrite, 1, syscall.EIO)
	c.send(replace(5), request(64, 6, nil), replace(7), request(130, 8, nil), replace(8), request(64, 9, nil))
	const lost = "Failed to write to disk"
	c.expect("-40 5 "+lost, "0 6 {}", "-40 7 "+lost, "-48 8 Unknown request type 130", "-40 8 "+lost, "0 9 {}")

	// what a handler has sent about what it has written waits as well
	w.override(200, "x", func(r *Request) (Outcome, error) {
		if _, err := w.b.Replace(r.Ctx(), 512, []byte{0x91, 9}); err != nil {
			return Handled, err
		}
		return Handled, r.Send(m(0, 0, 1, int(r.Sync())), m(0x30, list("written")))
	})
	// and so do the answers of those that were parked
	p := w.park(201)
	c.ask(request(200, 10, nil), "-40 10 "+lost)
	parked := func(sync int) {
		c.send(request(201, sync, nil))
		p.await(1)
		w.locked(func() {
			r := p.parked[uint64(sync)]
			if _, err := w.b.Replace(r.Ctx(), 512, []byte{0x91, 9}); err != nil {
				t.Error(err)
			}
			r.Finish(Handled, r.Reply(pack(list("written"))))
		})
	}
	parked(11)
	c.expect("-40 11 " + lost)
	disk.Heal()
	c.ask(request(200, 12, nil), "0 12 [written]")
	parked(13)
	c.expect("0 13 [written]")
	c.ask(request(1, 14, m(0x10, 512, 0x12, 9, 0x20, list())), "0 14 [[2] [3] [9]]")

	// in a stream the next request waits for that, too
	first := w.park(6)
	c.send(inStream(1, 6, 16, nil), inStream(1, 3, 17, m(0x10, 512, 0x21, list(17))), inStream(1, 64, 18, nil))
	first.await(1)
	first.finish(16, Handled, nil)
	c.expect("0 16 [finished {}]", "0 17 [[17]]", "0 18 {}")

	// nothing is told before it is written
	gate.Lock()
	c.send(replace(15))
	read := make(chan string)
	go func() { read <- c.answer() }()
	for found := 0; found == 0; runtime.Gosched() {
		w.locked(func() {
			tuples, _ := w.b.Select(w.c, &box.SelectRequest{Space: 512, Key: []byte{0x91, 15}, Limit: 1}, nil)
			found = len(tuples)
		})
	}
	select {
	case got := <-read:
		t.Errorf("answered before it was written: %s", got)
	default:
	}
	gate.Unlock()
	if got := <-read; got != "0 15 [[15]]" {
		t.Error(got)
	}
}

// echoRuntime answers EVAL and CALL: at once with its arguments, or when the test says so.
type echoRuntime struct {
	waiting chan box.Completion
	ctx     *box.Ctx
}

func (r *echoRuntime) Call(c *box.Ctx, i *box.Invocation) {
	r.ctx = c
	switch string(i.Name) {
	case "wait":
		r.waiting <- i.Completion
	case "begin":
		_ = c.Box().Begin(c, box.TxnOptions{})
		i.Completion.Done([]byte{0x90}, nil, nil)
	case "push":
		_ = c.Session.Conn.Push(c.Session.Sync, pack(list("chunk")))
		i.Completion.Done(i.Args, nil, nil)
	case "fail":
		i.Completion.Done(nil, nil, errors.New("failed"))
	default:
		i.Completion.Done(i.Args, nil, nil)
	}
}

func (r *echoRuntime) Eval(c *box.Ctx, i *box.Invocation) { r.Call(c, i) }

func (r *echoRuntime) CallFunc(*box.Ctx, box.FuncRef, []byte, int) ([]byte, int, error) {
	return nil, 0, nil
}

func (r *echoRuntime) CallTxn(*box.Ctx, box.FuncRef, []byte) error { return nil }
func (r *echoRuntime) CompileFunc(*box.Func) (box.FuncRef, error)  { return nil, nil }
func (r *echoRuntime) finish(w *world, c box.Completion, data any, err error) {
	w.locked(func() { c.Done(pack(data), nil, err) })
}

func TestCalls(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.pipe()
	call := func(sync int, name string, args ...any) []byte {
		return request(10, sync, m(0x22, name, 0x21, list(args...)))
	}
	c.ask(call(1, "f"), "-33 1 Procedure 'f' is not defined")
	c.ask(request(8, 2, m(0x27, "return")), "-5 2 Lycosa without Lua does not support EVAL")
	w.locked(func() {
		w.s.HandleFunc("go", func(_ *box.Ctx, args []byte, n int) ([]byte, int, error) { return args, n, nil })
		w.s.HandleFunc("panic", func(*box.Ctx, []byte, int) ([]byte, int, error) { panic("lost") })
		w.s.HandleFunc("begin", func(c *box.Ctx, _ []byte, _ int) ([]byte, int, error) {
			return nil, 0, w.b.Begin(c, box.TxnOptions{})
		})
	})
	c.ask(call(3, "go", 1, list(2)), "0 3 [1 [2]]")
	c.ask(request(6, 4, m(0x22, "go", 0x21, list(1, list(2)))), "0 4 [[1] [2]]")
	c.ask(call(5, "panic"), "-32 5 lost")
	c.ask(call(6, "begin"), "-30 6 Transaction is active at return from function")
	w.locked(func() { w.s.HandleFunc("begin", nil) })

	rt := &echoRuntime{waiting: make(chan box.Completion, 10)}
	w.locked(func() { w.b.Runtime = rt })
	c.ask(call(7, "echo", 1, "x"), "0 7 [1 x]")
	c.ask(request(8, 8, m(0x27, "echo", 0x21, list(5))), "0 8 [5]")
	c.ask(call(9, "fail"), "-0 9 failed")
	c.ask(call(10, "begin"), "-30 10 Transaction is active at return from function")
	c.ask(call(11, "push"), "128 11 [chunk]")
	c.expect("0 11 []")
	c.send(call(12, "wait"), call(13, "wait"), call(14, "echo"))
	c.expect("0 14 []")
	first, second := <-rt.waiting, <-rt.waiting
	rt.finish(w, second, list("second"), nil)
	rt.finish(w, first, list("first"), nil)
	c.expect("0 13 [second]", "0 12 [first]")
	c.ask(request(73, 15, m(0x55, list(8))), "0 15 {84:9 85:[0 1 2 3 4 5 6 7 8 9 11] 91:chap-sha1}")
	c.ask(call(16, "echo", 1), "0 16 {48:[1] 96:{}}")
	c.ask(call(17, "go", 1), "0 17 {48:[1] 96:{}}")
	c.send(call(18, "wait"))
	third := <-rt.waiting
	w.locked(func() { third.Done(pack(list("t")), []*tuple.Format{nil}, nil) })
	c.expect("0 18 {48:[t] 96:{0:[]}}")
	// rights come before everything else
	w.locked(func() {
		if _, err := w.b.Delete(w.c, 312, 0, pack(list(0, "role", 31))); err != nil {
			t.Fatal(err)
		}
	})
	c.ask(call(19, "go"), "-42 19 Execute access to function 'go' is denied for user 'guest'")
	c.ask(request(8, 20, m(0x27, "x")), "-42 20 Execute access to universe '' is denied for user 'guest'")
}

func TestArgumentTuples(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.pipe()
	var got string
	w.locked(func() {
		w.s.HandleFunc("look", func(_ *box.Ctx, args []byte, n int) ([]byte, int, error) {
			typ, data, rest, ok := msgpack.ReadExt(args)
			id, array, _ := msgpack.ReadUint(data)
			f := tuple.FormatByID(uint32(id))
			got = fmt.Sprintf("%d %d %v %s %s %s", n, typ, ok, text(array), text(f.AppendFields(nil)), text(rest))
			return nil, 0, nil
		})
	})
	ext := func(digits string) msgpack.Raw { return msgpack.AppendExt(nil, 7, []byte(digits)) }
	formats := m(5, list(map[string]any{"name": "key", "type": "unsigned"}))
	c.ask(request(10, 1, m(0x22, "look", 0x21, list(ext("\x05\x92\x0a\x2a"), "rest"), 0x60, formats)), "0 1 []")
	if got != "2 7 true [10 42] [{name:key type:unsigned}] rest" {
		t.Error(got)
	}
	const bad = "Can not parse a tuple from MsgPack"
	c.ask(request(10, 2, m(0x22, "look", 0x21, list(ext("\x06\x92\x0a\x2a")), 0x60, formats)), "-1 2 "+bad)
	c.ask(request(10, 3, m(0x22, "look", 0x21, list(list(ext("\x05\x92\x0a\x2a"))))), "-1 3 "+bad)
	c.ask(request(10, 4, m(0x22, "look", 0x21, list(ext("\x05\x92\x0a")), 0x60, formats)), "-1 4 "+bad)
	c.ask(request(10, 5, m(0x22, "look", 0x21, list(7), 0x60, list())), "-20 5 Invalid MsgPack - packet body")
}

func TestShutdown(t *testing.T) {
	w := newWorld(t, Options{})
	a, b := w.pipe(), w.pipe()
	a.ask(request(74, 1, m(0x57, "box.shutdown")), "76 1 {87:box.shutdown}")
	a.send(request(74, 2, m(0x57, "box.shutdown")), request(64, 3, nil))
	a.expect("0 3 {}")
	b.ask(request(64, 1, nil), "0 1 {}")
	ended := make(chan error)
	go func() { ended <- w.s.Shutdown(context.Background()) }()
	a.expect("76 2 {87:box.shutdown 88:true}")
	a.ask(request(64, 4, nil), "0 4 {}")
	b.ask(request(64, 2, nil), "0 2 {}")
	_ = a.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	b.expect("closed")
	if _, err := io.ReadAll(w.s.Connect()); err != nil {
		t.Error("a closed server closes new connections at once:", err)
	}
}

func TestStat(t *testing.T) {
	w := newWorld(t, Options{})
	c := w.pipe()
	c.ask(request(64, 1, nil), "0 1 {}")
	c.ask(request(1, 2, m()), "-69 2 Missing mandatory field 'SPACE_ID' in request")
	st := w.s.Stat()
	w.locked(func() {
		if st.Total(Requests) != 2 || st.Current(Connections) != 1 || st.Total(Connections) != 1 ||
			st.Total(Received) != 10+11 || st.Total(Sent) < 128+29 || st.Current(RequestsInProgress) != 0 {
			for _, k := range Counters() {
				t.Error(k, st.Total(k), st.Current(k), k.HasCurrent())
			}
		}
		for range 3 {
			st.tick()
		}
		if got := st.Rate(Requests); got != 0 && got != 2 {
			t.Errorf("rate %d", got)
		}
		st.Reset()
		if st.Total(Requests) != 0 || st.Rate(Requests) != 0 || st.Current(Connections) != 1 {
			t.Error("Reset")
		}
	})
}

// TestCurrentRequests follows requests that wait: for their handler, and in their stream for one before.
func TestCurrentRequests(t *testing.T) {
	w := newWorld(t, Options{})
	p := w.park(200)
	p2 := w.park(10)
	c := w.dial()
	st := w.s.Stat()
	current := func(requests, progress, queued int64) {
		t.Helper()
		w.locked(func() {
			if a, b, q := st.Current(Requests), st.Current(RequestsInProgress), st.Current(RequestsInStreamQueue); a != requests || b != progress || q != queued {
				t.Errorf("%d requests, %d in progress, %d in the queues of streams", a, b, q)
			}
		})
	}
	// settled waits until the turn of the requests sent last is over.
	settled := func(sync int) { c.ask(request(64, sync, nil), fmt.Sprintf("0 %d {}", sync)) }
	c.send(request(200, 1, m()))
	p.await(1)
	settled(100)
	current(1, 1, 0)
	call := m(0x22, "f", 0x21, list())
	c.send(inStream(5, 10, 2, call), inStream(5, 10, 3, call))
	p2.await(1)
	settled(101)
	current(3, 2, 1)
	answered := func(sync uint64) {
		if got := c.answer(); !strings.HasPrefix(got, fmt.Sprintf("0 %d [finished", sync)) {
			t.Errorf("got %s", got)
		}
	}
	p2.finish(2, Handled, nil)
	p2.await(1)
	answered(2)
	current(2, 2, 0)
	p2.finish(3, Handled, nil)
	answered(3)
	p.finish(1, Handled, nil)
	answered(1)
	settled(102)
	w.idle()
	current(0, 0, 0)
}

// FuzzConnection sends anything to a server, which must answer with whole packets and stay alive.
func FuzzConnection(f *testing.F) {
	for _, seed := range [][]byte{
		request(64, 1, nil), request(1, 1, m(0x10, 280, 0x12, 5, 0x20, list())), request(73, 1, m(0x54, 1)),
		inStream(1, 14, 1, nil), request(10, 1, m(0x22, "f", 0x21, list())), request(74, 1, m(0x57, "k")),
		request(3, 1, m(0x10, 272, 0x21, list("x", 1))), {0, 0, 5}, {0xce, 0x7f, 0xff, 0xff, 0xff, 1}, {0xc1},
	} {
		f.Add(seed)
	}
	w := newWorld(f, Options{})
	f.Fuzz(func(t *testing.T, b []byte) {
		here := *w
		here.TB = t
		c := here.pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = c.Write(b)
			_ = c.Close()
		}()
		for {
			if _, _, err := c.receive(); err != nil {
				break
			}
		}
		<-done
	})
}

// TestManyWatchers has many connections watch a few keys while these change all the time: each gets to know the last value
// of each, and nothing is left of those that go.
func TestManyWatchers(t *testing.T) {
	w := newWorld(t, Options{})
	const connections, keys, last = 150, 20, 30
	watch := func(key int) []byte { return request(74, key, m(0x57, fmt.Sprint("key", key))) }
	var all [][]byte
	for key := range keys {
		all = append(all, watch(key))
	}
	all = append(all, request(74, keys, m(0x57, shutdownKey)))
	var watching, running sync.WaitGroup
	watching.Add(connections)
	for i := range connections {
		c := w.pipe()
		running.Go(func() {
			var leave sync.Once
			defer leave.Do(watching.Done)
			defer func() { _ = c.Close() }()
			c.send(all...)
			seen := [keys]int{}
			for known := 0; known < keys; {
				header, body, err := c.receive()
				if err != nil {
					t.Error(err)
					return
				}
				leave.Do(watching.Done)
				var h iproto.Header
				iproto.DecodeHeader(header, &h)
				n, _ := strconv.Atoi(value(body, 0x58))
				if h.Sync == keys {
					continue
				}
				if n == 0 && seen[h.Sync] == 0 { // there was no value yet
					c.send(watch(int(h.Sync)))
					continue
				}
				if n <= seen[h.Sync] || n > last {
					t.Errorf("key %d: %d after %d", h.Sync, n, seen[h.Sync])
				}
				if seen[h.Sync] = n; n == last {
					known++
				}
				if i%3 == 0 && known > keys/2 {
					return
				}
				c.send(watch(int(h.Sync)))
			}
		})
	}
	watching.Wait()
	for n := range last {
		for key := range keys {
			w.locked(func() { w.b.Broadcast(fmt.Sprint("key", key), pack(n+1)) })
		}
	}
	running.Wait()
	for left := -1; left != 0; runtime.Gosched() {
		w.locked(func() { left = w.s.shutdown })
	}
}

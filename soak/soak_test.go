package soak

import (
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/lua"
	"github.com/lycosadb/lycosa/lycosatest"
	"github.com/lycosadb/lycosa/server"
)

var duration = flag.Duration("soak", 10*time.Second, "how long the soak takes")

const (
	connections = 64
	// window is how many requests of a connection are on their way at a time.
	window = 16
	// replacements is how often handlers are set anew, a second.
	replacements = 10
)

// The keys of requests of the soak's own.
const (
	keyNumber iproto.Key = 0x70 // which the answer has to hold
	keyCount  iproto.Key = 0x71
)

// handlers are set again and again; the argument is a number that tells one time from the other.
const handlers = `
local generation = ...
local fiber, trigger = require('fiber'), require('trigger')
local NUMBER, COUNT = 0x70, 0x71
local function send(header, ...)
    box.iproto.send(box.session.id(), { request_type = 0, sync = header.sync }, { data = { ... } })
    return true
end
box.iproto.override(200, function(header, body) return send(header, 'lua', body[NUMBER]) end)
box.iproto.override(201, function(header, body) error('failed ' .. tostring(body[NUMBER]), 0) end)
box.iproto.override(202, function(header, body)
    local n = body[NUMBER]
    fiber.sleep(n % 7 == 0 and 0.002 or 0)
    return send(header, 'waited', n)
end)
box.iproto.override(203, function(header, body)
    local n = body[NUMBER]
    for i = 1, body[COUNT] do
        box.iproto.send(box.session.id(), { request_type = box.iproto.type.CHUNK, sync = header.sync }, { data = { i } })
        if i % 3 == 0 then fiber.yield() end
    end
    return send(header, 'end', n)
end)
box.iproto.override(204, function(header, body)
    if body[NUMBER] % 2 == 0 then fiber.yield() end
    return send(header, 'inner', body[NUMBER])
end)
box.iproto.wrap(204, function(request, next)
    local header, body = next()
    return { request_type = 0, sync = request.sync }, { data = { 'outer', unpack(body.data) } }
end)
box.iproto.override(205, function(header, body)
    fiber.sleep(100)
end, { timeout = 0.005 })
box.iproto.override('unknown', function(header, body) return send(header, 'unknown', body[NUMBER]) end)
box.iproto.override('select', function(header, body)
    if body.space_id == 9999 then return send(header, 'made', body.limit) end
    if body.offset == 0 then return false end
    fiber.yield()
    return false
end, { trace = 0.0001 })
box.iproto.wrap('replace', function(request, next)
    local header, body = next()
    return header, body
end, { max_errors = 1000000, per = 1 })
trigger.set('box.iproto.override[206]', 'first', function(header, body)
    if body[NUMBER] % 2 == 0 then return send(header, 'first', body[NUMBER]) end
    return false
end)
trigger.set('box.iproto.override[206]', 'second', function(header, body) return false end)
if generation % 2 == 0 then
    box.iproto.override(207, function(header, body) return send(header, 'there', body[NUMBER]) end)
else
    box.iproto.override(207, nil)
end
-- A shadow that often differs.
trigger.set('box.iproto.override.delete', 'none', function() return false end)
box.iproto.override('delete', function(header, body) return send(header, 'shadow') end, { shadow = true })
`

// setGo sets the handlers in Go.
func setGo(db *lycosa.DB) error {
	reply := func(what string) lycosa.Handler {
		return func(q *lycosa.Request) (bool, error) { return true, q.Reply([]any{what, q.Raw(keyNumber)}) }
	}
	return errors.Join(
		db.Override(210, reply("inline"), lycosa.Inline()),
		db.Override(211, reply("goroutine")),
		db.Override(212, func(q *lycosa.Request) (bool, error) {
			return true, fmt.Errorf("go failed %d", q.Uint(keyNumber))
		}, lycosa.Inline()),
		db.Override(213, func(q *lycosa.Request) (bool, error) {
			var found lycosa.Tuple
			err := q.Tx(func(tx *lycosa.Tx) (err error) {
				found, err = tx.Space("rows").Get(q.Uint(keyNumber) % rows)
				return err
			})
			if err != nil {
				return true, err
			}
			return true, q.Reply([]any{"tx", q.Raw(keyNumber), found.Len()})
		}, lycosa.Inline(), lycosa.Name("tx")),
		db.Override(214, func(q *lycosa.Request) (bool, error) {
			<-q.Context().Done()
			return true, nil
		}, lycosa.Timeout(5*time.Millisecond)),
		db.Wrap(200, func(_ *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) { return next() }),
		db.Wrap(203, func(q *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
			if q.Uint(keyNumber)%2 == 0 {
				return nil, nil
			}
			return next()
		}),
	)
}

// rows is how many tuples the space has that is read.
const rows = 100

// request is one on its way.
type request struct {
	typ    iproto.Type
	body   map[iproto.Key]any
	stream uint64
	chunks int      // that come before the answer
	want   []string // one of these is the answer: its data, or its error
}

// random makes a request.
func random(r *rand.Rand) request {
	n := r.Uint64N(1 << 40)
	own := func(typ iproto.Type, want ...string) request {
		return request{typ: typ, body: map[iproto.Key]any{keyNumber: n}, want: want}
	}
	says := func(what string) string { return fmt.Sprintf(`["%s", %d]`, what, n) }
	row := n % rows
	dml := func(typ iproto.Type, space uint32, body map[iproto.Key]any, want ...string) request {
		body[iproto.KeySpaceID] = space
		if r.IntN(4) == 0 {
			return request{typ: typ, body: body, stream: 1 + n%3, want: want}
		}
		return request{typ: typ, body: body, want: want}
	}
	find := func(limit, offset uint64) map[iproto.Key]any {
		return map[iproto.Key]any{iproto.KeyIndexID: 0, iproto.KeyLimit: limit, iproto.KeyOffset: offset, iproto.KeyIterator: 0, iproto.KeyKey: []any{row}}
	}
	tuple := fmt.Sprintf(`[[%d, "row"]]`, row)
	switch r.IntN(20) {
	case 0:
		return own(200, says("lua"))
	case 1:
		return own(201, fmt.Sprintf("failed %d", n))
	case 2:
		return own(202, says("waited"))
	case 3:
		q := own(203, says("end"))
		q.chunks = r.IntN(9)
		q.body[keyCount] = q.chunks
		return q
	case 4:
		return own(204, fmt.Sprintf(`["outer", "inner", %d]`, n))
	case 5:
		if r.IntN(20) > 0 {
			return own(1000+iproto.Type(n%10), says("unknown"))
		}
		return own(205, "Timeout exceeded")
	case 6:
		if n%2 == 0 {
			return own(206, says("first"))
		}
		return own(206, says("unknown"), "Unknown request type 206")
	case 7:
		return own(207, says("there"), says("unknown"))
	case 8:
		return own(210, says("inline"))
	case 9:
		return own(211, says("goroutine"))
	case 10:
		return own(212, fmt.Sprintf("go failed %d", n))
	case 11:
		return own(213, fmt.Sprintf(`["tx", %d, 2]`, n))
	case 12:
		if r.IntN(20) > 0 {
			return request{typ: iproto.TypePing, want: []string{"nil"}}
		}
		return own(214, "Timeout exceeded")
	case 13:
		return dml(iproto.TypeSelect, 9999, find(n, 0), fmt.Sprintf(`["made", %d]`, n))
	case 14:
		return dml(iproto.TypeSelect, 600, find(10, 0), tuple)
	case 15:
		return dml(iproto.TypeSelect, 600, find(10, 1), `[]`)
	case 16, 17:
		return dml(iproto.TypeReplace, 601, map[iproto.Key]any{iproto.KeyTuple: []any{row, n}}, fmt.Sprintf(`[[%d, %d]]`, row, n))
	case 18:
		return dml(iproto.TypeDelete, 602, map[iproto.Key]any{iproto.KeyIndexID: 0, iproto.KeyKey: []any{row}}, `[]`)
	}
	return dml(iproto.TypeSelect, 12345, find(1, 1), "Space '12345' does not exist")
}

// world is a database with Lua and its clients.
type world struct {
	testing.TB
	db     *lycosa.DB
	state  *lua.State
	socket string
}

// create makes it, with spaces and without handlers.
func create(t testing.TB) *world {
	w := &world{TB: t, socket: filepath.Join(t.TempDir(), "s")}
	w.db = lycosatest.Open(t, lycosa.Options{Config: box.Config{UseMVCC: true}, NetMsgMax: 256, Log: slog.New(slog.DiscardHandler)})
	w.db.Box.Cord.Lock()
	state, err := lua.New(w.db.Box, lua.Options{Server: w.db.Server, Log: slog.New(slog.DiscardHandler)})
	w.db.Box.Cord.Unlock()
	w.check(err)
	w.state = state
	for id := uint32(600); id <= 602; id++ {
		name := map[uint32]string{600: "rows", 601: "written", 602: "empty"}[id]
		s, err := w.db.CreateSpace(name, box.SpaceSpec{ID: &id})
		w.check(err)
		w.check(s.CreateIndex("primary", box.IndexSpec{}))
	}
	for i := range rows {
		_, err := w.db.Space("rows").Insert([]any{i, "row"})
		w.check(err)
	}
	w.check(w.db.Listen(w.socket))
	return w
}

func (w *world) check(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// set sets all handlers anew.
func (w *world) set(generation int) {
	_, err := w.db.Eval(handlers, generation)
	if err = errors.Join(err, setGo(w.db)); err != nil {
		w.Error(err)
	}
}

// connect makes a client.
func (w *world) connect() (*lycosatest.Client, error) {
	conn, err := net.Dial("unix", w.socket)
	if err != nil {
		return nil, err
	}
	return lycosatest.NewClient(conn)
}

// converse sends requests and checks their answers until the time is over. It counts the requests.
func converse(c *lycosatest.Client, seed uint64, end time.Time, count *atomic.Uint64) error {
	r := rand.New(rand.NewPCG(seed, 1))
	waiting := map[uint64]*request{}
	for {
		for time.Now().Before(end) && len(waiting) < window {
			q := random(r)
			sync, err := c.SendIn(q.stream, q.typ, q.body)
			if err != nil {
				return err
			}
			waiting[sync] = &q
		}
		if len(waiting) == 0 {
			break
		}
		p, err := c.Receive()
		if err != nil {
			return err
		}
		sync := p.Header.Lookup(iproto.KeySync).Uint()
		q := waiting[sync]
		if q == nil {
			return fmt.Errorf("sync %d isn't waited for: %s %s", sync, p.Header, p.Body)
		}
		a := lycosa.Response{Header: p.Header, Body: p.Body}
		if a.Type() == iproto.TypeChunk {
			if q.chunks == 0 {
				return fmt.Errorf("%s: one packet too many: %s", q, p.Body)
			}
			q.chunks--
			continue
		}
		got := a.Data().String()
		if err := a.Err(); err != nil {
			got = err.Error()
		}
		if !fits(got, q.want) || q.chunks > 0 {
			return fmt.Errorf("%s: answered %s with %d packets missing", q, got, q.chunks)
		}
		delete(waiting, sync)
		count.Add(1)
	}
	// Nothing comes that nobody has asked for: a last request gets the next packet.
	last, err := c.Do(iproto.TypePing, nil)
	if err != nil || len(last.Pushed) > 0 {
		return fmt.Errorf("the last request: %v, %v", last, err)
	}
	return nil
}

func fits(got string, want []string) bool {
	for _, w := range want {
		if got == w {
			return true
		}
	}
	return false
}

func (q *request) String() string {
	return fmt.Sprintf("type %d %v, stream %d, wants %s", q.typ, q.body, q.stream, strings.Join(q.want, " or "))
}

// usage is what must not grow.
type usage struct {
	goroutines, coroutines, fibers, sessions int
	luaMemory, heap                          int64
}

// usage measures what is used when all has come to rest.
func (w *world) usage() (u usage) {
	runtime.GC()
	runtime.GC() // what the first one has found without owners is free now
	w.db.Box.Cord.Lock()
	defer w.db.Box.Cord.Unlock()
	w.state.Collect()
	w.state.Collect()
	u.coroutines, _ = w.state.Coroutines()
	u.fibers = w.db.Box.Cord.Len()
	w.db.Box.Sessions(func(*box.Session) bool {
		u.sessions++
		return true
	})
	u.luaMemory = w.state.Memory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.heap = int64(m.HeapAlloc)
	u.goroutines = runtime.NumGoroutine()
	return u
}

// rest measures what is used when that has not become less for a while.
func (w *world) rest() (least usage) {
	for n := 0; n < 40; n++ {
		u := w.usage()
		if least == (usage{}) || u.goroutines < least.goroutines || u.coroutines < least.coroutines || u.fibers < least.fibers || u.sessions < least.sessions {
			n = 0
		}
		least = u
		time.Sleep(50 * time.Millisecond)
	}
	return least
}

// run has all connections talk for a while.
func (w *world) run(d time.Duration, count *atomic.Uint64, seed uint64) {
	end := time.Now().Add(d)
	stop := make(chan struct{})
	var setter, clients sync.WaitGroup
	setter.Go(func() {
		tick := time.NewTicker(time.Second / replacements)
		defer tick.Stop()
		for n := 0; ; n++ {
			select {
			case <-tick.C:
				w.set(n)
			case <-stop:
				return
			}
		}
	})
	for i := range connections {
		clients.Go(func() {
			c, err := w.connect()
			if err == nil {
				err = converse(c, seed<<32+uint64(i), end, count)
				c.Close()
			}
			if err != nil {
				w.Error(err)
			}
		})
	}
	clients.Wait()
	close(stop)
	setter.Wait()
}

func TestSoak(t *testing.T) {
	w := create(t)
	w.set(0)
	var count atomic.Uint64
	w.run(min(*duration/4, 5*time.Second), &count, 1) // what grows to its size, grows now
	before := w.rest()
	w.run(*duration, &count, 2)
	after := w.rest()
	t.Logf("%d requests, before %+v, after %+v", count.Load(), before, after)
	if after.coroutines > 0 || after.fibers > before.fibers || after.sessions > before.sessions || after.goroutines > before.goroutines {
		t.Errorf("left behind: before %+v, after %+v", before, after)
	}
	if after.luaMemory > before.luaMemory+slack || after.heap > before.heap+slack {
		t.Errorf("memory has grown: before %+v, after %+v", before, after)
	}
	for _, s := range w.db.OverrideStats() {
		if s.Stats.InFlight != 0 {
			t.Errorf("%s %s: %+v", s.Event, s.Name, s.Stats)
		}
	}
	for _, c := range []server.Counter{server.RequestsInProgress, server.Streams, server.RequestsInStreamQueue, server.Connections} {
		if n := w.db.Server.Stat().Current(c); n != 0 {
			t.Errorf("%s: %d", c, n)
		}
	}
}

// slack is how many bytes of memory come and go.
const slack = 8 << 20

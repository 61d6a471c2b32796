package server

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// selectFrom makes a SELECT of a space; more are further pairs of the body.
func selectFrom(sync int, space any, key []any, more ...any) []byte {
	return request(1, sync, m(append([]any{0x10, space, 0x12, 100, 0x20, key}, more...)...))
}

// TestReadsShareTheCord reads while somebody else has the cord for reading, and would wait forever if it wanted it alone.
func TestReadsShareTheCord(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	w.locked(func() {
		for i := range 300 {
			w.insert(512, i, "text")
		}
	})
	c := w.dial()
	c.ask(request(64, 1, nil), "0 1 {}") // the session is open
	w.b.Cord.Share()
	defer w.b.Cord.Unshare()
	c.send(selectFrom(1, 512, list(7)), selectFrom(2, 512, list(1000)), request(1, 3, m(0x10, 512, 0x12, 2, 0x20, list(297), 0x14, 6)))
	c.expect("0 1 [[7 text]]", "0 2 []", "0 3 [[298 text] [299 text]]")
}

// TestReadsAsUnderTheLock compares the answers of requests that may share the cord with those that they get under the lock.
func TestReadsAsUnderTheLock(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	w.locked(func() {
		w.insert(280, 513, 1, "h", "memtx", 0, map[string]any{}, list())
		w.insert(288, 513, 0, "pk", "hash", map[string]any{"unique": true}, list(list(0, "string")))
		w.insert(288, 512, 1, "sk", "tree", map[string]any{"unique": false}, list(list(1, "string")))
		for i := range 300 {
			w.insert(512, i, fmt.Sprint("text", i%3))
			w.insert(513, fmt.Sprint(i), i)
		}
		w.insert(280, 514, 1, "empty", "memtx", 0, map[string]any{}, list())
	})
	for _, body := range []msgpack.Raw{
		m(0x10, 512, 0x12, 100, 0x20, list(7)),
		m(0x10, 512, 0x12, 0, 0x20, list(7)),
		m(0x10, 512, 0x12, 100, 0x13, 1, 0x20, list(7)),
		m(0x10, 512, 0x12, 5, 0x13, 2, 0x20, list(), 0x14, 2),
		m(0x10, 512, 0x12, 5, 0x20, list(10), 0x14, 3),
		m(0x10, 512, 0x12, 5, 0x20, list(10), 0x14, 1),
		m(0x10, 512, 0x11, 1, 0x12, 3, 0x20, list("text1")),
		m(0x10, 512, 0x11, 1, 0x12, 3, 0x20, list("text1", 4)),
		m(0x10, 512, 0x11, 1, 0x12, 3, 0x20, list(1)),
		m(0x10, 512, 0x12, 3, 0x20, list(), 0x1f, true),
		m(0x10, 512, 0x12, 3, 0x20, list(), 0x1f, true, 0x2f, list(5, "text2")),
		m(0x10, 512, 0x12, 3, 0x20, list(), 0x2e, "nonsense"),
		m(0x10, 513, 0x12, 100, 0x20, list("7")),
		m(0x10, 513, 0x12, 100, 0x20, list("none")),
		m(0x10, 513, 0x12, 3, 0x20, list("7"), 0x1f, true),
		m(0x10, 513, 0x12, 3, 0x20, list("7"), 0x14, 1),
		m(0x10, 513, 0x12, 3, 0x20, list("7"), 0x14, 5),
		m(0x10, 514, 0x12, 3, 0x20, list(1)),
		m(0x10, 999, 0x12, 3, 0x20, list(1)),
		m(0x10, 512, 0x11, 9, 0x12, 3, 0x20, list(1)),
		m(0x10, 512, 0x12, 3, 0x20, list("x")),
		m(0x10, 512, 0x12, 3, 0x20, list(1, 2)),
		m(0x10, 512, 0x12, 3, 0x20, list(1), 0x14, 77),
		m(0x10, 281, 0x12, 3, 0x20, list(512)),
		m(0x5e, "t", 0x12, 3, 0x20, list(1)),
		m(0x10, 512, 0x5f, "sk", 0x12, 3, 0x20, list("text0")),
	} {
		c := w.dial()
		p := request(1, 5, body)
		c.send(p)
		alone := c.answer()
		// An UNWATCH has no answer, and takes the lock for all of the turn.
		c.send(request(75, 1, m(0x57, "key")), p, p, p, p)
		for range 4 {
			if locked := c.answer(); locked != alone {
				t.Errorf("%s: %s, under the lock %s", text(body), alone, locked)
			}
		}
		c.send(p, p, p, p)
		c.expect(alone, alone, alone, alone)
	}
}

// TestBrokenRequestsTogether sends requests to change data that can't be carried out together, so that the server looks
// ahead at them.
func TestBrokenRequestsTogether(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	w.locked(func() {
		w.insert(280, 513, 1, "empty", "memtx", 0, map[string]any{}, list())
		for i := range 300 {
			w.insert(512, i, "text")
		}
	})
	var all []byte
	var want []string
	for _, q := range []struct {
		typ  int
		body msgpack.Raw
	}{
		{3, m(0x10, 512, 0x21, list("x"))},
		{3, m(0x10, 512, 0x21, list())},
		{3, m(0x10, 512, 0x21, 7)},
		{3, m(0x10, 513, 0x21, list(1))},
		{3, m(0x10, 999, 0x21, list(1))},
		{3, m(0x10, 512, 0x21, list(list(1)))},
		{2, m(0x10, 512, 0x21, list(5))},
		{5, m(0x10, 512, 0x20, list("x"))},
		{5, m(0x10, 512, 0x20, list())},
		{5, m(0x10, 512, 0x20, list(1, 2))},
		{5, m(0x10, 512, 0x20, 5)},
		{5, m(0x10, 512, 0x11, 3, 0x20, list(5))},
		{4, m(0x10, 512, 0x20, list(1), 0x21, list(list("+", 9, 1)))},
		{4, m(0x10, 512, 0x20, list(-1), 0x21, list())},
		{9, m(0x10, 512, 0x21, list("x"), 0x28, list())},
	} {
		c := w.dial()
		p := request(q.typ, 1, q.body)
		c.send(p)
		want = append(want, c.answer())
		all = append(all, p...)
	}
	c := w.dial()
	c.send(all)
	c.expect(want...)
}

// TestAcknowledgedWritesAreRead writes growing numbers on one connection while others read: whoever reads after an answer
// to a write finds it.
func TestAcknowledgedWritesAreRead(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	w.locked(func() { w.insert(512, 1, 0) })
	const last = 300
	var written atomic.Int64
	var readers sync.WaitGroup
	for range 3 {
		c := w.dial()
		readers.Go(func() {
			for sync := 1; ; sync++ {
				least := written.Load()
				c.send(selectFrom(sync, 512, list(1)), selectFrom(sync, 512, list(1)))
				for range 2 {
					var found int64
					if _, err := fmt.Sscanf(c.answer(), fmt.Sprintf("0 %d [[1 %%d]]", sync), &found); err != nil || found < least {
						t.Errorf("found %d (%v) after %d was written", found, err, least)
						return
					}
				}
				if least == last {
					return
				}
			}
		})
	}
	c := w.dial()
	for i := 1; i <= last; i++ {
		c.ask(request(3, i, m(0x10, 512, 0x21, list(1, i))), fmt.Sprintf("0 %d [[1 %d]]", i, i))
		written.Store(int64(i))
	}
	readers.Wait()
}

// TestSharedReadsAreCounted checks that box.stat and box.stat.net count them.
func TestSharedReadsAreCounted(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	c := w.dial()
	c.ask(request(64, 1, nil), "0 1 {}")
	var before uint64
	w.locked(func() { before = w.b.Stat.Total(box.OpSelect) })
	c.send([]byte(strings.Repeat(string(selectFrom(1, 512, list(1))), 10)))
	for range 10 {
		c.expect("0 1 []")
	}
	w.locked(func() {
		if n := w.b.Stat.Total(box.OpSelect) - before; n != 10 {
			t.Errorf("%d SELECTs counted", n)
		}
	})
	if n := w.s.Stat().Total(RequestsInProgress); n < 10 {
		t.Errorf("%d requests were in progress", n)
	}
}

// TestOverriddenSelects checks that handlers get SELECTs as soon as they are set.
func TestOverriddenSelects(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	c := w.dial()
	p := selectFrom(1, 512, list(1))
	c.ask(p, "0 1 []")
	w.override(int64(iproto.TypeSelect), "test", func(r *Request) (Outcome, error) {
		return Handled, r.Reply(pack(list("mine")))
	})
	c.ask(p, "0 1 [mine]")
	w.locked(func() {
		if err := w.s.Override(int64(iproto.TypeSelect), "test", nil); err != nil {
			t.Error(err)
		}
	})
	c.ask(p, "0 1 []")
}

// BenchmarkParallelReads runs turns of SELECTs without their sockets, on as many connections as there are processors:
// compare -cpu 1,2,4.
func BenchmarkParallelReads(b *testing.B) {
	w := newWorld(b, Options{})
	w.space(512, "t")
	const rows = 100000
	w.locked(func() {
		for i := range rows {
			w.insert(512, i, "some text")
		}
	})
	var seed atomic.Uint64
	b.RunParallel(func(pb *testing.PB) {
		r := rand.New(rand.NewPCG(seed.Add(1), 1))
		c := &conn{server: w.s, session: w.c.Session}
		var keys [turnSize]int // where the key is in each packet
		for i := range turnSize {
			c.buf = append(c.buf, selectFrom(i, 512, list(rows))...)
			keys[i] = len(c.buf) - 4
		}
		t := new(turn)
		for n := 0; pb.Next(); n++ {
			if n%turnSize > 0 {
				continue
			}
			for _, at := range keys {
				binary.BigEndian.PutUint32(c.buf[at:], r.Uint32N(rows))
			}
			t.n, t.answers, c.r, c.w = 0, t.answers[:0], 0, len(c.buf)
			if c.decode(t); c.runUnlocked(t) != turnSize {
				b.Error("the lock was wanted")
				return
			}
		}
	})
}

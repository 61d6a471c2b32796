package box

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/fiber"
	"github.com/lycosadb/lycosa/msgpack"
)

// told collects what a watcher hears.
type told struct{ values []string }

func (t *told) notify(_ *Watcher, value []byte) {
	if value == nil {
		t.values = append(t.values, "none")
		return
	}
	t.values = append(t.values, string(value))
}

func (t *told) take() string {
	s := strings.Join(t.values, " ")
	t.values = nil
	return s
}

// watchBox is a Box with nothing but a cord that is held; run does what was posted.
func watchBox(t *testing.T) (b *Box, run func()) {
	b = &Box{Cord: fiber.NewCord(), habits: new(habits)}
	b.Cord.Lock()
	t.Cleanup(func() {
		b.Cord.Unlock()
		b.Cord.Stop()
	})
	return b, func() {
		done := make(chan struct{})
		b.Cord.Post(func() { close(done) })
		b.Cord.Unlock()
		<-done
		b.Cord.Lock()
	}
}

func TestWatch(t *testing.T) {
	b, run := watchBox(t)
	expect := func(s *told, want string) {
		t.Helper()
		run()
		if got := s.take(); got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	}
	var s, other told
	w := b.Watch("k", s.notify)
	expect(&s, "none")
	b.AckWatcher(w)
	expect(&s, "")
	b.Broadcast("k", []byte("1"))
	expect(&s, "1")
	b.Broadcast("k", []byte("2"))
	b.Broadcast("k", []byte("3"))
	expect(&s, "")
	b.AckWatcher(w)
	expect(&s, "3")
	late := b.Watch("k", other.notify)
	expect(&other, "3")
	b.AckWatcher(late)
	b.AckWatcher(w)
	b.StopWatcher(w)
	b.StopWatcher(w)
	b.Broadcast("k", nil)
	expect(&s, "")
	if got := other.take(); got != "none" {
		t.Errorf("the other was told %q", got)
	}
	b.StopWatcher(late)
	if len(b.watches.keys) != 0 {
		t.Error("keys are left")
	}
	b.Broadcast("k", []byte("4"))
	if string(b.WatchOnce("k")) != "4" || b.WatchOnce("x") != nil {
		t.Error("WatchOnce")
	}
	b.Broadcast("k", nil)
	if len(b.watches.keys) != 0 {
		t.Error("keys are left")
	}
}

func TestWatchStoppedBeforeItWasTold(t *testing.T) {
	b, run := watchBox(t)
	var s told
	b.StopWatcher(b.Watch("k", s.notify))
	run()
	if got := s.take(); got != "" {
		t.Errorf("told %q", got)
	}
}

// TestAnnouncements checks what the server broadcasts about itself, and when.
func TestAnnouncements(t *testing.T) {
	d := newDDL(t)
	b := d.b
	b.announce()
	show := func(key string) string {
		var out strings.Builder
		n, m, _ := msgpack.ReadMapHeader(b.WatchOnce(key))
		for range n {
			var name []byte
			name, m, _ = msgpack.ReadString(m)
			rest, _ := msgpack.Skip(m)
			value, _, _ := msgpack.Decode(m[:len(m)-len(rest)])
			fmt.Fprintf(&out, "%s=%v ", name, value)
			m = rest
		}
		return strings.TrimSpace(out.String())
	}
	want := func(key, text string) {
		t.Helper()
		if got := show(key); got != text {
			t.Errorf("%s is %s, want %s", key, got, text)
		}
	}
	want("box.status", "is_ro=false is_ro_cfg=false status=running")
	want("box.election", "term=1 role=follower is_ro=false leader=0")
	want("box.id", "id=1 instance_uuid="+b.InstanceUUID()+" instance_name=<nil> replicaset_uuid="+b.ReplicasetUUID()+
		" replicaset_name=<nil> cluster_name=<nil>")
	b.Config.ReadOnly = true
	b.AnnounceMode()
	want("box.status", "is_ro=true is_ro_cfg=true status=running")
	want("box.election", "term=1 role=follower is_ro=true leader=0")
	b.Config.ReadOnly = false
	b.Promote()
	want("box.status", "is_ro=false is_ro_cfg=false status=running")
	want("box.election", "term=2 role=follower is_ro=false leader=0")
	before := show("box.schema")
	d.space("s")
	want("box.schema", fmt.Sprintf("version=%d", b.SchemaVersion()))
	if show("box.schema") == before {
		t.Errorf("box.schema is still %s", before)
	}
}

// TestManyWatchers broadcasts to thousands of watchers that acknowledge late, or stop: none of the others may miss the
// newest value, or be told of one twice.
func TestManyWatchers(t *testing.T) {
	b, _ := watchBox(t)
	const watchers, keys, rounds = 5000, 7, 50
	type state struct {
		w       *Watcher
		key     int
		last    int // the value told last
		unacked bool
		stopped bool
	}
	var list []*state
	for i := range watchers {
		s := &state{key: i % keys}
		s.w = b.Watch(fmt.Sprint("key", s.key), func(_ *Watcher, value []byte) {
			n, _ := strconv.Atoi(string(value))
			switch {
			case s.stopped:
				t.Error("told after it was stopped")
			case s.unacked:
				t.Error("told before it has acknowledged")
			case value != nil && n <= s.last:
				t.Errorf("told %d after %d", n, s.last)
			}
			s.last, s.unacked = n, true
		})
		list = append(list, s)
	}
	// run lets some or all of those be told who are due.
	run := func() {
		b.Cord.Unlock()
		b.Cord.Lock()
	}
	r := rand.New(rand.NewPCG(1, 2))
	var newest [keys]int
	for range rounds {
		key := r.IntN(keys)
		newest[key]++
		b.Broadcast(fmt.Sprint("key", key), []byte(strconv.Itoa(newest[key])))
		for range watchers / 10 {
			switch s := list[r.IntN(len(list))]; {
			case s.unacked:
				s.unacked = false
				b.AckWatcher(s.w)
			case r.IntN(20) == 0:
				s.stopped = true
				b.StopWatcher(s.w)
			}
		}
		run()
	}
	for pending := true; pending; run() {
		pending = len(b.watches.due) > 0
		for _, s := range list {
			if s.unacked && !s.stopped {
				s.unacked, pending = false, true
				b.AckWatcher(s.w)
			}
		}
	}
	stopped := 0
	for _, s := range list {
		if s.stopped {
			stopped++
		} else if s.last != newest[s.key] {
			t.Fatalf("the last value told of key %d is %d, not %d", s.key, s.last, newest[s.key])
		}
		b.StopWatcher(s.w)
	}
	if stopped == 0 || stopped == watchers {
		t.Errorf("%d watchers were stopped", stopped)
	}
	for key := range keys {
		b.Broadcast(fmt.Sprint("key", key), nil)
	}
	if len(b.watches.keys) != 0 {
		t.Errorf("%d keys are left", len(b.watches.keys))
	}
}

// BenchmarkBroadcast tells 10,000 watchers, each of which acknowledges at once.
func BenchmarkBroadcast(b *testing.B) {
	x := &Box{Cord: fiber.NewCord(), habits: new(habits)}
	defer x.Cord.Stop()
	x.Cord.Lock()
	defer x.Cord.Unlock()
	const watchers = 10_000
	for range watchers {
		x.Watch("k", func(w *Watcher, _ []byte) { x.AckWatcher(w) })
	}
	b.ReportAllocs()
	for b.Loop() {
		x.Broadcast("k", []byte{1})
		for len(x.watches.due) > 0 {
			x.tellWatchers()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/watchers, "ns/watcher")
}

package box

import (
	"runtime"
	"runtime/debug"
	"testing"
)

// collector returns the settings of the garbage collector.
func collector() (percent int, limit int64) {
	percent = debug.SetGCPercent(100)
	debug.SetGCPercent(percent)
	return percent, debug.SetMemoryLimit(-1)
}

func TestTruce(t *testing.T) {
	percent, limit := collector()
	expect := func(what string, wantPercent int, wantLimit int64) {
		t.Helper()
		if p, l := collector(); p != wantPercent || l != wantLimit {
			t.Errorf("%s: percent %d and limit %d instead of %d and %d", what, p, l, wantPercent, wantLimit)
		}
	}
	first := newTruce(1 << 40)
	expect("one", -1, 1<<40)
	second := newTruce(1 << 41)
	expect("two", -1, 1<<41)
	first.end()
	first.end()
	expect("one of two", -1, 1<<41)
	second.end()
	expect("none", percent, limit)

	third, fourth := newTruce(1<<40), newTruce(1<<40)
	runtime.GC()
	<-third.over
	<-fourth.over
	expect("after a collection", percent, limit)
	third.end()
	expect("after all", percent, limit)

	fifth := newTruce(1 << 40)
	garbage := make([]byte, 2*reviewFrom)
	fifth.review(1 << 40)
	expect("with data", -1, 1<<40)
	fifth.review(0)
	expect("with garbage only", percent, limit)
	runtime.KeepAlive(garbage)

	debug.SetGCPercent(-1)
	debug.SetMemoryLimit(1 << 42)
	off := newTruce(1 << 40)
	expect("without a collector", -1, 1<<42)
	off.end()
	debug.SetGCPercent(50)
	low := newTruce(1 << 43)
	expect("with a low limit", -1, 1<<42)
	low.end()
	expect("with a low limit, after", 50, 1<<42)
	debug.SetGCPercent(percent)
	debug.SetMemoryLimit(limit)
}

func TestTruceLimit(t *testing.T) {
	for memory, want := range map[uint64]int64{0: maxTruce, 64 << 20: 64 << 20, 1 << 40: maxTruce} {
		if got := (&Config{MemtxMemory: memory}).truceLimit(); got != want {
			t.Errorf("memtx_memory %d: %d instead of %d", memory, got, want)
		}
	}
}

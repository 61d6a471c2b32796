package box

import (
	"math"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// truce keeps the garbage collector away for a while, because what a recovery makes is data, and looking at all of it again
// and again finds next to nothing to collect. It ends when it is told to, or when memory reaches a limit: the first
// collection that this causes restores the settings of the program.
type truce struct {
	once sync.Once
	over chan struct{}
}

// truces are those of all databases of the process, whose settings there are once only.
var truces struct {
	sync.Mutex
	count   int
	percent int   // what debug.SetGCPercent was before the first one
	limit   int64 // and debug.SetMemoryLimit
}

// newTruce begins a truce for as long as the process takes less than a number of bytes. A program that has switched the
// collector off, or has a lower limit, keeps to that.
func newTruce(limit int64) *truce {
	t := &truce{over: make(chan struct{})}
	truces.Lock()
	defer truces.Unlock()
	truces.count++
	if truces.count == 1 {
		truces.percent = debug.SetGCPercent(-1)
		truces.limit = debug.SetMemoryLimit(math.MaxInt64)
	}
	if truces.percent < 0 {
		limit = truces.limit
	}
	debug.SetMemoryLimit(min(limit, truces.limit))
	runtime.AddCleanup(new(*truce), (*truce).end, t) // nobody has it: the first collection finds that out
	return t
}

// end ends the truce, if that hasn't happened yet. When it was the last one, the collector works as before.
func (t *truce) end() {
	t.once.Do(func() {
		defer close(t.over)
		truces.Lock()
		defer truces.Unlock()
		truces.count--
		if truces.count == 0 {
			debug.SetMemoryLimit(truces.limit)
			debug.SetGCPercent(truces.percent)
		}
	})
}

// review ends the truce if less than half of the objects in memory, by size, are data, of which there are some bytes. What a
// small database takes doesn't matter.
func (t *truce) review(data int64) {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(sample)
	if int64(sample[0].Value.Uint64()) > 2*data+reviewFrom {
		t.end()
	}
}

// reviewFrom is how much memory may be without data.
const reviewFrom = 64 << 20

// dataSize is about how many bytes the tuples of all spaces and their indexes take.
func (b *Box) dataSize() (bytes int64) {
	for _, sp := range b.catalog.spaces {
		bytes += sp.Mem.Bytes()
		for _, x := range sp.Mem.Indexes {
			bytes += x.Bytes()
		}
	}
	return bytes
}

// truceLimit is how much memory a process may take before it is collected while its data is recovered: what the
// configuration grants to tuples, but not more than maxTruce.
func (c *Config) truceLimit() int64 {
	if c.MemtxMemory == 0 || c.MemtxMemory > maxTruce {
		return maxTruce
	}
	return int64(c.MemtxMemory)
}

const maxTruce = 1 << 30

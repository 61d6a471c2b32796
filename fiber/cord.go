// Package fiber is the cord: the one lock under which everything runs that touches data or Lua, with the queue of
// fibers that are ready to go on, the timers, and what other goroutines post to it.
//
// The reference server runs all of this on one thread. Here the thread is a lock: a connection's goroutine takes it
// for a batch of requests, a Go caller for one operation, and the cord's own goroutine for everything that becomes
// ready by itself. The rules are few:
//
//   - what runs under the lock never blocks on I/O;
//   - those who only read data may share the lock with one another, see Share;
//   - a Fiber that has to wait parks and returns to its caller; it is continued by the cord's goroutine;
//   - methods say whether they want the lock held. Post and Stop are for those who don't hold it.
package fiber

import (
	"container/heap"
	"sync"
	"time"
)

// turn is how many ready fibers the cord's goroutine runs before it lets others have the lock.
const turn = 64

// Cord is the lock and what waits for it. The zero value isn't usable, see NewCord.
type Cord struct {
	// OnLock, when it is not nil, is called whenever the lock has been taken, before anything else is done under it. It is
	// to be set before the first use of the cord or under the lock.
	OnLock func()

	mu sync.RWMutex // guards all data and Lua, and the fields below up to the next lock

	ready    []*Fiber // fibers to be resumed, in order
	head     int      // the first of ready that hasn't run
	timers   timerHeap
	fibers   map[uint64]*Fiber
	nextID   uint64
	current  *Fiber
	switches uint64

	postMu sync.Mutex // guards posted
	posted []func()

	wake chan struct{} // holds one token when there is something to do
	stop chan struct{}
	done chan struct{}
	once sync.Once
}

// firstID is where fiber ids start: lower ones belong to the reference's system fibers, and programs take them for such.
const firstID = 101

// NewCord returns a cord whose goroutine runs until Stop.
func NewCord() *Cord {
	c := &Cord{
		fibers: map[uint64]*Fiber{},
		nextID: firstID,
		wake:   make(chan struct{}, 1),
		stop:   make(chan struct{}),
		done:   make(chan struct{}),
	}
	go c.loop()
	return c
}

// Lock takes the cord.
func (c *Cord) Lock() {
	c.mu.Lock()
	if c.OnLock != nil {
		c.OnLock()
	}
}

// Unlock gives the cord up.
func (c *Cord) Unlock() { c.mu.Unlock() }

// Share takes the cord together with others who share it, while nobody has it alone. Whoever shares it sees everything
// that was done under the lock before. It may only read, and only what is read without leaving a trace: the catalog, and
// the data of spaces that have no versions. Whatever remembers something (counters, scratch memory, Lua, sessions of
// others) is not for it.
func (c *Cord) Share() { c.mu.RLock() }

// Unshare gives a shared cord up.
func (c *Cord) Unshare() { c.mu.RUnlock() }

// Post has f run under the lock soon, in the order of the calls. It may be called from any goroutine, with or without the
// lock, and never blocks.
func (c *Cord) Post(f func()) {
	c.postMu.Lock()
	c.posted = append(c.posted, f)
	c.postMu.Unlock()
	c.signal()
}

// Stop ends the cord's goroutine and waits until it has ended. Parked fibers stay parked forever. The lock must not be
// held.
func (c *Cord) Stop() {
	c.once.Do(func() { close(c.stop) })
	<-c.done
}

// Stopped is closed when Stop was called.
func (c *Cord) Stopped() <-chan struct{} { return c.stop }

func (c *Cord) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// loop is the cord's own goroutine.
func (c *Cord) loop() {
	defer close(c.done)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-c.stop:
			return
		default:
		}
		c.Lock()
		wait := c.step()
		c.Unlock()
		if wait == 0 {
			continue
		}
		timer.Reset(wait)
		select {
		case <-c.wake:
		case <-timer.C:
		case <-c.stop:
			return
		}
	}
}

// step runs what is due and returns how long there is nothing to do: 0 when there is more already.
func (c *Cord) step() time.Duration {
	c.postMu.Lock()
	posted := c.posted
	c.posted = nil
	c.postMu.Unlock()
	for _, f := range posted {
		f()
	}
	if len(c.timers) > 0 {
		now := time.Now()
		for len(c.timers) > 0 && !c.timers[0].at.After(now) {
			t := heap.Pop(&c.timers).(*Timer)
			t.f()
		}
	}
	for n := 0; n < turn && c.head < len(c.ready); n++ {
		f := c.ready[c.head]
		c.ready[c.head] = nil
		c.head++
		f.queued = false
		f.resume(f)
	}
	if c.head < len(c.ready) {
		if c.head > 1024 && c.head*2 > len(c.ready) {
			c.ready = append(c.ready[:0], c.ready[c.head:]...)
			c.head = 0
		}
		return 0
	}
	c.ready, c.head = c.ready[:0], 0
	if len(c.timers) == 0 {
		return time.Hour
	}
	return max(time.Until(c.timers[0].at), 1)
}

// Timer is a function that will run under the lock.
type Timer struct {
	at    time.Time
	f     func()
	cord  *Cord
	index int // in the heap, -1 when not in it
}

// After has f run under the lock once d has passed. The lock must be held.
func (c *Cord) After(d time.Duration, f func()) *Timer {
	t := &Timer{at: time.Now().Add(d), f: f, cord: c}
	heap.Push(&c.timers, t)
	if t.index == 0 {
		c.signal()
	}
	return t
}

// Stop takes the timer back and says whether that was in time. The lock must be held.
func (t *Timer) Stop() bool {
	if t == nil || t.index < 0 {
		return false
	}
	heap.Remove(&t.cord.timers, t.index)
	return true
}

// timerHeap is a heap of timers, the earliest first.
type timerHeap []*Timer

func (h timerHeap) Len() int           { return len(h) }
func (h timerHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h timerHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push is for container/heap.
func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	t.index = len(*h)
	*h = append(*h, t)
}

// Pop is for container/heap.
func (h *timerHeap) Pop() any {
	old := *h
	t := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	t.index = -1
	return t
}

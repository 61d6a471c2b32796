package fiber

import "time"

// Fiber is one line of execution on the cord: a Lua coroutine, or anything else that can be continued by a function
// call. All methods want the lock held.
type Fiber struct {
	ID   uint64
	Name string
	// Local is what the owner of the fiber keeps with it (package lua: its coroutine and database context).
	Local any

	cord      *Cord
	resume    func(*Fiber)
	parked    bool
	queued    bool // stands in the ready queue
	timer     *Timer
	timedOut  bool
	cancelled bool
	ended     bool
	published bool
}

// New makes a fiber known under a new id. resume continues it, under the lock, each time it was woken.
func (c *Cord) New(name string, resume func(*Fiber)) *Fiber {
	f := &Fiber{Name: name, resume: resume, cord: c}
	c.Register(f)
	f.Publish()
	return f
}

// Register gives a fiber that was ended before a new life under a new id: owners pool their fibers. Others find it once
// it was published or has parked; most fibers of requests end before that.
func (c *Cord) Register(f *Fiber) {
	f.ID = c.nextID
	c.nextID++
	f.cord = c
	f.parked, f.queued, f.timedOut, f.cancelled, f.ended, f.published = false, false, false, false, false, false
}

// Publish makes the fiber known to Find, All and Len.
func (f *Fiber) Publish() {
	if !f.published {
		f.published = true
		f.cord.fibers[f.ID] = f
	}
}

// End takes the fiber off the cord.
func (f *Fiber) End() {
	f.timer.Stop()
	f.timer = nil
	f.ended = true
	f.parked = false
	if f.published {
		delete(f.cord.fibers, f.ID)
	}
}

// Find returns the living fiber of that id, or nil; one that was published.
func (c *Cord) Find(id uint64) *Fiber { return c.fibers[id] }

// All calls f for every living fiber, in no order.
func (c *Cord) All(f func(*Fiber)) {
	for _, x := range c.fibers {
		f(x)
	}
}

// Len is the number of living fibers.
func (c *Cord) Len() int { return len(c.fibers) }

// Current is the fiber that runs now, nil outside of any.
func (c *Cord) Current() *Fiber { return c.current }

// SetCurrent makes f the running fiber and returns the one that was. Whoever resumes a fiber calls it before and after.
func (c *Cord) SetCurrent(f *Fiber) *Fiber {
	old := c.current
	c.current = f
	c.switches++
	return old
}

// Switches counts how often the running fiber changed.
func (c *Cord) Switches() uint64 { return c.switches }

// Park marks the fiber as waiting, for at most d when d is not negative. The fiber's owner then returns to its caller;
// resume is called after Wake, Cancel or the end of the time.
func (f *Fiber) Park(d time.Duration) {
	f.Publish()
	f.parked = true
	f.timedOut = false
	if d >= 0 {
		f.timer = f.cord.After(d, func() {
			f.timer = nil
			f.timedOut = true
			f.Wake()
		})
	}
}

// Wake puts a parked fiber on the ready queue. It says whether the fiber was parked.
func (f *Fiber) Wake() bool {
	if !f.parked {
		return false
	}
	f.parked = false
	f.timer.Stop()
	f.timer = nil
	f.Ready()
	return true
}

// Ready puts the fiber on the ready queue once.
func (f *Fiber) Ready() {
	if f.queued || f.ended {
		return
	}
	f.Publish()
	f.queued = true
	f.cord.ready = append(f.cord.ready, f)
	f.cord.signal()
}

// Cancel marks the fiber as cancelled; whether that wakes it is its owner's decision.
func (f *Fiber) Cancel() { f.cancelled = true }

// Cancelled says whether the fiber was cancelled.
func (f *Fiber) Cancelled() bool { return f.cancelled }

// TimedOut says whether the last Park ended because its time was over.
func (f *Fiber) TimedOut() bool { return f.timedOut }

// Parked says whether the fiber waits.
func (f *Fiber) Parked() bool { return f.parked }

// Ended says whether the fiber's life is over.
func (f *Fiber) Ended() bool { return f.ended }

// Adopt makes a Fiber that is part of a larger structure known to the cord: New for those who pool.
func (c *Cord) Adopt(f *Fiber, resume func(*Fiber)) {
	f.resume = resume
	c.Register(f)
}

//go:build cgo

package lua

import (
	"time"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/fiber"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

// Fiber is a coroutine with what belongs to it: its place on the cord, the database context it acts in, and who waits
// for its end.
type Fiber struct {
	fiber.Fiber

	state  *State
	thread *luajit.Thread
	ctx    *box.Ctx
	own    bool // ctx was made for this fiber, and its session with it
	entry  luajit.Ref
	fn     luajit.Ref
	// in is the input of the next resumption: count values, or an error when count is negative.
	in      []byte
	count   int
	started bool
	outer   *Fiber // the one in whose run this one runs
	nested  int    // functions that the database has called in this fiber and that have not ended: they cannot wait
	csw     uint64
	end     ender
	// The form of what the fiber returns to a client: tuples with their formats, errors as objects.
	tuples, errors bool
	// parker is asked what the input is when a fiber that parked goes on; nil for a plain Park.
	parker func(f *Fiber) (in []byte, count int)
}

// ender hears of the end of a fiber, under the lock. The results are valid during the call only.
type ender interface {
	// done is called when the fiber's function returned n values.
	done(f *Fiber, results []byte, n int)
	// failed is called when it raised.
	failed(f *Fiber, err *boxerr.Error)
}

func init() { modules = append(modules, registerFiber) }

// newFiber takes a fiber from the pool. It is on the cord under a new id, and has not started.
func (s *State) newFiber(ctx *box.Ctx, entry, fn luajit.Ref, end ender) *Fiber {
	var f *Fiber
	if n := len(s.fibers); n > 0 {
		f = s.fibers[n-1]
		s.fibers = s.fibers[:n-1]
		s.Cord.Register(&f.Fiber)
	} else {
		f = &Fiber{state: s}
		s.Cord.Adopt(&f.Fiber, resumeFiber)
		f.Local = f
	}
	f.Name = "lua"
	if n := len(s.threads); n > 0 {
		f.thread = s.threads[n-1]
		s.threads = s.threads[:n-1]
	} else {
		f.thread = s.NewThread()
	}
	f.ctx, f.own, f.entry, f.fn, f.end = ctx, ctx == nil, entry, fn, end
	f.in, f.count, f.started, f.csw, f.parker = nil, 0, false, 0, nil
	f.tuples, f.errors = false, false
	return f
}

// resumeFiber is how the cord continues a fiber.
func resumeFiber(x *fiber.Fiber) {
	f := x.Local.(*Fiber)
	if f.started && f.parker != nil {
		f.in, f.count = f.parker(f)
	}
	f.run()
}

// run starts or continues the fiber until it parks or ends.
func (f *Fiber) run() {
	s := f.state
	entry := luajit.NoRef
	if !f.started {
		entry = f.entry
		f.started = true
	}
	outer := s.enter(f)
	status := s.Resume(f.thread, entry, f.fn, f.in, f.count)
	s.after(f, outer, status)
}

// runRequest starts the fiber with a request; lend is as for luajit.State.ResumeRequest.
func (f *Fiber) runRequest(header, body []byte, lend bool) {
	s := f.state
	f.started = true
	outer := s.enter(f)
	status := s.ResumeRequest(f.thread, f.entry, f.fn, header, body, lend)
	s.after(f, outer, status)
}

// enter makes f the running fiber and returns the one that was.
func (s *State) enter(f *Fiber) (outer *Fiber) {
	outer = s.current
	f.outer = outer
	s.current = f
	f.csw++
	s.Cord.SetCurrent(&f.Fiber)
	s.share(f)
	return outer
}

// share writes what Lua reads of the running fiber without a call.
func (s *State) share(f *Fiber) {
	sh := s.shared
	sh.Switches++
	sh.SchemaVersion = s.Box.SchemaVersion()
	if f == nil {
		sh.FiberID, sh.SessionID, sh.Sync, sh.FastSession = 0, 0, 0, 0
		return
	}
	form := 0
	if f.tuples {
		form = 2
	}
	s.SetResultForm(form, f.errors)
	sh.FiberID = f.ID
	sh.SessionID, sh.Sync, sh.FastSession = 0, 0, 0
	if f.ctx != nil {
		session := f.ctx.Session
		sh.SessionID, sh.Sync = session.ID, session.Sync
		if f.ctx.Sink == nil && session.Conn != nil && !session.Conn.Closed() {
			sh.FastSession = session.ID
		}
	}
}

// leave gives the place of the running fiber back.
func (s *State) leave(outer *Fiber) {
	if s.current != nil {
		s.current.outer = nil
	}
	s.current = outer
	if outer != nil {
		s.Cord.SetCurrent(&outer.Fiber)
	} else {
		s.Cord.SetCurrent(nil)
	}
	s.share(outer)
}

// after deals with how a resumption ended.
func (s *State) after(f *Fiber, outer *Fiber, status luajit.Status) {
	s.TakeSent()
	switch status {
	case luajit.Done:
		results, n := s.Results()
		if f.end != nil {
			f.end.done(f, results, n)
		}
		s.leave(outer)
		s.release(f)
	case luajit.Yielded:
		if f.ctx != nil && f.ctx.Txn != nil {
			s.Box.OnYield(f.ctx)
		}
		s.leave(outer)
	default:
		err := s.strayYield
		if status == luajit.Failed {
			err = s.Err
		}
		e := err()
		if f.end != nil {
			f.end.failed(f, e)
		} else {
			s.Log().Error("a fiber ended with an error", "fiber", f.ID, "name", f.Name, "error", e.Message)
		}
		s.leave(outer)
		s.FreeThread(f.thread)
		f.thread = nil
		s.release(f)
	}
}

// strayYield is the error of a fiber that yielded to nobody.
func (s *State) strayYield() *boxerr.Error {
	return boxerr.Luajit("attempt to yield across C-call boundary")
}

// release takes an ended fiber off the cord and pools it with its coroutine.
func (s *State) release(f *Fiber) {
	f.End()
	if f.own && f.ctx != nil {
		if f.ctx.Txn != nil {
			_ = s.Box.Rollback(f.ctx)
		}
		if f.ctx.Session != nil {
			s.Box.CloseSession(f.ctx.Session)
		}
	}
	if f.thread != nil {
		if len(s.threads) < maxPooled {
			s.threads = append(s.threads, f.thread)
		} else {
			s.FreeThread(f.thread)
		}
	}
	f.thread, f.ctx, f.end, f.in, f.parker = nil, nil, nil, nil, nil
	if s.idle != nil {
		s.checkIdle()
	}
	if len(s.fibers) < maxPooled {
		s.fibers = append(s.fibers, f)
	}
}

// Coroutines tells how many coroutines fibers run in, and how many wait for a fiber.
func (s *State) Coroutines() (used, idle int) {
	idle = len(s.threads)
	return s.Threads() - idle, idle
}

// Ctx is the database context of the running fiber. A background fiber gets its own, of a session of its own, when it
// first needs it.
func (s *State) Ctx() *box.Ctx {
	f := s.current
	if f == nil || f.nested > 0 {
		return s.callCtx
	}
	if f.ctx == nil {
		f.ctx = s.Box.NewCtx(s.Box.NewSession(box.SessionBackground))
		f.ctx.Local = f
		s.share(f)
	}
	return f.ctx
}

// Park lets the running fiber wait for at most d when d is not negative, until it is woken. The Go function called by
// Lua returns the error that Park returns. wake makes the results of the call when the fiber goes on.
func (s *State) Park(d time.Duration, wake func(f *Fiber) (in []byte, count int)) error {
	f := s.current
	if f == nil {
		return boxerr.Luajit("attempt to yield outside of a fiber")
	}
	if !s.CanYield() {
		return boxerr.Luajit("attempt to yield across C-call boundary")
	}
	f.parker = wake
	f.Park(d)
	return luajit.ErrPark
}

// timedOut is the result of a plain park: whether it was ended in time.
func timedOut(f *Fiber) ([]byte, int) {
	if f.TimedOut() {
		return resultFalse, 1
	}
	return resultTrue, 1
}

var (
	resultTrue  = msgpack.AppendBool(nil, true)
	resultFalse = msgpack.AppendBool(nil, false)
)

// seconds makes a duration of a number that Lua gave; negative when there was none.
func seconds(c *luajit.Call) time.Duration {
	if c.IsNil() {
		return -1
	}
	v := c.Float()
	switch {
	case v != v || v >= 1e9:
		return -1
	case v <= 0:
		return 0
	}
	return time.Duration(v * float64(time.Second))
}

// find returns the fiber of an id, nil when it is gone.
func (s *State) find(id uint64) *Fiber {
	for f := s.current; f != nil; f = f.outer {
		if f.ID == id {
			return f
		}
	}
	if x := s.Cord.Find(id); x != nil {
		f, _ := x.Local.(*Fiber)
		return f
	}
	return nil
}

// registerFiber registers the Go functions of the module fiber.
func registerFiber(s *State) {
	started := time.Now()
	s.Func("fiber.new", func(c *luajit.Call) error {
		f := s.newFiber(nil, s.entry.fiber, luajit.NoRef, nil)
		f.Publish()
		c.PushUint(f.ID)
		return nil
	})
	s.Func("fiber.start", func(c *luajit.Call) error {
		if f := s.find(c.Uint()); f != nil {
			f.run()
		}
		return nil
	})
	s.Func("fiber.ready", func(c *luajit.Call) error {
		if f := s.find(c.Uint()); f != nil {
			f.Ready()
		}
		return nil
	})
	s.Func("fiber.wake", func(c *luajit.Call) error {
		if f := s.find(c.Uint()); f != nil {
			f.Wake()
		}
		return nil
	})
	s.Func("fiber.cancel", func(c *luajit.Call) error {
		if f := s.find(c.Uint()); f != nil {
			f.Cancel()
			f.Wake()
		}
		return nil
	})
	s.Func("fiber.alive", func(c *luajit.Call) error {
		c.PushBool(s.find(c.Uint()) != nil)
		return nil
	})
	s.Func("fiber.state", func(c *luajit.Call) error {
		f := s.find(c.Uint())
		if f == nil {
			c.PushBool(false)
			return nil
		}
		c.PushBool(true)
		c.PushBool(f.Cancelled())
		c.PushString(f.Name)
		c.PushUint(f.csw)
		return nil
	})
	s.Func("fiber.set_name", func(c *luajit.Call) error {
		if f := s.find(c.Uint()); f != nil {
			f.Name = c.Str()
		}
		return nil
	})
	s.Blocking("fiber.park", func(c *luajit.Call) error {
		return s.Park(seconds(c), timedOut)
	})
	s.Func("fiber.all", func(c *luajit.Call) error {
		for f := s.current; f != nil; f = f.outer {
			f.Publish()
		}
		c.Out = msgpack.AppendArrayHeader(c.Out, s.Cord.Len())
		s.Cord.All(func(x *fiber.Fiber) {
			var csw uint64
			if f, ok := x.Local.(*Fiber); ok {
				csw = f.csw
			}
			c.Out = msgpack.AppendArrayHeader(c.Out, 3)
			c.Out = msgpack.AppendUint(c.Out, x.ID)
			c.Out = msgpack.AppendString(c.Out, x.Name)
			c.Out = msgpack.AppendUint(c.Out, csw)
		})
		c.NOut++
		return nil
	})
	s.Func("fiber.backtrace", func(c *luajit.Call) error {
		f := s.find(c.Uint())
		if f == nil || f.thread == nil {
			return nil
		}
		c.PushString(s.Traceback(f.thread))
		return nil
	})
	s.Func("fiber.monotonic", func(c *luajit.Call) error {
		c.PushFloat(time.Since(started).Seconds())
		return nil
	})
	s.Func("fiber.realtime", func(c *luajit.Call) error {
		c.PushFloat(float64(time.Now().UnixNano()) / 1e9)
		return nil
	})
}

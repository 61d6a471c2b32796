//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
)

func (f *boxFace) registerCtl() {
	f.fn("ctl_is_recovery_finished", func(c *luajit.Call, _ *box.Ctx) error {
		c.PushBool(f.configured)
		return nil
	})
	// Waits until the instance is read-only (true) or is not (false), for at most so many seconds.
	f.Blocking("box.ctl_wait", func(c *luajit.Call) error {
		w := &modeWait{readOnly: c.Bool()}
		if ro, _ := f.Box.ReadOnly(); ro == w.readOnly {
			return nil
		}
		timeout := seconds(c)
		if !f.mayPark() {
			return boxerr.Illegal("cannot wait outside of a fiber")
		}
		w.fiber = f.current
		f.modes = append(f.modes, w)
		return f.Park(timeout, func(fb *Fiber) ([]byte, int) {
			f.forgetMode(w)
			if fb.TimedOut() {
				return luajit.AppendError(nil, boxerr.TimedOut()), -1
			}
			return nil, 0
		})
	})
	f.fn("ctl_on_shutdown_timeout", func(c *luajit.Call, _ *box.Ctx) error {
		f.ShutdownTimeout = seconds(c)
		return nil
	})
	f.fn("ctl_promote", func(*luajit.Call, *box.Ctx) error {
		f.Box.Promote()
		return nil
	})
	f.fn("ctl_demote", func(*luajit.Call, *box.Ctx) error {
		f.Box.Demote()
		return nil
	})
	f.fn("ctl_make_bootstrap_leader", func(*luajit.Call, *box.Ctx) error {
		return boxerr.New(boxerr.Unsupported, "Lycosa", "replica sets")
	})
	f.fn("ctl_iproto_lockdown", func(*luajit.Call, *box.Ctx) error {
		return boxerr.New(boxerr.Unsupported, "Community edition", "iproto lockdown")
	})
}

// modeWait is a fiber that waits until the instance is read-only, or is not.
type modeWait struct {
	fiber    *Fiber
	readOnly bool
}

func (f *boxFace) forgetMode(w *modeWait) {
	for i, other := range f.modes {
		if other == w {
			f.modes = append(f.modes[:i], f.modes[i+1:]...)
			return
		}
	}
}

// modeChanged wakes those who have waited for it.
func (f *boxFace) modeChanged() {
	ro, _ := f.Box.ReadOnly()
	for _, w := range f.modes {
		if w.readOnly == ro {
			w.fiber.Wake()
		}
	}
}

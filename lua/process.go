//go:build cgo

package lua

import (
	"strconv"
	"strings"
	"time"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/trigger"
)

func init() { modules = append(modules, registerProcess) }

// registerProcess registers what the globals stand on.
func registerProcess(s *State) {
	s.Func("os.exit", func(c *luajit.Call) error {
		if s.options.Exit == nil {
			return boxerr.Luajit("os.exit: this server is part of another program")
		}
		s.Shutdown(int(c.Int()))
		return nil
	})
	s.Func("version", func(c *luajit.Call) error {
		c.PushString(box.CompatibleVersion)
		return nil
	})
	s.Func("tonumber64", func(c *luajit.Call) error {
		text := strings.TrimSpace(c.Str())
		base := 10
		if !c.IsNil() {
			base = int(c.Int())
		}
		pushNumber(c, text, base)
		return nil
	})
}

// pushNumber returns the number that a text is: an integer of 64 bits where a Lua number would lose digits, nil when it
// is none. A decimal text may have a prefix 0x or 0b.
func pushNumber(c *luajit.Call, text string, base int) {
	negative := strings.HasPrefix(text, "-")
	digits := strings.TrimPrefix(text, "-")
	lower := strings.ToLower(digits)
	switch {
	case strings.HasPrefix(lower, "0x") && (base == 10 || base == 16):
		digits, base = digits[2:], 16
	case strings.HasPrefix(lower, "0b") && (base == 10 || base == 2):
		digits, base = digits[2:], 2
	}
	for _, suffix := range []string{"ull", "ll"} {
		digits = strings.TrimSuffix(strings.TrimSuffix(digits, suffix), strings.ToUpper(suffix))
	}
	if strings.ContainsAny(digits, "_+-") {
		c.PushNil()
		return
	}
	if u, err := strconv.ParseUint(digits, base, 64); err == nil {
		switch {
		case !negative:
			c.PushUint(u)
		case u <= 1<<63:
			c.PushInt(-int64(u))
		default:
			c.PushNil()
		}
		return
	}
	c.PushNil()
}

// Describe is an error as the process's last words: its class, then its message.
func Describe(err error) string {
	e := boxerr.From(err)
	return e.Type + ": " + e.Message
}

// FlushOutput writes what Lua programs have printed and the C library holds back.
func (s *State) FlushOutput() { s.Flush() }

// WhenIdle has f called once nothing can happen any more: the database is not configured and no fiber is left.
// The cord's lock must be held.
func (s *State) WhenIdle(f func()) {
	s.idle = f
	s.checkIdle()
}

func (s *State) checkIdle() {
	if s.Box.Configured() || s.Cord.Len() > 0 {
		return
	}
	f := s.idle
	s.idle = nil
	f()
}

// ShutdownEvent is the event whose handlers run before the process ends.
const ShutdownEvent = "box.ctl.on_shutdown"

// Shutdown runs the shutdown triggers, each in a fiber of its own, the newest first, and cancels the script if it is
// another fiber that asks. It ends the process when all of them have ended or their time is over. The cord's lock must be
// held.
func (s *State) Shutdown(code int) {
	if s.options.Exit == nil {
		return
	}
	if s.stopping {
		if s.current != nil && s.current.ID == s.scriptID {
			s.scriptEnded()
		}
		return
	}
	s.stopping = true
	exit := func() {
		if s.options.Exit != nil {
			s.options.Exit(code)
			s.options.Exit = nil
		}
	}
	var list []trigger.Entry
	if e := s.Box.Triggers.Lookup(ShutdownEvent); e != nil {
		list = luaEntries(e)
	}
	running := s.find(s.scriptID)
	if running == s.current {
		running = nil
	}
	if len(list) == 0 && running == nil {
		exit()
		return
	}
	left := len(list) + 1
	ended := func(err error) {
		if err != nil {
			s.Log().Error("a shutdown trigger failed", "error", err.Error())
		}
		if left--; left == 0 {
			exit()
		}
	}
	if running != nil {
		left++
		s.onScriptEnd = func() { ended(nil) }
		running.Cancel()
		running.Wake()
	}
	for _, entry := range list {
		t := &script{state: s, chunk: luajit.NoRef, end: func(_ []byte, _ int, err error) { ended(err) }}
		s.newFiber(nil, s.entry.run, entry.Handler.(*Handler).Ref, t).run()
	}
	s.Cord.After(s.shutdownTimeout(), exit)
	ended(nil)
}

// scriptEnded hears of the end of the script that a shutdown has cancelled.
func (s *State) scriptEnded() {
	if f := s.onScriptEnd; f != nil {
		s.onScriptEnd = nil
		f()
	}
}

// shutdownTimeout is how long shutdown triggers may take.
func (s *State) shutdownTimeout() time.Duration {
	if s.ShutdownTimeout > 0 {
		return s.ShutdownTimeout
	}
	return 3 * time.Second
}

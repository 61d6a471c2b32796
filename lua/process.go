package lua

import (
	"strconv"
	"strings"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
)

func init() { modules = append(modules, registerProcess) }

// registerProcess registers what the globals stand on.
func registerProcess(s *State) {
	s.Func("os.exit", func(c *luajit.Call) error {
		if s.options.Exit == nil {
			return boxerr.Luajit("os.exit: this server is part of another program")
		}
		s.options.Exit(int(c.Int()))
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
// is none. A decimal text may have a prefix 0x or 0b, a fraction or an exponent.
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
	if base == 10 {
		if f, err := strconv.ParseFloat(text, 64); err == nil && !strings.ContainsAny(lower, "ni") {
			c.PushFloat(f)
			return
		}
	}
	c.PushNil()
}

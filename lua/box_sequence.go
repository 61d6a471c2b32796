//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/internal/luajit"
)

// The first argument is the number of a sequence, its name for a new one.
func (f *boxFace) registerSequence() {
	f.write("sequence_create", func(c *luajit.Call, ctx *box.Ctx) error {
		_, err := f.Box.CreateSequence(ctx, c.Str(), sequenceOptions(c))
		return err
	})
	f.write("sequence_alter", func(c *luajit.Call, ctx *box.Ctx) error {
		number, name := id(c), optional(c, c.Str)
		o := sequenceOptions(c)
		o.Name = name
		return f.Box.AlterSequence(ctx, number, o)
	})
	f.write("sequence_drop", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.DropSequence(ctx, id(c))
	})
	f.write("sequence_next", func(c *luajit.Call, ctx *box.Ctx) error {
		v, err := f.Box.NextValue(ctx, id(c))
		c.PushInt(v)
		return err
	})
	f.write("sequence_set", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.SetValue(ctx, id(c), c.Int())
	})
	f.write("sequence_reset", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.ResetValue(ctx, id(c))
	})
	f.fn("sequence_current", func(c *luajit.Call, ctx *box.Ctx) error {
		v, err := f.Box.CurrentValue(ctx, id(c))
		c.PushInt(v)
		return err
	})
}

// sequenceOptions reads step, min, max, start, cache and cycle, each of which may be nil.
func sequenceOptions(c *luajit.Call) box.SequenceOptions {
	return box.SequenceOptions{
		Step:  optional(c, c.Int),
		Min:   optional(c, c.Int),
		Max:   optional(c, c.Int),
		Start: optional(c, c.Int),
		Cache: optional(c, c.Int),
		Cycle: optional(c, c.Bool),
	}
}

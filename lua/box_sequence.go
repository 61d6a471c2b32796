//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// The first argument is the number of a sequence, its name for a new one.
func (f *boxFace) registerSequence() {
	f.write("sequence_create", func(c *luajit.Call, ctx *box.Ctx) error {
		name := c.Str()
		o, err := sequenceOptions(c)
		if err == nil {
			_, err = f.Box.CreateSequence(ctx, name, o)
		}
		return err
	})
	f.write("sequence_alter", func(c *luajit.Call, ctx *box.Ctx) error {
		number, name := id(c), optional(c, c.Str)
		o, err := sequenceOptions(c)
		if err != nil {
			return err
		}
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

// sequenceOptions reads step, min, max, start, cache and cycle, each of which may be nil. The error is that of a row of
// _sequence which holds something else than an integer.
func sequenceOptions(c *luajit.Call) (o box.SequenceOptions, err error) {
	for _, x := range []struct {
		to    **int64
		field string // as errors name it
	}{{&o.Step, "4 (step)"}, {&o.Min, "5 (min)"}, {&o.Max, "6 (max)"}, {&o.Start, "7 (start)"}, {&o.Cache, "8 (cache)"}} {
		raw := optionalRaw(c)
		if raw == nil {
			continue
		}
		v, _, ok := msgpack.ReadInt(raw)
		if !ok && err == nil {
			err = boxerr.New(boxerr.FieldType, x.field, tuple.Integer.String(), tuple.KindName(raw))
		}
		*x.to = &v
	}
	o.Cycle = optional(c, c.Bool)
	return o, err
}

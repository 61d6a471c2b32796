//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/mpext"
	"github.com/lycosadb/lycosa/msgpack"
)

func init() { modules = append(modules, registerDatetime) }

// datetimeOf reads a datetime argument.
func datetimeOf(c *luajit.Call) (mpext.Datetime, error) {
	if typ, data, _, ok := msgpack.ReadExt(c.Raw()); ok && typ == mpext.DatetimeType {
		if d, ok := mpext.DecodeDatetime(data); ok {
			return d, nil
		}
	}
	return mpext.Datetime{}, boxerr.Luajit("a datetime was expected")
}

// intervalOf reads an interval argument.
func intervalOf(c *luajit.Call) (mpext.Interval, error) {
	if typ, data, _, ok := msgpack.ReadExt(c.Raw()); ok && typ == mpext.IntervalType {
		if i, ok := mpext.DecodeInterval(data); ok {
			return i, nil
		}
	}
	return mpext.Interval{}, boxerr.Luajit("an interval was expected")
}

// fieldsOf reads a table of fields; nothing else has any.
func fieldsOf(c *luajit.Call) mpext.Fields {
	v, err := c.Value()
	if err != nil {
		return nil
	}
	return namedFields(v)
}

// namedFields are the values of a map that have names.
func namedFields(v any) map[string]any {
	switch v := v.(type) {
	case map[string]any:
		return v
	case map[any]any:
		fields := map[string]any{}
		for k, x := range v {
			if name, ok := k.(string); ok {
				fields[name] = x
			}
		}
		return fields
	}
	return nil
}

// appender is a value of an extension type.
type appender interface{ AppendMsgpack(b []byte) []byte }

// pushOr returns v, or nil and the error's message: usage errors of these modules are plain strings in Lua.
func pushOr(c *luajit.Call, v appender, err error) error {
	if err != nil {
		c.PushNil()
		c.PushString(boxerr.From(err).Message)
		return nil
	}
	c.Out = v.AppendMsgpack(c.Out)
	c.NOut++
	return nil
}

// registerDatetime registers what builtin/datetime.lua stands on.
func registerDatetime(s *State) {
	s.Func("datetime.new", func(c *luajit.Call) error {
		d, err := mpext.NewDatetime(fieldsOf(c))
		return pushOr(c, d, err)
	})
	s.Func("datetime.now", func(c *luajit.Call) error {
		return pushOr(c, mpext.Now(), nil)
	})
	s.Func("datetime.set", func(c *luajit.Call) error {
		d, err := datetimeOf(c)
		if err != nil {
			return err
		}
		d, err = d.Set(fieldsOf(c))
		return pushOr(c, d, err)
	})
	s.Func("datetime.add", func(c *luajit.Call) error { return moveDatetime(c, mpext.Datetime.Add) })
	s.Func("datetime.sub", func(c *luajit.Call) error { return moveDatetime(c, mpext.Datetime.SubInterval) })
	s.Func("datetime.diff", func(c *luajit.Call) error {
		a, err := datetimeOf(c)
		if err != nil {
			return err
		}
		b, err := datetimeOf(c)
		if err != nil {
			return err
		}
		i, err := a.Sub(b)
		return pushOr(c, i, err)
	})
	s.Func("datetime.get", getDatetime)
	s.Func("datetime.format", func(c *luajit.Call) error {
		d, err := datetimeOf(c)
		if err != nil {
			return err
		}
		if c.IsNil() {
			c.PushString(d.String())
		} else {
			c.PushString(d.Format(c.Str()))
		}
		return nil
	})
	s.Func("datetime.parse", func(c *luajit.Call) error {
		text := c.Str()
		var offset int16
		if c.Peek() == msgpack.String {
			var err error
			if offset, err = mpext.ParseOffset(c.Str()); err != nil {
				return pushOr(c, nil, err)
			}
		} else {
			offset = int16(c.Int())
		}
		d, n, err := mpext.ParseDatetime(text, offset, c.Str())
		return pushParsed(c, d, n, err)
	})
	s.Func("datetime.scan", func(c *luajit.Call) error {
		text := c.Str()
		d, n, err := mpext.ScanDatetime(text, c.Str())
		return pushParsed(c, d, n, err)
	})
	s.Func("datetime.zones", func(c *luajit.Call) error {
		zones := map[string]any{}
		mpext.Zones(func(index int16, name string) bool {
			zones[name] = index
			return true
		})
		return c.Push(zones)
	})
	s.Func("datetime.zone_names", func(c *luajit.Call) error {
		names := map[any]any{}
		mpext.Zones(func(index int16, _ string) bool {
			names[index] = mpext.ZoneName(index)
			return true
		})
		return c.Push(names)
	})
	s.Func("interval.new", func(c *luajit.Call) error {
		i, err := mpext.NewInterval(fieldsOf(c))
		return pushOr(c, i, err)
	})
	s.Func("interval.add", func(c *luajit.Call) error { return combineIntervals(c, mpext.Interval.Add) })
	s.Func("interval.sub", func(c *luajit.Call) error { return combineIntervals(c, mpext.Interval.Sub) })
	s.Func("interval.compare", func(c *luajit.Call) error {
		a, err := intervalOf(c)
		if err != nil {
			return err
		}
		b, err := intervalOf(c)
		if err != nil {
			return err
		}
		c.PushInt(int64(a.Compare(b)))
		return nil
	})
	s.Func("interval.tostring", func(c *luajit.Call) error {
		i, err := intervalOf(c)
		if err != nil {
			return err
		}
		c.PushString(i.String())
		return nil
	})
}

func pushParsed(c *luajit.Call, d mpext.Datetime, n int, err error) error {
	if err := pushOr(c, d, err); err != nil || c.NOut > 1 {
		return err
	}
	c.PushInt(int64(n))
	return nil
}

func moveDatetime(c *luajit.Call, move func(mpext.Datetime, mpext.Interval) (mpext.Datetime, error)) error {
	d, err := datetimeOf(c)
	if err != nil {
		return err
	}
	i, err := intervalOf(c)
	if err != nil {
		return err
	}
	d, err = move(d, i)
	return pushOr(c, d, err)
}

func combineIntervals(c *luajit.Call, combine func(a, b mpext.Interval) (mpext.Interval, error)) error {
	a, err := intervalOf(c)
	if err != nil {
		return err
	}
	b, err := intervalOf(c)
	if err != nil {
		return err
	}
	i, err := combine(a, b)
	return pushOr(c, i, err)
}

// getDatetime returns the parts of a datetime that its structure does not hold.
func getDatetime(c *luajit.Call) error {
	d, err := datetimeOf(c)
	if err != nil {
		return err
	}
	year, month, day := d.Date()
	hour, minute, second := d.Clock()
	for _, v := range []int64{year, month, day, hour, minute, second, d.Weekday()%7 + 1, d.YearDay()} {
		c.PushInt(v)
	}
	c.PushBool(d.IsDST())
	return nil
}

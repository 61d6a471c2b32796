package mpext

import (
	"fmt"
	"math"
	"strconv"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// Fields gives parts of a datetime or interval by their names, as programs write them: year, month, day, hour, min, sec,
// one of nsec, usec and msec, and of a datetime timestamp, tzoffset (minutes, or a text such as "+0300") and tz, of an
// interval week and adjust. Numbers may be of any Go type. What is nil or of an unknown name is ignored.
type Fields map[string]any

// luaType returns the name of v's type in messages, as Lua calls it.
func luaType(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case string:
		return "string"
	case bool:
		return "boolean"
	case []any, map[any]any, map[string]any, Fields:
		return "table"
	case Decimal, UUID, Datetime, Interval, []byte, msgpack.ExtValue:
		return "cdata"
	}
	if _, ok := toFloat(v); ok {
		return "number"
	}
	return "userdata"
}

// toFloat returns a number of any Go type.
func toFloat(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case int:
		return float64(v), true
	case int8:
		return float64(v), true
	case int16:
		return float64(v), true
	case int32:
		return float64(v), true
	case int64:
		return float64(v), true
	case uint:
		return float64(v), true
	case uint8:
		return float64(v), true
	case uint16:
		return float64(v), true
	case uint32:
		return float64(v), true
	case uint64:
		return float64(v), true
	}
	return 0, false
}

// number returns the number of that name; ok is false if there is none.
func (f Fields) number(name string) (v float64, ok bool, err error) {
	raw := f[name]
	if raw == nil {
		return 0, false, nil
	}
	if v, ok = toFloat(raw); !ok {
		return 0, false, boxerr.Luajit("numeric value expected, but received " + luaType(raw))
	}
	return v, true, nil
}

// rangeError is the error of a number outside of its range, which the text describes.
func rangeError(v float64, name, text string) error {
	return boxerr.Luajit(fmt.Sprintf("value %s of %s is out of allowed range [%s]", numberText(v), name, text))
}

// ranged stores the number of that name in *v if there is one and it is from low to high.
func (f Fields) ranged(name string, low, high float64, v *float64) (ok bool, err error) {
	n, ok, err := f.number(name)
	if !ok {
		return false, err
	}
	if !(n >= low && n <= high) {
		return false, rangeError(n, name, numberText(low)+", "+numberText(high))
	}
	*v = n
	return true, nil
}

// integer is ranged for whole numbers; extra is one more that is allowed if it isn't 0.
func (f Fields) integer(name string, low, high, extra int64, v *int64) (ok bool, err error) {
	n, ok, err := f.number(name)
	if !ok {
		return false, err
	}
	if n != math.Trunc(n) && n >= float64(low) && n <= float64(high) {
		return false, boxerr.Luajit(name + ": integer value expected, but received number")
	}
	if !(n >= float64(low) && n <= float64(high)) && !(extra != 0 && n == float64(extra)) {
		if extra != 0 {
			return false, rangeError(n, name, fmt.Sprintf("%d, %d..%d", extra, low, high))
		}
		return false, rangeError(n, name, fmt.Sprintf("%d, %d", low, high))
	}
	*v = int64(n)
	return true, nil
}

// wallClock is the date and time of day on a wall clock.
type wallClock struct {
	year, month, day int64
	hour, min, sec   int64
}

// local returns the seconds since 1970-01-01T00:00:00 on the clock. A day of -1 is the last one of the month.
func (w *wallClock) local() (int64, error) {
	day, last := w.day, daysIn(w.year, w.month)
	if day < 0 {
		day = last
	} else if day > last {
		return 0, boxerr.Luajit(fmt.Sprintf("invalid number of days %d in month %d for %d", day, w.month, w.year))
	}
	days := daysOf(w.year, w.month, day)
	switch {
	case days*secondsPerDay < minEpoch:
		return 0, boxerr.Luajit(fmt.Sprintf("date %d-%02d-%02d is less than minimum allowed %s", w.year, w.month, day, minDate))
	case days*secondsPerDay > maxEpoch:
		return 0, boxerr.Luajit(fmt.Sprintf("date %d-%02d-%02d is greater than maximum allowed %s", w.year, w.month, day, maxDate))
	}
	return days*secondsPerDay + w.hour*3600 + w.min*60 + w.sec, nil
}

// read takes what f has of a wall clock, and reports whether it has any of the date and of the time.
func (w *wallClock) read(f Fields) (hasDate, hasTime bool, err error) {
	for _, c := range []struct {
		name             string
		low, high, extra int64
		v                *int64
		has              *bool
	}{
		{"year", minYear, maxYear, 0, &w.year, &hasDate},
		{"month", 1, 12, 0, &w.month, &hasDate},
		{"day", 1, 31, -1, &w.day, &hasDate},
		{"hour", 0, 23, 0, &w.hour, &hasTime},
		{"min", 0, 59, 0, &w.min, &hasTime},
		{"sec", 0, 60, 0, &w.sec, &hasTime},
	} {
		ok, err := f.integer(c.name, c.low, c.high, c.extra, c.v)
		if err != nil {
			return false, false, err
		}
		*c.has = *c.has || ok
	}
	return hasDate, hasTime, nil
}

// subSecond is the names of the fields that are a part of a second, with their nanoseconds.
var subSecond = [...]struct {
	name  string
	nanos float64
}{{"nsec", 1}, {"usec", 1e3}, {"msec", 1e6}}

// nanoseconds returns nsec, usec or msec in nanoseconds. Each may be up to limit nanoseconds, in both directions if the
// limit is that of an interval.
func (f Fields) nanoseconds(low, limit float64) (nsec int64, ok bool, err error) {
	count := 0
	for _, s := range subSecond {
		if f[s.name] != nil {
			count++
		}
	}
	if count > 1 {
		return 0, false, boxerr.Luajit("only one of nsec, usec or msecs may be defined simultaneously")
	}
	for _, s := range subSecond {
		var v float64
		has, err := f.ranged(s.name, math.Ceil(low/s.nanos), math.Floor(limit/s.nanos), &v)
		if err != nil {
			return 0, false, err
		}
		if has {
			nsec, ok = int64(v*s.nanos), true
		}
	}
	return nsec, ok, nil
}

// timestamp returns the field of that name as whole seconds and nanoseconds. It excludes a date and a time, and a
// fraction excludes nanoseconds of its own.
func (f Fields) timestamp(hasDate, hasTime, hasNsec bool) (seconds, nsec int64, err error) {
	switch {
	case hasDate:
		return 0, 0, boxerr.Luajit("timestamp is not allowed if year/month/day provided")
	case hasTime:
		return 0, 0, boxerr.Luajit("timestamp is not allowed if hour/min/sec provided")
	}
	ts, ok := toFloat(f["timestamp"])
	if !ok {
		return 0, 0, boxerr.Luajit("bad timestamp ('number' expected, got '" + luaType(f["timestamp"]) + "')")
	}
	whole := math.Floor(ts)
	if hasNsec && whole != ts {
		return 0, 0, boxerr.Luajit("only integer values allowed in timestamp if nsec, usec, or msecs provided")
	}
	if !(whole >= minEpoch && whole <= maxEpoch) {
		return 0, 0, rangeError(ts, "timestamp", fmt.Sprintf("%d, %d", int64(minEpoch), int64(maxEpoch)))
	}
	return int64(whole), int64((ts - whole) * nanosPerSec), nil
}

// offset returns tzoffset in minutes.
func (f Fields) offset() (offset int16, ok bool, err error) {
	switch v := f["tzoffset"].(type) {
	case nil:
		return 0, false, nil
	case string:
		offset, err = ParseOffset(v)
		return offset, err == nil, err
	default:
		if _, isNumber := toFloat(v); !isNumber {
			return 0, false, boxerr.Luajit("tzoffset: string or number expected, but received " + luaType(v))
		}
	}
	var v int64
	ok, err = f.integer("tzoffset", minOffset, maxOffset, 0, &v)
	return int16(v), ok, err
}

// zone returns the name of tz, "" if it is not given.
func (f Fields) zone() (string, error) {
	switch v := f["tz"].(type) {
	case nil:
		return "", nil
	case string:
		if v == "" {
			return "", zoneUnknown.error(v)
		}
		return v, nil
	default:
		return "", boxerr.Luajit("parse_tzname(): expected string, but received " + luaType(v))
	}
}

// NewDatetime makes a datetime of the given parts: those of a wall clock, of which missing ones are those of
// 1970-01-01T00:00:00, or a timestamp, the seconds since then on that clock. A tz outweighs a tzoffset.
func NewDatetime(f Fields) (Datetime, error) {
	var d Datetime
	w := wallClock{year: 1970, month: 1, day: 1}
	if err := d.assign(f, &w, false); err != nil {
		return Datetime{}, err
	}
	return d, nil
}

// Set returns d with the given parts changed and the others kept. A new tz or tzoffset keeps the wall clock. A new offset
// doesn't change the zone's name, as in the reference.
func (d Datetime) Set(f Fields) (Datetime, error) {
	var w wallClock
	w.year, w.month, w.day = d.Date()
	w.hour, w.min, w.sec = d.Clock()
	if err := d.assign(f, &w, true); err != nil {
		return Datetime{}, err
	}
	return d, nil
}

// assign changes d by f. w is the wall clock to start from.
func (d *Datetime) assign(f Fields, w *wallClock, keepZone bool) error {
	hasDate, hasTime, err := w.read(f)
	if err != nil {
		return err
	}
	nsec, hasNsec, err := f.nanoseconds(0, nanosPerSec)
	if err != nil {
		return err
	}
	var local int64
	if f["timestamp"] != nil {
		fraction := int64(0)
		if local, fraction, err = f.timestamp(hasDate, hasTime, hasNsec); err != nil {
			return err
		}
		if !hasNsec {
			nsec, hasNsec = fraction, true
		}
	}
	offset, hasOffset, err := f.offset()
	if err != nil {
		return err
	}
	if f["timestamp"] == nil {
		if local, err = w.local(); err != nil {
			return err
		}
	}
	zoneName, err := f.zone()
	switch {
	case err != nil:
		return err
	case zoneName != "":
		if err := d.setZone(zoneName, local); err != nil {
			return err
		}
	case hasOffset:
		d.TZOffset = offset
	case keepZone:
		if z := zoneAt(d.TZIndex); z != nil && z.region {
			d.TZOffset, _ = z.at(local)
		}
	}
	if hasNsec {
		d.Nsec = int32(nsec)
	}
	d.Epoch = local - int64(d.TZOffset)*60
	if !d.valid() {
		return rangeError(float64(d.Epoch), "epoch", strconv.Itoa(minEpoch)+", "+strconv.Itoa(maxEpoch))
	}
	return nil
}

// NewInterval makes an interval of the given parts; missing ones are zero. The adjust is "none", "last" or "excess".
func NewInterval(f Fields) (Interval, error) {
	i := Interval{Adjust: AdjustNone}
	for n, v := range i.fields() {
		name, bound := intervalFields[n], intervalBounds[n]
		if v == &i.Nsec {
			break
		}
		x, ok, err := f.number(name)
		switch {
		case err != nil:
			return Interval{}, err
		case !ok:
			continue
		case !(math.Abs(x) < bound):
			return Interval{}, rangeError(x, name, numberText(-bound)+", "+numberText(bound))
		case x != math.Trunc(x) && name != "week":
			return Interval{}, boxerr.Luajit(name + ": integer value expected, but received number")
		}
		*v = int64(x)
	}
	nsec, _, err := f.nanoseconds(-maxNsecs, maxNsecs)
	if err != nil {
		return Interval{}, err
	}
	i.Nsec = nsec
	if name, ok := f["adjust"].(string); ok {
		for a, known := range adjustNames {
			if name == known {
				i.Adjust = Adjust(a)
			}
		}
	}
	return i, nil
}

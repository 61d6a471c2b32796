package mpext

import (
	"cmp"
	"math"
	"strconv"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// Adjust says which day an addition of months ends at when the month is too short.
type Adjust uint8

// The ways to adjust, with their numbers in encoded intervals.
const (
	AdjustExcess Adjust = iota // the days too many count into the next month
	AdjustNone                 // the last day of the month
	AdjustLast                 // that too, and the last day of a month stays the last one
)

var adjustNames = [...]string{"excess", "none", "last"}

// String returns the name of a: "excess", "none" or "last".
func (a Adjust) String() string {
	if int(a) < len(adjustNames) {
		return adjustNames[a]
	}
	return strconv.Itoa(int(a))
}

// Interval is a difference of times, field by field: nothing is carried from one to another, and any may be negative.
type Interval struct {
	Year, Month, Week, Day, Hour, Min, Sec, Nsec int64

	Adjust Adjust
}

func init() { register(IntervalType, DecodeInterval) }

// The bounds of the fields of an Interval, in their order; the same in both directions.
const (
	daysPerYear = 365.25

	maxYears  = maxYear - minYear
	maxMonths = maxYears * 12
	maxDays   = maxYears * daysPerYear
	maxHours  = maxDays * 24
	maxMins   = maxHours * 60
	maxSecs   = maxDays * secondsPerDay
	maxNsecs  = math.MaxInt32
)

var intervalBounds = [...]float64{maxYears, maxMonths, maxDays / 7, maxDays, maxHours, maxMins, maxSecs, maxNsecs}

// The names of the fields, in singular for programs and in plural for texts.
var (
	intervalFields = [...]string{"year", "month", "week", "day", "hour", "min", "sec", "nsec"}
	intervalUnits  = [...]string{"years", "months", "weeks", "days", "hours", "minutes", "seconds", "nanoseconds"}
)

// fields returns the fields in their order, which is that of their keys in an encoded interval.
func (i *Interval) fields() [8]*int64 {
	return [...]*int64{&i.Year, &i.Month, &i.Week, &i.Day, &i.Hour, &i.Min, &i.Sec, &i.Nsec}
}

// AppendText appends the fields that aren't zero: "+1 hours, -2 minutes". Only the first shows a plus sign.
func (i Interval) AppendText(b []byte) []byte {
	start := len(b)
	for n, f := range i.fields() {
		isSeconds := f == &i.Sec
		if *f == 0 && !(isSeconds && len(b) == start) {
			continue
		}
		if len(b) > start {
			b = append(b, ", "...)
		} else if *f >= 0 {
			b = append(b, '+')
		}
		b = strconv.AppendInt(b, *f, 10)
		b = append(b, ' ')
		b = append(b, intervalUnits[n]...)
	}
	return b
}

// String returns the fields that aren't zero: "+1 hours, -2 minutes". Only the first shows a plus sign.
func (i Interval) String() string {
	var buf [128]byte
	return string(i.AppendText(buf[:0]))
}

// Compare returns -1, 0 or 1. It compares field by field from years to nanoseconds: a minute is more than 61 seconds.
func (i Interval) Compare(j Interval) int {
	jf := j.fields()
	for n, f := range i.fields() {
		if c := cmp.Compare(*f, *jf[n]); c != 0 {
			return c
		}
	}
	return 0
}

// Add returns i + j with the Adjust of i. It fails if a field goes out of its range.
func (i Interval) Add(j Interval) (Interval, error) { return i.combine(j, 1, "addition") }

// Sub returns i - j with the Adjust of i. It fails if a field goes out of its range.
func (i Interval) Sub(j Interval) (Interval, error) { return i.combine(j, -1, "subtraction") }

func (i Interval) combine(j Interval, direction int64, operation string) (Interval, error) {
	jf := j.fields()
	for n, f := range i.fields() {
		*f += direction * *jf[n]
		if bound := intervalBounds[n]; math.Abs(float64(*f)) > bound {
			return Interval{}, boxerr.Luajit(operation + " moves value " + strconv.FormatInt(*f, 10) + " of " + intervalFields[n] +
				" out of allowed range [" + numberText(-bound) + ", " + numberText(bound) + "]")
		}
	}
	return i, nil
}

// numberText returns v as Lua prints a number.
func numberText(v float64) string { return strconv.FormatFloat(v, 'g', 14, 64) }

// The keys of an encoded interval behind those of the fields, which are numbered from 0.
const adjustKey = 8

// AppendMsgpack appends the extension value: the number of pairs, then pairs of a key and an integer for what isn't zero.
func (i Interval) AppendMsgpack(b []byte) []byte {
	var buf [1 + 9*10]byte
	data := buf[:1]
	for key, f := range i.fields() {
		if *f != 0 {
			data[0]++
			data = msgpack.AppendInt(append(data, byte(key)), *f)
		}
	}
	if i.Adjust != 0 {
		data[0]++
		data = append(data, adjustKey, byte(i.Adjust))
	}
	return msgpack.AppendExt(b, IntervalType, data)
}

// DecodeInterval reads the data of an extension value and checks its ranges.
func DecodeInterval(data []byte) (Interval, bool) {
	var i Interval
	if len(data) == 0 || data[0] > adjustKey+1 {
		return Interval{}, false
	}
	fields := i.fields()
	pairs, rest := data[0], data[1:]
	for range pairs {
		key, next, ok := msgpack.ReadUint(rest)
		if !ok || key > adjustKey {
			return Interval{}, false
		}
		v, next, ok := msgpack.ReadInt(next)
		if !ok {
			return Interval{}, false
		}
		rest = next
		if key == adjustKey {
			if v < 0 || v > int64(AdjustLast) {
				return Interval{}, false
			}
			i.Adjust = Adjust(v)
			continue
		}
		if math.Abs(float64(v)) > intervalBounds[key] {
			return Interval{}, false
		}
		*fields[key] = v
	}
	return i, len(rest) == 0
}

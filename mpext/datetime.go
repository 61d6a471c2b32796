package mpext

import (
	"cmp"
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"github.com/lycosadb/lycosa/msgpack"
)

// Datetime is an instant with the offset from UTC, and perhaps the zone, in which it is shown. Two of them are equal if
// the instants are. The zero value is 1970-01-01T00:00:00Z.
type Datetime struct {
	Epoch    int64 // seconds since 1970-01-01T00:00:00Z, leap seconds not counted
	Nsec     int32 // nanoseconds of the second, from 0 to 1e9
	TZOffset int16 // offset from UTC in minutes, from -720 to 840
	TZIndex  int16 // number of the zone (see ZoneName), 0 if only the offset is known
}

func init() { register(DatetimeType, DecodeDatetime) }

// The first and the last second of a Datetime: the days are those that an int32 counts from 0001-01-01 as day 1.
const (
	daysTo1970 = 719163
	minEpoch   = (math.MinInt32 - daysTo1970) * secondsPerDay
	maxEpoch   = (math.MaxInt32-daysTo1970)*secondsPerDay + secondsPerDay - 1

	minYear, maxYear = -5879610, 5879611
	minDate, maxDate = "-5879610-06-22", "5879611-07-11"
)

// Now returns the current time with the offset of the local zone.
func Now() Datetime {
	t := time.Now()
	_, offset := t.Zone()
	return Datetime{Epoch: t.Unix(), Nsec: int32(t.Nanosecond() / 1000 * 1000), TZOffset: int16(offset / 60)}
}

// local returns the wall clock as seconds since 1970-01-01T00:00:00 on it.
func (d Datetime) local() int64 { return d.Epoch + int64(d.TZOffset)*60 }

// valid reports whether all fields are in their ranges.
func (d Datetime) valid() bool {
	return d.Epoch >= minEpoch && d.Epoch <= maxEpoch && d.Nsec >= 0 && d.Nsec <= nanosPerSec &&
		d.TZOffset >= minOffset && d.TZOffset <= maxOffset && (d.TZIndex == 0 || zoneAt(d.TZIndex) != nil)
}

// Time returns the instant in a zone with d's offset.
func (d Datetime) Time() time.Time {
	return time.Unix(d.Epoch, int64(d.Nsec)).In(time.FixedZone(ZoneName(d.TZIndex), int(d.TZOffset)*60))
}

// Timestamp returns the seconds since 1970-01-01T00:00:00Z.
func (d Datetime) Timestamp() float64 { return float64(d.Epoch) + float64(d.Nsec)/1e9 }

// Date returns the date on the wall clock.
func (d Datetime) Date() (year, month, day int64) {
	return dateOf(floorDiv(d.local(), secondsPerDay))
}

// Clock returns the time of day on the wall clock.
func (d Datetime) Clock() (hour, minute, second int64) {
	s := floorMod(d.local(), secondsPerDay)
	return s / 3600, s / 60 % 60, s % 60
}

// Weekday returns the day of the week, from 1 for Monday to 7 for Sunday.
func (d Datetime) Weekday() int64 { return weekday(floorDiv(d.local(), secondsPerDay)) }

// YearDay returns the day of the year, from 1.
func (d Datetime) YearDay() int64 {
	days := floorDiv(d.local(), secondsPerDay)
	year, _, _ := dateOf(days)
	return days - daysOf(year, 1, 1) + 1
}

// ISOWeek returns the week and the year that it belongs to by ISO 8601.
func (d Datetime) ISOWeek() (year, week int64) { return isoWeek(floorDiv(d.local(), secondsPerDay)) }

// Zone returns the name of the zone, "" if only the offset is known.
func (d Datetime) Zone() string { return ZoneName(d.TZIndex) }

// IsDST reports whether the zone has summer time at d.
func (d Datetime) IsDST() bool {
	z := zoneAt(d.TZIndex)
	if z == nil {
		return false
	}
	_, dst := z.at(d.Epoch)
	return dst
}

// Compare returns -1, 0 or 1 as the instant d is before, at or after e.
func (d Datetime) Compare(e Datetime) int {
	if c := cmp.Compare(d.Epoch, e.Epoch); c != 0 {
		return c
	}
	return cmp.Compare(d.Nsec, e.Nsec)
}

// AppendText appends the text form of ISO 8601, with the name of the zone instead of the offset if there is one.
func (d Datetime) AppendText(b []byte) []byte {
	year, month, day := d.Date()
	hour, minute, second := d.Clock()
	b = appendPadded(b, year, 4)
	b = append(b, '-')
	b = appendPadded(b, month, 2)
	b = append(b, '-')
	b = appendPadded(b, day, 2)
	b = append(b, 'T')
	b = appendPadded(b, hour, 2)
	b = append(b, ':')
	b = appendPadded(b, minute, 2)
	b = append(b, ':')
	b = appendPadded(b, second, 2)
	if d.Nsec != 0 {
		b = appendFraction(append(b, '.'), d.Nsec)
	}
	switch name := d.Zone(); {
	case len(name) == 1:
		return append(b, name...)
	case name != "":
		return append(append(b, ' '), name...)
	case d.TZOffset == 0:
		return append(b, 'Z')
	}
	return appendOffset(b, d.TZOffset)
}

// String returns the text form of ISO 8601, with the name of the zone instead of the offset if there is one.
func (d Datetime) String() string {
	var buf [64]byte
	return string(d.AppendText(buf[:0]))
}

// appendPadded appends v with zeros up to a width that counts the sign, as printf's %04d does.
func appendPadded(b []byte, v int64, width int) []byte {
	if v < 0 {
		b = append(b, '-')
		v, width = -v, width-1
	}
	var buf [20]byte
	digits := strconv.AppendInt(buf[:0], v, 10)
	for range width - len(digits) {
		b = append(b, '0')
	}
	return append(b, digits...)
}

// appendFraction appends nanoseconds in three, six or nine digits, as few as show them exactly.
func appendFraction(b []byte, nsec int32) []byte {
	switch {
	case nsec%1_000_000 == 0:
		return appendPadded(b, int64(nsec/1_000_000), 3)
	case nsec%1000 == 0:
		return appendPadded(b, int64(nsec/1000), 6)
	}
	return appendPadded(b, int64(nsec), 9)
}

// appendOffset appends an offset in minutes as ±hhmm.
func appendOffset(b []byte, offset int16) []byte {
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	b = appendPadded(append(b, sign), int64(offset/60), 2)
	return appendPadded(b, int64(offset%60), 2)
}

// The sizes of an encoded datetime: only the seconds, or all fields.
const (
	shortDatetime = 8
	longDatetime  = 16
)

// AppendMsgpack appends the extension value, in little-endian order: the seconds in eight bytes, and unless all of them
// are zero the nanoseconds in four, the offset in two and the zone in two.
func (d Datetime) AppendMsgpack(b []byte) []byte {
	if d.Nsec == 0 && d.TZOffset == 0 && d.TZIndex == 0 {
		b = msgpack.AppendExtHeader(b, DatetimeType, shortDatetime)
		return binary.LittleEndian.AppendUint64(b, uint64(d.Epoch))
	}
	b = msgpack.AppendExtHeader(b, DatetimeType, longDatetime)
	b = binary.LittleEndian.AppendUint64(b, uint64(d.Epoch))
	b = binary.LittleEndian.AppendUint32(b, uint32(d.Nsec))
	b = binary.LittleEndian.AppendUint16(b, uint16(d.TZOffset))
	return binary.LittleEndian.AppendUint16(b, uint16(d.TZIndex))
}

// DecodeDatetime reads the data of an extension value and checks its ranges.
func DecodeDatetime(data []byte) (Datetime, bool) {
	if len(data) != shortDatetime && len(data) != longDatetime {
		return Datetime{}, false
	}
	d := Datetime{Epoch: int64(binary.LittleEndian.Uint64(data))}
	if len(data) == longDatetime {
		d.Nsec = int32(binary.LittleEndian.Uint32(data[8:]))
		d.TZOffset = int16(binary.LittleEndian.Uint16(data[12:]))
		d.TZIndex = int16(binary.LittleEndian.Uint16(data[14:]))
	}
	if !d.valid() {
		return Datetime{}, false
	}
	return d, true
}

// CompareDatetimeData compares the data of two extension values in place. Data of a wrong size counts as zero.
func CompareDatetimeData(a, b []byte) int {
	if c := cmp.Compare(datetimeSeconds(a), datetimeSeconds(b)); c != 0 {
		return c
	}
	return cmp.Compare(datetimeNanos(a), datetimeNanos(b))
}

func datetimeSeconds(data []byte) int64 {
	if len(data) < shortDatetime {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(data))
}

func datetimeNanos(data []byte) int32 {
	if len(data) < longDatetime {
		return 0
	}
	return int32(binary.LittleEndian.Uint32(data[8:]))
}

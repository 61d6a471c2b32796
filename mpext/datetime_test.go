package mpext

import (
	"encoding/hex"
	"math"
	"testing"
	"time"

	"github.com/lycosadb/lycosa/msgpack"
)

func newDatetime(t testing.TB, f Fields) Datetime {
	t.Helper()
	d, err := NewDatetime(f)
	if err != nil {
		t.Fatalf("NewDatetime(%v): %v", f, err)
	}
	return d
}

func TestCalendar(t *testing.T) {
	if d := daysOf(minYear, 6, 22); d != math.MinInt32-daysTo1970 {
		t.Error("first day:", d)
	}
	if d := daysOf(maxYear, 7, 11); d != math.MaxInt32-daysTo1970 {
		t.Error("last day:", d)
	}
	for days := int64(-800_000); days < 800_000; days += 37 {
		year, month, day := dateOf(days)
		if back := daysOf(year, month, day); back != days {
			t.Fatalf("day %d is %d-%d-%d, which is day %d", days, year, month, day, back)
		}
		want := time.Unix(days*secondsPerDay, 0).UTC()
		if y, m, d := want.Date(); int64(y) != year || int64(m) != month || int64(d) != day {
			t.Fatalf("day %d is %d-%d-%d, want %v", days, year, month, day, want)
		}
		if w := (int64(want.Weekday())+6)%7 + 1; weekday(days) != w {
			t.Fatalf("%v: weekday %d, want %d", want, weekday(days), w)
		}
		y, w := isoWeek(days)
		if wy, ww := want.ISOWeek(); int64(wy) != y || int64(ww) != w {
			t.Fatalf("%v: week %d of %d, want %d of %d", want, w, y, ww, wy)
		}
	}
}

func TestNewDatetime(t *testing.T) {
	for _, c := range []struct {
		f    Fields
		want string
	}{
		{nil, "1970-01-01T00:00:00Z"},
		{Fields{"year": 2024, "month": 2, "day": 29, "hour": 12, "min": 34, "sec": 56, "nsec": 123456789, "tzoffset": 180}, "2024-02-29T12:34:56.123456789+0300"},
		{Fields{"year": 2000.0}, "2000-01-01T00:00:00Z"}, {Fields{"month": 3, "day": 1}, "1970-03-01T00:00:00Z"},
		{Fields{"timestamp": 1.5}, "1970-01-01T00:00:01.500Z"}, {Fields{"timestamp": -1}, "1969-12-31T23:59:59Z"},
		{Fields{"timestamp": -1.5}, "1969-12-31T23:59:58.500Z"}, {Fields{"timestamp": 0, "tzoffset": -90}, "1970-01-01T00:00:00-0130"},
		{Fields{"timestamp": 1e9, "nsec": 5}, "2001-09-09T01:46:40.000000005Z"}, {Fields{"day": 31, "month": 12, "year": 9999}, "9999-12-31T00:00:00Z"},
		{Fields{"year": -1}, "-001-01-01T00:00:00Z"}, {Fields{"year": 1, "month": 1, "day": 1}, "0001-01-01T00:00:00Z"},
		{Fields{"usec": 5}, "1970-01-01T00:00:00.000005Z"}, {Fields{"msec": 5}, "1970-01-01T00:00:00.005Z"}, {Fields{"sec": 60}, "1970-01-01T00:01:00Z"},
		{Fields{"day": -1, "month": 2, "year": 2023}, "2023-02-28T00:00:00Z"}, {Fields{"tzoffset": "+0530"}, "1970-01-01T00:00:00+0530"},
		{Fields{"tzoffset": "+05:30"}, "1970-01-01T00:00:00+0530"}, {Fields{"tz": "Europe/Moscow"}, "1970-01-01T00:00:00 Europe/Moscow"},
		{Fields{"tz": "MSK"}, "1970-01-01T00:00:00 MSK"}, {Fields{"tz": "Z"}, "1970-01-01T00:00:00Z"}, {Fields{"year": 12345}, "12345-01-01T00:00:00Z"},
		{Fields{"year": -44}, "-044-01-01T00:00:00Z"}, {Fields{"tzoffset": 840}, "1970-01-01T00:00:00+1400"}, {Fields{"foo": 1}, "1970-01-01T00:00:00Z"},
		{Fields{"tz": "Pacific/Enderbury"}, "1970-01-01T00:00:00 Pacific/Kanton"},
	} {
		if got := newDatetime(t, c.f).String(); got != c.want {
			t.Errorf("%v = %s, want %s", c.f, got, c.want)
		}
	}
}

func TestNewDatetimeErrors(t *testing.T) {
	for _, c := range []struct {
		f    Fields
		want string
	}{
		{Fields{"month": 0}, "value 0 of month is out of allowed range [1, 12]"},
		{Fields{"month": 13}, "value 13 of month is out of allowed range [1, 12]"},
		{Fields{"day": 32}, "value 32 of day is out of allowed range [-1, 1..31]"},
		{Fields{"day": 0}, "value 0 of day is out of allowed range [-1, 1..31]"},
		{Fields{"day": -2}, "value -2 of day is out of allowed range [-1, 1..31]"},
		{Fields{"hour": 24}, "value 24 of hour is out of allowed range [0, 23]"},
		{Fields{"min": 60}, "value 60 of min is out of allowed range [0, 59]"},
		{Fields{"sec": 61}, "value 61 of sec is out of allowed range [0, 60]"},
		{Fields{"nsec": 1e9 + 1}, "value 1000000001 of nsec is out of allowed range [0, 1000000000]"},
		{Fields{"nsec": -1}, "value -1 of nsec is out of allowed range [0, 1000000000]"},
		{Fields{"msec": 1001}, "value 1001 of msec is out of allowed range [0, 1000]"},
		{Fields{"usec": 1e6 + 1}, "value 1000001 of usec is out of allowed range [0, 1000000]"},
		{Fields{"year": 1e8}, "value 100000000 of year is out of allowed range [-5879610, 5879611]"},
		{Fields{"year": -1e8}, "value -100000000 of year is out of allowed range [-5879610, 5879611]"},
		{Fields{"tzoffset": 841}, "value 841 of tzoffset is out of allowed range [-720, 840]"},
		{Fields{"tzoffset": -721}, "value -721 of tzoffset is out of allowed range [-720, 840]"},
		{Fields{"tzoffset": "xx"}, "invalid time-zone format xx"},
		{Fields{"tz": "No/Where"}, "could not parse 'No/Where'"},
		{Fields{"tz": "EST"}, "could not parse 'EST' - ambiguous timezone"},
		{Fields{"tz": 5}, "parse_tzname(): expected string, but received number"},
		{Fields{"day": 30, "month": 2}, "invalid number of days 30 in month 2 for 1970"},
		{Fields{"day": 29, "month": 2, "year": 2023}, "invalid number of days 29 in month 2 for 2023"},
		{Fields{"nsec": 1, "usec": 1}, "only one of nsec, usec or msecs may be defined simultaneously"},
		{Fields{"timestamp": 1, "year": 2000}, "timestamp is not allowed if year/month/day provided"},
		{Fields{"timestamp": 1, "hour": 1}, "timestamp is not allowed if hour/min/sec provided"},
		{Fields{"timestamp": 1.5, "nsec": 1}, "only integer values allowed in timestamp if nsec, usec, or msecs provided"},
		{Fields{"year": "x"}, "numeric value expected, but received string"},
		{Fields{"hour": map[any]any{}}, "numeric value expected, but received table"},
		{Fields{"timestamp": "x"}, "bad timestamp ('number' expected, got 'string')"},
		{Fields{"year": 2000.5}, "year: integer value expected, but received number"},
		{Fields{"year": math.NaN()}, "value NaN of year is out of allowed range [-5879610, 5879611]"},
		{Fields{"year": maxYear, "month": 12}, "date 5879611-12-01 is greater than maximum allowed 5879611-07-11"},
		{Fields{"year": minYear}, "date -5879610-01-01 is less than minimum allowed -5879610-06-22"},
	} {
		if d, err := NewDatetime(c.f); err == nil || err.Error() != c.want {
			t.Errorf("%v = %s, %v, want the error %s", c.f, d, err, c.want)
		}
	}
}

func TestDatetimeFields(t *testing.T) {
	d := newDatetime(t, Fields{"year": 2024, "month": 2, "day": 29, "hour": 12, "min": 34, "sec": 56, "nsec": 123456789, "tzoffset": 180})
	if d.Epoch != 1709199296 || d.Timestamp() != 1709199296.123456789 || d.Weekday() != 4 || d.YearDay() != 60 || d.Zone() != "" || d.IsDST() {
		t.Error(d.Epoch, d.Timestamp(), d.Weekday(), d.YearDay(), d.Zone(), d.IsDST())
	}
	if u := d.Time().UTC(); !u.Equal(time.Date(2024, 2, 29, 9, 34, 56, 123456789, time.UTC)) {
		t.Error("Time:", u)
	}
}

func TestZones(t *testing.T) {
	for _, c := range []struct {
		tz             string
		winter, summer int16
		winterDST, dst bool
	}{
		{"Europe/Moscow", 180, 180, false, false}, {"America/New_York", -300, -240, false, true}, {"Asia/Kolkata", 330, 330, false, false},
		{"UTC", 0, 0, false, false}, {"GMT", 0, 0, false, false}, {"CET", 60, 60, false, true}, {"MSK", 180, 180, false, false}, {"Z", 0, 0, false, false},
	} {
		w, s := newDatetime(t, Fields{"year": 2024, "month": 1, "tz": c.tz}), newDatetime(t, Fields{"year": 2024, "month": 7, "tz": c.tz})
		if w.TZOffset != c.winter || s.TZOffset != c.summer || w.IsDST() != c.winterDST || s.IsDST() != c.dst {
			t.Errorf("%s: %d, %d, %v, %v", c.tz, w.TZOffset, s.TZOffset, w.IsDST(), s.IsDST())
		}
	}
	if i, ok := ZoneIndex("Europe/Moscow"); !ok || ZoneName(i) != "Europe/Moscow" {
		t.Error("Europe/Moscow is", i)
	}
	if i, ok := ZoneIndex("Pacific/Wallis"); !ok || i != 1011 {
		t.Error("Pacific/Wallis is", i)
	}
	count := 0
	for index, name := range Zones {
		z := zoneAt(index)
		if z.at(0); z.region && z.location == nil {
			t.Errorf("%s (%s) is not in the tz database", z.name, name)
		}
		count++
	}
	if count < 800 {
		t.Error(count, "zones")
	}
}

func TestSet(t *testing.T) {
	d := newDatetime(t, Fields{"year": 2023, "month": 1, "day": 31, "hour": 10})
	for _, c := range []struct {
		f    Fields
		want string
	}{
		{Fields{"month": 3}, "2023-03-31T10:00:00Z"}, {Fields{"min": 30, "sec": 15}, "2023-03-31T10:30:15Z"}, {Fields{"nsec": 5}, "2023-03-31T10:30:15.000000005Z"},
		{Fields{"nsec": 0}, "2023-03-31T10:30:15Z"}, {Fields{"tzoffset": 180}, "2023-03-31T10:30:15+0300"}, {Fields{"tz": "UTC"}, "2023-03-31T10:30:15 UTC"},
		{Fields{"tzoffset": "-0330"}, "2023-03-31T10:30:15 UTC"}, {Fields{"timestamp": 0}, "1970-01-01T00:00:00 UTC"},
		{Fields{"timestamp": 86400.25, "tzoffset": 60}, "1970-01-02T00:00:00.250 UTC"}, {Fields{"year": 2024, "month": 2, "day": -1}, "2024-02-29T00:00:00.250 UTC"},
		{Fields{"day": 1}, "2024-02-01T00:00:00.250 UTC"}, {Fields{}, "2024-02-01T00:00:00.250 UTC"}, {Fields{"tz": "Asia/Tokyo"}, "2024-02-01T00:00:00.250 Asia/Tokyo"},
	} {
		next, err := d.Set(c.f)
		if err != nil || next.String() != c.want {
			t.Errorf("%s:set(%v) = %s, %v, want %s", d, c.f, next, err, c.want)
		}
		d = next
	}
	d = newDatetime(t, Fields{"year": 2023, "day": 31})
	if _, err := d.Set(Fields{"month": 2}); err == nil || err.Error() != "invalid number of days 31 in month 2 for 2023" {
		t.Error(err)
	}
	if _, err := d.Set(Fields{"hour": 25}); err == nil || err.Error() != "value 25 of hour is out of allowed range [0, 23]" {
		t.Error(err)
	}
}

func TestParseDatetime(t *testing.T) {
	for _, c := range []struct {
		in, want string
		n        int
	}{
		{"2024-02-29", "2024-02-29T00:00:00Z", 10}, {"20240229", "2024-02-29T00:00:00Z", 8}, {"2024-060", "2024-02-29T00:00:00Z", 8}, {"2024060", "2024-02-29T00:00:00Z", 7},
		{"2024-W09-4", "2024-02-29T00:00:00Z", 10}, {"2024W094", "2024-02-29T00:00:00Z", 8}, {"2024-Q1-60", "2024-02-29T00:00:00Z", 10},
		{"2024-02-29T10:20:30", "2024-02-29T10:20:30Z", 19}, {"2024-02-29 10:20", "2024-02-29T10:20:00Z", 16}, {"2024-02-29T10:20:30Z", "2024-02-29T10:20:30Z", 20},
		{"2024-02-29T10:20:30.5+03:00", "2024-02-29T10:20:30.500+0300", 27}, {"2024-02-29T10:20:30.123456789-0130", "2024-02-29T10:20:30.123456789-0130", 34},
		{"20240229T102030Z", "2024-02-29T10:20:30Z", 16}, {"2024-02-29T10:20:30 Europe/Moscow", "2024-02-29T10:20:30 Europe/Moscow", 33},
		{"2024-02-29T10:20:30 MSK", "2024-02-29T10:20:30 MSK", 23}, {"2024-02-29T10", "2024-02-29T10:00:00Z", 13}, {"2024-02-29T24:00", "2024-03-01T00:00:00Z", 16},
		{"12345-01-01T00:00:00Z", "12345-01-01T00:00:00Z", 21}, {"-001-01-01T00:00:00Z", "-001-01-01T00:00:00Z", 20}, {"-5879610-06-22", "-5879610-06-22T00:00:00Z", 14},
		{"2024-02-29T10:20:30+3", "2024-02-29T10:20:30+0300", 21}, {"2024-02-29T10:20:30Z, then", "2024-02-29T10:20:30Z", 20},
	} {
		d, n, err := ParseDatetime(c.in, 0, "")
		if err != nil || d.String() != c.want || n != c.n {
			t.Errorf("%q = %s, %d, %v, want %s, %d", c.in, d, n, err, c.want, c.n)
		}
	}
	for _, s := range []string{"2024-02-30", "2024-13-01", "2024-02-29T25:00:00", "not a date", "", "2024", "10:20:30", "2024-02-29T10:20:30 Nowhere/City", "2024-02-29x",
		"2024-366x", "2023-366", "2024-W54-1", "2023-W53-1", "2024-Q5-01", "2024-Q1-92", "2024-02-29T24:00:01", "2024-02-29T10:2", "2024-02-29T10:20:30.", "-5879610-06-21", "9999999-01-01",
		"2024-02-29T10:20:30+15:00", "2024-", "2024-W", "2024-Q"} {
		if d, _, err := ParseDatetime(s, 0, ""); err == nil || err.Error() != "could not parse '"+s+"'" {
			t.Errorf("%q = %s, %v, want an error", s, d, err)
		}
	}
	if d, n, err := ParseDatetime("2000-01-01T00:00:00", 60, ""); err != nil || n != 19 || d.String() != "2000-01-01T00:00:00+0100" {
		t.Error("with an offset:", d, n, err)
	}
	if d, n, err := ParseDatetime("2000-01-01T00:00:00", 60, "Europe/Moscow"); err != nil || n != 19 || d.String() != "2000-01-01T00:00:00 Europe/Moscow" || d.TZOffset != 180 {
		t.Error("with a zone:", d, n, err)
	}
	if _, _, err := ParseDatetime("2000-01-01T00:00:00 EST", 0, ""); err == nil || err.Error() != "could not parse '2000-01-01T00:00:00 EST' - ambiguous timezone" {
		t.Error(err)
	}
}

func TestFormat(t *testing.T) {
	d := newDatetime(t, Fields{"year": 2024, "month": 3, "day": 5, "hour": 4, "min": 5, "sec": 6, "nsec": 7000000, "tz": "Europe/Moscow"})
	for format, want := range map[string]string{
		"%Y": "2024", "%y": "24", "%m": "03", "%B": "March", "%b": "Mar", "%h": "Mar", "%d": "05", "%e": " 5", "%j": "065", "%H": "04", "%I": "04", "%M": "05", "%S": "06",
		"%p": "AM", "%A": "Tuesday", "%a": "Tue", "%u": "2", "%w": "2", "%Z": "Europe/Moscow", "%z": "+0300", "%F": "2024-03-05", "%T": "04:05:06", "%D": "03/05/24", "%R": "04:05",
		"%c": "Tue Mar  5 04:05:06 2024", "%x": "03/05/24", "%X": "04:05:06", "%s": "1709611506", "%%": "%", "%f": "007", "%3f": "007", "%6f": "007000", "%9f": "007000000",
		"%n": "\n", "%t": "\t", "%C": "20", "%G": "2024", "%V": "10", "%U": "09", "%W": "10", "%q": "q", "": "", "%": "%", "%FT%T.%3f%z and text": "2024-03-05T04:05:06.007+0300 and text",
		"%Ey %Od": "24 05", "%k": " 4",
	} {
		if got := d.Format(format); got != want {
			t.Errorf("%s gives %q, want %q", format, got, want)
		}
	}
	for _, c := range []struct {
		nsec int
		want string
	}{{1, "2024-01-01T00:00:00.000000001Z"}, {1000, "2024-01-01T00:00:00.000001Z"}, {1000000, "2024-01-01T00:00:00.001Z"}, {100000000, "2024-01-01T00:00:00.100Z"}} {
		if got := newDatetime(t, Fields{"year": 2024, "nsec": c.nsec}).String(); got != c.want {
			t.Errorf("%d ns: %s, want %s", c.nsec, got, c.want)
		}
	}
}

func TestScanDatetime(t *testing.T) {
	for _, c := range []struct {
		in, format, want string
		n                int
	}{
		{"31/12/1999", "%d/%m/%Y", "1999-12-31T00:00:00Z", 10}, {"1999 365 23:59", "%Y %j %H:%M", "1999-12-31T23:59:00Z", 14}, {"1700000000", "%s", "1970-01-01T00:00:00Z", 10},
		{"Tue Mar  5 04:05:06 2024", "%c", "2024-03-05T04:05:06Z", 24}, {"march 5, 99 and more", "%B %d, %y", "1999-03-05T00:00:00Z", 11},
		{"12:30 AM", "%I:%M %p", "1970-01-01T00:30:00Z", 8}, {"12:30 pm", "%I:%M %p", "1970-01-01T12:30:00Z", 8},
		{"2024-03-05T04:05:06.007+0300", "%FT%T.%f%z", "2024-03-05T04:05:06.007+0300", 28}, {"2024-07-01 Europe/Paris", "%F %Z", "2024-07-01T00:00:00 Europe/Paris", 23},
		{"20240305", "%Y%m%d", "2024-03-05T00:00:00Z", 8},
	} {
		d, n, err := ScanDatetime(c.in, c.format)
		if err != nil || d.String() != c.want || n != c.n {
			t.Errorf("%q by %q = %s, %d, %v, want %s, %d", c.in, c.format, d, n, err, c.want, c.n)
		}
	}
	for _, c := range [][2]string{{"1999", "%d/%m/%Y"}, {"30/02/2024", "%d/%m/%Y"}, {"", "%Y"}, {"x", "y"}, {"366 2023", "%j %Y"}, {"25", "%H"}, {"EST", "%Z"}} {
		if d, _, err := ScanDatetime(c[0], c[1]); err == nil || err.Error() != "could not parse '"+c[0]+"' using '"+c[1]+"' format" {
			t.Errorf("%q by %q = %s, %v, want an error", c[0], c[1], d, err)
		}
	}
}

func newInterval(t testing.TB, f Fields) Interval {
	t.Helper()
	i, err := NewInterval(f)
	if err != nil {
		t.Fatalf("NewInterval(%v): %v", f, err)
	}
	return i
}

func TestDatetimeArithmetic(t *testing.T) {
	d := newDatetime(t, Fields{"year": 2024, "month": 1, "day": 31, "hour": 23})
	for _, c := range []struct {
		f    Fields
		sub  bool
		want string
	}{
		{Fields{"month": 1}, false, "2024-02-29T23:00:00Z"}, {Fields{"month": 1, "adjust": "last"}, false, "2024-02-29T23:00:00Z"},
		{Fields{"month": 1, "adjust": "excess"}, false, "2024-03-02T23:00:00Z"}, {Fields{"month": 1, "adjust": "none"}, false, "2024-02-29T23:00:00Z"},
		{Fields{"month": 2}, true, "2023-11-30T23:00:00Z"}, {Fields{"year": 1}, false, "2025-01-31T23:00:00Z"}, {Fields{"day": 1}, false, "2024-02-01T23:00:00Z"},
		{Fields{"hour": 2}, false, "2024-02-01T01:00:00Z"}, {Fields{"sec": 1}, true, "2024-01-31T22:59:59Z"}, {Fields{"nsec": 1}, false, "2024-01-31T23:00:00.000000001Z"},
		{Fields{"nsec": 1}, true, "2024-01-31T22:59:59.999999999Z"}, {Fields{"week": 2}, false, "2024-02-14T23:00:00Z"}, {Fields{"day": 1, "hour": 1}, false, "2024-02-02T00:00:00Z"},
		{Fields{"day": 1, "hour": 1}, true, "2024-01-30T22:00:00Z"}, {Fields{"year": 1, "month": -1}, false, "2024-12-31T23:00:00Z"},
	} {
		op := d.Add
		if c.sub {
			op = d.SubInterval
		}
		got, err := op(newInterval(t, c.f))
		if err != nil || got.String() != c.want {
			t.Errorf("%v, subtracted: %v: %s, %v, want %s", c.f, c.sub, got, err, c.want)
		}
	}
	feb := newDatetime(t, Fields{"year": 2024, "month": 2, "day": -1})
	if got, _ := feb.Add(Interval{Month: 1, Adjust: AdjustLast}); got.String() != "2024-03-31T00:00:00Z" {
		t.Error("a last day stays the last:", got)
	}
	ny := newDatetime(t, Fields{"year": 2024, "month": 3, "day": 10, "hour": 1, "min": 59, "tz": "America/New_York"})
	for f, want := range map[string]string{"min": "2024-03-10T02:00:00 America/New_York", "day": "2024-03-11T01:59:00 America/New_York"} {
		if got, err := ny.Add(newInterval(t, Fields{f: 1})); err != nil || got.String() != want {
			t.Errorf("a %s more is %s, %v, want %s", f, got, err, want)
		}
	}
	if got, _ := ny.Add(Interval{Day: 1}); got.TZOffset != -240 {
		t.Error("offset after the change:", got.TZOffset)
	}
	if _, err := d.Add(Interval{Year: 5879611}); err == nil || err.Error() != "addition makes date greater than maximum allowed 5879611-07-11" {
		t.Error(err)
	}
	if _, err := d.SubInterval(Interval{Day: 4e9}); err == nil || err.Error() != "subtraction makes date less than minimum allowed -5879610-06-22" {
		t.Error(err)
	}
	old := newDatetime(t, Fields{"year": 1950, "hour": 5})
	if got, _ := old.Add(Interval{Month: 1}); got.String() != "1950-02-01T05:00:00Z" {
		t.Error("before 1970:", got)
	}
}

func TestDatetimeSub(t *testing.T) {
	a, b := newDatetime(t, Fields{"year": 2024, "month": 3, "day": 1}), newDatetime(t, Fields{"year": 2023, "month": 12, "day": 31, "hour": 5})
	c := newDatetime(t, Fields{"year": 2024, "month": 2, "day": 29, "hour": 13, "min": 45, "sec": 30, "nsec": 123456789, "tzoffset": 180})
	e := newDatetime(t, Fields{"year": 1969, "month": 12, "day": 31})
	for _, x := range []struct {
		a, b Datetime
		want string
	}{
		{a, b, "+1 years, -9 months, -30 days, -5 hours"}, {b, a, "-1 years, 9 months, 30 days, 5 hours"}, {a, a, "+0 seconds"},
		{c, e, "+55 years, -10 months, -2 days, 13 hours, -135 minutes, 30 seconds, 123456789 nanoseconds"},
	} {
		if got, err := x.a.Sub(x.b); err != nil || got.String() != x.want {
			t.Errorf("%s - %s = %s, %v, want %s", x.a, x.b, got, err, x.want)
		}
	}
}

func TestInterval(t *testing.T) {
	for _, c := range []struct {
		f    Fields
		want string
	}{
		{nil, "+0 seconds"}, {Fields{"year": 1}, "+1 years"}, {Fields{"month": -2, "day": 5}, "-2 months, 5 days"}, {Fields{"week": 1}, "+1 weeks"},
		{Fields{"hour": 1, "min": 2, "sec": 3, "nsec": 4}, "+1 hours, 2 minutes, 3 seconds, 4 nanoseconds"}, {Fields{"sec": -5}, "-5 seconds"},
		{Fields{"sec": 1, "nsec": -1}, "+1 seconds, -1 nanoseconds"}, {Fields{"msec": 5}, "+0 seconds, 5000000 nanoseconds"}, {Fields{"usec": 5}, "+0 seconds, 5000 nanoseconds"},
		{Fields{"days": 1}, "+0 seconds"},
	} {
		if got := newInterval(t, c.f).String(); got != c.want {
			t.Errorf("%v = %s, want %s", c.f, got, c.want)
		}
	}
	for _, c := range []struct {
		f    Fields
		want string
	}{
		{Fields{"year": "x"}, "numeric value expected, but received string"}, {Fields{"nsec": 1, "usec": 1}, "only one of nsec, usec or msecs may be defined simultaneously"},
		{Fields{"year": 1e8}, "value 100000000 of year is out of allowed range [-11759221, 11759221]"}, {Fields{"day": 1.5}, "day: integer value expected, but received number"},
	} {
		if i, err := NewInterval(c.f); err == nil || err.Error() != c.want {
			t.Errorf("%v = %s, %v, want the error %s", c.f, i, err, c.want)
		}
	}
	a, b := newInterval(t, Fields{"day": 1, "hour": 5}), newInterval(t, Fields{"hour": 24, "day": 2})
	if sum, err := a.Add(b); err != nil || sum.String() != "+3 days, 29 hours" {
		t.Error(sum, err)
	}
	if diff, err := a.Sub(b); err != nil || diff.String() != "-1 days, -19 hours" {
		t.Error(diff, err)
	}
	if _, err := (Interval{Year: maxYears}).Add(Interval{Year: 1}); err == nil || err.Error() != "addition moves value 11759222 of year out of allowed range [-11759221, 11759221]" {
		t.Error(err)
	}
	if a.Compare(b) != -1 || a.Compare(a) != 0 || (Interval{Min: 1}).Compare(Interval{Sec: 59}) != 1 || (Interval{Month: 1}).Compare(Interval{Day: 30}) != 1 {
		t.Error("Compare")
	}
}

func TestDatetimeMsgpack(t *testing.T) {
	for _, c := range []struct {
		v    msgpack.Marshaler
		want string
	}{
		{newDatetime(t, Fields{"year": 2024, "month": 2, "day": 29}), "d70400c9df6500000000"}, {newDatetime(t, Fields{"timestamp": 0, "tzoffset": 180}), "d804d0d5ffffffffffff00000000b4000000"},
		{newDatetime(t, Fields{"timestamp": 1.5}), "d80401000000000000000065cd1d00000000"}, {newDatetime(t, Fields{"timestamp": 1.5, "tzoffset": 180}), "d804d1d5ffffffffffff0065cd1db4000000"},
		{newInterval(t, Fields{"day": 1, "hour": -2}), "c7070603030104fe0801"}, {newInterval(t, Fields{"day": 1, "min": -2}), "c7070603030105fe0801"}, {newInterval(t, nil), "c70306010801"},
	} {
		if s := hex.EncodeToString(c.v.AppendMsgpack(nil)); s != c.want {
			t.Errorf("%v is encoded as %s, want %s", c.v, s, c.want)
		}
		back, _, err := msgpack.Decode(c.v.AppendMsgpack(nil))
		if err != nil || back != c.v {
			t.Errorf("%v comes back as %v, %v", c.v, back, err)
		}
	}
	for typ, list := range map[int8][]string{
		DatetimeType: {"", "0102", "000000000000000000", "ffffffffffffff7f", "0000000000000080", "0000000000000000ffffffff00000000", "00000000000000000000000000002c7f", "00000000000000000000000049030000"},
		IntervalType: {"", "01", "010203ff", "010900", "010803", "0a", "0100a161", "0107cf7fffffffffffffff"},
	} {
		for _, bad := range list {
			data, err := hex.DecodeString(bad)
			if err != nil {
				t.Fatal(bad, err)
			}
			if _, ok := msgpack.Check(msgpack.AppendExt(nil, typ, data)); ok {
				t.Errorf("%s of type %d passes Check", bad, typ)
			}
		}
	}
	if got := string(msgpack.AppendText(nil, newDatetime(t, nil).AppendMsgpack(nil))); got != "1970-01-01T00:00:00Z" {
		t.Error("AppendText:", got)
	}
}

func TestCompareDatetime(t *testing.T) {
	a := newDatetime(t, Fields{"year": 2024, "hour": 12})
	b := newDatetime(t, Fields{"year": 2024, "hour": 15, "tzoffset": 180})
	c := newDatetime(t, Fields{"year": 2024, "hour": 12, "nsec": 1})
	for _, x := range []struct {
		a, b Datetime
		want int
	}{{a, b, 0}, {a, c, -1}, {c, b, 1}} {
		_, ad, _, _ := msgpack.ReadExt(x.a.AppendMsgpack(nil))
		_, bd, _, _ := msgpack.ReadExt(x.b.AppendMsgpack(nil))
		if x.a.Compare(x.b) != x.want || CompareDatetimeData(ad, bd) != x.want {
			t.Errorf("%s against %s: %d, %d, want %d", x.a, x.b, x.a.Compare(x.b), CompareDatetimeData(ad, bd), x.want)
		}
	}
}

func FuzzDecodeDatetime(f *testing.F) {
	f.Add([]byte("\xd1\xd5\xff\xff\xff\xff\xff\xff\x00\x65\xcd\x1d\xb4\x00\x00\x00"), "%c %Z %G-%V %U %W %s %9f")
	f.Fuzz(func(t *testing.T, data []byte, format string) {
		d, ok := DecodeDatetime(data)
		if !ok {
			return
		}
		d.Format(format)
		d.IsDST()
		_, again, _, _ := msgpack.ReadExt(d.AppendMsgpack(nil))
		if e, ok := DecodeDatetime(again); !ok || e != d {
			t.Fatalf("%x became %x", data, again)
		}
		if e, err := d.Sub(Datetime{}); err == nil {
			d.SubInterval(e)
			d.Add(e)
		}
	})
}

func FuzzDecodeInterval(f *testing.F) {
	f.Add([]byte{3, 3, 1, 4, 0xfe, 8, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		i, ok := DecodeInterval(data)
		if !ok {
			return
		}
		_, again, _, _ := msgpack.ReadExt(i.AppendMsgpack(nil))
		if j, ok := DecodeInterval(again); !ok || j != i {
			t.Fatalf("%x became %x", data, again)
		}
		Datetime{TZIndex: 774}.Add(i)
		_ = i.String()
	})
}

func FuzzParseDatetime(f *testing.F) {
	for _, s := range []string{"2024-02-29T10:20:30.5+03:00", "2024W094", "2024-Q1-60", "2024-02-29T10:20:30 Europe/Moscow", "-001-01-01T00:00:00Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, n, err := ParseDatetime(s, 0, "")
		if err != nil {
			return
		}
		if n > len(s) {
			t.Fatal(s, n)
		}
		again, _, err := ParseDatetime(d.String(), 0, "")
		if err != nil || again.Compare(d) != 0 && zoneAt(d.TZIndex) == nil {
			t.Fatalf("%q is %s and then %s, %v", s, d, again, err)
		}
	})
}

func FuzzScanDatetime(f *testing.F) {
	f.Add("Tue Mar  5 04:05:06 2024", "%c")
	f.Add("2024-03-05T04:05:06.007+0300", "%FT%T.%f%z")
	f.Fuzz(func(t *testing.T, s, format string) {
		if d, n, err := ScanDatetime(s, format); err == nil && (n > len(s) || !d.valid()) {
			t.Fatal(s, format, d, n)
		}
	})
}

func BenchmarkDatetimeString(b *testing.B) {
	d := newDatetime(b, Fields{"year": 2024, "nsec": 5})
	b.ReportAllocs()
	for b.Loop() {
		_ = d.String()
	}
}

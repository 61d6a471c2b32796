package mpext

import (
	"strings"

	"github.com/lycosadb/lycosa/boxerr"
)

// ScanDatetime reads a datetime at the beginning of s by the directives of strptime, and returns how many bytes it took.
// The directives are those of Format. White space in the format stands for any amount of it. Parts that the format
// doesn't have are those of 1970-01-01T00:00:00Z; %s, %U, %W and the days of the week are read but mean nothing.
func ScanDatetime(s, format string) (Datetime, int, error) {
	sc := scanner{text: s, year: 1970, month: 1, day: 1}
	d, ok := Datetime{}, sc.scan(format)
	if ok {
		d, ok = sc.datetime()
	}
	if !ok {
		return Datetime{}, 0, boxerr.Luajit("could not parse '" + s + "' using '" + format + "' format")
	}
	return d, sc.at, nil
}

// scanner holds what was read of a text so far.
type scanner struct {
	text string
	at   int

	year, month, day     int
	yearDay              int // 0 if not given; then it counts instead of month and day
	hour, minute, second int
	afternoon, hour12    bool
	nsec                 int32
	offset, zone         int16
}

// datetime returns the datetime of the parts.
func (sc *scanner) datetime() (Datetime, bool) {
	var days int64
	n := 1
	if sc.yearDay > 0 {
		days, n = ordinalDays(int64(sc.year), sc.yearDay, n)
	} else {
		days, n = dateDays(int64(sc.year), sc.month, sc.day, n)
	}
	hour := sc.hour
	if sc.hour12 {
		hour %= 12
		if sc.afternoon {
			hour += 12
		}
	}
	local := days*secondsPerDay + int64(hour*3600+sc.minute*60+sc.second)
	d := Datetime{Nsec: sc.nsec, TZOffset: sc.offset, TZIndex: sc.zone}
	if z := zoneAt(sc.zone); z != nil {
		d.TZOffset, _ = z.at(local)
	}
	d.Epoch = local - int64(d.TZOffset)*60
	return d, n > 0 && d.valid()
}

// space skips white space.
func (sc *scanner) space() {
	for sc.at < len(sc.text) && isSpace(sc.text[sc.at]) {
		sc.at++
	}
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

// number reads up to width digits, with white space before them, as a number from low to high.
func (sc *scanner) number(width, low, high int, v *int) bool {
	sc.space()
	n := min(countDigits(sc.text[sc.at:]), width)
	if n == 0 {
		return false
	}
	x := number(sc.text[sc.at : sc.at+n])
	if x < low || x > high {
		return false
	}
	sc.at += n
	*v = x
	return true
}

// name reads one of the names, in full or its first three letters, of any case, and returns its number from 0.
func (sc *scanner) name(names []string) (int, bool) {
	rest := sc.text[sc.at:]
	for i, name := range names {
		for _, n := range [...]int{len(name), 3} {
			if len(rest) >= n && strings.EqualFold(rest[:n], name[:n]) {
				sc.at += n
				return i, true
			}
		}
	}
	return 0, false
}

func (sc *scanner) scan(format string) bool {
	for i := 0; i < len(format); i++ {
		c := format[i]
		if isSpace(c) {
			sc.space()
			continue
		}
		if c != '%' || i+1 == len(format) {
			if sc.at >= len(sc.text) || sc.text[sc.at] != c {
				return false
			}
			sc.at++
			continue
		}
		i++
		c = format[i]
		if (c == 'E' || c == 'O') && i+1 < len(format) {
			i++
			c = format[i]
		}
		if isDigit(c) && i+1 < len(format) && format[i+1] == 'f' {
			i++
			c = 'f'
		}
		if shorthand, ok := formatShorthands[c]; ok {
			if !sc.scan(shorthand) {
				return false
			}
			continue
		}
		if !sc.directive(c) {
			return false
		}
	}
	return true
}

// directive reads what a single directive stands for.
func (sc *scanner) directive(c byte) (ok bool) {
	var ignored int
	switch c {
	case 'Y', 'G':
		return sc.fullYear()
	case 'C':
		ok = sc.number(2, 0, 99, &ignored)
		sc.year = ignored*100 + sc.year%100
		return ok
	case 'y', 'g':
		if ok = sc.number(2, 0, 99, &sc.year); ok {
			if sc.year < 69 {
				sc.year += 100
			}
			sc.year += 1900
		}
		return ok
	case 'm':
		return sc.number(2, 1, 12, &sc.month)
	case 'B', 'b', 'h':
		month, ok := sc.name(monthNames[:])
		sc.month = month + 1
		return ok
	case 'd', 'e':
		return sc.number(2, 1, 31, &sc.day)
	case 'j':
		return sc.number(3, 1, 366, &sc.yearDay)
	case 'H', 'k':
		sc.hour12 = false
		return sc.number(2, 0, 23, &sc.hour)
	case 'I', 'l':
		sc.hour12 = true
		return sc.number(2, 1, 12, &sc.hour)
	case 'M':
		return sc.number(2, 0, 59, &sc.minute)
	case 'S':
		return sc.number(2, 0, 60, &sc.second)
	case 'p':
		half, ok := sc.half()
		sc.afternoon = half == 1
		return ok
	case 'A', 'a':
		_, ok = sc.name(weekdayNames[:])
		return ok
	case 'u', 'w':
		return sc.number(1, 0, 7, &ignored)
	case 'U', 'W', 'V':
		return sc.number(2, 0, 53, &ignored)
	case 's':
		n := countDigits(sc.text[sc.at:])
		sc.at += n
		return n > 0
	case 'f':
		n := countDigits(sc.text[sc.at:])
		sc.nsec = fraction(sc.text[sc.at : sc.at+n])
		sc.at += n
		return n > 0
	case 'z', 'Z':
		offset, zone, n, problem := parseZone(sc.text[sc.at:], 0)
		sc.offset, sc.zone = offset, zone
		sc.at += n
		return problem == zoneOK
	case 'n', 't':
		sc.space()
		return true
	}
	if sc.at >= len(sc.text) || sc.text[sc.at] != c {
		return false
	}
	sc.at++
	return true
}

// half reads AM or PM, and returns 1 for the second.
func (sc *scanner) half() (int, bool) {
	rest := sc.text[sc.at:]
	for i, name := range [...]string{"AM", "PM"} {
		if len(rest) >= 2 && strings.EqualFold(rest[:2], name) {
			sc.at += 2
			return i, true
		}
	}
	return 0, false
}

// fullYear reads a year of up to seven digits, perhaps negative.
func (sc *scanner) fullYear() bool {
	sc.space()
	sign := 1
	if sc.at < len(sc.text) && sc.text[sc.at] == '-' {
		sign = -1
		sc.at++
	}
	// More than four digits are a year only if something else follows them: 20240229 is a whole date.
	width := 4
	if n := countDigits(sc.text[sc.at:]); n > 4 && n <= 7 {
		width = n
	}
	ok := sc.number(width, 0, maxYear, &sc.year)
	sc.year *= sign
	return ok
}

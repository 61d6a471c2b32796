package mpext

import "github.com/lycosadb/lycosa/boxerr"

// ParseDatetime reads a date of ISO 8601 (calendar, ordinal, week or quarter date, basic or extended), perhaps followed by
// T or a space and a time, and that by an offset or the name of a zone. n is the number of bytes that were read; what
// follows them is the caller's affair. Without a zone in the text, it is the one of defaultZone if that isn't empty,
// otherwise the offset of defaultOffset minutes.
func ParseDatetime(s string, defaultOffset int16, defaultZone string) (d Datetime, n int, err error) {
	days, n := parseDate(s)
	if n == 0 {
		return Datetime{}, 0, zoneUnknown.error(s)
	}
	var seconds int64
	d.TZOffset = defaultOffset
	zoned := false
	if n < len(s) {
		if c := s[n]; c != 'T' && c != 't' && c != ' ' {
			return Datetime{}, 0, zoneUnknown.error(s)
		}
		n++
		if n < len(s) {
			read := 0
			if seconds, d.Nsec, read = parseTime(s[n:]); read == 0 {
				return Datetime{}, 0, zoneUnknown.error(s)
			}
			n += read
		}
		if zoned = n < len(s) && defaultZone == ""; zoned {
			if s[n] == ' ' {
				n++
			}
			if n < len(s) {
				var problem zoneError
				read := 0
				if d.TZOffset, d.TZIndex, read, problem = parseZone(s[n:], days*secondsPerDay+seconds); problem != zoneOK {
					return Datetime{}, 0, problem.error(s)
				}
				n += read
			}
		}
	}
	if !zoned && defaultZone != "" {
		if err := d.setZone(defaultZone, days*secondsPerDay+seconds); err != nil {
			return Datetime{}, 0, err
		}
	}
	d.Epoch = days*secondsPerDay + seconds - int64(d.TZOffset)*60
	if !d.valid() {
		return Datetime{}, 0, zoneUnknown.error(s)
	}
	return d, n, nil
}

// setZone sets offset and zone by a name or an offset; which offset a zone has is decided at a local time.
func (d *Datetime) setZone(name string, local int64) error {
	offset, index, n, problem := parseZone(name, local)
	if problem == zoneOK && n != len(name) {
		problem = zoneUnknown
	}
	if problem != zoneOK {
		return problem.error(name)
	}
	d.TZOffset, d.TZIndex = offset, index
	return nil
}

// ParseOffset reads an offset from UTC such as +03:00, -0330 or Z in minutes.
func ParseOffset(s string) (int16, error) {
	offset, n := parseOffset(s)
	if n == 0 || n != len(s) {
		return 0, boxerr.Luajit("invalid time-zone format " + s)
	}
	return offset, nil
}

// parseDate reads a date at the beginning of s; n is 0 if there is none.
func parseDate(s string) (days int64, n int) {
	sign := int64(1)
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			sign = -1
		}
		n = 1
	}
	digits := countDigits(s[n:])
	isPlain := n == 0
	switch {
	case isPlain && digits == 8:
		return dateDays(int64(number(s[:4])), number(s[4:6]), number(s[6:8]), 8)
	case isPlain && digits == 7 && (len(s) == 7 || s[7] != '-'):
		return ordinalDays(int64(number(s[:4])), number(s[4:7]), 7)
	case isPlain && digits < 4, digits == 0, digits > 7:
		return 0, 0
	}
	year := sign * int64(number(s[n:n+digits]))
	n += digits
	if n == len(s) {
		return 0, 0
	}
	extended := s[n] == '-'
	if extended {
		n++
	}
	if n == len(s) {
		return 0, 0
	}
	switch c := s[n]; {
	case c == 'W' || c == 'w':
		week, day, end := dateParts(s, n+1, 2, 1, extended)
		if end == 0 || week < 1 || day < 1 || day > 7 {
			return 0, 0
		}
		// The first week is that of January 4th.
		monday := daysOf(year, 1, 4)
		monday -= weekday(monday) - 1
		days = monday + int64(week-1)*7 + int64(day-1)
		if y, _ := isoWeek(days); y != year {
			return 0, 0
		}
		return days, end
	case c == 'Q' || c == 'q':
		quarter, day, end := dateParts(s, n+1, 1, 2, extended)
		if end == 0 || quarter < 1 || quarter > 4 || day < 1 {
			return 0, 0
		}
		first := daysOf(year, int64(quarter*3-2), 1)
		nextYear, nextMonth := year, int64(quarter*3+1)
		if quarter == 4 {
			nextYear, nextMonth = year+1, 1
		}
		if first+int64(day) > daysOf(nextYear, nextMonth, 1) {
			return 0, 0
		}
		return first + int64(day-1), end
	case !extended:
		return 0, 0
	case countDigits(s[n:]) == 3:
		return ordinalDays(year, number(s[n:n+3]), n+3)
	}
	month, day, end := dateParts(s, n, 2, 2, true)
	if end == 0 {
		return 0, 0
	}
	return dateDays(year, month, day, end)
}

// dateParts reads two numbers of fixed widths at s[at], with a hyphen between them in the extended form. end is 0 if they
// are not there or more digits follow.
func dateParts(s string, at, width1, width2 int, extended bool) (v1, v2, end int) {
	gap := 0
	if extended {
		gap = 1
	}
	end = at + width1 + gap + width2
	if end > len(s) || extended && s[at+width1] != '-' {
		return 0, 0, 0
	}
	first, second := s[at:at+width1], s[at+width1+gap:end]
	if countDigits(first) != width1 || countDigits(second) != width2 || end < len(s) && isDigit(s[end]) {
		return 0, 0, 0
	}
	return number(first), number(second), end
}

// dateDays returns the day of a date and n, or zeros if there is no such date.
func dateDays(year int64, month, day, n int) (int64, int) {
	if month < 1 || month > 12 || day < 1 || int64(day) > daysIn(year, int64(month)) {
		return 0, 0
	}
	return daysOf(year, int64(month), int64(day)), n
}

// ordinalDays returns the day of a year and n, or zeros if there is no such day.
func ordinalDays(year int64, day, n int) (int64, int) {
	first := daysOf(year, 1, 1)
	if day < 1 || first+int64(day) > daysOf(year+1, 1, 1) {
		return 0, 0
	}
	return first + int64(day-1), n
}

// parseTime reads a time of day at the beginning of s: hh, hhmm, hhmmss or with colons, the seconds perhaps with a
// fraction, of which nine digits count. n is 0 if there is none.
func parseTime(s string) (seconds int64, nsec int32, n int) {
	var hour, minute, second int
	hasSeconds := false
	switch n = countDigits(s); n {
	case 2:
		hour = number(s[:2])
		if minute, n = timePart(s, n); n > 2 {
			at := n
			second, n = timePart(s, n)
			hasSeconds = n > at
		}
		if n < 0 {
			return 0, 0, 0
		}
	case 4:
		hour, minute = number(s[:2]), number(s[2:4])
	case 6:
		hour, minute, second = number(s[:2]), number(s[2:4]), number(s[4:6])
		hasSeconds = true
	default:
		return 0, 0, 0
	}
	if hasSeconds && n < len(s) && (s[n] == '.' || s[n] == ',') {
		digits := countDigits(s[n+1:])
		if digits == 0 {
			return 0, 0, 0
		}
		nsec = fraction(s[n+1 : n+1+digits])
		n += 1 + digits
	}
	if hour > 24 || minute > 59 || second > 59 || hour == 24 && (minute > 0 || second > 0 || nsec > 0) {
		return 0, 0, 0
	}
	return int64(hour*3600 + minute*60 + second), nsec, n
}

// timePart reads a colon and two digits at s[at]. It returns at itself if there is no colon, -1 if no digits follow it.
func timePart(s string, at int) (v, n int) {
	if at >= len(s) || s[at] != ':' {
		return 0, at
	}
	if at+3 > len(s) || countDigits(s[at+1:]) != 2 {
		return 0, -1
	}
	return number(s[at+1 : at+3]), at + 3
}

// fraction returns the digits behind a point as nanoseconds.
func fraction(digits string) int32 {
	if len(digits) > 9 {
		digits = digits[:9]
	}
	v := number(digits)
	for range 9 - len(digits) {
		v *= 10
	}
	return int32(v)
}

package mpext

import "strconv"

var (
	monthNames = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
		"November", "December"}
	weekdayNames = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
)

// The directives that stand for several others, in the C locale.
var formatShorthands = map[byte]string{
	'c': "%a %b %e %H:%M:%S %Y", 'D': "%m/%d/%y", 'F': "%Y-%m-%d", 'R': "%H:%M", 'r': "%I:%M:%S %p", 'T': "%H:%M:%S",
	'v': "%e-%b-%Y", 'x': "%m/%d/%y", 'X': "%H:%M:%S", '+': "%a %b %e %H:%M:%S %Z %Y",
}

// Format returns d in the form that the directives of strftime describe, in the C locale. Beyond those of POSIX there are
// %f, the fraction of the second in three, six or nine digits, %1f to %9f for that many, and %s, the wall clock in
// seconds. Unknown directives stand for their letter.
func (d Datetime) Format(format string) string {
	var buf [64]byte
	return string(d.appendFormat(buf[:0], format))
}

func (d Datetime) appendFormat(b []byte, format string) []byte {
	year, month, day := d.Date()
	hour, minute, second := d.Clock()
	for i := 0; i < len(format); i++ {
		c := format[i]
		if c != '%' || i+1 == len(format) {
			b = append(b, c)
			continue
		}
		i++
		c = format[i]
		if (c == 'E' || c == 'O') && i+1 < len(format) {
			// Alternative forms are the same in the C locale.
			i++
			c = format[i]
		}
		if isDigit(c) && c != '0' && i+1 < len(format) && format[i+1] == 'f' {
			i++
			var digits [9]byte
			b = append(b, appendPadded(digits[:0], int64(d.Nsec), 9)[:c-'0']...)
			continue
		}
		if shorthand, ok := formatShorthands[c]; ok {
			b = d.appendFormat(b, shorthand)
			continue
		}
		switch c {
		case 'Y':
			b = appendPadded(b, year, 4)
		case 'C':
			b = appendPadded(b, floorDiv(year, 100), 2)
		case 'y':
			b = appendPadded(b, floorMod(year, 100), 2)
		case 'm':
			b = appendPadded(b, month, 2)
		case 'B':
			b = append(b, monthNames[month-1]...)
		case 'b', 'h':
			b = append(b, monthNames[month-1][:3]...)
		case 'd':
			b = appendPadded(b, day, 2)
		case 'e':
			b = appendSpaced(b, day)
		case 'j':
			b = appendPadded(b, d.YearDay(), 3)
		case 'H':
			b = appendPadded(b, hour, 2)
		case 'I':
			b = appendPadded(b, (hour+11)%12+1, 2)
		case 'k':
			b = appendSpaced(b, hour)
		case 'l':
			b = appendSpaced(b, (hour+11)%12+1)
		case 'M':
			b = appendPadded(b, minute, 2)
		case 'S':
			b = appendPadded(b, second, 2)
		case 'p':
			if hour < 12 {
				b = append(b, "AM"...)
			} else {
				b = append(b, "PM"...)
			}
		case 'A':
			b = append(b, weekdayNames[d.Weekday()-1]...)
		case 'a':
			b = append(b, weekdayNames[d.Weekday()-1][:3]...)
		case 'u':
			b = strconv.AppendInt(b, d.Weekday(), 10)
		case 'w':
			b = strconv.AppendInt(b, d.Weekday()%7, 10)
		case 'U':
			b = appendPadded(b, (d.YearDay()+6-d.Weekday()%7)/7, 2)
		case 'W':
			b = appendPadded(b, (d.YearDay()+7-d.Weekday())/7, 2)
		case 'G', 'g', 'V':
			weekYear, week := d.ISOWeek()
			switch c {
			case 'G':
				b = appendPadded(b, weekYear, 4)
			case 'g':
				b = appendPadded(b, floorMod(weekYear, 100), 2)
			default:
				b = appendPadded(b, week, 2)
			}
		case 'Z':
			b = append(b, d.Zone()...)
		case 'z':
			b = appendOffset(b, d.TZOffset)
		case 's':
			b = strconv.AppendInt(b, d.local(), 10)
		case 'f':
			b = appendFraction(b, d.Nsec)
		case 'n':
			b = append(b, '\n')
		case 't':
			b = append(b, '\t')
		default:
			b = append(b, c)
		}
	}
	return b
}

// appendSpaced appends a number of at most two digits with a space instead of a leading zero.
func appendSpaced(b []byte, v int64) []byte {
	if v < 10 {
		b = append(b, ' ')
	}
	return strconv.AppendInt(b, v, 10)
}

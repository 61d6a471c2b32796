package mpext

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones must not depend on what the machine has installed

	"github.com/lycosadb/lycosa/boxerr"
)

// zonesText is the list of zones with the numbers that encoded datetimes refer to them by.
//
//go:embed zones.txt
var zonesText string

// maxZoneIndex is the largest index that an encoded datetime may have; not all of them are assigned.
const maxZoneIndex = 1024

// zone is a time zone: an abbreviation with a fixed offset, or an entry of the tz database.
type zone struct {
	name      string
	offset    int16 // of an abbreviation, in minutes
	ambiguous bool
	region    bool // an entry of the tz database

	once     sync.Once
	location *time.Location // set by once; nil if the tz database has no such entry
}

var (
	zones       [maxZoneIndex + 1]*zone
	zoneIndexes = map[string]int16{}
)

func init() {
	for line := range strings.Lines(zonesText) {
		fields := strings.Fields(line)
		if fields[0][0] == '#' {
			continue
		}
		index, _ := strconv.Atoi(fields[0])
		z := &zone{name: fields[1]}
		zones[index] = z
		zoneIndexes[z.name] = int16(index)
		for i, f := range fields[2:] {
			switch {
			case f == "?":
				z.ambiguous = true
			case f[0] == '=':
				zoneIndexes[f[1:]] = int16(index)
			default:
				offset, _ := strconv.Atoi(fields[2+i])
				z.offset = int16(offset)
			}
		}
		z.region = index >= firstRegion
	}
}

// firstRegion is the index of the first zone that is an entry of the tz database and no abbreviation.
const firstRegion = 672

// ZoneName returns the name of the zone with that index, "" if there is none.
func ZoneName(index int16) string {
	if z := zoneAt(index); z != nil {
		return z.name
	}
	return ""
}

// ZoneIndex returns the index of a zone by its name or another name of it; ok is false if there is no such zone.
func ZoneIndex(name string) (index int16, ok bool) {
	index, ok = zoneIndexes[name]
	return index, ok
}

// Zones calls yield with the index and the name of each zone, other names included, until it returns false.
func Zones(yield func(index int16, name string) bool) {
	for name, index := range zoneIndexes {
		if !yield(index, name) {
			return
		}
	}
}

func zoneAt(index int16) *zone {
	if index < 0 || index > maxZoneIndex {
		return nil
	}
	return zones[index]
}

// at returns the offset in minutes at a time in seconds since 1970, and whether that is summer time. The second is
// known for abbreviations too that the tz database has an entry for.
func (z *zone) at(epoch int64) (offset int16, dst bool) {
	z.once.Do(func() {
		if location, err := time.LoadLocation(z.name); err == nil && len(z.name) > 1 {
			z.location = location
		}
	})
	offset = z.offset
	if z.location != nil {
		t := time.Unix(epoch, 0).In(z.location)
		dst = t.IsDST()
		if z.region {
			_, seconds := t.Zone()
			offset = int16(seconds / 60)
		}
	}
	return offset, dst
}

// zonePrefix returns the part at the beginning of s that can be the name of a zone.
func zonePrefix(s string) string {
	i := 0
	for i < len(s) && (isLetter(s[i]) || i > 0 && (isDigit(s[i]) || s[i] == '/' || s[i] == '_' || s[i] == '-' || s[i] == '+')) {
		i++
	}
	return s[:i]
}

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return c >= '0' && c <= '9' }

// zoneError says why a zone in a text was not understood.
type zoneError int

const (
	zoneOK zoneError = iota
	zoneUnknown
	zoneAmbiguous
)

// error returns the error for a text that can't be parsed for that reason.
func (e zoneError) error(text string) error {
	if e == zoneAmbiguous {
		return boxerr.Luajit("could not parse '" + text + "' - ambiguous timezone")
	}
	return boxerr.Luajit("could not parse '" + text + "'")
}

// parseZone reads the name of a zone or an offset at the beginning of s. Which offset a zone has is looked up at the
// local time in seconds since 1970, taken as if it were UTC: close enough except for hours around a change, and how the
// reference does it.
func parseZone(s string, local int64) (offset, index int16, n int, problem zoneError) {
	if name := zonePrefix(s); name != "" {
		index, ok := zoneIndexes[name]
		if !ok {
			return 0, 0, 0, zoneUnknown
		}
		if zones[index].ambiguous {
			return 0, 0, 0, zoneAmbiguous
		}
		offset, _ = zones[index].at(local)
		return offset, index, len(name), zoneOK
	}
	if offset, n = parseOffset(s); n == 0 {
		return 0, 0, 0, zoneUnknown
	}
	return offset, 0, n, zoneOK
}

// The range of offsets from UTC in minutes.
const (
	minOffset = -12 * 60
	maxOffset = 14 * 60
)

// parseOffset reads an offset from UTC (Z, ±h, ±hh, ±hmm, ±hhmm, ±h:mm, ±hh:mm) in minutes; n is 0 if there is none or
// it is out of range.
func parseOffset(s string) (offset int16, n int) {
	if s == "" {
		return 0, 0
	}
	if s[0] == 'Z' || s[0] == 'z' {
		return 0, 1
	}
	if s[0] != '+' && s[0] != '-' {
		return 0, 0
	}
	digits := countDigits(s[1:])
	if digits == 0 || digits > 4 {
		return 0, 0
	}
	n = 1 + digits
	v := number(s[1:n])
	hour, minute := v, 0
	switch {
	case digits > 2:
		hour, minute = v/100, v%100
	case n < len(s) && s[n] == ':':
		if more := countDigits(s[n+1:]); more == 1 || more == 2 {
			minute = number(s[n+1 : n+1+more])
			n += 1 + more
		} else {
			return 0, 0
		}
	}
	total := hour*60 + minute
	if s[0] == '-' {
		total = -total
	}
	if minute > 59 || total < minOffset || total > maxOffset {
		return 0, 0
	}
	return int16(total), n
}

// countDigits returns how many digits s begins with.
func countDigits(s string) int {
	n := 0
	for n < len(s) && isDigit(s[n]) {
		n++
	}
	return n
}

// number returns the value of a few digits.
func number(digits string) int {
	v := 0
	for i := range len(digits) {
		v = v*10 + int(digits[i]-'0')
	}
	return v
}

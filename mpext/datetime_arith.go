package mpext

import "github.com/lycosadb/lycosa/boxerr"

// Add returns d + i: first years and months with i's Adjust, then weeks and days, then the rest, all on the wall clock. In
// a zone the offset is then the one at the new time. It fails if the result is out of the range of dates.
func (d Datetime) Add(i Interval) (Datetime, error) { return d.move(i, 1, "addition") }

// SubInterval returns d - i; see Add.
func (d Datetime) SubInterval(i Interval) (Datetime, error) { return d.move(i, -1, "subtraction") }

func (d Datetime) move(i Interval, direction int64, operation string) (Datetime, error) {
	local := d.local()
	days, seconds := floorDiv(local, secondsPerDay), floorMod(local, secondsPerDay)
	// The fields are small enough that nothing below overflows, if i is what an interval may be.
	if months := direction * (i.Year*12 + i.Month); i.Year != 0 && i.Month != 0 {
		// Years first: their result may already have been adjusted.
		days = addMonths(addMonths(days, direction*i.Year*12, i.Adjust), direction*i.Month, i.Adjust)
	} else if months != 0 {
		days = addMonths(days, months, i.Adjust)
	}
	days += direction * (i.Week*7 + i.Day)
	local = days*secondsPerDay + seconds + direction*(i.Hour*3600+i.Min*60+i.Sec)
	nsec := int64(d.Nsec) + direction*i.Nsec
	if nsec < 0 || nsec >= nanosPerSec {
		local += floorDiv(nsec, nanosPerSec)
		nsec = floorMod(nsec, nanosPerSec)
	}
	if z := zoneAt(d.TZIndex); z != nil && inRange(local) {
		if z.region {
			d.TZOffset, _ = z.at(local)
		}
	}
	d.Epoch, d.Nsec = local-int64(d.TZOffset)*60, int32(nsec)
	switch {
	case d.Epoch < minEpoch:
		return Datetime{}, boxerr.Luajit(operation + " makes date less than minimum allowed " + minDate)
	case d.Epoch > maxEpoch:
		return Datetime{}, boxerr.Luajit(operation + " makes date greater than maximum allowed " + maxDate)
	}
	return d, nil
}

func inRange(seconds int64) bool { return seconds >= minEpoch && seconds <= maxEpoch }

// addMonths returns the day that is some months away.
func addMonths(days, months int64, adjust Adjust) int64 {
	year, month, day := dateOf(days)
	isLast := day == daysIn(year, month)
	month += months - 1
	year += floorDiv(month, 12)
	month = floorMod(month, 12) + 1
	if last := daysIn(year, month); adjust != AdjustExcess && (day > last || adjust == AdjustLast && isLast) {
		day = last
	}
	return daysOf(year, month, day)
}

// Sub returns the difference d - e of each field on the wall clock, the difference of the offsets counted as minutes.
func (d Datetime) Sub(e Datetime) (Interval, error) {
	return d.interval(e.TZOffset - d.TZOffset).Sub(e.interval(0))
}

// interval returns the fields of d, with some minutes more.
func (d Datetime) interval(minutes int16) Interval {
	i := Interval{Nsec: int64(d.Nsec), Adjust: AdjustNone}
	i.Year, i.Month, i.Day = d.Date()
	i.Hour, i.Min, i.Sec = d.Clock()
	i.Min += int64(minutes)
	return i
}

package server

import (
	"sync/atomic"
)

// Counter is a kind of event that box.stat.net counts.
type Counter uint8

// The counters.
const (
	Sent Counter = iota
	Received
	Connections
	Requests
	RequestsInProgress
	RequestsInStreamQueue
	Streams

	counters = iota
)

var counterNames = [counters]string{
	"SENT", "RECEIVED", "CONNECTIONS", "REQUESTS", "REQUESTS_IN_PROGRESS", "REQUESTS_IN_STREAM_QUEUE", "STREAMS",
}

// String returns the name that box.stat.net shows.
func (c Counter) String() string { return counterNames[c] }

// HasCurrent tells whether the counter has a current value besides its total: there are so many now.
func (c Counter) HasCurrent() bool { return c >= Connections }

// Counters returns all counters.
func Counters() []Counter {
	list := make([]Counter, counters)
	for i := range list {
		list[i] = Counter(i)
	}
	return list
}

// rateSeconds is the number of seconds over which a rate is the mean.
const rateSeconds = 5

// Stat counts what goes over the network. Any goroutine may count and read Total and Current; the rest belongs
// to the cord's lock.
type Stat struct {
	total   [counters]atomic.Int64
	current [counters]atomic.Int64
	base    [counters]int64 // totals at the last Reset

	// seen are the totals at the last ticks, one a second.
	seen  [counters][rateSeconds + 1]int64
	ticks int
}

// add counts n events that have no end.
func (s *Stat) add(c Counter, n int) { s.total[c].Add(int64(n)) }

// enter counts n things that begin, leave counts n that end.
func (s *Stat) enter(c Counter, n int) {
	s.total[c].Add(int64(n))
	s.current[c].Add(int64(n))
}

func (s *Stat) leave(c Counter, n int) { s.current[c].Add(-int64(n)) }

// Total is how many there were since the start or the last Reset.
func (s *Stat) Total(c Counter) int64 { return s.total[c].Load() - s.base[c] }

// Current is how many there are now, 0 for a counter without a current value.
func (s *Stat) Current(c Counter) int64 { return s.current[c].Load() }

// Rate is how many there were a second, as a mean over the last seconds.
func (s *Stat) Rate(c Counter) int64 {
	n := min(s.ticks-1, rateSeconds)
	if n < 1 {
		return 0
	}
	ring := &s.seen[c]
	last := ring[(s.ticks-1)%len(ring)]
	first := ring[(s.ticks-1-n)%len(ring)]
	return (last - first) / int64(n)
}

// Reset sets the totals and rates to zero.
func (s *Stat) Reset() {
	for c := range s.total {
		s.base[c] = s.total[c].Load()
	}
	s.begin()
}

// begin takes the counts that rates start from.
func (s *Stat) begin() {
	s.ticks = 0
	s.tick()
}

// tick is called once a second.
func (s *Stat) tick() {
	for c := range s.seen {
		s.seen[c][s.ticks%len(s.seen[c])] = s.total[c].Load()
	}
	s.ticks++
}

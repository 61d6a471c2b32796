package server

import (
	"math/bits"
	"time"
)

// histogram counts durations in buckets that are an eighth of a power of two wide, so that a percentile is right to
// within an eighth.
type histogram struct {
	counts [64 * subBuckets]uint32
	total  uint64
	max    time.Duration
}

const (
	subBits    = 3
	subBuckets = 1 << subBits
)

// bucket is the place of a duration; small ones have a bucket each.
func bucket(d time.Duration) int {
	v := uint64(max(d, 0))
	if v < subBuckets {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return (shift+1)*subBuckets + int(v>>shift)&(subBuckets-1)
}

// upper is the largest duration of a bucket.
func upper(i int) time.Duration {
	if i < subBuckets {
		return time.Duration(i)
	}
	shift := i/subBuckets - 1
	return time.Duration((uint64(subBuckets+i%subBuckets)+1)<<shift - 1)
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
	h.max = max(h.max, d)
}

// percentile is the duration that p percent of all are not above, 0 without any.
func (h *histogram) percentile(p int) time.Duration {
	if h.total == 0 {
		return 0
	}
	want := (h.total*uint64(p) + 99) / 100
	var seen uint64
	for i, n := range h.counts {
		if seen += uint64(n); seen >= want {
			return min(upper(i), h.max)
		}
	}
	return h.max
}

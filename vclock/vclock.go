// Package vclock holds vector clocks: for each instance of a replica set, the number of the last of its rows that is here.
//
// VClock is a value: it is copied by assignment and compared with ==. Component 0 counts the rows that stay on this
// instance (rows of local spaces and the like); the others are the ids of instances in the space _cluster.
package vclock

import (
	"fmt"
	"strconv"

	"github.com/lycosadb/lycosa/msgpack"
)

// Max is the number of components; ids are 0 to Max-1.
const Max = 32

// VClock is a vector clock. A component that is zero is the same as one that isn't there.
type VClock [Max]int64

// Order is how two clocks lie to each other.
type Order int

// The results of Compare.
const (
	// Concurrent: each has something that the other has not.
	Concurrent Order = iota
	Before
	Equal
	After
)

// Signature is the sum of all components. It names the files of a data directory.
func (v *VClock) Signature() int64 {
	var sum int64
	for _, lsn := range v {
		sum += lsn
	}
	return sum
}

// Get returns the component of id, 0 for an id that no clock can have.
func (v *VClock) Get(id uint32) int64 {
	if id >= Max {
		return 0
	}
	return v[id]
}

// Follow sets the component of id to lsn, and reports false when the clock has no such component or is ahead of lsn.
func (v *VClock) Follow(id uint32, lsn int64) bool {
	if id >= Max || lsn < v[id] {
		return false
	}
	v[id] = lsn
	return true
}

// Merge raises each component to that of other.
func (v *VClock) Merge(other *VClock) {
	for id, lsn := range other {
		v[id] = max(v[id], lsn)
	}
}

// Compare says whether v is before, equal to or after other. A clock is before another when no component is greater and
// one is less.
func (v *VClock) Compare(other *VClock) Order { return v.compare(other, 0) }

// CompareGlobal is Compare without component 0, which means something on one instance only.
func (v *VClock) CompareGlobal(other *VClock) Order { return v.compare(other, 1) }

func (v *VClock) compare(other *VClock, from int) Order {
	less, greater := false, false
	for id := from; id < Max; id++ {
		less = less || v[id] < other[id]
		greater = greater || v[id] > other[id]
	}
	switch {
	case less && greater:
		return Concurrent
	case less:
		return Before
	case greater:
		return After
	}
	return Equal
}

// String is the text form that file headers hold: `{0: 1, 1: 27}`, ids ascending, `{}` for the zero clock.
func (v VClock) String() string { return string(v.AppendText(nil)) }

// AppendText appends the text form.
func (v *VClock) AppendText(b []byte) []byte {
	b = append(b, '{')
	first := true
	for id, lsn := range v {
		if lsn == 0 {
			continue
		}
		if !first {
			b = append(b, ", "...)
		}
		first = false
		b = strconv.AppendInt(b, int64(id), 10)
		b = append(b, ": "...)
		b = strconv.AppendInt(b, lsn, 10)
	}
	return append(b, '}')
}

// Parse reads the text form. Spaces and tabs may stand between its parts.
func Parse(s string) (VClock, error) {
	var v VClock
	var seen [Max]bool
	p := parser{s: s}
	bad := func() (VClock, error) {
		return VClock{}, fmt.Errorf("invalid vclock: error at position %d", p.at+1)
	}
	if !p.take('{') {
		return bad()
	}
	if p.take('}') {
		return v, p.end(bad)
	}
	for {
		id, ok := p.number()
		if !ok || id >= Max || seen[id] || !p.take(':') {
			return bad()
		}
		lsn, ok := p.number()
		if !ok {
			return bad()
		}
		seen[id], v[id] = true, lsn
		if p.take('}') {
			return v, p.end(bad)
		}
		if !p.take(',') {
			return bad()
		}
	}
}

// parser goes through the text form.
type parser struct {
	s  string
	at int
}

func (p *parser) space() {
	for p.at < len(p.s) && (p.s[p.at] == ' ' || p.s[p.at] == '\t') {
		p.at++
	}
}

func (p *parser) take(c byte) bool {
	p.space()
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *parser) number() (int64, bool) {
	p.space()
	from := p.at
	for p.at < len(p.s) && p.s[p.at] >= '0' && p.s[p.at] <= '9' {
		p.at++
	}
	n, err := strconv.ParseInt(p.s[from:p.at], 10, 64)
	return n, err == nil
}

// end is the error of text behind the clock, if there is any.
func (p *parser) end(bad func() (VClock, error)) error {
	p.space()
	if p.at == len(p.s) {
		return nil
	}
	_, err := bad()
	return err
}

// AppendMsgpack appends the clock as it goes over the wire, a map from ids to numbers.
func (v VClock) AppendMsgpack(b []byte) []byte {
	n := 0
	for _, lsn := range v {
		if lsn != 0 {
			n++
		}
	}
	b = msgpack.AppendMapHeader(b, n)
	for id, lsn := range v {
		if lsn != 0 {
			b = msgpack.AppendUint(b, uint64(id))
			b = msgpack.AppendUint(b, uint64(lsn))
		}
	}
	return b
}

// Decode reads the wire form and returns what follows it.
func Decode(b []byte) (v VClock, rest []byte, ok bool) {
	n, rest, ok := msgpack.ReadMapHeader(b)
	if !ok || n > Max {
		return VClock{}, nil, false
	}
	for range n {
		var id, lsn uint64
		if id, rest, ok = msgpack.ReadUint(rest); !ok || id >= Max {
			return VClock{}, nil, false
		}
		if lsn, rest, ok = msgpack.ReadUint(rest); !ok || lsn > 1<<63-1 {
			return VClock{}, nil, false
		}
		v[id] = int64(lsn)
	}
	return v, rest, true
}

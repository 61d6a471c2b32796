package box

import (
	"bytes"
	"maps"
	"sync/atomic"

	"github.com/lycosadb/lycosa/msgpack"
)

// Habit is what a function that clients call does: it begins with a search for a key that is one of its arguments. Looking
// ahead goes by it, see Foresight, so nothing but time is lost when a function doesn't keep to it. Its fields are guarded by
// the cord's lock.
type Habit struct {
	space, index uint32
	arg          int // counted from 0
	// kept is how often in a row observed calls kept to it; from needed on it is known to Box.Habit. Who breaks a habit that
	// is known needs twice as long.
	kept, needed int
}

const (
	// maxHabits is how many functions may have one. When there are more, all begin anew.
	maxHabits = 1024
	// observeEvery is which of the calls are observed.
	observeEvery = 16
	// firstNeeded and maxNeeded bound Habit.needed.
	firstNeeded, maxNeeded = 2, 1 << 20
	// maxObservedArgs is how many bytes of arguments are kept to compare a key with, and maxObservedArg how many arguments
	// are looked at.
	maxObservedArgs, maxObservedArg = 256, 4
)

// habits observe some of the calls, one at a time. Guarded by the cord's lock, known aside.
type habits struct {
	of    map[string]*Habit
	calls uint
	// known are the functions that keep to their habits. The map is replaced, never changed.
	known atomic.Pointer[map[string]*Habit]

	// The call that is observed: its context, and what the first search in that is compared with.
	ctx        *Ctx
	name, args []byte
}

// Habit returns the habit of a function that keeps to one, nil for any other. It needs no lock.
func (b *Box) Habit(name []byte) *Habit {
	known := b.habits.known.Load()
	if known == nil {
		return nil
	}
	return (*known)[string(name)]
}

// ObserveCall is told of a call of a function by a client, with its arguments as an array, before it runs in c.
func (b *Box) ObserveCall(c *Ctx, name, args []byte) {
	hs := b.habits
	if hs.calls++; hs.calls%observeEvery == 0 && len(args) <= maxObservedArgs {
		hs.ctx, hs.name, hs.args = c, append(hs.name[:0], name...), append(hs.args[:0], args...)
	}
}

// forget is told that c belongs to another request from now on.
func (hs *habits) forget(c *Ctx) {
	if hs.ctx == c {
		hs.ctx = nil
	}
}

// searching is told of a search for a key, an array, in c.
func (b *Box) searching(c *Ctx, space, index uint32, key []byte) {
	hs := b.habits
	if hs.ctx != c {
		return
	}
	hs.ctx = nil
	arg := -1
	if n, part, ok := msgpack.ReadArrayHeader(key); ok && n == 1 {
		arg = argument(hs.args, part)
	}
	h := hs.of[string(hs.name)]
	switch {
	case arg < 0:
		hs.broken(h)
	case h == nil:
		hs.begin(&Habit{space, index, arg, 1, firstNeeded})
	case h.kept > 0 && (h.space != space || h.index != index || h.arg != arg):
		hs.broken(h)
	default:
		h.space, h.index, h.arg = space, index, arg
		if h.kept++; h.kept == h.needed {
			hs.publish(func(known map[string]*Habit) { known[string(hs.name)] = h })
		}
	}
}

func (hs *habits) begin(h *Habit) {
	if hs.of == nil || len(hs.of) == maxHabits {
		hs.of = make(map[string]*Habit)
		hs.publish(func(known map[string]*Habit) { clear(known) })
	}
	hs.of[string(hs.name)] = h
}

func (hs *habits) broken(h *Habit) {
	if h == nil {
		return
	}
	if h.kept >= h.needed {
		h.needed = min(2*h.needed, maxNeeded)
		hs.publish(func(known map[string]*Habit) { delete(known, string(hs.name)) })
	}
	h.kept = 0
}

// publish changes a copy of what is known.
func (hs *habits) publish(change func(known map[string]*Habit)) {
	known := make(map[string]*Habit)
	if old := hs.known.Load(); old != nil {
		maps.Copy(known, *old)
	}
	change(known)
	if len(known) == 0 {
		hs.known.Store(nil)
		return
	}
	hs.known.Store(&known)
}

// argument returns which argument is the same value, -1 if none is.
func argument(args, value []byte) int {
	n, rest, _ := msgpack.ReadArrayHeader(args)
	for i := range min(n, maxObservedArg) {
		after, ok := msgpack.Skip(rest)
		if !ok {
			break
		}
		if bytes.Equal(rest[:len(rest)-len(after)], value) {
			return i
		}
		rest = after
	}
	return -1
}

// Call foresees the call of a function with a habit. args is an array.
func (f *Foresight) Call(b *Box, h *Habit, args []byte) {
	x := f.target(b, h.space, h.index)
	if x == nil || len(x.KeyDef.Parts) != 1 {
		return
	}
	n, rest, _ := msgpack.ReadArrayHeader(args)
	if h.arg >= n {
		return
	}
	if rest, ok := msgpack.SkipN(rest, h.arg); ok {
		f.expect(x, rest)
	}
}

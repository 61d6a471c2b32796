package memtx

import (
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/tuple"
)

// past is what a History knows of a space.
type past struct {
	history *History
	space   *Space
	// owner is the open transaction whose changes the indexes hold, nil if there are none.
	owner *Txn
	// version grows by one with each change of the indexes.
	version uint64
	// pending are the changes that are prepared and not confirmed, the oldest first.
	pending []change
	// confirmed is the space without them; nil when nobody has asked for it.
	confirmed *Space
	advanced  int // changes made in confirmed since it was made
	unseen    int // and since somebody looked at it
	// kept is the newest of the views that have a version of the space if they need one.
	kept uint64
	// log has the changes from version first on for the forks, of which there are forks.
	log   []change
	first uint64
	forks int
}

// change is a change of a space.
type change struct {
	position uint64 // in the journal, math.MaxUint64 while it is not known
	old, new *tuple.Tuple
}

// maxLog is how many changes are kept for forks. Those that are farther behind are made anew.
const maxLog = 4096

// maxAdvance is how many changes are made in the confirmed version of a space before it is made anew, so that it goes on
// sharing most of its nodes with the space.
const maxAdvance = 4096

// pastOf returns what is known of a space.
func (h *History) pastOf(s *Space) *past {
	if s.past == nil {
		s.past = &past{history: h, space: s}
	}
	return s.past
}

// Watch makes a space one whose readers are told apart by what they may see, although nothing was changed in it yet.
func (h *History) Watch(s *Space) { h.pastOf(s) }

// claim makes a transaction the owner of a space.
func (h *History) claim(s *Space, t *Txn) *past {
	p := h.pastOf(s)
	if p.owner != t {
		if p.owner != nil {
			p.owner.park()
		}
		p.owner = t
		t.owned = append(t.owned, p)
	}
	t.meets(p)
	return p
}

// meets notes that the transaction depends on what is pending in a space.
func (t *Txn) meets(p *past) {
	if len(p.pending) > 0 {
		t.behind = t.history.position
	}
}

// disown ends the ownership of spaces.
func (t *Txn) disown() {
	for i, p := range t.owned {
		if p.owner == t {
			p.owner = nil
		}
		t.owned[i] = nil
	}
	t.owned = t.owned[:0]
}

// changed notes a change of the indexes.
func (p *past) changed(old, new *tuple.Tuple) {
	if p.forks > 0 {
		if len(p.log) >= maxLog {
			clear(p.log)
			p.log, p.first = p.log[:0], p.version
		}
		p.log = append(p.log, change{old: old, new: new})
	}
	p.version++
}

// since returns the changes from a version on. ok is false when they are not known.
func (p *past) since(version uint64) (list []change, ok bool) {
	if version < p.first {
		return nil, false
	}
	return p.log[version-p.first:], true
}

// fork returns the space as it is now, with indexes of its own.
func (s *Space) fork() *Space { return s.copied(index.Index.Fork) }

// snapshot returns the space as it is now, to be read only.
func (s *Space) snapshot() *Space { return s.copied(index.Index.Snapshot) }

func (s *Space) copied(of func(index.Index) index.Index) *Space {
	c := &Space{ID: s.ID, Name: s.Name, Format: s.Format, Indexes: make([]*Index, len(s.Indexes))}
	room := make([]Index, len(s.Indexes))
	for i, x := range s.Indexes {
		room[i] = *x
		room[i].Index, room[i].readers = of(x.Index), intervals{}
		c.Indexes[i] = &room[i]
	}
	return c
}

// of returns the index of a version of the space that stands for x, an index of the space itself.
func (v *Space) of(s *Space, x *Index) index.Index {
	for i, y := range s.Indexes {
		if y == x && i < len(v.Indexes) {
			return v.Indexes[i].Index
		}
	}
	return x.Index
}

// without returns the space without its newest n pending changes, which are the newest in its indexes.
func (p *past) without(n int) *Space {
	f := p.space.fork()
	for i := len(p.pending) - 1; i >= len(p.pending)-n; i-- {
		_, _ = f.replace(p.pending[i].new, p.pending[i].old, index.InsertOnly)
	}
	return f
}

// settled returns the space as it is confirmed. The result changes as more is.
func (p *past) settled() *Space {
	if p.confirmed == nil {
		p.confirmed, p.advanced = p.without(len(p.pending)), 0
	}
	p.unseen = 0
	return p.confirmed
}

// confirm takes the changes up to a position of the journal for confirmed.
func (p *past) confirm(position uint64) {
	n := 0
	for n < len(p.pending) && p.pending[n].position <= position {
		n++
	}
	if n == 0 {
		return
	}
	if n == len(p.pending) {
		p.cut(0)
		return
	}
	if p.confirmed != nil {
		p.advanced += n
		p.unseen += n
		if p.unseen > 4*len(p.pending)+64 || p.advanced > maxAdvance {
			p.confirmed = nil
		} else {
			for i := range p.pending[:n] {
				_, _ = p.confirmed.replace(p.pending[i].old, p.pending[i].new, index.InsertOnly)
			}
		}
	}
	m := copy(p.pending, p.pending[n:])
	clear(p.pending[m:])
	p.pending = p.pending[:m]
}

// cut drops the pending changes from number n on.
func (p *past) cut(n int) {
	clear(p.pending[n:])
	p.pending = p.pending[:n]
	if n == 0 {
		p.confirmed = nil
	}
}

// touched reports whether the search of a span of an index would find something else among what is confirmed.
func (p *past) touched(x *Index, s *span) bool {
	for i := range p.pending {
		c := &p.pending[i]
		if c.old != nil && s.touches(x, c.old) || c.new != nil && s.touches(x, c.new) {
			return true
		}
	}
	return false
}

// settledTuple returns the confirmed tuple with a key of a unique index, nil if there is none. found is false
// when the key is not that of a pending change: then the tuple is what the index holds.
func (p *past) settledTuple(x *Index, key []byte, n int) (t *tuple.Tuple, found bool) {
	s := pointSpan(key, n)
	for i := range p.pending { // the oldest change of the key has what was before it
		c := &p.pending[i]
		if c.old != nil && s.touches(x, c.old) {
			return c.old, true
		}
		if c.new != nil && s.touches(x, c.new) {
			return nil, true
		}
	}
	return nil, false
}

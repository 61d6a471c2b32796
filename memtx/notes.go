package memtx

import (
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/tuple"
)

// note is what a transaction has read of an index.
type note struct {
	span
	index *Index
}

// note remembers that the transaction has read a span, of which it makes a copy. The indexes are told only when another
// transaction is prepared before this one has ended.
func (t *Txn) note(x *Index, s span) {
	if n := len(t.notes); n > 0 && t.notes[n-1].index == x && sameSpan(&t.notes[n-1].span, &s) {
		return
	}
	if len(t.notes) == 0 {
		t.waitToNote()
	}
	s, t.noteKeys = s.copied(t.noteKeys)
	t.notes = append(t.notes, note{s, x})
}

func sameSpan(a, b *span) bool {
	same := func(a, b *bound) bool { return a.n == b.n && a.behind == b.behind && string(a.key) == string(b.key) }
	return same(&a.lo, &b.lo) && same(&a.hi, &b.hi)
}

// waitToNote makes the transaction one that noteAll asks for what it has read.
func (t *Txn) waitToNote() {
	if !t.noting {
		t.noting, t.noteSlot = true, len(t.history.unnoted)
		t.history.unnoted = append(t.history.unnoted, t)
	}
}

// noteAll tells the indexes what open transactions, all but one, have read.
func (h *History) noteAll(but *Txn) {
	list := h.unnoted
	h.unnoted = h.spare[:0]
	for _, t := range list {
		if t == but {
			t.noting = false
			t.waitToNote()
		} else {
			t.tell()
		}
	}
	clear(list)
	h.spare = list[:0]
}

// tell tells the indexes what the transaction has read.
func (t *Txn) tell() {
	walking := t.cursors[:0]
	for _, c := range t.cursors {
		c.note(t)
		if !c.ended {
			walking = append(walking, c)
		}
	}
	clear(t.cursors[len(walking):])
	t.cursors = walking
	room := make([]interval, len(t.notes))
	for i := range t.notes {
		n := &room[i]
		n.span, n.txn, n.index = t.notes[i].span, t, t.notes[i].index
		n.index.readers.add(n)
		t.intervals = append(t.intervals, n)
	}
	clear(t.notes)
	t.notes = t.notes[:0]
	t.noting = false
	if len(t.cursors) > 0 {
		t.waitToNote()
	}
}

// dropNotes makes the transaction one that has read nothing.
func (t *Txn) dropNotes() {
	for i, n := range t.intervals {
		n.index.readers.remove(n)
		t.intervals[i] = nil
	}
	clear(t.notes)
	clear(t.cursors)
	t.intervals, t.notes, t.cursors = t.intervals[:0], t.notes[:0], t.cursors[:0]
	if t.noteKeys = t.noteKeys[:0]; cap(t.noteKeys) > 1<<16 {
		t.noteKeys = nil
	}
	if t.noting {
		t.noting = false
		h := t.history
		last := len(h.unnoted) - 1
		h.unnoted[t.noteSlot] = h.unnoted[last]
		h.unnoted[t.noteSlot].noteSlot = t.noteSlot
		h.unnoted[last] = nil
		h.unnoted = h.unnoted[:last]
	}
}

// noteWrite notes what a change depends on: that the keys of a new tuple are free. A tuple that takes the place of
// whatever has its primary key does not depend on that.
func (t *Txn) noteWrite(s *Space, old, new *tuple.Tuple, mode index.Mode) {
	if new == nil {
		return
	}
	var room [128]byte
	for i, x := range s.Indexes {
		if i == 0 && (old != nil || mode == index.ReplaceOrInsert) || !x.Unique || x.Type > index.Hash {
			continue
		}
		n := len(x.KeyDef.Parts)
		known := i > 0 && (old != nil || mode == index.ReplaceOrInsert) // whose place it takes
		if x.keyed() {
			index.EachKey(x.Index, new, nil, func(key []byte, _ int) { t.noteFree(s, x, new, key, n, known) })
			continue
		}
		if x.KeyDef.HasNil(new, 0, n) || x.KeyDef.Excludes(new, 0) || old != nil && x.KeyDef.Compare(old, new) == 0 {
			continue
		}
		t.noteFree(s, x, new, x.KeyDef.AppendKey(room[:0], new.Data(), 0), n, known && old == nil)
	}
}

// noteFree notes that a key of a new tuple is free, unless it is that of the tuple whose place the new one takes.
func (t *Txn) noteFree(s *Space, x *Index, new *tuple.Tuple, key []byte, n int, replaces bool) {
	if replaces {
		v, _ := s.seen(t, x)
		if has := v.Get(key, n); has != nil && s.Indexes[0].KeyDef.Compare(has, new) == 0 {
			return
		}
	}
	t.note(x, pointSpan(key, n))
}

// Observe says that somebody has looked at the tuple whose place the statement recorded last has taken.
func (t *Txn) Observe() {
	s := &t.stmts[len(t.stmts)-1]
	if !s.blind {
		return
	}
	s.blind = false
	if t.tracked() && s.New != nil {
		var room [128]byte
		x := s.Space.Indexes[0]
		t.note(x, pointSpan(x.KeyDef.AppendKey(room[:0], s.New.Data(), 0), len(x.KeyDef.Parts)))
	}
}

// made reports whether one of the last statements of the transaction has made the tuple.
func (t *Txn) made(tp *tuple.Tuple) bool {
	const some = 32
	for i := len(t.stmts) - 1; i >= max(0, len(t.stmts)-some); i-- {
		if t.stmts[i].New == tp {
			return true
		}
	}
	return false
}

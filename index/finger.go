package index

// A statement looks for the same key several times: with those of other requests before the first of them runs, see Fetch,
// then to find the tuple, then to change it. A tree remembers where the first search has ended, so that the others begin
// there. That is for trees whose hint is the whole key: others would have to look whether they are right.

// fingers are the places of keys, each in the slot that its hint says; the newest one has it. They point to no nodes,
// which may have been copied or dropped since: they say which children the way takes.
type fingers [fingerCount]finger

type finger struct {
	hint  uint64
	shape uint32            // of the tree when the way was found: with another one there may be another way
	way   [fingerRows]uint8 // which child of each inner node from the root on
	pos   uint8             // in the leaf, where the hint was last
}

const (
	// fingerCount is some times as many as are ever used together, so that few share a slot.
	fingerCount = 1 << fingerBits
	fingerBits  = 8
	// fingerRows is how many rows of inner nodes a tree may have. Three are enough for a hundred million entries.
	fingerRows = 3
)

// of returns the place of a key with a hint.
func (s *fingers) of(hint uint64) *finger {
	return &s[hint*0x9e3779b97f4a7c15>>(64-fingerBits)]
}

// finger returns the place of the key with a hint, nil when that isn't known.
func (t *tree) finger(hint uint64) *finger {
	if t.fingers == nil {
		return nil
	}
	f := t.fingers.of(hint)
	if f.hint != hint || f.shape != t.shape {
		return nil
	}
	return f
}

// pick is findLeaf in the leaf that a finger leads to.
func (t *tree) pick(f *finger, l *leaf, p *probe) (pos int, found bool) {
	if i := int(f.pos); i < int(l.n) && l.hints[i] == p.hint && l.depth == 0 {
		return i, true
	}
	return t.findLeaf(l, p)
}

// keepFingers has the tree remember where searches end, if it can.
func (t *tree) keepFingers() bool {
	if !t.exact || t.height > fingerRows {
		return false
	}
	if t.fingers == nil {
		t.fingers = new(fingers)
		t.reshaped() // so that no empty slot has the tree's shape
	}
	return true
}

// reshaped notes that fingers may not lead to the right leaves any more.
func (t *tree) reshaped() {
	if t.shape++; t.shape == 0 {
		t.fingers = nil // some may have the shapes to come
	}
}

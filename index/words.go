package index

import (
	"encoding/binary"
	"unsafe"

	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// A hint is the first word of a key. Where many keys begin with the same one (strings with a common prefix, equal
// values in a non-unique index) it says nothing, so the nodes of a tree may use the words behind it.
//
// The words of a key are integers such that of two keys whose first words are equal, the one with the lesser next
// word is the lesser key. Equal words say nothing. A number is one word; a string has eight bytes in its first word
// and seven in each further one, whose lowest byte tells where the string ends, so that the next part can follow.
// A part whose word doesn't tell it from all others, such as a double, is the last one that has words.

// maxWords is how many words of a key are looked at.
const maxWords = 4

// words computes the words of keys behind the first one, which is the hint of the key definition.
type words struct {
	parts []wordPart
	count int // of the words that keys can have, at most maxWords
}

type wordPart struct {
	field int
	text  bool          // a string or varbinary that is ordered by bytes
	desc  uint64        // all ones to turn the order round
	one   *tuple.KeyDef // of this part alone
}

// newWords makes the words of the part of a key that makes it unique.
func newWords(def *tuple.KeyDef) words {
	var w words
	for i := range def.Parts[:def.UniqueParts] {
		p := def.Parts[i]
		if p.Path != "" {
			break
		}
		part := wordPart{field: p.Field}
		p.Field = 0
		one, err := tuple.NewKeyDef([]tuple.KeyPart{p})
		if err != nil {
			break
		}
		part.one = one
		if p.Desc {
			part.desc = ^uint64(0)
		}
		exact := false
		if !p.Nullable {
			switch p.Type {
			case tuple.Unsigned, tuple.Boolean:
				exact = true
			case tuple.String:
				part.text = p.Collation == nil || p.Collation.Type == "BINARY"
			case tuple.Varbinary:
				part.text = true
			}
		}
		w.parts = append(w.parts, part)
		w.count++
		if part.text {
			w.count = maxWords
		} else if !exact {
			break
		}
	}
	w.count = max(1, min(w.count, maxWords))
	return w
}

// value returns word i of the value of a part, or how many words it has if those are not more than i.
func (p *wordPart) value(v []byte, i int) (word uint64, found bool, n int) {
	if !p.text {
		if i > 0 {
			return 0, false, 1
		}
		return p.one.HintKey(v, 1), true, 0
	}
	s, _, ok := msgpack.ReadString(v)
	if !ok {
		s, _, _ = msgpack.ReadBin(v)
	}
	if n := textWords(len(s)); i >= n {
		return 0, false, n
	}
	return textWord(s, i) ^ p.desc, true, 0
}

// textWords returns how many words a string of n bytes has.
func textWords(n int) int { return 1 + max(1, (n-8+6)/7) }

// textWord returns word i of a string.
func textWord(s []byte, i int) uint64 {
	var room [8]byte
	if i == 0 {
		copy(room[:], s)
		return binary.BigEndian.Uint64(room[:])
	}
	if len(s) <= 8 {
		return uint64(len(s)) // zeros may have filled the first word up: the shorter string is the lesser one
	}
	s = s[8+7*(i-1):]
	copy(room[:7], s)
	room[7] = 8 + byte(min(len(s), 8))
	return binary.BigEndian.Uint64(room[:])
}

// tuple returns word i of a tuple's key, i > 0.
func (w *words) tuple(t *tuple.Tuple, i int) uint64 {
	for k := range w.parts {
		p := &w.parts[k]
		word, found, n := p.value(t.Field(p.field), i)
		if found {
			return word
		}
		i -= n
	}
	return 0
}

// key returns word i of a key of n parts, i > 0. ended means that the key has fewer words, so that all keys with the
// same words begin with it.
func (w *words) key(key []byte, n, i int) (word uint64, ended bool) {
	for k := range w.parts {
		if k == n {
			return 0, true
		}
		p := &w.parts[k]
		word, found, m := p.value(key, i)
		if found {
			return word, false
		}
		i -= m
		key, _ = msgpack.Skip(key)
	}
	return 0, false
}

// head is what the two kinds of node have in common.
type head struct {
	gen    uint32 // the generation of the tree that may change this node
	n      int16  // of the entries of a leaf, of the children of an inner node
	depth  uint16 // which word of their keys the hints are; all keys of the node share those before it
	prefix [maxWords - 1]uint64
}

// side is where a probe stands, seen from a node.
type side int8

const (
	within side = iota // a search among the hints will tell
	before             // before everything
	behind             // behind everything
	equals             // everything begins with the key that is looked for
)

// word returns word i of what the probe looks for.
func (t *tree) word(p *probe, i int) (word uint64, ended bool) {
	if i == 0 {
		return p.hint, false
	}
	if i > int(p.words) {
		if p.item != nil {
			p.word[i-1] = t.words.tuple(p.item, i)
		} else if word, ended = t.words.key(p.key, p.n, i); ended {
			return 0, true
		} else {
			p.word[i-1] = word
		}
		p.words = int8(i)
	}
	return p.word[i-1], false
}

// enter compares a probe with what the keys of a node have in common, and returns the hint to search for.
func (t *tree) enter(h *head, p *probe) (hint uint64, at side) {
	for i := range int(h.depth) {
		w, ended := t.word(p, i)
		switch {
		case ended:
			return 0, equals
		case w < h.prefix[i]:
			return 0, before
		case w > h.prefix[i]:
			return 0, behind
		}
	}
	hint, ended := t.word(p, int(h.depth))
	if ended {
		return 0, equals
	}
	return hint, within
}

// itemWord returns word i of an item.
func (t *tree) itemWord(it unsafe.Pointer, i int) uint64 {
	if i == 0 {
		return t.cmp.Hint(t.keyOf(it))
	}
	return t.words.tuple(t.keyOf(it), i)
}

// rehint makes the hints of a node word depth of its keys. They must share the words before it.
func (t *tree) rehint(h *head, hints []uint64, items []unsafe.Pointer, depth int) {
	for i := int(h.depth); i < depth && len(items) > 0; i++ {
		h.prefix[i] = t.itemWord(items[0], i)
	}
	h.depth = uint16(depth)
	for i, it := range items {
		hints[i] = t.itemWord(it, depth)
	}
}

// deepen makes a node whose hints are all the same use a later word of its keys.
func (t *tree) deepen(h *head, hints []uint64, items []unsafe.Pointer) {
	const worthwhile = 8
	for len(hints) >= worthwhile && int(h.depth)+1 < t.words.count && hints[0] == hints[len(hints)-1] {
		t.rehint(h, hints, items, int(h.depth)+1)
	}
}

// admit returns the hint of an item that is to go into a node. If it doesn't share what the keys of the node have
// in common, they have less in common from now on.
func (t *tree) admit(h *head, hints []uint64, items []unsafe.Pointer, it unsafe.Pointer) uint64 {
	if len(items) == 0 {
		h.depth = 0
	}
	for i := range int(h.depth) {
		if w := t.itemWord(it, i); w != h.prefix[i] {
			t.rehint(h, hints, items, i)
			return w
		}
	}
	return t.itemWord(it, int(h.depth))
}

// common returns how many words the keys of two nodes share.
func common(a, b *head) int {
	n := int(min(a.depth, b.depth))
	for i := range n {
		if a.prefix[i] != b.prefix[i] {
			return i
		}
	}
	return n
}

func (t *tree) deepenLeaf(l *leaf) { t.deepen(&l.head, l.hints[:l.n], l.items[:l.n]) }

func (t *tree) deepenInner(in *inner) { t.deepen(&in.head, in.hints[1:in.n], in.items[1:in.n]) }

// alignLeaves makes the hints of two leaves the same word, so that entries can move between them.
func (t *tree) alignLeaves(a, b *leaf) {
	if a.n == 0 {
		a.depth, a.prefix = b.depth, b.prefix
		return
	}
	if b.n == 0 {
		b.depth, b.prefix = a.depth, a.prefix
		return
	}
	d := common(&a.head, &b.head)
	for _, l := range [2]*leaf{a, b} {
		if int(l.depth) != d {
			t.rehint(&l.head, l.hints[:l.n], l.items[:l.n], d)
		}
	}
}

// alignInners is alignLeaves for inner nodes.
func (t *tree) alignInners(a, b *inner) {
	if a.n <= 1 {
		a.depth, a.prefix = b.depth, b.prefix
		return
	}
	if b.n <= 1 {
		return // it has no hints
	}
	d := common(&a.head, &b.head)
	for _, in := range [2]*inner{a, b} {
		if int(in.depth) != d {
			t.rehint(&in.head, in.hints[1:in.n], in.items[1:in.n], d)
		}
	}
}

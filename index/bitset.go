package index

import (
	"math/bits"
	"unsafe"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// bitset is a BITSET index. Every tuple has a slot, and for each of the first bits of the keys there is a plane:
// one bit a slot. A search combines the planes 64 slots at a time. Bits behind planeBits, which only long strings
// have, are looked up in the tuples that the planes leave over.
//
// A key is a string of bits: an unsigned number its 64 bits from the lowest one, a string those of its bytes,
// each from the lowest one. Behind its end a tuple's key has zeros.
type bitset struct {
	def *Def

	slots   []*tuple.Tuple // nil where free
	planes  [][]uint64     // of the bits that were ever set; a plane may be shorter than the slots need
	free    []int          // slots, the one freed last at the end
	where   map[*tuple.Tuple]int
	shared  bool // slots and planes are a snapshot's too
	frozen  bool
	size    int
	version uint64
}

// planeBits is how many bits of a key have planes.
const planeBits = 256

// NewBitset makes an empty BITSET index.
func NewBitset(def *Def) Index {
	return &bitset{def: def, where: make(map[*tuple.Tuple]int)}
}

func (b *bitset) Def() *Def { return b.def }

func (b *bitset) Len() int { return b.size }

func (b *bitset) Bytes() int64 {
	n := int64(cap(b.slots))*8 + int64(cap(b.free))*8 + int64(len(b.where))*24
	for _, p := range b.planes {
		n += int64(cap(p))*8 + int64(unsafe.Sizeof(p))
	}
	return n
}

// keyBits returns the bits of a key part. An unsigned number is written into room.
func keyBits(v []byte, room *[8]byte) []byte {
	switch msgpack.TypeOf(v[0]) {
	case msgpack.String:
		s, _, _ := msgpack.ReadString(v)
		return s
	case msgpack.Bin:
		s, _, _ := msgpack.ReadBin(v)
		return s
	}
	u, _, _ := msgpack.ReadUint(v)
	for i := range room {
		room[i] = byte(u >> (8 * i))
	}
	return room[:]
}

// bitsOf returns the bits of a tuple's key; buf is where the key may be put together.
func (b *bitset) bitsOf(t *tuple.Tuple, buf []byte, room *[8]byte) []byte {
	key := b.def.KeyDef.AppendKey(buf, t.Data(), 0)
	return keyBits(key, room)
}

// own makes slots and planes ones that the index may change.
func (b *bitset) own() {
	if !b.shared {
		return
	}
	b.slots = append([]*tuple.Tuple(nil), b.slots...)
	planes := make([][]uint64, len(b.planes))
	for i, p := range b.planes {
		planes[i] = append([]uint64(nil), p...)
	}
	b.planes = planes
	b.shared = false
}

// Replace implements Index.
func (b *bitset) Replace(old, new *tuple.Tuple, _ Mode) (*tuple.Tuple, error) {
	if b.frozen {
		return nil, errReadOnly()
	}
	b.own()
	b.version++
	slot, found := 0, false
	if old != nil {
		if slot, found = b.where[old]; found {
			b.mark(old, slot, false)
			b.slots[slot] = nil
			b.free = append(b.free, slot)
			delete(b.where, old)
			b.size--
		} else {
			old = nil
		}
	}
	if new != nil {
		if n := len(b.free); n > 0 {
			slot = b.free[n-1]
			b.free = b.free[:n-1]
		} else {
			slot = len(b.slots)
			b.slots = append(b.slots, nil)
		}
		b.slots[slot] = new
		b.where[new] = slot
		b.mark(new, slot, true)
		b.size++
	}
	return old, nil
}

// mark sets or clears a slot in the planes of the bits that the tuple's key has.
func (b *bitset) mark(t *tuple.Tuple, slot int, set bool) {
	var buf [64]byte
	var room [8]byte
	key := b.bitsOf(t, buf[:0], &room)
	for i, c := range key[:min(len(key), planeBits/8)] {
		for ; c != 0; c &= c - 1 {
			plane := i*8 + bits.TrailingZeros8(c)
			for plane >= len(b.planes) {
				b.planes = append(b.planes, nil)
			}
			for slot/64 >= len(b.planes[plane]) {
				b.planes[plane] = append(b.planes[plane], 0)
			}
			if set {
				b.planes[plane][slot/64] |= 1 << (slot % 64)
			} else {
				b.planes[plane][slot/64] &^= 1 << (slot % 64)
			}
		}
	}
}

// bitsetIterator walks over the slots.
type bitsetIterator struct {
	b    *bitset
	typ  IteratorType
	key  []byte // bits
	room [8]byte
	word int    // the word of the planes that is looked at
	left uint64 // slots of it that were found and not returned yet
}

func (it *bitsetIterator) init(b *bitset, typ IteratorType, key []byte, n int, after Position) error {
	it.b, it.typ, it.word = b, typ, -1
	if len(after) > 0 {
		return b.def.Unsupported("pagination")
	}
	switch typ {
	case ALL:
		return nil
	case EQ, BitsAllSet, BitsAnySet, BitsAllNotSet:
	default:
		return b.def.Unsupported(iteratorFeature)
	}
	if n == 0 {
		return boxerr.New(boxerr.PartialKey, b.def.Type.String(), 1, 0)
	}
	it.key = keyBits(key, &it.room)
	return nil
}

// Next implements Iterator.
func (it *bitsetIterator) Next() *tuple.Tuple {
	for {
		for it.left == 0 {
			if it.word*64+64 >= len(it.b.slots) {
				return nil
			}
			it.word++
			it.left = it.match(it.word)
		}
		slot := it.word*64 + bits.TrailingZeros64(it.left)
		it.left &= it.left - 1
		if slot >= len(it.b.slots) {
			continue
		}
		if t := it.b.slots[slot]; t != nil && it.matchTail(t) {
			return t
		}
	}
}

// match returns the slots among the 64 of a word that may be what is looked for.
func (it *bitsetIterator) match(word int) uint64 {
	if it.typ == ALL {
		return ^uint64(0)
	}
	all, any, found := ^uint64(0), uint64(0), false
	for i, c := range it.key[:min(len(it.key), planeBits/8)] {
		for bit := range 8 {
			var plane uint64
			if p := i*8 + bit; p < len(it.b.planes) && word < len(it.b.planes[p]) {
				plane = it.b.planes[p][word]
			}
			switch wanted := c>>bit&1 != 0; {
			case wanted && it.typ == BitsAllNotSet:
				all &^= plane
			case wanted:
				found = true
				all &= plane
				any |= plane
			case it.typ == EQ:
				all &^= plane
			}
		}
	}
	long := len(it.key) > planeBits/8
	switch it.typ {
	case BitsAllSet:
		if !found && !long {
			return 0
		}
	case BitsAnySet:
		if !long {
			return any
		}
		return ^uint64(0)
	}
	return all
}

// matchTail reports whether a tuple that the planes found is what is looked for in all bits.
func (it *bitsetIterator) matchTail(t *tuple.Tuple) bool {
	if len(it.key) <= planeBits/8 || it.typ == ALL {
		return true
	}
	var room [8]byte
	have := it.b.bitsOf(t, nil, &room)
	wanted, any := false, false
	for i, c := range it.key {
		var h byte
		if i < len(have) {
			h = have[i]
		}
		wanted = wanted || c != 0
		any = any || h&c != 0
		if it.typ == BitsAllSet && h&c != c || it.typ == EQ && h != c {
			return false
		}
	}
	switch it.typ {
	case BitsAllSet:
		return wanted
	case BitsAnySet:
		return any
	case BitsAllNotSet:
		return !any
	}
	return true
}

// Get implements Index. A BITSET is never unique.
func (b *bitset) Get([]byte, int) *tuple.Tuple { return nil }

// Iterate implements Index.
func (b *bitset) Iterate(typ IteratorType, key []byte, n int, after Position) (Iterator, error) {
	it := new(bitsetIterator)
	if err := it.init(b, typ, key, n, after); err != nil {
		return nil, err
	}
	return it, nil
}

// Select implements Index.
func (b *bitset) Select(dst []*tuple.Tuple, typ IteratorType, key []byte, n int, after Position, offset, limit int) ([]*tuple.Tuple, error) {
	var it bitsetIterator
	if err := it.init(b, typ, key, n, after); err != nil {
		return dst, err
	}
	return take(dst, &it, offset, limit), nil
}

// Count implements Index.
func (b *bitset) Count(typ IteratorType, key []byte, n int) (int, error) {
	if typ == ALL {
		return b.size, nil
	}
	var it bitsetIterator
	if err := it.init(b, typ, key, n, nil); err != nil {
		return 0, err
	}
	return count(&it), nil
}

// Min implements Index.
func (b *bitset) Min([]byte, int) (*tuple.Tuple, error) { return nil, b.def.Unsupported("min()") }

// Max implements Index.
func (b *bitset) Max([]byte, int) (*tuple.Tuple, error) { return nil, b.def.Unsupported("max()") }

// Random implements Index.
func (b *bitset) Random(uint32) *tuple.Tuple { return nil }

// AppendPosition implements Index.
func (b *bitset) AppendPosition(dst []byte, _ *tuple.Tuple) ([]byte, error) {
	return dst, b.def.Unsupported("pagination")
}

// Snapshot implements Index. The first change after it copies the index.
func (b *bitset) Snapshot() Index {
	s := *b
	s.frozen, s.shared = true, true
	s.where, s.free = nil, nil
	b.shared = true
	return &s
}

// BulkLoad implements Index.
func (b *bitset) BulkLoad(tuples []*tuple.Tuple) error {
	for _, t := range tuples {
		if _, err := b.Replace(nil, t, InsertOnly); err != nil {
			return err
		}
	}
	return nil
}

// take appends what an iterator returns, without the first offset tuples and limit tuples at most.
func take(dst []*tuple.Tuple, it Iterator, offset, limit int) []*tuple.Tuple {
	for ; limit > 0; offset-- {
		t := it.Next()
		if t == nil {
			break
		}
		if offset <= 0 {
			dst = append(dst, t)
			limit--
		}
	}
	return dst
}

// count returns how many tuples an iterator returns.
func count(it Iterator) (n int) {
	for it.Next() != nil {
		n++
	}
	return n
}

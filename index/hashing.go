package index

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"

	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// keyHasher computes hashes of keys: equal ones of keys that the definition takes for equal, in whatever form
// they are encoded. The hashes differ from process to process, so that nobody can choose keys that collide.
type keyHasher struct {
	key   *tuple.KeyDef
	paths bool // a part is taken from inside of a field
}

func newKeyHasher(key *tuple.KeyDef) keyHasher {
	h := keyHasher{key: key}
	for i := range key.Parts {
		h.paths = h.paths || key.Parts[i].Path != ""
	}
	return h
}

var (
	hashSeed    = maphash.MakeSeed()
	integerSeed = maphash.String(hashSeed, "")
	// numbers maps a number, whatever its type, to an integer that equal numbers share.
	numbers, _ = tuple.NewKeyDef([]tuple.KeyPart{{Type: tuple.Number}})
)

// tuple returns the hash of a tuple's key.
func (h *keyHasher) tuple(t *tuple.Tuple) uint32 {
	if h.paths {
		return h.hash(h.key.AppendKey(nil, t.Data(), 0), len(h.key.Parts))
	}
	var sum uint64
	for i := range h.key.Parts {
		p := &h.key.Parts[i]
		sum = mix(sum ^ hashValue(p.Type, p.Collation, t.Field(p.Field)))
	}
	return uint32(sum >> 32)
}

// hash returns the hash of a key of n parts.
func (h *keyHasher) hash(key []byte, n int) uint32 {
	var sum uint64
	for i := range h.key.Parts[:n] {
		p := &h.key.Parts[i]
		rest, _ := msgpack.Skip(key)
		sum = mix(sum ^ hashValue(p.Type, p.Collation, key[:len(key)-len(rest)]))
		key = rest
	}
	return uint32(sum >> 32)
}

// mix spreads what is special about a number over all of its bits.
func mix(x uint64) uint64 {
	hi, lo := bits.Mul64(x^integerSeed, 0x9e3779b97f4a7c15)
	hi, lo = bits.Mul64(hi^lo, 0xd6e8feb86659fd93)
	return hi ^ lo
}

func hashValue(typ tuple.FieldType, coll *tuple.Collation, v []byte) uint64 {
	if len(v) == 0 {
		return 0
	}
	switch msgpack.TypeOf(v[0]) {
	case msgpack.Uint:
		if typ == tuple.Unsigned || typ == tuple.Integer {
			u, _, _ := msgpack.ReadUint(v)
			return u
		}
		return numbers.HintKey(v, 1)
	case msgpack.Int:
		if typ == tuple.Integer {
			i, _, _ := msgpack.ReadInt(v)
			return uint64(i)
		}
		return numbers.HintKey(v, 1)
	case msgpack.Float32, msgpack.Float64:
		return numbers.HintKey(v, 1)
	case msgpack.String:
		s, _, _ := msgpack.ReadString(v)
		if coll != nil {
			var room [128]byte
			return maphash.Bytes(hashSeed, coll.AppendSortKey(room[:0], s))
		}
		return maphash.Bytes(hashSeed, s)
	case msgpack.Bin:
		b, _, _ := msgpack.ReadBin(v)
		return maphash.Bytes(hashSeed, b)
	case msgpack.Ext:
		ext, data, _, _ := msgpack.ReadExt(v)
		switch {
		case ext == extDecimal:
			return numbers.HintKey(v, 1)
		case ext == extDatetime && len(data) >= 12: // the point in time, not the time zone
			return binary.LittleEndian.Uint64(data) ^ uint64(binary.LittleEndian.Uint32(data[8:]))<<32
		case ext == extDatetime && len(data) >= 8:
			return binary.LittleEndian.Uint64(data)
		}
		return maphash.Bytes(hashSeed, data)
	case msgpack.Bool:
		return uint64(v[0])
	}
	return maphash.Bytes(hashSeed, v)
}

// The types of the extensions that have more than one form of a value.
const (
	extDecimal  = 1
	extDatetime = 4
)

// Package hash has the checksums of the Lua module digest that Go's standard library lacks: MD4 (RFC 1320), the 32-bit
// MurmurHash3, xxHash of 32 and 64 bits, and the consistent hash of Google's Guava. All are functions of a whole text; none
// is fit for anything secret.
package hash

import (
	"encoding/binary"
	"math/bits"
)

// MD4 returns the MD4 digest of b.
func MD4(b []byte) [16]byte {
	state := [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}
	length := uint64(len(b)) * 8
	tail := append([]byte(nil), b[len(b)&^63:]...)
	tail = append(tail, 0x80)
	for len(tail)%64 != 56 {
		tail = append(tail, 0)
	}
	tail = binary.LittleEndian.AppendUint64(tail, length)
	for ; len(b) >= 64; b = b[64:] {
		md4Block(&state, b)
	}
	for ; len(tail) > 0; tail = tail[64:] {
		md4Block(&state, tail)
	}
	var out [16]byte
	for i, v := range state {
		binary.LittleEndian.PutUint32(out[i*4:], v)
	}
	return out
}

// md4Rounds are the three rounds: the order in which words are taken, the rotations and the constant.
var md4Rounds = [3]struct {
	order     [16]int
	rotations [4]int
	constant  uint32
}{
	{[16]int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, [4]int{3, 7, 11, 19}, 0},
	{[16]int{0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15}, [4]int{3, 5, 9, 13}, 0x5a827999},
	{[16]int{0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15}, [4]int{3, 9, 11, 15}, 0x6ed9eba1},
}

func md4Block(state *[4]uint32, block []byte) {
	var words [16]uint32
	for i := range words {
		words[i] = binary.LittleEndian.Uint32(block[i*4:])
	}
	a, b, c, d := state[0], state[1], state[2], state[3]
	for round := range md4Rounds {
		r := &md4Rounds[round]
		for i, k := range r.order {
			var f uint32
			switch round {
			case 0:
				f = b&c | ^b&d
			case 1:
				f = b&c | b&d | c&d
			default:
				f = b ^ c ^ d
			}
			v := bits.RotateLeft32(a+f+words[k]+r.constant, r.rotations[i%4])
			a, b, c, d = d, v, b, c
		}
	}
	state[0] += a
	state[1] += b
	state[2] += c
	state[3] += d
}

// Murmur returns the 32-bit MurmurHash3 of b.
func Murmur(b []byte, seed uint32) uint32 {
	const c1, c2 = 0xcc9e2d51, 0x1b873593
	h := seed
	n := len(b)
	for ; len(b) >= 4; b = b[4:] {
		k := binary.LittleEndian.Uint32(b) * c1
		h ^= bits.RotateLeft32(k, 15) * c2
		h = bits.RotateLeft32(h, 13)*5 + 0xe6546b64
	}
	var k uint32
	for i, c := range b {
		k |= uint32(c) << (8 * i)
	}
	if len(b) > 0 {
		h ^= bits.RotateLeft32(k*c1, 15) * c2
	}
	h ^= uint32(n)
	h = (h ^ h>>16) * 0x85ebca6b
	h = (h ^ h>>13) * 0xc2b2ae35
	return h ^ h>>16
}

const (
	prime32a = 0x9e3779b1
	prime32b = 0x85ebca77
	prime32c = 0xc2b2ae3d
	prime32d = 0x27d4eb2f
	prime32e = 0x165667b1
)

// XX32 returns the xxHash of 32 bits.
func XX32(b []byte, seed uint32) uint32 {
	n := len(b)
	var h uint32
	if n >= 16 {
		lanes := [4]uint32{seed, seed, seed, seed}
		for i, start := range [4]uint32{prime32a, 0, 0, 0} {
			lanes[i] += start
		}
		lanes[0] += prime32b
		lanes[1] += prime32b
		lanes[3] -= prime32a
		for ; len(b) >= 16; b = b[16:] {
			for i := range lanes {
				lanes[i] = bits.RotateLeft32(lanes[i]+binary.LittleEndian.Uint32(b[i*4:])*prime32b, 13) * prime32a
			}
		}
		for i, rotation := range [4]int{1, 7, 12, 18} {
			h += bits.RotateLeft32(lanes[i], rotation)
		}
	} else {
		h = seed + prime32e
	}
	h += uint32(n)
	for ; len(b) >= 4; b = b[4:] {
		h = bits.RotateLeft32(h+binary.LittleEndian.Uint32(b)*prime32c, 17) * prime32d
	}
	for _, c := range b {
		h = bits.RotateLeft32(h+uint32(c)*prime32e, 11) * prime32a
	}
	h = (h ^ h>>15) * prime32b
	h = (h ^ h>>13) * prime32c
	return h ^ h>>16
}

const (
	prime64a uint64 = 0x9e3779b185ebca87
	prime64b uint64 = 0xc2b2ae3d27d4eb4f
	prime64c uint64 = 0x165667b19e3779f9
	prime64d uint64 = 0x85ebca77c2b2ae63
	prime64e uint64 = 0x27d4eb2f165667c5
)

func xxRound(lane, v uint64) uint64 { return bits.RotateLeft64(lane+v*prime64b, 31) * prime64a }

// XX64 returns the xxHash of 64 bits.
func XX64(b []byte, seed uint64) uint64 {
	n := len(b)
	var h uint64
	if n >= 32 {
		lanes := [4]uint64{seed + prime64b, seed + prime64b, seed, seed}
		lanes[0] += prime64a
		lanes[3] -= prime64a
		for ; len(b) >= 32; b = b[32:] {
			for i := range lanes {
				lanes[i] = xxRound(lanes[i], binary.LittleEndian.Uint64(b[i*8:]))
			}
		}
		for i, rotation := range [4]int{1, 7, 12, 18} {
			h += bits.RotateLeft64(lanes[i], rotation)
		}
		for _, lane := range lanes {
			h = (h^xxRound(0, lane))*prime64a + prime64d
		}
	} else {
		h = seed + prime64e
	}
	h += uint64(n)
	for ; len(b) >= 8; b = b[8:] {
		h = bits.RotateLeft64(h^xxRound(0, binary.LittleEndian.Uint64(b)), 27)*prime64a + prime64d
	}
	if len(b) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(b))*prime64a, 23)*prime64b + prime64c
		b = b[4:]
	}
	for _, c := range b {
		h = bits.RotateLeft64(h^uint64(c)*prime64e, 11) * prime64a
	}
	h = (h ^ h>>33) * prime64b
	h = (h ^ h>>29) * prime64c
	return h ^ h>>32
}

// Guava returns the bucket, from 0 to buckets - 1, that a key belongs to, so that few keys move when buckets are added.
func Guava(key uint64, buckets int64) int64 {
	var candidate int64
	for {
		key = key*2862933555777941757 + 1
		next := int64(float64(candidate+1) / (float64(int32(key>>33)+1) / float64(1<<31)))
		if next < 0 || next >= buckets {
			return candidate
		}
		candidate = next
	}
}

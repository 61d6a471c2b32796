package index

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// CheckKey checks a key of n parts for a search by the rules of the index's kind: only a TREE takes keys with fewer
// parts than it has, only some searches an empty key, and an RTREE's key is a point or a rectangle, in one array
// or as the coordinates themselves. The errors are KEY_PART_COUNT, PARTIAL_KEY, KEY_PART_TYPE and RTREE_RECT.
func (d *Def) CheckKey(typ IteratorType, key []byte, n int) error {
	if n == 0 && (d.Type == Tree || typ == ALL || typ == GT && d.Type == Hash) {
		return nil
	}
	if d.Type == RTree {
		return d.checkBox(key, n)
	}
	if parts := len(d.KeyDef.Parts); d.Type != Tree && n < parts {
		return boxerr.New(boxerr.PartialKey, d.Type.String(), parts, n)
	}
	return d.KeyDef.ValidateKey(key, n, true)
}

func (d *Def) checkBox(key []byte, n int) error {
	switch {
	case n == 1 && d.dimension() > 1 || n == 1 && msgpack.TypeOf(key[0]) == msgpack.Array:
		if !tuple.Array.Takes(key) {
			return boxerr.New(boxerr.KeyPartType, 0, tuple.Array.String())
		}
		m, rest, _ := msgpack.ReadArrayHeader(key)
		for range m {
			if !isCoordinate(rest) {
				return boxerr.New(boxerr.KeyPartType, 0, tuple.Number.String())
			}
			rest, _ = msgpack.Skip(rest)
		}
		if m != d.dimension() && m != 2*d.dimension() {
			return d.wrongBox("Key")
		}
	case n != d.dimension() && n != 2*d.dimension():
		return boxerr.New(boxerr.KeyPartCount, 2*d.dimension(), n)
	default:
		for i := range n {
			if !isCoordinate(key) {
				return boxerr.New(boxerr.KeyPartType, i, tuple.Number.String())
			}
			key, _ = msgpack.Skip(key)
		}
	}
	return nil
}

// isCoordinate reports whether a value may be a coordinate of an RTREE: a number, but not a decimal.
func isCoordinate(v []byte) bool {
	if len(v) == 0 {
		return false
	}
	switch msgpack.TypeOf(v[0]) {
	case msgpack.Uint, msgpack.Int, msgpack.Float32, msgpack.Float64:
		return true
	}
	return false
}

func (d *Def) dimension() int {
	if d.Dimension == 0 {
		return DefaultDimension
	}
	return d.Dimension
}

func (d *Def) wrongBox(what string) error {
	return boxerr.New(boxerr.RtreeRect, what, d.dimension(), 2*d.dimension())
}

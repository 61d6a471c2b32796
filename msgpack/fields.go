package msgpack

import "math"

// indexedFields is how many values of a map Fields remembers. The requests of the protocol have fewer.
const indexedFields = 12

// Fields finds values in a map whose keys are small integers, as bodies of requests are, without reading it again for each
// of them. It remembers places only: whoever asks it brings the map. The zero value finds nothing.
type Fields struct {
	n    int
	many bool // the map has too many keys to remember
	list [indexedFields]field
}

// field is where a value is.
type field struct{ key, from, to uint32 }

// Check tells whether b is one well-formed value, in the sense of Check of this package, with nothing behind it, and
// remembers where its fields are. What is no map has none.
func (f *Fields) Check(b []byte) bool {
	f.n, f.many = 0, false
	pairs, rest, isMap := ReadMapHeader(b)
	if !isMap || pairs > indexedFields {
		f.many = isMap
		rest, ok := Check(b)
		return ok && len(rest) == 0
	}
	at := len(b) - len(rest)
	for range pairs {
		// Most keys, and many values, are a byte. What the compiler doesn't inline is called for the others only.
		key, known := uint64(0), true
		if at < len(b) && b[at] < codeFixMap {
			key = uint64(b[at])
			at++
		} else if key, at, known = checkKey(b, at); at < 0 {
			return false
		}
		from := at
		if at < len(b) && b[at] < codeFixMap {
			at++
		} else if at = checkAt(b, at); at < 0 {
			return false
		}
		if known {
			f.list[f.n] = field{uint32(key), uint32(from), uint32(at)}
			f.n++
		}
	}
	return at == len(b)
}

// checkKey reads a key and returns where it ends, -1 if it is not well-formed. known tells whether it is one that fields may
// have.
func checkKey(b []byte, at int) (key uint64, end int, known bool) {
	if end = checkAt(b, at); end < 0 {
		return 0, end, false
	}
	key, _, known = ReadUint(b[at:end])
	return key, end, known && key <= math.MaxUint32
}

// Find returns what the map b, which is the one that was checked, holds under a key, nil when it has no such key. Of a key
// that stands twice the last one counts.
func (f *Fields) Find(b []byte, key uint32) []byte {
	if f.many {
		return Lookup(b, uint64(key))
	}
	for i := f.n - 1; i >= 0; i-- {
		if x := &f.list[i]; x.key == key {
			return b[x.from:x.to:x.to]
		}
	}
	return nil
}

// Lookup returns what the map at the beginning of b holds under an integer as key, nil when it has no such key or is no
// map. Of a key that stands twice the last one counts.
func Lookup(b []byte, key uint64) (found []byte) {
	n, rest, ok := ReadMapHeader(b)
	for ; ok && n > 0; n-- {
		k, _, isUint := ReadUint(rest)
		if rest, ok = Skip(rest); !ok {
			break
		}
		value := rest
		if rest, ok = Skip(value); ok && isUint && k == key {
			end := len(value) - len(rest)
			found = value[:end:end]
		}
	}
	return found
}

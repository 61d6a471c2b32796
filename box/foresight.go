package box

import (
	"bytes"

	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
)

// Foresight has the processor fetch what requests are going to look for before the first of them runs: all of it at once,
// where each request by itself would wait for its own. Nothing is checked and nothing is kept: where there is nothing to
// look for, nothing is fetched. Its calls are made under the cord's lock.
type Foresight struct {
	lookups []index.Lookup
	room    []byte // for keys

	// Where the request before was going to look.
	space, id uint32
	index     *memtx.Index
}

// worthForeseeing is how many requests make it worth while.
const worthForeseeing = 4

// Key foresees a request that looks for a key, a MessagePack array with its header.
func (f *Foresight) Key(b *Box, space, id uint32, key []byte) {
	x := f.target(b, space, id)
	if x == nil {
		return
	}
	if n, parts, ok := msgpack.ReadArrayHeader(key); ok && n == len(x.KeyDef.Parts) {
		f.expect(x, parts)
	}
}

// Tuple foresees a request that looks for the tuple with the primary key of another, a MessagePack array.
func (f *Foresight) Tuple(b *Box, space uint32, data []byte) {
	x := f.target(b, space, 0)
	if x == nil || len(data) == 0 || msgpack.TypeOf(data[0]) != msgpack.Array {
		return
	}
	if key, ok := x.KeyDef.KeyIn(data); ok {
		f.expect(x, key)
		return
	}
	from := len(f.room)
	f.room = x.KeyDef.AppendKey(f.room, data, 0)
	f.expect(x, f.room[from:len(f.room):len(f.room)])
}

func (f *Foresight) expect(x *memtx.Index, key []byte) {
	n := len(f.lookups)
	if n > 0 && f.lookups[n-1].Index == x.Index && bytes.Equal(f.lookups[n-1].Key, key) {
		return // another request for the same
	}
	if n == cap(f.lookups) {
		f.lookups = append(f.lookups, index.Lookup{})
	}
	f.lookups = f.lookups[:n+1]
	l := &f.lookups[n]
	l.Index, l.Key, l.N = x.Index, key, len(x.KeyDef.Parts)
}

// target returns the index that a request will search if that is a unique TREE, nil otherwise.
func (f *Foresight) target(b *Box, space, id uint32) *memtx.Index {
	if len(f.lookups) > 0 && f.space == space && f.id == id {
		return f.index
	}
	sp := b.catalog.spaces[space]
	if sp == nil || sp.Virtual != nil {
		return nil
	}
	x := sp.Mem.Index(id)
	if x == nil || x.Type != index.Tree || !x.Unique || x.KeyDef.Multikey {
		return nil
	}
	f.space, f.id, f.index = space, id, x
	return x
}

// Fetch has the processor fetch what the requests named since the last Fetch are going to look for.
func (f *Foresight) Fetch() {
	if len(f.lookups) >= worthForeseeing {
		index.Fetch(f.lookups)
	}
	clear(f.lookups)
	f.lookups, f.room, f.index = f.lookups[:0], f.room[:0], nil
	if cap(f.room) > maxForesightRoom {
		f.room = nil
	}
}

// maxForesightRoom is how much memory for keys is kept for later.
const maxForesightRoom = 64 << 10

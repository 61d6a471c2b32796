package index

import (
	"unsafe"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// entry is an item of a keyed tree: a tuple under one of its keys. A tuple has several of them in an index over a
// path with [*], and one or several in a functional index. Equal keys of one tuple make one entry.
type entry struct {
	tuple *tuple.Tuple
	key   *tuple.Tuple // the parts of Def.CmpDef, in order: the fields of a tuple of its own
}

// bytes returns the memory that the entry takes.
func (e *entry) bytes() int64 { return int64(unsafe.Sizeof(*e)) + int64(e.key.MemorySize()) }

// FunctionalCmpDef returns the CmpDef of a functional index: the parts of its key and then all parts of the
// primary key. Merge won't do, as a part of a functional key and one of the primary key may read the same
// field number of different arrays.
func FunctionalCmpDef(key, primary *tuple.KeyDef, unique bool) (*tuple.KeyDef, error) {
	def, err := tuple.NewKeyDef(append(append([]tuple.KeyPart(nil), key.Parts...), primary.Parts...))
	if err == nil && unique {
		def.UniqueParts = len(key.Parts)
	}
	return def, err
}

// primaryPart returns the part of a functional index's CmpDef that reads the tuple.
func primaryPart(def *Def) *tuple.KeyDef {
	k, err := tuple.NewKeyDef(def.CmpDef.Parts[len(def.KeyDef.Parts):])
	if err != nil { // cannot be: the paths have been parsed before
		return def.CmpDef
	}
	return k
}

// inOrder returns a definition like def, but of tuples whose fields are the parts of the key.
func inOrder(def *tuple.KeyDef) *tuple.KeyDef {
	parts := append([]tuple.KeyPart(nil), def.Parts...)
	for i := range parts {
		parts[i].Field, parts[i].Path = i, ""
	}
	k, err := tuple.NewKeyDef(parts)
	if err != nil { // cannot be: only paths are refused
		return def
	}
	k.UniqueParts = def.UniqueParts
	return k
}

// entries makes the entries of a tuple, those with equal keys included.
func (t *tree) entries(tp *tuple.Tuple) ([]entry, error) {
	if tp == nil {
		return nil, nil
	}
	var room [256]byte
	if t.def.Keys == nil {
		cmp := t.def.CmpDef
		all := make([]entry, 0, cmp.MultikeyCount(tp))
		for i := range cap(all) {
			if !cmp.Excludes(tp, i) {
				all = append(all, entry{tp, tuple.New(cmp.ExtractKeyMulti(room[:0], tp, i))})
			}
		}
		return all, nil
	}
	keys, n, err := t.def.Keys(tp)
	if err != nil {
		return nil, err
	}
	parts := len(t.def.KeyDef.Parts)
	all := make([]entry, 0, min(n, len(keys)))
	for range n {
		m, rest, ok := msgpack.ReadArrayHeader(keys)
		end := rest
		for i := 0; ok && i < m; i++ {
			end, ok = msgpack.Skip(end)
		}
		if !ok || m != parts {
			return nil, boxerr.New(boxerr.FuncIndexFormat, t.def.Name, t.def.Space, "key does not follow functional index definition")
		}
		data := msgpack.AppendArrayHeader(room[:0], len(t.def.CmpDef.Parts))
		data = append(data, rest[:len(rest)-len(end)]...)
		data = t.primary.AppendKey(data, tp.Data(), 0)
		if e := (entry{tp, tuple.New(data)}); !t.cmp.Excludes(e.key, 0) {
			all = append(all, e)
		}
		keys = end
	}
	return all, nil
}

// replaceKeyed is Replace for keyed trees.
func (t *tree) replaceKeyed(old, new *tuple.Tuple, mode Mode) (*tuple.Tuple, error) {
	added, err := t.entries(new)
	if err != nil {
		return nil, err
	}
	var removed []entry
	if old != nil {
		if removed, err = t.entries(old); err != nil {
			return nil, err
		}
	}
	var pt path
	for i := range added {
		p := t.entryProbe(&added[i])
		if it := (*entry)(t.lookup(&p)); it != nil && it.tuple != old && it.tuple != new {
			return nil, t.def.duplicate(it.tuple, new)
		}
	}
	for i := range removed {
		p := t.entryProbe(&removed[i])
		l, pos, found := t.locate(&p, &pt)
		if !found {
			continue // an equal key of the tuple was before it
		}
		if e := (*entry)(l.items[pos]); e.tuple == old {
			t.keyBytes -= e.bytes()
			t.remove(&pt, pos)
		}
	}
	for i := range added {
		p := t.entryProbe(&added[i])
		if _, pos, found := t.locate(&p, &pt); !found {
			e := added[i]
			t.keyBytes += e.bytes()
			t.insert(&pt, pos, unsafe.Pointer(&e), p.hint)
		}
	}
	return old, nil
}

func (t *tree) entryProbe(e *entry) probe {
	return probe{hint: t.cmp.Hint(e.key), item: e.key}
}

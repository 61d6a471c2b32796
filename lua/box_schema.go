//go:build cgo

package lua

import (
	"slices"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// schemaWatch is the Lua functions that keep box.space, box.sequence and box.func up to date. Each takes the number of
// an object and its definition, nil when it is gone.
type schemaWatch struct {
	space, sequence, function luajit.Ref
	watching                  bool
	room                      []byte
}

func (f *boxFace) registerSchema() {
	f.schema.space, f.schema.sequence, f.schema.function = luajit.NoRef, luajit.NoRef, luajit.NoRef
	// The catalog as it is, and each change of it from then on, goes to the three functions.
	f.fn("watch_schema", func(c *luajit.Call, _ *box.Ctx) error {
		f.schema.space, f.schema.sequence, f.schema.function = c.Func(), c.Func(), c.Func()
		if !f.schema.watching {
			f.schema.watching = true
			f.Box.OnSchemaChange = append(f.Box.OnSchemaChange, f.spaceChanged)
			f.Box.OnSequenceChange = append(f.Box.OnSequenceChange, f.sequenceChanged)
			f.Box.OnFuncChange = append(f.Box.OnFuncChange, f.funcChanged)
		}
		f.Box.Spaces(func(sp *box.Space) bool { f.spaceChanged(sp.ID); return true })
		f.Box.Sequences(func(q *box.Sequence) bool { f.sequenceChanged(q.ID); return true })
		f.Box.Functions(func(fn *box.Func) bool { f.funcChanged(fn.ID); return true })
		return nil
	})
}

// tell calls one of the functions with the number of an object and its definition.
func (f *boxFace) tell(ref luajit.Ref, id uint32, definition func(b []byte) []byte) {
	if ref == luajit.NoRef {
		return
	}
	args := msgpack.AppendUint(f.schema.room[:0], uint64(id))
	args = definition(args)
	f.schema.room = args
	if _, _, err := f.State.State.Call(ref, args, 2); err != nil {
		f.Log().Error("the catalog of Lua could not be changed", "id", id, "error", err)
	}
}

func (f *boxFace) spaceChanged(id uint32) {
	f.tell(f.schema.space, id, func(b []byte) []byte { return appendSpace(b, f.Box, f.Box.SpaceByID(id)) })
}

func (f *boxFace) sequenceChanged(id uint32) {
	f.tell(f.schema.sequence, id, func(b []byte) []byte { return appendSequence(b, f.Box.SequenceByID(id)) })
}

func (f *boxFace) funcChanged(id uint32) {
	f.tell(f.schema.function, id, func(b []byte) []byte { return appendFunc(b, f.Box.FuncByID(id)) })
}

// mapWriter appends a MessagePack map whose size is not known at first; it has less than 65536 entries.
type mapWriter struct {
	b     []byte
	start int
	n     int
}

func startMap(b []byte) mapWriter { return mapWriter{b: append(b, 0xde, 0, 0), start: len(b)} }

// key appends the key of the next entry, whose value the caller appends to the field b.
func (w *mapWriter) key(name string) {
	w.b = msgpack.AppendString(w.b, name)
	w.n++
}

func (w *mapWriter) str(name, v string)         { w.key(name); w.b = msgpack.AppendString(w.b, v) }
func (w *mapWriter) uint(name string, v uint64) { w.key(name); w.b = msgpack.AppendUint(w.b, v) }
func (w *mapWriter) int(name string, v int64)   { w.key(name); w.b = msgpack.AppendInt(w.b, v) }
func (w *mapWriter) bool(name string, v bool)   { w.key(name); w.b = msgpack.AppendBool(w.b, v) }
func (w *mapWriter) raw(name string, v []byte) {
	if v != nil {
		w.key(name)
		w.b = append(w.b, v...)
	}
}

func (w *mapWriter) end() []byte {
	w.b[w.start+1], w.b[w.start+2] = byte(w.n>>8), byte(w.n)
	return w.b
}

// appendSpace appends what Lua is told of a space.
func appendSpace(b []byte, db *box.Box, sp *box.Space) []byte {
	if sp == nil {
		return msgpack.AppendNil(b)
	}
	w := startMap(b)
	w.uint("id", uint64(sp.ID))
	w.str("name", sp.Name)
	w.str("engine", sp.Engine)
	w.uint("field_count", uint64(sp.FieldCount))
	w.bool("temporary", sp.Options.Temporary || sp.Options.DataTemporary)
	w.bool("is_local", sp.Options.Local)
	w.bool("is_sync", sp.Options.Sync)
	w.str("type", sp.Options.Type())
	w.bool("enabled", sp.Mem.Primary() != nil)
	if sp.Definition != nil {
		flags := sp.Definition.Field(spaceFieldFlags)
		w.raw("constraint", mapValue(flags, "constraint"))
		w.raw("foreign_key", mapValue(flags, "foreign_key"))
	}
	w.key("index")
	w.b = msgpack.AppendArrayHeader(w.b, len(sp.Mem.Indexes))
	for _, x := range sp.Mem.Indexes {
		w.b = appendIndex(w.b, db, sp, x)
	}
	return w.end()
}

// eachEntry calls f for each entry of a map with text keys.
func eachEntry(m []byte, f func(name string, value []byte)) {
	n, m, ok := msgpack.ReadMapHeader(m)
	if !ok {
		return
	}
	for range n {
		var key, value []byte
		key, m = split(m)
		value, m = split(m)
		if name, _, ok := msgpack.ReadString(key); ok {
			f(string(name), value)
		}
	}
}

// mapValue returns the value of a text key of a map, nil when it has none.
func mapValue(m []byte, name string) (found []byte) {
	eachEntry(m, func(key string, value []byte) {
		if key == name && found == nil {
			found = value
		}
	})
	return found
}

func appendIndex(b []byte, db *box.Box, sp *box.Space, x *memtx.Index) []byte {
	w := startMap(b)
	w.uint("id", uint64(x.ID))
	w.str("name", x.Name)
	w.str("type", x.Type.String())
	w.uint("space_id", uint64(sp.ID))
	switch x.Type {
	case index.Tree, index.Hash:
		w.bool("unique", x.Unique)
	case index.RTree:
		dimension := x.Def().Dimension
		if dimension == 0 {
			dimension = index.DefaultDimension
		}
		w.uint("dimension", uint64(dimension))
	}
	if x.Type == index.Tree && sp.Engine == memtx.Engine {
		hint, asked := sp.IndexHint(x.ID)
		w.bool("hint", hint || !asked)
	}
	if fn := db.IndexFunc(sp, x.ID); fn != nil {
		w.key("func")
		inner := startMap(w.b)
		inner.uint("fid", uint64(fn.ID))
		inner.str("name", fn.Name)
		w.b = inner.end()
	}
	if sp.Sequence != nil && x.ID == 0 {
		w.uint("sequence_id", uint64(sp.Sequence.ID))
		w.uint("sequence_fieldno", uint64(sp.SequenceField+1))
		if sp.SequencePath != "" {
			w.str("sequence_path", sp.SequencePath)
		}
	}
	w.key("parts")
	w.b = msgpack.AppendArrayHeader(w.b, len(x.KeyDef.Parts))
	for i := range x.KeyDef.Parts {
		w.b = appendPart(w.b, &x.KeyDef.Parts[i])
	}
	return w.end()
}

func appendPart(b []byte, p *tuple.KeyPart) []byte {
	w := startMap(b)
	w.uint("fieldno", uint64(p.Field+1))
	w.str("type", p.Type.String())
	w.bool("is_nullable", p.Nullable)
	w.bool("exclude_null", p.ExcludeNull)
	if p.Collation != nil && p.Collation.ID != 0 {
		w.str("collation", p.Collation.Name)
	}
	if p.Path != "" {
		w.str("path", p.Path)
	}
	order := "asc"
	if p.Desc {
		order = "desc"
	}
	w.str("sort_order", order)
	return w.end()
}

func appendSequence(b []byte, q *box.Sequence) []byte {
	if q == nil {
		return msgpack.AppendNil(b)
	}
	w := startMap(b)
	w.uint("id", uint64(q.ID))
	w.uint("uid", uint64(q.Owner))
	w.str("name", q.Name)
	w.int("step", q.Step)
	w.int("min", q.Min)
	w.int("max", q.Max)
	w.int("start", q.Start)
	w.int("cache", q.Cache)
	w.bool("cycle", q.Cycle)
	return w.end()
}

func appendFunc(b []byte, fn *box.Func) []byte {
	if fn == nil {
		return msgpack.AppendNil(b)
	}
	w := startMap(b)
	w.uint("id", uint64(fn.ID))
	w.str("name", fn.Name)
	w.str("language", fn.Language)
	w.bool("setuid", fn.SetUID)
	if fn.Language == "LUA" && fn.Body != "" {
		w.str("body", fn.Body)
		w.bool("is_sandboxed", fn.Sandboxed)
	}
	w.bool("is_deterministic", fn.Deterministic)
	w.bool("is_multikey", fn.MultiKey)
	w.bool("takes_raw_args", fn.TakesRawArgs)
	w.str("returns", fn.Returns)
	w.str("aggregate", fn.Aggregate)
	if fn.Comment != "" {
		w.str("comment", fn.Comment)
	}
	w.key("exports")
	inner := startMap(w.b)
	inner.bool("lua", slices.Contains(fn.Exports, "LUA"))
	inner.bool("sql", slices.Contains(fn.Exports, "SQL"))
	w.b = inner.end()
	if len(fn.Triggers) > 0 {
		w.key("trigger")
		w.b = msgpack.AppendArrayHeader(w.b, len(fn.Triggers))
		for _, event := range fn.Triggers {
			w.b = msgpack.AppendString(w.b, event)
		}
	}
	return w.end()
}

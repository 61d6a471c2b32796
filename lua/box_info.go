//go:build cgo

package lua

import (
	"math"
	"os"
	"strconv"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

// infoFields are the fields of box.info, each with the function that appends its value, or nothing if it has none now.
// What Lua finds out by itself is not among them.
var infoFields = map[string]func(f *boxFace, b []byte) []byte{
	"version":  func(_ *boxFace, b []byte) []byte { return msgpack.AppendString(b, box.CompatibleVersion) },
	"package":  func(_ *boxFace, b []byte) []byte { return msgpack.AppendString(b, "Tarantool") },
	"id":       func(f *boxFace, b []byte) []byte { return msgpack.AppendUint(b, uint64(f.Box.InstanceID())) },
	"uuid":     func(f *boxFace, b []byte) []byte { return msgpack.AppendString(b, f.Box.InstanceUUID()) },
	"lsn":      func(f *boxFace, b []byte) []byte { return msgpack.AppendInt(b, f.Box.LSN()) },
	"pid":      func(_ *boxFace, b []byte) []byte { return msgpack.AppendInt(b, int64(os.Getpid())) },
	"uptime":   func(f *boxFace, b []byte) []byte { return msgpack.AppendInt(b, int64(f.Box.Uptime().Seconds())) },
	"status":   func(f *boxFace, b []byte) []byte { return msgpack.AppendString(b, f.statusText()) },
	"vclock":   func(f *boxFace, b []byte) []byte { return f.appendVClock(b) },
	"cluster":  func(_ *boxFace, b []byte) []byte { return appendNamed(b, nil) },
	"listen":   (*boxFace).appendListen,
	"hostname": appendHostname,
	"name":     func(_ *boxFace, b []byte) []byte { return msgpack.AppendNil(b) },
	"ro": func(f *boxFace, b []byte) []byte {
		ro, _ := f.Box.ReadOnly()
		return msgpack.AppendBool(b, ro)
	},
	"ro_reason": func(f *boxFace, b []byte) []byte {
		if _, reason := f.Box.ReadOnly(); reason != "" {
			return msgpack.AppendString(b, reason)
		}
		return b
	},
	"signature":      func(f *boxFace, b []byte) []byte { return msgpack.AppendInt(b, f.Box.Signature()) },
	"schema_version": func(f *boxFace, b []byte) []byte { return msgpack.AppendUint(b, f.Box.SchemaVersion()) },
	"replicaset": func(f *boxFace, b []byte) []byte {
		return appendNamed(b, func(w *mapWriter) { w.str("uuid", f.Box.ReplicasetUUID()) })
	},
	"replication":      (*boxFace).appendReplication,
	"replication_anon": appendNoReplicas,
	"election":         (*boxFace).appendElection,
	"synchro":          (*boxFace).appendSynchro,
}

func (f *boxFace) registerInfo() {
	// A field by name; nothing when it has no value or there is no such field.
	f.fn("info_field", func(c *luajit.Call, _ *box.Ctx) error {
		field := infoFields[c.Str()]
		if field == nil {
			return nil
		}
		before := len(c.Out)
		// A null must reach Lua as one, which it only does inside of a list.
		c.Out = append(c.Out, 0x91)
		c.Out = field(f, c.Out)
		if len(c.Out) == before+1 {
			c.Out = c.Out[:before]
			return nil
		}
		c.NOut++
		return nil
	})
	f.fn("info_fields", func(c *luajit.Call, _ *box.Ctx) error {
		w := startMap(c.Out)
		var room []byte
		for name, field := range infoFields {
			if room = field(f, room[:0]); len(room) > 0 {
				w.raw(name, room)
			}
		}
		c.Out = w.end()
		c.NOut++
		return nil
	})
	f.fn("info_memory", func(c *luajit.Call, _ *box.Ctx) error {
		data, index := f.memory()
		w := startMap(c.Out)
		w.int("data", data)
		w.int("index", index)
		w.int("lua", f.Memory())
		w.uint("cache", 0)
		w.uint("net", 0)
		w.uint("tx", 0)
		c.Out = w.end()
		c.NOut++
		return nil
	})
	f.fn("info_sql", func(c *luajit.Call, _ *box.Ctx) error {
		return c.Push(map[string]any{"cache": map[string]any{"size": 0, "stmt_count": 0}})
	})
	f.fn("info_vinyl", func(c *luajit.Call, _ *box.Ctx) error {
		c.PushRaw([]byte{0x80})
		return nil
	})
	f.fn("runtime_info", func(c *luajit.Call, _ *box.Ctx) error {
		lua := f.Memory()
		return c.Push(map[string]any{"lua": lua, "used": lua, "maxalloc": math.Exp2(53), "tuple": 0})
	})
	f.fn("malloc_info", func(c *luajit.Call, _ *box.Ctx) error {
		data, index := f.memory()
		return c.Push(map[string]any{"size": data + index, "used": data + index})
	})
	f.fn("slab_info", func(c *luajit.Call, _ *box.Ctx) error {
		data, index := f.memory()
		quota := int64(f.Box.Config.MemtxMemory)
		return c.Push(map[string]any{
			"quota_size": quota, "quota_used": data + index, "quota_used_ratio": ratio(data+index, quota),
			"arena_size": data + index, "arena_used": data + index, "arena_used_ratio": ratio(data+index, data+index),
			"items_size": data, "items_used": data, "items_used_ratio": ratio(data, data),
		})
	})
	// There are no slabs: all tuples are one class.
	f.fn("slab_stats", func(c *luajit.Call, _ *box.Ctx) error {
		data, _ := f.memory()
		n := 0
		f.Box.Spaces(func(sp *box.Space) bool { n += sp.Mem.Len(nil); return true })
		return c.Push([]any{map[string]any{
			"item_count": n, "item_size": data / int64(max(n, 1)), "mem_free": 0, "mem_used": data,
			"slab_count": 1, "slab_size": data,
		}})
	})
}

func ratio(part, whole int64) string {
	if whole == 0 {
		return "0.00%"
	}
	return strconv.FormatFloat(100*float64(part)/float64(whole), 'f', 2, 64) + "%"
}

func (f *boxFace) statusText() string {
	switch {
	case f.configured:
		return "running"
	case f.configuring:
		return "loading"
	}
	return "unconfigured"
}

// appendVClock appends the components that are not zero: 0 counts the rows of local spaces.
func (f *boxFace) appendVClock(b []byte) []byte { return f.Box.VClock().AppendMsgpack(b) }

// appendNamed appends a map of a thing that could have a name but has none.
func appendNamed(b []byte, more func(w *mapWriter)) []byte {
	w := startMap(b)
	w.key("name")
	w.b = msgpack.AppendNil(w.b)
	if more != nil {
		more(&w)
	}
	return w.end()
}

func appendHostname(_ *boxFace, b []byte) []byte {
	name, err := os.Hostname()
	if err != nil {
		return b
	}
	return msgpack.AppendString(b, name)
}

// appendListen appends the address that is listened on, or a list of several.
func (f *boxFace) appendListen(b []byte) []byte {
	if f.options.Server == nil {
		return b
	}
	list := f.options.Server.Addresses()
	switch len(list) {
	case 0:
		return b
	case 1:
		return msgpack.AppendString(b, list[0])
	}
	b = msgpack.AppendArrayHeader(b, len(list))
	for _, a := range list {
		b = msgpack.AppendString(b, a)
	}
	return b
}

// appendReplication appends the members of the replica set: this instance.
func (f *boxFace) appendReplication(b []byte) []byte {
	b = msgpack.AppendUint(msgpack.AppendMapHeader(b, 1), uint64(f.Box.InstanceID()))
	return appendNamed(b, func(w *mapWriter) {
		w.uint("id", uint64(f.Box.InstanceID()))
		w.str("uuid", f.Box.InstanceUUID())
		w.int("lsn", f.Box.LSN())
	})
}

func appendNoReplicas(_ *boxFace, b []byte) []byte {
	w := startMap(b)
	w.uint("count", 0)
	return w.end()
}

func (f *boxFace) appendElection(b []byte) []byte {
	_, term := f.Box.QueueOwner()
	w := startMap(b)
	w.str("state", "follower")
	w.uint("vote", 0)
	w.uint("leader", 0)
	w.uint("term", max(term, 1))
	return w.end()
}

func (f *boxFace) appendSynchro(b []byte) []byte {
	owner, term := f.Box.QueueOwner()
	w := startMap(b)
	w.uint("quorum", 1)
	w.key("queue")
	queue := startMap(w.b)
	queue.uint("owner", uint64(owner))
	queue.uint("term", term)
	queue.uint("len", 0)
	queue.bool("busy", false)
	queue.uint("age", 0)
	queue.uint("confirm_lag", 0)
	w.b = queue.end()
	return w.end()
}

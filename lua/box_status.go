//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/mpext"
	"github.com/lycosadb/lycosa/msgpack"
)

// broadcastAll tells the watchers of the server's own keys how things stand.
func (f *boxFace) broadcastAll() {
	f.broadcastStatus()
	f.broadcastSchema()
	w := startMap(nil)
	w.uint("id", uint64(f.Box.InstanceID()))
	w.raw("instance_uuid", appendUUID(f.Box.InstanceUUID()))
	w.raw("replicaset_uuid", appendUUID(f.Box.ReplicasetUUID()))
	for _, name := range []string{"instance_name", "replicaset_name", "cluster_name"} {
		w.raw(name, []byte{0xc0})
	}
	f.Box.Broadcast("box.id", w.end())
	_, term := f.Box.QueueOwner()
	ro, _ := f.Box.ReadOnly()
	w = startMap(nil)
	w.uint("term", max(term, 1))
	w.str("role", "follower")
	w.bool("is_ro", ro)
	w.uint("leader", 0)
	f.Box.Broadcast("box.election", w.end())
	f.Box.OnSchemaChange = append(f.Box.OnSchemaChange, func(uint32) { f.broadcastSchema() })
}

func (f *boxFace) broadcastStatus() {
	ro, _ := f.Box.ReadOnly()
	w := startMap(nil)
	w.bool("is_ro", ro)
	w.bool("is_ro_cfg", f.Box.Config.ReadOnly)
	w.str("status", f.statusText())
	f.Box.Broadcast("box.status", w.end())
}

func (f *boxFace) broadcastSchema() {
	w := startMap(nil)
	w.uint("version", f.Box.SchemaVersion())
	f.Box.Broadcast("box.schema", w.end())
}

// appendUUID is a UUID, given as text, as Lua gets it; null if there is none.
func appendUUID(text string) []byte {
	id, err := mpext.ParseUUID(text)
	if err != nil {
		return msgpack.AppendNil(nil)
	}
	return id.AppendMsgpack(nil)
}

package box

import (
	"github.com/lycosadb/lycosa/mpext"
	"github.com/lycosadb/lycosa/msgpack"
)

// What the server broadcasts about itself: the keys box.status, box.election, box.id and box.schema.

// announce broadcasts all of it, after the start.
func (b *Box) announce() {
	b.AnnounceMode()
	b.announceIdentity()
	b.announceSchema()
}

// AnnounceMode broadcasts whether the database can be written to, and who leads. It is called after Config.ReadOnly was
// changed.
func (b *Box) AnnounceMode() {
	ro, _ := b.ReadOnly()
	v := msgpack.AppendMapHeader(nil, 3)
	v = msgpack.AppendBool(msgpack.AppendString(v, "is_ro"), ro)
	v = msgpack.AppendBool(msgpack.AppendString(v, "is_ro_cfg"), b.Config.ReadOnly)
	v = msgpack.AppendString(msgpack.AppendString(v, "status"), "running")
	b.Broadcast("box.status", v)
	v = msgpack.AppendMapHeader(v[:0], 4)
	v = msgpack.AppendUint(msgpack.AppendString(v, "term"), max(b.status.term, 1))
	v = msgpack.AppendString(msgpack.AppendString(v, "role"), "follower")
	v = msgpack.AppendBool(msgpack.AppendString(v, "is_ro"), ro)
	v = msgpack.AppendUint(msgpack.AppendString(v, "leader"), 0)
	b.Broadcast("box.election", v)
}

func (b *Box) announceIdentity() {
	v := msgpack.AppendMapHeader(nil, 6)
	v = msgpack.AppendUint(msgpack.AppendString(v, "id"), uint64(b.InstanceID()))
	v = appendUUID(msgpack.AppendString(v, "instance_uuid"), b.InstanceUUID())
	v = msgpack.AppendNil(msgpack.AppendString(v, "instance_name"))
	v = appendUUID(msgpack.AppendString(v, "replicaset_uuid"), b.ReplicasetUUID())
	v = msgpack.AppendNil(msgpack.AppendString(v, "replicaset_name"))
	v = msgpack.AppendNil(msgpack.AppendString(v, "cluster_name"))
	b.Broadcast("box.id", v)
}

func (b *Box) announceSchema() {
	v := msgpack.AppendString(msgpack.AppendMapHeader(nil, 1), "version")
	b.Broadcast("box.schema", msgpack.AppendUint(v, b.SchemaVersion()))
}

// appendUUID appends a UUID given as text, null if it is none.
func appendUUID(dst []byte, text string) []byte {
	id, err := mpext.ParseUUID(text)
	if err != nil {
		return msgpack.AppendNil(dst)
	}
	return id.AppendMsgpack(dst)
}

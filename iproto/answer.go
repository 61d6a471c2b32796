package iproto

import (
	"encoding/binary"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// The Append functions below write answers behind b and return it. An answer
// is begun by Begin and ended by End, which fills in the length; what others
// write in between is its body.

const (
	// HeaderSize is the size of the length and the header of an answer, in bytes.
	HeaderSize = LengthSize + 1 + 6 + 10 + 6
	// dataHeadSize is the size of the map, the key and the header of the array of an answer's data.
	dataHeadSize = 1 + 1 + 5
)

// emptyHeader is the length and the header of an answer, all numbers zero.
var emptyHeader = [HeaderSize]byte{
	0: 0xce, 5: 0x83, 6: byte(KeyRequestType), 7: 0xce, 12: byte(KeySync), 13: 0xcf, 22: byte(KeySchemaVersion), 23: 0xce,
}

// Begin writes room for the length, and the header.
func Begin(b []byte, t Type, sync uint64, schemaVersion uint32) []byte {
	n := len(b)
	b = append(b, emptyHeader[:]...)
	h := b[n : n+HeaderSize]
	binary.BigEndian.PutUint32(h[8:], uint32(t))
	binary.BigEndian.PutUint64(h[14:], sync)
	binary.BigEndian.PutUint32(h[24:], schemaVersion)
	return b
}

// End fills in the length of the packet that was begun at b[start].
func End(b []byte, start int) {
	binary.BigEndian.PutUint32(b[start+1:], uint32(len(b)-start-LengthSize))
}

// AppendOK writes the answer of a request that has nothing to tell.
func AppendOK(b []byte, sync uint64, schemaVersion uint32) []byte {
	start := len(b)
	b = append(Begin(b, TypeOK, sync, schemaVersion), 0x80)
	End(b, start)
	return b
}

// AppendDataHead writes the beginning of a body that holds DATA and more keys besides it, and the header of
// the array of n elements that must follow.
func AppendDataHead(b []byte, n, more int) []byte {
	b = append(b, 0x80|byte(1+more), byte(KeyData), 0xdd)
	return binary.BigEndian.AppendUint32(b, uint32(n))
}

// SetDataHead changes a head that AppendDataHead wrote at b[at].
func SetDataHead(b []byte, at, n, more int) {
	b[at] = 0x80 | byte(1+more)
	binary.BigEndian.PutUint32(b[at+dataHeadSize-4:], uint32(n))
}

// AppendError writes the answer of a request that failed.
func AppendError(b []byte, sync uint64, schemaVersion uint32, e *boxerr.Error) []byte {
	start := len(b)
	b = Begin(b, TypeError|Type(e.WireCode())&(TypeError-1), sync, schemaVersion)
	b = append(b, 0x82, byte(KeyError24))
	b = msgpack.AppendString(b, e.Message)
	b = append(b, byte(KeyError))
	b = e.AppendMsgpack(b)
	End(b, start)
	return b
}

// AppendChunk writes an out-of-band message for the request with that sync. data is a MessagePack array.
func AppendChunk(b []byte, sync uint64, schemaVersion uint32, data []byte) []byte {
	return appendPacket(b, TypeChunk, sync, schemaVersion, data)
}

// AppendData writes the beginning of a body like AppendDataHead, and data, a MessagePack array, with its
// header in the fixed width of answers.
func AppendData(b, data []byte, more int) []byte {
	n, elements, ok := msgpack.ReadArrayHeader(data)
	if !ok {
		n, elements = 0, nil
	}
	return append(AppendDataHead(b, n, more), elements...)
}

// AppendReply writes the answer of a request with data, a MessagePack array.
func AppendReply(b []byte, sync uint64, schemaVersion uint32, data []byte) []byte {
	return appendPacket(b, TypeOK, sync, schemaVersion, data)
}

func appendPacket(b []byte, t Type, sync uint64, schemaVersion uint32, data []byte) []byte {
	start := len(b)
	b = AppendData(Begin(b, t, sync, schemaVersion), data, 0)
	End(b, start)
	return b
}

// AppendEvent writes the event of a watcher. A nil data means that the key has no value. Events have no
// schema version.
func AppendEvent(b []byte, sync uint64, key string, data []byte) []byte {
	start := len(b)
	b = append(b, 0xce, 0, 0, 0, 0, 0x82, byte(KeyRequestType), byte(TypeEvent), byte(KeySync))
	b = msgpack.AppendUint(b, sync)
	pairs := byte(1)
	if data != nil {
		pairs = 2
	}
	b = append(b, 0x80|pairs, byte(KeyEventKey))
	b = msgpack.AppendString(b, key)
	if data != nil {
		b = append(append(b, byte(KeyEventData)), data...)
	}
	End(b, start)
	return b
}

// AppendID writes the answer of ID: what the server speaks, whatever the client does.
func AppendID(b []byte, sync uint64, schemaVersion uint32, authType string) []byte {
	start := len(b)
	b = append(Begin(b, TypeOK, sync, schemaVersion), 0x83, byte(KeyVersion), ProtocolVersion, byte(KeyFeatures))
	b = msgpack.AppendArrayHeader(b, len(Features))
	for _, f := range Features {
		b = append(b, byte(f))
	}
	b = msgpack.AppendString(append(b, byte(KeyAuthType)), authType)
	End(b, start)
	return b
}

// Ballot is what an instance tells about itself in an answer to VOTE.
type Ballot struct {
	ReadOnlyCfg, ReadOnly bool
	Anonymous, Booted     bool
	CanLead               bool
	// VClock and GCVClock are MessagePack maps of LSNs by replica id.
	VClock, GCVClock []byte
	// Leader is the UUID of the instance that a cluster starts from.
	Leader string
	// Registered are the UUIDs of the known instances.
	Registered []string
	// Name is the instance's name, "" without one.
	Name string
}

// AppendBallot writes the answer of VOTE.
func AppendBallot(b []byte, sync uint64, schemaVersion uint32, v *Ballot) []byte {
	start := len(b)
	b = append(Begin(b, TypeOK, sync, schemaVersion), 0x81, byte(KeyBallot))
	n := 9
	if v.Name != "" {
		n++
	}
	b = msgpack.AppendMapHeader(b, n)
	b = msgpack.AppendBool(append(b, BallotIsROCfg), v.ReadOnlyCfg)
	b = msgpack.AppendBool(append(b, BallotIsRO), v.ReadOnly)
	b = msgpack.AppendBool(append(b, BallotIsAnon), v.Anonymous)
	b = msgpack.AppendBool(append(b, BallotIsBooted), v.Booted)
	b = append(append(b, BallotVClock), v.VClock...)
	b = append(append(b, BallotGCVClock), v.GCVClock...)
	b = msgpack.AppendBool(append(b, BallotCanLead), v.CanLead)
	b = msgpack.AppendString(append(b, BallotBootstrapLeaderUUID), v.Leader)
	b = msgpack.AppendArrayHeader(append(b, BallotRegisteredReplicaUUIDs), len(v.Registered))
	for _, uuid := range v.Registered {
		b = msgpack.AppendString(b, uuid)
	}
	if v.Name != "" {
		b = msgpack.AppendString(append(b, BallotInstanceName), v.Name)
	}
	End(b, start)
	return b
}

package conformance

import (
	"crypto/sha1"
	"encoding/binary"

	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// saltSize is how much of the greeting's salt chap-sha1 uses.
const saltSize = 20

// authPacket makes an AUTH request of the method chap-sha1.
func authPacket(salt []byte, user, password string, sync uint64) []byte {
	one := sha1.Sum([]byte(password))
	two := sha1.Sum(one[:])
	h := sha1.New()
	h.Write(salt[:saltSize])
	h.Write(two[:])
	proof := h.Sum(nil)
	for i := range proof {
		proof[i] ^= one[i]
	}
	b := msgpack.AppendMapHeader(nil, 2)
	b = msgpack.AppendUint(b, uint64(iproto.KeyRequestType))
	b = msgpack.AppendUint(b, uint64(iproto.TypeAuth))
	b = msgpack.AppendUint(b, uint64(iproto.KeySync))
	b = msgpack.AppendUint(b, sync)
	b = msgpack.AppendMapHeader(b, 2)
	b = msgpack.AppendUint(b, uint64(iproto.KeyUserName))
	b = msgpack.AppendString(b, user)
	b = msgpack.AppendUint(b, uint64(iproto.KeyTuple))
	b = msgpack.AppendArrayHeader(b, 2)
	b = msgpack.AppendString(b, "chap-sha1")
	b = msgpack.AppendStringBytes(b, proof)
	return append(binary.BigEndian.AppendUint32([]byte{0xce}, uint32(len(b))), b...)
}

package xlog

import (
	"encoding/binary"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/lycosadb/lycosa/msgpack"
)

// CompressFrom is the number of bytes of rows from which the reference compresses a block.
const CompressFrom = 2029

// MaxBlock is the size of a decompressed block in bytes above which a Reader refuses it.
const MaxBlock = 2 << 30

// SealBlock fills in the header of a plain block: b is BlockHeaderSize bytes of any content followed by the rows.
func SealBlock(b []byte) { putBlockHeader(b, plainMarker, b[BlockHeaderSize:]) }

// putBlockHeader writes the header of a block that will hold payload to b.
func putBlockHeader(b []byte, marker uint32, payload []byte) {
	h := binary.BigEndian.AppendUint32(b[:0], marker)
	h = msgpack.AppendUint(h, uint64(len(payload)))
	h = msgpack.AppendUint(h, 0)
	h = msgpack.AppendUint(h, uint64(checksum(payload)))
	// What is left is filled with a string of zeros, which has a byte for its length.
	if left := BlockHeaderSize - len(h); left > 0 {
		h = append(h, 0xa0|byte(left-1))
		clear(b[len(h):BlockHeaderSize])
	}
}

// blockHeader is the header of a block as it was read.
type blockHeader struct {
	size       uint64 // of the payload
	checksum   uint32
	compressed bool
}

// parseBlockHeader reads the BlockHeaderSize bytes at the start of b. A header that isn't one gives what is wrong.
func parseBlockHeader(b []byte) (h blockHeader, wrong string) {
	switch binary.BigEndian.Uint32(b) {
	case plainMarker:
	case compressedMarker:
		h.compressed = true
	default:
		return h, "invalid magic"
	}
	b = b[markerSize:BlockHeaderSize]
	var ok bool
	if h.size, b, ok = msgpack.ReadUint(b); !ok || h.size > 1<<32-1 {
		return h, "broken fixheader length"
	}
	if _, b, ok = msgpack.ReadUint(b); !ok {
		return h, "broken fixheader previous checksum"
	}
	sum, b, ok := msgpack.ReadUint(b)
	if !ok || sum > 1<<32-1 {
		return h, "broken fixheader checksum"
	}
	h.checksum = uint32(sum)
	if len(b) > 0 {
		if _, rest, ok := msgpack.ReadString(b); !ok || len(rest) > 0 {
			return h, "broken fixheader padding"
		}
	}
	return h, ""
}

// encoders are for compression: making one costs much more than using it.
var encoders = sync.Pool{New: func() any {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(1<<20))
	if err != nil {
		panic(err) // the options are constant
	}
	return e
}}

// AppendBlock appends a block with the rows, compressed, or plain if that is not larger.
func AppendBlock(b, rows []byte) []byte {
	e := encoders.Get().(*zstd.Encoder)
	defer encoders.Put(e)
	at := len(b)
	var header [BlockHeaderSize]byte
	b = append(b, header[:]...)
	b = e.EncodeAll(rows, b)
	if len(b)-at-BlockHeaderSize >= len(rows) {
		b = append(b[:at+BlockHeaderSize], rows...)
		SealBlock(b[at:])
		return b
	}
	putBlockHeader(b[at:], compressedMarker, b[at+BlockHeaderSize:])
	return b
}

// decoder is shared by all readers.
var decoder = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(MaxBlock), zstd.WithDecoderConcurrency(0))
	if err != nil {
		panic(err) // the options are constant
	}
	return d
})

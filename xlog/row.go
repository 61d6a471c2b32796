package xlog

import (
	"encoding/binary"
	"math"

	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/vclock"
)

// Flags of a row.
const (
	// FlagCommit marks the last row of a transaction. Every row of a snapshot and of a transaction of one row has it.
	FlagCommit = 1 << iota
	// FlagWaitSync and FlagWaitAck mark the last row of a synchronous transaction.
	FlagWaitSync
	FlagWaitAck
)

// GroupLocal is the group of rows that stay on this instance. Their numbers count in component 0 of the vclock.
const GroupLocal = 1

// Row is one logged request.
type Row struct {
	// Type is the request type: INSERT, REPLACE, UPDATE, DELETE, UPSERT, NOP or one of the Raft types.
	Type iproto.Type
	// ReplicaID is the instance that made the row, 0 for local rows and in snapshots. It is a component of a vclock.
	ReplicaID uint32
	// GroupID is 0 or GroupLocal.
	GroupID uint32
	// LSN is the number of the row in its component.
	LSN int64
	// Timestamp is the time of the transaction in seconds since the epoch.
	Timestamp float64
	// TSN is the id of the transaction: the LSN of its first row that isn't local, or of its first row.
	TSN int64
	// Flags is a set of the flags above.
	Flags uint8
	// Body is the MessagePack map of the request; a NOP has none. In a row that a Reader returned it lies in the
	// reader's memory.
	Body []byte
	// Tail follows Body when the row is written, so that a large part needs no copy. Readers leave it empty.
	Tail []byte
}

// Commit says whether the row is the last one of its transaction.
func (r *Row) Commit() bool { return r.Flags&FlagCommit != 0 }

// Alone says whether the row is a transaction of its own. Such a row has neither a tsn nor a commit flag in the file.
func (r *Row) Alone() bool { return r.Commit() && r.TSN == r.LSN }

// Component is the component of the vclock that counts the row.
func (r *Row) Component() uint32 {
	if r.GroupID == GroupLocal {
		return 0
	}
	return r.ReplicaID
}

// maxRowHeader is the largest header that AppendRow writes.
const maxRowHeader = 1 + 2 + 6 + 6 + 10 + 10 + 10 + 2 + 8

// AppendRow appends the row as it stands in a block.
func AppendRow(b []byte, r *Row) []byte {
	var h [maxRowHeader]byte
	// The map's header counts the keys that are there: zero values are left out, but the type never is.
	n, at := byte(2), 3
	h[1] = byte(iproto.KeyRequestType)
	h[2] = byte(r.Type)
	if r.ReplicaID != 0 {
		n++
		h[at] = byte(iproto.KeyReplicaID)
		at = putUint(&h, at+1, uint64(r.ReplicaID))
	}
	if r.GroupID != 0 {
		n++
		h[at] = byte(iproto.KeyGroupID)
		at = putUint(&h, at+1, uint64(r.GroupID))
	}
	if r.LSN != 0 {
		n++
		h[at] = byte(iproto.KeyLSN)
		at = putUint(&h, at+1, uint64(r.LSN))
	}
	h[at] = byte(iproto.KeyTimestamp)
	h[at+1] = 0xcb
	binary.BigEndian.PutUint64(h[at+2:], math.Float64bits(r.Timestamp))
	at += 10
	flags := r.Flags
	if r.TSN == 0 || r.TSN == r.LSN && flags&FlagCommit != 0 {
		flags &^= FlagCommit // a transaction of one row says nothing about it
	} else {
		n++
		h[at] = byte(iproto.KeyTSN)
		at = putUint(&h, at+1, uint64(r.LSN-r.TSN)) // wraps around for a local row of a global transaction
	}
	if flags != 0 {
		n++
		h[at] = byte(iproto.KeyFlags)
		h[at+1] = flags
		at += 2
	}
	h[0] = 0x80 | n
	b = append(b, h[:at]...)
	b = append(b, r.Body...)
	return append(b, r.Tail...)
}

// putUint writes v in its shortest form at h[at:] and returns where it ends.
func putUint(h *[maxRowHeader]byte, at int, v uint64) int {
	switch {
	case v < 1<<7:
		h[at] = byte(v)
		return at + 1
	case v < 1<<8:
		h[at], h[at+1] = 0xcc, byte(v)
		return at + 2
	case v < 1<<16:
		h[at] = 0xcd
		binary.BigEndian.PutUint16(h[at+1:], uint16(v))
		return at + 3
	case v < 1<<32:
		h[at] = 0xce
		binary.BigEndian.PutUint32(h[at+1:], uint32(v))
		return at + 5
	}
	h[at] = 0xcf
	binary.BigEndian.PutUint64(h[at+1:], v)
	return at + 9
}

// decodeRow reads a row and returns what follows it. The body is not copied.
func decodeRow(r *Row, b []byte) (rest []byte, ok bool) {
	*r = Row{}
	n, b, ok := msgpack.ReadMapHeader(b)
	if !ok {
		return nil, false
	}
	hasTSN := false
	for range n {
		var key, v uint64
		if len(b) > 0 && b[0] < 1<<7 { // all keys that mean anything
			key, b = uint64(b[0]), b[1:]
		} else if key, b, ok = msgpack.ReadUint(b); !ok {
			return nil, false
		}
		if key == uint64(iproto.KeyTimestamp) {
			if r.Timestamp, b, ok = msgpack.ReadFloat64(b); !ok {
				return nil, false
			}
			continue
		}
		if key > uint64(iproto.KeyFlags) || !knownRowKey[key] {
			if b, ok = msgpack.Skip(b); !ok {
				return nil, false
			}
			continue
		}
		if len(b) > 0 && b[0] < 1<<7 {
			v, b = uint64(b[0]), b[1:]
		} else if v, b, ok = msgpack.ReadUint(b); !ok {
			return nil, false
		}
		switch iproto.Key(key) {
		case iproto.KeyRequestType:
			r.Type = iproto.Type(v)
			ok = v < 1<<31
		case iproto.KeyReplicaID:
			r.ReplicaID = uint32(v)
			ok = v < vclock.Max
		case iproto.KeyGroupID:
			r.GroupID = uint32(v)
			ok = v < 1<<31
		case iproto.KeyLSN:
			r.LSN = int64(v)
			ok = v <= math.MaxInt64
		case iproto.KeyTSN:
			r.TSN = int64(v)
			hasTSN = true
		case iproto.KeyFlags:
			r.Flags = uint8(v)
			ok = v < 1<<8
		}
		if !ok {
			return nil, false
		}
	}
	r.TSN = r.LSN - r.TSN
	if !hasTSN {
		r.Flags |= FlagCommit
	}
	// A NOP has no body at all; that of other rows may only be missing where nothing follows.
	if r.Type == iproto.TypeNOP || len(b) == 0 {
		return b, true
	}
	rest, ok = msgpack.Skip(b)
	if !ok {
		return nil, false
	}
	r.Body = b[:len(b)-len(rest)]
	return rest, true
}

// knownRowKey says which keys of a row's header have a meaning and an unsigned value.
var knownRowKey = [iproto.KeyFlags + 1]bool{
	iproto.KeyRequestType: true, iproto.KeyReplicaID: true, iproto.KeyGroupID: true,
	iproto.KeyLSN: true, iproto.KeyTSN: true, iproto.KeyFlags: true,
}

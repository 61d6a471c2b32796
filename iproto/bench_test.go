package iproto

import (
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
)

// BenchmarkDecode reads headers and bodies as clients send them.
func BenchmarkDecode(b *testing.B) {
	text := "some text of forty bytes, or a few more."
	row := msgpack.AppendUint(msgpack.AppendString(msgpack.AppendUint([]byte{0x93}, 70000), text), 7)
	replaceBody := append([]byte{0x82, byte(KeySpaceID), 0xcd, 2, 0, byte(KeyTuple)}, row...)
	selectBody := []byte{0x86, byte(KeySpaceID), 0xcd, 2, 0, byte(KeyIndexID), 0, byte(KeyLimit), 100, byte(KeyOffset), 0,
		byte(KeyIterator), 0, byte(KeyKey), 0x91, 0xce, 0, 1, 2, 3}
	updateBody := []byte{0x84, byte(KeySpaceID), 0xcd, 2, 0, byte(KeyIndexID), 0, byte(KeyKey), 0x91, 5,
		byte(KeyTuple), 0x91, 0x93, 0xa1, '+', 2, 1}
	callBody := append([]byte{0x82, byte(KeyFunctionName), 0xa4, 'e', 'c', 'h', 'o', byte(KeyTuple)}, 0x92, 1, 2)
	beginBody := []byte{0x81, byte(KeyTimeout), 0xcb, 0x3f, 0xf0, 0, 0, 0, 0, 0, 0}
	short := []byte{0x82, byte(KeyRequestType), byte(TypeSelect), byte(KeySync), 0xce, 0, 1, 2, 3}
	long := append([]byte{0x84}, short[1:]...)
	long = append(long, byte(KeySchemaVersion), 80, byte(KeyStreamID), 3)

	header := func(packet []byte) func() bool {
		var h Header
		return func() bool { _, ok := DecodeHeader(packet, &h); return ok }
	}
	dml := func(t Type, body []byte) func() bool {
		var r DML
		return func() bool { return DecodeDML(t, body, &r) == nil }
	}
	var c Call
	var txn Txn
	for _, test := range []struct {
		name   string
		size   int
		decode func() bool
	}{
		{"header", len(short), header(short)},
		{"header of a stream", len(long), header(long)},
		{"select", len(selectBody), dml(TypeSelect, selectBody)},
		{"replace", len(replaceBody), dml(TypeReplace, replaceBody)},
		{"update", len(updateBody), dml(TypeUpdate, updateBody)},
		{"call", len(callBody), func() bool { return DecodeCall(TypeCall, callBody, &c) == nil }},
		{"begin", len(beginBody), func() bool { return DecodeBegin(beginBody, &txn) == nil }},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.SetBytes(int64(test.size))
			b.ReportAllocs()
			for b.Loop() {
				if !test.decode() {
					b.Fatal("refused")
				}
			}
		})
	}
}

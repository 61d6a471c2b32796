package iproto

import (
	"encoding/hex"
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
)

// The bytes are those that the reference server sends.
func TestAnswers(t *testing.T) {
	tests := []struct {
		name, want string
		got        []byte
	}{
		{"ok", "ce00000018 8300ce0000000001cf000000000000000105ce00000050 80", AppendOK(nil, 1, 80)},
		{"chunk", "ce0000001f 8300ce0000008001cf000000000000000405ce00000050 8130dd00000001 01", AppendChunk(nil, 4, 80, []byte{0x91, 1})},
		{"event", "ce00000009 82004c0101 8157a16b", AppendEvent(nil, 1, "k", nil)},
		{"event with data", "ce0000000b 82004c0101 8257a16b 58c3", AppendEvent(nil, 1, "k", []byte{0xc3})},
		{"id", "ce00000032 8300ce0000000001cf000000000000000105ce00000050 835409 559b00010203040506070809 0b5b" + "a9" + hex.EncodeToString([]byte("chap-sha1")),
			AppendID(nil, 1, 80, "chap-sha1")},
	}
	for _, test := range tests {
		if want := unhex(t, test.want); string(test.got) != string(want) {
			t.Errorf("%s:\n got %x\nwant %x", test.name, test.got, want)
		}
	}
	b := Begin(nil, TypeOK, 2, 80)
	if len(b) != HeaderSize {
		t.Errorf("header of %d bytes", len(b))
	}
	b = AppendDataHead(b, 0, 0)
	b = append(b, 0x92, 1, 0xa1, 'a')
	SetDataHead(b, HeaderSize, 1, 0)
	End(b, 0)
	if want := unhex(t, "ce00000022 8300ce0000000001cf000000000000000205ce00000050 8130dd00000001 9201a161"); string(b) != string(want) {
		t.Errorf("data:\n got %x\nwant %x", b, want)
	}
	v := Ballot{Booted: true, CanLead: true, VClock: []byte{0x81, 1, 4}, GCVClock: []byte{0x80}, Leader: noUUID, Registered: []string{noUUID}, Name: "n"}
	if rest, ok := msgpack.Check(AppendBallot(nil, 1, 80, &v)[HeaderSize:]); !ok || len(rest) != 0 {
		t.Error("the ballot is no MessagePack")
	}
}

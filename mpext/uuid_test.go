package mpext

import (
	"encoding/hex"
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
)

func TestUUID(t *testing.T) {
	u, err := ParseUUID("64D22E4D-ac92-4a23-899a-e59f34af5479")
	if err != nil || u.String() != "64d22e4d-ac92-4a23-899a-e59f34af5479" {
		t.Fatal(u, err)
	}
	swapped := u.SwapFields()
	if hex.EncodeToString(swapped[:]) != "4d2ed26492ac234a899ae59f34af5479" || swapped.SwapFields() != u {
		t.Error("SwapFields:", swapped)
	}
	if got := hex.EncodeToString(u.AppendMsgpack(nil)); got != "d80264d22e4dac924a23899ae59f34af5479" {
		t.Error("AppendMsgpack:", got)
	}
	for _, s := range []string{"", "x", "64d22e4d-ac92-4a23-899a-e59f34af547", "64d22e4d-ac92-4a23-899a-e59f34af54790", "64d22e4dac924a23899ae59f34af5479",
		"{64d22e4d-ac92-4a23-899a-e59f34af5479}", "64d22e4d_ac92_4a23_899a_e59f34af5479", "64d22e4d-ac92-4a23-899a-e59f34af547g",
		"ffffffff-ffff-ffff-ffff-ffffffffffff"} {
		if u, err := ParseUUID(s); err == nil {
			t.Errorf("ParseUUID(%q) = %s", s, u)
		}
	}
	if _, ok := msgpack.Check(msgpack.AppendExt(nil, UUIDType, make([]byte, 15))); ok {
		t.Error("15 bytes pass Check")
	}
	if v := NewUUID(); v[6]>>4 != 4 || v[8]>>6 != 2 || v == NewUUID() || v.IsNil() || !(UUID{}).IsNil() {
		t.Error("NewUUID:", v)
	}
	if a, b := (UUID{1}), (UUID{0xf1}); a.Compare(b) != -1 || b.Compare(a) != 1 || a.Compare(a) != 0 {
		t.Error("Compare")
	}
}

func FuzzParseUUID(f *testing.F) {
	f.Add("64d22e4d-ac92-4a23-899a-e59f34af5479")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParseUUID(s)
		if err != nil {
			return
		}
		if again, err := ParseUUID(u.String()); err != nil || again != u {
			t.Fatal(s, u, again, err)
		}
	})
}

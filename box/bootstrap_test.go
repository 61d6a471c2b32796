package box

import (
	"bytes"
	"testing"

	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/msgpack"
)

// fresh returns a database in memory as it is after its first start, and a context of the administrator.
func fresh(t *testing.T) (*Box, *Ctx) {
	t.Helper()
	b := New(Config{})
	t.Cleanup(b.Cord.Stop)
	if err := b.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	return b, b.NewCtx(b.NewSession(SessionBackground))
}

// TestBootstrapRows holds every row of a fresh database against the recorded ones.
func TestBootstrapRows(t *testing.T) {
	b, c := fresh(t)
	rows, err := bootstrapRows()
	if err != nil {
		t.Fatal(err)
	}
	want := map[uint32][][]byte{}
	for _, row := range rows {
		want[row.space] = append(want[row.space], row.data)
	}
	all := 0
	b.Spaces(func(s *Space) bool {
		if len(s.Mem.Indexes) == 0 || s.Engine == engineSysview {
			return true
		}
		got, err := b.Select(c, &SelectRequest{Space: s.ID, Iterator: index.ALL, Limit: 1 << 30}, nil)
		if err != nil {
			t.Errorf("%s: %v", s.Name, err)
			return true
		}
		if len(got) != len(want[s.ID]) {
			t.Errorf("%s: %d rows, want %d", s.Name, len(got), len(want[s.ID]))
			return true
		}
		all += len(got)
		for i, row := range want[s.ID] {
			data := row
			if s.ID == SchemaID {
				data = fillMask(data, b.ReplicasetUUID())
			} else if s.ID == ClusterID {
				data = fillMask(data, b.InstanceUUID())
			}
			if !bytes.Equal(got[i].Data(), data) {
				t.Errorf("%s: got %v, want %s", s.Name, got[i], msgpack.AppendText(nil, data))
			}
		}
		return true
	})
	if all != len(rows) {
		t.Errorf("%d rows, want %d", all, len(rows))
	}
	if b.Recovering() {
		t.Error("still recovering")
	}
}

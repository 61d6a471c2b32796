package box

import "testing"

// TestRefusedRows writes rows into system spaces that the catalog refuses.
func TestRefusedRows(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	s := d.space("s")
	const id = "c8f0fa1f-da29-438c-a040-393f1126ad39"
	tests := []struct {
		space uint32
		row   string
		want  string
	}{
		{ClusterID, `[0, "` + id + `"]`, "67 Can't initialize replica id with a reserved value 0"},
		{ClusterID, `[40, "x"]`, "73 Replica count limit reached: 40"},
		{ClusterID, `[2, "x"]`, "64 Invalid UUID: x"},
		{ClusterID, `[1, "` + id + `"]`, "5 Space _cluster does not support updates of instance uuid"},
		{ClusterID, `[2, "` + id + `"]`, ""},
		{SchemaID, `["version", 1]`, "140 Wrong _schema version: expected 'major.minor[.patch]'"},
		{SchemaID, `["replicaset_uuid", "` + id + `"]`, "65 Can't reset replica set UUID: it is already assigned"},
		{SchemaID, `["own key", 1]`, ""},
		{PrivID, `[1, 0, "planet", 1, 1]`, "49 Unknown object type 'planet'"},
		{PrivID, `[1, 0, "space", 9999, 1]`, "36 Space '9999' does not exist"},
		{PrivID, `[1, 0, "function", 9999, 4]`, "51 Function '9999' does not exist"},
		{PrivID, `[1, 0, "sequence", 9999, 1]`, "145 Sequence '9999' does not exist"},
		{PrivID, `[1, 0, "space", "x", 1]`, "23 Tuple field 4 type does not match one required by operation: expected unsigned, got string"},
		{PrivID, `[77, 0, "space", 280, 1]`, "45 User '77' is not found"},
		{PrivID, `[1, 0, "role", 0, 4]`, "82 Role 'guest' is not found"},
		{PrivID, `[1, 0, "role", 777, 4]`, "82 Role '777' is not found"},
		{PrivID, `[1, 0, "user", 2, 128]`, "45 User 'public' is not found"},
		{TruncateID, `[9999, 0]`, "36 Space '9999' does not exist"},
		{CollationID, `[5, "x", 1, "ICU", "", {}]`, "5 collation does not support alter"},
		{SequenceID, `[70, 1, "x", 1, 1, 9, 1, 0, false]`, ""},
		{SequenceDataID, `[70, 1]`, ""},
		{SequenceDataID, `[77, 1]`, "145 Sequence '77' does not exist"},
		{SpaceSequenceID, `[9999, 77, false, 0, ""]`, "36 Space '9999' does not exist"},
		{SpaceSequenceID, `[512, 77, false, 0, ""]`, "145 Sequence '77' does not exist"},
		{FuncIndexID, `[512, 7, 1]`, "35 No index #7 is defined in space 's'"},
		{TriggerID, `["t", 512, {}]`, "5 Lycosa does not support SQL triggers and the constraints of old releases"},
		{UserID, `[0, 1, "guest", "user", {"chap-sha1": "FOZVZ6vbUTXQz9mnCzAywXmknuc="}, [], 0]`, "96 Setting password for guest user has no effect"},
		{UserID, `[70, 1, "x", "user", {"odd": "x"}, [], 0]`, "249 Unknown authentication method 'odd'"},
		{UserID, `[70, 1, "x", "user", {"chap-sha1": "x"}, [], 0]`, "250 Invalid 'chap-sha1' data: invalid scramble size"},
	}
	for _, test := range tests {
		_, err := b.Replace(c, test.space, mp(test.row))
		d.want(err, test.want)
	}
	for _, test := range []struct {
		space uint32
		key   []byte
		want  string
	}{
		{ClusterID, key(1), "128 The local instance id 1 is read-only"},
		{SchemaID, key("replicaset_uuid"), "65 Can't reset replica set UUID: it is already assigned"},
		{UserID, key(AdminID), "44 Failed to drop user or role 'admin': the user or the role is a system"},
		{SequenceID, key(70), "144 Can't drop sequence 'x': the sequence has data"},
		{SpaceID, key(s.ID), "11 Can't drop space 's': the space has indexes"},
		{IndexID, key(SpaceID, 0), "15 Can't drop the primary key in a system space, space '_space'"},
		{CollationID, key(0), "173 Can't drop collation 'none': system collation"},
	} {
		_, err := b.Delete(c, test.space, 0, test.key)
		d.want(err, test.want)
	}
}

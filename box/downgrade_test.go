package box

import (
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/vfs"
)

func TestDowngradeIssues(t *testing.T) {
	tests := []struct {
		name string
		make func(w *world) error
		want string // the only issue; empty for none
	}{
		{"nothing", func(*world) error { return nil }, ""},
		{"old types", func(w *world) error {
			_, err := w.b.CreateSpace(w.c, "s", SpaceSpec{Fields: []Field{{Name: "a", Type: "uuid"}, {Name: "b", Type: "decimal"}}})
			return err
		}, ""},
		{"new type", func(w *world) error {
			_, err := w.b.CreateSpace(w.c, "s", SpaceSpec{Fields: []Field{{Name: "a"}, {Name: "at", Type: "datetime"}}})
			return err
		}, "space 's', field 2: type 'datetime'"},
		{"new type of a part", func(w *world) error {
			s, err := w.b.CreateSpace(w.c, "s", SpaceSpec{})
			if err == nil {
				_, err = w.b.CreateIndex(w.c, s.ID, "pk", IndexSpec{Keys: []Part{{Field: 0, Type: "datetime"}}})
			}
			return err
		}, "space 's', index 'pk': type or order of a part"},
		{"temporary", func(w *world) error {
			_, err := w.b.CreateSpace(w.c, "s", SpaceSpec{Options: SpaceOptions{Temporary: true},
				Fields: []Field{{Name: "at", Type: "datetime"}}})
			return err
		}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			disk := vfs.NewMem()
			w := mustOpen(t, Config{FS: disk})
			var issues []string
			w.under(func() {
				if err := test.make(w); err != nil {
					t.Fatal(err)
				}
				var err error
				if issues, err = w.b.DowngradeIssues(w.c, oldRelease); err != nil {
					t.Fatal(err)
				}
				err = w.b.DowngradeSchema(w.c, oldRelease)
				if (err == nil) != (test.want == "") {
					t.Errorf("downgrade: %v", err)
				}
			})
			if got := strings.Join(issues, "; "); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestDowngrade changes the release of the system spaces there and back, with a restart from the journal each time.
func TestDowngrade(t *testing.T) {
	disk := vfs.NewMem()
	w := mustOpen(t, Config{FS: disk})
	fill(w)
	before := w.contents("_func") + w.contents("_space") + w.contents("_index") + w.contents("_schema")
	restart := func() {
		t.Helper()
		if err := w.b.Close(); err != nil {
			t.Fatal(err)
		}
		w = mustOpen(t, Config{FS: disk})
	}
	w.under(func() {
		if err := w.b.DowngradeSchema(w.c, "9.9.9"); err == nil {
			t.Error("an unknown release is taken")
		}
		for _, release := range []string{"3.2.0", oldRelease, oldRelease} {
			if err := w.b.DowngradeSchema(w.c, release); err != nil {
				t.Fatal(err)
			}
		}
	})
	for _, when := range []string{"at once", "after a start"} {
		w.under(func() {
			if _, err := w.b.CreateSpace(w.c, "refused", SpaceSpec{}); !boxerr.Is(err, boxerr.SchemaNeedsUpgrade) {
				t.Errorf("a change of the schema %s: %v", when, err)
			}
		})
		if w.b.SpaceByName("_vspace_sequence") != nil && w.b.SpaceByName("_vspace_sequence").Definition != nil {
			t.Errorf("%s there is a view that the old release does not know", when)
		}
		restart()
	}
	w.expect("_schema", `["cluster", "`+w.b.ReplicasetUUID()+`"] ["max_id", 513] ["version", 2, 3, 1]`)
	w.under(func() {
		if err := w.b.UpgradeSchema(w.c); err != nil {
			t.Fatal(err)
		}
	})
	restart()
	after := w.contents("_func") + w.contents("_space") + w.contents("_index") + w.contents("_schema")
	if before != after {
		t.Errorf("there and back:\n got %s\nwant %s", after, before)
	}
	w.under(func() {
		if _, err := w.b.CreateSpace(w.c, "allowed", SpaceSpec{}); err != nil {
			t.Error(err)
		}
	})
}

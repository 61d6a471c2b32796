package box

import (
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
)

// BenchmarkCreateDropSpace creates a space with two indexes, among a thousand others, and drops it.
func BenchmarkCreateDropSpace(b *testing.B) {
	db, err := InMemory(Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Cord.Stop()
	c := db.NewCtx(db.NewSession(SessionBackground))
	create := func(name string) *Space {
		s, err := db.CreateSpace(c, name, SpaceSpec{Fields: []Field{{Name: "id", Type: "unsigned"}, {Name: "name", Type: "string"}}})
		if err != nil {
			b.Fatal(err)
		}
		for _, x := range []IndexSpec{{}, {Keys: []Part{{Name: "name"}}}} {
			if _, err := db.CreateIndex(c, s.ID, "i"+itoa(int64(len(s.Mem.Indexes))), x); err != nil {
				b.Fatal(err)
			}
		}
		return s
	}
	for i := range 1000 {
		create("s" + itoa(int64(i)))
	}
	for b.Loop() {
		s := create("s")
		if err := db.DropSpace(c, s.ID, s.Name, false); err != nil {
			b.Fatal(boxerr.From(err))
		}
	}
}

// BenchmarkBuildIndex builds a secondary index over a hundred thousand tuples.
func BenchmarkBuildIndex(b *testing.B) {
	db, err := InMemory(Config{})
	if err != nil {
		b.Fatal(err)
	}
	defer db.Cord.Stop()
	c := db.NewCtx(db.NewSession(SessionBackground))
	s, _ := db.CreateSpace(c, "s", SpaceSpec{})
	db.CreateIndex(c, s.ID, "pk", IndexSpec{})
	for i := range 100000 {
		if _, err := db.Insert(c, s.ID, key(i, "name "+itoa(int64(i*7919%100000)))); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := db.CreateIndex(c, s.ID, "sk", IndexSpec{Keys: []Part{{Field: 1, Type: "string"}}}); err != nil {
			b.Fatal(err)
		}
		if err := db.DropIndex(c, s.ID, 1); err != nil {
			b.Fatal(err)
		}
	}
}

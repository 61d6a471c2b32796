package server

import (
	"testing"

	"github.com/lycosadb/lycosa/box"
)

// TestForeseenReads has a handler let SELECTs pass, whose answers are then found before the first of them is asked, and do
// something in front of the third one of a turn.
func TestForeseenReads(t *testing.T) {
	const (
		old, gone = "[[5 old]]", "[]"
		noIndex   = "No index #0 is defined in space 't'"
		noRead    = "Read access to space 't' is denied for user 'guest'"
		noUse     = "Usage access to universe '' is denied for user 'weak'"
	)
	for _, test := range []struct {
		name        string
		do          func(w *world, r *Request) error
		third, rest string // how that and those behind it are answered, without code and sync
		code        string
	}{
		{"nothing", func(*world, *Request) error { return nil }, old, old, "0"},
		{"replaces the tuple", func(w *world, _ *Request) error {
			_, err := w.b.Replace(w.c, 512, pack(list(5, "new")))
			return err
		}, "[[5 new]]", "[[5 new]]", "0"},
		{"replaces it in a transaction that is rolled back", func(w *world, r *Request) error {
			if err := w.b.Begin(r.Ctx(), box.TxnOptions{}); err != nil {
				return err
			}
			_, err := w.b.Replace(r.Ctx(), 512, pack(list(5, "new")))
			return err
		}, "[[5 new]]", old, "0"},
		{"replaces another tuple", func(w *world, _ *Request) error {
			_, err := w.b.Replace(w.c, 512, pack(list(6, "new")))
			return err
		}, old, old, "0"},
		{"deletes it", func(w *world, _ *Request) error {
			_, err := w.b.Delete(w.c, 512, 0, pack(list(5)))
			return err
		}, gone, gone, "0"},
		{"truncates the space", func(w *world, _ *Request) error { return w.b.Truncate(w.c, 512) }, gone, gone, "0"},
		{"drops the index", func(w *world, _ *Request) error {
			_, err := w.b.Delete(w.c, 288, 0, pack(list(512, 0)))
			return err
		}, noIndex, noIndex, "-35"},
		{"takes the rights away", func(w *world, _ *Request) error {
			_, err := w.b.Delete(w.c, 312, 0, pack(list(0, "role", 31)))
			return err
		}, noRead, noRead, "-42"},
		{"becomes somebody else", func(w *world, r *Request) error {
			r.Session().User = w.b.UserByName("weak")
			r.Ctx().User = r.Session().User
			return nil
		}, noUse, noUse, "-42"},
		{"makes an index", func(w *world, _ *Request) error {
			w.insert(288, 512, 1, "sk", "tree", map[string]any{"unique": false}, list(list(1, "string")))
			return nil
		}, old, old, "0"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t, Options{})
			w.space(512, "t")
			w.locked(func() {
				w.insert(512, 5, "old")
				w.insert(304, 100, 1, "weak", "user", map[string]any{}, list(), 0)
			})
			done := false
			w.override(1, "x", func(r *Request) (Outcome, error) {
				if r.Sync() == 3 && !done {
					done = true
					return Declined, test.do(w, r)
				}
				return Declined, nil
			})
			c := w.pipe()
			for range 2 { // the first turn tells that the handler lets SELECTs pass
				c.send(selectFrom(10, 512, list(5)), selectFrom(11, 512, list(7)))
				c.expect("0 10 "+old, "0 11 []")
			}
			var turn [][]byte
			for sync := 1; sync <= 5; sync++ {
				turn = append(turn, selectFrom(sync, 512, list(5)))
			}
			before := w.selects()
			c.send(turn...)
			c.expect("0 1 "+old, "0 2 "+old)
			c.expect(test.code+" 3 "+test.third, test.code+" 4 "+test.rest, test.code+" 5 "+test.rest)
			if n := w.selects() - before; n != 5 {
				t.Errorf("%d SELECTs are counted", n)
			}
		})
	}
}

// selects is how many SELECTs the database has counted.
func (w *world) selects() (n uint64) {
	w.locked(func() { n = w.b.Stat.Total(box.OpSelect) })
	return n
}

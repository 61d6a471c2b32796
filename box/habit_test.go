package box

import (
	"fmt"
	"testing"
)

// TestHabits calls functions that search, and asks what is foreseen of their next call.
func TestHabits(t *testing.T) {
	type calls struct {
		n    int    // how many are observed
		args string // of each
		// What is searched for first; nothing when the key is empty.
		index uint32
		key   string
	}
	for _, test := range []struct {
		name  string
		calls []calls
		args  string // of the next call
		want  string // the indexes and keys that are foreseen
	}{
		{"once is no habit", []calls{{1, "[1]", 0, "[1]"}}, "[2]", ""},
		{"twice is", []calls{{1, "[1]", 0, "[1]"}, {1, "[2]", 0, "[2]"}}, "[7]", "0 07"},
		{"a later argument", []calls{{2, `["x", "a", 1]`, 1, `["a"]`}}, `[1, "b"]`, "1 a162"},
		{"too few arguments", []calls{{2, `["x", "a"]`, 1, `["a"]`}}, `["b"]`, ""},
		{"no argument", []calls{{9, "[1]", 0, "[2]"}}, "[1]", ""},
		{"a beginning of an argument is none", []calls{{9, `["a", "bc"]`, 1, `["b"]`}}, "[1]", ""},
		{"a key of two parts", []calls{{9, `["a", 1]`, 2, `["a", 1]`}}, `["a", 1]`, ""},
		{"no search", []calls{{9, "[1]", 0, ""}}, "[1]", ""},
		{"a habit that is broken", []calls{{2, "[1]", 0, "[1]"}, {1, "[1]", 0, "[2]"}}, "[1]", ""},
		{"and taken up again takes longer", []calls{{2, "[1]", 0, "[1]"}, {1, "[1]", 0, "[2]"}, {3, "[1]", 0, "[1]"}}, "[1]", ""},
		{"but not for ever", []calls{{2, "[1]", 0, "[1]"}, {1, "[1]", 0, "[2]"}, {4, "[1]", 0, "[1]"}}, "[1]", "0 01"},
		{"another habit", []calls{{2, "[1]", 0, "[1]"}, {5, `["a"]`, 1, `["a"]`}}, `["b"]`, "1 a162"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			sp := w.space(512, "t", nil, "pk 1 unsigned", "name 2 string", "both 2 string, 1 unsigned")
			w.do(`insert t [1, "a"]`)
			for _, c := range test.calls {
				for range c.n * observeEvery {
					w.c.Reset(w.c.Session)
					w.b.ObserveCall(w.c, []byte("f"), mp(c.args))
					if c.key == "" {
						continue
					}
					if _, err := w.b.Get(w.c, 512, c.index, mp(c.key)); err != nil {
						t.Fatal(err)
					}
				}
			}
			var f Foresight
			if h := w.b.Habit([]byte("f")); h != nil {
				f.Call(w.b, h, mp(test.args))
			}
			got := ""
			for _, l := range f.lookups {
				for id := range uint32(3) {
					if sp.Mem.Index(id).Index == l.Index {
						got += fmt.Sprintf("%d %x", id, l.Key)
					}
				}
			}
			if got != test.want {
				t.Errorf("%q is foreseen, want %q", got, test.want)
			}
		})
	}
}

// TestManyHabits has more functions than habits are kept of.
func TestManyHabits(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", nil, "pk 1 unsigned")
	for i := range maxHabits + 1 {
		for range firstNeeded * observeEvery {
			w.b.ObserveCall(w.c, fmt.Append(nil, i), mp("[1]"))
			if _, err := w.b.Get(w.c, 512, 0, mp("[1]")); err != nil {
				t.Fatal(err)
			}
		}
		if w.b.Habit(fmt.Append(nil, i)) == nil {
			t.Fatalf("function %d has no habit", i)
		}
	}
	if n := len(w.b.habits.of); n != 1 {
		t.Errorf("%d habits are kept", n)
	}
	if w.b.Habit([]byte("0")) != nil {
		t.Error("a habit that was given up is known")
	}
}

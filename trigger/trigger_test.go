package trigger

import (
	"reflect"
	"strings"
	"testing"
)

func order(e *Event) string {
	var names []string
	for _, entry := range e.Entries() {
		names = append(names, entry.Name)
	}
	return strings.Join(names, " ")
}

func TestOrder(t *testing.T) {
	r := NewRegistry()
	e := r.Event("ev")
	steps := []struct {
		do   func() Handler
		old  Handler
		want string
	}{
		{func() Handler { return r.Set("ev", "a", 1) }, nil, "a"},
		{func() Handler { return r.Set("ev", "b", 2) }, nil, "b a"},
		{func() Handler { return r.Set("ev", "c", 3) }, nil, "c b a"},
		{func() Handler { return r.Set("ev", "b", 4) }, 2, "c b a"},
		{func() Handler { return r.Del("ev", "c") }, 3, "b a"},
		{func() Handler { return r.Del("ev", "c") }, nil, "b a"},
		{func() Handler { return r.Set("ev", "c", 5) }, nil, "c b a"},
		{func() Handler { return r.Set("ev", "a", nil) }, 1, "c b"},
		{func() Handler { return r.Del("nowhere", "a") }, nil, "c b"},
	}
	for i, s := range steps {
		if old := s.do(); old != s.old {
			t.Errorf("step %d: old = %v, want %v", i, old, s.old)
		}
		if got := order(e); got != s.want {
			t.Errorf("step %d: order %q, want %q", i, got, s.want)
		}
	}
	if r.Event("ev") != e {
		t.Error("an event must be stable")
	}
	if e.Get("b") != 4 || e.Get("x") != nil {
		t.Error("Get")
	}
	if got := r.Names(); !reflect.DeepEqual(got, []string{"ev"}) {
		t.Errorf("Names = %v", got)
	}
	if got := len(r.Clear("ev")); got != 2 || !e.Empty() || r.Names() != nil {
		t.Errorf("Clear returned %d", got)
	}
}

func TestChangesWhileRunning(t *testing.T) {
	r := NewRegistry()
	for _, name := range []string{"d", "c", "b", "a"} {
		r.Set("ev", name, name)
	}
	run := r.Event("ev").Start()
	var seen []string
	for {
		h, ok := run.Next()
		if !ok {
			break
		}
		seen = append(seen, h.(string))
		if h == "a" {
			r.Del("ev", "b")
			r.Set("ev", "new", "new")
			r.Set("ev", "c", "c2")
			r.Del("ev", "a")
		}
	}
	if got := strings.Join(seen, " "); got != "a c2 d" {
		t.Errorf("ran %q", got)
	}
	if got := order(r.Event("ev")); got != "new c d" {
		t.Errorf("left %q", got)
	}
}

func TestGenerationAndObservers(t *testing.T) {
	r := NewRegistry()
	var told []string
	r.Observe("box.", func(e *Event) { told = append(told, e.Name()) })
	start := r.Generation()
	r.Event("box.a")
	if r.Generation() != start {
		t.Error("asking for an event is no change")
	}
	r.Set("box.a", "x", 1)
	r.Set("other", "x", 1)
	r.Del("box.a", "x")
	r.Del("box.a", "x")
	if got := r.Generation() - start; got != 3 {
		t.Errorf("generation grew by %d, want 3", got)
	}
	if got := strings.Join(told, " "); got != "box.a box.a" {
		t.Errorf("told %q", got)
	}
}

func TestRunAllocatesNothing(t *testing.T) {
	r := NewRegistry()
	r.Set("ev", "a", 1)
	e := r.Event("ev")
	if n := testing.AllocsPerRun(100, func() {
		run := e.Start()
		for {
			if _, ok := run.Next(); !ok {
				break
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

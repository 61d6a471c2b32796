package memtx

import (
	"fmt"
	"runtime"
	"testing"
	"weak"

	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/tuple"
)

// times is a History with a space and the transactions in it. The journal is the test.
type times struct {
	*testing.T
	h        *History
	space    *Space
	ids      uint64
	position uint64
}

func newTimes(t *testing.T) *times {
	return &times{T: t, h: new(History), space: newSpace(t)}
}

func (w *times) begin(level Level) *Txn {
	w.ids++
	t := &Txn{ID: w.ids}
	w.h.Begin(t, level)
	return t
}

// told is the tuple of a number.
func told(id uint64, text string) *tuple.Tuple {
	return tup(id, fmt.Sprint(id), fmt.Sprint(id, " ", text))
}

// put replaces the tuple of a number.
func (w *times) put(t *Txn, id uint64, text string) *tuple.Tuple {
	w.Helper()
	if err := t.EnterWrite(); err != nil {
		w.Fatal(err)
	}
	tp := told(id, text)
	t.Begin()
	if _, err := t.Apply(w.space, nil, tp, index.ReplaceOrInsert); err != nil {
		w.Fatal(err)
	}
	t.Commit()
	return tp
}

func (w *times) commit(t *Txn) {
	w.Helper()
	if err := w.h.Prepare(t); err != nil {
		w.Fatal(err)
	}
	w.position++
	w.h.Submitted(t, w.position)
}

// set replaces the tuple of a number in a transaction of its own.
func (w *times) set(id uint64, text string) *tuple.Tuple {
	w.Helper()
	w.ids++
	t := &Txn{ID: w.ids}
	w.h.BeginAlone(t)
	tp := w.put(t, id, text)
	w.commit(t)
	return tp
}

// sees checks what a transaction, or nobody, finds in an index.
func (w *times) sees(t *Txn, what string, want ...string) {
	w.Helper()
	if t != nil {
		if err := t.Enter(); err != nil {
			w.Fatal(what, err)
		}
	}
	for i, text := range want {
		id := uint64(i)
		key := tup(id, "", "").Field(0)
		var got string
		if tp := w.space.Get(t, w.space.Indexes[0], key, 1); tp != nil {
			got = tp.String()
		}
		if want := told(id, text).String(); got != want {
			w.Errorf("%s: got %s, want %s", what, got, want)
		}
	}
	list, err := w.space.Select(t, w.space.Indexes[1], nil, index.ALL, nil, 0, nil, 0, len(want)+1)
	if err != nil || len(list) != len(want) {
		w.Errorf("%s: %d tuples, want %d, %v", what, len(list), len(want), err)
	}
}

// forgotten checks that nothing is kept any more.
func (w *times) forgotten() {
	w.Helper()
	if got := w.h.Stat(); got != (Stat{}) {
		w.Errorf("%+v", got)
	}
	if got := w.space.Stat(); got != (SpaceStat{}) {
		w.Errorf("%+v", got)
	}
}

// rounds is more than what is kept for those who have to catch up.
const rounds = maxLog + maxAdvance

func TestOldVersionsGo(t *testing.T) {
	w := newTimes(t)
	old := weak.Make(w.set(0, "old"))
	w.h.Confirm(w.position)
	var readers []*Txn
	for i := range 3 {
		r := w.begin(BestEffort)
		w.sees(r, "before", "old")
		if i > 0 {
			readers = append(readers, r)
			continue
		}
		w.h.end(r)
	}
	var between weak.Pointer[tuple.Tuple]
	for i := range rounds {
		tp := w.set(0, fmt.Sprint(i))
		if i == rounds/2 {
			between = weak.Make(tp)
		}
		w.h.Confirm(w.position)
	}
	if n := w.h.Stat().Views; n != 1 {
		t.Errorf("%d views", n)
	}
	for _, r := range readers {
		w.sees(r, "after", "old")
	}
	late := w.begin(BestEffort)
	w.sees(late, "late", fmt.Sprint(rounds-1))
	runtime.GC()
	if old.Value() == nil || between.Value() != nil {
		t.Errorf("kept: the version that is read %v, one that nobody reads %v", old.Value() != nil, between.Value() != nil)
	}
	for _, r := range append(readers, late) {
		if err := w.h.Prepare(r); err != nil {
			t.Error(err)
		}
	}
	w.forgotten()
	runtime.GC()
	if old.Value() != nil {
		t.Error("the old version is still there")
	}
}

func TestManyChangesOfOthers(t *testing.T) {
	w := newTimes(t)
	a := w.begin(BestEffort)
	var want []string
	for i := range uint64(fewStatements + 4) {
		w.put(a, i, "mine")
		want = append(want, "mine")
	}
	others := uint64(len(want))
	for i := range rounds {
		w.set(others, fmt.Sprint(i))
		if i == 0 {
			if err := a.Enter(); err != nil { // it has to catch up with the other ones later
				t.Fatal(err)
			}
		}
	}
	if n := w.space.Stat().Log; n > maxLog {
		t.Errorf("%d changes are kept", n)
	}
	want = append(want, fmt.Sprint(rounds-1))
	w.sees(a, "late", want...)
	w.commit(a)
	w.h.Confirm(w.position)
	w.forgotten()
	w.sees(nil, "at last", want...)
}

func TestManyUnconfirmedChanges(t *testing.T) {
	w := newTimes(t)
	for i := range rounds {
		w.set(0, fmt.Sprint(i))
	}
	for i := range rounds - 1 {
		w.h.Confirm(uint64(i + 1))
		if i%64 < 3 { // most of what nobody looks at is not done at all
			w.sees(nil, "in between", fmt.Sprint(i))
			r := w.begin(Committed)
			w.sees(r, "prepared", fmt.Sprint(rounds-1))
			if err := w.h.Prepare(r); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.h.Confirm(w.position)
	w.forgotten()
	w.sees(nil, "at last", fmt.Sprint(rounds-1))
}

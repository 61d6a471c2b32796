package box

import (
	"fmt"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/xlog"
)

// putRow is a row that inserts a tuple, or replaces one.
func putRow(typ iproto.Type, space uint32, data string) xlog.Row {
	body := msgpack.AppendUint([]byte{0x82, keySpace}, uint64(space))
	return xlog.Row{Type: typ, Body: append(append(body, keyTuple), mp(data)...)}
}

func TestPrepare(t *testing.T) {
	w := newWorld(t)
	sp := w.space(512, "t", []string{"id unsigned", "name string"}, "pk 1 unsigned")
	w.space(513, "other", nil, "pk 1 unsigned")
	rows := []xlog.Row{
		putRow(iproto.TypeInsert, 512, `[300, "a"]`),
		putRow(iproto.TypeReplace, 512, `[2, "b", 3]`),
		putRow(iproto.TypeInsert, 513, `[2]`),               // a space without a plan
		putRow(iproto.TypeDelete, 512, `[2]`),               // puts nothing
		putRow(iproto.TypeInsert, 512, `[2]`),               // not of the format
		putRow(iproto.TypeInsert, 512, `2`),                 // no tuple
		putRow(iproto.TypeInsert, 512, `[2, "too large!"]`), // for the limit
		{Type: iproto.TypeInsert, Body: append(append([]byte{0x82, keyTuple}, mp(`[1, "a"]`)...), keySpace, 0xcd, 2, 0)},
		{Type: iproto.TypeInsert, Body: []byte{0x82, keySpace}},
		{Type: iproto.TypeInsert},
		{Type: iproto.TypeNOP},
	}
	made := make([]prepared, len(rows))
	p := &preparer{limit: tupleHeader + 10}
	p.prepare(rows, made)
	for i := range made {
		if made[i].tuple != nil {
			t.Errorf("row %d: a tuple without a plan", i)
		}
	}
	p.offer(sp)
	p.prepare(rows, made)
	got := ""
	for i := range made {
		if m := &made[i]; m.tuple != nil {
			got += fmt.Sprintf("%d: %v hint %d, %d bytes, format %t, space %d; ", i, m.tuple, m.hint, m.size,
				m.tuple.FormatID() == sp.Mem.Format.ID, m.space)
		}
	}
	want := `0: [300, "a"] hint 300, 6 bytes, format true, space 512; 1: [2, "b", 3] hint 2, 5 bytes, format true, space 512; `
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !made[0].fits(sp) || made[2].fits(sp) {
		t.Error("not the tuples of the space fit")
	}
	f, err := tuple.NewFormatOf([]tuple.FieldDef{{Name: "id", Type: tuple.Unsigned}}, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	sp.Mem.Format = f
	if made[0].fits(sp) {
		t.Error("a tuple of a format that the space had fits")
	}
}

func TestLoadStraight(t *testing.T) {
	w := newWorld(t)
	sp := w.space(512, "t", nil, "pk 1 unsigned", "sk 2 string")
	sp.Sequence = &Sequence{Step: 1, Min: 1, Max: 1 << 62, Start: 1}
	w.space(513, "u", nil, "pk 1 unsigned")
	p := &preparer{limit: 1000}
	w.b.StartRecovery()
	defer w.b.EndRecovery()
	run := func(rows ...xlog.Row) (bool, error) {
		made := make([]prepared, len(rows))
		p.prepare(rows, made)
		return w.b.loadStraight(p, rows, made)
	}
	insert, replace := iproto.TypeInsert, iproto.TypeReplace
	if done, err := run(putRow(insert, 512, `[1, "a"]`)); done || err != nil {
		t.Errorf("without a plan: %t, %v", done, err)
	}
	if done, err := run(putRow(insert, 512, `[1, "a"]`), putRow(insert, 513, `[1]`)); done || err != nil {
		t.Errorf("with one plan only: %t, %v", done, err)
	}
	if sp.Mem.Len(nil) != 0 {
		t.Error("rows were run in part")
	}
	done, err := run(putRow(insert, 512, `[1, "a"]`), putRow(insert, 513, `[7]`), putRow(replace, 512, `[1, "b"]`), putRow(insert, 512, `[5, "c"]`))
	if !done || err != nil {
		t.Errorf("%t, %v", done, err)
	}
	w.script(`
		select t [] -> [1, "b"] [5, "c"]
		select t/sk ["b"] -> [1, "b"]
		select u [] -> [7]
	`)
	if got := sp.Mem.Bytes(); got != 8 {
		t.Errorf("%d bytes", got)
	}
	if v := sp.Sequence.Value; v != 5 {
		t.Errorf("the sequence is at %d", v)
	}
	for _, row := range []xlog.Row{putRow(insert, 512, `[5, "new"]`), putRow(replace, 512, `[6, "c"]`)} {
		if done, err := run(row); !done || !boxerr.Is(err, boxerr.TupleFound) {
			t.Errorf("a key that is there already: %t, %v", done, err)
		}
	}
	w.script(`select t [] -> [1, "b"] [5, "c"]`)
	w.b.Config.ForceRecovery = true
	if done, _ := run(putRow(insert, 513, `[8]`)); done {
		t.Error("with force_recovery transactions are needed")
	}
}

// TestRestartWithMany recovers more rows than are read at once, in and out of order, through changes of the format and with
// everything that keeps tuples from going straight into their place.
func TestRestartWithMany(t *testing.T) {
	const many = 30000
	cfg := Config{FS: vfs.NewMem(), WALMode: "write"}
	w := mustOpen(t, cfg)
	text := strings.Repeat("x", 100)
	w.under(func() {
		if _, err := w.b.CreateSpace(w.c, "t", SpaceSpec{}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.b.CreateIndex(w.c, 512, "pk", IndexSpec{Sequence: &SequenceSpec{}}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.b.CreateIndex(w.c, 512, "sk", IndexSpec{Keys: []Part{{Field: 1, Type: "unsigned"}}}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.b.CreateSpace(w.c, "u", SpaceSpec{}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.b.CreateIndex(w.c, 513, "pk", IndexSpec{Type: "hash"}); err != nil {
			t.Fatal(err)
		}
	})
	var row []byte
	for i := range many {
		w.under(func() {
			key := uint64(i)
			if i%7 == 0 {
				key = uint64(many + i*7919%many) // out of order
			}
			row = msgpack.AppendUint(append(row[:0], 0x93), key)
			row = msgpack.AppendString(msgpack.AppendUint(row, key*3), text)
			if _, err := w.b.Insert(w.c, 512, row); err != nil {
				t.Fatal(err)
			}
			switch {
			case i == many/2:
				format := mp(`[{"name": "id", "type": "unsigned"}, {"name": "n", "type": "unsigned"}]`)
				if err := w.b.SetFormat(w.c, 512, format); err != nil {
					t.Fatal(err)
				}
			case i%100 == 1:
				if _, err := w.b.Replace(w.c, 513, row); err != nil {
					t.Fatal(err)
				}
			case i%100 == 2:
				w.b.begin(w.c)
				if _, err := w.b.Delete(w.c, 512, 0, msgpack.AppendUint([]byte{0x91}, key)); err != nil {
					t.Fatal(err)
				}
				if _, err := w.b.Insert(w.c, 512, row); err != nil {
					t.Fatal(err)
				}
				if err := w.b.commit(w.c); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	state := func() string {
		w.b.Cord.Lock()
		defer w.b.Cord.Unlock()
		var b strings.Builder
		for _, name := range []string{"t", "u"} {
			sp := w.b.SpaceByName(name)
			for _, x := range sp.Mem.Indexes {
				sum, n := uint64(0), uint64(0)
				it, err := x.Iterate(index.ALL, nil, 0, nil)
				if err != nil {
					t.Fatal(err)
				}
				for tp := it.Next(); tp != nil; tp = it.Next() {
					n++
					k, _, _ := msgpack.ReadUint(tp.Field(0))
					if name == "t" { // in order
						k *= n
					}
					sum += k
					if s, _, _ := msgpack.ReadString(tp.Field(2)); string(s) != text {
						t.Fatal(tp)
					}
				}
				fmt.Fprintf(&b, "%s.%s: %d tuples, sum %d; ", name, x.Name, n, sum)
			}
			fmt.Fprintf(&b, "%d bytes; ", sp.Mem.Bytes())
		}
		fmt.Fprintf(&b, "sequence %d", w.b.SpaceByName("t").Sequence.Value)
		return b.String()
	}
	want := state()
	for _, from := range []string{"the journal", "a checkpoint"} {
		if from == "a checkpoint" {
			done := make(chan error, 1)
			w.b.Cord.Lock()
			w.b.Checkpoint(func(err error) { done <- err })
			w.b.Cord.Unlock()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		for _, force := range []bool{false, true} {
			if err := w.b.Close(); err != nil {
				t.Fatal(err)
			}
			cfg.ForceRecovery = force
			w = mustOpen(t, cfg)
			if got := state(); got != want {
				t.Errorf("from %s, force %t:\n got %s\nwant %s", from, force, got, want)
			}
		}
	}
	if err := w.b.Close(); err != nil {
		t.Error(err)
	}
}

// BenchmarkPrepare reports the cost of making a tuple of a row.
func BenchmarkPrepare(b *testing.B) {
	w := newWorldOf(b)
	p := &preparer{limit: w.b.maxTupleSize()}
	p.offer(w.space(512, "t", []string{"id unsigned", "name string"}, "pk 1 unsigned"))
	rows := make([]xlog.Row, 1000)
	for i := range rows {
		rows[i] = putRow(iproto.TypeInsert, 512, fmt.Sprintf(`[%d, %q, 7]`, 100000+i, strings.Repeat("x", 64)))
	}
	made := make([]prepared, len(rows))
	b.ReportAllocs()
	for b.Loop() {
		p.prepare(rows, made)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(rows)), "ns/row")
}

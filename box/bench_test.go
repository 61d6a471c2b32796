package box

import (
	"testing"

	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/wal"
)

// benchSpace makes a space of n tuples like [1, "name", 1].
func benchSpace(tb testing.TB, n int, indexes ...indexSpec) (*Box, *Ctx) {
	w := newWorldOf(tb)
	if indexes == nil {
		indexes = []indexSpec{"pk 1 unsigned"}
	}
	w.space(512, "t", nil, indexes...)
	for i := range n {
		if _, err := w.b.Insert(w.c, 512, benchTuple(nil, i)); err != nil {
			tb.Fatal(err)
		}
	}
	return w.b, w.c
}

func benchTuple(b []byte, i int) []byte {
	b = msgpack.AppendArrayHeader(b, 3)
	b = msgpack.AppendUint(b, uint64(i))
	b = msgpack.AppendString(b, "some name")
	return msgpack.AppendUint(b, uint64(i))
}

func benchKey(b []byte, i int) []byte {
	return msgpack.AppendUint(msgpack.AppendArrayHeader(b, 1), uint64(i))
}

const benchTuples = 100000

func BenchmarkGet(b *testing.B) {
	db, c := benchSpace(b, benchTuples)
	var key []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		key = benchKey(key[:0], i*7919%benchTuples)
		if t, err := db.Get(c, 512, 0, key); t == nil || err != nil {
			b.Fatal(t, err)
		}
	}
}

func BenchmarkSelectOne(b *testing.B) {
	db, c := benchSpace(b, benchTuples)
	r := SelectRequest{Space: 512, Limit: 10}
	var dst []*tuple.Tuple
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Key = benchKey(r.Key[:0], i*7919%benchTuples)
		var err error
		if dst, err = db.Select(c, &r, dst[:0]); len(dst) != 1 || err != nil {
			b.Fatal(dst, err)
		}
	}
}

func BenchmarkSelectTen(b *testing.B) {
	db, c := benchSpace(b, benchTuples)
	r := SelectRequest{Space: 512, Limit: 10, Iterator: index.GE}
	var dst []*tuple.Tuple
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		r.Key = benchKey(r.Key[:0], i*7919%(benchTuples-10))
		var err error
		if dst, err = db.Select(c, &r, dst[:0]); len(dst) != 10 || err != nil {
			b.Fatal(dst, err)
		}
	}
}

func benchReplace(b *testing.B, journal Journal, indexes ...indexSpec) {
	db, c := benchSpace(b, benchTuples, indexes...)
	db.Journal = journal
	var data []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		data = benchTuple(data[:0], i*7919%benchTuples)
		if _, err := db.Replace(c, 512, data); err != nil {
			b.Fatal(err)
		}
		if journal != nil && i%64 == 0 {
			c.Ticket.Wait()
		}
	}
}

func BenchmarkReplace(b *testing.B) { benchReplace(b, nil) }

func BenchmarkReplaceJournaled(b *testing.B) { benchReplace(b, fileJournal(b)) }

func BenchmarkReplaceSecondary(b *testing.B) { benchReplace(b, nil, "pk 1 unsigned", "*sk 3 unsigned") }

func BenchmarkUpdate(b *testing.B) {
	db, c := benchSpace(b, benchTuples)
	ops := mp(`[["+", 2, 1]]`)
	var key []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		key = benchKey(key[:0], i*7919%benchTuples)
		if _, err := db.Update(c, 512, 0, key, ops, 0); err != nil {
			b.Fatal(err)
		}
	}
}

// fileJournal is a journal on the memory of a file system.
func fileJournal(tb testing.TB) *wal.Journal {
	j, err := wal.Open(wal.Options{FS: vfs.NewMem(), Mode: wal.Write, ReplicaID: 1})
	if err != nil {
		tb.Fatal(err)
	}
	return j
}

func TestAllocations(t *testing.T) {
	db, c := benchSpace(t, 1000)
	r := SelectRequest{Space: 512, Limit: 10, Key: benchKey(nil, 7)}
	dst := make([]*tuple.Tuple, 0, 16)
	data := benchTuple(nil, 7)
	journal := fileJournal(t)
	for _, test := range []struct {
		name string
		most float64
		run  func()
	}{
		{"get", 0, func() { db.Get(c, 512, 0, r.Key) }},
		{"select", 0, func() { r.Iterator = index.EQ; dst, _ = db.Select(c, &r, dst[:0]) }},
		{"select ten", 0, func() { r.Iterator = index.GE; dst, _ = db.Select(c, &r, dst[:0]) }},
		{"replace", 1, func() { db.Replace(c, 512, data) }},
		{"replace with a journal", 2, func() {
			db.Journal = journal
			db.Replace(c, 512, data)
			c.Ticket.Wait()
			db.Journal = nil
		}},
		{"a transaction", 2, func() {
			db.Begin(c, TxnOptions{})
			db.Replace(c, 512, data)
			db.Replace(c, 512, data)
			db.Commit(c)
		}},
	} {
		if got := testing.AllocsPerRun(100, test.run); got > test.most {
			t.Errorf("%s: %v allocations, at most %v are due", test.name, got, test.most)
		}
	}
}

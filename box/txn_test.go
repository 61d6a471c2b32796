package box

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/wal"
	"github.com/lycosadb/lycosa/xlog"
)

func TestTransactions(t *testing.T) {
	const active = "ClientError 79: Operation is not permitted when there is an active transaction  {name \"ACTIVE_TRANSACTION\"}"
	for _, test := range []struct{ name, script string }{
		{"commit", `
			begin
			insert t [1, "a"] -> [1, "a"]
			begin -> ` + active + `
			commit
			commit
			rollback
			select t [] -> [1, "a"]`},
		{"rollback", `
			insert t [1, "a"] -> [1, "a"]
			insert t [2, "b"] -> [2, "b"]
			begin
			update t [1] [["=", 1, "z"]] -> [1, "z"]
			delete t [2] -> [2, "b"]
			insert t [4, "a"] -> [4, "a"]
			replace t [3, "b"] -> [3, "b"]
			upsert t [5, "q"] [["=", 1, "r"]]
			select t/u [] -> [4, "a"] [3, "b"] [5, "q"] [1, "z"]
			rollback
			select t [] -> [1, "a"] [2, "b"]
			select t/u [] -> [1, "a"] [2, "b"]`},
		{"a failed statement", `
			insert t [1, "a"] -> [1, "a"]
			begin
			insert t [2, "b"] -> [2, "b"]
			insert t [1, "a"] -> ClientError 3: Duplicate key exists in unique index "pk" in space "t" with old tuple - [1, "a"] and new tuple - [1, "a"] {index "pk", name "TUPLE_FOUND", new_tuple [1, "a"], old_tuple [1, "a"], space "t"}
			commit
			select t [] -> [1, "a"] [2, "b"]`},
		{"a yield", `
			begin
			insert t [1, "a"] -> [1, "a"]
			yield
			insert t [2, "a"] -> ClientError 154: Transaction has been aborted by a fiber yield {name "TRANSACTION_YIELD"}
			select t [] -> ClientError 154: Transaction has been aborted by a fiber yield {name "TRANSACTION_YIELD"}
			commit -> ClientError 154: Transaction has been aborted by a fiber yield {name "TRANSACTION_YIELD"}
			select t [] -> none
			begin
			yield
			commit
			begin
			insert t [3, "a"] -> [3, "a"]
			yield
			rollback
			count t [] -> 0`},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			w.space(512, "t", nil, "pk 1 unsigned", "u 2 string")
			w.script(test.script)
		})
	}
}

func TestBeginOptions(t *testing.T) {
	for _, test := range []struct {
		o    TxnOptions
		want string
	}{
		{TxnOptions{Timeout: -1}, "IllegalParams 1: timeout must be a number greater than 0 {}"},
		{TxnOptions{Isolation: 5}, "IllegalParams 1: unknown isolation level {}"},
		{TxnOptions{Isolation: Linearizable}, `ClientError 5: Linearizable transaction does not support disabled memtx mvcc engine {name "UNSUPPORTED"}`},
		{TxnOptions{Isolation: BestEffort, Timeout: 1e9}, "nothing"},
	} {
		w := newWorld(t)
		w.b.Cord.Lock()
		if got := text(nil, w.b.Begin(w.c, test.o)); got != test.want {
			t.Errorf("%v: got %s, want %s", test.o, got, test.want)
		}
		if (w.c.Txn != nil) != (test.want == "nothing") {
			t.Errorf("%v: transaction open: %v", test.o, w.c.Txn != nil)
		}
		w.b.Rollback(w.c)
		w.b.Cord.Unlock()
	}
}

func TestSavepoints(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", nil, "pk 1 unsigned")
	b, c := w.b, w.c
	if _, err := b.Savepoint(c, ""); !boxerr.Is(err, boxerr.NoTransaction) {
		t.Error(err)
	}
	w.do("begin")
	w.do("insert t [1]")
	second, _ := b.Savepoint(c, "")
	w.do("insert t [2]")
	third, _ := b.Savepoint(c, "")
	w.do("insert t [3]")
	for _, step := range []error{b.RollbackTo(c, third), b.RollbackTo(c, second)} {
		if step != nil {
			t.Error(step)
		}
	}
	w.script("select t [] -> [1]")
	if err := b.RollbackTo(c, third); !boxerr.Is(err, boxerr.NoSuchSavepoint) {
		t.Error(err)
	}
	if err := b.RollbackTo(c, second); err != nil {
		t.Error(err)
	}
	w.do("commit")
	if err := b.RollbackTo(c, second); !boxerr.Is(err, boxerr.NoSuchSavepoint) {
		t.Error(err)
	}
	w.do("begin")
	if err := b.RollbackTo(c, second); !boxerr.Is(err, boxerr.NoSuchSavepoint) {
		t.Error(err)
	}
}

// paper is a journal that keeps the rows as text.
type paper struct{ rows []string }

func (p *paper) Submit(e *wal.Entry) wal.Ticket {
	var out []string
	for _, r := range e.Rows {
		out = append(out, fmt.Sprintf("%d %v", r.Type, string(msgpack.AppendText(nil, r.Body))))
	}
	p.rows = append(p.rows, strings.Join(out, "; "))
	return wal.Ticket{}
}

func (p *paper) Flush() {}

func (p *paper) Known() uint64 { return 0 }

func TestRowsForTheJournal(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", nil, "pk 1 unsigned", "u 2 string")
	w.space(513, "tmp", nil, "pk 1 unsigned").Mem.Temporary = true
	p := new(paper)
	w.b.Journal = p
	w.script(`
		insert t [1, "a"] -> [1, "a"]
		replace t [1, "b"] -> [1, "b"]
		update t/u ["b"] [["=", 1, "c"]] -> [1, "c"]
		update t [7] []
		upsert t [1, "c"] [["=", 2, 5]]
		delete t/u ["c"] -> [1, "c", 5]
		delete t/u ["c"]
		insert tmp [1] -> [1]
		begin
		insert t [2, "x"] -> [2, "x"]
		insert tmp [2] -> [2]
		insert t [3, "y"] -> [3, "y"]
		commit
		begin
		insert t [4, "z"] -> [4, "z"]
		rollback
	`)
	want := []string{
		`2 {16: 512, 33: [1, "a"]}`,
		`3 {16: 512, 33: [1, "b"]}`,
		`4 {16: 512, 32: [1], 33: [["=", 1, "c"]]}`,
		`4 {16: 512, 32: [7], 33: []}`,
		`9 {16: 512, 40: [["=", 2, 5]], 33: [1, "c"]}`,
		`5 {16: 512, 32: [1]}`,
		`5 {16: 512, 17: 1, 32: ["c"]}`,
		`2 {16: 512, 33: [2, "x"]}; 2 {16: 512, 33: [3, "y"]}`,
	}
	if !slices.Equal(p.rows, want) {
		t.Errorf("rows:\n%s\nwant:\n%s", strings.Join(p.rows, "\n"), strings.Join(want, "\n"))
	}
	if w.b.LSN() != 9 {
		t.Errorf("lsn %d, want 9", w.b.LSN())
	}
}

func TestJournalFailureUndoesWhatFollows(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", nil, "pk 1 unsigned")
	disk := vfs.NewFaulty(vfs.NewMem())
	failed := make(chan error, 1)
	var journal *wal.Journal
	journal, err := wal.Open(wal.Options{FS: disk, Mode: wal.Write, ReplicaID: 1, Written: w.b.Written, Failed: func(err error) { failed <- err }})
	if err != nil {
		t.Fatal(err)
	}
	w.b.Journal = journal
	w.do("insert t [1, 0]")
	if err := w.c.Ticket.Wait(); err != nil {
		t.Fatal(err)
	}
	disk.FailFrom(vfs.OpWrite, 1, errors.New("disk full"))
	told := make(chan string, 3)
	w.b.Cord.Lock()
	for _, command := range []string{"replace t [1, 1]", "replace t [1, 2]", "insert t [2]"} {
		w.do(command)
		w.b.WhenWritten(w.c.Ticket, func(err error) { told <- fmt.Sprint(command, " ", boxerr.From(err).Code.Name()) })
	}
	w.script("select t [] -> [1, 2] [2]")
	w.b.Cord.Unlock()
	<-failed
	w.b.Cord.Lock()
	journal.Settle()
	w.script("select t [] -> [1, 0]")
	if w.b.LSN() != 1 {
		t.Errorf("lsn %d, want 1", w.b.LSN())
	}
	w.b.Cord.Unlock()
	for range 3 {
		if got := <-told; !strings.HasSuffix(got, "WAL_IO") && !strings.HasSuffix(got, "CASCADE_ROLLBACK") {
			t.Error(got)
		}
	}
}

func TestReplay(t *testing.T) {
	w := newWorld(t)
	sp := w.space(512, "t", nil, "pk 1 unsigned")
	sp.Sequence = &Sequence{Step: 1, Min: 1, Max: 1 << 62, Start: 1}
	w.b.StartRecovery()
	for _, row := range []xlog.Row{
		{Type: iproto.TypeInsert, Body: append([]byte{0x82, keySpace, 0xcd, 2, 0, keyTuple}, mp(`[41, "a"]`)...)},
		{Type: iproto.TypeNOP},
		{Type: iproto.TypeUpdate, Body: append(append([]byte{0x84, keySpace, 0xcd, 2, 0, keyIndexBase, 1, keyKey}, mp(`[41]`)...), append([]byte{keyTuple}, mp(`[["=", 2, "b"]]`)...)...)},
	} {
		if err := w.b.Replay(w.c, &row, false); err != nil {
			t.Error(err)
		}
	}
	w.b.EndRecovery()
	sp.SequenceGenerated = true
	w.script(`
		select t [] -> [41, "b"]
		insert t [null] -> [42]
	`)
	for _, body := range []string{"", "\xc1", "\x81\x10\xa1", "\x82\x10\x01"} {
		if err := w.b.Replay(w.c, &xlog.Row{Type: iproto.TypeInsert, Body: []byte(body)}, false); err == nil {
			t.Errorf("% x was taken", body)
		}
	}
}

// FuzzReplay gives rows of any form to a database: none may do harm.
func FuzzReplay(f *testing.F) {
	f.Add(uint8(iproto.TypeInsert), append([]byte{0x82, keySpace, 0xcd, 2, 0, keyTuple}, mp(`[41, "a"]`)...))
	f.Add(uint8(iproto.TypeUpdate), append(append([]byte{0x83, keySpace, 0xcd, 2, 0, keyKey}, mp(`[1]`)...), append([]byte{keyTuple}, mp(`[["=", 2, "b"]]`)...)...))
	f.Add(uint8(iproto.TypeUpsert), append(append([]byte{0x83, keySpace, 0xcd, 2, 0, keyOps}, mp(`[]`)...), append([]byte{keyTuple}, mp(`[2]`)...)...))
	f.Add(uint8(iproto.TypeDelete), append([]byte{0x82, keySpace, 0xcd, 2, 0, keyKey}, mp(`[1]`)...))
	w := newWorldOf(f)
	w.space(512, "t", nil, "pk 1 unsigned", "sk 2 string nullable")
	f.Fuzz(func(t *testing.T, typ uint8, body []byte) {
		w.b.StartRecovery()
		defer w.b.EndRecovery()
		_ = w.b.Replay(w.c, &xlog.Row{Type: iproto.Type(typ), Body: body}, true)
		if w.c.Txn != nil {
			t.Fatal("a transaction is left open")
		}
	})
}

package wal

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/xlog"
)

const instance = "11111111-2222-4333-8444-555555555555"

// each runs a test on every file system, with an empty directory.
func each(t *testing.T, f func(t *testing.T, fsys vfs.FS, dir string)) {
	t.Run("OS", func(t *testing.T) { f(t, vfs.OS, t.TempDir()) })
	t.Run("Mem", func(t *testing.T) { f(t, vfs.NewMem(), "/") })
	t.Run("Faulty", func(t *testing.T) { f(t, vfs.NewFaulty(vfs.NewMem()), "/") })
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, fsys vfs.FS, dir string, change func(o *Options)) *Journal {
	t.Helper()
	o := Options{FS: fsys, Dir: dir, Mode: Write, Version: "test", Instance: instance, ReplicaID: 1}
	o.Warn = func(err error) { t.Errorf("warning: %v", err) }
	if change != nil {
		change(&o)
	}
	j, err := Open(o)
	check(t, err)
	return j
}

// insert is a row that inserts [n] into space 512.
func insert(n int) xlog.Row {
	b := append([]byte{0x82, 0x10, 0xcd, 0x02, 0x00, 0x21, 0x91}, msgpack.AppendUint(nil, uint64(n))...)
	return xlog.Row{Type: iproto.TypeInsert, Body: b}
}

func local(n int) xlog.Row {
	r := insert(n)
	r.GroupID = xlog.GroupLocal
	return r
}

func entry(rows ...xlog.Row) *Entry { return &Entry{Rows: rows, Timestamp: 1.5} }

// dump returns the files of a directory and the rows of the logs, transactions in brackets: `0.xlog {} [1:1 1:2] [1:3] end`.
func dump(t *testing.T, fsys vfs.FS, dir string) []string {
	t.Helper()
	names, err := fsys.List(dir)
	check(t, err)
	var out []string
	for _, name := range names {
		short := strings.TrimLeft(strings.TrimSuffix(name, ".xlog"), "0")
		if short == "" {
			short = "0"
		}
		if !strings.HasSuffix(name, ".xlog") {
			out = append(out, name)
			continue
		}
		r, err := xlog.Open(fsys, filepath.Join(dir, name), xlog.ReaderOptions{})
		check(t, err)
		line := short + " " + r.Meta.VClock.String()
		if r.Meta.Prev != nil {
			line += " prev " + r.Meta.Prev.String()
		}
		var rows []xlog.Row
		for {
			rows, err = r.NextTxn(rows[:0])
			if err != nil {
				break
			}
			line += " ["
			for i, row := range rows {
				if i > 0 {
					line += " "
				}
				line += fmt.Sprintf("%d:%d", row.ReplicaID, row.LSN)
			}
			line += "]"
		}
		if err != io.EOF {
			line += " " + err.Error()
		}
		if r.Torn() {
			line += " torn"
		}
		if r.Closed() {
			line += " end"
		}
		check(t, r.Close())
		out = append(out, line)
	}
	return out
}

func expectDump(t *testing.T, fsys vfs.FS, dir string, want ...string) {
	t.Helper()
	if got := dump(t, fsys, dir); !reflect.DeepEqual(got, want) {
		t.Errorf("the directory holds\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func TestSubmitNumbersRows(t *testing.T) {
	each(t, func(t *testing.T, fsys vfs.FS, dir string) {
		j := open(t, fsys, dir, nil)
		check(t, j.Submit(entry(insert(1))).Wait())
		e := entry(insert(2), insert(3), local(4), insert(5))
		e.Flags = xlog.FlagWaitSync | xlog.FlagWaitAck
		check(t, j.Submit(e).Wait())
		var got []string
		for _, r := range e.Rows {
			got = append(got, fmt.Sprintf("%d %d %d %d %d", r.ReplicaID, r.GroupID, r.LSN, r.TSN, r.Flags))
		}
		if want := []string{"1 0 2 2 0", "1 0 3 2 0", "0 1 1 2 0", "1 0 4 2 7"}; !reflect.DeepEqual(got, want) {
			t.Errorf("%q", got)
		}
		e = entry(local(6), insert(7))
		check(t, j.Submit(e).Wait())
		if e.Rows[0].TSN != 5 || e.Rows[1].TSN != 5 {
			t.Errorf("a local row first: %+v", e.Rows)
		}
		e = entry(local(8), local(9))
		check(t, j.Submit(e).Wait())
		if e.Rows[0].TSN != 3 || e.Rows[1].TSN != 3 {
			t.Errorf("local rows only: %+v", e.Rows)
		}
		e = entry(insert(10))
		e.Foreign = true
		e.Rows[0].ReplicaID, e.Rows[0].LSN, e.Rows[0].Flags = 2, 70, xlog.FlagCommit
		check(t, j.Submit(e).Wait())
		if v := j.VClock(); v != (vclock.VClock{0: 4, 1: 5, 2: 70}) || v != j.Submitted() {
			t.Errorf("%v", v)
		}
		check(t, j.Close())
		expectDump(t, fsys, dir,
			"0 {} [1:1] [1:2 1:3 0:1 1:4] [0:2 1:5] [0:3 0:4] [2:70] end",
			"79 {0: 4, 1: 5, 2: 70} prev {} end")
	})
}

// The files after starts, ends and checkpoints are those that the reference leaves.
func TestFilesOfRuns(t *testing.T) {
	each(t, func(t *testing.T, fsys vfs.FS, dir string) {
		run := func(v vclock.VClock, f func(j *Journal)) {
			t.Helper()
			j := open(t, fsys, dir, func(o *Options) { o.VClock = v })
			f(j)
			check(t, j.Close())
		}
		write := func(j *Journal, n int) {
			t.Helper()
			check(t, j.Submit(entry(insert(n))).Wait())
		}
		run(vclock.VClock{}, func(j *Journal) {
			expectDump(t, fsys, dir)
			for i := range 5 {
				write(j, i)
			}
		})
		first := "0 {} [1:1] [1:2] [1:3] [1:4] [1:5] end"
		expectDump(t, fsys, dir, first, "5 {1: 5} prev {} end")
		run(vclock.VClock{1: 5}, func(j *Journal) { write(j, 6) })
		expectDump(t, fsys, dir, first, "5 {1: 5} prev {} [1:6] end", "6 {1: 6} prev {1: 5} end")
		run(vclock.VClock{1: 6}, func(j *Journal) {})
		expectDump(t, fsys, dir, first, "5 {1: 5} prev {} [1:6] end", "6 {1: 6} prev {1: 5} end")
		run(vclock.VClock{1: 6}, func(j *Journal) {
			// A checkpoint without changes does not end the log; one with changes does, and the next row begins another.
			v, ticket := j.BeginCheckpoint()
			check(t, ticket.Wait())
			if v != (vclock.VClock{1: 6}) {
				t.Errorf("checkpoint at %v", v)
			}
			write(j, 7)
			v, ticket = j.BeginCheckpoint()
			after := j.Submit(entry(insert(8)))
			check(t, after.Wait())
			check(t, ticket.Wait())
			if v != (vclock.VClock{1: 7}) || j.SinceCheckpoint() == 0 {
				t.Errorf("checkpoint at %v, %d bytes since", v, j.SinceCheckpoint())
			}
			_, ticket = j.BeginCheckpoint()
			check(t, ticket.Wait())
			_, ticket = j.BeginCheckpoint()
			check(t, ticket.Wait())
		})
		expectDump(t, fsys, dir, first, "5 {1: 5} prev {} [1:6] end", "6 {1: 6} prev {1: 5} [1:7] end",
			"7 {1: 7} prev {1: 6} [1:8] end", "8 {1: 8} prev {1: 7} end")
	})
}

func TestMaxSize(t *testing.T) {
	each(t, func(t *testing.T, fsys vfs.FS, dir string) {
		j := open(t, fsys, dir, func(o *Options) { o.MaxSize = 150 })
		for i := range 3 {
			check(t, j.Submit(entry(insert(i), insert(i), insert(i))).Wait())
		}
		check(t, j.Close())
		expectDump(t, fsys, dir, "0 {} [1:1 1:2 1:3] end", "3 {1: 3} prev {} [1:4 1:5 1:6] end",
			"6 {1: 6} prev {1: 3} [1:7 1:8 1:9] end", "9 {1: 9} prev {1: 6} end")
	})
}

func TestModeNone(t *testing.T) {
	m := vfs.NewMem()
	j := open(t, m, "/", func(o *Options) { o.Mode = None; o.VClock = vclock.VClock{1: 3} })
	e := entry(insert(1))
	ticket := j.Submit(e)
	if ticket != (Ticket{}) || !ticket.Done() || ticket.Wait() != nil || e.Rows[0].LSN != 4 {
		t.Errorf("%+v %+v", ticket, e.Rows)
	}
	v, ticket := j.BeginCheckpoint()
	if v != (vclock.VClock{1: 4}) || ticket != (Ticket{}) || j.VClock() != v {
		t.Errorf("%v", v)
	}
	check(t, j.Close())
	expectDump(t, m, "/")
}

// undo notes in which order transactions were undone.
type undo struct {
	log  *[]string
	name string
}

func (u undo) Undo(err error) { *u.log = append(*u.log, u.name+": "+boxerr.From(err).Name) }

func TestFailedWrite(t *testing.T) {
	boom := errors.New("boom")
	for name, fault := range map[string]func(f *vfs.Faulty){
		"write":       func(f *vfs.Faulty) { f.FailNth(vfs.OpWrite, 1, boom) },
		"short write": func(f *vfs.Faulty) { f.ShortWrite(1, 30, boom) },
		"sync":        func(f *vfs.Faulty) { f.FailNth(vfs.OpSync, 1, boom) },
		"disk full":   func(f *vfs.Faulty) { f.DiskFull(20) },
		"no truncate": func(f *vfs.Faulty) { f.ShortWrite(1, 30, boom); f.FailNth(vfs.OpTruncate, 1, boom) },
	} {
		t.Run(name, func(t *testing.T) {
			m := vfs.NewMem()
			f := vfs.NewFaulty(m)
			failed := make(chan error, 1)
			var written []uint64
			j := open(t, f, "/", func(o *Options) {
				o.Mode = Fsync
				o.Failed = func(err error) { failed <- err }
				o.Written = func(position uint64) { written = append(written, position) }
			})
			check(t, j.Submit(entry(insert(1))).Wait())
			fault(f)
			var order []string
			var tickets []Ticket
			var results [4]error
			var wait sync.WaitGroup
			submit := func(n int) {
				e := entry(insert(n), insert(n))
				e.Undo = undo{&order, fmt.Sprint(n)}
				tickets = append(tickets, j.Submit(e))
			}
			submit(2)
			submit(3)
			for i, ticket := range tickets {
				wait.Go(func() { results[i] = ticket.Wait() })
			}
			if err := <-failed; !boxerr.Is(err, boxerr.WalIO) || boxerr.From(err).Cause == nil {
				t.Errorf("failed with %v", err)
			}
			submit(4)
			submit(5)
			_, checkpoint := j.BeginCheckpoint()
			if tickets[0].Done() || tickets[3].Done() {
				t.Error("a failure is known before it is undone")
			}
			f.Heal()
			j.Settle()
			wait.Wait()
			results[2], results[3] = tickets[2].Wait(), tickets[3].Err()
			for i, want := range []boxerr.Code{boxerr.WalIO, boxerr.WalIO, boxerr.CascadeRollback, boxerr.CascadeRollback} {
				if !boxerr.Is(results[i], want) {
					t.Errorf("transaction %d: %v", i, results[i])
				}
			}
			if err := checkpoint.Wait(); !boxerr.Is(err, boxerr.CascadeRollback) {
				t.Errorf("checkpoint: %v", err)
			}
			if want := []string{"5: CASCADE_ROLLBACK", "4: CASCADE_ROLLBACK", "3: WAL_IO", "2: WAL_IO"}; !reflect.DeepEqual(order, want) {
				t.Errorf("undone: %q", order)
			}
			if j.Submitted() != (vclock.VClock{1: 1}) || j.QueueSize() != 0 {
				t.Errorf("%v, %d bytes", j.Submitted(), j.QueueSize())
			}
			check(t, j.Submit(entry(insert(6))).Wait())
			j.Settle()
			if want := []uint64{1, 6, 7}; !reflect.DeepEqual(written, want) {
				t.Errorf("told %v", written)
			}
			if boxerr.Is(tickets[0].Wait(), boxerr.WalIO) == false || tickets[1].Position() != 3 {
				t.Error("a failure is forgotten")
			}
			check(t, j.Close())
			expectDump(t, m, "/", "0 {} [1:1] [1:2] end", "2 {1: 2} prev {} end")
		})
	}
}

// Every operation of the file system fails once: the transaction whose batch was hit fails, and nothing else is lost.
func TestEveryOperationFails(t *testing.T) {
	boom := errors.New("boom")
	for _, op := range []vfs.Op{vfs.OpCreate, vfs.OpWrite, vfs.OpSync, vfs.OpTruncate, vfs.OpRename, vfs.OpSyncDir, vfs.OpOpen, vfs.OpRemove} {
		for n := 1; n < 40; n++ {
			m := vfs.NewMem()
			f := vfs.NewFaulty(m)
			var j *Journal
			j = open(t, f, "/", func(o *Options) {
				o.Mode, o.MaxSize, o.Warn = Fsync, 250, nil
				o.Failed = func(error) { go j.Settle() }
			})
			f.FailNth(op, n, boom)
			lsn := 0
			for i := range 8 {
				if err := j.Submit(entry(insert(i))).Wait(); err == nil {
					lsn++
				} else if !boxerr.Is(err, boxerr.WalIO) {
					t.Errorf("operation %d, %d: %v", op, n, err)
				}
			}
			if err := j.Close(); err != nil && lsn < 8 {
				t.Errorf("operation %d, %d: two failures: %v", op, n, err)
			}
			r := Recovery[struct{}]{FS: m.CrashClone(uint64(n)), SnapDir: "/", LogDir: "/", Instance: instance}
			rows := 0
			if err := r.Logs(func(txn []xlog.Row, _ []struct{}) error { rows += len(txn); return nil }); err != nil {
				t.Errorf("operation %d, %d: %v", op, n, err)
			}
			if rows != lsn || r.VClock[1] != int64(lsn) {
				t.Errorf("operation %d, %d: %d rows, wrote %d", op, n, rows, lsn)
			}
		}
	}
}

func TestNoSpace(t *testing.T) {
	m := vfs.NewMem()
	f := vfs.NewFaulty(m)
	asked := 0
	j := open(t, f, "/", func(o *Options) { o.NoSpace = func() bool { asked++; f.Heal(); return true } })
	check(t, j.Submit(entry(insert(1))).Wait())
	f.DiskFull(10)
	check(t, j.Submit(entry(insert(2))).Wait())
	_, ticket := j.BeginCheckpoint()
	check(t, ticket.Wait())
	f.FailNth(vfs.OpCreate, 1, syscall.ENOSPC)
	check(t, j.Submit(entry(insert(3))).Wait())
	check(t, j.Close())
	if asked != 2 {
		t.Errorf("asked %d times", asked)
	}
	expectDump(t, m, "/", "0 {} [1:1] [1:2] end", "2 {1: 2} prev {} [1:3] end", "3 {1: 3} prev {1: 2} end")
}

func TestFlushWritesWithoutWaiters(t *testing.T) {
	each(t, func(t *testing.T, fsys vfs.FS, dir string) {
		positions := make(chan uint64, 100)
		j := open(t, fsys, dir, func(o *Options) { o.Written = func(position uint64) { positions <- position } })
		var last Ticket
		for i := range 10 {
			last = j.Submit(entry(insert(i)))
		}
		j.Flush()
		for <-positions < last.Position() {
		}
		if !last.Done() || last.Err() != nil {
			t.Error("told too early")
		}
		check(t, j.Close())
	})
}

func TestSubmitAfterClose(t *testing.T) {
	m := vfs.NewMem()
	j := open(t, m, "/", nil)
	j.Submit(entry(insert(1)))
	check(t, j.Close())
	check(t, j.Close())
	var order []string
	e := entry(insert(2))
	e.Undo = undo{&order, "2"}
	ticket := j.Submit(e)
	j.Settle()
	if err := ticket.Wait(); !boxerr.Is(err, boxerr.WalIO) || len(order) != 1 {
		t.Errorf("%v %q", err, order)
	}
	expectDump(t, m, "/", "0 {} [1:1] end", "1 {1: 1} prev {} end")
}

func TestFileInTheWay(t *testing.T) {
	for name, content := range map[string]string{
		"foreign": "XLOG\n0.13\nVersion: x\nInstance: 99999999-2222-4333-8444-555555555555\nVClock: {1: 4}\n\n",
		"torn":    "XLOG\n0.13\nVersi",
		"damaged": "XLOG\n0.13\nVersion: x\nInstance: " + instance + "\nVClock: {1: 4}\n\nrubbish",
	} {
		t.Run(name, func(t *testing.T) {
			m := vfs.NewMem()
			f, err := m.Create("/00000000000000000004.xlog")
			check(t, err)
			_, err = f.Write([]byte(content))
			check(t, err)
			j := open(t, m, "/", func(o *Options) { o.VClock = vclock.VClock{1: 4} })
			check(t, j.Submit(entry(insert(1))).Wait())
			check(t, j.Close())
			expectDump(t, m, "/", "4 {1: 4} [1:5] end", "00000000000000000004.xlog.damaged", "5 {1: 5} prev {1: 4} end")
		})
	}
}

// The empty log of a start that crashed while it wrote its first block is gone on with behind its header.
func TestResumeBehindTornBlock(t *testing.T) {
	m := vfs.NewMem()
	j := open(t, m, "/", nil)
	check(t, j.Submit(entry(insert(1))).Wait())
	f, err := m.OpenAppend("/00000000000000000000.xlog")
	check(t, err)
	size, err := f.Size()
	check(t, err)
	check(t, f.Truncate(size-3))
	j2 := open(t, m, "/", nil)
	check(t, j2.Submit(entry(insert(7), insert(8))).Wait())
	check(t, j2.Close())
	expectDump(t, m, "/", "0 {} [1:1 1:2] end", "2 {1: 2} prev {} end")
}

func TestQueueLimit(t *testing.T) {
	m := vfs.NewMem()
	j := open(t, m, "/", func(o *Options) { o.QueueMaxSize = 100 })
	for !j.Full() {
		j.Submit(entry(insert(1)))
	}
	if j.QueueSize() < 100 {
		t.Errorf("full with %d bytes", j.QueueSize())
	}
	j.WaitRoom()
	if j.Full() || j.QueueSize() != 0 {
		t.Errorf("still full with %d bytes", j.QueueSize())
	}
	j.SetQueueMaxSize(0)
	j.Submit(entry(insert(1)))
	if j.Full() {
		t.Error("full at once")
	}
	check(t, j.Close())
}

// Many goroutines that take a lock to submit and wait without it: everything is written once, in order, in whole
// transactions.
func TestManyWaiters(t *testing.T) {
	each(t, func(t *testing.T, fsys vfs.FS, dir string) {
		j := open(t, fsys, dir, func(o *Options) { o.MaxSize = 5000 })
		var cord sync.Mutex
		var wait sync.WaitGroup
		for g := range 8 {
			wait.Go(func() {
				e := Entry{Rows: []xlog.Row{insert(g), local(g), insert(g)}}
				for i := range 100 {
					cord.Lock()
					ticket := j.Submit(&e)
					if i%10 == 0 {
						j.Flush()
					}
					if i%50 == 3 {
						j.BeginCheckpoint()
					}
					cord.Unlock()
					if i%3 > 0 {
						if err := ticket.Wait(); err != nil || !ticket.Done() {
							t.Error(err)
						}
					}
				}
			})
		}
		wait.Wait()
		check(t, j.Close())
		r := Recovery[struct{}]{FS: fsys, SnapDir: dir, LogDir: dir, Instance: instance}
		var lsn, own int64
		err := r.Logs(func(txn []xlog.Row, _ []struct{}) error {
			if len(txn) != 3 || txn[0].LSN != lsn+1 || txn[1].LSN != own+1 || txn[2].LSN != lsn+2 || !txn[2].Commit() {
				return fmt.Errorf("after %d: %+v", lsn, txn)
			}
			lsn, own = txn[2].LSN, txn[1].LSN
			return nil
		})
		check(t, err)
		if lsn != 1600 || own != 800 {
			t.Errorf("%d and %d rows", lsn, own)
		}
	})
}

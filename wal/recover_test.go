package wal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/xlog"
)

// recovered is what a recovery gave.
type recovered struct {
	snapRows, rows, txns int
	vclock               vclock.VClock
	warnings             []string
	err                  error
	log                  strings.Builder // the rows of logs
}

// recoverDir reads a directory.
func recoverDir(fsys vfs.FS, dir string, force bool) (*recovered, bool) {
	out := &recovered{}
	r := Recovery[struct{}]{FS: fsys, SnapDir: dir, LogDir: dir, Force: force}
	r.Warn = func(err error) { out.warnings = append(out.warnings, err.Error()) }
	found, err := r.Snapshot(func(row *xlog.Row, _ *struct{}) error { out.snapRows++; return nil })
	if err == nil {
		err = r.Logs(func(rows []xlog.Row, _ []struct{}) error {
			out.txns++
			out.rows += len(rows)
			for i := range rows {
				fmt.Fprintf(&out.log, "%d:%d ", rows[i].Component(), rows[i].LSN)
			}
			return nil
		})
	}
	if err == nil {
		err = r.Clean()
	}
	out.vclock, out.err = r.VClock, err
	return out, found
}

// fixture returns a file system with the files of a fixture in "/".
func fixture(t *testing.T, name string) *vfs.Mem {
	t.Helper()
	m := vfs.NewMem()
	paths, err := filepath.Glob("../xlog/testdata/" + name + "/*")
	if err != nil || len(paths) == 0 {
		t.Fatal(name, err)
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		check(t, err)
		put(t, m, "/"+filepath.Base(path), data)
	}
	return m
}

func put(t *testing.T, m *vfs.Mem, name string, data []byte) {
	t.Helper()
	m.Remove(name)
	f, err := m.Create(name)
	check(t, err)
	_, err = f.Write(data)
	check(t, err)
	check(t, f.Close())
}

func get(t *testing.T, fsys vfs.FS, name string) []byte {
	t.Helper()
	f, err := fsys.Open(name)
	check(t, err)
	defer f.Close()
	data, err := io.ReadAll(f)
	check(t, err)
	return data
}

func TestRecoveryOfFixtures(t *testing.T) {
	for _, c := range []struct {
		name                 string
		snapRows, txns, rows int
		vclock               string
	}{
		{"tarantool-3.2.1/snapshot-only", 447, 0, 0, "{1: 62}"},
		{"tarantool-3.2.1/logs-only", 388, 35, 36, "{1: 36}"},
		{"tarantool-3.2.1/snapshot-and-logs", 416, 14, 18, "{0: 3, 1: 43}"},
		{"tarantool-3.2.1/compressed", 437, 6, 507, "{1: 556}"},
		{"tarantool-3.2.1/sync-and-nop", 393, 17, 20, "{0: 2, 1: 26}"},
		{"tarantool-3.2.1/torn-tail", 388, 7, 7, "{1: 7}"},
		{"tarantool-3.2.1/access", 418, 7, 10, "{1: 42}"},
		{"tarantool-2.6.0/snapshot-and-logs", 541, 17, 20, "{0: 3, 1: 50}"},
		{"tarantool-2.6.0/types", 561, 24, 24, "{1: 75}"},
	} {
		got, found := recoverDir(fixture(t, c.name), "/", false)
		if got.err != nil || !found || got.snapRows != c.snapRows || got.txns != c.txns || got.rows != c.rows || got.vclock.String() != c.vclock {
			t.Errorf("%s: %v, %d rows, %d transactions of %d rows, %v; want %+v", c.name, got.err, got.snapRows, got.txns, got.rows, got.vclock, c)
		}
	}
}

func TestRecoveryOfNothing(t *testing.T) {
	m := vfs.NewMem()
	put(t, m, "/00000000000000000003.snap.inprogress", []byte("SNAP\n0.13\n"))
	put(t, m, "/00000000000000000003.xlog.inprogress", nil)
	put(t, m, "/notes.txt", nil)
	put(t, m, "/latest.snap", nil)
	got, found := recoverDir(m, "/", false)
	if got.err != nil || found || got.vclock != (vclock.VClock{}) || len(got.warnings) != 1 {
		t.Errorf("%+v", got)
	}
	expectDump(t, m, "/", "latest.snap", "notes.txt")
	put(t, m, "/00000000000000000000.xlog", nil)
	if got, _ := recoverDir(m, "/", false); !boxerr.Is(got.err, boxerr.MissingSnapshot) {
		t.Errorf("logs without a snapshot: %v", got.err)
	}
	r := Recovery[struct{}]{FS: m, SnapDir: "/nowhere", LogDir: "/"}
	if _, err := r.Snapshot(nil); err == nil || !strings.Contains(err.Error(), "No such file or directory") {
		t.Errorf("no such directory: %v", err)
	}
}

func TestRecoveryOfDamage(t *testing.T) {
	const first, second, third = "/00000000000000000000.xlog", "/00000000000000000022.xlog", "/00000000000000000031.xlog"
	const snap = "/00000000000000000000.snap"
	flip := func(t *testing.T, m *vfs.Mem, name string, at int) {
		data := get(t, m, name)
		data[(at+len(data))%len(data)] ^= 1
		put(t, m, name, data)
	}
	for _, c := range []struct {
		name    string
		fixture string
		damage  func(t *testing.T, m *vfs.Mem)
		err     string
		rows    int // with force, the fixture has 36
		vclock  string
	}{
		{"a log is missing", "logs-only", func(t *testing.T, m *vfs.Mem) { m.Remove(second) },
			"Missing .xlog file between LSN 22 {1: 22} and 31 {1: 31}", 27, "{1: 36}"},
		{"the first log is missing", "logs-only", func(t *testing.T, m *vfs.Mem) { m.Remove(first) },
			"Missing .xlog file between LSN 0 {} and 22 {1: 22}", 14, "{1: 36}"},
		{"the first log of all is missing", "snapshot-and-logs", func(t *testing.T, m *vfs.Mem) { m.Remove(first) }, "", 18, "{0: 3, 1: 43}"},
		{"another instance", "logs-only", func(t *testing.T, m *vfs.Mem) { flip(t, m, second, 60) }, "invalid instance UUID", 27, "{1: 36}"},
		{"a damaged block", "logs-only", func(t *testing.T, m *vfs.Mem) { flip(t, m, second, 300) }, "tx checksum mismatch", 35, "{1: 36}"},
		{"a wrong name", "logs-only", func(t *testing.T, m *vfs.Mem) { m.Rename(third, "/00000000000000000033.xlog") },
			"signature check failed", 31, "{1: 31}"},
		{"a header cut off", "logs-only", func(t *testing.T, m *vfs.Mem) { put(t, m, second, []byte("XLOG")) }, "Unexpected end of file", 27, "{1: 36}"},
		{"the newest header cut off", "logs-only", func(t *testing.T, m *vfs.Mem) { put(t, m, third, []byte("XLOG")) }, "", 31, "{1: 31}"},
		{"torn", "logs-only", func(t *testing.T, m *vfs.Mem) { put(t, m, third, get(t, m, third)[:440]) }, "", 35, "{1: 35}"},
		{"snapshot of a log", "logs-only", func(t *testing.T, m *vfs.Mem) { put(t, m, snap, get(t, m, first)) }, "Invalid xlog type: expected SNAP, got XLOG", 0, "{}"},
		{"snapshot without an end", "logs-only", func(t *testing.T, m *vfs.Mem) { data := get(t, m, snap); put(t, m, snap, data[:len(data)-4]) },
			"snapshot '/00000000000000000000.snap' has no EOF marker", 0, "{}"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := fixture(t, "tarantool-3.2.1/"+c.fixture)
			c.damage(t, m)
			got, _ := recoverDir(m, "/", false)
			if c.err == "" && got.err != nil || c.err != "" && (got.err == nil || !strings.Contains(got.err.Error(), c.err)) {
				t.Errorf("%v, want %s", got.err, c.err)
			}
			if c.err == "" && (got.rows != c.rows || got.vclock.String() != c.vclock) {
				t.Errorf("%d rows up to %v", got.rows, got.vclock)
			}
			got, _ = recoverDir(m, "/", true)
			if c.rows == 0 {
				if got.err == nil {
					t.Error("recovered with force")
				}
				return
			}
			if got.err != nil || got.rows != c.rows || got.vclock.String() != c.vclock {
				t.Errorf("with force: %v, %d rows up to %v", got.err, got.rows, got.vclock)
			}
			if c.err != "" && (len(got.warnings) == 0 || !strings.Contains(strings.Join(got.warnings, "\n"), c.err)) {
				t.Errorf("with force: %q", got.warnings)
			}
		})
	}
}

func TestRecoveryApplyFails(t *testing.T) {
	m := fixture(t, "tarantool-3.2.1/logs-only")
	boom := errors.New("boom")
	for _, force := range []bool{false, true} {
		r := Recovery[struct{}]{FS: m, SnapDir: "/", LogDir: "/", Force: force}
		n := 0
		if _, err := r.Snapshot(func(row *xlog.Row, _ *struct{}) error { n++; return boom }); err != boom || n != 1 {
			t.Errorf("snapshot: %v after %d", err, n)
		}
		n = 0
		err := r.Logs(func(rows []xlog.Row, _ []struct{}) error { n++; return boom })
		if want := map[bool]int{false: 1, true: 35}[force]; n != want || (err == nil) != force {
			t.Errorf("logs: %v after %d", err, n)
		}
	}
}

// What Prepare made of rows comes with them, whatever goroutine made it, also when a transaction was in the snapshot in part
// and when a block is larger than a portion.
func TestPrepare(t *testing.T) {
	const rows, applied = 200000, 100005
	m := vfs.NewMem()
	c, err := CreateCheckpoint(CheckpointOptions{FS: m, Dir: "/", Instance: instance})
	check(t, err)
	check(t, c.Commit())
	early := get(t, m, c.Path())
	j := open(t, m, "/", nil)
	var txn []xlog.Row
	size := 0
	for n := 1; n <= rows; n++ {
		txn = append(txn, insert(n))
		size += len(txn[len(txn)-1].Body)
		if n%10 == 0 && (n <= 50000 || n >= 100000) { // one transaction is large
			j.Submit(entry(txn...))
			txn = nil
		}
	}
	check(t, j.Close())
	if size < 3*portionSize {
		t.Fatalf("%d bytes of rows are too few for this test", size)
	}
	m.Remove(c.Path())
	v := vclock.VClock{1: applied}
	c, err = CreateCheckpoint(CheckpointOptions{FS: m, Dir: "/", Instance: instance, VClock: v})
	check(t, err)
	for n := range rows {
		check(t, c.Tuple(512, false, msgpack.AppendUint([]byte{0x91}, uint64(n))))
	}
	check(t, c.Commit())
	put(t, m, "/00000000000000000000.snap", early)
	number := func(row *xlog.Row) uint64 {
		_, at, _ := bytes.Cut(row.Body, []byte{byte(iproto.KeyTuple), 0x91})
		v, _, _ := msgpack.ReadUint(at)
		return v
	}
	type made struct {
		number uint64
		uses   int
	}
	r := Recovery[made]{FS: m, SnapDir: "/", LogDir: "/", Prepare: func(rows []xlog.Row, list []made) {
		if len(rows) != len(list) {
			t.Errorf("%d rows, but place for %d", len(rows), len(list))
		}
		for i := range rows {
			list[i] = made{number(&rows[i]), list[i].uses + 1}
		}
	}}
	n, used := uint64(0), 0
	_, err = r.Snapshot(func(row *xlog.Row, m *made) error {
		if number(row) != n || m.number != n {
			return fmt.Errorf("row %d is %d and has what was made of %d", n, number(row), m.number)
		}
		n++
		used = max(used, m.uses)
		return nil
	})
	check(t, err)
	if n != rows || used < 2 {
		t.Errorf("%d rows, place for what is made of them was used %d times", n, used)
	}
	n = applied
	check(t, r.Logs(func(txn []xlog.Row, list []made) error {
		for i := range txn {
			if n++; number(&txn[i]) != n || list[i].number != n {
				return fmt.Errorf("row %d is %d and has what was made of %d", n, number(&txn[i]), list[i].number)
			}
		}
		return nil
	}))
	if n != rows {
		t.Errorf("the last row is %d", n)
	}
}

// A damaged block of a snapshot is fatal among the system's rows, and skipped with force behind them.
func TestRecoveryOfDamagedSnapshot(t *testing.T) {
	m := vfs.NewMem()
	c, err := CreateCheckpoint(CheckpointOptions{FS: m, Dir: "/", Instance: instance})
	check(t, err)
	noise := make([]byte, 1000)
	rnd := rand.New(rand.NewPCG(1, 2))
	add := func(space uint32, n int) {
		for range n {
			for i := range noise {
				noise[i] = byte(rnd.Uint32())
			}
			check(t, c.Tuple(space, false, append([]byte{0x91, 0xda, 0x03, 0xe8}, noise...)))
		}
	}
	add(280, 300)
	add(512, 300)
	check(t, c.Commit())
	name := c.Path()
	data := get(t, m, name)
	for _, at := range []struct {
		at     int
		forced bool
	}{{150000, false}, {450000, true}} {
		damaged := append([]byte{}, data...)
		damaged[at.at] ^= 1
		put(t, m, name, damaged)
		if got, _ := recoverDir(m, "/", false); got.err == nil {
			t.Errorf("damage at %d is fine", at.at)
		}
		got, _ := recoverDir(m, "/", true)
		if (got.err == nil) != at.forced || at.forced && (got.snapRows < 300 || got.snapRows > 599) {
			t.Errorf("damage at %d with force: %v, %d rows", at.at, got.err, got.snapRows)
		}
	}
}

// After a power cut at any moment, all that was waited for with wal_mode fsync is there, in whole transactions and in
// order, and the database goes on from there.
func TestPowerCuts(t *testing.T) {
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 7))
		m := vfs.NewMem()
		c, err := CreateCheckpoint(CheckpointOptions{FS: m, Dir: "/", Instance: instance})
		check(t, err)
		check(t, c.Commit())
		var v vclock.VClock
		safe := int64(0) // lsn up to which rows must be there
		for range 4 {
			j := open(t, m, "/", func(o *Options) { o.Mode = Fsync; o.VClock = v; o.MaxSize = 400; o.CompressFrom = 200 })
			for range rnd.IntN(12) {
				var rows []xlog.Row
				for i := range 1 + rnd.IntN(5) {
					rows = append(rows, insert(i))
				}
				ticket := j.Submit(entry(rows...))
				if rnd.IntN(3) > 0 {
					check(t, ticket.Wait())
					safe = rows[len(rows)-1].LSN
				}
				if rnd.IntN(8) == 0 {
					at, ticket := j.BeginCheckpoint()
					check(t, ticket.Wait())
					safe = at[1]
					c, err := CreateCheckpoint(CheckpointOptions{FS: m, Dir: "/", Instance: instance, VClock: at})
					check(t, err)
					check(t, c.Tuple(512, false, []byte{0x91, 1}))
					if rnd.IntN(2) == 0 {
						check(t, c.Commit())
					}
				}
			}
			if rnd.IntN(4) == 0 {
				check(t, j.Close())
				safe = j.VClock()[1]
			}
			m = m.CrashClone(rnd.Uint64())
			got, found := recoverDir(m, "/", false)
			if got.err != nil || !found || got.vclock[1] < safe {
				t.Fatalf("seed %d: %v, %v, wrote up to %d\n%s", seed, got.err, got.vclock, safe, strings.Join(dump(t, m, "/"), "\n"))
			}
			v = got.vclock
			safe = v[1]
		}
	}
}

func TestLock(t *testing.T) {
	m := vfs.NewMem()
	l, err := Lock(m, "/")
	check(t, err)
	if _, err := Lock(m, "/"); !boxerr.Is(err, boxerr.AlreadyRunning) || err.Error() != "Failed to lock WAL directory / and hot_standby mode is off" {
		t.Errorf("%v", err)
	}
	check(t, l.Close())
	if _, err := Lock(m, "/nowhere"); err == nil || boxerr.From(err).Type != boxerr.TypeSystem {
		t.Errorf("%v", err)
	}
}

func TestCheckpointFile(t *testing.T) {
	each(t, func(t *testing.T, fsys vfs.FS, dir string) {
		o := CheckpointOptions{FS: fsys, Dir: dir, Version: "3.2.1", Instance: instance, VClock: vclock.VClock{0: 1, 1: 4}, BytesPerSecond: 1 << 40}
		c, err := CreateCheckpoint(o)
		check(t, err)
		check(t, c.Tuple(280, false, []byte{0x91, 1}))
		check(t, c.Row(iproto.TypeRaft, xlog.GroupLocal, []byte{0x81, 0, 1}))
		check(t, c.Tuple(512, true, []byte{0x91, 2}))
		for range 4000 {
			check(t, c.Tuple(513, false, append([]byte{0xd9, 50}, make([]byte, 50)...)))
		}
		expectDump(t, fsys, dir, "00000000000000000005.snap.inprogress")
		check(t, c.Commit())
		expectDump(t, fsys, dir, "00000000000000000005.snap")
		r, err := xlog.Open(fsys, c.Path(), xlog.ReaderOptions{})
		check(t, err)
		defer r.Close()
		var text []string
		for i := range 4003 {
			row, err := r.Next()
			check(t, err)
			if i < 3 {
				text = append(text, fmt.Sprintf("%d %d %d %d % x", row.Type, row.GroupID, row.ReplicaID, row.LSN, row.Body))
			}
		}
		if got, want := strings.Join(text, "\n"), "2 0 0 0 82 10 ce 00 00 01 18 21 91 01\n30 1 0 1 81 00 01\n2 1 0 2 82 10 ce 00 00 02 00 21 91 02"; got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
		if _, err := r.Next(); err != io.EOF || !r.Closed() || r.Blocks() != 3 || r.Meta.VClock != o.VClock || c.Rows() != 4003 {
			t.Errorf("%v, closed %v, %d blocks, %+v", err, r.Closed(), r.Blocks(), r.Meta)
		}
	})
}

func TestCheckpointFails(t *testing.T) {
	boom := errors.New("boom")
	for _, op := range []vfs.Op{vfs.OpCreate, vfs.OpWrite, vfs.OpSync, vfs.OpRename} {
		m := vfs.NewMem()
		f := vfs.NewFaulty(m)
		f.FailNth(op, 1, boom)
		c, err := CreateCheckpoint(CheckpointOptions{FS: f, Dir: "/", Instance: instance})
		if err == nil {
			err = c.Tuple(512, false, []byte{0x91, 1})
		}
		if err == nil {
			err = c.Commit()
		}
		if err == nil || boxerr.From(err).Type != boxerr.TypeSystem {
			t.Errorf("operation %d: %v", op, err)
		}
		expectDump(t, m, "/")
	}
	m := vfs.NewMem()
	c, err := CreateCheckpoint(CheckpointOptions{FS: m, Dir: "/", Instance: instance, Cancelled: func() error { return boom }})
	check(t, err)
	for err = nil; err == nil; {
		err = c.Tuple(512, false, append([]byte{0xda, 0x10, 0}, make([]byte, 0x1000)...))
	}
	if err != boom || c.Commit() != boom {
		t.Errorf("cancelled: %v", err)
	}
	expectDump(t, m, "/")
}

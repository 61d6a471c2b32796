package crash

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/peer"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/vfs"
)

// isWriteFailure reports whether a request failed because the journal did.
func isWriteFailure(err error) bool {
	return boxerr.Is(err, boxerr.WalIO) || boxerr.Is(err, boxerr.CascadeRollback)
}

// TestDiskFull lets the disk run full at every byte of a few writes.
func TestDiskFull(t *testing.T) {
	failures := 0
	for room := int64(0); room < 400; room += 7 {
		memory := vfs.NewMem()
		if err := memory.Mkdir(dataDir); err != nil {
			t.Fatal(err)
		}
		disk := vfs.NewFaulty(memory)
		d, err := openDatabase(disk, false)
		if err == nil {
			err = d.create()
		}
		if err != nil {
			t.Fatal(err)
		}
		disk.DiskFull(room)
		for i := range 5 {
			before, _ := d.dump()
			err := d.do(func() error { return d.put(accountsID, i, fmt.Sprint("text ", i)) })
			after, _ := d.dump()
			switch {
			case err == nil && before == after:
				t.Errorf("%d bytes: an acknowledged row is not there", room)
			case err != nil && before != after:
				t.Errorf("%d bytes: a refused row is there", room)
			case err != nil && !isWriteFailure(err):
				t.Errorf("%d bytes: %v", room, err)
			case err != nil:
				failures++
			}
		}
		disk.Heal()
		if err := d.do(func() error { return d.put(ledgerID, 1, "there is room again") }); err != nil {
			t.Errorf("%d bytes: with room again: %v", room, err)
		}
		want, err := d.dump()
		if err != nil {
			t.Fatal(err)
		}
		d.end()
		again, err := openDatabase(copyDir(t, memory, func(_ string, content []byte) []byte { return content }), false)
		if err != nil {
			t.Fatalf("%d bytes: %v", room, err)
		}
		if got, err := again.dump(); err != nil || got != want {
			t.Errorf("%d bytes: after a start: %v, %s, want %s", room, err, got, want)
		}
		again.end()
	}
	if failures == 0 {
		t.Error("the disk was never full")
	}
}

// limitFiles sets how large the files of a process may become, in bytes.
func limitFiles(t *testing.T, pid int, size uint64) {
	t.Helper()
	limit := syscall.Rlimit{Cur: size, Max: ^uint64(0)}
	_, _, errno := syscall.Syscall6(syscall.SYS_PRLIMIT64, uintptr(pid), syscall.RLIMIT_FSIZE,
		uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if errno != 0 {
		t.Skipf("limits of file sizes can't be set here: %v", errno)
	}
}

// TestFileLimit takes the room away from a real server, gives it back, and kills it.
func TestFileLimit(t *testing.T) {
	path := build(t)
	dir := t.TempDir()
	script := fmt.Sprintf(configure, "checkpoint_interval = 0", Schema)
	s := start(t, path, dir, script)
	c := dial(t, s)
	stored := map[uint64]bool{}
	answers := storeMany(t, c, 1, stored)
	if answers[false] > 0 {
		t.Fatalf("%d requests failed", answers[false])
	}
	limitFiles(t, s.Pid(), 100<<10)
	answers = storeMany(t, c, 2000, stored)
	if answers[false] == 0 || answers[true] == 0 {
		t.Errorf("with little room %d requests succeeded and %d failed", answers[true], answers[false])
	}
	for answers[true] > 0 { // a small row may find room where a large batch did not
		answers = storeMany(t, c, 1, stored)
	}
	// It is larger than the row that found no room.
	if _, err := c.Eval("return post({{7000, 7, 7, ('x'):rep(200)}}, {}, {7000, 7, ''})"); !isWriteFailure(err) {
		t.Errorf("a transaction without room: %v", err)
	}
	large := "local t = {} for i = 1, 2e5 do t[i] = string.char(math.random(255)) end " +
		"box.space.accounts:replace{1, 1, 1, table.concat(t)}"
	if _, err := c.Eval(large); !isWriteFailure(err) {
		t.Errorf("a large row without room: %v", err)
	}
	compareStored(t, c, stored)
	limitFiles(t, s.Pid(), ^uint64(0))
	if answers = storeMany(t, c, 10, stored); answers[false] > 0 {
		t.Errorf("with room again %d requests failed", answers[false])
	}
	if _, err := c.Eval("box.snapshot()"); err != nil {
		t.Error(err)
	}
	limitFiles(t, s.Pid(), 4<<10)
	if _, err := c.Eval("box.space.accounts:len() box.snapshot()"); err != nil {
		t.Errorf("a checkpoint of nothing new: %v", err)
	}
	if answers = storeMany(t, c, 1, stored); answers[false] > 0 {
		t.Errorf("in a new file %d requests failed", answers[false])
	}
	if _, err := c.Eval("box.snapshot()"); err == nil || !strings.Contains(err.Error(), "failed to write") {
		t.Errorf("a checkpoint without room: %v", err)
	}
	limitFiles(t, s.Pid(), ^uint64(0))
	if _, err := c.Eval("box.snapshot()"); err != nil {
		t.Error(err)
	}
	if answers = storeMany(t, c, 10, stored); answers[false] > 0 {
		t.Errorf("after a checkpoint %d requests failed", answers[false])
	}
	compareStored(t, c, stored)
	s.Kill()
	s = start(t, path, dir, script)
	compareStored(t, dial(t, s), stored)
}

// storeMany sends that many requests at once, each of which stores a tuple of its own, and notes in stored which ones
// succeeded. It returns how many did, and how many did not.
func storeMany(t *testing.T, c *peer.Conn, n int, stored map[uint64]bool) map[bool]int {
	t.Helper()
	var packets []byte
	w := NewWorker(0, 0)
	for range n {
		id := uint64(len(stored) + 1)
		stored[id] = false
		w.request(iproto.KeySpaceID, accountsID, iproto.KeyTuple, []any{id, 1, id, strings.Repeat("x", 100)})
		packets = peer.AppendRequest(packets, iproto.TypeReplace, id, 0, w.body)
	}
	sent := make(chan error, 1)
	go func() { sent <- c.Send(packets) }()
	count := map[bool]int{}
	for range n {
		a, err := c.Receive()
		if err != nil {
			t.Fatal(err)
		}
		if a.Err != nil && !isWriteFailure(a.Err) {
			t.Fatalf("request %d: %v", a.Sync, a.Err)
		}
		stored[a.Sync] = a.Err == nil
		count[a.Err == nil]++
	}
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	return count
}

// compareStored looks whether exactly those tuples are there that were acknowledged.
func compareStored(t *testing.T, c *peer.Conn, stored map[uint64]bool) {
	t.Helper()
	list, err := c.Eval("local out = {} for _, t in box.space.accounts:pairs() do out[#out + 1] = t[1] end return out, disagreements()")
	if err != nil {
		t.Fatal(err)
	}
	there := map[uint64]bool{}
	for _, v := range list[0].([]any) {
		id, _ := number(v)
		there[uint64(id)] = true
	}
	for id, want := range stored {
		if there[id] != want {
			t.Errorf("tuple %d: there %v, acknowledged %v", id, there[id], want)
		}
		delete(there, id)
	}
	if len(there) > 0 {
		t.Errorf("%d tuples that nobody stored", len(there))
	}
	if wrong, _ := list[1].([]any); len(wrong) > 0 {
		t.Errorf("indexes disagree: %v", wrong)
	}
}

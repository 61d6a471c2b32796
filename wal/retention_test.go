package wal

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/vfs"
)

// store is a directory with a journal and checkpoints that hold nothing.
type store struct {
	t  *testing.T
	fs vfs.FS
	j  *Journal
	r  *Retention
}

func newStore(t *testing.T, fsys vfs.FS, v vclock.VClock, count int) *store {
	t.Helper()
	s := &store{t: t, fs: fsys, j: open(t, fsys, "/", func(o *Options) { o.VClock = v })}
	r, err := NewRetention(fsys, "/", "/", count, s.j)
	check(t, err)
	s.r = r
	return s
}

func (s *store) insert() {
	s.t.Helper()
	check(s.t, s.j.Submit(entry(insert(1))).Wait())
}

func (s *store) checkpoint() {
	s.t.Helper()
	v, ticket := s.j.BeginCheckpoint()
	check(s.t, ticket.Wait())
	c, err := CreateCheckpoint(CheckpointOptions{FS: s.fs, Dir: "/", Instance: instance, VClock: v})
	check(s.t, err)
	check(s.t, c.Commit())
	s.r.Add(v)
	check(s.t, s.r.Collect())
}

func (s *store) expect(want string) {
	s.t.Helper()
	names, err := s.fs.List("/")
	check(s.t, err)
	for i := range names {
		names[i] = strings.TrimLeft(names[i], "0")
	}
	if got := strings.Join(names, " "); got != want {
		s.t.Errorf("the directory holds %s, want %s", got, want)
	}
}

func TestOldCheckpointsGo(t *testing.T) {
	m := vfs.NewMem()
	s := newStore(t, m, vclock.VClock{}, 3)
	s.checkpoint()
	s.insert()
	s.insert()
	for range 5 {
		s.insert()
		s.checkpoint()
	}
	s.expect("5.snap 5.xlog 6.snap 6.xlog 7.snap")
	if list := s.r.Checkpoints(); len(list) != 3 || list[0].VClock != (vclock.VClock{1: 5}) {
		t.Errorf("%+v", list)
	}
	s.r.SetCount(2)
	s.insert()
	s.checkpoint()
	s.expect("7.snap 7.xlog 8.snap")
	check(t, s.j.Close())
	s.expect("7.snap 7.xlog 8.snap 8.xlog")

	s = newStore(t, m, vclock.VClock{1: 8}, 1)
	s.insert()
	s.checkpoint()
	s.expect("9.snap")
	s.checkpoint()
	s.expect("9.snap")
	s.insert()
	check(t, s.r.Collect())
	s.expect("9.snap 9.xlog")
	check(t, s.j.Close())

	// The empty log of a clean end is where the next row goes: it stays.
	s = newStore(t, m, vclock.VClock{1: 10}, 1)
	check(t, s.r.Collect())
	s.expect("9.snap 9.xlog 10.xlog")
	s.checkpoint()
	s.expect("10.snap 10.xlog")
	s.insert()
	check(t, s.j.Close())
	s.expect("10.snap 10.xlog 11.xlog")
}

func TestPinnedCheckpointsStay(t *testing.T) {
	s := newStore(t, vfs.NewMem(), vclock.VClock{}, 1)
	s.insert()
	s.checkpoint()
	files, release, err := s.r.Pin(0)
	if err != nil || !reflect.DeepEqual(files, []string{"/00000000000000000001.snap"}) {
		t.Errorf("%v, %q", err, files)
	}
	for _, n := range []int{1, -1} {
		if _, _, err := s.r.Pin(n); !boxerr.Is(err, boxerr.MissingSnapshot) {
			t.Errorf("pin %d: %v", n, err)
		}
	}
	for range 2 {
		s.insert()
		s.checkpoint()
	}
	s.expect("1.snap 1.xlog 2.snap 2.xlog 3.snap")
	if list := s.r.Checkpoints(); len(list) != 3 || list[0].Pins != 1 {
		t.Errorf("%+v", list)
	}
	release()
	release()
	check(t, s.r.Collect())
	s.expect("3.snap")
	check(t, s.j.Close())
}

func TestConsumersKeepLogs(t *testing.T) {
	s := newStore(t, vfs.NewMem(), vclock.VClock{}, 1)
	c := s.r.Consume("replica", vclock.VClock{1: 2})
	for range 5 {
		s.insert()
		s.checkpoint()
	}
	s.expect("2.xlog 3.xlog 4.xlog 5.snap")
	c.Advance(vclock.VClock{1: 4})
	c.Advance(vclock.VClock{1: 1})
	check(t, s.r.Collect())
	s.expect("4.xlog 5.snap")
	if list := s.r.Consumers(); len(list) != 1 || list[0] != (ConsumerInfo{"replica", vclock.VClock{1: 4}}) {
		t.Errorf("%+v", list)
	}
	s.insert()
	s.checkpoint()
	s.expect("4.xlog 5.xlog 6.snap")
	if !s.r.FreeSpace() || s.r.FreeSpace() {
		t.Error("room is made once")
	}
	s.expect("5.xlog 6.snap")
	c.Close()
	check(t, s.r.Collect())
	s.expect("6.snap")
	check(t, s.j.Close())
}

func TestRemovalFails(t *testing.T) {
	f := vfs.NewFaulty(vfs.NewMem())
	s := newStore(t, f, vclock.VClock{}, 1)
	s.insert()
	s.checkpoint()
	f.FailFrom(vfs.OpRemove, 1, errors.New("boom"))
	s.insert()
	v, ticket := s.j.BeginCheckpoint()
	check(t, ticket.Wait())
	s.r.Add(v)
	if err := s.r.Collect(); err == nil {
		t.Error("no error")
	}
	f.Heal()
	check(t, s.r.Collect())
	s.expect("")
	check(t, s.j.Close())
}

package server

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/wal"
)

// teller is a client that moves money between accounts in transactions of streams.
type teller struct {
	*client
	rand             *rand.Rand
	sync             int
	moves, conflicts int
	lost             int // commits that the journal has failed to write
}

const (
	accounts = 8
	balance  = 100
)

// do sends a request and returns the data of the answer. ok is false after a conflict, and when the journal fails.
func (t *teller) do(stream, typ int, body []byte) (data []int, ok bool, err error) {
	t.sync++
	t.send(inStream(stream, typ, t.sync, body))
	got := t.answer()
	rest, ok := strings.CutPrefix(got, fmt.Sprintf("0 %d ", t.sync))
	if !ok {
		if strings.HasPrefix(got, fmt.Sprintf("-97 %d ", t.sync)) {
			t.conflicts++
			return nil, false, nil
		}
		if strings.HasPrefix(got, fmt.Sprintf("-40 %d ", t.sync)) || strings.HasPrefix(got, fmt.Sprintf("-134 %d ", t.sync)) {
			t.lost++
			return nil, false, nil
		}
		return nil, false, fmt.Errorf("request %d: %s", typ, got)
	}
	for _, word := range strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune("[]{} ", r) }) {
		n, err := strconv.Atoi(word)
		if err != nil {
			return nil, false, err
		}
		data = append(data, n)
	}
	return data, true, nil
}

// transaction runs f in a stream. After a conflict it ends with a rollback.
func (t *teller) transaction(isolation int, f func(stream int) (ok bool, err error)) (ok bool, err error) {
	stream := 1 + t.rand.IntN(3)
	if _, _, err := t.do(stream, 14, m(0x59, isolation)); err != nil {
		return false, err
	}
	if ok, err = f(stream); ok && err == nil {
		if _, ok, err = t.do(stream, 15, nil); ok || err != nil {
			return ok, err
		}
	} else if err != nil {
		return false, err
	}
	_, _, err = t.do(stream, 16, nil)
	return false, err
}

// move takes money from one account to another.
func (t *teller) move() error {
	from := t.rand.IntN(accounts)
	to := (from + 1 + t.rand.IntN(accounts-1)) % accounts
	amount := t.rand.IntN(10)
	ok, err := t.transaction(t.rand.IntN(4), func(stream int) (bool, error) {
		for _, change := range [][2]int{{from, -amount}, {to, amount}} {
			has, ok, err := t.do(stream, 1, m(0x10, 512, 0x12, 1, 0x20, list(change[0])))
			if !ok || err != nil {
				return false, err
			}
			if _, ok, err := t.do(stream, 3, m(0x10, 512, 0x21, list(change[0], has[1]+change[1]))); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	})
	if ok {
		t.moves++
	}
	return err
}

// audit counts the money in two requests.
func (t *teller) audit() error {
	_, err := t.transaction(t.rand.IntN(4), func(stream int) (bool, error) {
		sum := 0
		for _, iterator := range []int{3, 5} { // LT, GE
			rows, ok, err := t.do(stream, 1, m(0x10, 512, 0x12, 100, 0x14, iterator, 0x20, list(accounts/2)))
			if !ok || err != nil {
				return false, err
			}
			for i := 1; i < len(rows); i += 2 {
				sum += rows[i]
			}
		}
		if sum != accounts*balance {
			return false, fmt.Errorf("there is %d", sum)
		}
		return true, nil
	})
	return err
}

func TestTransactionsOfManyClients(t *testing.T) {
	w := newWorld(t, Options{})
	w.space(512, "t")
	disk := vfs.NewFaulty(vfs.NewMem())
	var j *wal.Journal
	j, err := wal.Open(wal.Options{
		FS: disk, Mode: wal.Write, Instance: w.b.InstanceUUID(), ReplicaID: 1, Written: w.b.Written,
		Failed: func(error) { w.b.Cord.Post(func() { j.Settle() }) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close() })
	w.locked(func() {
		w.b.Config.UseMVCC = true
		for i := range accounts {
			w.insert(512, i, balance)
		}
		w.b.Journal = j
	})
	var tellers []*teller
	var all sync.WaitGroup
	for i := range 4 {
		tl := &teller{client: w.pipe(), rand: rand.New(rand.NewPCG(1, uint64(i)))}
		tellers = append(tellers, tl)
		all.Go(func() {
			for round := range 200 {
				act := tl.move
				if round%4 == 0 {
					act = tl.audit
				}
				if i == 0 && round%20 == 0 {
					disk.FailFrom(vfs.OpWrite, 1, syscall.EIO)
				}
				if err := act(); err != nil {
					t.Error(err)
					return
				}
				if i == 0 && round%20 == 3 {
					disk.Heal()
				}
			}
		})
	}
	all.Wait()
	moves, conflicts, lost := 0, 0, 0
	for _, tl := range tellers {
		moves += tl.moves
		conflicts += tl.conflicts
		lost += tl.lost
	}
	if moves == 0 || lost == 0 {
		t.Errorf("%d moves, %d lost", moves, lost)
	}
	t.Log(moves, "moves,", conflicts, "conflicts,", lost, "lost")
	last := &teller{client: w.pipe(), rand: rand.New(rand.NewPCG(1, 9))}
	if err := last.audit(); err != nil {
		t.Error(err)
	}
	w.locked(func() {
		if n := w.s.stat.Current(Streams); n != 0 {
			t.Errorf("%d streams left", n)
		}
	})
}

package memtx

import (
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/tuple"
)

// fewStatements is how many statements a parked transaction may have to be put back into the indexes at its next one.
// Those with more go on in forks.
const fewStatements = 16

// park takes the changes of an open transaction out of the indexes, because somebody else looks at them.
func (t *Txn) park() {
	if t.parked || t.exclusive {
		return
	}
	if len(t.stmts) > fewStatements {
		for _, p := range t.owned {
			f := &fork{space: p.space, data: p.space.fork()}
			f.start(t)
			t.forks = append(t.forks, f)
		}
	}
	for i := len(t.stmts) - 1; i >= 0; i-- {
		t.history.undo(t, &t.stmts[i])
	}
	for _, f := range t.forks {
		f.version = f.space.past.version
	}
	t.disown()
	t.parked = true
}

// resume puts the changes of a parked transaction back into the indexes. When that is not possible any more the
// transaction is aborted, and the error is TRANSACTION_CONFLICT.
func (t *Txn) resume() error {
	h := t.history
	for len(t.forks) > 0 {
		t.dropFork(t.forks[0].space)
	}
	t.parked = false
	for i := range t.stmts {
		s := &t.stmts[i]
		if s.Old == nil && s.New == nil {
			continue
		}
		p := h.claim(s.Space, t)
		h.keep(p)
		if err := s.redo(s.Space); err != nil {
			for i--; i >= 0; i-- {
				h.undo(t, &t.stmts[i])
			}
			t.disown()
			t.parked = true
			t.abort()
			return err
		}
		p.changed(s.Old, s.New)
	}
	return nil
}

// fork is a space as a parked transaction sees it that has changed it: the space at some version, with the
// changes of the transaction.
type fork struct {
	space   *Space
	data    *Space
	version uint64
	// keys has a tuple with each primary key that the transaction has written.
	keys index.Index
}

// start begins the life of a fork of the transaction.
func (f *fork) start(t *Txn) {
	p := f.space.past
	if p.forks == 0 {
		clear(p.log)
		p.log, p.first = p.log[:0], p.version
	}
	p.forks++
	pk := f.space.Primary().KeyDef
	f.keys = index.New(&index.Def{Unique: true, KeyDef: pk, CmpDef: pk})
	for i := range t.stmts {
		if s := &t.stmts[i]; s.Space == f.space {
			f.own(s.Old, s.New)
		}
	}
}

// own notes that the transaction has written a key.
func (f *fork) own(old, new *tuple.Tuple) {
	if new == nil {
		new = old
	}
	if new != nil {
		_, _ = f.keys.Replace(nil, new, index.ReplaceOrInsert)
	}
}

// writes reports whether the transaction has written the key that a change is about.
func (f *fork) writes(c *change) bool {
	t := c.new
	if t == nil {
		t = c.old
	}
	var room [64]byte
	pk := f.space.Primary().KeyDef
	return f.keys.Get(pk.AppendKey(room[:0], t.Data(), 0), len(pk.Parts)) != nil
}

// sync brings a fork up to the present version of the space.
func (f *fork) sync(t *Txn) error {
	p := f.space.past
	if f.version == p.version {
		return nil
	}
	if list, ok := p.since(f.version); !ok || len(list) > len(t.stmts) || !f.follow(list) {
		if err := f.renew(t); err != nil {
			return err
		}
	}
	f.version = p.version
	return nil
}

// follow makes the changes of others in the data. It reports false when they don't go with those of the transaction, which
// may be because of a change that was taken back meanwhile.
func (f *fork) follow(list []change) bool {
	for i := range list {
		c := &list[i]
		if f.writes(c) {
			continue
		}
		if replaced, err := f.data.replace(c.old, c.new, index.InsertOnly); err != nil || replaced != c.old {
			return false
		}
	}
	return true
}

// renew makes the data of a fork anew.
func (f *fork) renew(t *Txn) error {
	f.data = f.space.fork()
	for i := range t.stmts {
		s := &t.stmts[i]
		if s.Space != f.space || s.Old == nil && s.New == nil {
			continue
		}
		if err := s.redo(f.data); err != nil {
			return err
		}
	}
	return nil
}

// forkFor returns the fork of a space for a parked transaction. Without one it makes one if the transaction has changed
// the space, or is about to. When that is not possible the transaction is aborted, and the result is nil.
func (t *Txn) forkFor(s *Space, write bool) *fork {
	for _, f := range t.forks {
		if f.space == s {
			if p := s.past; p.owner != nil {
				p.owner.park()
			}
			if f.sync(t) != nil {
				t.abort()
				return nil
			}
			return f
		}
	}
	if !write && !t.touched(s) {
		return nil
	}
	if p := t.history.pastOf(s); p.owner != nil {
		p.owner.park()
	}
	f := &fork{space: s}
	f.start(t)
	t.forks = append(t.forks, f)
	if f.renew(t) != nil {
		t.abort()
		return nil
	}
	f.version = s.past.version
	return f
}

// syncForks brings all forks up to date, so that a conflict comes to light before a statement and not in it.
func (t *Txn) syncForks() error {
	for i := 0; i < len(t.forks); i++ {
		if t.forkFor(t.forks[i].space, false) == nil {
			return conflict()
		}
	}
	return nil
}

// dropFork gives a fork up.
func (t *Txn) dropFork(s *Space) {
	for i, f := range t.forks {
		if f.space != s {
			continue
		}
		p := s.past
		if p.forks--; p.forks == 0 {
			p.log = nil
		}
		last := len(t.forks) - 1
		t.forks[i] = t.forks[last]
		t.forks[last] = nil
		t.forks = t.forks[:last]
		return
	}
}

// touched reports whether the transaction has changed the space.
func (t *Txn) touched(s *Space) bool {
	for _, q := range t.spaces {
		if q == s {
			return true
		}
	}
	return false
}

// touch notes that the transaction has changed the space.
func (t *Txn) touch(s *Space) {
	if !t.touched(s) {
		t.spaces = append(t.spaces, s)
	}
}

package memtx

import (
	"math"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/tuple"
)

// History makes transactions that run at the same time look as if they ran one after another, in the order in which
// they were prepared. Without one there are no such transactions: whatever a transaction does is seen by all.
//
// The rules:
//
//   - The indexes of a space hold what is prepared and, at most, the changes of one open transaction, the owner of
//     the space. As soon as anybody else looks at the space, the owner is parked: its changes are taken out of all
//     indexes and put back when it goes on. A transaction that nobody disturbs costs nothing. One with many changes
//     goes on in forks of the indexes instead.
//   - A transaction notes what it reads: the spans of indexes. When another one is prepared, those that have read
//     what it changes can't come behind it. A transaction that has written is aborted, one that has only read goes
//     on with a View, the data as it was before.
//   - A prepared transaction is confirmed when the journal has it. Until then readers see what was before it, except
//     those that write themselves or ask for it (see Level). Should the journal fail, it is undone, and all that have
//     seen it are aborted.
//   - A transaction that changes the definitions of spaces can't be parked. It must not yield, and once it is
//     prepared all others are aborted. All see such a change and whatever was prepared before it at once, because
//     there is but one catalog.
//
// Everything happens in calls of a History and of what belongs to it, under the cord's lock; nothing waits and
// nothing runs by itself.
type History struct {
	active   []*Txn   // open transactions that others may interrupt
	unnoted  []*Txn   // those of them with reads that the indexes don't know of
	dirty    []*Space // spaces with changes that are not confirmed
	views    []*View  // that are looked at, the oldest first
	lastView uint64
	position uint64 // of the transaction submitted last
	known    uint64 // position up to which all is confirmed
	schema   uint64 // position of the newest transaction that aborted others
	hits     []*Txn // room for conflicts
	spare    []*Txn // room for noteAll
	room     []byte // for a key
}

// Level says which changes of others a transaction sees.
type Level uint8

// The levels.
const (
	// BestEffort sees what is confirmed as long as the transaction only reads, and what is prepared then.
	BestEffort Level = iota
	// Committed sees what is prepared.
	Committed
	// Confirmed sees what is confirmed.
	Confirmed
)

// Begin takes an open transaction into the history.
func (h *History) Begin(t *Txn, level Level) {
	t.history, t.level, t.alone = h, level, false
	t.slot = len(h.active)
	h.active = append(h.active, t)
}

// BeginAlone takes a transaction into the history that ends before anybody else can look, such as that of a single
// statement: what it reads need not be noted.
func (h *History) BeginAlone(t *Txn) {
	t.history, t.alone = h, true
}

// Interrupted reports whether some transaction may be waiting for its next statement.
func (h *History) Interrupted() bool { return len(h.active) > 0 }

// Concurrent reports whether the transaction belongs to a History.
func (t *Txn) Concurrent() bool { return t.history != nil }

// tracked reports whether what the transaction reads has to be noted.
func (t *Txn) tracked() bool {
	return t != nil && t.history != nil && !t.alone && t.view == nil && t.Aborted == 0 && !t.prepared
}

// Enter is called before each statement of a transaction in a history. The error is TRANSACTION_CONFLICT.
func (t *Txn) Enter() error {
	if !t.parked || t.Aborted != 0 {
		return nil
	}
	if len(t.stmts) <= fewStatements {
		return t.resume()
	}
	return t.syncForks()
}

// EnterWrite is Enter for a statement that may change data. The error is TRANSACTION_CONFLICT.
func (t *Txn) EnterWrite() error {
	if t.view != nil {
		t.abort()
		return conflict()
	}
	t.wrote = true
	return t.Enter()
}

func conflict() error { return boxerr.New(boxerr.TransactionConflict) }

// EnterExclusive is EnterWrite for a statement that changes the definitions of spaces, users or the like. spaces
// calls its argument with every space there is.
func (t *Txn) EnterExclusive(spaces func(func(*Space))) error {
	h := t.history
	if err := t.EnterWrite(); err != nil {
		return err
	}
	if t.exclusive {
		return nil
	}
	h.parkAll(t)
	if t.parked {
		if err := t.resume(); err != nil {
			return err
		}
	}
	t.exclusive = true
	if len(h.views) > 0 {
		spaces(func(s *Space) { h.keep(h.pastOf(s)) })
	}
	return nil
}

// Exclusive reports whether the transaction has changed the definitions of spaces, users or the like. It must be
// rolled back when it yields.
func (t *Txn) Exclusive() bool { return t.exclusive }

// AbortOthers makes the transaction abort all others once it is prepared.
func (t *Txn) AbortOthers() { t.abortsOthers = true }

// apply is Txn.Apply.
func (h *History) apply(t *Txn, s *Space, old, new *tuple.Tuple, mode index.Mode) (replaced *tuple.Tuple, err error) {
	if t.Aborted != 0 {
		return nil, boxerr.New(t.Aborted)
	}
	if t.tracked() {
		t.noteWrite(s, old, new, mode)
	}
	if t.parked {
		f := t.forkFor(s, true)
		if f == nil {
			return nil, conflict()
		}
		if replaced, err = f.data.replace(old, new, mode); err == nil {
			f.own(old, new)
		}
	} else {
		p := h.claim(s, t)
		h.keep(p)
		if replaced, err = s.replace(old, new, mode); err == nil {
			p.changed(replaced, new)
		}
	}
	if err != nil {
		return nil, err
	}
	t.touch(s)
	return replaced, nil
}

// undo takes a change of a transaction back.
func (h *History) undo(t *Txn, s *Stmt) {
	if t.parked {
		t.dropFork(s.Space)
		return
	}
	if s.Old == nil && s.New == nil {
		return
	}
	p := h.pastOf(s.Space)
	if p.owner != nil && p.owner != t {
		p.owner.park()
	}
	h.keep(p)
	_, _ = s.Space.replace(s.New, s.Old, index.InsertOnly)
	p.changed(s.New, s.Old)
}

// redo makes a change of a transaction again, in data that others may have changed since. It fails when the change
// does not go with what they did.
func (s *Stmt) redo(data *Space) error {
	mode := index.InsertOnly
	old := s.Old
	if s.blind {
		old, mode = nil, index.ReplaceOrInsert
	}
	replaced, err := data.replace(old, s.New, mode)
	if err != nil {
		return conflict()
	}
	if !s.blind && replaced != s.Old {
		_, _ = data.replace(s.New, replaced, index.InsertOnly)
		return conflict()
	}
	s.Old = replaced
	return nil
}

// Prepare ends a transaction for everybody else: it takes its place in the history, and its changes are there for all
// who see what is prepared. The error is TRANSACTION_CONFLICT, or the reason why the transaction was aborted; it is
// still to be rolled back then.
func (h *History) Prepare(t *Txn) error {
	if t.Aborted != 0 {
		return boxerr.New(t.Aborted)
	}
	if len(t.stmts) > 0 {
		if t.view != nil {
			return conflict()
		}
		if t.parked {
			if err := t.resume(); err != nil {
				return err
			}
		}
		t.disown()
		t.prepared = true
		if t.abortsOthers {
			h.abortOthers(t)
			for _, s := range h.dirty {
				s.past.cut(0)
			}
			h.sweep()
		} else {
			h.await(t)
		}
		if len(h.active) > 1 || t.alone && len(h.active) > 0 {
			h.conflicts(t, false)
		}
	}
	h.end(t)
	return nil
}

// await makes the changes of a prepared transaction ones that are not confirmed.
func (h *History) await(t *Txn) {
	for i := range t.stmts {
		if s := &t.stmts[i]; s.Old != nil || s.New != nil {
			p := h.pastOf(s.Space)
			if len(p.pending) == 0 {
				h.dirty = append(h.dirty, s.Space)
			}
			p.pending = append(p.pending, change{math.MaxUint64, s.Old, s.New})
		}
	}
}

// Submitted tells at which position of the journal a prepared transaction stands, 0 when it needs no journal. The
// result is the position at which it is confirmed, 0 when that is the case already: a transaction that needs no
// journal shares the fate of what was submitted before it when it has seen something that is not confirmed.
func (h *History) Submitted(t *Txn, position uint64) uint64 {
	if len(t.stmts) == 0 {
		return 0
	}
	if position == 0 {
		if max(t.behind, h.schema) <= h.known {
			h.forgetPending(t)
			return 0
		}
		position = h.position
	}
	t.position, h.position = position, position
	if t.abortsOthers {
		h.schema = position
	}
	for _, s := range t.spaces {
		list := s.past.pending
		for i := len(list) - 1; i >= 0 && list[i].position == math.MaxUint64; i-- {
			list[i].position = position
		}
	}
	return position
}

// Confirm tells that the journal has all transactions up to a position, except those that Rollback was called for.
func (h *History) Confirm(position uint64) {
	h.known = max(h.known, position)
	for _, s := range h.dirty {
		s.past.confirm(position)
	}
	h.sweep()
}

// sweep forgets the spaces that have nothing pending any more.
func (h *History) sweep() {
	kept := h.dirty[:0]
	for _, s := range h.dirty {
		if len(s.past.pending) > 0 {
			kept = append(kept, s)
		}
	}
	clear(h.dirty[len(kept):])
	h.dirty = kept
}

// rollback is called before a transaction is undone as a whole. Of those that are prepared the newest one goes first.
func (h *History) rollback(t *Txn) {
	if !t.prepared {
		return
	}
	t.prepared = false
	if t.abortsOthers {
		h.abortOthers(t)
	}
	h.conflicts(t, true)
	for i := len(h.active) - 1; i >= 0; i-- {
		if v := h.active[i].view; v != nil && v.prepared && v.position >= t.position {
			h.active[i].abort()
		}
	}
	h.forgetPending(t)
}

// forgetPending takes the changes of a transaction, which are the newest ones, off those that are not confirmed.
func (h *History) forgetPending(t *Txn) {
	for _, s := range t.spaces {
		p := s.past
		p.cut(max(0, len(p.pending)-t.changesIn(s))) // what a change of the schema made visible is not there
	}
	h.sweep()
}

// changesIn counts the changes that a transaction has made in a space.
func (t *Txn) changesIn(s *Space) (n int) {
	for i := range t.stmts {
		if st := &t.stmts[i]; st.Space == s && (st.Old != nil || st.New != nil) {
			n++
		}
	}
	return n
}

// end takes a transaction out of the history: nobody has to take notice of it any more.
func (h *History) end(t *Txn) {
	t.forget()
	t.disown()
	if !t.alone && t.slot < len(h.active) && h.active[t.slot] == t {
		last := len(h.active) - 1
		h.active[t.slot] = h.active[last]
		h.active[t.slot].slot = t.slot
		h.active[last] = nil
		h.active = h.active[:last]
	}
	t.slot = math.MaxInt
}

// abort makes an open transaction one that can only be rolled back. Its changes are taken out of sight; the list of
// them stays for those who want to know.
func (t *Txn) abort() {
	if t.Aborted == 0 {
		t.Aborted = boxerr.TransactionConflict
	}
	if t.exclusive {
		t.undoTo(0)
		t.exclusive = false
	}
	t.park()
	t.parked = true
	t.forget()
}

// forget drops what the transaction has noted and the versions of data that it has for itself.
func (t *Txn) forget() {
	t.dropNotes()
	for len(t.forks) > 0 {
		t.dropFork(t.forks[0].space)
	}
	if t.view != nil {
		t.history.leave(t.view)
		t.view = nil
	}
}

func (h *History) abortOthers(t *Txn) {
	for i := len(h.active) - 1; i >= 0; i-- {
		if r := h.active[i]; r != t {
			r.abort()
		}
	}
}

// parkAll takes the changes of all open transactions but one out of the indexes.
func (h *History) parkAll(but *Txn) {
	for _, r := range h.active {
		if r != but && len(r.owned) > 0 {
			r.park()
		}
	}
}

// Clean leaves nothing in the indexes but what is prepared.
func (h *History) Clean() { h.parkAll(nil) }

// conflicts finds the open transactions that have read what t has changed. When t was prepared, those that have
// written are aborted, the others go on with the data as it was before t. When t is undone, they have all read what
// never was.
func (h *History) conflicts(t *Txn, undone bool) {
	h.noteAll(t)
	if h.room == nil {
		h.room = make([]byte, 0, 256)
	}
	hits := h.hits[:0]
	hit := func(n *interval) {
		if r := n.txn; r != t && !r.hit {
			r.hit = true
			hits = append(hits, r)
		}
	}
	for i := range t.stmts {
		s := &t.stmts[i]
		for _, x := range s.Space.Indexes {
			if x.readers.root == nil {
				continue
			}
			for _, tp := range [2]*tuple.Tuple{s.Old, s.New} {
				if tp != nil {
					index.EachKey(x.Index, tp, h.room, func(key []byte, n int) {
						x.readers.around(x.CmpDef, key, n, hit)
					})
				}
			}
		}
	}
	var views [2]*View
	for _, r := range hits {
		r.hit = false
		if undone || r.wrote {
			r.abort()
			continue
		}
		prepared := 0
		if r.level == Committed {
			prepared = 1
		}
		if views[prepared] == nil {
			views[prepared] = h.open(prepared == 1, t)
		}
		r.look(views[prepared])
	}
	clear(hits)
	h.hits = hits[:0]
}

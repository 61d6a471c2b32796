package memtx

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/tuple"
)

// MaxNesting is how many statements may run inside of one another: triggers that write.
const MaxNesting = 4

// Txn is a transaction: its statements in order, how to undo them, and what the journal is to be told.
//
// A statement is opened by Begin and closed by Commit or Undo. Statements nest, when a trigger of one makes
// another; undoing the outer one undoes those inside as well. A Txn is reused after Reset.
type Txn struct {
	// ID tells transactions apart; it is never 0 while the transaction is open.
	ID uint64
	// Aborted, when not 0, is why the transaction can only be rolled back: every statement and the commit fail with it.
	Aborted boxerr.Code
	// Touched is set once the transaction has read or changed something.
	Touched bool
	// Isolation is the level by the number of the protocol.
	Isolation uint8
	// Sync waits for a quorum.
	Sync bool
	// Number is the one under which the journal has the transaction, 0 before that.
	Number uint64
	// Timer belongs to whoever limits the time of the transaction.
	Timer any
	// OnCommit and OnRollback belong to this transaction alone and are called at its end; the newest first.
	OnCommit, OnRollback []any

	stmts  []Stmt
	rows   []byte // bodies of the statements' rows
	hooks  []hook
	nested [MaxNesting]int // where the open statements began
	depth  int
	saves  uint64 // savepoints made so far
	points []Savepoint

	versions
}

// versions is the part of a transaction that belongs to a History. It is empty outside of one.
type versions struct {
	history *History
	level   Level
	// alone is a single statement.
	alone bool
	// wrote is set once the transaction has tried to change something.
	wrote bool
	// parked says that the changes of the transaction are not in the indexes.
	parked bool
	// exclusive transactions can't be parked.
	exclusive    bool
	abortsOthers bool
	prepared     bool
	hit          bool // is in History.hits
	noting       bool // is in History.unnoted, at noteSlot
	slot         int  // in History.active
	noteSlot     int
	position     uint64 // in the journal, once it was prepared
	behind       uint64 // position of the newest transaction whose changes it may have seen before they were confirmed
	view         *View
	owned        []*past  // spaces whose indexes hold the changes of the transaction
	spaces       []*Space // those that it has changed
	forks        []*fork
	notes        []note // what it has read and not told the indexes
	noteKeys     []byte // the keys of notes and intervals
	intervals    []*interval
	cursors      []*cursor // that walk, or have ended since the last tell
}

// Stmt is one statement of a transaction.
type Stmt struct {
	Space *Space
	// Old is what the statement removed and New what it put in; both are nil when it changed nothing.
	Old, New *tuple.Tuple
	// Type is the request type of the row for the journal, 0 when there is none.
	Type uint8
	// blind says that the statement would have taken the place of any tuple with its primary key.
	blind bool
	// row is the part of Txn.rows that holds the row's body.
	row, rowEnd int
}

// Change is what a statement did to a space: Old, if not nil, left it, and New, if not nil, came.
type Change struct {
	Space    *Space
	Old, New *tuple.Tuple
}

// Undo takes the change back. What was done later has been undone before.
func (c *Change) Undo() {
	if c.Old != nil || c.New != nil {
		_, _ = c.Space.replace(c.New, c.Old, index.InsertOnly)
	}
}

// hook is a function that belongs to a statement.
type hook struct {
	stmt int
	undo bool // for the rollback, otherwise for the commit
	f    func()
}

// Savepoint is a point of a transaction that one can go back to.
type Savepoint struct {
	txn  uint64
	id   uint64
	stmt int
	name string
}

// Begin opens a statement. The caller has seen that Depth is less than MaxNesting.
func (t *Txn) Begin() {
	t.nested[t.depth] = len(t.stmts)
	t.depth++
}

// Depth is the number of open statements.
func (t *Txn) Depth() int { return t.depth }

// Apply takes old out of all indexes of the space and puts new in, or changes nothing and returns an error.
// With index.ReplaceOrInsert the tuple that has the primary key of new gives way. replaced is what was taken out.
func (t *Txn) Apply(sp *Space, old, new *tuple.Tuple, mode index.Mode) (replaced *tuple.Tuple, err error) {
	if t.history != nil {
		replaced, err = t.history.apply(t, sp, old, new, mode)
	} else {
		replaced, err = sp.replace(old, new, mode)
	}
	if err != nil {
		return nil, err
	}
	t.stmts = append(t.stmts, Stmt{
		Space: sp, Old: replaced, New: new, blind: mode == index.ReplaceOrInsert, row: len(t.rows), rowEnd: len(t.rows),
	})
	return replaced, nil
}

// Nothing records a statement that changed no tuple.
func (t *Txn) Nothing(sp *Space) {
	t.stmts = append(t.stmts, Stmt{Space: sp, row: len(t.rows), rowEnd: len(t.rows)})
}

// Last returns the statement that Apply or Nothing recorded last.
func (t *Txn) Last() int { return len(t.stmts) - 1 }

// LogStart returns the buffer that the body of statement i's row is to be appended to; LogEnd takes it back.
func (t *Txn) LogStart(i int, typ uint8) []byte {
	t.stmts[i].Type = typ
	t.stmts[i].row = len(t.rows)
	return t.rows
}

// LogEnd takes the buffer of LogStart back.
func (t *Txn) LogEnd(i int, rows []byte) {
	t.rows = rows
	t.stmts[i].rowEnd = len(rows)
}

// Len is the number of statements.
func (t *Txn) Len() int { return len(t.stmts) }

// Stmt returns the statement number i, from 0.
func (t *Txn) Stmt(i int) *Stmt { return &t.stmts[i] }

// Row returns the body of statement i's row.
func (t *Txn) Row(i int) []byte { return t.rows[t.stmts[i].row:t.stmts[i].rowEnd] }

// Commit closes the innermost open statement.
func (t *Txn) Commit() { t.depth-- }

// Undo closes the innermost open statement and undoes it with all statements inside.
func (t *Txn) Undo() {
	t.depth--
	t.undoTo(t.nested[t.depth])
}

// OnStatementRollback has f called when the statement recorded last is undone, before its tuples are.
func (t *Txn) OnStatementRollback(f func()) {
	t.hooks = append(t.hooks, hook{stmt: len(t.stmts) - 1, undo: true, f: f})
}

// OnStatementCommit has f called when the transaction that holds the statement recorded last is committed.
func (t *Txn) OnStatementCommit(f func()) {
	t.hooks = append(t.hooks, hook{stmt: len(t.stmts) - 1, f: f})
}

// Hooked reports whether there are commit hooks.
func (t *Txn) Hooked() bool {
	for i := range t.hooks {
		if !t.hooks[i].undo {
			return true
		}
	}
	return false
}

// Sole returns the change that a transaction of a single statement made, if that is all there is to undo or to confirm: it
// has no hooks, nobody waits for its end, and it is in no History.
func (t *Txn) Sole() (c Change, ok bool) {
	if len(t.stmts) != 1 || len(t.hooks) > 0 || len(t.OnCommit) > 0 || len(t.OnRollback) > 0 || t.history != nil {
		return c, false
	}
	s := &t.stmts[0]
	return Change{s.Space, s.Old, s.New}, true
}

// Confirm calls the commit hooks of all statements, in order.
func (t *Txn) Confirm() {
	for i := range t.hooks {
		if !t.hooks[i].undo {
			t.hooks[i].f()
		}
	}
}

// Rollback undoes all statements, the last one first.
func (t *Txn) Rollback() {
	if t.history != nil {
		t.history.rollback(t)
	}
	t.undoTo(0)
	t.depth = 0
	if t.history != nil {
		t.history.end(t)
	}
}

func (t *Txn) undoTo(n int) {
	for i := len(t.stmts) - 1; i >= n; i-- {
		for h := len(t.hooks) - 1; h >= 0 && t.hooks[h].stmt >= i; h-- {
			f := t.hooks[h]
			t.hooks[h] = hook{}
			t.hooks = t.hooks[:h]
			if f.undo {
				f.f()
			}
		}
		s := &t.stmts[i]
		if t.history != nil {
			t.history.undo(t, s)
		} else {
			c := Change{s.Space, s.Old, s.New}
			c.Undo()
		}
		t.rows = t.rows[:s.row]
		*s = Stmt{}
		t.stmts = t.stmts[:i]
	}
	for len(t.points) > 0 && t.points[len(t.points)-1].stmt > n {
		t.points = t.points[:len(t.points)-1]
	}
}

// Savepoint remembers the present point. A name already in use moves to the new point.
func (t *Txn) Savepoint(name string) Savepoint {
	if name != "" {
		for i := range t.points {
			if t.points[i].name == name {
				t.points = append(t.points[:i], t.points[i+1:]...)
				break
			}
		}
	}
	t.saves++
	p := Savepoint{txn: t.ID, id: t.saves, stmt: len(t.stmts), name: name}
	t.points = append(t.points, p)
	return p
}

// Named returns the savepoint with the given name.
func (t *Txn) Named(name string) (p Savepoint, ok bool) {
	for i := len(t.points) - 1; i >= 0; i-- {
		if t.points[i].name == name {
			return t.points[i], true
		}
	}
	return p, false
}

// RollbackTo undoes what was done since the savepoint, which stays; later ones are gone. It reports whether
// the savepoint is one of this transaction and still there.
func (t *Txn) RollbackTo(p Savepoint) bool {
	if p.txn != t.ID {
		return false
	}
	for i := len(t.points) - 1; i >= 0; i-- {
		if t.points[i].id == p.id {
			t.undoTo(p.stmt)
			t.points = t.points[:i+1]
			return true
		}
	}
	return false
}

// Release forgets a savepoint and those made after it.
func (t *Txn) Release(p Savepoint) bool {
	for i := range t.points {
		if t.points[i].id == p.id && p.txn == t.ID {
			t.points = t.points[:i]
			return true
		}
	}
	return false
}

// Reset makes the transaction an empty one again and keeps its memory.
func (t *Txn) Reset() {
	clear(t.stmts)
	clear(t.hooks)
	clear(t.OnCommit)
	clear(t.OnRollback)
	t.stmts, t.rows, t.hooks, t.points = t.stmts[:0], t.rows[:0], t.hooks[:0], t.points[:0]
	t.OnCommit, t.OnRollback = t.OnCommit[:0], t.OnRollback[:0]
	if cap(t.rows) > 1<<20 {
		t.rows = nil
	}
	t.ID, t.Number, t.Aborted, t.Isolation, t.Touched, t.Sync = 0, 0, 0, 0, false, false
	t.depth, t.saves = 0, 0
	if t.Timer != nil {
		t.Timer = nil
	}
	if t.history != nil { // without one there are no versions
		clear(t.spaces)
		t.versions = versions{
			owned: t.owned[:0], spaces: t.spaces[:0], forks: t.forks[:0], notes: t.notes[:0], noteKeys: t.noteKeys[:0],
			intervals: t.intervals[:0], cursors: t.cursors[:0],
		}
	}
}

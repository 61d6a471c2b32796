package memtx

import (
	"slices"

	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/tuple"
)

// cursor walks over an index as a transaction sees it, or nobody: it changes over to another version of the index when
// that is the one to be seen, and knows how far it came.
type cursor struct {
	space *Space
	index *Index
	txn   *Txn
	id    uint64 // of the transaction
	typ   index.IteratorType
	it    index.Iterator
	at    index.Index
	// ahead is what was not noted yet of what there is to read, its keys are the cursor's own.
	ahead span
	last  *tuple.Tuple // returned last and not noted, may be nil
	ended bool
	known bool // it is in Txn.cursors
	// fixed walks see the index as it was when they began.
	fixed bool
}

func (s *Space) newCursor(txn *Txn, x *Index, typ index.IteratorType, key []byte, n int, after index.Position) (index.Iterator, error) {
	c := &cursor{space: s, index: x, txn: txn, typ: typ, ahead: spanOf(x, typ, key, n, after)}
	if txn != nil {
		c.id = txn.ID
	}
	v, settle := s.look(txn, x, &c.ahead)
	c.at = v
	if c.fixed = x.Type > index.Hash; c.fixed {
		v = v.Snapshot()
	}
	var err error
	if c.it, err = v.Iterate(typ, key, n, after); err != nil {
		return nil, err
	}
	if c.fixed || !x.ordered() {
		s.looked(txn, x, c.ahead, settle)
	}
	return c, nil
}

// Follower is implemented by walks whose steps different transactions may make, one after another.
type Follower interface {
	// Follow makes the next steps those of a transaction, or with nil of nobody.
	Follow(txn *Txn)
}

// Follow implements Follower.
func (c *cursor) Follow(txn *Txn) {
	if txn == c.txn && (txn == nil || txn.ID == c.id) {
		return
	}
	if was := c.txn; was != nil && was.ID == c.id && c.known {
		if was.tracked() {
			c.note(was)
		}
		was.cursors = slices.DeleteFunc(was.cursors, func(d *cursor) bool { return d == c })
	}
	c.txn, c.id, c.last, c.known = txn, 0, nil, false
	if txn == nil {
		return
	}
	c.id = txn.ID
	if c.index.ordered() {
		c.ahead.goOn(c.typ, c.AppendPosition(nil))
	} else if txn.tracked() {
		txn.note(c.index, c.ahead)
	}
}

// Next implements index.Iterator.
func (c *cursor) Next() *tuple.Tuple {
	if c.fixed {
		return c.it.Next()
	}
	txn := c.txn
	if txn != nil && (txn.ID != c.id || txn.prepared) {
		c.txn, txn = nil, nil
	}
	v, settle := c.space.seen(txn, c.index)
	if settle && txn != nil && txn.wrote {
		v, settle = c.space.look(txn, c.index, &c.ahead)
	} else if settle {
		v = c.space.past.settled().of(c.space, c.index)
	}
	if v != c.at {
		if m, ok := c.it.(index.Mover); ok {
			m.Move(v)
		}
		c.at = v
	}
	t := c.it.Next()
	if !txn.tracked() || !c.index.ordered() {
		return t
	}
	if !c.known {
		c.known = true
		txn.cursors = append(txn.cursors, c)
		txn.waitToNote()
	}
	c.last, c.ended = t, t == nil
	if settle {
		read := c.note(txn)
		if c.space.past.touched(c.index, &read) {
			txn.fallBehind()
		}
	}
	return t
}

// note notes what the cursor has read since the last time.
func (c *cursor) note(txn *Txn) (read span) {
	read = c.ahead
	switch {
	case c.last != nil:
		key := c.index.CmpDef.AppendKey(nil, c.last.Data(), 0)
		n := len(c.index.CmpDef.Parts)
		if c.typ.Reverse() {
			read.lo = bound{key, n, false}
			c.ahead.hi = read.lo
		} else {
			read.hi = bound{key, n, true}
			c.ahead.lo = read.hi
		}
		c.last = nil
	case !c.ended:
		return span{}
	}
	txn.note(c.index, read)
	return read
}

// AppendPosition implements index.Positioner.
func (c *cursor) AppendPosition(dst []byte) []byte {
	if p, ok := c.it.(index.Positioner); ok {
		return p.AppendPosition(dst)
	}
	return dst
}

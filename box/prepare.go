package box

import (
	"sync"

	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/tuple"
	"github.com/lycosadb/lycosa/xlog"
)

// preparer makes tuples of the rows that a recovery reads before it is their turn. It runs without the lock, so all that it
// knows of spaces are the plans that it was given. A plan may be outdated when the tuple's turn comes, or a space may have
// none yet: then the row is run as if nothing had been prepared, and so is one that has anything wrong.
type preparer struct {
	plans sync.Map // by the id of a space, *plan
	limit int      // Box.maxTupleSize
}

// plan is what makes tuples of a space. It doesn't change.
type plan struct {
	format *tuple.Format
	key    *tuple.KeyDef // of the primary index
}

// prepared is what was made of a row.
type prepared struct {
	tuple *tuple.Tuple // nil if none was made
	plan  *plan        // by which the tuple was made
	hint  uint64       // of the tuple, by the primary index
	size  int          // of the tuple
	space uint32       // 0 if it isn't known
}

// offer has tuples of a space be made from now on.
func (p *preparer) offer(sp *Space) {
	if x := sp.Mem.Primary(); x != nil {
		p.plans.Store(sp.ID, &plan{format: sp.Mem.Format, key: x.KeyDef})
	}
}

// prepare is the Prepare of wal.Recovery.
func (p *preparer) prepare(rows []xlog.Row, made []prepared) {
	var last *plan
	space := uint32(0)
	for i := range rows {
		m := &made[i]
		*m = prepared{}
		typ := rows[i].Type
		if typ != iproto.TypeInsert && typ != iproto.TypeReplace {
			continue
		}
		id, data, ok := decodePut(&rows[i])
		if !ok {
			continue
		}
		if space != id {
			v, _ := p.plans.Load(id)
			last, _ = v.(*plan)
			space = id
		}
		m.space, m.size = id, len(data)
		if last == nil || m.size+tupleHeader > p.limit || last.format.Check(data) != nil {
			continue
		}
		m.plan = last
		m.tuple = tuple.NewFormat(last.format, data)
		m.hint = last.key.Hint(m.tuple)
	}
}

// fits reports whether the tuple, if there is one, is one as the space takes it now.
func (m *prepared) fits(sp *Space) bool {
	return m.tuple != nil && m.plan.format == sp.Mem.Format && m.plan.key == sp.Mem.Indexes[0].KeyDef
}

// loadStraight puts the tuples of a transaction of the journal where they belong, without the transaction, if nothing but
// indexes and sequences takes notice of them. Otherwise it does nothing and returns false. An error may leave part of the
// transaction behind and has to end the recovery.
func (b *Box) loadStraight(p *preparer, rows []xlog.Row, made []prepared) (done bool, err error) {
	if b.Config.ForceRecovery {
		return false, nil
	}
	var sp *Space
	for i := range made {
		m := &made[i]
		if sp == nil || sp.ID != m.space {
			if sp = b.catalog.spaces[m.space]; sp == nil || !b.plain(sp) {
				return false, nil
			}
		}
		if !m.fits(sp) {
			p.offer(sp)
			return false, nil
		}
	}
	for i := range made {
		m := &made[i]
		if sp.ID != m.space {
			sp = b.catalog.spaces[m.space]
		}
		mode := index.InsertOnly
		if rows[i].Type == iproto.TypeReplace {
			mode = index.ReplaceOrInsert
		}
		if err := sp.Mem.Load(m.tuple, mode); err != nil {
			return true, err
		}
		if sp.Sequence != nil {
			sp.advance(m.tuple.Data())
		}
	}
	return true, nil
}

// plain reports whether putting tuples into a space means nothing but that when a journal is replayed.
func (b *Box) plain(sp *Space) bool {
	return !IsSystem(sp.ID) && sp.Virtual == nil && sp.System == nil && !sp.Options.View && len(sp.Defaults) == 0 &&
		sp.Mem.Primary() != nil && !b.hasTriggers(sp, &sp.OnReplace)
}

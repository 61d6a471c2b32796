package box

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/tuple"
	"github.com/lycosadb/lycosa/xlog"
)

// bulkLoad takes the rows of a checkpoint. Those of system spaces are run one by one, for what they mean to the
// catalog; those of other spaces stand together, and their indexes are built when all are there.
type bulkLoad struct {
	box    *Box
	ctx    *Ctx
	space  *Space // whose tuples are collected
	tuples []*tuple.Tuple
	bytes  int64
}

// row takes a row.
func (l *bulkLoad) row(row *xlog.Row) error {
	r, err := decodeRow(row)
	if err != nil {
		return err
	}
	if IsSystem(r.space) || row.Type != iproto.TypeInsert {
		if err := l.end(); err != nil {
			return err
		}
		return l.box.Replay(l.ctx, row, true)
	}
	if l.space == nil || l.space.ID != r.space {
		if err := l.end(); err != nil {
			return err
		}
		if l.space, err = l.box.spaceByID(r.space); err != nil {
			return err
		}
	}
	if l.space.Mem.Primary() == nil || l.space.Virtual != nil || l.space.Mem.Len(nil) > 0 ||
		l.box.hasTriggers(l.space, &l.space.OnReplace) {
		return l.box.Replay(l.ctx, row, true)
	}
	t, err := l.box.newTuple(l.ctx, l.space, r.tuple)
	if err != nil {
		return err
	}
	l.tuples = append(l.tuples, t)
	l.bytes += int64(t.Size())
	return nil
}

// end builds the indexes of the space whose tuples were collected.
func (l *bulkLoad) end() error {
	sp, tuples, bytes := l.space, l.tuples, l.bytes
	l.space, l.bytes = nil, 0
	if len(tuples) == 0 {
		return nil
	}
	l.tuples = nil
	if err := sp.Mem.Indexes[0].BulkLoad(tuples); err != nil {
		return boxerr.From(err)
	}
	sp.Mem.SetBytes(bytes)
	if sp.Mem.PrimaryOnly {
		return nil
	}
	return bulkLoadAll(sp.Mem.Indexes[1:], tuples)
}

// putOffIndexes reports whether the indexes of a space, but the primary one, are left empty for now and built by
// buildPutOff: when a database recovers they are built from all tuples at once, which are in the order of the primary key.
// With force_recovery they are filled row by row, because it leaves out the rows that do not go with them.
func (b *Box) putOffIndexes(space uint32) bool {
	return b.recovering && !b.Config.ForceRecovery && !IsSystem(space)
}

// buildPutOff builds the indexes that were put off.
func (b *Box) buildPutOff() error {
	spaces := slices.SortedFunc(maps.Values(b.catalog.spaces), func(a, b *Space) int { return cmp.Compare(a.ID, b.ID) })
	for _, s := range spaces {
		if !s.Mem.PrimaryOnly {
			continue
		}
		s.Mem.PrimaryOnly = false
		if s.Mem.Len(nil) == 0 || len(s.Mem.Indexes) < 2 {
			continue
		}
		b.info("Building secondary indexes in space '%s'...", s.Name)
		tuples, err := s.tuples()
		if err != nil {
			return err
		}
		for _, x := range s.Mem.Indexes[1:] {
			b.info("Adding %d keys to %s index '%s' ...", len(tuples), x.Type, x.Name)
		}
		if err := bulkLoadAll(s.Mem.Indexes[1:], tuples); err != nil {
			return err
		}
		b.info("Space '%s': done", s.Name)
	}
	return nil
}

// bulkLoadAll fills empty indexes, side by side as far as they need nothing but the tuples.
func bulkLoadAll(indexes []*memtx.Index, tuples []*tuple.Tuple) error {
	errs := make([]error, len(indexes))
	var wg sync.WaitGroup
	room := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, x := range indexes {
		if x.Def().Keys != nil { // calls a function, which wants the lock
			continue
		}
		wg.Go(func() {
			room <- struct{}{}
			errs[i] = x.BulkLoad(tuples)
			<-room
		})
	}
	wg.Wait()
	for i, x := range indexes {
		if x.Def().Keys != nil {
			errs[i] = x.BulkLoad(tuples)
		}
		if errs[i] != nil {
			return boxerr.From(errs[i])
		}
	}
	return nil
}

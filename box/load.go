package box

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"sync"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/tuple"
	"github.com/lycosadb/lycosa/xlog"
)

// bulkLoad takes the rows of a checkpoint. Those of system spaces are run one by one, for what they mean to the
// catalog; those of other spaces go straight into their primary indexes, as long as they are in order.
type bulkLoad struct {
	box      *Box
	ctx      *Ctx
	preparer *preparer
	space    *Space        // whose rows are taken
	loader   *index.Loader // of its primary index; nil if its rows are run one by one
	bytes    int64         // of its tuples
}

// row takes a row, with what was made of it.
func (l *bulkLoad) row(row *xlog.Row, made *prepared) error {
	if l.loader != nil && row.Type == iproto.TypeInsert && made.space == l.space.ID && made.fits(l.space) {
		l.loader.Add(made.tuple, made.hint)
		l.bytes += int64(made.size)
		return nil
	}
	body, err := decodeRow(row)
	if err != nil {
		return err
	}
	if IsSystem(body.space) || row.Type != iproto.TypeInsert {
		if err := l.end(); err != nil {
			return err
		}
		return l.box.Replay(l.ctx, row, true)
	}
	if l.space == nil || l.space.ID != body.space {
		if err := l.begin(body.space); err != nil {
			return err
		}
	}
	if l.loader == nil {
		return l.box.Replay(l.ctx, row, true)
	}
	t, err := l.box.newTuple(l.ctx, l.space, body.tuple)
	if err != nil {
		return err
	}
	l.loader.Add(t, l.space.Mem.Indexes[0].KeyDef.Hint(t))
	l.bytes += int64(t.Size())
	return nil
}

// begin begins to take the rows of another space.
func (l *bulkLoad) begin(space uint32) error {
	err := l.end()
	if err != nil {
		return err
	}
	sp, err := l.box.spaceByID(space)
	if err != nil {
		return err
	}
	l.space = sp
	if sp.Mem.Primary() != nil && sp.Virtual == nil && sp.Mem.Len(nil) == 0 && !l.box.hasTriggers(sp, &sp.OnReplace) {
		l.preparer.offer(sp)
		l.loader = index.NewLoader(sp.Mem.Indexes[0].Index)
	}
	return nil
}

// end builds the indexes of the space whose rows were taken.
func (l *bulkLoad) end() error {
	sp, loader, bytes := l.space, l.loader, l.bytes
	l.space, l.loader, l.bytes = nil, nil, 0
	if loader == nil || loader.Len() == 0 {
		return nil
	}
	if err := loader.End(); err != nil {
		return boxerr.From(err)
	}
	sp.Mem.SetBytes(bytes)
	if sp.Mem.PrimaryOnly || len(sp.Mem.Indexes) < 2 {
		return nil
	}
	tuples, err := sp.tuples()
	if err != nil {
		return err
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

package box

import (
	"slices"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
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
	for _, x := range sp.Mem.Indexes[1:] {
		if err := x.BulkLoad(slices.Clone(tuples)); err != nil {
			return boxerr.From(err)
		}
	}
	if err := sp.Mem.Indexes[0].BulkLoad(tuples); err != nil {
		return boxerr.From(err)
	}
	sp.Mem.SetBytes(bytes)
	return nil
}

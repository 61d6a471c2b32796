package box

import (
	"strconv"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// checkConstraints checks a tuple, which fits the format, against the constraints and foreign keys of its space.
func (b *Box) checkConstraints(c *Ctx, sp *Space, data []byte) error {
	var t *tuple.Tuple // made for the constraints of the whole tuple only
	for i := range sp.Constraints {
		con := &sp.Constraints[i]
		args := c.args[:0]
		if con.Field >= 0 {
			v := tuple.Field(data, con.Field)
			if v == nil || msgpack.TypeOf(v[0]) == msgpack.Nil {
				continue
			}
			args = append(args, v...)
		} else {
			if err := b.checkFieldForeignKeys(c, sp, data); err != nil {
				return err
			}
			if t == nil {
				t = tuple.NewFormat(sp.Mem.Format, data)
			}
			args = AppendTuple(args, t)
		}
		args = msgpack.AppendString(args, con.Name)
		c.args = nil // the function may come here again
		results, n, err := b.callFunc(c, con.Func.Ref, args, 2)
		c.args = args
		if err == nil && n > 0 {
			if v, _, ok := msgpack.ReadBool(results); ok && v {
				continue
			}
		}
		var e *boxerr.Error
		if con.Field >= 0 {
			e = boxerr.New(boxerr.FieldConstraintFailed, con.Name, fieldName(sp, con.Field), uint64(con.Field))
		} else {
			e = boxerr.New(boxerr.TupleConstraintFailed, con.Name)
		}
		if err != nil {
			e.Cause = boxerr.From(err)
		}
		return sp.withTuple(data, e)
	}
	if t == nil {
		if err := b.checkFieldForeignKeys(c, sp, data); err != nil {
			return err
		}
	}
	return b.checkTupleForeignKeys(c, sp, data)
}

// fieldName returns a field as error messages name it: its number from 1 with the name, if it has one.
func fieldName(sp *Space, n int) string {
	s := strconv.Itoa(n + 1)
	if f := sp.Mem.Format; f != nil && n < len(f.Fields) && f.Fields[n].Name != "" {
		s += " (" + f.Fields[n].Name + ")"
	}
	return s
}

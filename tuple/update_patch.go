package tuple

import "github.com/lycosadb/lycosa/msgpack"

// Most updates put other values in the place of some fields and go from the first fields to the last. Those are written
// from the beginning to the end, and nothing is taken apart.

// inPlace reports whether the operations are of that kind. None has run yet.
func (u *updater) inPlace() bool {
	last := -1
	for i := range u.ops {
		op := &u.ops[i]
		field := op.field
		if field < 0 {
			field += u.behind
		}
		if field <= last || field >= u.behind || !op.terminal() || op.code == '!' || op.code == '#' {
			return false
		}
		last = field
	}
	return true
}

// patch performs operations that are in place and appends the result to dst. size is about how much longer that is than
// the tuple at most.
func (u *updater) patch(dst, data []byte, size int, skip bool) ([]byte, uint64, error) {
	if dst == nil {
		dst = make([]byte, 0, len(data)+size)
	}
	dst = msgpack.AppendArrayHeader(dst, u.behind)
	rest, at := u.tail, 0
	for i := range u.ops {
		op := &u.ops[i]
		if err := op.find(u.behind); err != nil {
			return nil, 0, withTuple(err, data)
		}
		v, _ := msgpack.SkipN(rest, op.field-at)
		dst = append(dst, rest[:len(rest)-len(v)]...)
		old := value(v)
		rest, at = v[len(old):], op.field+1
		if op.code == '=' {
			dst = append(dst, op.arg...)
		} else if made, err := op.compute(dst, old); err == nil {
			dst = made
		} else if skip {
			dst = append(dst, old...)
			continue
		} else {
			return nil, 0, withTuple(err, data)
		}
		u.mark(op.field, false)
	}
	return append(dst, rest...), u.changed, nil
}

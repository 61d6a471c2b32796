package box

import (
	"strconv"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// fillDefaults puts the defaults into a statement's tuple where it has nil or nothing.
func (b *Box) fillDefaults(c *Ctx, s *statement) error {
	count, rest, ok := msgpack.ReadArrayHeader(s.tuple)
	if !ok {
		return boxerr.New(boxerr.TupleNotArray)
	}
	defaults := s.space.Defaults
	last := defaults[len(defaults)-1].Field
	if count > last {
		missing := false
		for i := range defaults {
			if v := tuple.Field(s.tuple, defaults[i].Field); v == nil || msgpack.TypeOf(v[0]) == msgpack.Nil {
				missing = true
				break
			}
		}
		if !missing {
			return nil
		}
	}
	out := msgpack.AppendArrayHeader(make([]byte, 0, len(s.tuple)+64), max(count, last+1))
	for i := range max(count, last+1) {
		value := []byte(nil)
		if i < count {
			end, ok := msgpack.Skip(rest)
			if !ok {
				return boxerr.New(boxerr.InvalidMsgpack, "tuple")
			}
			value, rest = rest[:len(rest)-len(end)], end
		}
		if value == nil || msgpack.TypeOf(value[0]) == msgpack.Nil {
			if len(defaults) > 0 && defaults[0].Field == i {
				v, err := b.defaultValue(c, &defaults[0])
				if err != nil {
					return err
				}
				out = append(out, v...)
			} else {
				out = msgpack.AppendNil(out)
			}
		} else {
			out = append(out, value...)
		}
		if len(defaults) > 0 && defaults[0].Field == i {
			defaults = defaults[1:]
		}
	}
	s.tuple = out
	return nil
}

// defaultValue makes the value of one default.
func (b *Box) defaultValue(c *Ctx, d *Default) ([]byte, error) {
	if d.Func == nil {
		return d.Value, nil
	}
	nargs := 0
	if d.Value != nil {
		nargs = 1
	}
	results, n, err := b.callFunc(c, d.Func.Ref, d.Value, nargs)
	if err != nil {
		cause := boxerr.From(err)
		e := boxerr.New(boxerr.DefaultFuncFailed, d.Func.Name, cause.Message)
		e.Cause = cause
		return nil, e
	}
	if n != 1 {
		return nil, boxerr.New(boxerr.DefaultFuncFailed, d.Func.Name, "expected 1 return value, got "+strconv.Itoa(n))
	}
	if t, _, ok := readTuple(results); ok {
		return t.Data(), nil
	}
	return results, nil
}

// fillFromSequence puts the next value of the space's sequence in the place of a nil. A number that is there
// moves the sequence on instead.
func (b *Box) fillFromSequence(c *Ctx, s *statement) error {
	sp := s.space
	if !sp.SequenceGenerated {
		if err := c.CheckSequence(sp.Sequence, Write); err != nil {
			return err
		}
	}
	v := seekPath(s.tuple, sp.SequenceField, sp.SequencePath)
	if v == nil {
		return nil
	}
	if n, _, ok := msgpack.ReadInt(v); ok {
		sp.Sequence.Advance(n)
		return nil
	}
	if msgpack.TypeOf(v[0]) != msgpack.Nil {
		return nil
	}
	n, err := sp.Sequence.Next()
	if err != nil {
		return err
	}
	out := append(c.data[:0], s.tuple[:len(s.tuple)-len(v)]...)
	out = msgpack.AppendInt(out, n)
	out = append(out, v[1:]...)
	c.data = nil // a trigger may insert on behalf of c meanwhile
	s.tuple, s.scratch = out, out
	return nil
}

// seekPath returns the bytes of a tuple from the value on that a path in a field leads to, nil when there is none.
func seekPath(data []byte, field int, path string) []byte {
	count, v, ok := msgpack.ReadArrayHeader(data)
	if !ok || field >= count {
		return nil
	}
	if v, ok = msgpack.SkipN(v, field); !ok || path == "" {
		return v
	}
	tokens, _ := tuple.ParsePath(path)
	for _, tok := range tokens {
		if v = step(v, tok); v == nil {
			return nil
		}
	}
	return v
}

// step goes from a value to one inside of it.
func step(v []byte, tok tuple.PathToken) []byte {
	switch tok.Kind {
	case tuple.TokenIndex:
		n, items, ok := msgpack.ReadArrayHeader(v)
		if ok && tok.Index < n {
			v, _ = msgpack.SkipN(items, tok.Index)
			return v
		}
	case tuple.TokenKey:
		n, pairs, _ := msgpack.ReadMapHeader(v)
		for range n {
			key, value, ok := msgpack.ReadString(pairs)
			if ok && string(key) == tok.Key {
				return value
			}
			if pairs, ok = msgpack.SkipN(pairs, 2); !ok {
				return nil
			}
		}
	}
	return nil
}

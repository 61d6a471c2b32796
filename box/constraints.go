package box

import (
	"strconv"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/memtx"
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

func (b *Box) checkFieldForeignKeys(c *Ctx, sp *Space, data []byte) error {
	for _, fk := range sp.ForeignKeys {
		if fk.Field < 0 {
			continue
		}
		v := tuple.Field(data, fk.Field)
		if v == nil || msgpack.TypeOf(v[0]) == msgpack.Nil {
			continue
		}
		if reason := b.lookUpForeign(c, fk, data); reason != "" {
			e := boxerr.New(boxerr.FieldForeignKeyFailed, fk.Name, fieldName(sp, fk.Field), reason, uint64(fk.Field))
			return sp.withTuple(data, e)
		}
	}
	return nil
}

func (b *Box) checkTupleForeignKeys(c *Ctx, sp *Space, data []byte) error {
	for _, fk := range sp.ForeignKeys {
		if fk.Field >= 0 {
			continue
		}
		if reason := b.lookUpForeign(c, fk, data); reason != "" {
			return sp.withTuple(data, boxerr.New(boxerr.ComplexForeignKeyFailed, fk.Name, reason))
		}
	}
	return nil
}

// lookUpForeign returns why the tuple that a foreign key leads to was not found, "" when it was.
func (b *Box) lookUpForeign(c *Ctx, fk *ForeignKey, data []byte) string {
	parent := fk.Child
	if fk.ParentID != 0 {
		parent = b.catalog.spaces[fk.ParentID]
	}
	if parent == nil {
		return "foreign space was not found"
	}
	x, order := parent.indexOver(fk.ParentFields, true)
	if x == nil {
		return "foreign index was not found"
	}
	key := c.ref[:0]
	for _, i := range order {
		v := tuple.Field(data, fk.ChildFields[i])
		if v == nil || fk.ChildFields[i] < 0 {
			return "extract key failed"
		}
		key = append(key, v...)
	}
	c.ref = key
	if x.KeyDef.ValidateKey(key, len(order), false) != nil {
		return "wrong key type"
	}
	if parent.Mem.Get(c.Txn, x, key, len(order)) == nil {
		return "foreign tuple was not found"
	}
	return ""
}

// indexOver finds an index whose first parts are the given fields in any order. A unique one must have no
// other parts. order[i] is the place in fields of the index's part i.
func (sp *Space) indexOver(fields []int, unique bool) (x *memtx.Index, order []int) {
next:
	for _, x := range sp.Mem.Indexes {
		parts := x.KeyDef.Parts
		if len(parts) < len(fields) || unique && (!x.Unique || len(parts) != len(fields)) || x.Type == index.Bitset || x.Type == index.RTree {
			continue
		}
		if !unique && x.Type == index.Hash && len(parts) != len(fields) {
			continue
		}
		order = order[:0]
		for _, p := range parts[:len(fields)] {
			at := -1
			for i, f := range fields {
				if f == p.Field && p.Path == "" {
					at = i
				}
			}
			if at < 0 {
				continue next
			}
			order = append(order, at)
		}
		return x, order
	}
	return nil, nil
}

// checkReferences refuses to take a tuple away to which a foreign key of another tuple leads.
func (b *Box) checkReferences(c *Ctx, sp *Space, old, new *tuple.Tuple) error {
	for _, fk := range sp.ReferencedBy {
		if new != nil && sameFields(old, new, fk.ParentFields) {
			continue
		}
		if reason := b.lookUpReference(c, fk, old); reason != "" {
			return boxerr.New(boxerr.ForeignKeyIntegrity, fk.Name, reason).With("name", fk.Name)
		}
	}
	return nil
}

func sameFields(a, b *tuple.Tuple, fields []int) bool {
	for _, f := range fields {
		if f < 0 || string(a.Field(f)) != string(b.Field(f)) {
			return false
		}
	}
	return true
}

// lookUpReference returns why a tuple of the parent space may not go, "" when it may.
func (b *Box) lookUpReference(c *Ctx, fk *ForeignKey, old *tuple.Tuple) string {
	x, order := fk.Child.indexOver(fk.ChildFields, false)
	if x == nil {
		return "index was not found"
	}
	key := c.ref[:0]
	for _, i := range order {
		v := old.Field(fk.ParentFields[i])
		if v == nil || msgpack.TypeOf(v[0]) == msgpack.Nil {
			return ""
		}
		key = append(key, v...)
	}
	c.ref = key
	if x.KeyDef.ValidateKey(key, len(order), true) != nil {
		return ""
	}
	found, err := fk.Child.Mem.Select(c.Txn, x, nil, index.EQ, key, len(order), nil, 0, 1)
	if err != nil {
		return err.Error()
	}
	if len(found) > 0 {
		return "tuple is referenced"
	}
	return ""
}

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

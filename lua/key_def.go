//go:build cgo

package lua

import (
	"cmp"
	"slices"
	"strings"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

func init() { modules = append(modules, registerKeyDef) }

// keyDefs are the key definitions that Lua programs have made, by number, with a format that has their fields. Guarded by
// the cord's lock.
type keyDefs struct {
	next uint32
	by   map[uint32]*keyDef
}

type keyDef struct {
	*tuple.KeyDef
	format *tuple.Format // nil for fields that no index may have, because a format has a place for each field before
}

// check checks that a tuple has the fields of the key.
func (k *keyDef) check(data []byte) error {
	if k.format == nil {
		return k.ValidateTuple(data)
	}
	return k.format.Check(data)
}

// registerKeyDef registers what builtin/key_def.lua stands on.
func registerKeyDef(s *State) {
	d := &keyDefs{by: map[uint32]*keyDef{}}
	s.Func("key_def.new", func(c *luajit.Call) error {
		parts, err := partsOf(c)
		if err != nil {
			return err
		}
		k, err := tuple.NewKeyDef(parts)
		if err != nil {
			return err
		}
		return d.push(c, k)
	})
	s.Func("key_def.free", func(c *luajit.Call) error {
		delete(d.by, uint32(c.Uint()))
		return nil
	})
	s.Func("key_def.merge", func(c *luajit.Call) error {
		a, b := d.by[uint32(c.Uint())], d.by[uint32(c.Uint())]
		return d.push(c, a.Merge(b.KeyDef))
	})
	s.Func("key_def.parts", func(c *luajit.Call) error {
		k := d.by[uint32(c.Uint())]
		c.Out = msgpack.AppendArrayHeader(c.Out, len(k.Parts))
		for i := range k.Parts {
			c.Out = appendPart(c.Out, &k.Parts[i])
		}
		c.NOut++
		return nil
	})
	s.Func("key_def.extract", func(c *luajit.Call) error {
		k, t := d.by[uint32(c.Uint())], c.Raw()
		if err := k.ValidateTuple(t); err != nil {
			return err
		}
		pushNew(c, k.ExtractKey(nil, tuple.New(t)), 0)
		return nil
	})
	s.Func("key_def.compare", func(c *luajit.Call) error {
		k, a, b := d.by[uint32(c.Uint())], c.Raw(), c.Raw()
		for _, t := range [][]byte{a, b} {
			if err := k.ValidateTuple(t); err != nil {
				return err
			}
		}
		c.PushInt(int64(cmp.Compare(k.Compare(tuple.New(a), tuple.New(b)), 0)))
		return nil
	})
	s.Func("key_def.compare_with_key", func(c *luajit.Call) error {
		k, t, key := d.by[uint32(c.Uint())], c.Raw(), c.Raw()
		if err := k.ValidateTuple(t); err != nil {
			return err
		}
		n, values, _ := msgpack.ReadArrayHeader(key)
		if err := k.ValidateKey(values, n, true); err != nil {
			return err
		}
		c.PushInt(int64(cmp.Compare(k.CompareKey(tuple.New(t), values, n), 0)))
		return nil
	})
	s.Func("key_def.compare_keys", func(c *luajit.Call) error {
		k := d.by[uint32(c.Uint())]
		an, a, _ := msgpack.ReadArrayHeader(c.Raw())
		bn, b, _ := msgpack.ReadArrayHeader(c.Raw())
		if err := k.ValidateKey(a, an, true); err != nil {
			return err
		}
		if err := k.ValidateKey(b, bn, true); err != nil {
			return err
		}
		n := min(an, bn)
		c.PushInt(int64(cmp.Compare(k.CompareKeys(a, n, b, n), 0)))
		return nil
	})
	s.Func("key_def.validate_key", func(c *luajit.Call) error {
		k := d.by[uint32(c.Uint())]
		n, values, _ := msgpack.ReadArrayHeader(c.Raw())
		return k.ValidateKey(values, n, !c.Bool())
	})
	s.Func("key_def.validate_tuple", func(c *luajit.Call) error {
		return d.by[uint32(c.Uint())].ValidateTuple(c.Raw())
	})
	// key_def.tuple(number, array) makes a tuple that a merger can order.
	s.Func("key_def.tuple", func(c *luajit.Call) error {
		k, data := d.by[uint32(c.Uint())], c.Raw()
		if err := k.check(data); err != nil {
			return err
		}
		pushNew(c, data, 0)
		return nil
	})
	s.Func("key_def.order", func(c *luajit.Call) error {
		k, a, b := d.by[uint32(c.Uint())], c.Raw(), c.Raw()
		c.PushInt(int64(cmp.Compare(k.Compare(tuple.New(a), tuple.New(b)), 0)))
		return nil
	})
}

func (d *keyDefs) push(c *luajit.Call, k *tuple.KeyDef) error {
	if k.Multikey {
		return boxerr.Illegal("multikey path is not supported")
	}
	made := &keyDef{KeyDef: k}
	if !slices.ContainsFunc(k.Parts, func(p tuple.KeyPart) bool { return p.Field > box.IndexFieldMax }) {
		var err error
		if made.format, err = tuple.NewFormatOf(nil, 0, []*tuple.KeyDef{k}); err != nil {
			return err
		}
	}
	d.next++
	d.by[d.next] = made
	c.PushUint(uint64(d.next))
	return nil
}

// partsOf reads a list of parts. Each is a table with field (from 1) and type, and what else a part may have.
func partsOf(c *luajit.Call) ([]tuple.KeyPart, error) {
	v, err := c.Value()
	if err != nil {
		return nil, err
	}
	list, _ := v.([]any)
	if len(list) == 0 {
		return nil, boxerr.Illegal("Key definition can only be constructed by using at least 1 key_part")
	}
	parts := make([]tuple.KeyPart, 0, len(list))
	for _, item := range list {
		p, err := partOf(namedFields(item))
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func partOf(fields map[string]any) (p tuple.KeyPart, err error) {
	number := fields["fieldno"]
	if field := fields["field"]; number == nil {
		number = field
	} else if field != nil {
		return p, boxerr.Illegal("Conflicting options: fieldno and field")
	}
	if number == nil {
		return p, boxerr.Illegal("fieldno or field must not be nil")
	}
	if p.Field = (arguments{number}).number(0) - 1; p.Field < 0 {
		return p, boxerr.Illegal("fieldno must be positive")
	}
	if fields["type"] == nil {
		return p, boxerr.Illegal("type must not be nil")
	}
	name, _ := fields["type"].(string)
	var ok bool
	if p.Type, ok = tuple.FieldTypeByName(name); !ok {
		return p, boxerr.Illegal("Unknown field type: %s", name)
	}
	p.Nullable, _ = fields["is_nullable"].(bool)
	p.ExcludeNull, _ = fields["exclude_null"].(bool)
	if nullable, given := fields["is_nullable"].(bool); given && !nullable && p.ExcludeNull {
		return p, boxerr.Illegal("exclude_null=true and is_nullable=false are incompatible")
	}
	if order, _ := fields["sort_order"].(string); order != "" {
		switch strings.ToLower(order) {
		case "asc":
		case "desc":
			p.Desc = true
		default:
			return p, boxerr.Illegal("Unknown sort order: %s", order)
		}
	}
	p.Path, _ = fields["path"].(string)
	id, collation := fields["collation_id"], fields["collation"]
	switch {
	case id != nil && collation != nil:
		return p, boxerr.Illegal("Conflicting options: collation_id and collation")
	case id != nil:
		if p.Collation = tuple.CollationByID(uint32((arguments{id}).number(0))); p.Collation == nil {
			return p, boxerr.Illegal("Unknown collation_id: %v", id)
		}
	case collation != nil:
		name, _ := collation.(string)
		if p.Collation = tuple.CollationByName(name); p.Collation == nil {
			return p, boxerr.Illegal("Unknown collation: %q", name)
		}
	}
	if p.Collation != nil && p.Type != tuple.String && p.Type != tuple.Scalar && p.Type != tuple.Any {
		return p, boxerr.Illegal("collation is reasonable only for string and scalar parts")
	}
	return p, nil
}

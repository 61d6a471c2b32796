package box

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// atomic runs f in the open transaction, or in one of its own: with all of its statements or, when it fails, none.
func (b *Box) atomic(c *Ctx, f func() error) error {
	if c.Txn != nil {
		p := c.Txn.Savepoint("")
		err := f()
		if err != nil {
			c.Txn.RollbackTo(p)
		}
		c.Txn.Release(p)
		return err
	}
	b.begin(c)
	if err := f(); err != nil {
		b.abort(c)
		return err
	}
	return b.commit(c)
}

// asAdmin runs f with all rights.
func (b *Box) asAdmin(c *Ctx, f func() error) error { return c.As(b.UserByID(AdminID), f) }

// key makes a key, a MessagePack array of the given parts.
func key(parts ...any) []byte { return encode(parts) }

// encode makes MessagePack of values that can always be encoded.
func encode(values []any) []byte {
	b, err := msgpack.Append(nil, values)
	if err != nil { // cannot be: there are only numbers, texts, maps and arrays
		return msgpack.AppendArrayHeader(nil, 0)
	}
	return b
}

// emptyMap and emptyArray stand where a definition has nothing to say.
var (
	emptyMap   = msgpack.Raw(msgpack.AppendMapHeader(nil, 0))
	emptyArray = msgpack.Raw(msgpack.AppendArrayHeader(nil, 0))
)

// rows returns the rows of a system space or view whose key of the given index begins with the given one.
func (b *Box) rows(c *Ctx, space, id uint32, key []byte) ([]*tuple.Tuple, error) {
	return b.Select(c, &SelectRequest{Space: space, Index: id, Iterator: index.EQ, Key: key, Limit: 1<<32 - 1}, nil)
}

// find returns the row of a system view with a name, nil when there is none or the user may not see it. Everything
// that has a name has it in field 2, and in index 2; a collation in field and index 1.
func (b *Box) find(c *Ctx, view uint32, name string) (*tuple.Tuple, error) {
	index := uint32(2)
	if view == VCollationID {
		index = 1
	}
	return b.Get(c, view, index, key(name))
}

// insertNumbered inserts a row whose first field is a new number, and returns that. Whoever inserts must be allowed
// to read the space.
func (b *Box) insertNumbered(c *Ctx, space uint32, rest ...any) (uint32, error) {
	id, err := b.nextID(c, space)
	if err != nil {
		return 0, err
	}
	_, err = b.Insert(c, space, encode(append([]any{uint64(id)}, rest...)))
	return id, err
}

// revokeAll takes all rights on an object from everybody.
func (b *Box) revokeAll(c *Ctx, typ ObjectType, id uint32) error {
	rows, err := b.rows(c, VPrivID, 2, key(typ.String(), uint64(id)))
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := b.deleteGrant(c, row); err != nil {
			return err
		}
	}
	return nil
}

// deleteGrant deletes a row of _priv.
func (b *Box) deleteGrant(c *Ctx, row *tuple.Tuple) error {
	k := msgpack.AppendArrayHeader(nil, 3)
	for _, field := range []int{privFieldGrantee, privFieldType, privFieldObject} {
		k = append(k, row.Field(field)...)
	}
	_, err := b.Delete(c, PrivID, 0, k)
	return err
}

// mergeOptions returns a map of options with changes. A change to false removes the option when drop says so.
func mergeOptions(m, changes []byte, drop bool) (msgpack.Raw, error) {
	type pair struct{ key, value []byte }
	var pairs []pair
	read := func(m []byte, set func(key, value []byte)) error {
		n, m, ok := msgpack.ReadMapHeader(m)
		for ; ok && n > 0; n-- {
			var key, value, rest []byte
			if rest, ok = msgpack.Skip(m); !ok {
				break
			}
			key, m = m[:len(m)-len(rest)], rest
			if rest, ok = msgpack.Skip(m); !ok {
				break
			}
			value, m = m[:len(m)-len(rest)], rest
			set(key, value)
		}
		if !ok {
			return boxerr.Illegal("options should be a map")
		}
		return nil
	}
	if err := read(m, func(key, value []byte) { pairs = append(pairs, pair{key, value}) }); err != nil {
		return nil, err
	}
	err := read(changes, func(key, value []byte) {
		for i := range pairs {
			if string(pairs[i].key) == string(key) {
				pairs[i].value = value
				return
			}
		}
		pairs = append(pairs, pair{key, value})
	})
	if err != nil {
		return nil, err
	}
	if drop {
		kept := pairs[:0]
		for _, p := range pairs {
			if v, _, ok := msgpack.ReadBool(p.value); !ok || v {
				kept = append(kept, p)
			}
		}
		pairs = kept
	}
	out := msgpack.AppendMapHeader(nil, len(pairs))
	for _, p := range pairs {
		out = append(append(out, p.key...), p.value...)
	}
	return out, nil
}

//go:build cgo

package lua

import (
	"strconv"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// The first argument is always the number of a space.
func (f *boxFace) registerSpace() {
	f.write("space_insert", func(c *luajit.Call, ctx *box.Ctx) error {
		t, err := f.Box.Insert(ctx, id(c), tupleArg(c))
		return pushFound(c, t, err)
	})
	f.write("space_replace", func(c *luajit.Call, ctx *box.Ctx) error {
		t, err := f.Box.Replace(ctx, id(c), tupleArg(c))
		return pushFound(c, t, err)
	})
	f.write("space_upsert", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.Upsert(ctx, id(c), tupleArg(c), tupleArg(c), 1)
	})
	f.fn("space_len", func(c *luajit.Call, ctx *box.Ctx) error {
		sp, err := f.space(id(c))
		if err != nil {
			return err
		}
		n := 0
		if sp.Mem.Primary() != nil {
			n, err = f.Box.Len(ctx, sp.ID, 0)
		}
		c.PushUint(uint64(n))
		return err
	})
	f.fn("space_bsize", func(c *luajit.Call, _ *box.Ctx) error {
		n, err := f.Box.Bsize(id(c))
		c.PushInt(n)
		return err
	})
	f.fn("space_stat", func(c *luajit.Call, _ *box.Ctx) error {
		n, err := f.Box.Bsize(id(c))
		if err != nil {
			return err
		}
		return c.Push(map[string]any{"tuple": map[string]any{"memtx": map[string]any{"data_size": n}}})
	})
	f.fn("space_run_triggers", func(c *luajit.Call, _ *box.Ctx) error {
		sp, err := f.space(id(c))
		if err != nil {
			return err
		}
		sp.TriggersOff = !c.Bool()
		return nil
	})
	f.fn("space_frommap", f.tupleFromMap)
}

// space returns a space or the error NO_SUCH_SPACE.
func (f *boxFace) space(id uint32) (*box.Space, error) {
	if sp := f.Box.SpaceByID(id); sp != nil {
		return sp, nil
	}
	return nil, boxerr.New(boxerr.NoSuchSpace, strconv.FormatUint(uint64(id), 10))
}

// tupleFromMap takes a map of values by field names, and whether a table is wanted instead of a tuple. What is wrong
// with the map is returned as text behind nil.
func (f *boxFace) tupleFromMap(c *luajit.Call, _ *box.Ctx) error {
	sp, err := f.space(id(c))
	if err != nil {
		return err
	}
	m, asTable := c.Raw(), c.Bool()
	format := sp.Mem.Format
	fields, unknown := fieldsOfMap(format, m)
	if unknown != "" {
		c.PushNil()
		c.PushString("Unknown field '" + unknown + "'")
		return nil
	}
	data := msgpack.AppendArrayHeader(nil, len(fields))
	for _, v := range fields {
		if v == nil {
			v = nilField
		}
		data = append(data, v...)
	}
	formatID := uint32(0)
	if format != nil {
		formatID = format.ID
		if err := format.Check(data); err != nil {
			c.PushNil()
			c.PushString(boxerr.From(err).Message)
			return nil
		}
	}
	if asTable {
		c.PushRaw(appendTable(nil, fields))
	} else {
		pushNew(c, data, formatID)
	}
	return nil
}

var nilField = []byte{0xc0}

// fieldsOfMap places the values of a map by the names of a format. A field that is not given is nil. unknown is a key
// that is no field's name.
func fieldsOfMap(format *tuple.Format, m []byte) (fields [][]byte, unknown string) {
	n, rest, ok := msgpack.ReadMapHeader(m)
	if !ok {
		// A list has numbers for names. An empty table is one.
		if n, _, _ := msgpack.ReadArrayHeader(m); n > 0 {
			return nil, "1"
		}
		return nil, ""
	}
	for range n {
		var key, value []byte
		key, rest = split(rest)
		value, rest = split(rest)
		name, _, _ := msgpack.ReadString(key)
		no, known := 0, false
		if format != nil {
			no, known = format.FieldByName(string(name))
		}
		if !known {
			return nil, string(name)
		}
		for len(fields) <= no {
			fields = append(fields, nil)
		}
		fields[no] = value
	}
	return fields, ""
}

// appendTable appends a map of the fields that are given, by their numbers from 1.
func appendTable(b []byte, fields [][]byte) []byte {
	n := 0
	for _, v := range fields {
		if v != nil {
			n++
		}
	}
	b = msgpack.AppendMapHeader(b, n)
	for i, v := range fields {
		if v != nil {
			b = append(msgpack.AppendUint(b, uint64(i+1)), v...)
		}
	}
	return b
}

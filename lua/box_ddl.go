//go:build cgo

package lua

import (
	"strconv"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

func (f *boxFace) registerDDL() {
	f.write("schema_upgrade", func(c *luajit.Call, ctx *box.Ctx) error { return f.Box.UpgradeSchema(ctx) })
	f.write("schema_downgrade", func(c *luajit.Call, ctx *box.Ctx) error { return f.Box.DowngradeSchema(ctx, c.Str()) })
	f.fn("schema_downgrade_issues", func(c *luajit.Call, ctx *box.Ctx) error {
		list, err := f.Box.DowngradeIssues(ctx, c.Str())
		if err != nil {
			return err
		}
		pushTexts(c, list)
		return nil
	})
	f.fn("schema_downgrade_versions", func(c *luajit.Call, _ *box.Ctx) error {
		pushTexts(c, box.DowngradeVersions())
		return nil
	})
	f.write("collation_create", func(c *luajit.Call, ctx *box.Ctx) error {
		name, typ, locale, options := c.Str(), c.Str(), c.Str(), make(map[string]string)
		eachEntry(c.Raw(), func(option string, value []byte) {
			text, _, _ := msgpack.ReadString(value)
			options[option] = string(text)
		})
		return f.Box.CreateCollation(ctx, name, typ, locale, options)
	})
	f.write("collation_drop", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.DropCollation(ctx, c.Str())
	})
	f.write("space_create", f.createSpace)
	f.write("space_drop", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.DropSpace(ctx, id(c), c.Str(), c.Bool())
	})
	f.write("space_rename", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.RenameSpace(ctx, id(c), c.Str())
	})
	f.write("space_alter", f.alterSpace)
	f.fn("space_format", func(c *luajit.Call, ctx *box.Ctx) error {
		number := id(c)
		row, err := f.Box.Get(ctx, box.VSpaceID, 0, keyOf(uint64(number)))
		if err != nil {
			return err
		}
		if row == nil {
			return boxerr.New(boxerr.NoSuchSpace, "#"+itoa(number))
		}
		c.PushRaw(row.Field(spaceFieldFormat))
		return nil
	})
	f.write("space_truncate", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.Truncate(ctx, id(c))
	})
	f.write("index_create", f.createIndex)
	f.write("index_alter", f.alterIndex)
	f.write("index_rename", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.RenameIndex(ctx, id(c), id(c), c.Str())
	})
	f.write("index_drop", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.DropIndex(ctx, id(c), id(c))
	})
}

// Fields of _space.
const (
	spaceFieldFlags  = 5
	spaceFieldFormat = 6
)

// keyOf makes a key of numbers.
func keyOf(parts ...uint64) []byte {
	b := msgpack.AppendArrayHeader(nil, len(parts))
	for _, p := range parts {
		b = msgpack.AppendUint(b, p)
	}
	return b
}

func itoa(id uint32) string { return strconv.FormatUint(uint64(id), 10) }

// optionalID reads a number that may be nil.
func optionalID(c *luajit.Call) *uint32 {
	if c.IsNil() {
		return nil
	}
	n := number32(c)
	return &n
}

// optionalRaw reads a value that may be nil.
func optionalRaw(c *luajit.Call) []byte {
	if c.IsNil() {
		return nil
	}
	return c.Raw()
}

// optional reads a value that may be nil.
func optional[T any](c *luajit.Call, read func() T) *T {
	if c.IsNil() {
		return nil
	}
	v := read()
	return &v
}

// createSpace takes the number and the owner, which may be nil, and then the rest of the row of _space. It returns the
// number, or nothing when a trigger kept the space back.
func (f *boxFace) createSpace(c *luajit.Call, ctx *box.Ctx) error {
	spec := box.SpaceSpec{ID: optionalID(c), Owner: optionalID(c)}
	name := c.Str()
	spec.Engine, spec.FieldCount = c.Str(), c.Int()
	spec.Flags, spec.Format = c.Raw(), c.Raw()
	sp, err := f.Box.CreateSpace(ctx, name, spec)
	if err != nil {
		return err
	}
	if sp != nil {
		c.PushUint(uint64(sp.ID))
	}
	return nil
}

// alterSpace takes the number of a space and its new name, owner, field count, flags and format. What is nil stays.
func (f *boxFace) alterSpace(c *luajit.Call, ctx *box.Ctx) error {
	return f.Box.AlterSpace(ctx, id(c), box.SpaceChange{
		Name:       optional(c, c.Str),
		Owner:      optionalID(c),
		FieldCount: optional(c, c.Int),
		Flags:      optionalRaw(c),
		Format:     optionalRaw(c),
	})
}

// sequenceSpec reads what Lua says of the sequence of an index: nil leaves things as they are, false takes the sequence
// away, a map has the number of the sequence, or none for a new one, and the field with its path, or none for the first
// part.
func sequenceSpec(c *luajit.Call) (spec *box.SequenceSpec, none bool) {
	raw := c.Raw()
	if len(raw) == 0 || msgpack.TypeOf(raw[0]) != msgpack.Map {
		return nil, len(raw) > 0 && msgpack.TypeOf(raw[0]) == msgpack.Bool
	}
	spec = new(box.SequenceSpec)
	if v, _, ok := msgpack.ReadUint(mapValue(raw, "id")); ok {
		spec.ID = uint32(v)
	}
	if v, _, ok := msgpack.ReadUint(mapValue(raw, "field")); ok {
		field := uint32(v)
		spec.Field = &field
	}
	path, _, _ := msgpack.ReadString(mapValue(raw, "path"))
	spec.Path = string(path)
	return spec, false
}

// createIndex takes the number of a space, that of the index, which may be nil, its name, type, options and parts as
// _index holds them, and the sequence. It returns the number of the index.
func (f *boxFace) createIndex(c *luajit.Call, ctx *box.Ctx) error {
	space := id(c)
	spec := box.IndexSpec{ID: optionalID(c)}
	name := c.Str()
	spec.Type, spec.Options, spec.Parts = c.Str(), c.Raw(), c.Raw()
	spec.Sequence, _ = sequenceSpec(c)
	number, err := f.Box.CreateIndex(ctx, space, name, spec)
	if err != nil {
		return err
	}
	c.PushUint(uint64(number))
	return nil
}

// alterIndex takes the numbers of a space and an index, and the new number, name, type, options, parts and sequence.
// What is nil stays.
func (f *boxFace) alterIndex(c *luajit.Call, ctx *box.Ctx) error {
	space, number := id(c), id(c)
	change := box.IndexChange{
		ID:      optionalID(c),
		Name:    optional(c, c.Str),
		Type:    c.Str(),
		Options: optionalRaw(c),
		Parts:   optionalRaw(c),
	}
	change.Sequence, change.NoSequence = sequenceSpec(c)
	return f.Box.AlterIndex(ctx, space, number, change)
}

// pushTexts returns a list of texts.
func pushTexts(c *luajit.Call, list []string) {
	c.Out = msgpack.AppendArrayHeader(c.Out, len(list))
	for _, text := range list {
		c.Out = msgpack.AppendString(c.Out, text)
	}
	c.NOut++
}

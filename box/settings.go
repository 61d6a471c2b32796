package box

import (
	"bytes"
	"slices"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// setting is one of the settings that every session has a value of.
type setting struct {
	name string
	// value is the default in MessagePack, whose type all values must have.
	value []byte
}

var (
	encodedFalse = msgpack.AppendBool(nil, false)
	encodedTrue  = msgpack.AppendBool(nil, true)
)

// sessionSettings are the settings, ordered by name.
var sessionSettings = []setting{
	{"sql_default_engine", msgpack.AppendString(nil, engineMemtx)},
	{"sql_full_column_names", encodedFalse},
	{"sql_full_metadata", encodedFalse},
	{"sql_parser_debug", encodedFalse},
	{"sql_recursive_triggers", encodedTrue},
	{"sql_reverse_unordered_selects", encodedFalse},
	{"sql_select_debug", encodedFalse},
	{"sql_seq_scan", encodedFalse},
	{"sql_vdbe_debug", encodedFalse},
}

// Setting returns a session's value of a setting as MessagePack, nil when there is no such setting.
func (s *Session) Setting(name string) []byte {
	if v, ok := s.Settings[name]; ok {
		return v
	}
	for i := range sessionSettings {
		if sessionSettings[i].name == name {
			return sessionSettings[i].value
		}
	}
	return nil
}

// SetSetting changes a session's value of a setting. The errors are NO_SUCH_SESSION_SETTING, NO_SUCH_ENGINE and
// SESSION_SETTING_INVALID_VALUE.
func (s *Session) SetSetting(name string, value []byte) error {
	i := slices.IndexFunc(sessionSettings, func(x setting) bool { return x.name == name })
	if i < 0 {
		return boxerr.New(boxerr.NoSuchSessionSetting, name)
	}
	want := msgpack.TypeOf(sessionSettings[i].value[0])
	if len(value) == 0 || msgpack.TypeOf(value[0]) != want {
		typ := "boolean"
		if want == msgpack.String {
			typ = "string"
		}
		return boxerr.New(boxerr.SessionSettingInvalidValue, name, typ)
	}
	if want == msgpack.String {
		engine, _, _ := msgpack.ReadString(value)
		if string(engine) != engineMemtx && string(engine) != "vinyl" {
			return boxerr.New(boxerr.NoSuchEngine, string(engine))
		}
	}
	if s.Settings == nil {
		s.Settings = make(map[string][]byte)
	}
	s.Settings[name] = bytes.Clone(value)
	return nil
}

// settings stands in for the data of _session_settings: the settings of the session that asks.
type settings struct{}

func (settings) row(c *Ctx, name string) *tuple.Tuple {
	v := c.Session.Setting(name)
	if v == nil {
		return nil
	}
	data := msgpack.AppendArrayHeader(nil, 2)
	data = msgpack.AppendString(data, name)
	data = append(data, v...)
	if s := c.box.SpaceByID(SessionSettingsID); s != nil {
		return tuple.NewFormat(s.Mem.Format, data)
	}
	return tuple.New(data)
}

func (v settings) Get(c *Ctx, x *memtx.Index, key []byte, n int) (*tuple.Tuple, error) {
	name, _, _ := msgpack.ReadString(key)
	return v.row(c, string(name)), nil
}

func (v settings) Iterate(c *Ctx, x *memtx.Index, typ index.IteratorType, key []byte, n int, after index.Position) (index.Iterator, error) {
	it := &settingIterator{c: c}
	for _, s := range sessionSettings {
		it.names = append(it.names, s.name)
	}
	if n > 0 {
		k, _, _ := msgpack.ReadString(key)
		key := string(k)
		it.names = slices.DeleteFunc(it.names, func(name string) bool {
			switch typ {
			case index.EQ, index.REQ:
				return name != key
			case index.LT:
				return name >= key
			case index.LE:
				return name > key
			case index.GT:
				return name <= key
			}
			return name < key
		})
	}
	if typ.Reverse() {
		slices.Reverse(it.names)
	}
	if len(after) > 0 {
		_, pos, _ := msgpack.ReadArrayHeader(after)
		name, _, ok := msgpack.ReadString(pos)
		if !ok {
			return nil, boxerr.New(boxerr.IteratorPosition)
		}
		it.names = slices.DeleteFunc(it.names, func(s string) bool {
			if typ.Reverse() {
				return s >= string(name)
			}
			return s <= string(name)
		})
	}
	return it, nil
}

func (v settings) Update(c *Ctx, x *memtx.Index, key []byte, n int, ops []byte, base int) (*tuple.Tuple, error) {
	old, err := v.Get(c, x, key, n)
	if old == nil || err != nil {
		return nil, err
	}
	s := c.box.SpaceByID(SessionSettingsID)
	data, _, err := tuple.Update(old.Data(), ops, base, s.Mem.Format)
	if err != nil {
		return nil, err
	}
	if err := s.Mem.Format.Check(data); err != nil {
		return nil, err
	}
	t := tuple.NewFormat(s.Mem.Format, data)
	if x.KeyDef.Compare(old, t) != 0 {
		return nil, s.primaryKeyChanged(old, t)
	}
	return t, c.Session.SetSetting(rowString(old, 0), t.Field(1))
}

func (settings) Refuse(sp *Space, request string) error {
	method := "replace()"
	switch request {
	case "DELETE":
		method = "delete()"
	case "UPSERT":
		method = "upsert()"
	}
	return boxerr.New(boxerr.Unsupported, sp.Name+" space", method)
}

// settingIterator walks over the settings.
type settingIterator struct {
	c     *Ctx
	names []string
	last  string
}

func (it *settingIterator) Next() *tuple.Tuple {
	if len(it.names) == 0 {
		return nil
	}
	it.last, it.names = it.names[0], it.names[1:]
	return settings{}.row(it.c, it.last)
}

// AppendPosition implements index.Positioner.
func (it *settingIterator) AppendPosition(dst []byte) []byte {
	return msgpack.AppendString(msgpack.AppendArrayHeader(dst, 1), it.last)
}

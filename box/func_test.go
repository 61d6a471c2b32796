package box

import (
	"errors"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// bodies is a runtime whose functions are written in Go and go by the text of their body.
type bodies map[string]GoFunc

func (r bodies) Call(c *Ctx, i *Invocation) {}
func (r bodies) Eval(c *Ctx, i *Invocation) {}

func (r bodies) CallTxn(c *Ctx, f FuncRef, stmts []byte) error { return nil }
func (r bodies) CallFunc(c *Ctx, f FuncRef, args []byte, nargs int) ([]byte, int, error) {
	return f.(GoFunc)(c, args, nargs)
}

func (r bodies) CompileFunc(def *Func) (FuncRef, error) {
	if f := r[def.Body]; f != nil {
		return f, nil
	}
	return nil, errors.New("given body doesn't define a function")
}

// field returns a function that answers with what make does of the field with the given number of its tuple.
func onField(n int, make func(v []byte) ([]byte, int, error)) GoFunc {
	return func(c *Ctx, args []byte, nargs int) ([]byte, int, error) {
		t, _, _ := readTuple(args)
		return make(tuple.Field(t.Data(), n))
	}
}

func TestFunctions(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	b.Runtime = bodies{"one": func(*Ctx, []byte, int) ([]byte, int, error) { return []byte{1}, 1, nil }}
	create := func(name string, o FuncSpec) error { _, err := b.CreateFunction(c, name, o); return err }
	d.want(create("f", FuncSpec{Body: "one", Comment: "first"}), "")
	f := b.FuncByName("f")
	if f.ID != 66 || f.Ref == nil || f.Comment != "first" || f.Returns != "any" {
		t.Errorf("function %+v", f)
	}
	for _, test := range []struct {
		name string
		spec FuncSpec
		want string
	}{
		{"f", FuncSpec{}, "52 Function 'f' already exists"},
		{"f", FuncSpec{IfNotExists: true}, ""},
		{"", FuncSpec{}, "70 Invalid identifier '' (expected printable symbols only or it is too long)"},
		{"g", FuncSpec{Language: "PYTHON"}, "100 Unsupported language 'PYTHON' specified for function 'g'"},
		{"g", FuncSpec{Language: "C"}, "5 Lycosa does not support functions in C"},
		{"g", FuncSpec{Exports: []string{"PYTHON"}}, "50 Failed to create function 'g': invalid exports value"},
		{"g", FuncSpec{Returns: "odd"}, "50 Failed to create function 'g': invalid returns value"},
		{"g", FuncSpec{Aggregate: "odd"}, "50 Failed to create function 'g': invalid aggregate value"},
		{"g", FuncSpec{ParamList: []string{"odd"}}, "50 Failed to create function 'g': invalid argument type"},
		{"g", FuncSpec{Sandboxed: true}, "50 Failed to create function 'g': is_sandboxed option may be set only for a persistent Lua function (one with a non-empty body)"},
		{"g", FuncSpec{Options: mp(`{"nonsense": 1}`)}, "265 Wrong function options: unexpected option 'nonsense'"},
		{"g", FuncSpec{Options: mp(`{"is_multikey": 5}`)}, "265 Wrong function options: 'is_multikey' must be boolean"},
		{"g", FuncSpec{Body: "5"}, "99 Failed to dynamically load function 'g': given body doesn't define a function"},
	} {
		d.want(create(test.name, test.spec), test.want)
	}
	_, err := b.Update(c, FuncID, 0, key(f.ID), mp(`[["=", "comment", "x"]]`), 1)
	d.want(err, "5 function does not support alter")
	d.want(b.GrantByName(c, "public", "execute", "function", "f", GrantOptions{ToRole: true}), "")
	_, err = b.Delete(c, FuncID, 0, key(f.ID))
	d.want(err, "71 Can't drop function 66: function has grants")
	d.want(b.DropFunction(c, f.ID), "")
	if b.FuncByName("f") != nil || b.FuncByID(66) != nil {
		t.Error("the function is still there")
	}
	d.want(b.DropFunction(c, f.ID), "51 Function '66' does not exist")
}

func TestFunctionsInDefinitions(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	b.Runtime = bodies{"yes": func(*Ctx, []byte, int) ([]byte, int, error) { return msgpack.AppendBool(nil, true), 1, nil }}
	make := func(name string, o FuncSpec) uint32 {
		d.Helper()
		f, err := b.CreateFunction(c, name, o)
		d.want(err, "")
		return f.ID
	}
	plain := make("plain", FuncSpec{Body: "yes"})
	nobody := make("nobody", FuncSpec{})
	fine := make("fine", FuncSpec{Body: "yes", Deterministic: true})
	s := d.space("s")
	set := func(option string, id uint32) error {
		f := `[{"name": "id", "type": "unsigned"}, {"name": "v", "type": "any", "is_nullable": true, ` + option + `}]`
		return b.SetFormat(c, s.ID, mp(strings.ReplaceAll(f, "ID", itoa(int64(id)))))
	}
	const constraint, byDefault = `"constraint": {"check": ID}`, `"default_func": ID`
	d.want(set(constraint, plain), "234 Failed to create constraint 'check' in space 's': constraint function 'plain' must be deterministic")
	d.want(set(constraint, nobody), "234 Failed to create constraint 'check' in space 's': constraint lua function 'nobody' must have persistent body")
	d.want(set(byDefault, nobody), "275 Failed to create field default function 'nobody': Lua function must have persistent body")
	d.want(set(constraint, fine), "")
	d.want(b.DropFunction(c, fine), "71 Can't drop function 68: function is referenced by constraint")
	d.want(set(byDefault, plain), "")
	d.want(b.DropFunction(c, plain), "71 Can't drop function 66: function is referenced by field default value")
	d.want(b.DropFunction(c, fine), "")
}

func TestFunctionalIndex(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	b.Runtime = bodies{
		"low": onField(1, func(v []byte) ([]byte, int, error) {
			s, _, ok := msgpack.ReadString(v)
			if !ok {
				return nil, 0, boxerr.Luajit("attempt to call method 'lower'")
			}
			return key(strings.ToLower(string(s))), 1, nil
		}),
		"words": onField(1, func(v []byte) ([]byte, int, error) {
			s, _, _ := msgpack.ReadString(v)
			words := strings.Fields(string(s))
			out := msgpack.AppendArrayHeader(nil, len(words))
			for _, w := range words {
				out = append(out, key(w)...)
			}
			return out, 1, nil
		}),
		"field":   onField(1, func(v []byte) ([]byte, int, error) { return v, 1, nil }),
		"toomany": onField(1, func(v []byte) ([]byte, int, error) { return key(1, 2), 1, nil }),
		"nothing": onField(1, func(v []byte) ([]byte, int, error) { return nil, 0, nil }),
	}
	for name, body := range map[string]string{"low": "low", "words": "words", "field": "field", "toomany": "toomany", "nothing": "nothing", "plain": "low"} {
		_, err := b.CreateFunction(c, name, FuncSpec{Body: body, Deterministic: name != "plain", MultiKey: name == "words"})
		d.want(err, "")
	}
	s := d.space("s")
	d.insert(s, `[1, "Ann"]`)
	create := func(fn string, o IndexSpec) error {
		o.Func = fn
		if o.Keys == nil {
			o.Keys = []Part{{Type: "string"}}
		}
		_, err := b.CreateIndex(c, s.ID, "f", o)
		return err
	}
	put := func(row string) error { _, err := b.Insert(c, s.ID, mp(row)); return err }
	d.want(create("plain", IndexSpec{}), "108 Wrong index options: function 'plain' doesn't meet functional index function criteria (stored, deterministic, written in Lua)")
	d.want(create("low", IndexSpec{Keys: []Part{{Field: 0, Path: "a", Type: "string"}}}), "5 Functional index does not support json paths")
	d.want(create("low", IndexSpec{Keys: []Part{{Field: 1, Type: "string"}}}), "200 Wrong functional index definition: key part numbers must be sequential and first part number must be 1")
	d.want(create("low", IndexSpec{Type: "hash"}), "14 Can't create or modify index 'f' in space 's': HASH index can not use a function")
	d.want(create("low", IndexSpec{}), "")
	d.insert(s, `[2, "BOB"]`)
	d.same("order", d.all(s.ID, 1), `[1, "Ann"] [2, "BOB"]`)
	d.want(put(`[3, "ANN"]`), `3 Duplicate key exists in unique index "f" in space "s" with old tuple - [1, "Ann"] and new tuple - [3, "ANN"]`)
	d.want(put(`[3, 5]`), "198 Failed to build a key for functional index 'f' of space 's': can't evaluate function")
	low := b.FuncByName("low")
	if b.IndexFunc(s, 1) != low {
		t.Error("the index does not know its function")
	}
	d.want(b.DropFunction(c, low.ID), "71 Can't drop function "+itoa(int64(low.ID))+": function has references")
	d.want(b.DropIndex(c, s.ID, 1), "")
	d.want(b.DropFunction(c, low.ID), "")
	b.Truncate(c, s.ID)
	wrong := "199 Key format doesn't match one defined in functional index 'f' of space 's': "
	for fn, want := range map[string]string{
		"field":   "supplied key type is invalid: expected array",
		"toomany": "Invalid key part count in an exact match (expected 1, got 2)",
		"nothing": "to many values were returned",
	} {
		d.want(create(fn, IndexSpec{}), "")
		d.want(put(`[1, "text"]`), wrong+want)
		d.want(b.DropIndex(c, s.ID, 1), "")
	}
	d.want(create("field", IndexSpec{}), "")
	d.want(put(`[1, [5]]`), wrong+"key does not follow functional index definition")
	d.want(b.DropIndex(c, s.ID, 1), "")
	d.want(create("words", IndexSpec{NonUnique: true}), "")
	d.insert(s, `[1, "to be or not"]`, `[2, "be here"]`)
	d.same("words", d.all(s.ID, 1), `[1, "to be or not"] [2, "be here"] [2, "be here"] [1, "to be or not"] [1, "to be or not"] [1, "to be or not"]`)
}

func TestCollations(t *testing.T) {
	d := newDDL(t)
	b, c := d.b, d.c
	create := func(name, typ string, o map[string]string) error { return b.CreateCollation(c, name, typ, "de", o) }
	d.want(create("x", "ODD", nil), "150 Failed to initialize collation: unknown collation type.")
	d.want(create("x", "ICU", map[string]string{"strength": "odd"}),
		"151 Wrong collation options: ICU strength wrong option setting, expected PRIMARY | SECONDARY | TERTIARY | QUATERNARY | IDENTICAL")
	d.want(create("german", "ICU", map[string]string{"strength": "primary"}), "")
	coll := tuple.CollationByName("german")
	if coll == nil || coll.ID != 277 || coll.Compare([]byte("ä"), []byte("A")) != 0 {
		t.Fatalf("collation %+v", coll)
	}
	s, err := b.CreateSpace(c, "s", SpaceSpec{Fields: []Field{{Name: "a", Type: "string", Collation: "german"}}})
	d.want(err, "")
	d.want(b.DropCollation(c, "german"), "173 Can't drop collation 'german': collation is referenced by space format")
	d.want(b.DropSpace(c, s.ID, "s", false), "")
	d.want(b.DropCollation(c, "none"), "173 Can't drop collation 'none': system collation")
	d.want(b.DropCollation(c, "german"), "")
	if tuple.CollationByName("german") != nil {
		t.Error("the collation is still there")
	}
}

package box

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// world is a database with spaces made by hand, without a catalog in system spaces.
type world struct {
	testing.TB
	b *Box
	c *Ctx
}

func newWorld(t *testing.T) *world { return newWorldOf(t) }

func newWorldOf(t testing.TB) *world {
	b := New(Config{})
	t.Cleanup(b.Cord.Stop)
	for _, u := range []*User{
		{ID: GuestID, Name: "guest", Universe: Usage | SessionRight},
		{ID: AdminID, Name: "admin", Universe: AllPrivileges},
	} {
		b.catalog.users[u.ID], b.catalog.usersByName[u.Name] = u, u
	}
	return &world{TB: t, b: b, c: b.NewCtx(b.NewSession(SessionBackground))}
}

// part returns a key part such as "2 string" or "2 string nullable", counted from 1.
func part(t testing.TB, text string) tuple.KeyPart {
	var p tuple.KeyPart
	var typ, null string
	fmt.Sscan(text, &p.Field, &typ, &null)
	p.Field--
	p.Nullable = null == "nullable"
	var ok bool
	if p.Type, ok = tuple.FieldTypeByName(typ); !ok {
		t.Fatalf("no type %q", typ)
	}
	return p
}

// indexSpec describes an index: "pk 1 unsigned", "tree:name 2 string, 3 unsigned" or "hash:...", with a * before
// the name when it is not unique.
type indexSpec string

// space makes a space. fields are such as "id unsigned" or "name string nullable".
func (w *world) space(id uint32, name string, fields []string, indexes ...indexSpec) *Space {
	w.Helper()
	sp := &Space{ID: id, Name: name, Owner: AdminID, Engine: memtx.Engine, Mem: &memtx.Space{ID: id, Name: name}}
	var defs []tuple.FieldDef
	for _, f := range fields {
		words := strings.Fields(f)
		typ, ok := tuple.FieldTypeByName(words[1])
		if !ok {
			w.Fatalf("no type %q", words[1])
		}
		defs = append(defs, tuple.FieldDef{Name: words[0], Type: typ, Nullable: len(words) > 2})
	}
	var keys []*tuple.KeyDef
	for i, spec := range indexes {
		name, parts, _ := strings.Cut(string(spec), " ")
		kind, name, found := strings.Cut(name, ":")
		if !found {
			kind, name = "tree", kind
		}
		unique := !strings.HasPrefix(name, "*")
		typ, ok := index.TypeByName(strings.ToUpper(kind))
		if !ok {
			w.Fatalf("no index type %q", kind)
		}
		var kp []tuple.KeyPart
		for _, p := range strings.Split(parts, ",") {
			kp = append(kp, part(w.TB, p))
		}
		kd, err := tuple.NewKeyDef(kp)
		if err != nil {
			w.Fatal(err)
		}
		keys = append(keys, kd)
		cmp := kd
		if i > 0 {
			cmp = kd.Merge(keys[0])
			if unique {
				cmp = kd.MergeUnique(keys[0])
			}
		}
		sp.Mem.Indexes = append(sp.Mem.Indexes, memtx.NewIndex(uint32(i), &index.Def{
			Type: typ, Name: strings.TrimPrefix(name, "*"), Space: sp.Name, Unique: unique, KeyDef: kd, CmpDef: cmp,
		}))
	}
	f, err := tuple.NewFormatOf(defs, 0, keys)
	if err != nil {
		w.Fatal(err)
	}
	sp.Mem.Format = f
	w.b.catalog.spaces[id], w.b.catalog.spacesByName[name] = sp, sp
	w.b.bindEvents(sp)
	return sp
}

// mp turns JSON into MessagePack.
func mp(text string) []byte {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(text + ": " + err.Error())
	}
	return appendJSON(nil, v)
}

func appendJSON(b []byte, v any) []byte {
	switch v := v.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return msgpack.AppendInt(b, i)
		}
		f, _ := v.Float64()
		return msgpack.AppendFloat64(b, f)
	case []any:
		b = msgpack.AppendArrayHeader(b, len(v))
		for _, x := range v {
			b = appendJSON(b, x)
		}
		return b
	case map[string]any:
		b = msgpack.AppendMapHeader(b, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			b = appendJSON(msgpack.AppendString(b, k), v[k])
		}
		return b
	}
	b, err := msgpack.Append(b, v)
	if err != nil {
		panic(err)
	}
	return b
}

// text shows a result or an error with its payload.
func text(t *tuple.Tuple, err error) string {
	if err != nil {
		return failure(err)
	}
	if t == nil {
		return "nothing"
	}
	return t.String()
}

func failure(err error) string {
	e := boxerr.From(err)
	var fields []string
	for _, f := range e.Fields {
		v, err := msgpack.Append(nil, f.Value)
		if err != nil {
			panic(err)
		}
		fields = append(fields, f.Name+" "+string(msgpack.AppendText(nil, v)))
	}
	slices.Sort(fields)
	return fmt.Sprintf("%s %d: %s {%s}", e.Type, e.WireCode(), e.Message, strings.Join(fields, ", "))
}

// do runs a command such as `update t/name ["x"] [["=", 1, 2]]`: the request, the space with the index, and its
// arguments in JSON.
func (w *world) do(command string) string {
	w.Helper()
	op, rest, _ := strings.Cut(command, " ")
	b, c := w.b, w.c
	switch op {
	case "begin":
		return text(nil, b.Begin(c, TxnOptions{}))
	case "commit":
		return text(nil, b.Commit(c))
	case "rollback":
		return text(nil, b.Rollback(c))
	case "yield":
		b.OnYield(c)
		return "nothing"
	}
	where, rest, _ := strings.Cut(rest, " ")
	name, idx, _ := strings.Cut(where, "/")
	sp := b.catalog.spacesByName[name]
	if sp == nil {
		sp = &Space{ID: 999, Mem: &memtx.Space{}}
	}
	var x uint32
	if idx != "" {
		if i := sp.Mem.IndexByName(idx); i != nil {
			x = i.ID
		} else {
			fmt.Sscan(idx, &x)
		}
	}
	iterator := index.EQ
	if i, tail, _ := strings.Cut(rest, " "); op == "select" || op == "count" {
		if it, ok := index.IteratorTypeByName(i); ok {
			iterator, rest = it, tail
		}
	}
	var args [][]byte
	d := json.NewDecoder(strings.NewReader(rest))
	d.UseNumber()
	for {
		var v any
		if err := d.Decode(&v); err == io.EOF {
			break
		} else if err != nil {
			w.Fatalf("%s: %v", command, err)
		}
		args = append(args, appendJSON(nil, v))
	}
	for len(args) < 2 {
		args = append(args, nil)
	}
	switch op {
	case "insert":
		return text(b.Insert(c, sp.ID, args[0]))
	case "replace":
		return text(b.Replace(c, sp.ID, args[0]))
	case "update":
		return text(b.Update(c, sp.ID, x, args[0], args[1], 0))
	case "upsert":
		return text(nil, b.Upsert(c, sp.ID, args[0], args[1], 0))
	case "delete":
		return text(b.Delete(c, sp.ID, x, args[0]))
	case "get":
		return text(b.Get(c, sp.ID, x, args[0]))
	case "min":
		return text(b.Min(c, sp.ID, x, args[0]))
	case "max":
		return text(b.Max(c, sp.ID, x, args[0]))
	case "count":
		n, err := b.Count(c, sp.ID, x, iterator, args[0])
		if err != nil {
			return failure(err)
		}
		return fmt.Sprint(n)
	case "select":
		list, err := b.Select(c, &SelectRequest{Space: sp.ID, Index: x, Iterator: iterator, Key: args[0], Limit: 100}, nil)
		if err != nil {
			return failure(err)
		}
		out := make([]string, len(list))
		for i, t := range list {
			out[i] = t.String()
		}
		if len(out) == 0 {
			return "none"
		}
		return strings.Join(out, " ")
	}
	w.Fatalf("no command %q", op)
	return ""
}

// script runs commands, each followed by its answer after "->".
func (w *world) script(lines string) {
	w.Helper()
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		command, want, ok := strings.Cut(line, " -> ")
		if !ok {
			if line != "" {
				if got := w.do(line); got != "nothing" {
					w.Errorf("%s\n got %s", line, got)
				}
			}
			continue
		}
		if got := w.do(command); got != want {
			w.Errorf("%s\n got %s\nwant %s", command, got, want)
		}
	}
}

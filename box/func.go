package box

import (
	"strings"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// Field numbers of _func.
const (
	funcFieldID = iota
	funcFieldOwner
	funcFieldName
	funcFieldSetUID
	funcFieldLanguage
	funcFieldBody
	funcFieldRoutine
	funcFieldParams
	funcFieldReturns
	funcFieldAggregate
	funcFieldDataAccess
	funcFieldDeterministic
	funcFieldSandboxed
	funcFieldNullCall
	funcFieldExports
	funcFieldOptions
	funcFieldComment
	funcFieldCreated
	funcFieldLastAltered
	funcFieldTriggers
)

const languageLua = "LUA"

// onFuncRow creates or drops a function. A function cannot be changed.
func (b *Box) onFuncRow(c *Ctx, old, new *tuple.Tuple) error {
	if new == nil {
		return b.dropFuncRow(c, b.catalog.funcs[uint32(rowUint(old, funcFieldID))])
	}
	f, err := decodeFunc(new, b.recovering || b.catalog.upgrading)
	if err != nil {
		return err
	}
	if was := b.catalog.funcs[f.ID]; was != nil {
		if old == nil || b.catalog.upgrading || b.recovering || string(was.Definition.Data()) == string(new.Data()) {
			was.Definition = new
			return nil
		}
		return boxerr.New(boxerr.Unsupported, "function", "alter")
	}
	if err := c.checkDDL(FunctionObject, f.ID, f.Name, f.Owner, Create); err != nil {
		return err
	}
	if err := b.load(f); err != nil {
		return err
	}
	if awaited := b.catalog.awaited[f.ID]; awaited != nil {
		delete(b.catalog.awaited, f.ID)
		*awaited = *f
		f = awaited
	}
	b.enterFunc(f)
	c.Txn.OnStatementRollback(func() { b.forgetFunc(f) })
	return nil
}

func (b *Box) dropFuncRow(c *Ctx, f *Func) error {
	if f == nil {
		return nil
	}
	if err := c.checkDDL(FunctionObject, f.ID, f.Name, f.Owner, Drop); err != nil {
		return err
	}
	refuse := func(why string) error { return boxerr.New(boxerr.DropFunction, f.ID, why) }
	if b.hasGrants(FunctionObject, f.ID) {
		return refuse("function has grants")
	}
	if b.hasRows(FuncIndexID, 1, uint64(f.ID)) {
		return refuse("function has references")
	}
	for _, s := range b.catalog.spaces {
		for i := range s.Constraints {
			if s.Constraints[i].Func == f {
				return refuse("function is referenced by constraint")
			}
		}
		for i := range s.Defaults {
			if s.Defaults[i].Func == f {
				return refuse("function is referenced by field default value")
			}
		}
	}
	b.forgetFunc(f)
	c.Txn.OnStatementRollback(func() { b.enterFunc(f) })
	return nil
}

func (b *Box) enterFunc(f *Func) {
	b.catalog.funcs[f.ID], b.catalog.funcsByName[f.Name] = f, f
	for _, event := range f.Triggers {
		if f.Ref != nil {
			b.Triggers.Set(event, f.Name, f.Ref)
		}
	}
	b.funcChanged(f)
}

func (b *Box) forgetFunc(f *Func) {
	delete(b.catalog.funcs, f.ID)
	delete(b.catalog.funcsByName, f.Name)
	for _, event := range f.Triggers {
		b.Triggers.Del(event, f.Name)
	}
	b.funcChanged(f)
}

// funcChanged tells those who follow the functions.
func (b *Box) funcChanged(f *Func) {
	for _, g := range b.OnFuncChange {
		g(f.ID)
	}
}

// decodeFunc reads a row of _func. In the directory of an old release there may be functions that cannot be created
// any more: those that were built into SQL.
func decodeFunc(row *tuple.Tuple, replayed bool) (*Func, error) {
	f := &Func{
		Definition: row,
		ID:         uint32(rowUint(row, funcFieldID)),
		Owner:      uint32(rowUint(row, funcFieldOwner)),
		Name:       rowString(row, funcFieldName),
		SetUID:     rowUint(row, funcFieldSetUID) != 0,
		Language:   languageLua,
		Routine:    "function",
		Returns:    "any",
		Aggregate:  "none",
		NullCall:   true,
		Exports:    []string{languageLua},
	}
	wrong := func(details string) error { return boxerr.New(boxerr.CreateFunction, f.Name, details) }
	err := checkName(f.Name, func(short string) error {
		return boxerr.New(boxerr.CreateFunction, short, "function name is too long")
	})
	if err != nil {
		return nil, err
	}
	if rowUint(row, funcFieldID) > FunctionMax {
		return nil, wrong("function id is too big")
	}
	if row.Len() > funcFieldLanguage {
		language := rowString(row, funcFieldLanguage)
		switch f.Language = strings.ToUpper(language); f.Language {
		case languageLua, "C", "SQL_EXPR":
		case "SQL_BUILTIN":
			if replayed {
				return f, nil
			}
			fallthrough
		default:
			return nil, boxerr.New(boxerr.FunctionLanguage, language, f.Name)
		}
	}
	if row.Len() <= funcFieldBody {
		return f, nil
	}
	f.Body, f.Comment = rowString(row, funcFieldBody), rowString(row, funcFieldComment)
	f.Routine, f.SQLDataAccess = rowString(row, funcFieldRoutine), rowString(row, funcFieldDataAccess)
	f.Deterministic, f.Sandboxed = rowBool(row, funcFieldDeterministic), rowBool(row, funcFieldSandboxed)
	f.NullCall = rowBool(row, funcFieldNullCall)
	f.Returns, f.Aggregate = rowString(row, funcFieldReturns), strings.ToLower(rowString(row, funcFieldAggregate))
	f.Created, f.LastAltered = rowString(row, funcFieldCreated), rowString(row, funcFieldLastAltered)
	f.ParamList = rowStrings(row, funcFieldParams)
	f.Triggers = rowStrings(row, funcFieldTriggers)
	_, knownReturns := tuple.FieldTypeByName(f.Returns)
	switch {
	case !strings.EqualFold(f.Routine, "function"):
		return nil, wrong("unsupported routine_type value")
	case !strings.EqualFold(f.SQLDataAccess, "none"):
		return nil, wrong("unsupported sql_data_access value")
	case !f.NullCall:
		return nil, wrong("unsupported is_null_call value")
	case !knownReturns:
		return nil, wrong("invalid returns value")
	case f.Aggregate != "none" && f.Aggregate != "group":
		return nil, wrong("invalid aggregate value")
	}
	f.Exports = f.Exports[:0]
	for _, language := range rowStrings(row, funcFieldExports) {
		language = strings.ToUpper(language)
		if language != languageLua && language != "SQL" {
			return nil, wrong("invalid exports value")
		}
		f.Exports = append(f.Exports, language)
	}
	for _, param := range f.ParamList {
		if _, ok := tuple.FieldTypeByName(param); !ok {
			return nil, wrong("invalid argument type")
		}
	}
	if err := f.decodeOptions(row.Field(funcFieldOptions)); err != nil {
		return nil, err
	}
	switch {
	case f.Language == "C" && (f.Body != "" || f.Sandboxed):
		return nil, wrong("body and is_sandboxed options are not compatible with C language")
	case f.Language == languageLua && f.Sandboxed && f.Body == "":
		return nil, wrong("is_sandboxed option may be set only for a persistent Lua function (one with a non-empty body)")
	}
	return f, nil
}

func (f *Func) decodeOptions(m []byte) error {
	if m == nil {
		return nil
	}
	err := eachOption(m, false, func(key string, v []byte) error {
		switch key {
		case "is_multikey":
			return setBool(&f.MultiKey, key, v)
		case "takes_raw_args":
			return setBool(&f.TakesRawArgs, key, v)
		}
		return errUnknownOption
	})
	if bad, ok := err.(badOption); ok {
		return boxerr.New(boxerr.WrongFunctionOptions, string(bad))
	}
	return err
}

// load compiles the body of a function. Without a runtime, or while the rows of a checkpoint are read, that waits
// until the function is called.
func (b *Box) load(f *Func) error {
	switch {
	case f.Language != languageLua:
		if !b.recovering && !b.catalog.upgrading {
			return boxerr.New(boxerr.Unsupported, "Lycosa", "functions in "+f.Language)
		}
	case f.Body == "":
		return nil
	case b.Runtime != nil && !b.recovering:
		ref, err := b.compile(f)
		f.Ref = ref
		return err
	}
	var ref FuncRef
	f.lazy = true
	f.Ref = GoFunc(func(c *Ctx, args []byte, nargs int) ([]byte, int, error) {
		if ref == nil {
			var err error
			if ref, err = b.compile(f); err != nil {
				return nil, 0, err
			}
		}
		return b.callFunc(c, ref, args, nargs)
	})
	return nil
}

func (b *Box) compile(f *Func) (FuncRef, error) {
	if f.Language != languageLua {
		return nil, boxerr.New(boxerr.Unsupported, "Lycosa", "functions in "+f.Language)
	}
	if b.Runtime == nil {
		return nil, boxerr.New(boxerr.Unsupported, "An instance without Lua", "functions in Lua")
	}
	ref, err := b.Runtime.CompileFunc(f)
	if err != nil {
		return nil, boxerr.New(boxerr.LoadFunction, f.Name, boxerr.From(err).Message)
	}
	return ref, nil
}

// FuncRef returns what the runtime made of a function's body, nil for a function without one. It compiles the
// body when that was put off.
func (b *Box) FuncRef(f *Func) (FuncRef, error) {
	if f.lazy {
		ref, err := b.compile(f)
		if err != nil {
			return nil, err
		}
		f.Ref, f.lazy = ref, false
	}
	return f.Ref, nil
}

// compileHandlers compiles the functions that handle events, when that was put off. One that doesn't compile raises that
// when its event comes.
func (b *Box) compileHandlers() {
	if b.Runtime == nil {
		return
	}
	for _, f := range b.catalog.funcs {
		if len(f.Triggers) == 0 || !f.lazy {
			continue
		}
		ref, err := b.FuncRef(f)
		if err != nil {
			b.complain(err)
			continue
		}
		for _, event := range f.Triggers {
			b.Triggers.Set(event, f.Name, ref)
		}
	}
}

// TakeRights gives c the rights of the function's owner if the function runs with these, and returns whose rights c had
// before, nil when nothing has changed.
func (c *Ctx) TakeRights(f *Func) (before *User) {
	if f == nil || !f.SetUID {
		return nil
	}
	if owner := c.box.UserByID(f.Owner); owner != nil {
		before, c.User = c.User, owner
	}
	return before
}

// referTo returns the function with the given number. While rows are replayed it may be one that is yet to come.
func (b *Box) referTo(id uint32) *Func {
	f := b.catalog.funcs[id]
	if f == nil && b.recovering {
		if f = b.catalog.awaited[id]; f == nil {
			f = &Func{ID: id}
			b.catalog.awaited[id] = f
		}
	}
	return f
}

// awaits reports whether the function is one that referTo made up.
func (b *Box) awaits(f *Func) bool { return b.catalog.awaited[f.ID] == f }

// indexFunc returns the function for a functional index, nil while it is yet to come.
func (b *Box) indexFunc(id uint32) (*Func, error) {
	f := b.catalog.funcs[id]
	if f == nil {
		if b.recovering {
			return nil, nil
		}
		return nil, boxerr.New(boxerr.NoSuchFunction, itoa(int64(id)))
	}
	if f.Language != languageLua || f.Body == "" || !f.Deterministic {
		return nil, boxerr.New(boxerr.WrongIndexOptions, "function '"+f.Name+
			"' doesn't meet functional index function criteria (stored, deterministic, written in Lua)")
	}
	return f, nil
}

// defaultFunc returns the function that makes the default of a field.
func (b *Box) defaultFunc(id uint32) (*Func, error) {
	f := b.referTo(id)
	switch {
	case f == nil:
		return nil, boxerr.New(boxerr.NoSuchFunction, itoa(int64(id)))
	case b.awaits(f):
	case f.Language != languageLua:
		return nil, boxerr.New(boxerr.CreateDefaultFunc, f.Name, "unsupported language")
	case f.Body == "":
		return nil, boxerr.New(boxerr.CreateDefaultFunc, f.Name, "Lua function must have persistent body")
	}
	return f, nil
}

// functionalKeys returns the function that makes the keys of a functional index.
func (b *Box) functionalKeys(s *Space, d *indexDef, f *Func) func(t *tuple.Tuple) ([]byte, int, error) {
	c := b.NewCtx(&Session{Type: SessionBackground, User: b.UserByID(AdminID), FD: -1})
	var args, keys []byte
	return func(t *tuple.Tuple) ([]byte, int, error) {
		wrong := func(why string) error { return boxerr.New(boxerr.FuncIndexFormat, d.name, s.Name, why) }
		args = AppendTuple(args[:0], t)
		results, n, err := b.callFunc(c, f.Ref, args, 1)
		if err != nil {
			e := boxerr.New(boxerr.FuncIndexFunc, d.name, s.Name, "can't evaluate function")
			e.Cause = boxerr.From(err)
			return nil, 0, e
		}
		if n != 1 {
			return nil, 0, wrong("to many values were returned")
		}
		keys = keys[:0]
		if !f.MultiKey {
			keys, err = d.appendFunctionalKey(keys, results, wrong)
			return keys, 1, err
		}
		count, rest, ok := msgpack.ReadArrayHeader(results)
		if !ok {
			return nil, 0, wrong("multikey function mustn't return a scalar")
		}
		for range count {
			if keys, err = d.appendFunctionalKey(keys, rest, wrong); err != nil {
				return nil, 0, err
			}
			rest, _ = msgpack.Skip(rest)
		}
		return keys, count, nil
	}
}

// appendFunctionalKey appends one key that a function returned after checking it.
func (d *indexDef) appendFunctionalKey(keys, key []byte, wrong func(string) error) ([]byte, error) {
	if t, _, ok := readTuple(key); ok {
		key = t.Data()
	}
	n, parts, ok := msgpack.ReadArrayHeader(key)
	if !ok {
		return nil, wrong("supplied key type is invalid: expected array")
	}
	if want := len(d.key.Parts); n != want {
		return nil, wrong(boxerr.New(boxerr.ExactMatch, want, n).Message)
	}
	for i, v := 0, parts; i < n; i++ {
		p := &d.key.Parts[i]
		isNil := msgpack.TypeOf(v[0]) == msgpack.Nil
		if isNil && !p.Nullable || !isNil && !p.Type.Takes(v) {
			return nil, wrong("key does not follow functional index definition")
		}
		v, _ = msgpack.Skip(v)
	}
	rest, ok := msgpack.Skip(key)
	if !ok {
		return nil, wrong("supplied key type is invalid: expected array")
	}
	return append(keys, key[:len(key)-len(rest)]...), nil
}

// rowStrings returns the strings of an array field of a row; other values in it are left out.
func rowStrings(t *tuple.Tuple, field int) []string {
	n, b, _ := msgpack.ReadArrayHeader(t.Field(field))
	var list []string
	for range n {
		if s, _, ok := msgpack.ReadString(b); ok {
			list = append(list, string(s))
		}
		b, _ = msgpack.Skip(b)
	}
	return list
}

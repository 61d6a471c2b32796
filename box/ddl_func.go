package box

import (
	"strings"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
)

// FuncSpec describes a function to be created.
type FuncSpec struct {
	// SetUID makes the function run with the rights of its owner.
	SetUID bool
	// Language is "LUA", which is also what "" stands for.
	Language string
	// Body is the text of a function; without one the function is the global one of that name.
	Body string
	// ParamList and Returns are the names of types; Returns is "any" by default.
	ParamList []string
	Returns   string
	// Aggregate is "none" or "group"; "" is none.
	Aggregate                string
	Deterministic, Sandboxed bool
	// MultiKey is for functional indexes: the function returns an array of keys.
	MultiKey, TakesRawArgs bool
	// Options are the options as _func holds them, a MessagePack map; the two above are not looked at then.
	Options []byte
	// Exports are the languages that may call the function, LUA by default.
	Exports []string
	Comment string
	// Triggers are events that the function handles.
	Triggers []string
	// IfNotExists returns a function that has the name already instead of the error FUNCTION_EXISTS.
	IfNotExists bool
}

// CreateFunction creates a function.
func (b *Box) CreateFunction(c *Ctx, name string, o FuncSpec) (*Func, error) {
	row, err := b.find(c, VFuncID, name)
	if err != nil {
		return nil, err
	}
	if row != nil {
		if o.IfNotExists {
			return b.FuncByName(name), nil
		}
		return nil, boxerr.New(boxerr.FunctionExists, name)
	}
	or := func(s, standard string) string {
		if s == "" {
			return standard
		}
		return s
	}
	options := msgpack.Raw(o.Options)
	if options == nil {
		m := map[string]any{}
		if o.MultiKey {
			m["is_multikey"] = true
		}
		if o.TakesRawArgs {
			m["takes_raw_args"] = true
		}
		if options, err = msgpack.Append(nil, m); err != nil {
			return nil, err
		}
	}
	if o.Exports == nil {
		o.Exports = []string{languageLua}
	}
	setuid := 0
	if o.SetUID {
		setuid = 1
	}
	now := time.Now().UTC().Format(time.DateTime)
	var id uint32
	err = b.atomic(c, func() (err error) {
		id, err = b.insertNumbered(c, FuncID, uint64(c.User.ID), name, setuid, strings.ToUpper(or(o.Language, languageLua)),
			o.Body, "function", texts(o.ParamList), or(o.Returns, "any"), or(o.Aggregate, "none"), "none", o.Deterministic,
			o.Sandboxed, true, texts(o.Exports), options, o.Comment, now, now, texts(o.Triggers))
		return err
	})
	if err != nil {
		return nil, err
	}
	return b.FuncByID(id), nil
}

// texts returns strings as values that encode takes.
func texts(list []string) []any {
	values := make([]any, len(list))
	for i, s := range list {
		values[i] = s
	}
	return values
}

// DropFunction drops a function and the rights on it.
func (b *Box) DropFunction(c *Ctx, id uint32) error {
	row, err := b.Get(c, VFuncID, 0, key(uint64(id)))
	if err != nil {
		return err
	}
	if row == nil {
		return boxerr.New(boxerr.NoSuchFunction, itoa(int64(id)))
	}
	return b.atomic(c, func() error {
		if err := b.revokeAll(c, FunctionObject, id); err != nil {
			return err
		}
		_, err := b.Delete(c, FuncID, 0, key(uint64(id)))
		return err
	})
}

// CreateCollation creates a collation of type "ICU" or "BINARY" with options such as strength.
func (b *Box) CreateCollation(c *Ctx, name, typ, locale string, options map[string]string) error {
	if name == "" || typ == "" {
		return boxerr.Illegal("name and type of a collation must not be empty")
	}
	m := make(map[string]any, len(options))
	for k, v := range options {
		m[k] = v
	}
	return b.atomic(c, func() error {
		_, err := b.insertNumbered(c, CollationID, name, uint64(c.User.ID), typ, locale, m)
		return err
	})
}

// DropCollation drops a collation.
func (b *Box) DropCollation(c *Ctx, name string) error {
	row, err := b.find(c, VCollationID, name)
	if err != nil {
		return err
	}
	if row == nil {
		return boxerr.New(boxerr.NoSuchCollation, name)
	}
	return b.atomic(c, func() error {
		_, err := b.Delete(c, CollationID, 0, key(rowUint(row, 0)))
		return err
	})
}

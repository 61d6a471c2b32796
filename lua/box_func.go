//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

func (f *boxFace) registerFunc() {
	f.write("func_create", f.createFunc)
	f.write("func_drop", func(c *luajit.Call, ctx *box.Ctx) error {
		return f.Box.DropFunction(ctx, id(c))
	})
	f.fn("func_enter", f.enterFunc)
	f.fn("func_leave", f.becomeAgain)
	f.fn("raise_text", func(c *luajit.Call, _ *box.Ctx) error {
		return boxerr.Luajit(c.Str())
	})
}

// enterFunc takes the name of a function that is about to be called: it checks that it may be, and becomes its owner if
// it wants that. It returns the compiled body, nil for a function without one, and the number of the user to go back to,
// nothing if that is the same.
func (f *boxFace) enterFunc(c *luajit.Call, ctx *box.Ctx) error {
	name := c.Str()
	fn := f.Box.FuncByName(name)
	if fn == nil {
		return boxerr.New(boxerr.NoSuchFunction, name)
	}
	if err := ctx.CheckFunction(fn); err != nil {
		return err
	}
	body, err := f.Box.FuncRef(fn)
	if err != nil {
		return err
	}
	if ref, ok := refOf(body); ok {
		c.Out = luajit.AppendRef(c.Out, ref)
		c.NOut++
	} else {
		c.PushNil()
	}
	if caller := ctx.TakeRights(fn); caller != nil {
		c.PushUint(uint64(caller.ID))
	}
	return nil
}

// becomeAgain takes the number of the user that the code ran as before. Who was dropped meanwhile has no rights.
func (f *boxFace) becomeAgain(c *luajit.Call, ctx *box.Ctx) error {
	number := id(c)
	if ctx.User = f.Box.UserByID(number); ctx.User == nil {
		ctx.User = &box.User{ID: number}
	}
	return nil
}

// createFunc takes the columns of _func that a program can choose, in their order.
func (f *boxFace) createFunc(c *luajit.Call, ctx *box.Ctx) error {
	name := c.Str()
	spec := box.FuncSpec{
		SetUID:        c.Bool(),
		Language:      c.Str(),
		Body:          c.Str(),
		ParamList:     texts(c.Raw()),
		Returns:       c.Str(),
		Aggregate:     c.Str(),
		Deterministic: c.Bool(),
		Sandboxed:     c.Bool(),
		Exports:       texts(c.Raw()),
		Options:       c.Raw(),
		Comment:       c.Str(),
		Triggers:      texts(c.Raw()),
	}
	_, err := f.Box.CreateFunction(ctx, name, spec)
	return err
}

// texts reads an array of texts, never nil. What is no text becomes an empty one.
func texts(raw []byte) []string {
	n, raw, _ := msgpack.ReadArrayHeader(raw)
	list := make([]string, 0, min(n, len(raw)))
	for range n {
		var item []byte
		item, raw = split(raw)
		text, _, _ := msgpack.ReadString(item)
		list = append(list, string(text))
	}
	return list
}

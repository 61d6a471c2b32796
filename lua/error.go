//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

func init() { modules = append(modules, registerError) }

// registerError registers what builtin/error.lua stands on: codes, and messages made of their templates.
func registerError(s *State) {
	s.Func("error.codes", func(c *luajit.Call) error {
		codes := boxerr.Codes()
		c.Out = msgpack.AppendMapHeader(c.Out, len(codes))
		for _, code := range codes {
			c.Out = msgpack.AppendString(c.Out, code.Name())
			c.Out = msgpack.AppendUint(c.Out, uint64(code))
		}
		c.NOut++
		return nil
	})
	s.Func("error.needs_args", func(c *luajit.Call) error {
		c.PushBool(boxerr.Code(c.Uint()).Arguments() > 0)
		return nil
	})
	s.Func("error.format", func(c *luajit.Call) error {
		code := boxerr.Code(c.Uint())
		args := make([]any, 0, c.NArgs)
		for c.NArgs > 0 {
			v, err := c.Value()
			if err != nil {
				return err
			}
			args = append(args, v)
		}
		e := boxerr.New(code, args...)
		c.PushString(e.Message)
		c.PushString(e.Name)
		c.Out = msgpack.AppendMapHeader(c.Out, len(e.Fields))
		for _, f := range e.Fields {
			c.Out = msgpack.AppendString(c.Out, f.Name)
			out, err := msgpack.Append(c.Out, f.Value)
			if err != nil {
				out = msgpack.AppendNil(c.Out)
			}
			c.Out = out
		}
		c.NOut++
		return nil
	})
}

//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/mpext"
	"github.com/lycosadb/lycosa/msgpack"
)

func init() { modules = append(modules, registerUUID, registerDecimal) }

// registerUUID registers what builtin/uuid.lua stands on.
func registerUUID(s *State) {
	s.Func("uuid.new", func(c *luajit.Call) error {
		u := mpext.NewUUID()
		c.PushBytes(u[:])
		return nil
	})
	s.Func("uuid.parse", func(c *luajit.Call) error {
		u, err := mpext.ParseUUID(c.Str())
		if err != nil {
			c.PushNil()
			return nil
		}
		c.PushBytes(u[:])
		return nil
	})
}

// decimalOf reads a decimal argument.
func decimalOf(c *luajit.Call) (mpext.Decimal, error) {
	raw := c.Raw()
	if typ, data, _, ok := msgpack.ReadExt(raw); ok && typ == mpext.DecimalType {
		if d, ok := mpext.DecodeDecimal(data); ok {
			return d, nil
		}
	}
	return mpext.Decimal{}, boxerr.Luajit("a decimal was expected")
}

func pushDecimal(c *luajit.Call, d mpext.Decimal, err error) error { return pushOr(c, d, err) }

// registerDecimal registers what builtin/decimal.lua stands on.
func registerDecimal(s *State) {
	s.Func("decimal.parse", func(c *luajit.Call) error {
		switch c.Peek() {
		case msgpack.String:
			d, err := mpext.ParseDecimal(c.Str())
			if err != nil {
				c.PushNil()
				return nil
			}
			return pushDecimal(c, d, nil)
		case msgpack.Uint:
			return pushDecimal(c, mpext.DecimalFromUint(c.Uint()), nil)
		case msgpack.Int:
			return pushDecimal(c, mpext.DecimalFromInt(c.Int()), nil)
		}
		d, err := mpext.DecimalFromFloat(c.Float())
		if err != nil {
			c.PushNil()
			return nil
		}
		return pushDecimal(c, d, nil)
	})
	s.Func("decimal.tostring", func(c *luajit.Call) error {
		d, err := decimalOf(c)
		if err != nil {
			return err
		}
		c.PushString(d.String())
		return nil
	})
	s.Func("decimal.compare", func(c *luajit.Call) error {
		a, err := decimalOf(c)
		if err != nil {
			return err
		}
		b, err := decimalOf(c)
		if err != nil {
			return err
		}
		c.PushInt(int64(a.Compare(b)))
		return nil
	})
	s.Func("decimal.unary", decimalUnary)
	s.Func("decimal.binary", decimalBinary)
}

// decimalUnary is a function of one decimal and perhaps a scale, by name.
func decimalUnary(c *luajit.Call) error {
	name := c.Str()
	d, err := decimalOf(c)
	if err != nil {
		return err
	}
	switch name {
	case "neg":
		d = d.Neg()
	case "abs":
		d = d.Abs()
	case "trim":
		d = d.Trim()
	case "exp":
		d, err = d.Exp()
	case "ln":
		d, err = d.Ln()
	case "log10":
		d, err = d.Log10()
	case "sqrt":
		d, err = d.Sqrt()
	case "round":
		d = d.Round(int(c.Float()))
	case "rescale":
		d = d.Rescale(int(c.Float()))
	case "precision":
		c.PushInt(int64(d.Precision()))
		return nil
	case "scale":
		c.PushInt(int64(d.Scale()))
		return nil
	}
	return pushDecimal(c, d, err)
}

// decimalBinary is an operator on two decimals, by name.
func decimalBinary(c *luajit.Call) error {
	name := c.Str()
	a, err := decimalOf(c)
	if err != nil {
		return err
	}
	b, err := decimalOf(c)
	if err != nil {
		return err
	}
	var d mpext.Decimal
	switch name {
	case "add":
		d, err = a.Add(b)
	case "sub":
		d, err = a.Sub(b)
	case "mul":
		d, err = a.Mul(b)
	case "div":
		d, err = a.Quo(b)
	case "mod":
		d, err = a.Rem(b)
	case "pow":
		d, err = a.Pow(b)
	}
	return pushDecimal(c, d, err)
}

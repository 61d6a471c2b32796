//go:build cgo

package lua

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/say"
)

func init() { modules = append(modules, registerLog) }

// registerLog registers what builtin/log.lua stands on.
func registerLog(s *State) {
	// log.write(level, module, in the line, source, text or fields): Lua has decided that it is to be written.
	s.Func("log.write", s.writeLog)
	s.Func("log.open", func(c *luajit.Call) error {
		if s.options.Lines == nil {
			return boxerr.New(boxerr.Unsupported, "Lycosa", "a log of its own inside of another program")
		}
		path := c.Str()
		if err := s.options.Lines.Open(path); err != nil {
			return boxerr.New(boxerr.Cfg, "log", err.Error())
		}
		return nil
	})
	s.Func("log.rotate", func(*luajit.Call) error {
		if s.options.Lines == nil {
			return nil
		}
		return s.options.Lines.Rotate()
	})
	s.Func("log.set_json", func(c *luajit.Call) error {
		if s.options.Lines != nil {
			s.options.Lines.SetJSON(c.Bool())
		}
		return nil
	})
	s.Func("log.set_level", func(c *luajit.Call) error {
		if level, ok := say.LevelByName(c.Str()); ok && s.options.Lines != nil {
			s.options.Lines.SetLevel(level)
		}
		return nil
	})
}

// writeLog writes one record of a Lua program.
func (s *State) writeLog(c *luajit.Call) error {
	level, _ := say.LevelByName(c.Str())
	module, shown, source := c.Str(), c.Bool(), c.Str()
	ctx := context.Background()
	handler := s.Log().Handler()
	if s.options.Lines == nil && !handler.Enabled(ctx, level) {
		return nil
	}
	r := slog.NewRecord(time.Now(), level, "", 0)
	if f := s.current; f != nil {
		fiber := fmt.Sprintf("main/%d/%s", f.ID, f.Name)
		if shown && module != "" {
			fiber += "/" + module
		}
		r.AddAttrs(slog.String(say.KeyFiber, fiber))
	}
	if source != "" {
		r.AddAttrs(slog.String(say.KeySource, source))
	}
	if c.Peek() == msgpack.String {
		r.Message = c.Str()
	} else {
		v, err := c.Value()
		if err != nil {
			return err
		}
		addFields(&r, v)
	}
	if module != "" && (s.options.Lines == nil || s.options.Lines.JSON()) {
		r.AddAttrs(slog.String("module", module))
	}
	return handler.Handle(ctx, r)
}

// reserved are the fields of a JSON line that the fields of a table do not replace.
var reserved = map[string]bool{
	"time": true, "level": true, "pid": true, "cord_name": true, "fiber": true, "file": true, "module": true,
}

// addFields makes attributes of a table that a program logs.
func addFields(r *slog.Record, v any) {
	for k, x := range namedFields(v) {
		if text, ok := x.(string); k == "message" && ok {
			r.Message = text
		} else if !reserved[k] {
			r.AddAttrs(slog.Any(k, x))
		}
	}
}

//go:build cgo

package luajit

import (
	"testing"

	"github.com/lycosadb/lycosa/msgpack"
)

func TestCallBothWays(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Func("add", func(c *Call) error {
		c.PushUint(c.Uint() + c.Uint())
		return nil
	})
	s.Func("panics", func(*Call) error { panic("oh") })
	f, err := s.Load([]byte(`
		local bridge = require('internal.bridge')
		local a, b = ...
		assert(not pcall(bridge.functions.panics))
		return bridge.functions.add(a, b), 'text', {1, 2, {k = true}}
	`), "=test")
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		out, n, err := s.Call(f, msgpack.AppendUint(msgpack.AppendUint(nil, 2), 40), 2)
		if err != nil || n != 3 {
			t.Fatal(n, err)
		}
		if v, _, _ := msgpack.ReadUint(out); v != 42 {
			t.Fatal(v)
		}
	}
}

func TestThreadParksAndGoesOn(t *testing.T) {
	s, err := New()
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	s.Blocking("park", func(*Call) error { return ErrPark })
	setup, err := s.Load([]byte(`
		local b = require('internal.bridge')
		local mark = newproxy()
		b.set_values(nil, nil, nil, nil, nil, mark, {}, nil, nil)
		function entry()
			b.blocking.park()
			b.finish(b.take())
		end
		return entry
	`), "=setup")
	if err != nil {
		t.Fatal(err)
	}
	out, _, err := s.Call(setup, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	entry := RefOf(out)
	th := s.NewThread()
	for range 1000 {
		if st := s.Resume(th, entry, NoRef, nil, 0); st != Yielded {
			t.Fatal(st, s.Err())
		}
		if st := s.Resume(th, NoRef, NoRef, msgpack.AppendString(nil, "hello"), 1); st != Done {
			t.Fatal(st, s.Err())
		}
		out, n := s.Results()
		if text, _, _ := msgpack.ReadString(out); n != 1 || string(text) != "hello" {
			t.Fatalf("%d %q", n, out)
		}
	}
}

// BenchmarkCall crosses the bridge: from Go to Lua and back, and from there to Go and back once more.
func BenchmarkCall(b *testing.B) {
	s, err := New()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	s.Func("nothing", func(*Call) error { return nil })
	s.Func("echo", func(c *Call) error { c.PushRaw(c.Raw()); return nil })
	const functions = "local f = require('internal.bridge').functions "
	for _, test := range []struct{ name, text string }{
		{"empty", `return function() end`},
		{"echo number", `return function(_, n) return n end`},
		{"echo table", `return function(t) return t end`},
		{"and back", functions + `local f = f.nothing return function() f() end`},
		{"and back with a number", functions + `local f = f.echo return function(_, n) return f(n) end`},
		{"and back with a table", functions + `local f = f.echo return function(t) return f(t) end`},
		{"and back ten times", functions + `local f = f.nothing return function() for _ = 1, 10 do f() end end`},
	} {
		b.Run(test.name, func(b *testing.B) {
			chunk, err := s.Load([]byte(test.text), "=bench")
			if err != nil {
				b.Fatal(err)
			}
			out, _, err := s.Call(chunk, nil, 0)
			if err != nil {
				b.Fatal(err)
			}
			f := RefOf(out)
			args := []byte{0x93, 1, 2, 0xa1, 'x', 7} // {1, 2, 'x'}, 7
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := s.Call(f, args, 2); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

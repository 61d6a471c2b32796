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

func BenchmarkCall(b *testing.B) {
	s, err := New()
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	s.Func("nothing", func(*Call) error { return nil })
	for name, text := range map[string]string{
		"empty":      `return function() end`,
		"and back":   `local f = require('internal.bridge').functions.nothing return function() f() end`,
		"echo table": `return function(t) return t end`,
	} {
		b.Run(name, func(b *testing.B) {
			chunk, _ := s.Load([]byte(text), "=bench")
			out, _, err := s.Call(chunk, nil, 0)
			if err != nil {
				b.Fatal(err)
			}
			f := RefOf(out)
			args := []byte{0x93, 1, 2, 0xa1, 'x'}
			b.ReportAllocs()
			for range b.N {
				if _, _, err := s.Call(f, args, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

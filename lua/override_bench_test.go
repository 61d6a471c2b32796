//go:build cgo

package lua

import (
	"testing"

	"github.com/lycosadb/lycosa/internal/luajit"
)

// BenchmarkHandler measures handlers in Lua by themselves: what LuaJIT and the bridge take of a request.
func BenchmarkHandler(b *testing.B) {
	s := newBare(b)
	s.OnSent = func([]byte) {}
	s.shared.SessionID, s.shared.FastSession, s.shared.SchemaVersion = 7, 7, 80
	// {0: 1, 1: 7} {0x10: 600, 0x11: 0, 0x12: 1, 0x13: 0, 0x14: 0, 0x20: [5]}
	header := []byte{0x82, 0, 1, 1, 7}
	body := []byte{0x86, 0x10, 0xcd, 2, 88, 0x11, 0, 0x12, 1, 0x13, 0, 0x14, 0, 0x20, 0x91, 5}
	for _, test := range []struct{ name, text string }{
		{"empty", `return function(header, body) return false end`},
		{"declines", `return function(header, body) return body.space_id == 601 end`},
		{"reads", `return function(header, body)
			return body.space_id == 600 and header.sync == 7 and box.session.id() == 7 and box.info.schema_version > 0
		end`},
		{"tables", `return function(header, body)
			if body.space_id == 600 then
				local a = { { request_type = box.iproto.type.OK, sync = header.sync, schema_version = box.info.schema_version },
				{ data = { 1, 2, 3 } } }
				return true
			end
			return false
		end`},
		{"documented", `return function(header, body)
			if body.space_id == 600 then
				box.iproto.send(box.session.id(),
				{ request_type = box.iproto.type.OK, sync = header.sync, schema_version = box.info.schema_version },
				{ data = { 1, 2, 3 } })
				return true
			end
			return false
		end`},
	} {
		b.Run(test.name, func(b *testing.B) {
			make := s.compile(b, test.text)
			out, _, err := s.State.Call(make, nil, 0)
			if err != nil {
				b.Fatal(err)
			}
			handler := luajit.RefOf(out)
			t := s.NewThread()
			b.ReportAllocs()
			for b.Loop() {
				if status := s.ResumeRequest(t, luajit.NoRef, handler, header, body, true); status != luajit.Done {
					b.Fatal(s.Err())
				}
				s.TakeSent()
			}
			s.FreeThread(t)
		})
	}
}

// compile is Load for a chunk that has to be right.
func (s *State) compile(b *testing.B, chunk string) luajit.Ref {
	b.Helper()
	ref, err := s.Load([]byte(chunk), "=bench")
	if err != nil {
		b.Fatal(err)
	}
	return ref
}

//go:build cgo

package lua

import (
	"testing"

	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

// TestEscape asks of functions whether they could keep their parameters.
func TestEscape(t *testing.T) {
	s := newBare(t)
	for _, test := range []struct {
		function   string
		impossible bool
	}{
		{"function(header, body) return false end", true},
		{"function(header, body) end", true},
		{"function(header, body) return body.space_id == 600 end", true},
		{"function(header, body) return body[16] == header[1] end", true},
		{"function(header, body) local k = 'key' return body[k] ~= nil end", true},
		{`function(header, body)
			if body.space_id ~= 600 then return end
			for i = 1, 3 do x = i + header.sync end
			box.iproto.send(box.session.id(), { sync = header.sync }, { data = { body.key } })
			return true
		end`, true},
		{"function(header, body) header = nil return true end", true},
		{"function(header, body) kept = body return true end", false},
		{"function(header, body) local b = body kept = b return true end", false},
		{"function(header, body) kept[1] = header return true end", false},
		{"function(header, body) kept[body] = 1 return true end", false},
		{"function(header, body) kept = { header } return true end", false},
		{"function(header, body) kept = { body = body } return true end", false},
		{"function(header, body) keep(body) return true end", false},
		{"function(header, body) return body end", false},
		{"function(header, body) return header, body end", false},
		{"function(header, body) return keep(1, body) end", false},
		{"function(header, body) return body:decode() end", false},
		{"function(header, body) return body() end", false},
		{"function(header, body) return kept[body] end", false},
		{"function(header, body) header = body return true end", false},
		{"function(header, body) return header and true end", false},
		{"function(header, body) kept = function() return body end return true end", false},
		{"function(header, body) kept = coroutine.wrap(function() return 1 end) return true end", false},
		{"function(header, body) kept = 'a' .. body return true end", false},
		{"function(header, body) body.x = 1 return true end", false},
		{"function(header, body) setmetatable(kept, { __index = body }) return true end", false},
		{"function(...) return true end", false},
		{"function(header, body, ...) return true end", false},
		{"function(sid, header, body) return true end", false},
		{"function(header) return true end", false},
		{"print", false},
	} {
		chunk := s.mustLoad(t, "return require('internal.escape').impossible("+test.function+")")
		out, _, err := s.State.Call(chunk, nil, 0)
		if err != nil {
			t.Fatalf("%s: %v", test.function, err)
		}
		if impossible, _, _ := msgpack.ReadBool(out); impossible != test.impossible {
			t.Errorf("%s: %v", test.function, impossible)
		}
	}
}

// TestLoans runs handlers that are lent the objects of requests.
func TestLoans(t *testing.T) {
	s := newBare(t)
	_, _, err := s.State.Call(s.mustLoad(t, `
		seen, calls = {}, 0
		function ask(header, body) calls = calls + 1 seen[calls] = { header.sync, body.space_id, body.key and body.key[1], body.name } return true end
		function wait(header, body) fiber_yield() calls = calls + 1 seen[calls] = { header.sync, body.space_id } return true end
		function fail(header, body) return header.sync + nil end
		function fiber_yield() require('internal.core').raw_yield(require('internal.core').YIELD) end
	`), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	global := func(name string) luajit.Ref {
		out, _, err := s.State.Call(s.mustLoad(t, "return "+name), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		return luajit.RefOf(out)
	}
	ask, wait, fail := global("ask"), global("wait"), global("fail")
	run := func(f luajit.Ref, sync byte, body []byte) (*luajit.Thread, luajit.Status) {
		th := s.NewThread()
		return th, s.ResumeRequest(th, luajit.NoRef, f, []byte{0x82, 0, 1, 1, sync}, body, true)
	}
	must := func(status, want luajit.Status) {
		t.Helper()
		if status != want {
			t.Fatalf("status %d, want %d", status, want)
		}
	}
	large := append([]byte{0x82, 0x10, 9, 0x5d, 0xda, 4, 0}, make([]byte, 1024)...)
	_, status := run(ask, 1, []byte{0x82, 0x10, 5, 0x20, 0x91, 6})
	must(status, luajit.Done)
	_, status = run(ask, 2, []byte{0x82, 0x10, 6, 0x20, 0x91, 7}) // the key is another table now
	must(status, luajit.Done)
	waiting, status := run(wait, 3, []byte{0x81, 0x10, 7})
	must(status, luajit.Yielded)
	_, status = run(ask, 4, large)
	must(status, luajit.Done)
	_, status = run(fail, 5, []byte{0x80})
	must(status, luajit.Failed)
	_, status = run(ask, 6, []byte{0x80})
	must(status, luajit.Done)
	must(s.Resume(waiting, luajit.NoRef, luajit.NoRef, nil, 0), luajit.Done)
	out, _, err := s.State.Call(s.mustLoad(t, `local lines = {}
		for i, v in ipairs(seen) do for k = 1, 3 do v[k] = tostring(v[k]) end lines[i] = table.concat(v, ' ', 1, 3) end
		return table.concat(lines, '; ')`), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	const want = "1 5 6; 2 6 7; 4 9 nil; 6 nil nil; 3 7 nil"
	if got, _, _ := msgpack.ReadString(out); string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

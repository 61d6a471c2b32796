//go:build cgo

package lua

import (
	"bytes"
	"testing"

	"github.com/lycosadb/lycosa/internal/luajit"
)

// TestPlainTables encodes tables in place and through LuaJIT's API, which must make no difference.
func TestPlainTables(t *testing.T) {
	s := newBare(t)
	for _, text := range []string{
		"{}", "{1, 2, 3}", "{1, nil, 3}", "{nil, nil, 3}", "{[0] = 1, 2}", "{[1] = 1, [2] = 2}", "{[-1] = 1}", "{[1.5] = 1}", "{1, 2, x = 3}",
		"{a = 1}", "{a = 1, b = {c = {d = {}}}}", "{[true] = 1}", "{[7ULL] = 1}", "{[2^40] = 1}", "{[box.NULL] = 1}",
		"{0, -0.0, 1.5, -1, 127, 128, 2^31, -2^31, 2^53, -2^53, 2^63, 2^64, -2^63, 1e300, 1/0, -1/0}",
		"{true, false, box.NULL, 'text', ('x'):rep(31), ('x'):rep(32), ('x'):rep(256), ('x'):rep(70000), 'a\\0b'}",
		"{1ULL, -1LL, 2^63 + 0ULL, require('ffi').new('int8_t', -5), require('ffi').new('float', 1.5), require('ffi').new('bool', true)}",
		"{require('uuid').fromstr('12345678-1234-1234-1234-123456789012'), require('decimal').new('1.5'), require('varbinary').new('x')}",
		"{require('datetime').new{year = 2020}, require('datetime').interval.new{day = 1}, box.error.new(box.error.UNKNOWN)}",
		"{box.tuple.new{1, 2}, {box.tuple.new{3}}}", "{require('msgpack').object{1}}", "{print = 1}",
		"setmetatable({1, 2}, require('msgpack').map_mt)", "setmetatable({}, require('msgpack').map_mt)", "setmetatable({a = 1}, require('msgpack').map_mt)",
		"setmetatable({a = 1}, require('msgpack').array_mt)", "setmetatable({1, 2}, require('msgpack').array_mt)", "setmetatable({1, nil, 3}, require('msgpack').array_mt)",
		"{setmetatable({a = 1}, {__serialize = function(t) return {t.a} end})}", "{setmetatable({}, {__serialize = 'map'})}", "{setmetatable({1}, {__index = {2}})}",
		"(function() local t = {} for i = 1, 100 do t[i] = i end return t end)()", "(function() local t = {} for i = 100, 1, -1 do t[i] = i end return t end)()",
		"(function() local t = {} for i = 1, 100 do t['k' .. i] = i end for i = 1, 90 do t['k' .. i] = nil end return t end)()",
		"(function() local t = {} for i = 1, 100 do t[i] = i end for i = 50, 100 do t[i] = nil end return t end)()",
		"(function() local t = {} for i = 1, 100 do t = {t} end return t end)()", "(function() local t = {} for i = 1, 200 do t = {t} end return t end)()",
		"{[1000] = 1}", "{1, 2, [1000] = 1}", "require('table').new(10, 10)",
		"box.iproto.key", "{sync = 1, request_type = 2, SCHEMA_VERSION = 3, other = 4}",
	} {
		for _, encoder := range []string{"require('msgpack').encode", "box.iproto.encode_packet", "encode_finite"} {
			chunk := s.mustLoad(t, `local m = require('msgpack').new() m.cfg{encode_invalid_numbers = false} encode_finite = m.encode
				local value = `+text+` return function() local ok, e = pcall(`+encoder+`, value) return ok, ok and e or tostring(e) end`)
			out, _, err := s.State.Call(chunk, nil, 0)
			if err != nil {
				t.Fatalf("%s: %v", text, err)
			}
			encode := luajit.RefOf(out)
			var encoded [2][]byte
			for i, on := range []bool{false, true} {
				before := s.SetPlain(on)
				if !before {
					t.Fatal("the layout of tables is not known")
				}
				out, _, err := s.State.Call(encode, nil, 0)
				if err != nil {
					t.Fatalf("%s: %v", text, err)
				}
				encoded[i] = bytes.Clone(out)
				s.SetPlain(true)
			}
			if !bytes.Equal(encoded[0], encoded[1]) {
				t.Errorf("%s of %s:\n% x through the API\n% x in place", encoder, text, encoded[0], encoded[1])
			}
		}
	}
}

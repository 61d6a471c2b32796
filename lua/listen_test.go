package lua_test

import (
	"strings"
	"testing"
)

// TestListenOption gives box.cfg.listen in all its forms.
func TestListenOption(t *testing.T) {
	const (
		shape = "Invalid URI table: expected {uri = string, params = table} or {string, params = table}"
		form  = "Incorrect URI: expected host:service or /unix.socket"
		wrong = "Incorrect value for option 'listen': "
	)
	tests := []struct{ value, want string }{
		{`'unix/:./a.sock'`, "unix/:./a.sock"},
		{`'./a.sock, unix/:./b.sock'`, "unix/:./a.sock unix/:./b.sock"},
		{`{'./a.sock', {'./c.sock'}, {uri = './d.sock'}}`, "unix/:./a.sock unix/:./c.sock unix/:./d.sock"},
		{`{uri = './a.sock', params = {transport = 'plain'}}`, "unix/:./a.sock"},
		{`{'./b.sock', params = {transport = {'plain'}}}`, "unix/:./b.sock"},
		{`{'./a.sock', './b.sock', default_params = {transport = 'plain'}}`, "unix/:./a.sock unix/:./b.sock"},
		{`{'./a.sock?transport=plain', {'./b.sock'}, default_params = {transport = 'plain'}}`, "unix/:./a.sock unix/:./b.sock"},
		{`{{'./a.sock'}, {'./b.sock', params = {transport = 'pigeon'}}}`, "Invalid transport: pigeon"},
		{`{{'./a.sock'}, './b.sock', default_params = {transport = 'ssl'}}`, "Listening does not support the transport 'ssl'"},
		{`{'./a.sock'}`, "unix/:./a.sock"},
		{`{'./a.sock', './a.sock'}`, "listen unix ./a.sock: bind: address already in use"},
		{`{'./e.sock', './e.sock'}`, "listen unix ./e.sock: bind: address already in use"},
		{`{'./b.sock', '/no/such/directory/a.sock'}`, "listen unix /no/such/directory/a.sock: bind: no such file or directory"},
		{`'://'`, wrong + form},
		{`'./a.sock, ://'`, wrong + form},
		{`'localhost'`, wrong + "expected host:service or /unix.socket"},
		{`{uri = '://'}`, wrong + form},
		{`{'./a.sock', {'://'}}`, wrong + form},
		{`{uri = './a.sock', './a.sock'}`, wrong + shape},
		{`{'./a.sock', {'./a.sock', './a.sock'}}`, wrong + shape},
		{`{'./a.sock', {}}`, wrong + shape},
		{`{'./a.sock', './b.sock', uri = './c.sock'}`, wrong + shape},
		{`{'./a.sock', './b.sock', params = {x = 'y'}}`, wrong + "URI parameters are not allowed for multiple URIs"},
		{`{'./a.sock', default_params = {x = 'y'}}`, wrong + "Default URI parameters are not allowed for single URI"},
		{`{true}`, wrong + "Incorrect type for URI in nested table: should be string, number"},
		{`{'./a.sock', true}`, wrong + "Incorrect type for URI: should be string, number or table"},
		{`{'./a.sock', params = 5}`, wrong + "Incorrect type for URI parameters: should be a table"},
		{`{'./a.sock', params = {5}}`, wrong + "Incorrect type for URI parameter name: should be a string"},
		{`{'./a.sock', params = {x = true}}`, wrong + "Incorrect type for URI parameter value: should be string, number or table"},
		{`{'./a.sock', params = {x = {true}}}`, wrong + "Incorrect type for URI parameter value: should be string or number"},
		{`-1`, wrong + "expected host:service or /unix.socket"},
		{`true`, wrong + "should be one of types string, number, table"},
		{`{}`, "nothing"},
		{`box.NULL`, "nothing"},
	}
	var chunk strings.Builder
	chunk.WriteString(`
		box.cfg{log_level = 'error', wal_mode = 'none'}
		local before
		local function try(value)
			local ok, e = pcall(box.cfg, {listen = value})
			local now = box.info.listen or 'nothing'
			now = type(now) == 'table' and table.concat(now, ' ') or now
			if not ok and now ~= before then out('a failure changed what is listened on to ' .. now) end
			before = now
			out(ok and now or e)
		end
		before = 'nothing'
	`)
	var want []string
	for _, test := range tests {
		chunk.WriteString("try(" + test.value + ")\n")
		want = append(want, test.want)
	}
	chunk.WriteString("return finish()")
	got := strings.Split(runNet(t, chunk.String()), "\n")
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i, test := range tests {
		if got[i] != want[i] {
			t.Errorf("%s:\ngot  %s\nwant %s", test.value, got[i], want[i])
		}
	}
}

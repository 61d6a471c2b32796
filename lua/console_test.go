//go:build cgo

package lua

import "testing"

// consoles gives chunks open(), a connection to a console: called with lines it returns what they are answered with, up to
// the end of an answer or ";".
const consoles = `
local socket, console = require('socket'), require('console')
local path = 'console.sock'
local server = console.listen('unix/:' .. require('fio').abspath(path))
local function open()
    local s = socket.tcp_connect('unix/', path)
    local greeting = s:read(128)
    return function(...)
        local out = {}
        for _, line in ipairs { ... } do
            s:write(line .. '\n')
            out[#out + 1] = s:read { delimiter = { '\n...\n', ';' } } or 'nothing'
        end
        return (table.concat(out, '|'):gsub('\n', ' '):gsub('%-%-%- ?', ''):gsub(' ?%.%.%. ?', ''))
    end, greeting, s
end
`

func TestConsoleOverSocket(t *testing.T) {
	run := newRunner(t)
	for _, test := range []struct{ name, chunk, want string }{
		{"greeting", `local _, greeting = open() return greeting:sub(64) `,
			"\ntype 'help' for interactive help                               \n"},
		{"values", `local ask = open() return ask('1 + 1', 'return 1, nil', 'x = 5', 'x', 'nil')`, "- 2|- 1 - null||- 5|- null"},
		{"errors", `local ask = open() return ask('error("oops", 0)', 'error({code = 5})', 'error()', 'box.error(1, "why")')`,
			"- error: oops|- error:     code: 5|- error: null|- error: why"},
		{"a line is a statement", `local ask = open() return ask('for i = 1, 2 do', '1')`,
			`- error: '[string "for i = 1, 2 do"]:1: ''end'' expected near ''<eof>'''|- 1`},
		{"session", `local ask = open() return ask('box.session.type(), box.session.user(), box.session.fd() > 2', 'box.session.peer()')
			:gsub('unix/:.*', 'the path')`, "- console - admin - true|- the path"},
		{"a delimiter is the console's own", `
			local one, other = open(), open()
			return one('require("console").delimiter("$EOF$")', 'return 1 +\n1$EOF$') .. '|' .. other('2') .. '|' ..
				one('require("console").delimiter()$EOF$', '\\set delimiter$EOF$', '3')`, "|- 2|- 2|- $EOF$||- 3"},
		{"output", `
			local one, other = open(), open()
			return one('\\set output lua', '1, {2, a = "b"}', '\\set output lua,block', '{1, {2}, {}}', 'error("x", 0)', '\\set output yaml') .. '|' ..
				other('{2}', '\\set output', '\\set output json', '\\set output yaml,block')`,
			`true;|1, {2, a = "b"};|true;|{   1,   {     2   },   {} };|{   error = "x" };|- true|- - 2|` +
				`- error: 'Specify output format: lua or yaml.'|` +
				`- error: 'Invalid format "json", supported languages: lua and yaml.'|- error: Invalid option "block"`},
		{"commands", `local ask = open() return ask('\\set language', '\\set language lua', '\\set language sql', '\\set x', '\\set', '\\x')`,
			`- language: lua|- true|- error: Lycosa does not support SQL|- error: 'Unknown parameter: x'|` +
				`- error: Invalid set syntax, type \help for help|- error: Invalid command \x. Type \help for help.`},
		{"quit", `local ask, _, s = open() s:write('\\quit\n') return '(' .. s:read(1) .. ')'`, "()"},
		{"no console", `return err(console.delimiter)`, "console.delimiter(): need existing console"},
		{"default output", `
			console.set_default_output('lua')
			local text, eos = console.eval('1, {}'), console.eos()
			console.set_default_output('yaml')
			return text .. ' ' .. eos .. ' ' .. console.get_default_output().fmt .. ' ' .. err(console.set_default_output, 'x')`,
			`1, {}; ; yaml Invalid format "x", supported languages: lua and yaml.`},
		{"in use", `return (err(console.listen, 'unix/:/nowhere/x'):gsub(':.*', ''))`, "failed to create server unix/"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := run("box.cfg{wal_mode = 'none', log_level = 'crit'}\n" + consoles + "local function test() " + test.chunk + " end\n" +
				"local text = test()\nserver:close()\nreturn text"); got != test.want {
				t.Errorf("got  %q\nwant %q", got, test.want)
			}
		})
	}
}

-- Built-in modules may set globals; programs see them as they see LuaJIT's own.
std = 'luajit'
max_line_length = 130
globals = { 'box', 'checkers', 'debug', 'dostring', 'help', 'misc', 'tutorial', 'tonumber64', '_TARANTOOL', 'require', 'dofile', 'coroutine', 'string', 'table', 'os', 'io', 'arg', 'package', 'print', 'pairs', 'ipairs', 'utf8' }
ignore = { '212/self', '212/_.*', '211/_.*' }
-- Stored functions are globals.
files['examples'] = { allow_defined_top = true, ignore = { '131' } }
files['bench'] = { allow_defined_top = true, ignore = { '131' } }
files['clients'] = { allow_defined_top = true, ignore = { '131' } }

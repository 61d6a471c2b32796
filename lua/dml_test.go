//go:build cgo

package lua

import "testing"

// TestDML calls the methods that read and change data in ways that only some programs do.
func TestDML(t *testing.T) {
	for _, c := range []struct{ name, chunk, want string }{
		{"only the list of a key's table counts", `
			local s = box.schema.space.create('s')
			s:create_index('pk')
			s:insert{1}
			s:insert{2}
			return table.concat({ids(s:select{a = 1}), ids(s:select{2, a = 1}), s:count{a = 1}, s:count{1, b = 2},
				try(s.get, s, {a = 1}), try(s.get, s, {2, a = 1}), try(s.delete, s, {a = 1})}, '; ')`,
			"1 2; 2; 2; 1; ClientError: Invalid key part count in an exact match (expected 1, got 0); ok [2]; " +
				"ClientError: Tuple/Key must be MsgPack array"},
		{"get by numbers, texts and other keys", `
			local s = box.schema.space.create('s')
			s:create_index('pk', {parts = {1, 'number'}})
			s:create_index('name', {parts = {2, 'string'}})
			s:create_index('all', {parts = {{2, 'string'}, {1, 'number'}}})
			s:create_index('some', {parts = {2, 'string'}, unique = false})
			s:insert{1, 'one'}
			s:insert{-2.5, 'minus'}
			s:insert{2 ^ 40, ''}
			local found = {}
			local function add(...) found[#found + 1] = select('#', ...) .. tostring((...)) end
			add(s:get(1)) add(s:get(-2.5)) add(s:get(2 ^ 40)) add(s:get(1ULL)) add(s:get{1}) add(s:get(2)) add(s:get(0 / 0))
			add(s.index.name:get('one')) add(s.index.name:get('')) add(s.index.name:get('two')) add(s.index.all:get{'one', 1})
			box.begin() s:insert{5, 'own'} add(s:get(5)) add(s.index.name:get('own')) box.rollback() add(s:get(5))
			add(try(s.get, s, 'one')) add(try(s.get, s)) add(try(s.index.name.get, s.index.name, 1)) add(try(s.index.all.get, s.index.all, 'one'))
			add(try(s.index.some.get, s.index.some, 'one'))
			s:drop()
			add(try(s.get, s, 1))
			return table.concat(found, '; ')`,
			"1[1, 'one']; 1[-2.5, 'minus']; 1[1099511627776, '']; 1[1, 'one']; 1[1, 'one']; 0nil; 0nil; 1[1, 'one']; 1[1099511627776, '']; 0nil; " +
				"1[1, 'one']; 1[5, 'own']; 1[5, 'own']; 0nil; " +
				"1ClientError: Supplied key type of part 0 does not match index part type: expected number; " +
				"1ClientError: Invalid key part count in an exact match (expected 1, got 0); " +
				"1ClientError: Supplied key type of part 0 does not match index part type: expected string; " +
				"1ClientError: Invalid key part count in an exact match (expected 2, got 1); " +
				"1ClientError: Get() doesn't support partial keys and non-unique indexes; " +
				"1ClientError: Space '512' does not exist"},
		{"update without a key, upsert without a tuple", `
			local s = box.schema.space.create('s')
			s:create_index('pk')
			return try(s.update, s, nil, {}) .. '; ' .. try(s.update, s) .. '; ' .. try(s.upsert, s, 5, {})`,
			"ClientError: Invalid key part count in an exact match (expected 1, got 0); " +
				"IllegalParams: Usage: index:update(key, ops); IllegalParams: Usage: space:upsert(tuple_key, ops)"},
		{"auto_increment", `
			local s = box.schema.space.create('s')
			local bare = try(s.auto_increment, s, {})
			s:create_index('pk')
			local fields = {'a'}
			s:auto_increment(fields)
			return bare .. '; ' .. fields[1] .. '; ' .. try(s.auto_increment, s, fields)`,
			"ClientError: No index #0 is defined in space 's'; 1; ok [2, 1, 'a']"},
		{"tables of frommap are checked and have gaps", `
			local s = box.schema.space.create('s', {format = {{'a', 'unsigned'}, {'b', 'string', is_nullable = true}, {'c', 'any'}}})
			local t = s:frommap({a = 1, c = 2}, {table = true})
			local null = s:frommap({a = 1, b = box.NULL, c = 2}, {table = true})
			return table.concat({type(t[2]), t[3], type(null[2]), try(s.frommap, s, {a = 1}, {table = true}), try(s.frommap, s, {1})}, ' ')`,
			"nil 2 cdata ok nil Tuple field 3 (c) required by space format is missing ok nil Unknown field '1'"},
		{"the methods of tuples are functions in box.tuple", `
			local t = box.tuple.new{1, 'two', 'three'}
			local names = {}
			for name in pairs(box.tuple) do names[#names + 1] = name end
			table.sort(names)
			return table.concat(names, ' ') .. '; ' .. table.concat({box.tuple.find(t, 'two'), box.tuple.slice(t, 1),
				try(box.tuple.find, 5, 5), try(box.tuple.slice), try(t.bsize, {}), try(t.slice, t, 1, -3)}, '; ')`,
			"bsize find findall format info ipairs is new next pairs slice tomap totable transform unpack update upsert; " +
				"2; two; Usage: tuple:find([offset, ]val); Invalid argument #1 (box.tuple expected, got no value); " +
				"Usage: tuple:bsize(); tuple.slice(): end > field count"},
		{"only numbers index the fields of a tuple", `
			local t = box.tuple.new{1, 2}
			return tostring(t[1LL]) .. ' ' .. tostring(t[box.NULL]) .. ' ' .. t[2]`,
			"nil nil 2"},
		{"transform takes values only", `
			local t = box.tuple.new{1, 2}
			return try(t.transform, t, 2, 1, print) .. '; ' .. tostring(t:transform(2, 1, nil, 5, nil))`,
			"LuajitError: unsupported Lua type 'function'; [1, null, 5, null]"},
		{"tuple:upsert keeps to the format", `
			local s = box.schema.space.create('s', {format = {{'id', 'unsigned'}, {'name', 'string'}}})
			s:create_index('pk')
			local t = s:insert{1, 'x'}
			return try(t.upsert, t, {{'=', 2, 5}})`,
			"ClientError: Tuple field 2 (name) type does not match one required by operation: expected string, got unsigned"},
		{"functions of indexes by number", `
			local s = box.schema.space.create('s')
			s:create_index('pk')
			box.schema.func.create('f', {body = 'function(t) return {t[1]} end', is_deterministic = true})
			local i = s:create_index('i', {func = box.func.f.id, parts = {{1, 'unsigned'}}})
			return i.func.name .. ' ' .. tostring(i.func.fid == box.func.f.id) .. '; ' ..
				try(s.create_index, s, 'x', {func = 9999, parts = {{1, 'unsigned'}}})`,
			"f true; ClientError: Function '9999' does not exist"},
		{"collations", `
			local c = box.internal.collation
			c.create('own', 'ICU', 'de', {strength = 'primary'})
			c.create('own', 'ICU', 'de', {if_not_exists = true})
			local row = box.space._collation.index.name:get('own')
			c.create('plain', 'ICU', '')
			local id = c.id_by_name('own') == row[1]
			c.drop('own')
			c.drop('own')
			return table.concat({tostring(id), row[6].strength, box.space._collation.index.name:get('plain')[6].strength,
				tostring(c.exists('own')), try(c.create), try(c.create, 'x', 'ICU'), try(c.create, 'x', 'ICU', '', 5)}, '; ')`,
			"true; primary; tertiary; false; IllegalParams: name (first arg) must be a string; " +
				"IllegalParams: locale (third arg) must be a string; IllegalParams: options (fourth arg) must be a table or nil"},
		{"triggers that keep definitions back", `
			box.space._space:before_replace(function(old) return old end)
			box.space._index:before_replace(function(old) return old end)
			local space, what = box.schema.space.create('s')
			box.space._space:before_replace(nil, box.space._space:before_replace()[1])
			local s = box.schema.space.create('s')
			return tostring(space) .. ' ' .. what .. ' ' .. tostring(s:create_index('pk')) .. ' ' .. tostring(s.index.pk)`,
			"nil created nil nil"},
		{"large values of sequences are signed", `
			return tostring(box.schema.sequence.create('q', {start = 2 ^ 62}):next())`,
			"4611686018427387904LL"},
		{"sequences take integers", `
			local create = box.schema.sequence.create
			local rows = box.space._sequence
			return try(create, 'q', {step = 1.5}) .. '; ' .. try(create, 'q', {cache = 2 ^ 63}) .. '; ' ..
				try(rows.insert, rows, {1, 1, 'q', 1, 1, 2 ^ 63, 1, 0, false})`,
			"ClientError: Tuple field 4 (step) type does not match one required by operation: expected integer, got double; " +
				"ClientError: Tuple field 8 (cache) type does not match one required by operation: expected integer, got unsigned; " +
				"ClientError: Tuple field 6 type does not match one required by operation: expected integer, got unsigned"},
		{"a sequence object goes by its number", `
			local q = box.schema.sequence.create('q')
			q:alter{name = 'renamed'}
			q:drop()
			return try(q.drop, q) .. '; ' .. try(box.schema.sequence.drop) .. '; ' .. try(box.schema.sequence.alter, 'q', {})`,
			"ClientError: Sequence '1' does not exist; ClientError: Sequence 'nil' does not exist; ClientError: Sequence 'q' does not exist"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := runBox(t, c.chunk); got != c.want {
				t.Errorf("got %s\nwant %s", got, c.want)
			}
		})
	}
}

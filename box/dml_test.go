package box

import (
	"testing"
)

func TestInsertReplaceDelete(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", nil, "pk 1 unsigned")
	w.space(513, "bare", nil)
	w.script(`
		insert t [1, "a"] -> [1, "a"]
		replace t [1, "b", "more"] -> [1, "b", "more"]
		replace t [2] -> [2]
		delete t [1] -> [1, "b", "more"]
		delete t [1]
		get t [2] -> [2]
		insert nowhere [1] -> ClientError 36: Space '999' does not exist {name "NO_SUCH_SPACE", space "999"}
		insert bare [1] -> ClientError 35: No index #0 is defined in space 'bare' {index_id 0, name "NO_SUCH_INDEX_ID", space "bare"}
		delete bare [1] -> ClientError 35: No index #0 is defined in space 'bare' {index_id 0, name "NO_SUCH_INDEX_ID", space "bare"}
		delete t/3 [1] -> ClientError 35: No index #3 is defined in space 't' {index_id 3, name "NO_SUCH_INDEX_ID", space "t"}
		select t/200 [1] -> ClientError 35: No index #200 is defined in space 't' {index_id 200, name "NO_SUCH_INDEX_ID", space "t"}
	`)
}

func TestDuplicateKeys(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", nil, "pk 1 unsigned", "mail 2 string")
	w.script(`
		insert t [1, "x@y"] -> [1, "x@y"]
		insert t [2, "z@y"] -> [2, "z@y"]
		insert t [1, "new"] -> ClientError 3: Duplicate key exists in unique index "pk" in space "t" with old tuple - [1, "x@y"] and new tuple - [1, "new"] {index "pk", name "TUPLE_FOUND", new_tuple [1, "new"], old_tuple [1, "x@y"], space "t"}
		insert t [3, "z@y"] -> ClientError 3: Duplicate key exists in unique index "mail" in space "t" with old tuple - [2, "z@y"] and new tuple - [3, "z@y"] {index "mail", name "TUPLE_FOUND", new_tuple [3, "z@y"], old_tuple [2, "z@y"], space "t"}
		replace t [1, "x@y", 5] -> [1, "x@y", 5]
		update t [2] [["=", 1, "x@y"]] -> ClientError 3: Duplicate key exists in unique index "mail" in space "t" with old tuple - [1, "x@y", 5] and new tuple - [2, "x@y"] {index "mail", name "TUPLE_FOUND", new_tuple [2, "x@y"], old_tuple [1, "x@y", 5], space "t"}
		update t [2] [["=", 0, 1]] -> ClientError 3: Duplicate key exists in unique index "pk" in space "t" with old tuple - [1, "x@y", 5] and new tuple - [1, "z@y"] {index "pk", name "TUPLE_FOUND", new_tuple [1, "z@y"], old_tuple [1, "x@y", 5], space "t"}
		upsert t [4, "x@y"] [] -> ClientError 3: Duplicate key exists in unique index "mail" in space "t" with old tuple - [1, "x@y", 5] and new tuple - [4, "x@y"] {index "mail", name "TUPLE_FOUND", new_tuple [4, "x@y"], old_tuple [1, "x@y", 5], space "t"}
		replace t [2, "x@y"] -> ClientError 3: Duplicate key exists in unique index "mail" in space "t" with old tuple - [1, "x@y", 5] and new tuple - [2, "x@y"] {index "mail", name "TUPLE_FOUND", new_tuple [2, "x@y"], old_tuple [1, "x@y", 5], space "t"}
		select t [] -> [1, "x@y", 5] [2, "z@y"]
		select t/mail [] -> [1, "x@y", 5] [2, "z@y"]
	`)
	if got, want := w.b.catalog.spaces[512].Mem.Bytes(), int64(7+6); got != want {
		t.Errorf("bsize %d, want %d", got, want)
	}
}

func TestUpdateDeleteKeys(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", nil, "pk 1 unsigned, 2 unsigned", "uniq 3 string", "*many 4 string")
	w.script(`
		insert t [1, 1, "a", "g"] -> [1, 1, "a", "g"]
		insert t [1, 2, "b", "g"] -> [1, 2, "b", "g"]
		delete t [1] -> ClientError 19: Invalid key part count in an exact match (expected 2, got 1) {actual 1, expected 2, index "pk", index_id 0, key [1], name "EXACT_MATCH", space "t", space_id 512}
		update t [] [["=", 3, "h"]] -> ClientError 19: Invalid key part count in an exact match (expected 2, got 0) {actual 0, expected 2, index "pk", index_id 0, key [], name "EXACT_MATCH", space "t", space_id 512}
		delete t/many ["g"] -> ClientError 41: Get() doesn't support partial keys and non-unique indexes {index "many", index_id 2, name "MORE_THAN_ONE_TUPLE", space "t", space_id 512}
		update t/many ["g"] [["=", 3, "h"]] -> ClientError 41: Get() doesn't support partial keys and non-unique indexes {index "many", index_id 2, name "MORE_THAN_ONE_TUPLE", space "t", space_id 512}
		update t/uniq ["b"] [["=", 3, "h"]] -> [1, 2, "b", "h"]
		update t/uniq ["none"] "not parsed"
		delete t/uniq [5] -> ClientError 18: Supplied key type of part 0 does not match index part type: expected string {expected "string", index "uniq", index_id 1, key [5], name "KEY_PART_TYPE", partno 0, space "t", space_id 512}
		delete t/uniq ["a"] -> [1, 1, "a", "g"]
		select t [] -> [1, 2, "b", "h"]
		update t [1, 2] [["=", 0, 5]] -> ClientError 94: Attempt to modify a tuple field which is part of primary index in space 't' {name "CANT_UPDATE_PRIMARY_KEY", new_tuple [5, 2, "b", "h"], old_tuple [1, 2, "b", "h"], space "t", space_id 512}
	`)
}

func TestErrorsOfFormatAndOperations(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", []string{"id unsigned", "name string", "note string nullable"}, "pk 1 unsigned")
	w.script(`
		insert t [1] -> ClientError 39: Tuple field 2 (name) required by space format is missing {field "2 (name)", name "FIELD_MISSING", space "t", space_id 512, tuple [1]}
		insert t [1, 5] -> ClientError 23: Tuple field 2 (name) type does not match one required by operation: expected string, got unsigned {actual "unsigned", expected "string", field "2 (name)", name "FIELD_TYPE", space "t", space_id 512, tuple [1, 5]}
		insert t [1, "a"] -> [1, "a"]
		update t [1] [["=", 1, 5]] -> ClientError 23: Tuple field 2 (name) type does not match one required by operation: expected string, got unsigned {actual "unsigned", expected "string", field "2 (name)", index "pk", index_id 0, name "FIELD_TYPE", space "t", space_id 512, tuple [1, 5]}
		update t [1] [["+", 1, 1]] -> ClientError 26: Argument type in operation '+' on field 2 does not match field type: expected a number {expected "a number", field "2", index "pk", index_id 0, name "UPDATE_ARG_TYPE", operation "+", ops [["+", 1, 1]], space "t", space_id 512, tuple [1, "a"]}
		update t [1] [["?", 1, 1]] -> ClientError 28: Unknown UPDATE operation #1: "?" {argno 1, index "pk", index_id 0, name "UNKNOWN_UPDATE_OP", operation "\"?\"", ops [["?", 1, 1]], space "t", space_id 512}
		update t [1] [["=", "nobody", 1]] -> ClientError 201: Field 'nobody' was not found in the tuple {field "nobody", index "pk", index_id 0, name "NO_SUCH_FIELD_NAME", ops [["=", "nobody", 1]], space "t", space_id 512}
		upsert t [2, "b"] [["?", 1, 1]] -> ClientError 28: Unknown UPDATE operation #1: "?" {argno 1, name "UNKNOWN_UPDATE_OP", operation "\"?\"", ops [["?", 1, 1]], space "t", space_id 512}
		upsert t ["x", "b"] [] -> ClientError 23: Tuple field 1 (id) type does not match one required by operation: expected unsigned, got string {actual "string", expected "unsigned", field "1 (id)", name "FIELD_TYPE", space "t", space_id 512, tuple ["x", "b"]}
	`)
	w.b.Config.MaxTupleSize = 20
	w.script(`insert t [3, "12345678901234567890"] -> ClientError 110: Failed to allocate 33 bytes for tuple: tuple is too large. Check 'memtx_max_tuple_size' configuration option. {max 20, name "MEMTX_MAX_TUPLE_SIZE", value 33}`)
}

func TestUpsert(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", nil, "pk 1 unsigned")
	w.script(`
		upsert t [1, 10] [["+", 1, 5]]
		upsert t [1, 10] [["+", 1, 5], ["!", 2, "x"]]
		select t [] -> [1, 15, "x"]
		upsert t [1, 10] [["+", 2, 1], ["=", 1, 99]]
		upsert t [1, 10] [["=", 0, 2]]
		select t [] -> [1, 99, "x"]
	`)
}

func TestSelect(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", nil, "pk 1 unsigned", "*group 2 string")
	w.space(513, "h", nil, "hash:pk 1 unsigned, 2 string")
	for _, c := range []string{`[3, "b"]`, `[1, "a"]`, `[2, "b"]`} {
		w.do("insert t " + c)
	}
	w.do(`insert h [1, "x"]`)
	w.script(`
		select t [] -> [1, "a"] [2, "b"] [3, "b"]
		select t REQ [] -> [3, "b"] [2, "b"] [1, "a"]
		select t GE [2] -> [2, "b"] [3, "b"]
		select t ALL [2] -> [2, "b"] [3, "b"]
		select t LT [3] -> [2, "b"] [1, "a"]
		select t/group ["b"] -> [2, "b"] [3, "b"]
		count t/group ["b"] -> 2
		min t/group ["b"] -> [2, "b"]
		max t [] -> [3, "b"]
		max t [9]
		select t ["1"] -> ClientError 18: Supplied key type of part 0 does not match index part type: expected unsigned {expected "unsigned", index "pk", index_id 0, key ["1"], name "KEY_PART_TYPE", partno 0, space "t", space_id 512}
		select t [1, 2] -> ClientError 31: Invalid key part count (expected [0..1], got 2) {index "pk", index_id 0, key [1, 2], max 1, name "KEY_PART_COUNT", space "t", space_id 512, value 2}
		select t BITS_ALL_SET [1] -> ClientError 112: Index 'pk' (TREE) of space 't' (memtx) does not support requested iterator type {engine "memtx", feature "requested iterator type", index "pk", index_type "TREE", name "UNKNOWN", space "t"}
		select h [1] -> ClientError 136: HASH index  does not support selects via a partial key (expected 2 parts, got 1). Please Consider changing index type to TREE. {actual 1, expected 2, index "pk", index_id 0, index_type "HASH", key [1], name "PARTIAL_KEY", space "h", space_id 513}
		select h [1, "x"] -> [1, "x"]
		select h ALL [] -> [1, "x"]
		min h [] -> ClientError 112: Index 'pk' (HASH) of space 'h' (memtx) does not support min() {engine "memtx", feature "min()", index "pk", index_type "HASH", name "UNKNOWN", space "h"}
		get t/group ["a"] -> ClientError 41: Get() doesn't support partial keys and non-unique indexes {index "group", index_id 1, name "MORE_THAN_ONE_TUPLE", space "t", space_id 512}
	`)
}

func TestReadOnly(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", nil, "pk 1 unsigned")
	w.space(513, "tmp", nil, "pk 1 unsigned").Mem.Temporary = true
	w.b.Config.ReadOnly = true
	w.script(`
		insert t [1] -> ClientError 7: Can't modify data on a read-only instance - box.cfg.read_only is true {name "READONLY", reason "config"}
		insert tmp [1] -> [1]
		select t [] -> none
	`)
}

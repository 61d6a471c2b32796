package box

import (
	"fmt"
	"testing"

	"github.com/lycosadb/lycosa/index"
)

func TestPages(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", nil, "pk 1 unsigned", "*group 2 string")
	w.space(513, "h", nil, "hash:pk 1 unsigned")
	for i, g := range []string{"a", "b", "a", "b", "a"} {
		w.do(fmt.Sprintf("insert t [%d, %q]", i+1, g))
	}
	invalid := `ClientError 247: Iterator position is invalid {name "ITERATOR_POSITION"}`
	for _, test := range []struct {
		what string
		r    SelectRequest
		want string
	}{
		{"a page", SelectRequest{Limit: 2}, `[1, "a"] [2, "b"] kQI`},
		{"the next", SelectRequest{Limit: 2, AfterPosition: []byte("kQI")}, `[3, "a"] [4, "b"] kQQ`},
		{"the last", SelectRequest{Limit: 2, AfterPosition: []byte("kQQ")}, `[5, "a"] kQU`},
		{"nothing left", SelectRequest{Limit: 2, AfterPosition: []byte("kQU")}, ``},
		{"nothing there", SelectRequest{Limit: 2, Iterator: index.GT, Key: mp("[9]")}, ``},
		{"backwards", SelectRequest{Limit: 2, Iterator: index.LE, Key: mp("[4]")}, `[4, "b"] [3, "a"] kQM`},
		{"backwards on", SelectRequest{Limit: 9, Iterator: index.LE, Key: mp("[4]"), AfterPosition: []byte("kQM")}, `[2, "b"] [1, "a"] kQE`},
		{"after a tuple", SelectRequest{Limit: 2, AfterTuple: mp(`[2, "b"]`)}, `[3, "a"] [4, "b"] kQQ`},
		{"in a group", SelectRequest{Index: 1, Limit: 9, Key: mp(`["a"]`), AfterTuple: mp(`[1, "a"]`)}, `[3, "a"] [5, "a"] kqFhBQ`},
		{"no such tuple", SelectRequest{Index: 1, Limit: 9, Iterator: index.ALL, AfterTuple: mp(`[4, "a"]`)}, `[5, "a"] [2, "b"] [4, "b"] kqFiBA`},
		{"limit 0", SelectRequest{Limit: 0}, ``},
		{"offset", SelectRequest{Limit: 9, Offset: 3}, `[4, "b"] [5, "a"] kQU`},
		{"outside of the key", SelectRequest{Index: 1, Limit: 9, Key: mp(`["a"]`), AfterTuple: mp(`[2, "b"]`)}, invalid},
		{"wrong type", SelectRequest{Limit: 9, AfterTuple: mp(`["x"]`)}, invalid},
		{"too short", SelectRequest{Index: 1, Limit: 9, AfterTuple: mp(`[1]`)}, invalid},
		{"no base64", SelectRequest{Limit: 9, AfterPosition: []byte("!!!!")}, invalid},
		{"a string", SelectRequest{Limit: 9, AfterPosition: []byte("kaF4")}, invalid},
		{"before the key", SelectRequest{Limit: 9, Iterator: index.GE, Key: mp("[3]"), AfterPosition: []byte("kQE")}, invalid},
		{"no iterator", SelectRequest{Limit: 9, Iterator: 14}, `IllegalParams 1: Invalid iterator type {}`},
		{"hash", SelectRequest{Space: 513, Limit: 9, Iterator: index.ALL}, `ClientError 112: Index 'pk' (HASH) of space 'h' (memtx) does not support pagination {engine "memtx", feature "pagination", index "pk", index_type "HASH", name "UNKNOWN", space "h"}`},
	} {
		if test.r.Space == 0 {
			test.r.Space = 512
		}
		test.r.FetchPosition = true
		list, err := w.b.Select(w.c, &test.r, nil)
		got := ""
		if err != nil {
			got = failure(err)
		} else {
			for _, t := range list {
				got += t.String() + " "
			}
			got += string(test.r.Position)
		}
		if got != test.want {
			t.Errorf("%s:\n got %s\nwant %s", test.what, got, test.want)
		}
	}
}

func TestIterator(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", nil, "pk 1 unsigned")
	for i := range 5 {
		w.do(fmt.Sprintf("insert t [%d]", i))
	}
	it, err := w.b.OpenIterator(w.c, &SelectRequest{Space: 512, Iterator: index.GE, Key: mp("[1]")})
	if err != nil {
		t.Fatal(err)
	}
	next := func(want string) {
		t.Helper()
		if got := text(it.Next(w.c)); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	next("[1]")
	w.do("delete t [2]")
	next("[3]")
	delete(w.b.catalog.spaces, 512)
	next("nothing")
	next("nothing")
}

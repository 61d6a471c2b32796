package lycosa_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/lycosatest"
)

// open makes a database in memory whose guests may do everything, and a client of it.
func open() (db *lycosa.DB, client *lycosatest.Client, end func()) {
	db, err := lycosa.Open(lycosa.Options{})
	if err != nil {
		panic(err)
	}
	if err := lycosatest.GrantAll(db); err != nil {
		panic(err)
	}
	client, err = lycosatest.Dial(db)
	if err != nil {
		panic(err)
	}
	return db, client, func() {
		client.Close()
		_ = db.Close(context.Background())
	}
}

// show prints what a request is answered.
func show(c *lycosatest.Client, typ iproto.Type, body map[iproto.Key]any) {
	answer, err := c.Do(typ, body)
	if err != nil {
		fmt.Println("error:", err)
		return
	}
	fmt.Println(answer.Data())
}

// The database works without any client.
func Example() {
	db, _, end := open()
	defer end()
	fruit, err := db.CreateSpace("fruit", box.SpaceSpec{Fields: []box.Field{{Name: "id", Type: "unsigned"}, {Name: "name", Type: "string"}}})
	if err != nil {
		panic(err)
	}
	if err := fruit.CreateIndex("primary", box.IndexSpec{}); err != nil {
		panic(err)
	}
	for i, name := range []string{"apple", "pear", "plum"} {
		if _, err := fruit.Insert([]any{i + 1, name}); err != nil {
			panic(err)
		}
	}
	_, err = fruit.Insert([]any{1, "orange"})
	var e *boxerr.Error
	fmt.Println(errors.As(err, &e) && e.Code == boxerr.TupleFound)

	pear, err := fruit.Update(lycosa.Key{2}, lycosa.Op{"=", "name", "quince"})
	fmt.Println(pear, err)
	list, err := fruit.Select(lycosa.Query{Limit: 2})
	fmt.Println(list, err)
	// Output:
	// true
	// [2, "quince"] <nil>
	// [[1, "apple"] [2, "quince"]] <nil>
}

// A space that isn't in the database: SELECTs of space 600 are served from a Go map. All other requests go on to the
// database.
func ExampleDB_Override_virtualSpace() {
	db, client, end := open()
	defer end()
	var mu sync.RWMutex // guards stock
	stock := map[string]int{"apples": 5, "pears": 2}

	err := db.Override(iproto.TypeSelect, func(q *lycosa.Request) (bool, error) {
		if q.Uint(iproto.KeySpaceID) != 600 {
			return false, nil
		}
		mu.RLock()
		defer mu.RUnlock()
		rows := [][]any{}
		key := q.Tuple(iproto.KeyKey)
		for _, name := range slices.Sorted(maps.Keys(stock)) {
			if key.Len() == 0 || key.Field(0).Str() == name {
				rows = append(rows, []any{name, stock[name]})
			}
		}
		return true, q.Reply(rows)
	}, lycosa.Inline()) // it never blocks for long

	if err != nil {
		panic(err)
	}
	all := map[iproto.Key]any{iproto.KeySpaceID: 600, iproto.KeyIndexID: 0, iproto.KeyLimit: 10, iproto.KeyOffset: 0,
		iproto.KeyIterator: 2, iproto.KeyKey: []any{}}
	show(client, iproto.TypeSelect, all)
	all[iproto.KeyKey] = []any{"pears"}
	show(client, iproto.TypeSelect, all)
	all[iproto.KeySpaceID] = 601
	show(client, iproto.TypeSelect, all)
	// Output:
	// [["apples", 5], ["pears", 2]]
	// [["pears", 2]]
	// error: Space '601' does not exist
}

// A type of request of one's own: 120 adds the numbers that it gets. The client is any that can send requests with a
// number of its choice; examples/override/client.go has one for go-tarantool.
func ExampleDB_Override_ownRequestType() {
	db, client, end := open()
	defer end()
	const typeSum iproto.Type = 120
	const keyNumbers iproto.Key = 0x70

	err := db.Override(typeSum, func(q *lycosa.Request) (bool, error) {
		numbers := q.Tuple(keyNumbers)
		if numbers == nil {
			return true, boxerr.Illegal("numbers are missing")
		}
		sum := 0.0
		for i := range numbers.Len() {
			sum += numbers.Field(i).Float()
		}
		return true, q.Reply([]any{sum})
	})
	if err != nil {
		panic(err)
	}

	// The client's side.
	sum := func(numbers ...float64) (float64, error) {
		answer, err := client.Do(typeSum, map[iproto.Key]any{keyNumbers: numbers})
		if err != nil {
			return 0, err
		}
		return answer.Data().Index(0).Float(), nil
	}
	fmt.Println(sum(1, 2, 3.5))
	show(client, typeSum, nil)
	// Output:
	// 6.5 <nil>
	// error: numbers are missing
}

// A rewrite: no SELECT brings more than two tuples, whatever it asks for, and it says so in the answer.
func ExampleDB_Wrap() {
	db, client, end := open()
	defer end()
	if err := numbers(db, 5); err != nil {
		panic(err)
	}
	const most = 2
	err := db.Wrap(iproto.TypeSelect, func(q *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
		if q.Uint(iproto.KeyLimit) <= most {
			return next()
		}
		body := map[iproto.Key]any{}
		for _, key := range []iproto.Key{iproto.KeySpaceID, iproto.KeyIndexID, iproto.KeyOffset, iproto.KeyIterator, iproto.KeyKey} {
			if q.Has(key) {
				body[key] = q.Raw(key)
			}
		}
		body[iproto.KeyLimit] = most
		answer, err := next(body)
		if err != nil || answer.Err() != nil {
			return answer, err
		}
		if err := q.Push([]any{"shortened"}); err != nil {
			return nil, err
		}
		return answer, nil
	})
	if err != nil {
		panic(err)
	}
	answer, err := client.Do(iproto.TypeSelect, map[iproto.Key]any{iproto.KeySpaceID: 512, iproto.KeyIndexID: 0,
		iproto.KeyLimit: 1000, iproto.KeyOffset: 1, iproto.KeyIterator: 2, iproto.KeyKey: []any{}})
	if err != nil {
		panic(err)
	}
	fmt.Println(answer.Pushed[0].Body.Lookup(iproto.KeyData), answer.Data())
	// Output:
	// ["shortened"] [[2], [3]]
}

// A rule: guests don't delete. Handlers of several types may be the same function.
func ExampleDB_Override_deny() {
	db, client, end := open()
	defer end()
	if err := numbers(db, 5); err != nil {
		panic(err)
	}
	deny := func(q *lycosa.Request) (bool, error) {
		if q.User() != "guest" {
			return false, nil
		}
		return true, boxerr.New(boxerr.AccessDenied, "Delete", "space", "numbers", "guest")
	}
	for _, name := range []string{"delete", "call", "eval"} {
		if err := db.OverrideName(name, deny, lycosa.Name("guests don't delete")); err != nil {
			panic(err)
		}
	}
	show(client, iproto.TypeDelete, map[iproto.Key]any{iproto.KeySpaceID: 512, iproto.KeyIndexID: 0, iproto.KeyKey: []any{1}})
	show(client, iproto.TypeReplace, map[iproto.Key]any{iproto.KeySpaceID: 512, iproto.KeyTuple: []any{9}})
	// Output:
	// error: Delete access to space 'numbers' is denied for user 'guest'
	// [[9]]
}

// An audit log: who has changed what, with the outcome, in a space of the database.
func ExampleDB_Wrap_audit() {
	db, client, end := open()
	defer end()
	if err := numbers(db, 5); err != nil {
		panic(err)
	}
	id := uint32(700)
	audit, err := db.CreateSpace("audit", box.SpaceSpec{ID: &id})
	if err != nil {
		panic(err)
	}
	if err := audit.CreateIndex("primary", box.IndexSpec{Sequence: &box.SequenceSpec{}}); err != nil {
		panic(err)
	}
	log := func(q *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
		answer, err := next()
		if err != nil {
			return nil, err
		}
		outcome := "done"
		if e := answer.Err(); e != nil {
			outcome = e.Error()
		}
		_, err = audit.Insert([]any{nil, q.User(), q.Type().String(), q.Uint(iproto.KeySpaceID), q.Raw(iproto.KeyTuple), outcome})
		return answer, err
	}
	for _, typ := range []iproto.Type{iproto.TypeInsert, iproto.TypeReplace, iproto.TypeUpdate, iproto.TypeDelete, iproto.TypeUpsert} {
		if err := db.Wrap(typ, log, lycosa.Name("audit")); err != nil {
			panic(err)
		}
	}
	show(client, iproto.TypeInsert, map[iproto.Key]any{iproto.KeySpaceID: 512, iproto.KeyTuple: []any{6}})
	show(client, iproto.TypeInsert, map[iproto.Key]any{iproto.KeySpaceID: 999, iproto.KeyTuple: []any{6}})
	rows, err := audit.Select(lycosa.Query{})
	if err != nil {
		panic(err)
	}
	for _, row := range rows {
		fmt.Println(row)
	}
	// Output:
	// [[6]]
	// error: Space '999' does not exist
	// [1, "guest", "INSERT", 512, [6], "done"]
	// [2, "guest", "INSERT", 999, [6], "Space '999' does not exist"]
}

// Statistics of all handlers, in Go or in Lua.
func ExampleDB_OverrideStats() {
	db, client, end := open()
	defer end()
	err := db.Override(iproto.TypePing, func(*lycosa.Request) (bool, error) { return false, nil }, lycosa.Name("counter"))
	if err != nil {
		panic(err)
	}
	for range 3 {
		show(client, iproto.TypePing, nil)
	}
	for _, s := range db.OverrideStats() {
		fmt.Println(s.Event, s.Name, s.Stats.Calls, s.Stats.Fallbacks)
	}
	// Output:
	// nil
	// nil
	// nil
	// box.iproto.override[64] counter 3 3
}

// numbers makes a space 512 of the numbers 1 to n.
func numbers(db *lycosa.DB, n int) error {
	id := uint32(512)
	s, err := db.CreateSpace("numbers", box.SpaceSpec{ID: &id})
	if err != nil {
		return err
	}
	if err := s.CreateIndex("primary", box.IndexSpec{}); err != nil {
		return err
	}
	return db.Tx(func(tx *lycosa.Tx) error {
		for i := range n {
			if _, err := tx.Space("numbers").Insert([]any{i + 1}); err != nil {
				return err
			}
		}
		return nil
	})
}

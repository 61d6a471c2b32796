package lycosa_test

import (
	"testing"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/lycosatest"
)

// reader is a handler that reads what the body's key names, by the space's name in it.
func reader(q *lycosa.Request) (bool, error) {
	space := q.Space(q.String(iproto.KeySpaceName))
	t, err := space.Get(q.Raw(iproto.KeyKey).Uint())
	if err != nil {
		return false, err
	}
	list, err := space.Select(lycosa.Query{Iterator: index.GE, Key: lycosa.Key{2}, Limit: 1})
	if err != nil {
		return false, err
	}
	return true, q.Reply([]any{t, list})
}

func wants(space string, key int) fields {
	return fields{iproto.KeySpaceName: space, iproto.KeyKey: key}
}

// TestHandlersRead has handlers of both kinds read, on behalf of the client, and within the transaction of a stream.
func TestHandlersRead(t *testing.T) {
	for name, options := range modes {
		t.Run(name, func(t *testing.T) {
			db := lycosatest.Run(t)
			must(t, lycosatest.GrantAll(db))
			space, err := db.CreateSpace("t", box.SpaceSpec{})
			must(t, err)
			must(t, space.CreateIndex("pk", box.IndexSpec{}))
			for i := range 3 {
				_, err := space.Insert([]any{i, "row"})
				must(t, err)
			}
			id, err := space.ID()
			must(t, err)
			must(t, db.Override(iproto.TypeEval, reader, options...))
			c := lycosatest.Connect(t, db)
			ask(t, c, iproto.TypeEval, wants("t", 1), `[[1, "row"], [[2, "row"]]]`)
			ask(t, c, iproto.TypeEval, wants("t", 7), `[null, [[2, "row"]]]`)
			ask(t, c, iproto.TypeEval, wants("none", 1), "Space 'none' does not exist")
			askIn(t, c, 3, iproto.TypeBegin, fields{}, "nil")
			askIn(t, c, 3, iproto.TypeReplace, fields{iproto.KeySpaceID: id, iproto.KeyTuple: []any{1, "new"}}, `[[1, "new"]]`)
			// What is read is part of the transaction, which ends when others may run.
			askIn(t, c, 3, iproto.TypeEval, wants("t", 1), "Transaction has been aborted by a fiber yield")
			askIn(t, c, 3, iproto.TypeRollback, fields{}, "nil")
		})
	}
}

// TestInlineHandlersReadTogether reads while somebody else has the lock for reading.
func TestInlineHandlersReadTogether(t *testing.T) {
	db := lycosatest.Run(t)
	must(t, lycosatest.GrantAll(db))
	space, err := db.CreateSpace("t", box.SpaceSpec{})
	must(t, err)
	must(t, space.CreateIndex("pk", box.IndexSpec{}))
	_, err = space.Insert([]any{1, "row"})
	must(t, err)
	must(t, db.Override(iproto.TypeEval, reader, lycosa.Inline()))
	c := lycosatest.Connect(t, db)
	ask(t, c, iproto.TypeEval, wants("t", 1), `[[1, "row"], []]`)
	db.Box.Cord.Share()
	defer db.Box.Cord.Unshare()
	ask(t, c, iproto.TypeEval, wants("t", 1), `[[1, "row"], []]`)
	if got, err := space.Get(1); err != nil || got.String() != `[1, "row"]` {
		t.Errorf("the program reads %v, %v", got, err)
	}
}

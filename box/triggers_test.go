package box

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
)

// replaceArguments reads what on_replace and before_replace handlers get.
func replaceArguments(args []byte) (old, new *tuple.Tuple, space, op string) {
	read := func() (t *tuple.Tuple) {
		if args[0] == 0xc0 {
			args = args[1:]
			return nil
		}
		t, args, _ = readTuple(args)
		return t
	}
	old, new = read(), read()
	s, args, _ := msgpack.ReadString(args)
	o, _, _ := msgpack.ReadString(args)
	return old, new, string(s), string(o)
}

func TestBeforeReplace(t *testing.T) {
	for _, test := range []struct {
		name   string
		answer func(old, new *tuple.Tuple) (*tuple.Tuple, int) // how many values are returned
		script string
		events string
	}{
		{"returns nothing", func(old, new *tuple.Tuple) (*tuple.Tuple, int) { return nil, 0 }, `
			insert t [2, "x"] -> [2, "x"]
			update t [7] []
			delete t [7]`,
			"INSERT nil [2, x]"},
		{"changes", func(old, new *tuple.Tuple) (*tuple.Tuple, int) {
			return tuple.New(append(mp(`[1, 0]`)[:2], new.Field(1)[1]-'a'+'A')), 1
		}, `
			replace t [1, "b"] -> [1, 66]
			insert t [1, "c"] -> [1, 67]
			update t [1] [["=", 1, "d"]] -> [1, 68]
			select t [] -> [1, 68]`,
			"REPLACE [1, a] [1, b]; INSERT [1, 66] [1, c]; UPDATE [1, 67] [1, d]"},
		{"keeps old", func(old, new *tuple.Tuple) (*tuple.Tuple, int) { return old, 1 }, `
			replace t [1, "b"]
			insert t [2, "b"]
			delete t [1]
			select t [] -> [1, "a"]`,
			"REPLACE [1, a] [1, b]; INSERT nil [2, b]; DELETE [1, a] nil"},
		{"removes", func(old, new *tuple.Tuple) (*tuple.Tuple, int) { return nil, 1 }, `
			insert t [2, "b"]
			replace t [1, "b"] -> [1, "a"]
			select t [] -> none`,
			"INSERT nil [2, b]; REPLACE [1, a] [1, b]"},
		{"moves", func(old, new *tuple.Tuple) (*tuple.Tuple, int) { return tuple.New(mp(`[9, "moved"]`)), 1 }, `
			insert t [6, "b"] -> [9, "moved"]
			replace t [1, "b"] -> ClientError 94: Attempt to modify a tuple field which is part of primary index in space 't' {name "CANT_UPDATE_PRIMARY_KEY", new_tuple [9, "moved"], old_tuple [1, "a"], space "t", space_id 512}`,
			"INSERT nil [6, b]; REPLACE [1, a] [1, b]"},
		{"returns nonsense", func(old, new *tuple.Tuple) (*tuple.Tuple, int) { return nil, -1 }, `
			insert t [6] -> ClientError 53: Invalid return value of space:before_replace trigger: expected tuple or nil {name "BEFORE_REPLACE_RET"}
			select t [] -> [1, "a"]`,
			"INSERT nil [6]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			sp := w.space(512, "t", nil, "pk 1 unsigned")
			w.do(`insert t [1, "a"]`)
			var events []string
			w.b.Triggers.Set(sp.BeforeReplace[0].Name(), "test", GoFunc(func(c *Ctx, args []byte, nargs int) ([]byte, int, error) {
				old, new, _, op := replaceArguments(args)
				show := func(t *tuple.Tuple) string {
					if t == nil {
						return "nil"
					}
					return strings.ReplaceAll(t.String(), `"`, "")
				}
				events = append(events, op+" "+show(old)+" "+show(new))
				switch r, n := test.answer(old, new); n {
				case -1:
					return msgpack.AppendInt(nil, 5), 1, nil
				default:
					return AppendTuple(nil, r), n, nil
				}
			}))
			w.script(test.script)
			if got := strings.Join(events, "; "); got != test.events {
				t.Errorf("events %s\nwant %s", got, test.events)
			}
		})
	}
}

func TestOnReplace(t *testing.T) {
	w := newWorld(t)
	sp := w.space(512, "t", nil, "pk 1 unsigned")
	log := w.space(513, "log", nil, "pk 1 unsigned")
	var names []string
	note := func(name string) GoFunc {
		return func(c *Ctx, args []byte, nargs int) ([]byte, int, error) {
			_, new, space, op := replaceArguments(args)
			names = append(names, name+" "+space+" "+op)
			if new != nil && len(new.Data()) > 2 {
				return nil, 0, errors.New("refused")
			}
			_, err := w.b.Insert(c, 513, mp(`[`+string('0'+byte(len(names)))+`]`))
			return nil, 0, err
		}
	}
	w.b.Triggers.Set(sp.OnReplace[2].Name(), "all", note("all"))
	w.b.Triggers.Set(sp.OnReplace[0].Name(), "id", note("id"))
	w.b.Triggers.Set(sp.OnReplace[1].Name(), "name", note("name"))
	w.b.Triggers.Del("box.space.on_replace", "all") // it would see the log as well
	w.script(`
		insert t [1] -> [1]
		insert t [2, 3] -> ClientError 0: refused {name "UNKNOWN"}
		select t [] -> [1]
		select log [] -> [1] [2]
		update t [7] []
		delete t [1] -> [1]
	`)
	want := []string{"id t INSERT", "name t INSERT", "id t INSERT", "id t DELETE", "name t DELETE"}
	if !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	sp.TriggersOff = true
	w.script(`insert t [8, 8] -> [8, 8]`)
	w.b.Triggers.Set(log.OnReplace[0].Name(), "deep", GoFunc(func(c *Ctx, args []byte, nargs int) ([]byte, int, error) {
		_, new, _, _ := replaceArguments(args)
		_, err := w.b.Insert(c, 513, []byte{0x91, new.Field(0)[0] + 1})
		return nil, 0, err
	}))
	w.script(`
		insert log [20] -> ClientError 121: Can not execute a nested statement: nesting limit reached {name "SUB_STMT_MAX"}
		select log GE [20] -> none
		begin
		rollback
	`)
}

func TestEndsInTriggers(t *testing.T) {
	w := newWorld(t)
	sp := w.space(512, "t", nil, "pk 1 unsigned")
	var got []error
	w.b.Triggers.Set(sp.OnReplace[0].Name(), "end", GoFunc(func(c *Ctx, args []byte, nargs int) ([]byte, int, error) {
		got = append(got, w.b.Commit(c), w.b.Rollback(c))
		return nil, 0, nil
	}))
	w.script("insert t [1] -> [1]")
	if !boxerr.Is(got[0], boxerr.CommitInSubStmt) || !boxerr.Is(got[1], boxerr.RollbackInSubStmt) {
		t.Error(got)
	}
}

func TestTransactionEvents(t *testing.T) {
	w := newWorld(t)
	w.space(512, "s", nil, "pk 1 unsigned")
	w.space(513, "other", nil, "pk 1 unsigned")
	var events []string
	for _, name := range []string{"before_commit", "on_commit", "on_rollback"} {
		for _, where := range []string{"", ".space.s", ".space[512]"} {
			w.b.Triggers.Set("box."+name+where, "test", GoFunc(func(c *Ctx, args []byte, nargs int) ([]byte, int, error) {
				n, _, _ := msgpack.ReadArrayHeader(args)
				events = append(events, name+where+strings.Repeat(" *", n))
				if name == "before_commit" && n == 3 {
					return nil, 0, errors.New("not now")
				}
				return nil, 0, nil
			}))
		}
	}
	expect := func(want ...string) {
		t.Helper()
		if !slices.Equal(events, want) {
			t.Errorf("got  %q\nwant %q", events, want)
		}
		events = nil
	}
	w.script("begin\ninsert s [1] -> [1]\ninsert other [1] -> [1]\ncommit")
	expect("before_commit.space[512] *", "before_commit.space.s *", "before_commit * *",
		"on_commit.space[512] *", "on_commit.space.s *", "on_commit * *")
	w.script("begin\ninsert s [2] -> [2]\nrollback")
	expect("on_rollback.space[512] *", "on_rollback.space.s *", "on_rollback *")
	w.script("insert other [7] -> [7]")
	expect("before_commit *", "on_commit *")
	w.script("begin\ninsert s [3] -> [3]\ninsert s [4] -> [4]\ninsert s [5] -> [5]\n" +
		"commit -> ClientError 0: not now {name \"UNKNOWN\"}\nselect s [] -> [1]")
	expect("before_commit.space[512] * * *", "on_rollback.space[512] * * *", "on_rollback.space.s * * *", "on_rollback * * *")
}

func TestTransactionHandlers(t *testing.T) {
	w := newWorld(t)
	w.space(512, "t", nil, "pk 1 unsigned")
	var events []string
	note := func(name string) any {
		return GoFunc(func(c *Ctx, args []byte, nargs int) ([]byte, int, error) {
			events = append(events, name)
			return nil, 0, nil
		})
	}
	w.do("begin")
	w.c.Txn.OnCommit = append(w.c.Txn.OnCommit, note("one"), note("two"))
	w.c.Txn.OnRollback = append(w.c.Txn.OnRollback, note("never"))
	w.do("commit")
	w.do("begin")
	w.c.Txn.OnRollback = append(w.c.Txn.OnRollback, note("back"))
	w.do("insert t [1]")
	w.do("rollback")
	if want := []string{"two", "one", "back"}; !slices.Equal(events, want) {
		t.Errorf("got %q, want %q", events, want)
	}
}

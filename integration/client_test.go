package integration

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/tarantool/go-iproto"
	"github.com/tarantool/go-tarantool/v2"
)

const people = `
box.cfg { listen = os.getenv('LISTEN') }
box.schema.user.grant('guest', 'super')
local s = box.schema.space.create('people', { id = 512, format = {
    { 'id', 'unsigned' }, { 'name', 'string' }, { 'age', 'unsigned' } } })
s:create_index('primary')
s:create_index('name', { parts = { 'name' }, unique = false })

function twice(n) return 2 * n end
function fail() box.error { code = 1234, reason = 'on purpose' } end
local function answer(header, value)
    box.iproto.send(box.session.id(),
        { request_type = box.iproto.type.OK, sync = header.sync, schema_version = box.info.schema_version },
        { data = { { value } } })
    return true
end
box.iproto.override(box.iproto.type.SELECT, function(header, body)
    if body.space_id == 600 then return answer(header, 'made by hand') end
    if body.space_id == 601 then error('no such luck') end
    if body.space_id == 602 then box.error(box.error.ACCESS_DENIED, 'Read', 'space', 'x', 'y') end
    if body.space_id == 603 then
        require('fiber').sleep(0.001)
        return answer(header, 'slept')
    end
    return false
end)
print('ready') io.flush()
`

// expect does a request and compares its answer, as fmt prints it.
func expect(t *testing.T, conn *tarantool.Connection, request tarantool.Request, want string) {
	t.Helper()
	got, err := conn.Do(request).Get()
	if err != nil {
		t.Errorf("%T: %v, want %s", request, err, want)
	} else if fmt.Sprint(got) != want {
		t.Errorf("%T: %v, want %s", request, got, want)
	}
}

// refuse does a request that must fail with a code.
func refuse(t *testing.T, conn *tarantool.Connection, request tarantool.Request, code iproto.Error, message string) {
	t.Helper()
	got, err := conn.Do(request).Get()
	var e tarantool.Error
	if !errors.As(err, &e) {
		t.Errorf("%T: %v, %v, want an error", request, got, err)
	} else if e.Code != code || !strings.Contains(e.Msg, message) {
		t.Errorf("%T: code %d: %s, want %d: %s", request, e.Code, e.Msg, code, message)
	}
}

func find(space, key any) *tarantool.SelectRequest {
	return tarantool.NewSelectRequest(space).Iterator(tarantool.IterEq).Key([]any{key}).Limit(10)
}

func TestClientRequests(t *testing.T) {
	conn := start(t, people).connect()
	plus := func(n int) *tarantool.Operations { return tarantool.NewOperations().Add(2, n) }
	row := func(id int, name string, age int) []any { return []any{id, name, age} }
	one := []any{1}

	expect(t, conn, tarantool.NewPingRequest(), "[]")
	expect(t, conn, tarantool.NewInsertRequest("people").Tuple(row(1, "Ada", 36)), "[[1 Ada 36]]")
	expect(t, conn, tarantool.NewInsertRequest(512).Tuple(row(2, "Alan", 41)), "[[2 Alan 41]]")
	refuse(t, conn, tarantool.NewInsertRequest("people").Tuple(row(1, "Ada", 36)),
		iproto.ER_TUPLE_FOUND, "Duplicate key exists in unique index")
	expect(t, conn, find("people", 1), "[[1 Ada 36]]")
	expect(t, conn, find("people", "Alan").Index("name"), "[[2 Alan 41]]")
	expect(t, conn, find("people", 3), "[]")
	expect(t, conn, tarantool.NewSelectRequest("people").Iterator(tarantool.IterReq).Limit(1), "[[2 Alan 41]]")
	expect(t, conn, tarantool.NewUpdateRequest("people").Key(one).Operations(plus(1)), "[[1 Ada 37]]")
	expect(t, conn, tarantool.NewUpsertRequest("people").Tuple(row(1, "Ada", 0)).Operations(plus(5)), "[]")
	expect(t, conn, tarantool.NewUpsertRequest("people").Tuple(row(3, "Grace", 85)).Operations(plus(5)), "[]")
	expect(t, conn, tarantool.NewReplaceRequest("people").Tuple(row(2, "Alan T.", 42)), "[[2 Alan T. 42]]")
	expect(t, conn, tarantool.NewSelectRequest("people").Iterator(tarantool.IterAll).Limit(10),
		"[[1 Ada 42] [2 Alan T. 42] [3 Grace 85]]")
	expect(t, conn, tarantool.NewDeleteRequest("people").Key(one), "[[1 Ada 42]]")
	expect(t, conn, tarantool.NewDeleteRequest("people").Key(one), "[]")
	expect(t, conn, tarantool.NewCallRequest("twice").Args([]any{21}), "[42]")
	expect(t, conn, tarantool.NewCall16Request("twice").Args([]any{21}), "[[42]]")
	expect(t, conn, tarantool.NewEvalRequest("return ..., 'and', {a = 1}").Args([]any{7}), "[7 and map[a:1]]")
	refuse(t, conn, tarantool.NewCallRequest("nothing"), iproto.ER_NO_SUCH_PROC, "Procedure 'nothing' is not defined")
	refuse(t, conn, tarantool.NewCallRequest("fail"), 1234, "on purpose")
	refuse(t, conn, tarantool.NewEvalRequest("error('bad')"), iproto.ER_PROC_LUA, "bad")
	refuse(t, conn, tarantool.NewEvalRequest("return +"), iproto.ER_PROC_LUA, "unexpected symbol")
	refuse(t, conn, find(777, 1), iproto.ER_NO_SUCH_SPACE, "Space '777' does not exist")
}

func TestClientOverrides(t *testing.T) {
	conn := start(t, people).connect()
	expect(t, conn, find(600, 1), "[[made by hand]]")
	expect(t, conn, find(603, 1), "[[slept]]")
	expect(t, conn, tarantool.NewReplaceRequest("people").Tuple([]any{1, "Ada", 36}), "[[1 Ada 36]]")
	expect(t, conn, find("people", 1), "[[1 Ada 36]]")
	refuse(t, conn, find(604, 1), iproto.ER_NO_SUCH_SPACE, "Space '604' does not exist")
	refuse(t, conn, find(601, 1), iproto.ER_PROC_LUA, "no such luck")
	refuse(t, conn, find(602, 1), iproto.ER_ACCESS_DENIED, "Read access to space 'x' is denied for user 'y'")
	expect(t, conn, tarantool.NewEvalRequest("box.iproto.override(box.iproto.type.SELECT, nil)"), "[]")
	refuse(t, conn, find(600, 1), iproto.ER_NO_SUCH_SPACE, "Space '600' does not exist")
}

func TestClientTransaction(t *testing.T) {
	conn := start(t, strings.Replace(people, "box.cfg {", "box.cfg { memtx_use_mvcc_engine = true,", 1)).connect()
	for _, commit := range []bool{false, true} {
		stream, err := conn.NewStream()
		if err != nil {
			t.Fatal(err)
		}
		do := func(r tarantool.Request) {
			t.Helper()
			if _, err := stream.Do(r).Get(); err != nil {
				t.Errorf("%T: %v", r, err)
			}
		}
		do(tarantool.NewBeginRequest())
		do(tarantool.NewInsertRequest("people").Tuple([]any{1, "Ada", 36}))
		if commit {
			do(tarantool.NewCommitRequest())
			expect(t, conn, find("people", 1), "[[1 Ada 36]]")
		} else {
			do(tarantool.NewRollbackRequest())
			expect(t, conn, find("people", 1), "[]")
		}
	}
}

// TestConcurrentCallers has 200 goroutines on a few connections each do requests of every kind at once.
func TestConcurrentCallers(t *testing.T) {
	const callers, connections, rounds = 200, 8, 20
	p := start(t, people)
	conns := make([]*tarantool.Connection, connections)
	for i := range conns {
		conns[i] = p.connect()
	}
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			conn, id, name := conns[i%connections], i+1, fmt.Sprint("caller ", i)
			key := []any{id}
			expect(t, conn, tarantool.NewInsertRequest("people").Tuple([]any{id, name, 0}), fmt.Sprintf("[[%d %s 0]]", id, name))
			for round := 1; round <= rounds; round++ {
				row := fmt.Sprintf("[[%d %s %d]]", id, name, round)
				expect(t, conn, tarantool.NewUpdateRequest("people").Key(key).Operations(tarantool.NewOperations().Add(2, 1)), row)
				expect(t, conn, find("people", id), row)
				expect(t, conn, find("people", name).Index("name"), row)
				expect(t, conn, find(600, id), "[[made by hand]]")
				expect(t, conn, find(603, id), "[[slept]]")
				expect(t, conn, tarantool.NewCallRequest("twice").Args([]any{id}), fmt.Sprintf("[%d]", 2*id))
			}
		})
	}
	wg.Wait()
	expect(t, conns[0], tarantool.NewEvalRequest("return box.space.people:len()"), fmt.Sprintf("[%d]", callers))
	expect(t, conns[0], tarantool.NewEvalRequest("local n = 0 for _, t in box.space.people:pairs() do n = n + t.age end return n"),
		fmt.Sprintf("[%d]", callers*rounds))
}

// TestExamples runs the examples as their comments say.
func TestExamples(t *testing.T) {
	listening := func(line string) bool { return strings.Contains(line, "listening on") }
	path := func(name string) string {
		p, err := filepath.Abs("../examples/" + name + "/init.lua")
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	t.Run("override", func(t *testing.T) {
		p := startFile(t, shortDir(t), path("override"), listening)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		out, err := exec.CommandContext(ctx, "go", "run", "../examples/override", p.socket).CombinedOutput()
		for _, line := range []string{
			"answered by the handler:  [[uptime ", "[fruits 2]]",
			"answered by the database: [[1 apple 180] [2 pear 170]]",
			"unknown to the protocol: [hello]",
		} {
			if err != nil || !strings.Contains(string(out), line) {
				t.Fatalf("%v: %s, want %s", err, out, line)
			}
		}
	})
	t.Run("kv", func(t *testing.T) {
		dir := shortDir(t)
		p := startFile(t, dir, path("kv"), listening)
		conn := p.connect()
		expect(t, conn, tarantool.NewCallRequest("put").Args([]any{"k", "v"}), "[[k v 1]]")
		expect(t, conn, tarantool.NewCallRequest("put").Args([]any{"k", "w"}), "[[k w 2]]")
		expect(t, conn, tarantool.NewCallRequest("get").Args([]any{"k"}), "[w]")
		p.kill()
		conn = startFile(t, dir, path("kv"), listening).connect()
		expect(t, conn, find("kv", "k"), "[[k w 2]]")
	})
}

// Package crash checks that what a server has acknowledged outlives its sudden end.
//
// The tests load the real server over the wire, kill it at random moments, start it again and compare what is there with
// what was answered: nothing acknowledged is missing, nothing unacknowledged is there by half, and all indexes of a space
// hold the same tuples. Others damage the end of the journal at every byte of its last block, and take away the room on
// the disk. `go test ./crash -kills 200` does more rounds than go test alone.
//
// Worker is the main type: the operations of one connection, and the states of the data that they allow.
package crash

import (
	_ "embed"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"

	"github.com/lycosadb/lycosa/internal/peer"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// Schema is what the script of a server runs after box.cfg.
//
//go:embed schema.lua
var Schema string

const (
	accountsID = 512
	ledgerID   = 513
)

// width is how many ids of a space belong to a worker, accounts and entries how many of them it uses.
const width, accounts, entries = 1000, 300, 60

// place is a tuple's space and id.
type place struct {
	space uint32
	id    int64
}

// state is the data of a worker: what the tuples hold besides the id, as text.
type state map[place]string

// operation is what a request does to the state. An empty text stands for no tuple.
type operation map[place]string

func (s state) apply(o operation) {
	for at, text := range o {
		if text == "" {
			delete(s, at)
		} else {
			s[at] = text
		}
	}
}

// Worker makes operations on ids of its own, and knows what the data may be like. It is used by one goroutine at a time.
type Worker struct {
	// ID tells it from other workers, from 1.
	ID int

	rnd   *rand.Rand
	n     uint64      // number of the last operation
	acked uint64      // number of the last operation that was acknowledged
	base  state       // after the first acked operations
	next  state       // after all
	open  []operation // those that were not acknowledged
	body  []byte
}

// NewWorker returns a worker without data.
func NewWorker(id int, seed uint64) *Worker {
	return &Worker{ID: id, rnd: rand.New(rand.NewPCG(seed, uint64(id))), base: state{}, next: state{}}
}

// Acked is how many operations were acknowledged.
func (w *Worker) Acked() uint64 { return w.acked }

// Open is how many operations were made and not acknowledged.
func (w *Worker) Open() int { return len(w.open) }

// Operation appends the packet of another operation. Its answer has the same sync as the packet.
func (w *Worker) Operation(b []byte) []byte {
	w.n++
	o := operation{}
	at := place{accountsID, int64(w.ID*width + w.rnd.IntN(accounts))}
	_, exists := w.next[at]
	text := w.text()
	tuple := w.tuple(at.id, text)
	typ := iproto.TypeReplace
	switch kind := w.rnd.IntN(10); {
	case kind == 0:
		typ, text = iproto.TypeDelete, ""
		w.request(iproto.KeySpaceID, at.space, iproto.KeyKey, []any{at.id})
	case kind == 1 && exists:
		typ = iproto.TypeUpdate
		w.request(iproto.KeySpaceID, at.space, iproto.KeyKey, []any{at.id}, iproto.KeyIndexBase, 1,
			iproto.KeyTuple, []any{[]any{"=", 3, w.n}, []any{"=", 4, text}})
	case kind == 2:
		typ = iproto.TypeUpsert
		w.request(iproto.KeySpaceID, at.space, iproto.KeyTuple, tuple, iproto.KeyIndexBase, 1,
			iproto.KeyOps, []any{[]any{"=", 3, w.n}, []any{"=", 4, text}})
	case kind == 3 && !exists:
		typ = iproto.TypeInsert
		w.request(iproto.KeySpaceID, at.space, iproto.KeyTuple, tuple)
	case kind <= 6:
		typ = iproto.TypeCall
		w.post(o)
	default:
		w.request(iproto.KeySpaceID, at.space, iproto.KeyTuple, tuple)
	}
	if typ != iproto.TypeCall {
		if o[at] = ""; text != "" {
			o[at] = describe(tuple[1:])
		}
	}
	w.next.apply(o)
	w.open = append(w.open, o)
	return peer.AppendRequest(b, typ, w.n, 0, w.body)
}

// post calls a function that writes to both spaces in one transaction.
func (w *Worker) post(o operation) {
	puts, deletes := []any{}, []any{}
	for range 1 + w.rnd.IntN(4) {
		at := place{accountsID, int64(w.ID*width + w.rnd.IntN(accounts))}
		tuple := w.tuple(at.id, w.text())
		puts = append(puts, tuple)
		o[at] = describe(tuple[1:])
	}
	for range w.rnd.IntN(3) {
		at := place{accountsID, int64(w.ID*width + w.rnd.IntN(accounts))}
		deletes = append(deletes, at.id)
		o[at] = ""
	}
	at := place{ledgerID, int64(w.ID*width + int(w.n)%entries)}
	entry := []any{at.id, w.n, w.text()}
	o[at] = describe(entry[1:])
	w.request(iproto.KeyFunctionName, "post", iproto.KeyTuple, []any{puts, deletes, entry})
}

func (w *Worker) tuple(id int64, text string) []any { return []any{id, w.ID, w.n, text} }

// text is something to store: short as a rule, now and then so long that it fills blocks.
func (w *Worker) text() string {
	n := 10 + w.rnd.IntN(200)
	if w.rnd.IntN(400) == 0 {
		n = 60_000 + w.rnd.IntN(200_000)
	}
	word := fmt.Sprintf("%d.%d;", w.n, w.rnd.Uint32())
	return strings.Repeat(word, n/len(word)+1)
}

// request makes the body of a request of keys and values.
func (w *Worker) request(pairs ...any) {
	w.body = msgpack.AppendMapHeader(w.body[:0], len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		w.body = msgpack.AppendUint(w.body, uint64(pairs[i].(iproto.Key)))
		body, err := msgpack.Append(w.body, pairs[i+1])
		if err != nil {
			panic(err) // all values are made here
		}
		w.body = body
	}
}

// Ack takes the success of an operation, and with it of all before: they were executed in their order, and the journal
// keeps it.
func (w *Worker) Ack(sync uint64) {
	for w.acked < sync && len(w.open) > 0 {
		w.base.apply(w.open[0])
		w.open = w.open[1:]
		w.acked++
	}
}

// Found takes what a server has after its sudden end. It must be what the acknowledged operations leave, and those after
// them up to any one. The worker goes on from there.
func (w *Worker) Found(found state) error {
	s := maps.Clone(w.base)
	var differences []string
	for i := 0; ; i++ {
		if maps.Equal(s, found) {
			w.n = w.acked + uint64(i)
			w.acked, w.open = w.n, nil
			w.base, w.next = s, maps.Clone(s)
			return nil
		}
		differences = append(differences, fmt.Sprintf("after %d of %d open operations: %s", i, len(w.open), compare(s, found)))
		if i == len(w.open) {
			break
		}
		s.apply(w.open[i])
	}
	const shown = 5
	return fmt.Errorf("worker %d, %d operations acknowledged:\n%s", w.ID, w.acked,
		strings.Join(differences[max(0, len(differences)-shown):], "\n"))
}

// compare shows how the data differs from what it should be.
func compare(want, got state) string {
	var list []string
	note := func(at place) {
		list = append(list, fmt.Sprintf("space %d, id %d: want %.40q, got %.40q", at.space, at.id, want[at], got[at]))
	}
	for at, text := range want {
		if got[at] != text {
			note(at)
		}
	}
	for at := range got {
		if _, wanted := want[at]; !wanted {
			note(at)
		}
	}
	const shown = 4
	return fmt.Sprintf("%d differ: %s", len(list), strings.Join(list[:min(shown, len(list))], "; "))
}

// describe is what a tuple holds, as text.
func describe(fields []any) string { return fmt.Sprint(fields...) }

// Contents reads the data of a worker from a server.
func (w *Worker) Contents(c *peer.Conn) (state, error) {
	lists, err := c.Call("contents", w.ID, width)
	if err != nil {
		return nil, err
	}
	s := state{}
	for i, space := range []uint32{accountsID, ledgerID} {
		rows, _ := lists[i].([]any)
		for _, row := range rows {
			fields := row.([]any)
			id, ok := number(fields[0])
			if !ok {
				return nil, fmt.Errorf("tuple %v in space %d", fields, space)
			}
			s[place{space, id}] = describe(fields[1:])
		}
	}
	return s, nil
}

func number(v any) (int64, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case uint64:
		return int64(v), true
	}
	return 0, false
}

package box

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/wal"
)

var (
	histories   = flag.Int("histories", 60, "how many random histories of transactions to run")
	historySeed = flag.Uint64("history-seed", 1, "of the first random history; the next ones count from there")
)

// heldJournal is a journal that writes when it is told to and says so when it is told to.
type heldJournal struct {
	*wal.Journal
	known uint64
}

func (*heldJournal) Flush() {}

func (j *heldJournal) Known() uint64 { return j.known }

// answered is an action and what came of it.
type answered struct {
	action
	answer string
}

// player runs one transaction after another.
type player struct {
	name   string
	c      *Ctx
	level  Isolation
	done   []answered // in the open transaction
	first  int        // state that it can't be before
	wrote  bool
	dead   bool // aborted by a conflict
	others bool // something may have got into its way
	skewed bool // it may have met what drama.skewed says
	savers []int
	saves  map[int]memtx.Savepoint
	walks  map[int]*Iterator
}

// link is a transaction that was prepared, and the state after it.
type link struct {
	done     []answered
	position uint64
	after    state
	atOnce   bool // confirmed before others before it
}

// drama is a random history of transactions. chain has those that were prepared in the order in which they look as if they
// had run, after a first link with the empty state; those up to number settled are seen by all.
type drama struct {
	*testing.T
	seed    uint64
	rand    *rand.Rand
	b       *Box
	disk    *vfs.Faulty
	journal *heldJournal
	newest  Ticket // of what was submitted last
	written uint64 // position up to which the journal has written
	spaces  [modelSpaces]uint32
	players []*player
	chain   []link
	settled int
	skewed  bool // some see what was prepared after what they don't see
	story   []string
	counts  map[string]int
}

func newDrama(t *testing.T, seed uint64, counts map[string]int) *drama {
	disk := vfs.NewFaulty(vfs.NewMem())
	w := mustOpen(t, Config{FS: disk, UseMVCC: true})
	d := &drama{T: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 0)), b: w.b, disk: disk, counts: counts}
	p := &play{world: w}
	for i := range model {
		s := &model[i]
		w.under(func() {
			var o SpaceSpec
			o.Options.Temporary = s.temporary && seed%2 == 1
			sp, err := w.b.CreateSpace(w.c, s.name, o)
			if err != nil {
				t.Fatal(err)
			}
			d.spaces[i] = sp.ID
			for _, x := range s.indexes {
				if err := p.index(sp, x.spec); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
	b := w.b
	b.Cord.Lock()
	defer b.Cord.Unlock()
	j := w.b.storage.journal
	d.journal = &heldJournal{Journal: j, known: j.Known()}
	d.written = j.Known()
	b.Journal = d.journal
	b.Triggers.Set(b.SpaceByName("t").OnReplace[0].Name(), "copy", GoFunc(d.copyToE))
	b.Triggers.Set(b.SpaceByName("h").BeforeReplace[0].Name(), "take", GoFunc(d.takeFromT))
	d.chain = []link{{}}
	for i := range 4 {
		d.players = append(d.players, &player{name: string(rune('a' + i)), c: b.NewCtx(b.NewSession(SessionBackground))})
	}
	return d
}

func (d *drama) say(format string, args ...any) {
	d.story = append(d.story, fmt.Sprintf(format, args...))
}

// fail ends the test with the end of the story.
func (d *drama) fail(format string, args ...any) {
	d.Helper()
	d.Fatalf("seed %d:\n%s\n%s", d.seed, strings.Join(d.story[max(0, len(d.story)-120):], "\n"), fmt.Sprintf(format, args...))
}

func (d *drama) tip() *state { return &d.chain[len(d.chain)-1].after }

// locked runs f as a fiber that lets others run at its end.
func (d *drama) locked(p *player, f func()) {
	d.b.Cord.Lock()
	defer d.b.Cord.Unlock()
	f()
	if p != nil {
		d.b.OnYield(p.c)
	}
}

const conflicted = "! TRANSACTION_CONFLICT"

// step makes somebody do something.
func (d *drama) step() {
	p := d.players[d.rand.IntN(len(d.players))]
	n := d.rand.IntN(1000)
	switch {
	case n < 40:
		d.write()
	case n < 80:
		d.confirm()
	case n < 90:
		d.failToWrite()
	case n < 94:
		d.changeSchema()
	case p.c.Txn == nil && n < 300:
		d.begin(p)
	case p.c.Txn == nil:
		d.alone(p)
	case n < 180:
		d.end(p)
	case n < 185:
		for range 20 {
			d.do(p, d.someWrite())
		}
	default:
		d.do(p, d.someAction(p))
	}
}

func (d *drama) begin(p *player) {
	p.level = []Isolation{IsolationDefault, BestEffort, ReadCommitted, ReadConfirmed}[d.rand.IntN(4)]
	p.done, p.savers, p.saves, p.walks = nil, nil, map[int]memtx.Savepoint{}, map[int]*Iterator{}
	p.wrote, p.dead, p.skewed = false, false, d.skewed && p.level != ReadCommitted
	p.first, p.others = d.settled, d.settled < len(d.chain)-1
	if p.level == ReadCommitted {
		p.first = len(d.chain) - 1
	}
	d.say("%s: begin %d", p.name, p.level)
	d.locked(p, func() {
		if err := d.b.Begin(p.c, TxnOptions{Isolation: p.level}); err != nil {
			d.fail("%v", err)
		}
	})
}

// do does an action in the open transaction of a player.
func (d *drama) do(p *player, a action) {
	var got string
	d.locked(p, func() { got = d.act(p, a) })
	d.say("%s: %s -> %s", p.name, a, got)
	if writes(a.kind) {
		p.wrote = true
	}
	switch {
	case p.dead && a.kind == "back":
	case p.dead:
		if got != conflicted && !(a.kind == "step" && got == "nothing") { // a walk that has ended stays so
			d.fail("a transaction goes on after a conflict")
		}
	case got == conflicted:
		d.die(p)
	case a.kind == "save":
		p.savers = append(p.savers, a.slot)
	case a.kind == "back":
		p.savers = p.savers[:slices.Index(p.savers, a.slot)+1]
	}
	if p.dead {
		return
	}
	p.done = append(p.done, answered{a, got})
	d.verify(p)
}

func writes(kind string) bool {
	switch kind {
	case "insert", "replace", "update", "upsert", "delete":
		return true
	}
	return false
}

func (d *drama) die(p *player) {
	p.dead = true
	d.counts["conflict"]++
	if !p.others {
		d.fail("a conflict with nobody")
	}
}

// verify checks that what a transaction has got so far is what it would have got alone.
func (d *drama) verify(p *player) {
	last := len(d.chain) - 1
	switch {
	case p.c.Txn != nil && p.c.Txn.Aborted != 0:
		return
	case p.wrote:
		d.replayed(p.done, last, "what was prepared last")
		return
	case p.skewed:
		return
	}
	from, to := p.first, d.settled
	if p.level == ReadCommitted {
		to = last
	}
	var reasons []string
	for i := from; i <= to; i++ {
		why := differs(p.done, d.chain[i].after)
		if why == "" {
			return
		}
		reasons = append(reasons, fmt.Sprint(i, " of ", last, ": ", why))
	}
	d.fail("no state explains it\n%s", strings.Join(reasons, "\n"))
}

// replayed does actions in one of the states and returns the state after them.
func (d *drama) replayed(done []answered, at int, name string) state {
	d.Helper()
	if why := differs(done, d.chain[at].after); why != "" {
		d.fail("in %s, %d of %d: %s", name, at, len(d.chain)-1, why)
	}
	return after(done, d.chain[at].after)
}

// after is the state after actions in a state.
func after(done []answered, s state) state {
	r := newReplica(s)
	for i := range done {
		r.do(&done[i].action, done[i].answer)
	}
	return r.state
}

// differs tells which of the answers is not what it would be in a state.
func differs(done []answered, s state) string {
	r := newReplica(s)
	for i := range done {
		if want := r.do(&done[i].action, done[i].answer); want != done[i].answer {
			return fmt.Sprintf("number %d, %v: got %s, want %s", i+1, done[i].action, done[i].answer, want)
		}
	}
	return ""
}

// alone does an action outside of a transaction.
func (d *drama) alone(p *player) {
	a := d.someAction(p)
	for a.kind == "save" || a.kind == "back" || a.kind == "step" || a.kind == "walk" {
		a = d.someAction(p)
	}
	var got string
	var ticket Ticket
	d.locked(p, func() {
		p.c.Ticket = Ticket{}
		got = d.act(p, a)
		ticket = p.c.Ticket
	})
	d.say("%s: %s -> %s", p.name, a, got)
	done := []answered{{a, got}}
	switch {
	case got == conflicted:
		d.fail("a conflict of a single statement")
	case !writes(a.kind):
		if !d.skewed {
			d.replayed(done, d.settled, "what is confirmed")
		}
	case strings.HasPrefix(got, "!"):
		d.replayed(done, len(d.chain)-1, "what was prepared last")
	default:
		d.prepared(p, done, ticket)
	}
}

// end commits the transaction of a player or rolls it back.
func (d *drama) end(p *player) {
	defer func() { p.done = nil }()
	if d.rand.IntN(6) == 0 {
		d.say("%s: rollback", p.name)
		d.locked(p, func() {
			if err := d.b.Rollback(p.c); err != nil {
				d.fail("%v", err)
			}
		})
		return
	}
	var got string
	var ticket Ticket
	d.locked(p, func() {
		p.c.Ticket = Ticket{}
		got = short(text(nil, d.b.Commit(p.c)))
		ticket = p.c.Ticket
	})
	d.say("%s: commit -> %s", p.name, got)
	switch {
	case got == conflicted:
		if !p.dead {
			d.die(p)
		}
	case got != "nothing":
		d.fail("a commit fails")
	case p.dead:
		d.fail("a commit after a conflict")
	case !p.wrote:
		d.counts["read"]++
		d.verify(p)
	default:
		d.counts["commit"]++
		d.prepared(p, p.done, ticket)
	}
}

// prepared puts a transaction into the chain. One that is confirmed at once may stand before those that are not.
func (d *drama) prepared(by *player, done []answered, ticket Ticket) {
	for _, p := range d.players {
		p.others = true
	}
	if ticket.Position() > d.newest.Position() {
		d.newest = ticket
	}
	d.counts["prepared"]++
	last := len(d.chain) - 1
	state := d.replayed(done, last, "what was prepared last")
	if ticket.Position() > 0 {
		d.chain = append(d.chain, link{done, ticket.Position(), state, false})
	} else if !state.same(d.tip()) {
		d.atOnce(link{done, d.chain[last].position, state, true})
	}
}

// atOnce puts a transaction into the chain that needed no journal and that all see although there are some before it that
// they don't see. It stands before those, unless one of them has read what it changed: then those who see the one and
// not the other find no order in it, which is the price for not waiting.
func (d *drama) atOnce(l link) {
	at := d.settled + 1
	chain := slices.Insert(slices.Clone(d.chain), at, l)
	chain[at].position = d.chain[d.settled].position
	for i := at; i < len(chain); i++ {
		if differs(chain[i].done, chain[i-1].after) != "" {
			d.counts["skew"]++
			d.skewed = true
			for _, p := range d.players {
				p.skewed = p.skewed || p.level != ReadCommitted
			}
			d.chain = append(d.chain, l)
			return
		}
		chain[i].after = after(chain[i].done, chain[i-1].after)
	}
	d.chain = chain
	d.settled++
	for _, p := range d.players {
		if p.first >= at {
			p.first++
		}
		p.skewed = p.skewed || p.level == ReadCommitted && at < len(chain)-1 // it has seen the others and not this one
	}
}

// write has the journal write what was submitted.
func (d *drama) write() {
	if d.newest.Position() <= d.written {
		return
	}
	d.say("written up to %d", d.newest.Position())
	d.journal.Journal.Flush()
	if err := d.newest.Wait(); err != nil {
		d.fail("%v", err)
	}
	d.written = d.newest.Position()
}

// confirm has the database know of some of what is written.
func (d *drama) confirm() {
	if d.journal.known == d.written {
		return
	}
	d.locked(nil, func() { d.journal.known += 1 + d.rand.Uint64N(d.written-d.journal.known) })
	d.locked(nil, func() {})
	d.say("known up to %d", d.journal.known)
	for d.settled+1 < len(d.chain) && d.chain[d.settled+1].position <= d.journal.known {
		d.settled++
	}
	if d.settled == len(d.chain)-1 {
		d.skewed = false
	}
}

// failToWrite has the journal fail with all that was submitted and not written.
func (d *drama) failToWrite() {
	if d.newest.Position() <= d.written {
		return
	}
	d.disk.FailFrom(vfs.OpWrite, 1, errors.New("no more"))
	d.journal.Journal.Flush()
	if err := d.newest.Wait(); err == nil {
		d.fail("the journal does not fail")
	}
	d.disk.Heal()
	d.say("failed from %d to %d", d.written+1, d.newest.Position())
	d.chain = slices.DeleteFunc(d.chain, func(l link) bool { return l.position > d.written && !l.atOnce })
	for i := d.settled + 1; i < len(d.chain); i++ {
		d.chain[i].after = d.replayed(d.chain[i].done, i-1, "what is before it")
	}
	d.written = d.newest.Position() // whose fate is known
	d.settled = min(d.settled, len(d.chain)-1)
	d.counts["failure"]++
	for _, p := range d.players {
		p.others, p.first = true, min(p.first, len(d.chain)-1)
		if p.c.Txn != nil && !p.dead {
			d.verify(p)
		}
	}
}

// changeSchema changes a space, which ends all open transactions unless it is rolled back.
func (d *drama) changeSchema() {
	p := &player{name: "ddl", c: d.b.NewCtx(d.b.NewSession(SessionBackground))}
	more, back := d.rand.IntN(2) == 0, d.rand.IntN(3) == 0
	a := action{kind: "truncate", space: spaceK, key: -1}
	if d.rand.IntN(2) == 0 {
		a = action{kind: "drop index", space: spaceT, index: 2, key: -1}
		if d.tip().dropped {
			a.kind = "create index"
		}
	}
	var done []answered
	act := func(a action) {
		got := d.act(p, a)
		d.say("%s: %s -> %s", p.name, a, got)
		done = append(done, answered{a, got})
	}
	var end error
	d.locked(p, func() {
		if !more {
			act(a)
			return
		}
		end = d.b.Begin(p.c, TxnOptions{})
		act(a)
		for range 3 {
			act(d.someWrite())
		}
		if back {
			end = errors.Join(end, d.b.Rollback(p.c))
		} else {
			end = errors.Join(end, d.b.Commit(p.c))
		}
	})
	if done[0].answer != "nothing" || end != nil {
		d.fail("the schema can't be changed: %v", end)
	}
	if more && back {
		d.say("%s: rollback", p.name)
		d.replayed(done, len(d.chain)-1, "what was prepared last")
		for _, q := range d.players {
			if q.c.Txn != nil && !q.dead {
				d.verify(q)
			}
		}
		return
	}
	d.prepared(p, done, p.c.Ticket)
	d.settled = len(d.chain) - 1 // all see it, as there is but one catalog
	d.counts["schema"]++
	for _, q := range d.players {
		if q.c.Txn != nil && q.c.Txn.Aborted != boxerr.TransactionConflict {
			d.fail("%s's transaction outlives a change of the schema", q.name)
		}
		q.dead = q.c.Txn != nil
	}
}

// finish ends everything and checks that nothing is left of it.
func (d *drama) finish() {
	for _, p := range d.players {
		if p.c.Txn != nil {
			d.end(p)
		}
	}
	d.write()
	for d.journal.known < d.written {
		d.confirm()
	}
	d.locked(nil, func() { d.b.settle(d.b.commits.known) }) // as the next one to be submitted does
	if n := len(d.b.commits.queue) + len(d.b.commits.waiting); n > 0 {
		d.fail("%d transactions left in the queue", n)
	}
	d.compare("what is left")
	h := d.b.commits.history
	if got := h.Stat(); got != (memtx.Stat{}) {
		d.fail("left behind: %+v", got)
	}
	for i := range model {
		if got := d.b.SpaceByName(model[i].name).Mem.Stat(); got != (memtx.SpaceStat{}) {
			d.fail("left behind in %s: %+v", model[i].name, got)
		}
	}
	if d.seed%2 == 0 { // nothing is temporary
		if err := d.b.Close(); err != nil {
			d.fail("%v", err)
		}
		d.b = mustOpen(d.T, Config{FS: d.disk, MemtxDir: "data", UseMVCC: true}).b
		d.compare("what was written")
	}
}

// compare checks that all indexes hold what they should at the end.
func (d *drama) compare(name string) {
	p := &player{name: "end", c: d.b.NewCtx(d.b.NewSession(SessionBackground))}
	for i := range model {
		for j := range model[i].indexes {
			if i == spaceT && j == 2 && d.tip().dropped {
				continue
			}
			a := action{kind: "select", space: i, index: j, iterator: index.ALL, key: -1, limit: 1000}
			d.locked(p, func() { d.replayed([]answered{{a, d.act(p, a)}}, len(d.chain)-1, name) })
			a.kind = "count"
			d.locked(p, func() { d.replayed([]answered{{a, d.act(p, a)}}, len(d.chain)-1, name) })
		}
	}
}

func TestRandomHistories(t *testing.T) {
	counts := map[string]int{}
	for i := range *histories {
		d := newDrama(t, *historySeed+uint64(i), counts)
		for range 400 {
			d.step()
		}
		d.finish()
	}
	t.Log(counts)
	for _, what := range []string{"conflict", "read", "commit", "failure", "schema"} {
		if counts[what] < *histories/4 {
			t.Errorf("%d of %q in %d histories", counts[what], what, *histories)
		}
	}
}

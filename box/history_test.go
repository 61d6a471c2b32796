package box

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/memtx"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/tuple"
	"github.com/lycosadb/lycosa/vfs"
)

var rewrite = flag.Bool("rewrite", false, "write what the scenarios do into their files")

// play is a database with concurrent transactions and the sessions that act in it. The journal writes when it is told to.
type play struct {
	*world
	disk     *vfs.Faulty
	sessions map[string]*Ctx
	saves    map[string]memtx.Savepoint
	walks    map[string]*Iterator
	told     chan string // what listeners have heard
	over     bool
}

// little is the time that a transaction has that is to end too late.
const little = time.Millisecond

func newPlay(t *testing.T) *play {
	disk := vfs.NewFaulty(vfs.NewMem())
	w := mustOpen(t, Config{FS: disk, UseMVCC: true})
	p := &play{
		world: w, disk: disk, told: make(chan string, 100),
		sessions: map[string]*Ctx{}, saves: map[string]memtx.Savepoint{}, walks: map[string]*Iterator{},
	}
	w.b.Cord.Lock()
	t.Cleanup(func() { p.unlock() })
	return p
}

// unlock ends the play: it holds the lock all the time but while it waits, so that nothing comes between its lines.
func (p *play) unlock() {
	if !p.over {
		p.over = true
		p.b.Cord.Unlock()
	}
}

// TestScenarios plays the files of testdata/history. A line that begins with a name and a colon is what a session
// does; what it gets stands below, indented. Lines without a colon make spaces, let the journal write or fail.
func TestScenarios(t *testing.T) {
	files, err := filepath.Glob("testdata/history/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no scenarios", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var out strings.Builder
			var p *play
			for line := range strings.Lines(string(data)) {
				line = strings.TrimRight(line, "\n")
				switch {
				case strings.HasPrefix(line, "  "):
					continue
				case strings.HasPrefix(line, "#"):
					if p != nil {
						p.unlock()
					}
					p = nil // a new story
				}
				out.WriteString(line + "\n")
				if line == "" || line[0] == '#' {
					continue
				}
				if p == nil {
					p = newPlay(t)
				}
				if got := p.line(line); got != "" {
					out.WriteString("  " + strings.ReplaceAll(got, "\n", "\n  ") + "\n")
				}
			}
			switch got := out.String(); {
			case got == string(data):
			case *rewrite:
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			default:
				t.Errorf("%s: got\n%s", file, firstDifference(got, string(data)))
			}
		})
	}
}

// firstDifference shows where two texts begin to differ.
func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return strings.Join(a[max(0, i-12):min(len(a), i+4)], "\n") + "\nwant\n" + strings.Join(b[min(i, len(b)):min(len(b), i+4)], "\n")
}

var codeName = regexp.MustCompile(`^ClientError .*\bname "([A-Z_]+)".*$`)

func (p *play) line(line string) string {
	name, command, ok := strings.Cut(line, ": ")
	if !ok {
		return p.stage(strings.Fields(line))
	}
	c := p.sessions[name]
	if c == nil {
		c = p.b.NewCtx(p.b.NewSession(SessionBackground))
		p.sessions[name] = c
	}
	p.c = c
	got := p.act(command)
	p.b.OnYield(c)
	if m := codeName.FindStringSubmatch(got); m != nil {
		return "! " + m[1]
	}
	if got == "nothing" && !strings.HasPrefix(command, "get") {
		return ""
	}
	return got
}

// stage does what no session does. Only there do others have the lock.
func (p *play) stage(words []string) string {
	p.b.Cord.Unlock()
	defer p.b.Cord.Lock()
	switch words[0] {
	case "space": // space NAME ID:TYPE INDEX...
		p.world.c = p.b.NewCtx(p.b.NewSession(SessionBackground))
		p.under(func() { p.create(words[1], words[2:]) })
	case "broken": // is the journal from now on
		p.disk.FailFrom(vfs.OpWrite, 1, errors.New("no more"))
	case "hear":
		return <-p.told
	case "later":
		p.wait(2 * little)
	case "written":
		return p.write()
	case "fails":
		p.disk.FailFrom(vfs.OpWrite, 1, errors.New("no more"))
		got := p.write()
		p.disk.Heal()
		return got
	default:
		p.Fatalf("no command %q", words)
	}
	return ""
}

// wait lets time go by, and all who had less have heard of it.
func (p *play) wait(d time.Duration) {
	over := make(chan struct{})
	p.b.Cord.Lock()
	p.b.Cord.After(d, func() { close(over) })
	p.b.Cord.Unlock()
	<-over
}

// write waits for the journal.
func (p *play) write() string {
	if err := p.b.commits.newest.Wait(); err != nil {
		return "! " + boxerr.From(err).Code.Name()
	}
	return ""
}

// create makes a space with indexes such as "pk=unsigned@1", "hash:pk=..." or "*n=unsigned@2,string@3".
func (p *play) create(name string, indexes []string) {
	sp, err := p.b.CreateSpace(p.c, name, SpaceSpec{})
	if err != nil {
		p.Fatal(err)
	}
	for _, x := range indexes {
		if err := p.index(sp, x); err != nil {
			p.Fatal(err)
		}
	}
}

func (p *play) index(sp *Space, spec string) error {
	name, parts, _ := strings.Cut(spec, "=")
	name, many := strings.CutPrefix(name, "*")
	typ, name, found := strings.Cut(name, ":")
	if !found {
		typ, name = "tree", typ
	}
	o := IndexSpec{Type: typ, NonUnique: many}
	for _, part := range strings.Split(parts, ",") {
		var k Part
		typ, field, _ := strings.Cut(part, "@")
		field, k.Path, _ = strings.Cut(field, "[")
		if k.Path != "" {
			k.Path = "[" + k.Path
		}
		fmt.Sscan(field, &k.Field)
		k.Field--
		k.Type, k.Nullable = strings.TrimSuffix(typ, "?"), strings.HasSuffix(typ, "?")
		o.Keys = append(o.Keys, k)
	}
	_, err := p.b.CreateIndex(p.c, sp.ID, name, o)
	return err
}

var isolations = map[string]Isolation{
	"": IsolationDefault, "committed": ReadCommitted, "confirmed": ReadConfirmed, "best": BestEffort, "linearizable": Linearizable,
}

// act is world.do with what transactions have beyond that.
func (p *play) act(command string) string {
	words := strings.Fields(command)
	b, c := p.b, p.c
	sp := func() *Space { return b.SpaceByName(words[1]) }
	switch words[0] {
	case "begin":
		o := strings.TrimSpace(strings.TrimPrefix(command, "begin"))
		if o == "briefly" {
			return text(nil, b.Begin(c, TxnOptions{Timeout: little}))
		}
		return text(nil, b.Begin(c, TxnOptions{Isolation: isolations[o]}))
	case "listen":
		for what, list := range map[string]*[]any{"committed": &c.Txn.OnCommit, "rolled back": &c.Txn.OnRollback} {
			*list = append(*list, GoFunc(func(_ *Ctx, args []byte, _ int) ([]byte, int, error) {
				p.told <- words[1] + " " + what + heard(args)
				return nil, 0, nil
			}))
		}
		return ""
	case "save":
		s, err := b.Savepoint(c, "")
		p.saves[words[1]] = s
		return text(nil, err)
	case "back":
		return text(nil, b.RollbackTo(c, p.saves[words[1]]))
	case "len":
		n, err := b.Len(c, sp().ID, 0)
		if err != nil {
			return failure(err)
		}
		return fmt.Sprint(n)
	case "first": // first N of a space in the order of an iterator
		r := p.request(words[2:])
		fmt.Sscan(words[1], &r.Limit)
		found, err := b.Select(c, r, nil)
		if err != nil {
			return failure(err)
		}
		if len(found) == 0 {
			return "none"
		}
		out := make([]string, len(found))
		for i, t := range found {
			out[i] = t.String()
		}
		return strings.Join(out, " ")
	case "walk": // walk NAME over a space
		it, err := b.OpenIterator(c, p.request(words[2:]))
		p.walks[words[1]] = it
		return text(nil, err)
	case "step":
		return text(p.walks[words[1]].Next(c))
	case "create":
		p.create(words[1], words[2:])
		return ""
	case "index":
		return text(nil, p.index(sp(), words[2]))
	case "drop":
		return text(nil, b.DropSpace(c, sp().ID, words[1], false))
	case "truncate":
		return text(nil, b.Truncate(c, sp().ID))
	case "user":
		_, err := b.CreateUser(c, words[1], nil)
		return text(nil, err)
	}
	return p.do(command)
}

// heard shows the changes that a listener is told of.
func heard(args []byte) string {
	var out strings.Builder
	n, args, _ := msgpack.ReadArrayHeader(args)
	for range n {
		_, args, _ = msgpack.ReadArrayHeader(args)
		for range 2 {
			if msgpack.TypeOf(args[0]) == msgpack.Nil {
				out.WriteString(" nil")
				args = args[1:]
				continue
			}
			var t *tuple.Tuple
			t, args, _ = readTuple(args)
			out.WriteString(" " + t.String())
		}
		args, _ = msgpack.Skip(args)
	}
	return out.String()
}

// request reads a search: the space with the index, the iterator, the key.
func (p *play) request(words []string) *SelectRequest {
	name, idx, _ := strings.Cut(words[0], "/")
	r := &SelectRequest{Space: p.b.SpaceByName(name).ID, Iterator: index.ALL, Limit: 100, Key: []byte{0x90}}
	if idx != "" {
		r.Index = p.b.SpaceByName(name).Mem.IndexByName(idx).ID
	}
	if len(words) > 1 {
		r.Iterator, _ = index.IteratorTypeByName(words[1])
		if len(words) > 2 {
			r.Key = mp(strings.Join(words[2:], " "))
		}
	}
	return r
}

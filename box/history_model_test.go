package box

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/lycosadb/lycosa/index"
)

// row is a tuple of the model: its primary key and three more numbers.
type row [4]int

// null is what a nullable number is when it is none.
const null = 0

// modelIndex is an index of a modelSpace over single numbers.
type modelIndex struct {
	name, spec string
	kind       index.Type
	unique     bool
	nullable   bool
	keys       func(r row) []int
}

func field(i int) func(row) []int { return func(r row) []int { return []int{r[i]} } }

// modelSpace is a space of the model. All rows of a space have the same form.
type modelSpace struct {
	name      string
	temporary bool
	form      string // of a tuple
	fields    [4]string
	indexes   []modelIndex
}

// The spaces of the model, by their numbers in it.
const (
	spaceT = iota // changes of it are written into E by a trigger
	spaceH        // without an order; a trigger gives its rows the last number of those in T
	spaceK        // with several keys a row
	spaceE        // which is not journaled
	modelSpaces
)

var model = [modelSpaces]modelSpace{
	spaceT: {"t", false, "[%d, %d, %d, %d]", [4]string{"0", "1", "2", "3"}, []modelIndex{
		{"pk", "pk=unsigned@1", index.Tree, true, false, field(0)},
		{"u", "u=unsigned@2", index.Tree, true, false, field(1)},
		{"n", "*n=unsigned@3", index.Tree, false, false, field(2)},
	}},
	spaceH: {"h", false, "[%d, %d, %d, %d]", [4]string{"0", "1", "2", "3"}, []modelIndex{
		{"pk", "hash:pk=unsigned@1", index.Hash, true, false, field(0)},
		{"u", "hash:u=unsigned@2", index.Hash, true, false, field(1)},
		{"n", "*n=unsigned@3", index.Tree, false, false, field(2)},
		{"b", "*bitset:b=unsigned@4", index.Bitset, false, false, field(3)},
	}},
	spaceK: {"k", false, "[%d, [%d, %d], %d]", [4]string{"0", `"[2][1]"`, `"[2][2]"`, "2"}, []modelIndex{
		{"pk", "pk=unsigned@1", index.Tree, true, false, field(0)},
		{"m", "m=unsigned@2[*]", index.Tree, true, false, func(r row) []int {
			if r[1] == r[2] {
				return []int{r[1]}
			}
			return []int{r[1], r[2]}
		}},
		{"r", "*rtree:r=array@2", index.RTree, false, false, field(1)},
	}},
	spaceE: {"e", true, "[%d, %d, %d, %d]", [4]string{"0", "1", "2", "3"}, []modelIndex{
		{"pk", "pk=unsigned@1", index.Tree, true, false, field(0)},
		{"u", "u=unsigned?@2", index.Tree, true, true, field(1)},
		{"n", "*n=unsigned@3", index.Tree, false, false, field(2)},
	}},
}

// text is the row as its tuple is shown.
func (r row) text(space int) string {
	s := fmt.Sprintf(model[space].form, r[0], r[1], r[2], r[3])
	if space == spaceE && r[1] == null {
		return strings.Replace(s, ", 0,", ", null,", 1)
	}
	return s
}

// state is what all spaces hold, each in the order of its primary key. States share what does not differ.
type state struct {
	rows    [modelSpaces][]row
	dropped bool // index n of T
}

func (s *state) find(space, index, key int) (r row, found bool) {
	for _, r := range s.rows[space] {
		if slices.Contains(model[space].indexes[index].keys(r), key) {
			return r, true
		}
	}
	return r, false
}

func (s *state) same(as *state) bool {
	for i := range s.rows {
		if !slices.Equal(s.rows[i], as.rows[i]) {
			return false
		}
	}
	return s.dropped == as.dropped
}

// put stores a row, or removes the one with its primary key.
func (s *state) put(space int, r row, remove bool) {
	list := slices.DeleteFunc(slices.Clone(s.rows[space]), func(x row) bool { return x[0] == r[0] })
	if !remove {
		list = append(list, r)
		slices.SortFunc(list, func(a, b row) int { return a[0] - b[0] })
	}
	s.rows[space] = list
}

// action is one statement or what else a transaction does.
type action struct {
	kind          string
	space, index  int
	iterator      index.IteratorType
	key           int // -1 for none
	limit, offset int
	row           row
	set           [4]bool // the numbers that an update sets
	add           bool    // 1 to the last number
	slot          int     // of a savepoint or a walk
}

func (a action) String() string {
	s := &model[a.space]
	on := s.name + "/" + s.indexes[a.index].name
	switch a.kind {
	case "insert", "replace":
		return fmt.Sprint(a.kind, " ", s.name, " ", a.row.text(a.space))
	case "update", "delete", "get":
		return fmt.Sprint(a.kind, " ", on, " ", a.keyText(), " ", a.operations())
	case "upsert":
		return fmt.Sprint(a.kind, " ", s.name, " ", a.row.text(a.space), " ", a.operations())
	case "save", "back", "step":
		return fmt.Sprint(a.kind, " ", a.slot)
	}
	return fmt.Sprintf("%s %s %v %s offset %d limit %d (%d)", a.kind, on, a.iterator, a.keyText(), a.offset, a.limit, a.slot)
}

// keyText is the key in JSON.
func (a *action) keyText() string {
	x := &model[a.space].indexes[a.index]
	switch {
	case a.key < 0:
		return "[]"
	case x.kind == index.RTree:
		return fmt.Sprintf("[0, 0, %d, %d]", a.key, a.key)
	case x.nullable && a.key == null:
		return "[null]"
	}
	return fmt.Sprintf("[%d]", a.key)
}

// operations are those of an update in JSON.
func (a *action) operations() string {
	var list []string
	for i, on := range a.set {
		if on {
			value := fmt.Sprint(a.row[i])
			if a.space == spaceE && i == 1 && a.row[i] == null {
				value = "null"
			}
			list = append(list, fmt.Sprintf(`["=", %s, %s]`, model[a.space].fields[i], value))
		}
	}
	if a.add {
		list = append(list, fmt.Sprintf(`["+", %s, 1]`, model[a.space].fields[3]))
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// updated is a row after the operations.
func (a *action) updated(r row) row {
	for i, on := range a.set {
		if on {
			r[i] = a.row[i]
		}
	}
	if a.add {
		r[3]++
	}
	return r
}

// replica is a transaction that runs alone.
type replica struct {
	state
	saves map[int]state
	walks map[int]*modelWalk
}

func newReplica(s state) *replica {
	return &replica{state: s, saves: map[int]state{}, walks: map[int]*modelWalk{}}
}

// modelWalk is an iterator over an index that has an order.
type modelWalk struct {
	action
	last         entry
	begun, ended bool
}

type entry struct {
	key int
	row row
}

// entries are those that a search finds, in their order.
func (s *state) entries(a *action) []entry {
	x := &model[a.space].indexes[a.index]
	var list []entry
	for _, r := range s.rows[a.space] {
		for _, k := range x.keys(r) {
			if a.finds(x, k, r) {
				list = append(list, entry{k, r})
			}
		}
	}
	sign := 1
	if a.iterator.Reverse() {
		sign = -1
	}
	slices.SortFunc(list, func(p, q entry) int { return sign * compareEntries(p, q) })
	return list
}

func compareEntries(p, q entry) int { return cmp.Or(p.key-q.key, p.row[0]-q.row[0]) }

func (a *action) finds(x *modelIndex, k int, r row) bool {
	if a.key < 0 {
		return true
	}
	if x.kind == index.RTree {
		return r[1] <= a.key && r[2] <= a.key
	}
	switch a.iterator {
	case index.EQ, index.REQ:
		return k == a.key
	case index.ALL, index.GE:
		return k >= a.key
	case index.GT:
		return k > a.key
	case index.LE:
		return k <= a.key
	case index.LT:
		return k < a.key
	case index.BitsAllSet:
		return a.key != 0 && k&a.key == a.key
	}
	panic("no such iterator")
}

const refused = "! TUPLE_FOUND"

// do does the action. Where several answers are right and the given one is among them that is the result.
func (p *replica) do(a *action, answer string) string {
	switch a.kind {
	case "insert", "replace", "update", "upsert", "delete":
		before := p.state
		result, ok := p.change(a)
		if !ok {
			p.state = before
		}
		return result
	case "get":
		if r, ok := p.find(a.space, a.index, a.key); ok {
			return r.text(a.space)
		}
		return "nothing"
	case "select":
		list := p.entries(a)
		list = list[min(a.offset, len(list)):]
		list = list[:min(a.limit, len(list))]
		return entriesText(a, list)
	case "count":
		return fmt.Sprint(len(p.entries(a)))
	case "min", "max":
		search := *a
		search.iterator = index.EQ
		list := p.entries(&search)
		switch {
		case len(list) == 0:
			return "nothing"
		case a.kind == "min":
			return list[0].row.text(a.space)
		}
		return list[len(list)-1].row.text(a.space)
	case "random":
		for _, r := range p.rows[a.space] {
			if r.text(a.space) == answer {
				return answer
			}
		}
		if len(p.rows[a.space]) == 0 {
			return "nothing"
		}
		return "one of those there are"
	case "walk":
		p.walks[a.slot] = &modelWalk{action: *a}
		return "nothing"
	case "step":
		w := p.walks[a.slot]
		if w == nil || w.ended {
			return "nothing"
		}
		for _, e := range p.entries(&w.action) {
			c := compareEntries(e, w.last)
			if !w.begun || c > 0 && !w.iterator.Reverse() || c < 0 && w.iterator.Reverse() {
				w.begun, w.last = true, e
				return e.row.text(w.space)
			}
		}
		w.ended = true
		return "nothing"
	case "save":
		p.saves[a.slot] = p.state
		return "nothing"
	case "back":
		p.state = p.saves[a.slot]
		return "nothing"
	case "drop index":
		p.dropped = true
		return "nothing"
	case "create index":
		p.dropped = false
		return "nothing"
	case "truncate":
		p.rows[a.space] = nil
		return "nothing"
	}
	panic(a.kind)
}

// entriesText shows what a search found, sorted where there is no order.
func entriesText(a *action, list []entry) string {
	if len(list) == 0 {
		return "none"
	}
	out := make([]string, len(list))
	for i, e := range list {
		out[i] = e.row.text(a.space)
	}
	if model[a.space].indexes[a.index].kind != index.Tree {
		slices.Sort(out)
	}
	return strings.Join(out, " ")
}

// change is a statement that changes something. ok is false when it is refused.
func (p *replica) change(a *action) (answer string, ok bool) {
	var old, new row
	var had, has bool
	kind := a.kind
	switch kind {
	case "insert", "replace":
		new, has = a.row, true
		old, had = p.find(a.space, 0, new[0])
	case "upsert":
		new, has = a.row, true
		if old, had = p.find(a.space, 0, new[0]); had {
			new = a.updated(old)
		}
	case "update", "delete":
		if old, had = p.find(a.space, a.index, a.key); !had {
			return "nothing", true
		}
		if kind == "update" {
			new, has = a.updated(old), true
		}
	}
	if a.space == spaceH && has { // before_replace
		if t, ok := p.find(spaceT, 0, new[0]); ok && t[3] != new[3] {
			new[3] = t[3]
			if had && new == old {
				return "nothing", true
			}
			if kind != "upsert" {
				kind = "replace"
			}
		}
	}
	if has {
		if kind == "insert" && had {
			return refused, false
		}
		for i := range model[a.space].indexes {
			x := &model[a.space].indexes[i]
			if i == 0 || !x.unique {
				continue
			}
			for _, k := range x.keys(new) {
				if x.nullable && k == null {
					continue
				}
				for _, r := range p.rows[a.space] {
					if slices.Contains(x.keys(r), k) && !(had && r == old) {
						return refused, false
					}
				}
			}
		}
		p.put(a.space, new, false)
	} else {
		p.put(a.space, old, true)
	}
	if a.space == spaceT { // on_replace
		switch {
		case has && new[3] == forbidden:
			return "! PROC_LUA", false
		case has:
			p.put(spaceE, row{new[0], null, new[2], new[3]}, false)
		default:
			p.put(spaceE, row{old[0]}, true)
		}
	}
	switch {
	case kind == "upsert":
		return "nothing", true
	case has:
		return new.text(a.space), true
	}
	return old.text(a.space), true
}

// forbidden is a last number that T's trigger refuses.
const forbidden = 6

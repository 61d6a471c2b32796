package box

import (
	"fmt"
	"slices"
	"strings"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/tuple"
)

// copyToE is T's on_replace trigger.
func (d *drama) copyToE(c *Ctx, args []byte, _ int) ([]byte, int, error) {
	old, new, _, _ := replaceArguments(args)
	if new == nil {
		_, err := d.b.Delete(c, d.spaces[spaceE], 0, append([]byte{0x91}, old.Field(0)...))
		return nil, 0, err
	}
	if new.Field(3)[0] == forbidden {
		return nil, 0, boxerr.New(boxerr.ProcLua, "forbidden")
	}
	data := append([]byte{0x94}, new.Field(0)...)
	data = append(append(append(data, 0xc0), new.Field(2)...), new.Field(3)...)
	_, err := d.b.Replace(c, d.spaces[spaceE], data)
	return nil, 0, err
}

// takeFromT is H's before_replace trigger.
func (d *drama) takeFromT(c *Ctx, args []byte, _ int) ([]byte, int, error) {
	_, new, _, _ := replaceArguments(args)
	if new == nil {
		return nil, 0, nil
	}
	t, err := d.b.Get(c, d.spaces[spaceT], 0, append([]byte{0x91}, new.Field(0)...))
	if err != nil || t == nil {
		return nil, 0, err
	}
	data := append([]byte{0x94}, new.Field(0)...)
	data = append(append(append(data, new.Field(1)...), new.Field(2)...), t.Field(3)...)
	return AppendTuple(nil, tuple.New(data)), 1, nil
}

// act does an action in the engine.
func (d *drama) act(p *player, a action) string {
	b, c, sp := d.b, p.c, d.spaces[a.space]
	switch a.kind {
	case "insert":
		return short(text(b.Insert(c, sp, mp(a.row.text(a.space)))))
	case "replace":
		return short(text(b.Replace(c, sp, mp(a.row.text(a.space)))))
	case "update":
		return short(text(b.Update(c, sp, d.indexID(&a), mp(a.keyText()), mp(a.operations()), 0)))
	case "upsert":
		return short(text(nil, b.Upsert(c, sp, mp(a.row.text(a.space)), mp(a.operations()), 0)))
	case "delete":
		return short(text(b.Delete(c, sp, d.indexID(&a), mp(a.keyText()))))
	case "get":
		return short(text(b.Get(c, sp, d.indexID(&a), mp(a.keyText()))))
	case "min":
		return short(text(b.Min(c, sp, d.indexID(&a), mp(a.keyText()))))
	case "max":
		return short(text(b.Max(c, sp, d.indexID(&a), mp(a.keyText()))))
	case "random":
		return short(text(b.Random(c, sp, d.indexID(&a), d.rand.Uint32())))
	case "count":
		n, err := b.Count(c, sp, d.indexID(&a), a.iterator, mp(a.keyText()))
		if err != nil {
			return short(failure(err))
		}
		return fmt.Sprint(n)
	case "select":
		list, err := b.Select(c, d.search(&a), nil)
		if err != nil {
			return short(failure(err))
		}
		if len(list) == 0 {
			return "none"
		}
		out := make([]string, len(list))
		for i, t := range list {
			out[i] = t.String()
		}
		if model[a.space].indexes[a.index].kind != index.Tree {
			slices.Sort(out)
		}
		return strings.Join(out, " ")
	case "walk":
		it, err := b.OpenIterator(c, d.search(&a))
		if err == nil {
			p.walks[a.slot] = it
		}
		return short(text(nil, err))
	case "step":
		return short(text(p.walks[a.slot].Next(c)))
	case "save":
		s, err := b.Savepoint(c, "")
		if err == nil {
			p.saves[a.slot] = s
		}
		return short(text(nil, err))
	case "back":
		return short(text(nil, b.RollbackTo(c, p.saves[a.slot])))
	case "drop index":
		return short(text(nil, b.DropIndex(c, sp, d.indexID(&a))))
	case "create index":
		q := &play{world: &world{TB: d.T, b: b, c: c}}
		return short(text(nil, q.index(b.SpaceByName(model[a.space].name), model[a.space].indexes[a.index].spec)))
	case "truncate":
		return short(text(nil, b.Truncate(c, sp)))
	}
	panic(a.kind)
}

// short shows no more of an error than its name.
func short(s string) string {
	if m := codeName.FindStringSubmatch(s); m != nil {
		return "! " + m[1]
	}
	return s
}

func (d *drama) indexID(a *action) uint32 {
	x := d.b.SpaceByName(model[a.space].name).Mem.IndexByName(model[a.space].indexes[a.index].name)
	if x == nil {
		return 99
	}
	return x.ID
}

func (d *drama) search(a *action) *SelectRequest {
	return &SelectRequest{
		Space: d.spaces[a.space], Index: d.indexID(a), Iterator: a.iterator, Key: mp(a.keyText()), Limit: uint32(a.limit), Offset: uint32(a.offset),
	}
}

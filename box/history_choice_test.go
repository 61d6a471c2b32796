package box

import "github.com/lycosadb/lycosa/index"

// someRow is a row of few possible ones, so that transactions meet.
func (d *drama) someRow(space int) row {
	r := row{1 + d.rand.IntN(7), 1 + d.rand.IntN(9), 1 + d.rand.IntN(4), d.rand.IntN(8)}
	switch space {
	case spaceK:
		r[2] = 1 + d.rand.IntN(9)
	case spaceE:
		if d.rand.IntN(3) == 0 {
			r[1] = null
		}
	}
	return r
}

// someSpace is T half of the time.
func (d *drama) someSpace() int { return max(0, d.rand.IntN(2*modelSpaces)-modelSpaces) }

// someUnique is an index that finds single rows.
func (d *drama) someUnique(space int) int { return d.rand.IntN(2) }

func (d *drama) someKey(space, x int) int {
	r := d.someRow(space)
	switch i := &model[space].indexes[x]; {
	case i.kind == index.Bitset:
		return r[3]
	case i.kind == index.RTree:
		return 1 + d.rand.IntN(9)
	default:
		return i.keys(r)[0]
	}
}

func (d *drama) someWrite() action {
	a := action{kind: "insert", space: d.someSpace(), key: -1}
	a.row = d.someRow(a.space)
	switch d.rand.IntN(8) {
	case 0, 1, 2:
	case 3:
		a.kind = "replace"
	case 4, 5:
		a.kind = "update"
		d.someOperations(&a)
	case 6:
		a.kind = "upsert"
		d.someOperations(&a)
	default:
		a.kind = "delete"
	}
	if a.kind == "update" || a.kind == "delete" {
		a.index = d.someUnique(a.space)
		for a.key = null; a.key == null; {
			a.key = d.someKey(a.space, a.index)
		}
	}
	return a
}

func (d *drama) someOperations(a *action) {
	if a.add = d.rand.IntN(2) == 0; !a.add || d.rand.IntN(4) == 0 {
		for i := 1; i < 3+d.rand.IntN(2); i++ {
			a.set[i] = d.rand.IntN(2) == 0
		}
		a.add = a.add && !a.set[3]
	}
}

var orderedIterators = []index.IteratorType{index.ALL, index.GE, index.GT, index.LE, index.LT, index.EQ, index.REQ}

// someSearch is a search of some index.
func (d *drama) someSearch(kind string) action {
	a := action{kind: kind, space: d.someSpace(), key: -1, limit: 1000}
	for {
		a.index = d.rand.IntN(len(model[a.space].indexes))
		x := &model[a.space].indexes[a.index]
		switch {
		case a.space == spaceT && a.index == 2 && d.tip().dropped:
			continue
		case x.kind == index.Tree:
			a.iterator = orderedIterators[d.rand.IntN(len(orderedIterators))]
			if d.rand.IntN(4) > 0 {
				a.key = d.someKey(a.space, a.index)
			}
			if kind == "select" && d.rand.IntN(2) == 0 {
				a.limit, a.offset = 1+d.rand.IntN(3), d.rand.IntN(3)
			}
		case kind == "walk" || kind == "min" || kind == "max":
			continue // for an order
		case kind == "random" && x.kind != index.Hash:
			continue
		case d.rand.IntN(3) == 0:
			a.iterator = index.ALL
		default:
			a.key = d.someKey(a.space, a.index)
			a.iterator = map[index.Type]index.IteratorType{index.Hash: index.EQ, index.Bitset: index.BitsAllSet, index.RTree: index.LE}[x.kind]
		}
		return a
	}
}

// someAction is what a player does next.
func (d *drama) someAction(p *player) action {
	switch n := d.rand.IntN(100); {
	case n < 35:
		return d.someWrite()
	case n < 55:
		a := action{kind: "get", space: d.someSpace()}
		a.index = d.someUnique(a.space)
		for a.key = null; a.key == null; {
			a.key = d.someKey(a.space, a.index)
		}
		return a
	case n < 65:
		return d.someSearch("select")
	case n < 70:
		a := d.someSearch("count")
		for a.key < 0 && p.c.Txn != nil { // the number of all is not counted as read
			a = d.someSearch("count")
		}
		return a
	case n < 73:
		return d.someSearch("min")
	case n < 76:
		return d.someSearch("max")
	case n < 78:
		return d.someSearch("random")
	case n < 82:
		a := d.someSearch("walk")
		a.slot = d.rand.IntN(3)
		return a
	case n < 94 && len(p.walks) > 0:
		for {
			if a := (action{kind: "step", slot: d.rand.IntN(3)}); p.walks[a.slot] != nil {
				return a
			}
		}
	case n < 97:
		return action{kind: "save", slot: len(p.savers)}
	case len(p.savers) > 0:
		return action{kind: "back", slot: p.savers[d.rand.IntN(len(p.savers))]}
	}
	return d.someWrite()
}

package memtx

import "github.com/lycosadb/lycosa/index"

// View is the data of all spaces at one moment, for transactions that go on reading it. A space gets a version of its
// own only before it is changed for the first time after that moment.
type View struct {
	id       uint64
	position uint64 // of the transaction submitted last then
	prepared bool   // with what was prepared, not only with what was confirmed
	users    int
	spaces   map[*Space]*Space
}

// open makes a view of the data as it was before the transaction by was prepared, which is the newest one and whose
// changes are pending; by may be nil.
func (h *History) open(prepared bool, by *Txn) *View {
	h.parkAll(by)
	h.lastView++
	v := &View{id: h.lastView, position: h.position, prepared: prepared, spaces: make(map[*Space]*Space)}
	if !prepared {
		for _, s := range h.dirty {
			v.spaces[s] = s.past.settled().snapshot()
		}
	} else if by != nil {
		for _, s := range by.spaces {
			v.spaces[s] = s.past.without(by.changesIn(s))
		}
	}
	h.views = append(h.views, v)
	return v
}

// look makes a transaction that has not written see a view from now on. Nothing can come between it and the data
// any more.
func (t *Txn) look(v *View) {
	t.dropNotes()
	t.view = v
	v.users++
}

func (h *History) leave(v *View) {
	if v.users--; v.users > 0 {
		return
	}
	for i, w := range h.views {
		if w == v {
			copy(h.views[i:], h.views[i+1:])
			h.views[len(h.views)-1] = nil
			h.views = h.views[:len(h.views)-1]
			return
		}
	}
}

// index returns an index as the view has it.
func (v *View) index(s *Space, x *Index) index.Index {
	if data := v.spaces[s]; data != nil {
		return data.of(s, x)
	}
	return x.Index
}

// keep is called before a space is changed: the views that still share its indexes get a version of their own.
func (h *History) keep(p *past) {
	if p.kept == h.lastView {
		return
	}
	var copied *Space
	for i := len(h.views) - 1; i >= 0 && h.views[i].id > p.kept; i-- {
		v := h.views[i]
		if v.spaces[p.space] != nil {
			continue
		}
		if copied == nil {
			copied = p.space.snapshot()
		}
		v.spaces[p.space] = copied
	}
	p.kept = h.lastView
}

// fallBehind is called when a transaction has read what others have changed and not confirmed yet: it has to come
// before them.
func (t *Txn) fallBehind() {
	if t.wrote {
		t.abort()
	} else {
		t.look(t.history.open(false, nil))
	}
}

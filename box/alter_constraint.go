package box

import (
	"slices"

	"github.com/lycosadb/lycosa/boxerr"
)

// addConstraints gives the space constraints, after checking that their functions can be that.
func (b *Box) addConstraints(s *Space, defs []constraintDef) error {
	for _, d := range defs {
		refuse := func(why string) error { return boxerr.New(boxerr.CreateConstraint, d.name, s.Name, why) }
		f := b.referTo(d.fn)
		switch {
		case f == nil:
			return refuse("constraint function was not found by id")
		case b.awaits(f):
		case f.Language == languageLua && f.Body == "":
			return refuse("constraint lua function '" + f.Name + "' must have persistent body")
		case !f.Deterministic:
			return refuse("constraint function '" + f.Name + "' must be deterministic")
		}
		s.Constraints = append(s.Constraints, Constraint{Name: d.name, Field: d.field, Func: f})
	}
	return nil
}

// addForeignKeys gives the space foreign keys. What they lead to is looked up by bind.
func (b *Box) addForeignKeys(s *Space, defs []foreignKeyDef) {
	for _, d := range defs {
		k := &ForeignKey{Name: d.name, Child: s, Field: d.field, ParentID: d.space}
		if k.ParentID == s.ID {
			k.ParentID = 0
		}
		for i := range d.child {
			k.ChildFields = append(k.ChildFields, d.child[i].no)
			k.ChildFieldNames = append(k.ChildFieldNames, d.child[i].name)
			k.ParentFields = append(k.ParentFields, d.parent[i].no)
			k.ParentFieldNames = append(k.ParentFieldNames, d.parent[i].name)
		}
		s.ForeignKeys = append(s.ForeignKeys, k)
	}
}

// bind finds the fields of a foreign key that are given by name.
func (k *ForeignKey) bind(parent *Space) {
	find := func(s *Space, fields []int, names []string) {
		for i, name := range names {
			if name != "" {
				fields[i] = s.fieldByName(name)
			}
		}
	}
	find(k.Child, k.ChildFields, k.ChildFieldNames)
	if parent != nil {
		find(parent, k.ParentFields, k.ParentFieldNames)
	}
}

// fieldByName returns the number of a field, -1 when there is none of that name.
func (s *Space) fieldByName(name string) int {
	return slices.IndexFunc(s.fields, func(f fieldDef) bool { return f.Name == name })
}

// parent returns the space that a foreign key leads to, nil when there is none.
func (b *Box) parent(k *ForeignKey) *Space {
	if k.ParentID == 0 {
		return k.Child
	}
	return b.catalog.spaces[k.ParentID]
}

// attachKeys makes the foreign keys of a space known to the spaces that they lead to, and finds the fields again
// by which others lead here.
func (b *Box) attachKeys(s *Space) {
	b.detachKeys(s)
	for _, k := range s.ForeignKeys {
		p := b.parent(k)
		k.bind(p)
		if p != nil {
			p.ReferencedBy = append(slices.Clone(p.ReferencedBy), k)
		} else {
			b.catalog.orphans++
		}
	}
	for _, k := range s.ReferencedBy {
		k.bind(s)
	}
}

// detachKeys is the opposite of attachKeys.
func (b *Box) detachKeys(s *Space) {
	for _, k := range s.ForeignKeys {
		if p := b.parent(k); p != nil {
			p.ReferencedBy = slices.DeleteFunc(slices.Clone(p.ReferencedBy), func(x *ForeignKey) bool { return x.Child == s })
		}
	}
}

// adoptKeys attaches those foreign keys that led nowhere until this space appeared.
func (b *Box) adoptKeys(s *Space) {
	if b.catalog.orphans == 0 {
		return
	}
	for _, child := range b.catalog.spaces {
		for _, k := range child.ForeignKeys {
			if k.ParentID == s.ID && !slices.Contains(s.ReferencedBy, k) {
				s.ReferencedBy = append(s.ReferencedBy, k)
				k.bind(s)
			}
		}
	}
}

package lycosa

import (
	"math"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/tuple"
)

// Space is a space by its name. It is looked up anew by each operation, so it need not exist before. Got from a DB, each
// operation is a transaction of its own and returns when it is on disk; got from a Tx, it is part of that transaction.
type Space struct {
	scope scope
	name  string
	id    uint32
}

// Space returns a space by its name.
func (db *DB) Space(name string) *Space { return &Space{scope: db, name: name} }

// SpaceByID returns a space by its number.
func (db *DB) SpaceByID(id uint32) *Space { return &Space{scope: db, id: id} }

// CreateSpace creates a space, without an index.
func (db *DB) CreateSpace(name string, spec box.SpaceSpec) (*Space, error) {
	return createSpace(db, name, spec)
}

func createSpace(s scope, name string, spec box.SpaceSpec) (*Space, error) {
	x := &Space{scope: s, name: name}
	return x, s.do(func(c *box.Ctx) error {
		_, err := c.Box().CreateSpace(c, name, spec)
		return err
	})
}

// on runs f with the space.
func (s *Space) on(f func(c *box.Ctx, sp *box.Space) error) error {
	return s.scope.do(func(c *box.Ctx) error {
		sp, err := s.find(c.Box())
		if err != nil {
			return err
		}
		return f(c, sp)
	})
}

func (s *Space) find(b *box.Box) (*box.Space, error) {
	if s.name == "" {
		if sp := b.SpaceByID(s.id); sp != nil {
			return sp, nil
		}
		return nil, boxerr.New(boxerr.NoSuchSpace, uint64(s.id))
	}
	if sp := b.SpaceByName(s.name); sp != nil {
		return sp, nil
	}
	return nil, boxerr.New(boxerr.NoSuchSpace, s.name)
}

// CreateIndex creates an index; the first one of a space must be the primary one.
func (s *Space) CreateIndex(name string, spec box.IndexSpec) error {
	return s.on(func(c *box.Ctx, sp *box.Space) error {
		_, err := c.Box().CreateIndex(c, sp.ID, name, spec)
		return err
	})
}

// Drop deletes the space with all that is in it.
func (s *Space) Drop() error {
	return s.on(func(c *box.Ctx, sp *box.Space) error { return c.Box().DropSpace(c, sp.ID, sp.Name, false) })
}

// ID returns the number of the space.
func (s *Space) ID() (id uint32, err error) {
	err = s.on(func(_ *box.Ctx, sp *box.Space) error {
		id = sp.ID
		return nil
	})
	return id, err
}

// Len returns the number of tuples.
func (s *Space) Len() (n int, err error) {
	err = s.on(func(c *box.Ctx, sp *box.Space) error {
		n = sp.Mem.Len(c.Txn)
		return nil
	})
	return n, err
}

// Get returns the tuple with a primary key, nil when there is none.
func (s *Space) Get(key ...any) (found Tuple, err error) {
	data, err := appendValue(nil, key)
	if err != nil {
		return nil, err
	}
	if s.scope.share(func(b *box.Box, u *box.User) bool {
		sp, err := s.find(b)
		if err != nil {
			return false
		}
		t, ok := b.GetShared(u, sp.ID, 0, data)
		if ok {
			b.Stat.CountShared(1)
		}
		if t != nil {
			found = t.Data()
		}
		return ok
	}) {
		return found, nil
	}
	return s.change(key, func(c *box.Ctx, sp *box.Space, key []byte) (*tuple.Tuple, error) {
		return c.Box().Get(c, sp.ID, 0, key)
	})
}

// Insert stores a new tuple: a Tuple, a []any or any other list of fields. It returns the tuple as it was stored. The
// error is TUPLE_FOUND when its key is there already.
func (s *Space) Insert(fields any) (Tuple, error) {
	return s.change(fields, func(c *box.Ctx, sp *box.Space, data []byte) (*tuple.Tuple, error) {
		return c.Box().Insert(c, sp.ID, data)
	})
}

// Replace stores a tuple in place of the one with the same key, if any.
func (s *Space) Replace(fields any) (Tuple, error) {
	return s.change(fields, func(c *box.Ctx, sp *box.Space, data []byte) (*tuple.Tuple, error) {
		return c.Box().Replace(c, sp.ID, data)
	})
}

// Delete deletes the tuple with a primary key and returns it, nil when there is none.
func (s *Space) Delete(key ...any) (Tuple, error) {
	return s.change(key, func(c *box.Ctx, sp *box.Space, key []byte) (*tuple.Tuple, error) {
		return c.Box().Delete(c, sp.ID, 0, key)
	})
}

// change encodes an argument, runs a request with it and returns the tuple that it brings.
func (s *Space) change(v any, f func(c *box.Ctx, sp *box.Space, data []byte) (*tuple.Tuple, error)) (found Tuple, err error) {
	data, err := appendValue(nil, v)
	if err != nil {
		return nil, err
	}
	err = s.on(func(c *box.Ctx, sp *box.Space) error {
		t, err := f(c, sp, data)
		if t != nil {
			found = t.Data()
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Op is one operation of an update: the operator, the field (its number from 0, or its name or path), and arguments, as
// in Op{"=", 1, "text"}, Op{"+", "count", 1}, Op{"#", 3, 1}.
type Op []any

// Key is a key of several parts, or of one.
type Key []any

// Update changes the tuple with a primary key and returns it as it is then, nil when there is none.
func (s *Space) Update(key Key, ops ...Op) (Tuple, error) {
	operations, err := appendValue(nil, ops)
	if err != nil {
		return nil, err
	}
	return s.change(key, func(c *box.Ctx, sp *box.Space, key []byte) (*tuple.Tuple, error) {
		return c.Box().Update(c, sp.ID, 0, key, operations, 0)
	})
}

// Upsert stores a tuple, or changes the one with the same key by operations.
func (s *Space) Upsert(fields any, ops ...Op) error {
	operations, err := appendValue(nil, ops)
	if err != nil {
		return err
	}
	_, err = s.change(fields, func(c *box.Ctx, sp *box.Space, data []byte) (*tuple.Tuple, error) {
		return nil, c.Box().Upsert(c, sp.ID, data, operations, 0)
	})
	return err
}

// Query says which tuples are wanted. The zero Query wants all, in the order of the primary key.
type Query struct {
	// Index is the name of an index, "" for the primary one.
	Index string
	// Iterator says how tuples relate to Key: index.EQ (the default), index.GE and so on. An empty key matches all.
	Iterator index.IteratorType
	// Key may have fewer parts than the index where the index is a tree.
	Key Key
	// Offset tuples are left out at first, and not more than Limit returned; 0 stands for no limit.
	Offset, Limit uint32
	// After goes on behind a tuple of an earlier answer.
	After Tuple
}

// Select returns the tuples that a query asks for.
func (s *Space) Select(q Query) (list []Tuple, err error) {
	if q.Key == nil {
		q.Key = Key{}
	}
	key, err := appendValue(nil, q.Key)
	if err != nil {
		return nil, err
	}
	if q.Limit == 0 {
		q.Limit = math.MaxUint32
	}
	r := box.SelectRequest{Iterator: q.Iterator, Key: key, Offset: q.Offset, Limit: q.Limit, AfterTuple: q.After}
	var found []*tuple.Tuple
	if !s.scope.share(func(b *box.Box, u *box.User) (ok bool) {
		sp, err := s.find(b)
		if err != nil || q.target(sp, &r) != nil {
			return false
		}
		if found, ok = b.SelectShared(u, &r, nil); ok {
			b.Stat.CountShared(1)
		}
		return ok
	}) {
		err = s.on(func(c *box.Ctx, sp *box.Space) (err error) {
			if err = q.target(sp, &r); err != nil {
				return err
			}
			found, err = c.Box().Select(c, &r, nil)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	list = make([]Tuple, len(found))
	for i, t := range found {
		list[i] = t.Data()
	}
	return list, nil
}

// target sets the numbers of the space and of the index that the query is for.
func (q *Query) target(sp *box.Space, r *box.SelectRequest) error {
	x := sp.Mem.Primary()
	if q.Index != "" {
		x = sp.Mem.IndexByName(q.Index)
	}
	if x == nil {
		if q.Index == "" {
			return boxerr.New(boxerr.NoSuchIndexID, uint64(0), sp.Name)
		}
		return boxerr.New(boxerr.NoSuchIndexName, q.Index, sp.Name)
	}
	r.Space, r.Index = sp.ID, x.ID
	return nil
}

// Truncate deletes all tuples.
func (s *Space) Truncate() error {
	return s.on(func(c *box.Ctx, sp *box.Space) error { return c.Box().Truncate(c, sp.ID) })
}

// Package memtx is the in-memory engine: the data of spaces and the transactions that change it.
//
// A Space is a list of indexes over the same tuples, the first of which is the primary one. A Txn changes
// all indexes of a space or none, remembers how to undo what it did, and hands its statements to the journal.
// Nothing here locks: every call is made under the lock of the cord that owns the data. Reads of a space that is
// Shareable may share it.
//
// All reads say on behalf of which Txn they are made, and all writes go through Txn.Apply, so that a
// transaction manager can stand between them and the indexes.
package memtx

import (
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/tuple"
)

// Engine is the name under which spaces ask for this engine.
const Engine = "memtx"

// Space is the data of one space: its indexes and the format its tuples must have.
type Space struct {
	ID     uint32
	Name   string
	Format *tuple.Format
	// Indexes are ordered by ID; the first one, if any, is the primary index with ID 0.
	Indexes []*Index
	// Temporary data is not journaled and not kept in checkpoints.
	Temporary bool
	// Local data is journaled but not sent to replicas (replication group 1).
	Local bool
	// Sync makes transactions that change the space wait for a quorum.
	Sync bool
	// PrimaryOnly leaves all indexes but the primary one empty: a recovery builds them at its end.
	PrimaryOnly bool

	bytes int64 // of the tuples that the primary index holds
	past  *past // nil as long as no History knows of the space
}

// Index is one index of a space together with its definition, whose fields are repeated here for fast access.
type Index struct {
	index.Index
	ID     uint32
	Name   string
	Type   index.Type
	Unique bool
	// KeyDef is the key as it was defined; keys of requests are checked against it.
	KeyDef *tuple.KeyDef
	// CmpDef is KeyDef with the parts of the primary key behind it: the order of the entries, and what
	// positions are keys of.
	CmpDef *tuple.KeyDef

	readers intervals
}

// NewIndex makes an empty index.
func NewIndex(id uint32, def *index.Def) *Index {
	return wrap(id, index.New(def))
}

func wrap(id uint32, x index.Index) *Index {
	def := x.Def()
	return &Index{Index: x, ID: id, Name: def.Name, Type: def.Type, Unique: def.Unique, KeyDef: def.KeyDef, CmpDef: def.CmpDef}
}

// Rename gives the index another name.
func (x *Index) Rename(name string) {
	x.Name = name
	x.Def().Name = name
}

// Rename gives the space another name, also in the messages of its indexes.
func (s *Space) Rename(name string) {
	s.Name = name
	for _, x := range s.Indexes {
		x.Def().Space = name
	}
}

// Primary returns the primary index, nil for a space that has none yet.
func (s *Space) Primary() *Index {
	if len(s.Indexes) == 0 {
		return nil
	}
	return s.Indexes[0]
}

// Index returns the index with the given ID, nil when there is none.
func (s *Space) Index(id uint32) *Index {
	if int64(id) < int64(len(s.Indexes)) && s.Indexes[id].ID == id {
		return s.Indexes[id]
	}
	for _, x := range s.Indexes {
		if x.ID == id {
			return x
		}
	}
	return nil
}

// IndexByName returns the index with the given name, nil when there is none.
func (s *Space) IndexByName(name string) *Index {
	for _, x := range s.Indexes {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// Len returns the number of tuples that txn sees, 0 for a space without indexes. Without a txn it is the number of those
// that the indexes hold.
func (s *Space) Len(txn *Txn) int {
	switch {
	case len(s.Indexes) == 0:
		return 0
	case txn == nil:
		return s.Indexes[0].Len()
	}
	return s.Entries(txn, s.Indexes[0])
}

// Restore makes the space what it was when it was copied, before its definition was changed.
func (s *Space) Restore(was *Space) {
	past := s.past
	*s = *was
	s.past = past
}

// Load puts a tuple into all indexes as Txn.Apply does, or into none and returns an error. It belongs to no transaction, so
// nothing undoes it; no History may know of the space.
func (s *Space) Load(t *tuple.Tuple, mode index.Mode) error {
	_, err := s.replace(nil, t, mode)
	return err
}

// Bytes returns the size of all tuples' MessagePack in bytes (box's bsize).
func (s *Space) Bytes() int64 { return s.bytes }

// SetBytes says how large the tuples are that were loaded into the indexes without a transaction.
func (s *Space) SetBytes(n int64) { s.bytes = n }

// replace takes old out of all indexes and puts new in, or changes none and returns an error. replaced is
// what left the space: old, or with index.ReplaceOrInsert the tuple that had the primary key of new.
func (s *Space) replace(old, new *tuple.Tuple, mode index.Mode) (replaced *tuple.Tuple, err error) {
	replaced, err = s.Indexes[0].Replace(old, new, mode)
	if err != nil {
		return nil, err
	}
	for i := 1; i < len(s.Indexes) && !s.PrimaryOnly; i++ {
		if _, err = s.Indexes[i].Replace(replaced, new, index.InsertOnly); err != nil {
			for i--; i >= 0; i-- {
				_, _ = s.Indexes[i].Replace(new, replaced, index.InsertOnly)
			}
			return nil, err
		}
	}
	if new != nil {
		s.bytes += int64(new.Size())
	}
	if replaced != nil {
		s.bytes -= int64(replaced.Size())
	}
	return replaced, nil
}

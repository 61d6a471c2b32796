// Package memtx is the in-memory engine: the data of spaces and the transactions that change it.
//
// A Space is a list of indexes over the same tuples, the first of which is the primary one. A Txn changes
// all indexes of a space or none, remembers how to undo what it did, and hands its statements to the journal.
// Nothing here locks: every call is made under the lock of the cord that owns the data.
//
// All reads go through the Txn on whose behalf they are made, and all writes through Txn.Apply, so that a
// transaction manager can stand between them and the indexes.
package memtx

import (
	"github.com/lycosadb/lycosa/index"
	"github.com/lycosadb/lycosa/tuple"
)

// Engine is the name under which spaces ask for this engine.
const Engine = "memtx"

// IndexType tells the kinds of index apart.
type IndexType uint8

// The kinds of index.
const (
	Tree IndexType = iota
	Hash
	Bitset
	RTree
)

// String returns the name that error messages and definitions carry, in capitals.
func (t IndexType) String() string {
	switch t {
	case Tree:
		return "TREE"
	case Hash:
		return "HASH"
	case Bitset:
		return "BITSET"
	case RTree:
		return "RTREE"
	}
	return "UNKNOWN"
}

// Space is the data of one space: its indexes and the format its tuples must have.
type Space struct {
	ID     uint32
	Name   string
	Format *tuple.Format
	// Indexes are ordered by ID without gaps; the first one, if any, is the primary index with ID 0.
	Indexes []*Index
	// Temporary data is not journaled and not kept in checkpoints.
	Temporary bool
	// Local data is journaled but not sent to replicas (replication group 1).
	Local bool

	bytes int64 // of the tuples that the primary index holds
}

// Index is one index of a space together with its definition.
type Index struct {
	index.Index
	ID     uint32
	Name   string
	Type   IndexType
	Unique bool
	// KeyDef is the key as it was defined; keys of requests are checked against it.
	KeyDef *tuple.KeyDef
	// CmpDef is KeyDef with the parts of the primary key behind it: the order of the entries.
	CmpDef *tuple.KeyDef
	// Keys, set for functional indexes only, returns the keys of a tuple as a MessagePack array of keys,
	// each an array of the key's parts, checked against KeyDef. See NewFunctional.
	Keys func(t *tuple.Tuple) ([]byte, error)

	functional *functional
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

// Len returns the number of tuples, 0 for a space without indexes.
func (s *Space) Len() int {
	if len(s.Indexes) == 0 {
		return 0
	}
	return s.Indexes[0].Len()
}

// Bytes returns the size of all tuples' MessagePack in bytes (box's bsize).
func (s *Space) Bytes() int64 { return s.bytes }

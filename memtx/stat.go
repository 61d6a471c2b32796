package memtx

// Stat is how much a History keeps for transactions that have not ended.
type Stat struct {
	// Transactions are open and may be interrupted.
	Transactions int
	// Unnoted of them have read what the indexes don't know of yet.
	Unnoted int
	// Views are versions of all data that are read.
	Views int
	// Unconfirmed spaces have changes that are prepared only.
	Unconfirmed int
}

// Stat returns what the history keeps.
func (h *History) Stat() Stat {
	return Stat{len(h.active), len(h.unnoted), len(h.views), len(h.dirty)}
}

// SpaceStat is how much is kept of a space besides its indexes.
type SpaceStat struct {
	// Owned says that the indexes hold changes of an open transaction.
	Owned bool
	// Confirmed says that there is a version without what is prepared only.
	Confirmed bool
	// Pending changes are prepared only.
	Pending int
	// Forks are versions of open transactions.
	Forks int
	// Log is how many changes are kept for them.
	Log int
	// Reads are the spans of indexes that open transactions have read.
	Reads int
}

// Stat returns what is kept of the space.
func (s *Space) Stat() (st SpaceStat) {
	for _, x := range s.Indexes {
		st.Reads += x.readers.root.count()
	}
	if p := s.past; p != nil {
		st.Owned, st.Confirmed = p.owner != nil, p.confirmed != nil
		st.Pending, st.Forks, st.Log = len(p.pending), p.forks, len(p.log)
	}
	return st
}

func (n *interval) count() int {
	if n == nil {
		return 0
	}
	return 1 + n.left.count() + n.right.count()
}

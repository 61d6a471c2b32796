package wal

// Ticket stands for a transaction that was submitted. The zero Ticket stands for one that needs no wait.
type Ticket struct {
	journal  *Journal
	position uint64
}

// Position is the number of the transaction: 1 for the first one submitted, then 2 and so on. 0 for the zero Ticket.
func (t Ticket) Position() uint64 { return t.position }

// Done says whether the fate of the transaction is known.
func (t Ticket) Done() bool { return t.journal == nil || t.position <= t.journal.known.Load() }

// Wait blocks until the transaction is written, or was undone, and returns the error in that case: WAL_IO if its own batch
// failed, CASCADE_ROLLBACK if one before it did. It must be called without the cord's lock.
func (t Ticket) Wait() error {
	if t.journal == nil {
		return nil
	}
	return t.journal.wait(t.position)
}

// Err is what Wait returns, once Done is true.
func (t Ticket) Err() error {
	if t.journal == nil {
		return nil
	}
	return t.journal.outcome(t.position)
}

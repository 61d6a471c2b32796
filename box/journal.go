package box

// Journal makes committed transactions durable, in the order they were submitted.
//
// Once rows have been written (or could not be) the journal tells so by calling Box.Written under the
// cord's lock, in order, as a rule once for a batch.
type Journal interface {
	// Submit queues the rows of one transaction under a number that grows by one a call, from 1. It is called under the
	// cord's lock, does not block, and keeps nothing of rows and their bodies after it returned.
	Submit(rows []Row) (number uint64)
	// Wait blocks, without the cord's lock, until the transaction is written and returns the error if that failed.
	Wait(number uint64) error
}

// Ticket stands for a commit that may not be on disk yet. The zero Ticket needs no wait.
type Ticket struct {
	journal Journal
	number  uint64
}

// Done reports that there is nothing to wait for.
func (t Ticket) Done() bool { return t.journal == nil }

// Number is the journal's number of the transaction, 0 for the zero Ticket.
func (t Ticket) Number() uint64 { return t.number }

// Wait blocks until the transaction is written. It must be called without the cord's lock.
func (t Ticket) Wait() error {
	if t.journal == nil {
		return nil
	}
	return t.journal.Wait(t.number)
}

// Row is one row of a transaction as the journal and replicas see it.
type Row struct {
	// Type is the request type: INSERT, REPLACE, UPDATE, DELETE, UPSERT or NOP.
	Type uint8
	// Local rows belong to replication group 1: they do not leave this instance.
	Local bool
	// Body is the MessagePack map of the request, empty for NOP.
	Body []byte
}

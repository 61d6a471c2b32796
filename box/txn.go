package box

import (
	"time"

	"github.com/lycosadb/lycosa/memtx"
)

// Isolation is the isolation level of a transaction, by the numbers of the protocol.
type Isolation uint8

// The isolation levels.
const (
	IsolationDefault Isolation = iota
	ReadCommitted
	ReadConfirmed
	BestEffort
	Linearizable
)

// TxnOptions are what BEGIN takes.
type TxnOptions struct {
	// Timeout after which the transaction is aborted; 0 stands for the configured one.
	Timeout   time.Duration
	Isolation Isolation
	Sync      bool
}

// commits is the queue of transactions that the journal has not confirmed yet, oldest first.
type commits struct {
	queue   []*memtx.Txn
	waiting []waiting
	free    []*memtx.Txn
}

// waiting is a function to run when a transaction is written.
type waiting struct {
	number uint64
	done   func(error)
}

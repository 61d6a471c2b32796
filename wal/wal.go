// Package wal is the journal of the database: it makes transactions durable, writes checkpoints, removes files that
// nobody needs any more, and reads all of it back at a start.
//
// Journal is the main type. Transactions are submitted under the cord's lock, in the order in which they took effect, and
// get their numbers there. Submit only copies the rows to the batch that is being filled. Writing a batch is one write for
// all transactions in it; meanwhile the next batch fills up. Whoever waits for a transaction writes its batch if nobody
// else is writing, so a commit needs no hand-off to another goroutine; for those who do not wait on a goroutine (parked
// fibers) the journal's own goroutine does it, see Flush.
//
// A transaction is on disk when its position is (Ticket.Wait, or the Written hook). When a batch can't be written, its
// transactions and all that were submitted after them fail together: the Failed hook asks for Settle, which undoes them
// in reverse order under the cord's lock. Nobody who waits learns of the failure before that, so nobody sees data that
// is about to vanish. The log is cut back to its last whole block and later transactions try again.
package wal

import (
	"fmt"

	"github.com/lycosadb/lycosa/vclock"
	"github.com/lycosadb/lycosa/vfs"
	"github.com/lycosadb/lycosa/xlog"
)

// Mode says what has to happen before a transaction counts as written.
type Mode int

// The modes, as the option wal_mode names them.
const (
	// None writes nothing: only checkpoints are durable.
	None Mode = iota
	// Write hands the rows to the operating system: they outlive the process.
	Write
	// Fsync waits until the disk has them: they outlive a power cut.
	Fsync
)

// ParseMode reads the name of a mode.
func ParseMode(name string) (Mode, error) {
	switch name {
	case "none":
		return None, nil
	case "write":
		return Write, nil
	case "fsync":
		return Fsync, nil
	}
	return None, fmt.Errorf("unknown wal_mode '%s'", name)
}

// String is the name of the mode.
func (m Mode) String() string { return [...]string{"none", "write", "fsync"}[m] }

// Options of a journal.
type Options struct {
	FS   vfs.FS
	Dir  string
	Mode Mode
	// Version and Instance stand in the headers of files: the name of the program and the UUID of the instance.
	Version, Instance string
	// ReplicaID is the id of this instance, the component of the vclock that counts its rows. See SetReplicaID.
	ReplicaID uint32
	// VClock is the state that recovery reached.
	VClock vclock.VClock
	// MaxSize is the number of bytes at which a log is ended and the next one begun; 0 stands for 256 MiB.
	MaxSize int64
	// QueueMaxSize is the number of bytes not written yet from which on Full reports true; 0 stands for 16 MiB.
	QueueMaxSize int64
	// CompressFrom is the number of bytes of rows from which a block is compressed; 0 stands for 64 KiB, less than 0 for
	// never. Compressing smaller ones, as the reference does, costs more time than it saves.
	CompressFrom int

	// Written is called after each batch with the position up to which the fate of all transactions is known. It is called
	// with or without the cord's lock, in order, and must not block. May be nil.
	Written func(position uint64)
	// Failed is called when a batch could not be written: Settle must be called under the cord's lock soon. It is called
	// with or without the lock and must not block. May be nil if nothing is submitted with an Undo and somebody calls
	// Settle otherwise.
	Failed func(err error)
	// NoSpace is called when the disk is full. If it made room it returns true, and the write is tried once more. May be nil.
	NoSpace func() bool
	// Warn is told of what went wrong without harm to data. May be nil.
	Warn func(err error)
}

const (
	defaultMaxSize      = 256 << 20
	defaultQueueMaxSize = 16 << 20
	defaultCompressFrom = 64 << 10
)

// Undo takes back what a transaction did to the data.
type Undo interface {
	// Undo is called under the cord's lock, newest transaction first. It must not submit anything.
	Undo(err error)
}

// Entry is one transaction for the journal.
type Entry struct {
	// Rows of the transaction; Type, GroupID and the body are the caller's, the rest is filled in by Submit.
	Rows []xlog.Row
	// Flags are set on the last row: xlog.FlagWaitSync and xlog.FlagWaitAck for a synchronous transaction.
	Flags uint8
	// Foreign says that the rows are another instance's: all of their fields stay as they are.
	Foreign bool
	// Timestamp in seconds since the epoch, 0 stands for now.
	Timestamp float64
	// Undo is kept until the transaction is written. May be nil.
	Undo Undo
}

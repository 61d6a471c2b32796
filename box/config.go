package box

import (
	"log/slog"
	"time"

	"github.com/lycosadb/lycosa/vfs"
)

// Config holds the options of the database in Go form. The zero value is a database in memory only.
type Config struct {
	// WorkDir is what relative directories are relative to.
	WorkDir string
	// MemtxDir and WALDir hold the checkpoints and the journal. Without MemtxDir nothing is kept; an empty WALDir
	// is the same as MemtxDir.
	MemtxDir, WALDir string
	// WALMode is "none", "write" (also when empty) or "fsync".
	WALMode string
	// ReadOnly refuses changes of data that outlives a restart.
	ReadOnly bool
	// MemtxMemory is the number of bytes that tuples may take.
	MemtxMemory uint64
	// MaxTupleSize is the largest tuple in bytes; 0 stands for 1 MiB.
	MaxTupleSize int
	// UseMVCC lets transactions yield.
	UseMVCC bool
	// TxnTimeout ends a transaction that takes longer; 0 stands for a hundred years.
	TxnTimeout time.Duration
	// TxnIsolation is the isolation of transactions that do not ask for one.
	TxnIsolation Isolation
	// InstanceUUID and ReplicasetUUID are given to a fresh database; empty ones are made up.
	InstanceUUID, ReplicasetUUID string
	// ForceRecovery skips what cannot be replayed.
	ForceRecovery bool
	// CheckpointCount is how many checkpoints are kept.
	CheckpointCount int
	// CheckpointInterval is the time between checkpoints, 0 for none.
	CheckpointInterval time.Duration
	// CheckpointWALThreshold is how many bytes may be written to the journal before a checkpoint is made, 0 for any number.
	CheckpointWALThreshold int64
	// SnapIORateLimit is how many bytes of a checkpoint are written a second at most, 0 for no limit.
	SnapIORateLimit int64
	// WALQueueMaxSize is how many bytes may wait to be written, 0 stands for 16 MiB.
	WALQueueMaxSize int64
	// FS is where the files are, the operating system's when nil.
	FS vfs.FS
	// Log takes what the database reports of its start, its checkpoints and what goes wrong; nil for nothing.
	Log *slog.Logger
	// Version is the name of the program that stands in the files.
	Version string
	// WALMaxSize is the size in bytes at which a new journal file is begun.
	WALMaxSize int64
}

package box

import (
	"fmt"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/vclock"
)

// status is what box.info tells and no row holds.
type status struct {
	started time.Time
	id      uint32
	uuid    string
	replset string
	lsn     int64 // of the last row of this instance
	local   int64 // of the last row of replication group 1, component 0 of the vector clock
	// queueOwner is the instance that owns the queue of synchronous transactions, 0 for none.
	queueOwner uint32
	// frozen is set after a restart with an owner until somebody is promoted again.
	frozen bool
	// term grows whenever the queue changes its owner; confirmed is the last row of it that counts.
	term      uint64
	confirmed int64
	loading   bool
}

// CheckWritable returns the error READONLY with the reason, or LOADING, when data that is kept cannot be changed.
func (b *Box) CheckWritable() error {
	if b.recovering {
		return nil
	}
	if b.status.loading {
		return boxerr.New(boxerr.Loading)
	}
	switch _, reason := b.ReadOnly(); reason {
	case "config":
		e := boxerr.New(boxerr.Readonly)
		e.Message += " - box.cfg.read_only is true"
		return e.With("reason", reason)
	case "synchro":
		e := boxerr.New(boxerr.Readonly)
		e.Message += fmt.Sprintf(" - synchro queue with term %d belongs to %d (%s) and is frozen until promotion",
			b.status.term, b.status.queueOwner, b.status.uuid)
		return e.With("reason", reason).With("queue_owner_id", uint64(b.status.queueOwner)).With("term", b.status.term)
	}
	return nil
}

// ReadOnly reports whether data that is kept cannot be changed, and why: "config", "synchro" or "".
func (b *Box) ReadOnly() (bool, string) {
	switch {
	case b.Config.ReadOnly:
		return true, "config"
	case b.status.frozen:
		return true, "synchro"
	}
	return false, ""
}

// LSN returns the number of the last row that this instance wrote, without the rows of local spaces.
func (b *Box) LSN() int64 { return b.VClock()[b.status.id%vclock.Max] }

// LocalLSN returns the number of the last row of a local space, component 0 of the vector clock.
func (b *Box) LocalLSN() int64 { return b.VClock()[0] }

// VClock returns the numbers of the last rows that are kept.
func (b *Box) VClock() (v vclock.VClock) {
	if b.storage.journal != nil {
		return b.storage.journal.VClock()
	}
	v[b.status.id%vclock.Max] = b.status.lsn
	v[0] = b.status.local
	return v
}

// SetLSN says which numbers the last rows have that were recovered.
func (b *Box) SetLSN(lsn, local int64) { b.status.lsn, b.status.local = lsn, local }

// Signature is the sum of the vector clock.
func (b *Box) Signature() (sum int64) {
	for _, n := range b.VClock() {
		sum += n
	}
	return sum
}

// InstanceID returns the number that this instance has in _cluster, 0 when it has none.
func (b *Box) InstanceID() uint32 { return b.status.id }

// InstanceUUID returns the instance's own UUID.
func (b *Box) InstanceUUID() string { return b.status.uuid }

// ReplicasetUUID returns the UUID of the set that the instance belongs to.
func (b *Box) ReplicasetUUID() string { return b.status.replset }

// SetIdentity says which instance this is.
func (b *Box) SetIdentity(id uint32, uuid, replicaset string) {
	b.status.id, b.status.uuid, b.status.replset = id, uuid, replicaset
}

// Uptime returns how long the database is open.
func (b *Box) Uptime() time.Duration { return time.Since(b.status.started) }

// Promote makes this instance the owner of the queue of synchronous transactions. Alone it confirms them itself.
func (b *Box) Promote() {
	if b.status.queueOwner != b.status.id || b.status.frozen {
		b.passQueue(iproto.TypeRaftPromote, b.status.id)
	}
}

// Demote gives the queue of synchronous transactions up.
func (b *Box) Demote() {
	if b.status.queueOwner == b.status.id {
		b.passQueue(iproto.TypeRaftDemote, 0)
	}
}

// QueueOwner returns the owner of the queue of synchronous transactions, 0 for none, and the term it began in.
func (b *Box) QueueOwner() (id uint32, term uint64) { return b.status.queueOwner, b.status.term }

// Configured reports whether the database has its system spaces: whether it was bootstrapped or recovered.
func (b *Box) Configured() bool { return len(b.catalog.spaces) > 0 }

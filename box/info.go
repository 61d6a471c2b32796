package box

import "time"

// status is what box.info tells and no row holds.
type status struct {
	started time.Time
	id      uint32
	uuid    string
	replset string
	lsn     int64 // of the last row of this instance
	local   int64 // of the last row of replication group 1, component 0 of the vector clock
	// orphan and roReason make the instance read-only besides Config.ReadOnly.
	loading bool
}

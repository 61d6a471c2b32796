package box

import "sync/atomic"

// Op is a kind of statement that box.stat counts.
type Op uint8

// The counted statements.
const (
	OpAuth Op = iota
	OpBegin
	OpCall
	OpCommit
	OpDelete
	OpError
	OpEval
	OpExecute
	OpInsert
	OpPrepare
	OpReplace
	OpRollback
	OpSelect
	OpUpdate
	OpUpsert

	// Ops is how many there are.
	Ops = iota
)

var opNames = [Ops]string{
	"AUTH", "BEGIN", "CALL", "COMMIT", "DELETE", "ERROR", "EVAL", "EXECUTE", "INSERT",
	"PREPARE", "REPLACE", "ROLLBACK", "SELECT", "UPDATE", "UPSERT",
}

// String returns the name that box.stat shows.
func (o Op) String() string { return opNames[o] }

// Stat counts what was done since the start. Guarded by the cord's lock, but for what those count who share it.
type Stat struct {
	total  [Ops]uint64
	shared atomic.Uint64 // SELECTs of those who shared the cord
	// Rates are made of the totals seen at the last ticks, one a second.
	rates [Ops][rateSeconds]uint64
	ticks uint64
}

// rateSeconds is the number of seconds over which a rate is the mean.
const rateSeconds = 5

// Count adds one.
func (s *Stat) Count(op Op) { s.total[op]++ }

// CountShared adds n SELECTs. It needs no lock.
func (s *Stat) CountShared(n int) { s.shared.Add(uint64(n)) }

// Total returns how often op was done.
func (s *Stat) Total(op Op) uint64 {
	if op == OpSelect {
		return s.total[op] + s.shared.Load()
	}
	return s.total[op]
}

// Tick is called once a second; rates count from it.
func (s *Stat) Tick() {
	for op := range s.total {
		s.rates[op][s.ticks%rateSeconds] = s.Total(Op(op))
	}
	s.ticks++
}

// Rate returns how often op was done a second, as a mean over the last seconds.
func (s *Stat) Rate(op Op) uint64 {
	if s.ticks < 2 {
		return 0
	}
	n := min(s.ticks, rateSeconds)
	last := s.rates[op][(s.ticks-1)%rateSeconds]
	first := s.rates[op][(s.ticks-n)%rateSeconds]
	return (last - first) / (n - 1)
}

// Reset sets everything to zero.
func (s *Stat) Reset() {
	s.total, s.rates, s.ticks = [Ops]uint64{}, [Ops][rateSeconds]uint64{}, 0
	s.shared.Store(0)
}

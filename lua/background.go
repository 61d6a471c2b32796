//go:build cgo

package lua

import (
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

// background runs work on a goroutine and parks the fiber until it has ended; what it returns are the results of the
// call. The work must not touch the State. Where the code that runs is not free to wait it is done at once.
func (s *State) background(c *luajit.Call, work func() (any, error)) error {
	if !s.mayWait() {
		out, count := packResult(work())
		if count < 0 {
			return luajit.DecodeError(out)
		}
		c.Out, c.NOut = append(c.Out, out...), c.NOut+count
		return nil
	}
	return s.await(-1, func(w *wait) {
		go func() { w.post(packResult(work())) }()
	}, nil)
}

// results are several values of background work.
type results []any

// packResult makes the results of a call of what Go returned.
func packResult(v any, err error) ([]byte, int) {
	if err != nil {
		return luajit.AppendError(nil, boxerr.From(err)), -1
	}
	list, many := v.(results)
	if !many {
		if b, ok := v.([]byte); ok {
			return msgpack.AppendStringBytes(nil, b), 1
		}
		list = results{v}
	}
	var out []byte
	for _, x := range list {
		if b, ok := x.([]byte); ok {
			out = msgpack.AppendStringBytes(out, b)
			continue
		}
		if out, err = msgpack.Append(out, x); err != nil {
			return luajit.AppendError(nil, boxerr.From(err)), -1
		}
	}
	return out, len(list)
}

// wait is a fiber that waits for something outside of the cord. All but post wants the cord's lock.
type wait struct {
	fiber *Fiber
	id    uint64
	out   []byte
	count int
	done  bool
	late  func() ([]byte, int)
}

// await parks the running fiber until the wait that start gets is ended with the results of the call. With late it also
// ends when d has passed, if d is not negative, or when somebody wakes or cancels the fiber: late makes the results then,
// and must see to it that the work ends.
func (s *State) await(d time.Duration, start func(w *wait), late func() ([]byte, int)) error {
	if !s.mayWait() {
		return boxerr.Luajit("attempt to yield across C-call boundary")
	}
	f := s.current
	w := &wait{fiber: f, id: f.ID, late: late}
	f.parker = w.results
	if late != nil {
		f.Park(d)
	}
	start(w)
	return luajit.ErrPark
}

// post ends the wait, from any goroutine.
func (w *wait) post(out []byte, count int) {
	w.fiber.state.Cord.Post(func() { w.end(out, count) })
}

// end ends the wait and tells whether the fiber was still waiting.
func (w *wait) end(out []byte, count int) bool {
	if w.done || w.fiber.ID != w.id || w.fiber.Ended() {
		return false
	}
	w.done, w.out, w.count = true, out, count
	if w.late == nil {
		w.fiber.Ready()
	} else {
		w.fiber.Wake()
	}
	return true
}

// mayWait reports whether the code that runs is free to wait.
func (s *State) mayWait() bool { return s.current != nil && s.current.nested == 0 && s.CanYield() }

func (w *wait) results(*Fiber) ([]byte, int) {
	if !w.done {
		w.done = true
		return w.late()
	}
	return w.out, w.count
}

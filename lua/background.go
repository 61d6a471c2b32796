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
	return s.await(-1, func(done func(out []byte, count int)) {
		go func() { done(packResult(work())) }()
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

// wait is a fiber that waits for something outside of the cord.
type wait struct {
	fiber *Fiber
	id    uint64
	out   []byte
	count int
	done  bool
	// late are the results when the time ran out or the fiber was woken before; nil says to wait on, whatever happens.
	late func() ([]byte, int)
}

// await parks the running fiber until done is called, from any goroutine, with the results of the call. With late it
// also ends when d has passed, if d is not negative, or when somebody wakes or cancels the fiber: late makes the results
// then, and must see to it that the work ends.
func (s *State) await(d time.Duration, start func(done func(out []byte, count int)), late func() ([]byte, int)) error {
	if !s.mayWait() {
		return boxerr.Luajit("a function that the database waits for cannot wait")
	}
	f := s.current
	w := &wait{fiber: f, id: f.ID, late: late}
	start(func(out []byte, count int) {
		s.Cord.Post(func() {
			if w.done || f.ID != w.id || f.Ended() {
				return
			}
			w.done, w.out, w.count = true, out, count
			if w.late == nil {
				f.Ready()
			} else {
				f.Wake()
			}
		})
	})
	f.parker = w.results
	if late != nil {
		f.Park(d)
	}
	return luajit.ErrPark
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

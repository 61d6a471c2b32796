package client

import (
	"context"

	"github.com/lycosadb/lycosa/boxerr"
)

// Future is a request that was sent, and its answer when that has come.
type Future struct {
	conn    *Conn
	sync    uint64
	sending Sending
	done    chan struct{} // closed when answer and err are set
	answer  *Response
	err     error
}

// finish is called once, by who has taken the future out of the requests in flight.
func (f *Future) finish(answer *Response, err error) {
	f.answer, f.err = answer, err
	close(f.done)
	if f.sending.OnDone != nil {
		f.sending.OnDone(f)
	}
}

// Done is closed when the request has come to its end.
func (f *Future) Done() <-chan struct{} { return f.done }

// Result is the answer, or why there is none. It must not be called before Done is closed.
func (f *Future) Result() (*Response, error) {
	if f.err != nil {
		return nil, f.err
	}
	return f.answer, nil
}

// Wait waits for the answer. When ctx ends before that, the future is discarded.
func (f *Future) Wait(ctx context.Context) (*Response, error) {
	select {
	case <-f.done:
		return f.Result()
	default:
	}
	select {
	case <-f.done:
	case <-ctx.Done():
		if f.take() {
			f.finish(nil, ctx.Err())
		}
		<-f.done
	}
	return f.Result()
}

// Discard gives the answer up: it will be dropped when it comes, and the future is done. The server goes on with the
// request.
func (f *Future) Discard() {
	if f.take() {
		f.finish(nil, boxerr.New(boxerr.ProcLua, "Response is discarded"))
	}
}

// take takes the future out of the requests in flight and tells whether it was among them.
func (f *Future) take() bool {
	c := f.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inFlight[f.sync] != f {
		return false
	}
	delete(c.inFlight, f.sync)
	return true
}

package server

import (
	"errors"
	"net"
	"sync"
	"syscall"
)

// errGone says that the other side of a connection is gone.
var errGone = errors.New("server: connection closed")

// softOutput is how many bytes may wait to be written before their connection stops to take new requests.
const softOutput = 1 << 20

// keptBuffer is how large a buffer may be that is kept for later.
const keptBuffer = 256 << 10

// output is the writing side of a connection.
//
// The connection's goroutine writes the answers of a turn itself, from begin to end. Whoever else has something
// for the client queues it: a goroutine that lives only as long as there is something writes it, unless a turn is
// running, whose end does so. What is queued during a turn stands behind the turn's answers.
type output struct {
	nc    net.Conn
	stat  *Stat
	limit int
	// post runs functions under the cord's lock.
	post func(func())
	// left is closed when nothing can be written any more.
	left chan struct{}
	// pool has parcels that are not used, of all connections.
	pool *sync.Pool
	// raw is nil where a write can't be tried without waiting, as in TLS.
	raw syscall.RawConn
	try func(fd uintptr) bool // tryWrite, made once

	// Of whoever has set writing: what tryWrite has still to write, and why it can't.
	rest []byte
	err  error

	mu      sync.Mutex // guards the fields below
	ready   sync.Cond  // something of the fields below changed that somebody may wait for
	queued  parcels    // waits to be written
	after   parcels    // queued during a turn
	taken   int        // how many bytes of what was queued are being written
	turning bool       // between begin and end
	writing bool       // some goroutine writes
	gone    bool       // nothing can be written any more
	waiting []func()   // to be posted when there is room again
}

func (o *output) init(s *Server, nc net.Conn) {
	o.nc, o.stat, o.limit, o.post = nc, &s.stat, s.options.OutputLimit, s.box.Cord.Post
	o.pool = &s.parcels
	o.ready.L = &o.mu
	o.left = make(chan struct{})
	if o.raw = rawConn(nc); o.raw != nil {
		o.try = o.tryWrite
	}
}

// begin is called at the begin of a turn.
func (o *output) begin() {
	o.mu.Lock()
	o.turning = true
	o.mu.Unlock()
}

// end writes the answers of a turn and what was queued meanwhile. It returns when the client has taken all of that,
// or when others write and less than softOutput bytes are left.
func (o *output) end(answers []byte) error {
	o.mu.Lock()
	o.turning = false
	if o.writing {
		o.queued.add(o.pool, answers)
		o.queued.move(&o.after)
		o.mu.Unlock()
		return o.await()
	}
	o.queued.move(&o.after)
	if o.gone || len(answers) == 0 && o.queued.size == 0 {
		gone := o.gone
		o.mu.Unlock()
		if gone {
			return errGone
		}
		return nil
	}
	o.writing = true
	o.mu.Unlock()
	if len(answers) > 0 && !o.write(answers) {
		return errGone
	}
	return o.drain()
}

// full reports whether more is waiting to be written than should be.
func (o *output) full() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.waitingBytes() > softOutput
}

// await waits until that is not so any more. The error says that the client is gone.
func (o *output) await() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for o.waitingBytes() > softOutput && !o.gone {
		o.ready.Wait()
	}
	if o.gone {
		return errGone
	}
	return nil
}

// offer is queue for what the client has not asked for. It fails, too, when so much is waiting already that the client
// is taken for gone.
func (o *output) offer(b []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.waitingBytes() > o.limit {
		o.leave()
	}
	return o.queueLocked(b)
}

// queue has b, an answer, written after all that came before it. It does not block. It fails when the other side is gone.
func (o *output) queue(b []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.queueLocked(b)
}

// queueLocked is queue for those who hold the lock.
func (o *output) queueLocked(b []byte) error {
	if o.gone {
		return errGone
	}
	if o.turning {
		o.after.add(o.pool, b)
		return nil
	}
	o.queued.add(o.pool, b)
	if !o.writing {
		o.writing = true
		go o.drainAlone()
	}
	return nil
}

func (o *output) drainAlone() { _ = o.drain() }

// drain writes what is queued until nothing is left. The caller has set writing.
func (o *output) drain() error {
	o.mu.Lock()
	for o.queued.size > 0 && !o.gone {
		p := o.queued.take()
		o.taken = len(p.b)
		o.mu.Unlock()
		ok := o.write(p.b)
		o.mu.Lock()
		o.taken = 0
		p.release(o.pool)
		if !ok {
			break
		}
		if o.waitingBytes() <= softOutput {
			o.wakeWaiting()
		}
	}
	o.writing = false
	o.wakeWaiting()
	gone := o.gone
	o.mu.Unlock()
	if gone {
		return errGone
	}
	return nil
}

// write writes b, whatever time that takes.
func (o *output) write(b []byte) bool {
	var n int
	var err error
	if o.raw == nil {
		n, err = o.nc.Write(b)
	} else {
		o.rest, o.err = b, nil
		if err = o.raw.Write(o.try); err == nil {
			err = o.err
		}
		n = len(b) - len(o.rest)
		o.rest = nil
	}
	o.stat.add(Sent, n)
	if err != nil {
		o.close()
		return false
	}
	return true
}

// maxWrite is how many bytes are written by one system call, so that none takes long.
const maxWrite = 64 << 10

// tryWrite writes what there is room for. It returns false when there is none, to be called again when there is.
func (o *output) tryWrite(fd uintptr) bool {
	for len(o.rest) > 0 {
		n, err := writeSocket(fd, o.rest[:min(len(o.rest), maxWrite)])
		if err == syscall.EAGAIN {
			return false
		}
		if err != nil {
			o.err = err
			return true
		}
		o.rest = o.rest[n:]
	}
	return true
}

// close makes everybody give up writing and reading.
func (o *output) close() {
	o.mu.Lock()
	o.leave()
	o.mu.Unlock()
}

// leave is close for those who hold the lock.
func (o *output) leave() {
	if !o.gone {
		o.gone = true
		close(o.left)
		o.queued, o.after = parcels{}, parcels{}
		_ = o.nc.Close()
	}
	o.wakeWaiting()
}

// wakeWaiting lets those go on that wait for room. The lock is held.
func (o *output) wakeWaiting() {
	o.ready.Broadcast()
	for _, f := range o.waiting {
		o.post(f)
	}
	o.waiting = nil
}

// room reports whether more should be queued now. If not, f is called under the cord's lock once it should, or
// once the client is gone.
func (o *output) room(f func()) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.gone || o.waitingBytes() <= softOutput {
		return true
	}
	o.waiting = append(o.waiting, f)
	return false
}

// waitingBytes is how much is not written yet, answers of a running turn aside. The lock is held.
func (o *output) waitingBytes() int { return o.queued.size + o.after.size + o.taken }

// isGone tells whether nothing can be written any more.
func (o *output) isGone() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.gone
}

// reuse empties a buffer, or lets go of it when it is large.
func reuse(b []byte) []byte {
	if cap(b) > keptBuffer {
		return nil
	}
	return b[:0]
}

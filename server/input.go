package server

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

const (
	// DefaultReadahead is the size of a read buffer in bytes.
	DefaultReadahead = 16320
	minReadahead     = 128
	// bufferClasses is in how many sizes read buffers are kept for others: each is twice the one before.
	bufferClasses = 5
	// maxRest is how many bytes of an incomplete packet a connection keeps without a buffer.
	maxRest = 2 << 10
)

// buffers are the read buffers that connections borrow.
type buffers struct {
	readahead atomic.Int64 // the smallest size
	classes   [bufferClasses]sync.Pool
}

// take returns a buffer of a class.
func (p *buffers) take(class int) *[]byte {
	size := int(p.readahead.Load()) << class
	if b, _ := p.classes[class].Get().(*[]byte); b != nil && len(*b) == size {
		return b
	}
	b := make([]byte, size)
	return &b
}

// give takes back a buffer of a class.
func (p *buffers) give(b *[]byte, class int) { p.classes[class].Put(b) }

// input is the reading side of a connection. It belongs to the connection's goroutine.
//
// A connection has a buffer only as long as something is in it: one that waits for its client keeps no more than the
// beginning of a packet. A client that fills its buffer gets one of twice the size, until it needs half of that only.
type input struct {
	source net.Conn
	stat   *Stat
	// raw is nil where a read can't be tried without waiting, as in TLS.
	raw syscall.RawConn
	try func(fd uintptr) bool // tryRead, made once

	// buf[r:w] has been read and not been consumed. Without a buffer that is nothing.
	buf  []byte
	r, w int
	// lent is where buf comes from, nil when that is a packet too large for the buffers that are lent.
	lent  *[]byte
	class int
	most  int // how far the buffer was filled since it was lent
	from  *buffers
	// rest is what was in the buffer when it was given back.
	rest []byte
	// keep is set when the buffer must not be given back.
	keep bool

	// What the last read has brought.
	n   int
	err error
}

func (in *input) init(s *Server, nc net.Conn) {
	in.source, in.stat, in.from = nc, &s.stat, &s.buffers
	if in.raw = rawConn(nc); in.raw != nil {
		in.try = in.tryRead
	}
}

// rawConn returns the socket of a connection, nil where that can't be read and written by itself.
func rawConn(nc net.Conn) syscall.RawConn {
	if sc, isSocket := nc.(syscall.Conn); isSocket && canTry {
		if raw, err := sc.SyscallConn(); err == nil {
			return raw
		}
	}
	return nil
}

// fill waits until something can be read, and reads it.
func (in *input) fill() error {
	in.keep = false
	for {
		err := in.receive()
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		// Left over from the end of a wait for room.
		_ = in.source.SetReadDeadline(time.Time{})
		if in.n > 0 {
			return nil
		}
	}
}

// receive reads once behind what is in the buffer, which it makes larger when there is no room.
func (in *input) receive() error {
	in.n, in.err = 0, nil
	if in.raw == nil {
		in.makeRoom()
		in.n, in.err = in.source.Read(in.buf[in.w:])
	} else if err := in.raw.Read(in.try); err != nil {
		in.n, in.err = 0, err
	}
	in.w += in.n
	in.most = max(in.most, in.w)
	in.stat.add(Received, in.n)
	return in.err
}

// tryRead reads if there is something. If not, it gives the buffer back and returns false, to be called again when
// there is.
func (in *input) tryRead(fd uintptr) bool {
	in.makeRoom()
	n, err := readSocket(fd, in.buf[in.w:])
	switch {
	case errors.Is(err, syscall.EAGAIN):
		in.giveBack()
		return false
	case err != nil:
		in.err = os.NewSyscallError("read", err)
	case n == 0:
		in.err = io.EOF
	default:
		in.n = n
	}
	return true
}

// makeRoom sees to it that there is a buffer with room to read into.
func (in *input) makeRoom() {
	if in.lent == nil && in.r == in.w {
		in.buf = nil
	}
	switch {
	case in.buf == nil:
		in.lent = in.from.take(in.class)
		in.buf, in.r, in.most = *in.lent, 0, 0
		if len(in.rest) > len(in.buf)/2 {
			in.from.give(in.lent, in.class)
			in.buf, in.lent = make([]byte, 4*len(in.rest)), nil
		}
		in.w = copy(in.buf, in.rest)
		in.rest = in.rest[:0]
	case in.r == in.w && in.w < len(in.buf):
		in.r, in.w = 0, 0
	case in.r == in.w:
		in.r, in.w = 0, 0
		in.exchange()
	case len(in.buf)-in.w < len(in.buf)/4:
		if in.r > 0 {
			in.w = copy(in.buf, in.buf[in.r:in.w])
			in.r = 0
		}
		if len(in.buf)-in.w < len(in.buf)/4 {
			in.exchange()
		}
	}
}

// exchange takes a buffer of twice the size instead of one that is full.
func (in *input) exchange() {
	old, lent, class := in.buf, in.lent, in.class
	if class+1 < bufferClasses && lent != nil {
		in.class++
		in.lent = in.from.take(in.class)
		in.buf = *in.lent
	} else if in.r < in.w {
		in.buf, in.lent = make([]byte, 2*len(old)), nil
	}
	in.w = copy(in.buf, old[in.r:in.w])
	in.r = 0
	if lent != nil && in.lent != lent {
		in.from.give(lent, class)
	}
}

// giveBack gives the buffer back if it is empty or nearly so.
func (in *input) giveBack() {
	if in.keep || in.w-in.r > maxRest {
		return
	}
	if in.r < in.w {
		in.rest = append(in.rest, in.buf[in.r:in.w]...)
	}
	if in.lent != nil {
		in.from.give(in.lent, in.class)
		if in.class > 0 && in.most > 0 && in.most <= len(in.buf)/2 {
			in.class--
		}
	}
	in.buf, in.lent, in.r, in.w = nil, nil, 0, 0
}

package client

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

const (
	// readBuffer is the size of the buffer of a connection's reader.
	readBuffer = 32 << 10
	// firstRead is how much memory a packet gets before its bytes are there.
	firstRead = 64 << 10
	// keptBuffer is how large a buffer of requests may be that is kept for later.
	keptBuffer = 1 << 20
)

// Conn is a connection to a server. All methods may be called by several goroutines at once.
type Conn struct {
	Requests
	nc            net.Conn
	options       Options
	reader        packetReader
	salt          []byte
	server        Server
	schemaVersion atomic.Uint64
	wake          chan struct{} // holds a token when there is something to write
	done          chan struct{} // closed at the end

	mu       sync.Mutex         // guards the fields below
	out      []byte             // requests that nobody writes yet
	spare    []byte             // an empty buffer to swap with out
	room     chan struct{}      // closed when out was taken; nil when nobody waits for that
	sync     uint64             // the number of the last request
	inFlight map[uint64]*Future // by number
	streams  uint64             // the number of the last stream
	watches  map[string]*watch  // by key
	err      error              // why the connection has ended
}

// Server is what the server has told about itself.
func (c *Conn) Server() *Server { return &c.server }

// SchemaVersion is the one of the last answer that came.
func (c *Conn) SchemaVersion() uint64 { return c.schemaVersion.Load() }

// NetConn is the connection underneath.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Done is closed when the connection has come to its end.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is why the connection has come to its end, nil while it has not.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close ends the connection. Requests without an answer fail.
func (c *Conn) Close() error {
	c.fail(noConnection("Connection closed"))
	return nil
}

// Sending says how a request is sent and answered.
type Sending struct {
	// Stream is the number of the stream that the request belongs to, 0 for none.
	Stream uint64
	// OnPush takes the messages that the server sends before the answer, each a MessagePack array. It is called by the
	// goroutine that reads, and must not block.
	OnPush func(data msgpack.Raw)
	// OnDone is called once when the Future is done, by the goroutine that reads, or by Send if the request can't be
	// sent. It must not block.
	OnDone func(f *Future)
}

// Send sends a request and never blocks, however much is waiting to be written. WATCH and UNWATCH have no answer and are
// sent by SendWatch.
func (c *Conn) Send(r Request, s Sending) *Future {
	f := &Future{conn: c, done: make(chan struct{}), sending: s}
	c.mu.Lock()
	err := remade(c.err)
	if c.err == nil {
		if err = c.enqueue(r, s.Stream); err == nil {
			f.sync = c.sync
			c.inFlight[f.sync] = f
		}
	}
	c.mu.Unlock()
	if err != nil {
		f.finish(nil, err)
	}
	return f
}

// enqueue has a request written under a new number. The lock is held.
func (c *Conn) enqueue(r Request, stream uint64) error {
	out, err := appendRequest(c.out, r, c.sync+1, stream)
	if err != nil {
		return err
	}
	c.sync++
	c.out = out
	c.signal()
	return nil
}

func (c *Conn) signal() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Go sends a request.
func (c *Conn) Go(r Request) *Future { return c.Send(r, Sending{}) }

// Do sends a request and waits for its answer. When ctx ends before that, the answer will be dropped.
func (c *Conn) Do(ctx context.Context, r Request) (*Response, error) {
	return c.do(ctx, r, Sending{})
}

func (c *Conn) do(ctx context.Context, r Request, s Sending) (*Response, error) {
	if err := c.waitForRoom(ctx); err != nil {
		return nil, err
	}
	return c.Send(r, s).Wait(ctx)
}

// waitForRoom waits until less than MaxUnsent bytes are waiting to be written.
func (c *Conn) waitForRoom(ctx context.Context) error {
	for {
		c.mu.Lock()
		if len(c.out) < c.options.MaxUnsent || c.err != nil {
			c.mu.Unlock()
			return ctx.Err()
		}
		if c.room == nil {
			c.room = make(chan struct{})
		}
		room := c.room
		c.mu.Unlock()
		select {
		case <-room:
		case <-c.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// write is the goroutine that writes requests, as many at once as there are.
func (c *Conn) write() {
	for {
		select {
		case <-c.wake:
		case <-c.done:
			return
		}
		c.mu.Lock()
		b := c.out
		c.out, c.spare = c.spare, nil
		if c.room != nil {
			close(c.room)
			c.room = nil
		}
		c.mu.Unlock()
		if _, err := c.nc.Write(b); err != nil {
			c.fail(lost(err))
			return
		}
		if cap(b) <= keptBuffer {
			c.mu.Lock()
			c.spare = b[:0]
			c.mu.Unlock()
		}
	}
}

// read is the goroutine that reads answers.
func (c *Conn) read() {
	for {
		p, err := c.reader.next()
		if err != nil {
			c.fail(lost(err))
			return
		}
		answer, err := decodeResponse(p)
		if answer == nil {
			c.fail(err)
			return
		}
		if answer.SchemaVersion != 0 {
			c.schemaVersion.Store(answer.SchemaVersion)
		}
		c.dispatch(answer, err)
	}
}

// dispatch gives an answer to who waits for it. One that nobody waits for is dropped.
func (c *Conn) dispatch(answer *Response, err error) {
	switch answer.Type {
	case iproto.TypeEvent:
		c.event(answer)
		return
	case iproto.TypeChunk:
		c.mu.Lock()
		f := c.inFlight[answer.Sync]
		c.mu.Unlock()
		if f != nil && f.sending.OnPush != nil {
			f.sending.OnPush(answer.Data())
		}
		return
	}
	c.mu.Lock()
	f := c.inFlight[answer.Sync]
	delete(c.inFlight, answer.Sync)
	c.mu.Unlock()
	if f != nil {
		f.finish(answer, err)
	}
}

// fail ends the connection.
func (c *Conn) fail(err error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	waiting := make([]*Future, 0, len(c.inFlight))
	for _, f := range c.inFlight {
		waiting = append(waiting, f)
	}
	c.inFlight = map[uint64]*Future{}
	c.out, c.spare = nil, nil
	c.mu.Unlock()
	_ = c.nc.Close()
	close(c.done)
	slices.SortFunc(waiting, func(a, b *Future) int { return cmp.Compare(a.sync, b.sync) })
	if c.options.OnClose != nil {
		c.options.OnClose(remade(err))
	}
	for _, f := range waiting {
		f.finish(nil, remade(err))
	}
}

// remade is err again for somebody else, who may add to it.
func remade(err error) error {
	var e *boxerr.Error
	if errors.As(err, &e) {
		again := *e
		again.Fields = slices.Clone(e.Fields)
		return &again
	}
	return err
}

// packetReader takes packets off a connection.
type packetReader struct {
	r   *bufio.Reader
	max int
}

func newReader(r io.Reader, limit int) packetReader {
	return packetReader{r: bufio.NewReaderSize(r, readBuffer), max: limit}
}

// next reads a packet and returns it without its length. The memory for it grows with the bytes that arrive.
func (p *packetReader) next() ([]byte, error) {
	head, err := p.r.Peek(1)
	if err != nil {
		return nil, err
	}
	n, size, need, ok := iproto.Length(head)
	if need > 0 {
		if head, err = p.r.Peek(1 + need); err != nil {
			return nil, err
		}
		n, size, _, ok = iproto.Length(head)
	}
	if !ok || n == 0 || n > uint64(p.max) {
		return nil, boxerr.New(boxerr.InvalidMsgpack, "packet length")
	}
	_, _ = p.r.Discard(size)
	b := make([]byte, min(n, firstRead))
	for at := 0; ; {
		if _, err := io.ReadFull(p.r, b[at:]); err != nil {
			return nil, err
		}
		if uint64(len(b)) == n {
			return b, nil
		}
		at = len(b)
		b = append(b, make([]byte, min(n-uint64(at), uint64(at)))...)
	}
}

package client

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
)

// PoolOptions say which connections a Pool keeps.
type PoolOptions struct {
	Options
	// Size is how many connections there are to each address, 1 when it is 0.
	Size int
	// ReconnectAfter is the pause before a lost connection is made again, DefaultReconnect when 0. It doubles with each
	// attempt that fails, up to MaxReconnect, and varies by a quarter so that clients don't come all at once.
	ReconnectAfter, MaxReconnect time.Duration
	// ConnectTimeout is how long one attempt may take, DefaultTimeout when 0.
	ConnectTimeout time.Duration
	// OnState is told when a connection to an address was made (err is nil) or lost, and of failed attempts. It must not
	// block.
	OnState func(address string, err error)
}

// The pauses between attempts to connect when PoolOptions don't say otherwise.
const (
	DefaultReconnect    = 100 * time.Millisecond
	DefaultMaxReconnect = 10 * time.Second
)

// Pool keeps connections to one or several servers and replaces those that are lost. Requests go to the living
// connections in turn. One that was sent is not repeated when its connection is lost: it may have been done.
type Pool struct {
	Requests
	options PoolOptions
	cancel  context.CancelFunc
	ctx     context.Context // ends with Close
	ended   sync.WaitGroup

	mu    sync.Mutex // guards the fields below and those of kept
	conns []*kept    // the living ones
	next  int
	first chan struct{} // closed when conns is no longer empty; new when it becomes empty
	last  error         // of the last attempt that failed
}

// kept is a connection of a pool.
type kept struct {
	conn *Conn
	lost bool
}

// NewPool begins to connect to the servers at these addresses and returns at once: requests wait for the first
// connection. There must be an address; the error is that of one that can't be read.
func NewPool(addresses []string, o PoolOptions) (*Pool, error) {
	if len(addresses) == 0 {
		return nil, boxerr.Illegal("a pool needs an address")
	}
	o.Size = max(o.Size, 1)
	if o.ReconnectAfter <= 0 {
		o.ReconnectAfter = DefaultReconnect
	}
	if o.MaxReconnect <= 0 {
		o.MaxReconnect = max(DefaultMaxReconnect, o.ReconnectAfter)
	}
	if o.ConnectTimeout <= 0 {
		o.ConnectTimeout = DefaultTimeout
	}
	parsed := make([]Address, len(addresses))
	for i, text := range addresses {
		var err error
		if parsed[i], err = ParseAddress(text); err != nil {
			return nil, err
		}
	}
	p := &Pool{options: o, first: make(chan struct{})}
	p.Requests = Requests{p}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	for _, a := range parsed {
		for range o.Size {
			p.ended.Add(1)
			go p.keep(a)
		}
	}
	return p, nil
}

// keep is the goroutine that keeps one connection.
func (p *Pool) keep(a Address) {
	defer p.ended.Done()
	pause := p.options.ReconnectAfter
	for {
		c, err := p.connect(a)
		if err == nil {
			pause = p.options.ReconnectAfter
			p.tell(a, nil)
			select {
			case <-c.Done():
			case <-p.ctx.Done():
				_ = c.Close()
			}
			err = c.Err()
		}
		if p.ctx.Err() != nil {
			return
		}
		p.mu.Lock()
		p.last = err
		p.mu.Unlock()
		p.tell(a, err)
		wait := pause*3/4 + rand.N(pause/2+1)
		pause = min(2*pause, p.options.MaxReconnect)
		select {
		case <-time.After(wait):
		case <-p.ctx.Done():
			return
		}
	}
}

func (p *Pool) tell(a Address, err error) {
	if p.options.OnState != nil {
		p.options.OnState(a.String(), err)
	}
}

// connect adds a connection. It is taken out at its end before its requests fail, so that those who repeat one then get
// another connection.
func (p *Pool) connect(a Address) (*Conn, error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.options.ConnectTimeout)
	defer cancel()
	k := &kept{}
	o := p.options.Options
	o.OnClose = func(err error) {
		p.remove(k)
		if p.options.OnClose != nil {
			p.options.OnClose(err)
		}
	}
	c, err := DialAddress(ctx, a, o)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	k.conn = c
	if !k.lost {
		p.conns = append(p.conns, k)
		if len(p.conns) == 1 {
			close(p.first)
		}
	}
	return c, nil
}

func (p *Pool) remove(k *kept) {
	p.mu.Lock()
	defer p.mu.Unlock()
	k.lost = true
	i := slices.Index(p.conns, k)
	if i < 0 {
		return
	}
	p.conns = slices.Delete(p.conns, i, i+1)
	if len(p.conns) == 0 {
		p.first = make(chan struct{})
	}
}

// Conn returns the next living connection and waits for one if there is none. Streams and watchers belong to a
// connection and end with it. When ctx ends first and the last attempt to connect has failed, the error is that one's.
func (p *Pool) Conn(ctx context.Context) (*Conn, error) {
	for {
		p.mu.Lock()
		if n := len(p.conns); n > 0 {
			p.next++
			c := p.conns[p.next%n].conn
			p.mu.Unlock()
			return c, nil
		}
		first, last := p.first, p.last
		p.mu.Unlock()
		select {
		case <-first:
		case <-p.ctx.Done():
			return nil, noConnection("Connection closed")
		case <-ctx.Done():
			if last != nil {
				return nil, remade(last)
			}
			return nil, ctx.Err()
		}
	}
}

// Do sends a request on the next connection and waits for its answer.
func (p *Pool) Do(ctx context.Context, r Request) (*Response, error) {
	c, err := p.Conn(ctx)
	if err != nil {
		return nil, err
	}
	return c.Do(ctx, r)
}

// Len is the number of living connections.
func (p *Pool) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// Close ends all connections and waits for that.
func (p *Pool) Close() error {
	p.cancel()
	p.ended.Wait()
	return nil
}

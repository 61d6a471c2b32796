// Package server speaks IPROTO with clients over TCP and unix sockets: it
// accepts connections, runs their requests on a box.Box, and lets handlers
// take over requests of any type.
//
// Server is the main type. A connection has one goroutine. It reads into a
// large buffer, decodes what is there, takes the cord's lock once for all
// complete packets of it (at most turnSize, then others get their chance),
// runs them in order, gives the lock up, waits once for the journal where
// something was written, and writes all answers at once. A request that has
// to wait (a CALL that yields, a parked handler, a stream's request behind
// another one) is detached from that turn: it keeps a copy of its packet, and
// its answer is written when it ends, in whatever order requests end.
//
// Handlers come in chains, one for each type of request, which are events of
// the box's trigger registry: "box.iproto.override[N]" and then
// "box.iproto.override.name". Those of UNKNOWN take the types that have
// neither handlers nor a meaning. A type without a handler costs nothing.
//
// Memory that a client can make the server use is bounded: the read buffer
// grows with the bytes that came, not with the size that a packet claims; a
// client that does not read is not read from either; what others send to it
// meanwhile is bounded by Options.OutputLimit; and Options.NetMsgMax bounds
// the requests in flight. A connection that waits for its client has no
// buffers at all.
package server

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/fiber"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/trigger"
	"github.com/lycosadb/lycosa/tuple"
)

// Version is the version of the reference server that clients are told.
const Version = "3.2.1"

// Defaults of Options.
const (
	DefaultNetMsgMax   = 768
	DefaultOutputLimit = 64 << 20
)

// Options are what a Server can be told. The zero value is fine.
type Options struct {
	// Version is the version in the greeting; empty stands for Version.
	Version string
	// NetMsgMax is how many requests may wait at a time; 0 stands for DefaultNetMsgMax.
	NetMsgMax int
	// OutputLimit is how many bytes may wait for one client that does not read them, answers of its own requests
	// aside; beyond that it is disconnected. 0 stands for DefaultOutputLimit.
	OutputLimit int
	// Adapt makes a Handler of a trigger handler that is none, such as a Lua function. It may return nil.
	Adapt func(h trigger.Handler) Handler
	// Fire, when set, runs the handlers of on_connect and on_disconnect, which may wait; it is called under the
	// cord's lock and calls done under the lock when they have ended. Without it they run to their end at once.
	Fire func(c *box.Ctx, e *trigger.Event, done func(error))
	// Log takes what is worth a line in the log: a level ('C' critical, 'E' error, 'W' warning, 'I' information)
	// and a message. Any goroutine may call it.
	Log func(level byte, message string)
}

// Server serves the clients of one Box.
type Server struct {
	box     *box.Box
	options Options

	overrides overrides
	stat      Stat
	turns     sync.Pool // of *turn, with requests whose contexts belong to the database
	buffers   buffers
	parcels   sync.Pool // of *parcel
	// schema is the schema version, for those who answer without the cord's lock.
	schema atomic.Uint32

	// Guarded by the cord's lock.
	functions map[string]box.GoFunc
	netMsgMax int
	inFlight  int        // requests that have been detached and not ended
	blocked   []*conn    // connections that wait for inFlight to become less than netMsgMax, the first one first
	woken     int        // connections that may go on, having been blocked, and have not done so yet
	warned    time.Time  // when the log was last told of a blocked connection
	free      []*Request // ended requests, to be used again
	scratch   []byte     // room to encode what is not answered in a turn
	spare     any        // see Request.Spare
	query     box.SelectRequest
	tuples    []*tuple.Tuple    // room for what a SELECT finds
	formats   map[string]uint32 // formats that clients brought, by their definition
	timer     *fiber.Timer      // of tick
	foresight box.Foresight
	shutdown  int // connections that watch shutdownKey

	mu        sync.Mutex // guards the fields below
	listeners []*listener
	conns     map[*conn]struct{}
	closed    bool
	running   sync.WaitGroup // goroutines of listeners and connections
}

// shutdownKey is what clients watch that want to leave by themselves before the server ends.
const shutdownKey = "box.shutdown"

// New returns a server of b that does not listen yet. The cord's lock must not be held.
func New(b *box.Box, o Options) *Server {
	if o.Version == "" {
		o.Version = Version
	}
	if o.NetMsgMax <= 0 {
		o.NetMsgMax = DefaultNetMsgMax
	}
	if o.OutputLimit <= 0 {
		o.OutputLimit = DefaultOutputLimit
	}
	if o.Log == nil {
		o.Log = func(byte, string) {}
	}
	s := &Server{box: b, options: o, netMsgMax: o.NetMsgMax, conns: make(map[*conn]struct{})}
	s.SetReadahead(DefaultReadahead)
	b.Cord.Lock()
	defer b.Cord.Unlock()
	s.overrides.start(s)
	s.noteSchema()
	b.OnSchemaChange = append(b.OnSchemaChange, func(uint32) { s.noteSchema() })
	s.stat.begin()
	s.tick()
	return s
}

// noteSchema publishes the schema version. The cord's lock is held.
func (s *Server) noteSchema() { s.schema.Store(uint32(s.box.SchemaVersion())) }

// tick takes the counts from which rates are made, once a second.
func (s *Server) tick() {
	s.stat.tick()
	s.noteSchema()
	s.timer = s.box.Cord.After(time.Second, s.tick)
}

// SetNetMsgMax changes how many requests may wait at a time. The cord's lock must be held.
func (s *Server) SetNetMsgMax(n int) {
	s.netMsgMax = max(n, 1)
	s.unblock()
}

// SetReadahead changes the size of the buffers that connections read into, in bytes. Any goroutine may call it.
func (s *Server) SetReadahead(n int) { s.buffers.readahead.Store(int64(max(n, minReadahead))) }

// Stat returns the network's counters.
func (s *Server) Stat() *Stat { return &s.stat }

// HandleFunc lets clients CALL a Go function by that name; a nil f takes it away. Such functions come before those
// of the runtime and need the same right to be executed as these. The cord's lock must be held.
func (s *Server) HandleFunc(name string, f box.GoFunc) {
	if s.functions == nil {
		s.functions = make(map[string]box.GoFunc)
	}
	if f == nil {
		delete(s.functions, name)
		return
	}
	s.functions[name] = f
}

// listener is one address that is listened on.
type listener struct {
	net.Listener
	address Address
}

// ErrClosed is returned by a server that was closed.
var ErrClosed = errors.New("server: closed")

// Listen makes the server listen on these addresses, in the forms of ParseAddress, and on no others: what is
// listened on already stays as it is. When one of them fails, all stays as it was. Connections are not affected.
func (s *Server) Listen(addresses ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	var next, fresh []*listener
	undo := func() {
		for _, l := range fresh {
			_ = l.Close()
		}
	}
	for _, text := range addresses {
		address, err := ParseAddress(text)
		if err != nil {
			undo()
			return err
		}
		if l := s.listening(address); l != nil && !contains(next, l) {
			next = append(next, l)
			continue
		}
		l, err := listen(address)
		if err != nil {
			undo()
			return err
		}
		fresh = append(fresh, l)
		next = append(next, l)
	}
	for _, l := range s.listeners {
		if !contains(next, l) {
			_ = l.Close()
		}
	}
	s.listeners = next
	for _, l := range fresh {
		s.running.Add(1)
		go s.accept(l)
	}
	return nil
}

func contains(list []*listener, l *listener) bool {
	for _, x := range list {
		if x == l {
			return true
		}
	}
	return false
}

// listening returns the listener of an address. A port that was chosen by the system is never the same.
func (s *Server) listening(a Address) *listener {
	for _, l := range s.listeners {
		if l.address == a && !a.anyPort() {
			return l
		}
	}
	return nil
}

// listen opens a listener. A socket file that nobody listens on any more is replaced.
func listen(a Address) (*listener, error) {
	l, err := net.Listen(a.Network, a.Text)
	if err != nil && a.Network == "unix" {
		if c, dialErr := net.Dial("unix", a.Text); dialErr == nil {
			_ = c.Close()
		} else if info, statErr := os.Stat(a.Text); statErr == nil && info.Mode()&os.ModeSocket != 0 {
			_ = os.Remove(a.Text)
			l, err = net.Listen(a.Network, a.Text)
		}
	}
	if err != nil {
		return nil, boxerr.From(err)
	}
	return &listener{l, a}, nil
}

// Addresses returns what the server listens on, with the ports that the system chose.
func (s *Server) Addresses() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []string
	for _, l := range s.listeners {
		if l.address.Network == "unix" {
			list = append(list, l.address.String())
		} else {
			list = append(list, l.Addr().String())
		}
	}
	return list
}

// accept serves all who connect to l, until it is closed. Where that can't be done, as with too many open files, it is
// tried again: those who connect wait meanwhile, and the log is told once, and once more when it works again.
func (s *Server) accept(l *listener) {
	defer s.running.Done()
	failed := 0
	for {
		nc, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			if failed++; failed == 1 {
				s.options.Log('E', "connections can't be accepted for now: "+err.Error())
			}
			time.Sleep(acceptPause)
			continue
		}
		if failed > 0 {
			failed = 0
			s.options.Log('I', "connections are accepted again on "+l.Addr().String())
		}
		s.Start(nc)
	}
}

// acceptPause is how long a listener rests after it could not accept.
const acceptPause = 50 * time.Millisecond

// Start serves a connection in the background, until it is closed.
func (s *Server) Start(nc net.Conn) { s.StartAs(nc, nil) }

// StartAs is Start for a connection whose session prepare changes, under the cord's lock, before anything else happens.
func (s *Server) StartAs(nc net.Conn, prepare func(*box.Session)) {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		_ = nc.Close()
		return
	}
	c := newConn(s, nc)
	c.prepare = prepare
	s.conns[c] = struct{}{}
	s.running.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.running.Done()
		c.serve()
		s.mu.Lock()
		delete(s.conns, c)
		s.mu.Unlock()
	}()
}

// Connect returns the client's end of a new connection within the process.
func (s *Server) Connect() net.Conn {
	client, server := net.Pipe()
	s.Start(server)
	return client
}

// Shutdown ends the server in an orderly way: it stops listening, tells the watchers of box.shutdown, waits until
// those have left or ctx is done, and closes. The cord's lock must not be held.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.Listen(); err != nil {
		return err
	}
	left := make(chan struct{})
	s.box.Cord.Lock()
	s.box.Broadcast(shutdownKey, []byte{0xc3})
	s.box.Cord.Unlock()
	go s.awaitLeft(ctx, left)
	<-left
	err := ctx.Err()
	s.Close()
	return err
}

// shutdownPoll is how often Shutdown looks whether its clients have left.
const shutdownPoll = 10 * time.Millisecond

func (s *Server) awaitLeft(ctx context.Context, left chan<- struct{}) {
	defer close(left)
	for {
		s.box.Cord.Lock()
		n := s.shutdown
		s.box.Cord.Unlock()
		if n == 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(shutdownPoll):
		}
	}
}

// Close stops listening, closes all connections and waits until their goroutines have ended. Requests that wait
// are not waited for. The cord's lock must not be held.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for _, l := range s.listeners {
		_ = l.Close()
	}
	s.listeners = nil
	for c := range s.conns {
		c.abort()
	}
	s.mu.Unlock()
	s.running.Wait()
	s.box.Cord.Lock()
	s.timer.Stop()
	s.box.Cord.Unlock()
}

// greeting makes what a new client is told first, and its salt.
func (s *Server) greeting(uuid string) (text, salt []byte) {
	salt = make([]byte, iproto.SaltSize)
	_, _ = rand.Read(salt)
	g := iproto.Greeting{Version: s.options.Version, UUID: uuid, Salt: salt}
	text, err := g.Append(make([]byte, 0, iproto.GreetingSize))
	if err != nil {
		s.options.Log('E', "greeting: "+err.Error())
	}
	return text, salt
}

package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// Dial connects to the server at an address in a form of ParseAddress, agrees with it on features, and signs in. ctx
// counts until Dial returns.
func Dial(ctx context.Context, address string, o Options) (*Conn, error) {
	a, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	return DialAddress(ctx, a, o)
}

// DialAddress is Dial with an address that is parsed already.
func DialAddress(ctx context.Context, a Address, o Options) (*Conn, error) {
	o.setDefaults()
	if o.User == "" {
		o.User, o.Password = a.User, a.Password
	}
	if _, hasDeadline := ctx.Deadline(); !hasDeadline {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, DefaultTimeout)
		defer cancel()
	}
	nc, err := o.Dial(ctx, a.Network(), a.dialText())
	if err != nil {
		return nil, dialError(ctx, a, err)
	}
	return New(ctx, nc, o)
}

// dial is how connections are made without Options.Dial. Errors name the descriptor, as those of the reference do.
func dial(ctx context.Context, network, address string) (net.Conn, error) {
	var fd uintptr
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(n uintptr) { fd = n })
	}}
	nc, err := d.DialContext(ctx, network, address)
	if err != nil {
		return nil, &dialFault{fd, err}
	}
	return nc, nil
}

// dialFault is an error of dial with the descriptor that it happened on.
type dialFault struct {
	fd  uintptr
	err error
}

func (f *dialFault) Error() string { return f.err.Error() }
func (f *dialFault) Unwrap() error { return f.err }

// dialError makes a SocketError of why a connection could not be made.
func dialError(ctx context.Context, a Address, err error) error {
	if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return contextError(ctx, err)
	}
	var errno syscall.Errno
	text := err.Error()
	var name *net.DNSError
	switch {
	case errors.As(err, &errno):
		text = errno.Error()
		text = strings.ToUpper(text[:1]) + text[1:]
	case errors.As(err, &name):
		text = "getaddrinfo: " + name.Err
	}
	var fault *dialFault
	if errors.As(err, &fault) && fault.fd != 0 {
		own := "0.0.0.0:0"
		if a.Host == unixHost {
			own = unixHost + ":(socket)"
		}
		text = fmt.Sprintf("connect to %s, called on fd %d, aka %s: %s", a, fault.fd, own, text)
	} else {
		text = fmt.Sprintf("connect to %s: %s", a, text)
	}
	e := boxerr.OfType(boxerr.TypeSocket, "%s", text)
	e.Errno = uint32(errno)
	return e
}

// contextError prefers the context's error over what came of it.
func contextError(ctx context.Context, err error) error {
	if e := ctx.Err(); e != nil {
		return e
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return err
}

// New makes a client of a network connection that is open already, and owns it from then on, also when it fails. ctx
// counts until New returns.
func New(ctx context.Context, nc net.Conn, o Options) (*Conn, error) {
	o.setDefaults()
	c := &Conn{
		nc: nc, options: o, reader: newReader(nc, o.MaxPacket),
		inFlight: map[uint64]*Future{}, wake: make(chan struct{}, 1), done: make(chan struct{}),
	}
	c.Requests = Requests{c}
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) })
	err := c.greet()
	if err == nil {
		err = c.identify()
	}
	if err == nil {
		err = c.authenticate()
	}
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = nc.Close()
		return nil, contextError(ctx, lost(err))
	}
	go c.read()
	go c.write()
	return c, nil
}

// lost makes the errors of a broken connection ones of code NoConnection. Others stay as they are.
func lost(err error) error {
	var e *boxerr.Error
	switch {
	case errors.As(err, &e), errors.Is(err, os.ErrDeadlineExceeded):
		return err
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return noConnection("Peer closed")
	}
	return noConnection(err.Error())
}

// greet reads the greeting.
func (c *Conn) greet() error {
	var b [iproto.GreetingSize]byte
	if _, err := io.ReadFull(c.reader.r, b[:]); err != nil {
		return err
	}
	g, err := iproto.DecodeGreeting(b[:])
	if err != nil {
		return noConnection("Invalid greeting")
	}
	if g.Protocol != "Binary" {
		return noConnection("Unsupported protocol: " + g.Protocol)
	}
	c.salt = g.Salt
	c.server.Version, c.server.UUID = g.Version, g.UUID
	return nil
}

// exchange sends a request and reads its answer, before the connection has goroutines of its own.
func (c *Conn) exchange(r Request) (*Response, error) {
	c.sync++
	b, err := appendRequest(nil, r, c.sync, 0)
	if err != nil {
		return nil, err
	}
	if _, err = c.nc.Write(b); err != nil {
		return nil, err
	}
	for {
		p, err := c.reader.next()
		if err != nil {
			return nil, err
		}
		answer, err := decodeResponse(p)
		if answer == nil {
			return nil, err
		}
		if answer.Type != iproto.TypeEvent && answer.Type != iproto.TypeChunk {
			c.schemaVersion.Store(answer.SchemaVersion)
			return answer, err
		}
	}
}

// identify tells the server what the client can do and learns the same of it. A server that doesn't know the request has
// no features.
func (c *Conn) identify() error {
	answer, err := c.exchange(id{c.options.Features})
	switch {
	case err == nil:
		if err = c.server.decode(answer.Body); err != nil {
			return err
		}
	case answer == nil || answer.Type&iproto.TypeError == 0:
		return err
	}
	if c.server.Protocol < c.options.RequiredVersion {
		return noConnection(fmt.Sprintf("Protocol version (%d) < required (%d)", c.server.Protocol, c.options.RequiredVersion))
	}
	var missing []string
	for _, f := range c.options.RequiredFeatures {
		if !c.server.Has(f) {
			missing = append(missing, f.String())
		}
	}
	if missing != nil {
		return noConnection("Missing required protocol features: " + strings.Join(missing, ", "))
	}
	return nil
}

// decode reads the body of an answer to ID.
func (s *Server) decode(body []byte) error {
	n, b, ok := msgpack.ReadMapHeader(body)
	for ; ok && n > 0; n-- {
		var key uint64
		if key, b, ok = msgpack.ReadUint(b); !ok {
			break
		}
		switch iproto.Key(key) {
		case iproto.KeyVersion:
			s.Protocol, b, ok = msgpack.ReadUint(b)
		case iproto.KeyFeatures:
			var count int
			for count, b, ok = msgpack.ReadArrayHeader(b); ok && count > 0; count-- {
				var f uint64
				if f, b, ok = msgpack.ReadUint(b); ok {
					s.Features = append(s.Features, iproto.Feature(f))
				}
			}
		case iproto.KeyAuthType:
			var text []byte
			text, b, ok = msgpack.ReadString(b)
			s.AuthType = string(text)
		default:
			b, ok = msgpack.Skip(b)
		}
	}
	if !ok {
		return boxerr.New(boxerr.InvalidMsgpack, "answer to ID")
	}
	return nil
}

// guest is the user of a connection that has not signed in.
const guest = "guest"

// authenticate signs in.
func (c *Conn) authenticate() error {
	o := &c.options
	if o.User == "" || o.User == guest && o.Password == "" {
		return nil
	}
	method := o.AuthType
	if method == "" {
		method = c.server.AuthType
	}
	r := auth{user: o.User, method: method}
	switch method {
	case "", chapSHA1:
		if len(c.salt) < iproto.GreetingSaltMin {
			return noConnection("Invalid greeting")
		}
		r.method, r.proof = chapSHA1, iproto.Scramble(c.salt, o.Password)
	case papSHA256:
		r.proof = []byte(o.Password)
	default:
		return boxerr.New(boxerr.UnknownAuthMethod, method)
	}
	_, err := c.exchange(r)
	return err
}

//go:build cgo

package lua

import (
	"context"
	"net"
	"os"
	"slices"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/client"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

func init() { modules = append(modules, registerNetbox) }

// netbox is what builtin/net/box.lua stands on: connections and requests by number, both guarded by the cord's lock. The
// I/O happens on the goroutines of package client; what they have to tell is posted to the cord, and a fiber that
// waits for it is woken. The life of a connection, from states to reconnecting, is led by a fiber in Lua.
type netbox struct {
	*State
	conns    map[uint64]*netConn
	requests map[uint64]*netRequest // those that Lua knows by number
	last     uint64                 // number given out
	formats  map[string]uint32      // of tuples, by their definition
}

// netConn is a connection of net.box. It goes through several connections of the client when it reconnects.
type netConn struct {
	box    *netbox
	id     uint64
	conn   *client.Conn // nil while there is none
	turn   int          // counts attempts to connect: what comes of an earlier one is out of date
	cancel context.CancelFunc
	events []*netEvent
	keys   map[string]*netEvent // watched ones, with the event that waits in events, if one does
	worker *Fiber               // parked until there is an event
	schema uint64               // the version of the server's schema that Lua knows
	open   int                  // requests without an answer
	drain  bool                 // the worker is to be told when there are none
}

// netEvent is something that the connection's fiber hears of: its name and values for Lua.
type netEvent struct {
	values []byte
	count  int
	key    string // of the event of a key
}

// netFeatures are what net.box claims. Tuples of DML requests come without formats, because their spaces are known.
var netFeatures = []iproto.Feature{
	iproto.FeatureStreams, iproto.FeatureTransactions, iproto.FeatureErrorExtension, iproto.FeatureWatchers,
	iproto.FeaturePagination, iproto.FeatureSpaceAndIndexNames, iproto.FeatureWatchOnce,
	iproto.FeatureCallRetTupleExtension, iproto.FeatureCallArgTupleExtension, iproto.FeatureIsSync,
}

func registerNetbox(s *State) {
	n := &netbox{State: s, conns: map[uint64]*netConn{}, requests: map[uint64]*netRequest{}, formats: map[string]uint32{}}
	s.Func("netbox.parse", parseRemote)
	s.Func("netbox.open", func(c *luajit.Call) error {
		n.last++
		n.conns[n.last] = &netConn{box: n, id: n.last, keys: map[string]*netEvent{}, cancel: func() {}}
		c.PushUint(n.last)
		return nil
	})
	s.Func("netbox.dial", func(c *luajit.Call) error {
		if x := n.conns[c.Uint()]; x != nil {
			x.dial(c)
		}
		return nil
	})
	s.Blocking("netbox.poll", func(c *luajit.Call) error {
		x := n.conns[c.Uint()]
		if x == nil {
			c.PushString("closed")
			return nil
		}
		if len(x.events) > 0 {
			values, count := x.take()
			c.Out, c.NOut = append(c.Out, values...), count
			return nil
		}
		if err := n.mayPark(); err != nil {
			return err
		}
		d := seconds(c)
		x.worker = s.current
		return s.Park(d, func(*Fiber) ([]byte, int) {
			x.worker = nil
			return x.take()
		})
	})
	s.Func("netbox.disconnect", func(c *luajit.Call) error {
		if x := n.conns[c.Uint()]; x != nil {
			x.disconnect()
		}
		return nil
	})
	s.Func("netbox.close", func(c *luajit.Call) error {
		if x := n.conns[c.Uint()]; x != nil {
			x.disconnect()
			x.tell(newEvent("closed"))
			delete(n.conns, x.id)
		}
		return nil
	})
	s.Func("netbox.drain", func(c *luajit.Call) error {
		if x := n.conns[c.Uint()]; x != nil {
			x.drain = true
			x.checkDrained()
		}
		return nil
	})
	s.Func("netbox.watch", func(c *luajit.Call) error {
		x := n.conns[c.Uint()]
		if key, on := c.Str(), c.Bool(); x != nil {
			x.watch(key, on)
		}
		return nil
	})
	s.Func("netbox.format", func(c *luajit.Call) error {
		id, err := n.format(c.Raw())
		c.PushUint(uint64(id))
		return err
	})
	n.registerRequests()
}

// parseRemote takes an address apart: host, service, user and password, each nil when it has none.
func parseRemote(c *luajit.Call) error {
	a, err := client.ParseAddress(c.Str())
	if err != nil {
		return err
	}
	for _, text := range []string{a.Host, a.Service, a.User, a.Password} {
		if text == "" {
			c.PushNil()
		} else {
			c.PushString(text)
		}
	}
	return nil
}

// newEvent makes an event of its name and further values.
func newEvent(name string, values ...any) *netEvent {
	b := msgpack.AppendString(nil, name)
	for _, v := range values {
		b, _ = msgpack.Append(b, v)
	}
	return &netEvent{values: b, count: 1 + len(values)}
}

// tell queues an event and wakes who waits for it.
func (x *netConn) tell(e *netEvent) {
	x.events = append(x.events, e)
	if x.worker != nil {
		x.worker.Wake()
	}
}

// take takes the next event, as the results of poll; none when there is none.
func (x *netConn) take() (values []byte, count int) {
	if len(x.events) == 0 {
		return nil, 0
	}
	e := x.events[0]
	x.events = x.events[1:]
	if x.keys[e.key] == e {
		x.keys[e.key] = nil
	}
	return e.values, e.count
}

// post runs f under the lock, unless the State is closed by then.
func (n *netbox) post(f func()) {
	n.Cord.Post(func() {
		if !n.closed {
			f()
		}
	})
}

// dial begins to connect. The arguments are host, service, user, password, method of authentication, seconds, and a
// descriptor of an open socket instead of an address. An event "connected" or "failed" follows.
func (x *netConn) dial(c *luajit.Call) {
	a := client.Address{Host: c.Str(), Service: c.Str()}
	x.turn++
	turn := x.turn
	o := client.Options{
		User: c.Str(), Password: c.Str(), AuthType: c.Str(), Features: netFeatures,
		OnEvent: func(key string, value msgpack.Raw) { x.box.post(func() { x.event(turn, key, value) }) },
		OnClose: func(err error) { x.box.post(func() { x.lost(turn, err) }) },
	}
	timeout := seconds(c)
	fd := -1
	if !c.IsNil() {
		fd = int(c.Int())
	}
	if timeout < 0 {
		timeout = client.DefaultTimeout
	}
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	x.cancel = cancel
	go func() {
		defer cancel()
		var conn *client.Conn
		var err error
		if fd >= 0 {
			conn, err = adopt(ctx, fd, o)
		} else {
			conn, err = client.DialAddress(ctx, a, o)
		}
		x.box.post(func() { x.dialed(turn, conn, err) })
	}()
}

// adopt makes a client of a descriptor and closes that.
func adopt(ctx context.Context, fd int, o client.Options) (*client.Conn, error) {
	file := os.NewFile(uintptr(fd), "socket")
	if file == nil {
		return nil, boxerr.Illegal("fd must be an open socket")
	}
	nc, err := net.FileConn(file)
	_ = file.Close()
	if err != nil {
		return nil, boxerr.From(err)
	}
	return client.New(ctx, nc, o)
}

// dialed is the end of an attempt to connect.
func (x *netConn) dialed(turn int, conn *client.Conn, err error) {
	if err == nil {
		err = conn.Err()
	}
	if turn != x.turn {
		if conn != nil {
			_ = conn.Close()
		}
		return
	}
	if err != nil {
		x.tell(newEvent("failed", connectionError(err)))
		return
	}
	x.conn = conn
	x.schema = conn.SchemaVersion()
	server := conn.Server()
	features := map[string]any{}
	for _, f := range iproto.AllFeatures() {
		features[f.Name] = server.Has(iproto.Feature(f.Value))
	}
	x.tell(newEvent("connected", server.Version, server.UUID, server.Protocol, features, x.schema))
}

// connectionError is the MP_ERROR, as text, of why there is no connection.
func connectionError(err error) string {
	e := boxerr.From(err)
	if e.Type != boxerr.TypeClient && e.Type != boxerr.TypeAccessDenied {
		e = boxerr.Reason(boxerr.NoConnection, e.Message)
	}
	return string(e.AppendMsgpack(nil))
}

// lost is the end of a connection.
func (x *netConn) lost(turn int, err error) {
	if turn != x.turn || x.conn == nil {
		return
	}
	x.conn = nil
	x.tell(newEvent("lost", connectionError(err)))
}

// disconnect ends the connection or the attempt to connect, of which no event tells.
func (x *netConn) disconnect() {
	x.turn++
	x.cancel()
	if x.conn != nil {
		_ = x.conn.Close()
		x.conn = nil
	}
	x.events, x.drain = nil, false
	for key := range x.keys {
		x.keys[key] = nil
	}
}

// watch begins to watch a key or acknowledges its last event, or ends watching.
func (x *netConn) watch(key string, on bool) {
	if !on {
		delete(x.keys, key)
	} else if _, known := x.keys[key]; !known {
		x.keys[key] = nil
	}
	switch {
	case x.conn == nil:
	case on:
		x.conn.SendWatch(key)
	default:
		x.conn.SendUnwatch(key)
	}
}

// event is an event of a key: its name and its value as the text of a MessagePack value, nothing without one. It takes the
// place of an earlier one that nobody has heard of yet; those of keys that aren't watched are dropped.
func (x *netConn) event(turn int, key string, value msgpack.Raw) {
	waiting, watched := x.keys[key]
	if turn != x.turn || !watched {
		return
	}
	e := newEvent("event", key)
	if value != nil {
		e = newEvent("event", key, string(value))
	}
	e.key = key
	if waiting != nil {
		*waiting = *e
		return
	}
	x.keys[key] = e
	x.tell(e)
}

// answered takes note of an answer, before whoever waits for it is woken.
func (x *netConn) answered(answer *client.Response) {
	x.open--
	x.checkDrained()
	if answer == nil || answer.SchemaVersion == 0 || answer.SchemaVersion == x.schema {
		return
	}
	known := x.schema
	x.schema = answer.SchemaVersion
	if known != 0 {
		x.tell(newEvent("schema", x.schema))
	}
}

func (x *netConn) checkDrained() {
	if x.drain && x.open == 0 {
		x.drain = false
		x.tell(newEvent("drained"))
	}
}

// remove takes a fiber out of a list.
func remove(list []*Fiber, f *Fiber) []*Fiber {
	if i := slices.Index(list, f); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}

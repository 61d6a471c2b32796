// Package client talks to a server that speaks IPROTO: a Lycosa, or a Tarantool of any release since 1.6.
//
// A Conn is one connection. Any number of goroutines may use it at once: requests are written one behind the other
// without waiting for answers, which find their requests by number in whatever order they come. Do sends a request and
// waits for its answer, Go and Send return a Future at once. Requests are plain structs (Select, Insert, Call ...), and
// Raw is a request of any type with any body, for servers whose programs have added types of their own. The common ones
// also have methods, which Conn, Stream and Pool share through Requests.
//
//	conn, err := client.Dial(ctx, "user:password@localhost:3301", client.Options{})
//	...
//	answer, err := conn.Insert(ctx, "users", []any{1, "Ann"})
//	answer, err = conn.Do(ctx, client.Select{Space: "users", Key: []any{1}, Limit: 10})
//	rows, err := answer.Rows()
//	for _, row := range rows {
//		var id uint64
//		var name string
//		err = row.Scan(&id, &name)
//	}
//
// Response.Tuples and Response.Values decode answers into Go's own types instead, Response.Data gives the MessagePack.
//
// A Stream is a sequence of requests that the server runs in order and that may share a transaction. A Watcher is told
// of the values of a key. A Pool keeps connections to one or several servers and replaces those that are lost; a Conn
// never reconnects.
//
// Values are encoded as package msgpack does it: msgpack.Raw stands for what is encoded already, and the types of
// package mpext are decimals, UUIDs, datetimes and intervals. An error is the *boxerr.Error that the server has sent or
// one of code boxerr.NoConnection, or the one of the context that ended first.
//
// The protocol is described at https://www.tarantool.io/en/doc/latest/reference/internals/iproto/.
package client

import (
	"context"
	"net"
	"slices"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"

	_ "github.com/lycosadb/lycosa/mpext" // so that decimals and the like are decoded
)

// Limits that hold when Options don't say otherwise.
const (
	// DefaultMaxPacket is the largest packet that is taken from a server, in bytes.
	DefaultMaxPacket = 1 << 30
	// DefaultMaxUnsent is how many bytes of requests may wait to be written before Do waits for room.
	DefaultMaxUnsent = 16 << 20
	// DefaultTimeout is how long dialing may take when the context has no deadline.
	DefaultTimeout = 10 * time.Second
)

// DefaultFeatures are the features that a client claims. Those by which tuples come with their formats are not among
// them: without them tuples are arrays.
var DefaultFeatures = []iproto.Feature{
	iproto.FeatureStreams, iproto.FeatureTransactions, iproto.FeatureErrorExtension, iproto.FeatureWatchers,
	iproto.FeaturePagination, iproto.FeatureSpaceAndIndexNames, iproto.FeatureWatchOnce, iproto.FeatureIsSync,
}

// Options say how to connect. The zero value connects as guest, or as the user that the address names.
type Options struct {
	// User and Password are who to be; they win over those in the address.
	User, Password string
	// AuthType is the method of authentication: "chap-sha1" or "pap-sha256". The server's own when empty.
	AuthType string
	// Features are what the client claims to have, DefaultFeatures when nil.
	Features []iproto.Feature
	// RequiredVersion and RequiredFeatures are what the server must have, otherwise connecting fails.
	RequiredVersion  uint64
	RequiredFeatures []iproto.Feature
	// Dial makes the network's connection, net.Dialer when nil. network is "tcp" or "unix". It is the place for what else
	// there may be between client and server, as crypto/tls.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// MaxPacket and MaxUnsent are limits in bytes, see DefaultMaxPacket and DefaultMaxUnsent.
	MaxPacket, MaxUnsent int
	// OnEvent is told of all events of watched keys, also of keys without a Watcher; the value is nil for a key that
	// has none. It is called by the goroutine that reads, must not block, and owns the value.
	OnEvent func(key string, value msgpack.Raw)
	// OnClose is called once when the connection has come to its end, before the requests in flight hear of it. It must
	// not block.
	OnClose func(err error)
}

func (o *Options) setDefaults() {
	if o.Features == nil {
		o.Features = DefaultFeatures
	}
	if o.MaxPacket <= 0 {
		o.MaxPacket = DefaultMaxPacket
	}
	if o.MaxUnsent <= 0 {
		o.MaxUnsent = DefaultMaxUnsent
	}
	if o.Dial == nil {
		o.Dial = dial
	}
}

// noConnection is the error of a connection that isn't there.
func noConnection(text string) *boxerr.Error { return boxerr.Reason(boxerr.NoConnection, text) }

// Server is what a server has told about itself.
type Server struct {
	// Version is three numbers with dots.
	Version string
	// UUID is the instance's, zeros for a server before 1.6.7.
	UUID string
	// Protocol is the version of the protocol, 0 for a server before 2.10.
	Protocol uint64
	// Features are what the server can do.
	Features []iproto.Feature
	// AuthType is the server's method of authentication, "" when it has not told.
	AuthType string
}

// Has tells whether the server has a feature.
func (s *Server) Has(f iproto.Feature) bool { return slices.Contains(s.Features, f) }

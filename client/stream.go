package client

import (
	"context"
	"time"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// Stream is a sequence of requests on a connection that the server runs one after the other. Between Begin and Commit
// they are a transaction. The end of the connection rolls it back.
type Stream struct {
	Requests
	conn *Conn
	id   uint64
}

// NewStream begins a stream. It needs a server with iproto.FeatureStreams.
func (c *Conn) NewStream() (*Stream, error) {
	if !c.server.Has(iproto.FeatureStreams) {
		return nil, boxerr.New(boxerr.Unsupported, "Remote server", "streams")
	}
	c.mu.Lock()
	c.streams++
	s := &Stream{conn: c, id: c.streams}
	c.mu.Unlock()
	s.Requests = Requests{s}
	return s, nil
}

// ID is the number of the stream on its connection.
func (s *Stream) ID() uint64 { return s.id }

// Conn is the connection of the stream.
func (s *Stream) Conn() *Conn { return s.conn }

// Do sends a request in the stream and waits for its answer.
func (s *Stream) Do(ctx context.Context, r Request) (*Response, error) {
	return s.conn.do(ctx, r, Sending{Stream: s.id})
}

// Go sends a request in the stream.
func (s *Stream) Go(r Request) *Future { return s.conn.Send(r, Sending{Stream: s.id}) }

// Isolation is what a transaction sees of others.
type Isolation uint32

// The levels of isolation.
const (
	DefaultIsolation Isolation = iota
	ReadCommitted              // also what is committed but not yet written
	ReadConfirmed              // only what is written
	BestEffort                 // the server decides
	Linearizable               // all that was committed anywhere before
)

// Begin begins a transaction.
type Begin struct {
	// Timeout ends the transaction, 0 for the server's default.
	Timeout   time.Duration
	Isolation Isolation
	// IsSync makes the transaction wait for a quorum, whatever it writes.
	IsSync bool
}

// Type implements Request.
func (Begin) Type() iproto.Type { return iproto.TypeBegin }

// AppendBody implements Request.
func (r Begin) AppendBody(b []byte) ([]byte, error) {
	w := newBody(b)
	if r.Timeout != 0 {
		w.key(iproto.KeyTimeout)
		w.b = msgpack.AppendFloat64(w.b, r.Timeout.Seconds())
	}
	if r.Isolation != DefaultIsolation {
		w.uint(iproto.KeyTxnIsolation, uint64(r.Isolation))
	}
	if r.IsSync {
		w.bool(iproto.KeyIsSync, true)
	}
	return w.end()
}

// Commit ends a transaction and keeps what it did.
type Commit struct {
	// IsSync is as in Begin.
	IsSync bool
}

// Type implements Request.
func (Commit) Type() iproto.Type { return iproto.TypeCommit }

// AppendBody implements Request.
func (r Commit) AppendBody(b []byte) ([]byte, error) {
	w := newBody(b)
	if r.IsSync {
		w.bool(iproto.KeyIsSync, true)
	}
	return w.end()
}

// Rollback ends a transaction and undoes what it did.
type Rollback struct{}

// Type implements Request.
func (Rollback) Type() iproto.Type { return iproto.TypeRollback }

// AppendBody implements Request.
func (Rollback) AppendBody(b []byte) ([]byte, error) { return append(b, 0x80), nil }

// Begin begins a transaction.
func (s *Stream) Begin(ctx context.Context, r Begin) error {
	_, err := s.Do(ctx, r)
	return err
}

// Commit commits the transaction.
func (s *Stream) Commit(ctx context.Context) error {
	_, err := s.Do(ctx, Commit{})
	return err
}

// Rollback rolls the transaction back.
func (s *Stream) Rollback(ctx context.Context) error {
	_, err := s.Do(ctx, Rollback{})
	return err
}

// Package lycosatest is a server inside a test: without a port, without files, gone at the end of the test.
//
//	db := lycosatest.Run(t)
//	db.Override(iproto.TypeSelect, handler)
//	c := lycosatest.Connect(t, db)
//	answer, err := c.Do(iproto.TypeSelect, map[iproto.Key]any{...})
//
// The test sees the database from both sides: as its owner by the DB, and as a client by a Client, whose packets go
// through the server as those of any other client do.
package lycosatest

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// patience bounds what a test waits for.
const patience = 30 * time.Second

// Run opens a database in memory with its server, which ends with the test. Its guests may do everything. The log goes to
// the test's.
func Run(t testing.TB) *lycosa.DB {
	t.Helper()
	return Open(t, lycosa.Options{Log: slog.New(slog.NewTextHandler(&testLog{t: t}, nil))})
}

// Open is Run with options.
func Open(t testing.TB, o lycosa.Options) *lycosa.DB {
	t.Helper()
	db, err := lycosa.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := db.Close(ctx); err != nil {
			t.Errorf("closing the database: %v", err)
		}
	})
	if !o.Unconfigured {
		if err := GrantAll(db); err != nil {
			t.Fatal(err)
		}
	}
	return db
}

// GrantAll gives guests the role super.
func GrantAll(db *lycosa.DB) error {
	_, err := db.SpaceByID(box.PrivID).Replace([]any{box.AdminID, box.GuestID, "role", box.SuperID, 4})
	return err
}

// testLog writes to the log of a test, until that has ended.
type testLog struct {
	t     testing.TB
	mu    sync.Mutex // guards the field below
	ended bool
}

// Write writes a line.
func (l *testLog) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended {
		return len(line), nil
	}
	select {
	case <-l.t.Context().Done():
		l.ended = true
	default:
		l.t.Log(strings.TrimSuffix(string(line), "\n"))
	}
	return len(line), nil
}

// Client is a connection of a client. One goroutine uses it at a time. What the server sends is read at once and kept
// until it is received, so that requests can be sent without looking at answers.
type Client struct {
	// Conn is the connection. The greeting has been read.
	Conn net.Conn
	// Greeting is what the server has said first.
	Greeting []byte
	sync     uint64

	mu      sync.Mutex      // guards the fields below
	packets []lycosa.Packet // that have come
	err     error           // of the connection
	came    chan struct{}   // has a token when one of the above has changed
}

// Connect connects a client, whose connection ends with the test.
func Connect(t testing.TB, db *lycosa.DB) *Client {
	t.Helper()
	c, err := Dial(db)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Dial connects a client.
func Dial(db *lycosa.DB) (*Client, error) { return NewClient(db.Connect()) }

// NewClient makes a client of a connection to a server.
func NewClient(conn net.Conn) (*Client, error) {
	c := &Client{Conn: conn, Greeting: make([]byte, iproto.GreetingSize), came: make(chan struct{}, 1)}
	in := bufio.NewReader(conn)
	if _, err := io.ReadFull(in, c.Greeting); err != nil {
		return nil, err
	}
	go c.read(in)
	return c, nil
}

// read keeps packets until the connection ends.
func (c *Client) read(in *bufio.Reader) {
	for {
		p, err := readPacket(in)
		c.mu.Lock()
		if err != nil {
			c.err = err
		} else {
			c.packets = append(c.packets, p)
		}
		c.mu.Unlock()
		select {
		case c.came <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// readPacket reads one packet.
func readPacket(in io.Reader) (lycosa.Packet, error) {
	var size [iproto.LengthSize]byte
	if _, err := io.ReadFull(in, size[:1]); err != nil {
		return lycosa.Packet{}, err
	}
	_, width, need, ok := iproto.Length(size[:1])
	if ok && need > 0 {
		width = 1 + need
		if width > len(size) {
			ok = false
		} else if _, err := io.ReadFull(in, size[1:width]); err != nil {
			return lycosa.Packet{}, err
		}
	}
	n, _, _, valid := iproto.Length(size[:width])
	if !ok || !valid || n > iproto.MaxPacketSize {
		return lycosa.Packet{}, boxerr.New(boxerr.InvalidMsgpack, "packet length")
	}
	p := make([]byte, n)
	if _, err := io.ReadFull(in, p); err != nil {
		return lycosa.Packet{}, err
	}
	rest, ok := msgpack.Skip(p)
	if !ok {
		return lycosa.Packet{}, boxerr.New(boxerr.InvalidMsgpack, "packet header")
	}
	return lycosa.Packet{Header: p[:len(p)-len(rest)], Body: rest}, nil
}

// Close ends the connection.
func (c *Client) Close() { _ = c.Conn.Close() }

// Do sends a request with a body, a map of keys or encoded already, nil for none, and returns its answer: a success. What
// fails returns the error that the server gave, a *boxerr.Error, besides the answer.
func (c *Client) Do(typ iproto.Type, body any) (*lycosa.Response, error) {
	return c.DoIn(0, typ, body)
}

// DoIn is Do for a request of a stream.
func (c *Client) DoIn(stream uint64, typ iproto.Type, body any) (*lycosa.Response, error) {
	sync, err := c.SendIn(stream, typ, body)
	if err != nil {
		return nil, err
	}
	r := new(lycosa.Response)
	for {
		p, err := c.Receive()
		if err != nil {
			return nil, err
		}
		if p.Header.Lookup(iproto.KeySync).Uint() != sync {
			return nil, fmt.Errorf("a packet for sync %d, not %d: %s %s", p.Header.Lookup(iproto.KeySync).Uint(), sync, p.Header, p.Body)
		}
		if iproto.Type(p.Header.Lookup(iproto.KeyRequestType).Uint()) == iproto.TypeChunk {
			r.Pushed = append(r.Pushed, p)
			continue
		}
		r.Header, r.Body = p.Header, p.Body
		return r, r.Err()
	}
}

// Send sends a request without waiting for its answer, and returns its sync.
func (c *Client) Send(typ iproto.Type, body any) (sync uint64, err error) {
	return c.SendIn(0, typ, body)
}

// SendIn is Send for a request of a stream.
func (c *Client) SendIn(stream uint64, typ iproto.Type, body any) (sync uint64, err error) {
	c.sync++
	header := map[iproto.Key]any{iproto.KeyRequestType: uint32(typ), iproto.KeySync: c.sync}
	if stream != 0 {
		header[iproto.KeyStreamID] = stream
	}
	packet, err := Packet(header, body)
	if err != nil {
		return 0, err
	}
	_ = c.Conn.SetWriteDeadline(time.Now().Add(patience))
	_, err = c.Conn.Write(packet)
	return c.sync, err
}

// Packet makes a packet of a header and a body, its length in front. A nil body is none.
func Packet(header, body any) ([]byte, error) {
	h, err := lycosa.ValueOf(header)
	if err != nil {
		return nil, err
	}
	var b lycosa.Value
	if body != nil {
		if b, err = lycosa.ValueOf(body); err != nil {
			return nil, err
		}
	}
	packet := binary.BigEndian.AppendUint32([]byte{0xce}, uint32(len(h)+len(b)))
	return append(append(packet, h...), b...), nil
}

// Receive returns the next packet that the server has sent. The error is that of the connection when it has ended, or
// context.DeadlineExceeded when nothing comes.
func (c *Client) Receive() (lycosa.Packet, error) {
	late := time.NewTimer(patience)
	defer late.Stop()
	for {
		c.mu.Lock()
		if len(c.packets) > 0 {
			p := c.packets[0]
			c.packets = c.packets[1:]
			c.mu.Unlock()
			return p, nil
		}
		err := c.err
		c.mu.Unlock()
		if err != nil {
			return lycosa.Packet{}, err
		}
		select {
		case <-c.came:
		case <-late.C:
			return lycosa.Packet{}, context.DeadlineExceeded
		}
	}
}

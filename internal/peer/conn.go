package peer

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// Conn is a connection. One goroutine may send while another one receives.
type Conn struct {
	conn net.Conn
	r    *bufio.Reader
	buf  []byte // of the last answer
	out  []byte // of the last request of Call
	sync uint64 // of the last request of Call
}

// bufferSize is the size of the buffer for answers in bytes.
const bufferSize = 64 << 10

// Dial connects to a unix socket as guest.
func Dial(socket string) (*Conn, error) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return nil, err
	}
	c := &Conn{conn: conn, r: bufio.NewReaderSize(conn, bufferSize)}
	if _, err := c.r.Discard(iproto.GreetingSize); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return c, nil
}

// Close closes the connection.
func (c *Conn) Close() error { return c.conn.Close() }

// Send sends packets.
func (c *Conn) Send(packets []byte) error {
	_, err := c.conn.Write(packets)
	return err
}

// AppendRequest appends a packet. Stream 0 is none. The body is a MessagePack map, nil for none.
func AppendRequest(b []byte, typ iproto.Type, sync, stream uint64, body []byte) []byte {
	start := len(b)
	b = append(b, 0xce, 0, 0, 0, 0)
	fields := 2
	if stream != 0 {
		fields++
	}
	b = msgpack.AppendMapHeader(b, fields)
	b = append(b, byte(iproto.KeyRequestType))
	b = msgpack.AppendUint(b, uint64(typ))
	b = append(b, byte(iproto.KeySync))
	b = msgpack.AppendUint(b, sync)
	if stream != 0 {
		b = append(b, byte(iproto.KeyStreamID))
		b = msgpack.AppendUint(b, stream)
	}
	b = append(b, body...)
	binary.BigEndian.PutUint32(b[start+1:], uint32(len(b)-start-5))
	return b
}

// Answer is what came back for a request.
type Answer struct {
	Sync uint64
	// Err is the error that the server reports, nil for none.
	Err *boxerr.Error
	// Data is the value under IPROTO_DATA, valid until the next answer.
	Data []byte
}

// Receive waits for the next answer. An error means that the connection is broken.
func (c *Conn) Receive() (a Answer, err error) {
	var length [5]byte
	if _, err := io.ReadFull(c.r, length[:]); err != nil {
		return a, err
	}
	n := int(binary.BigEndian.Uint32(length[1:]))
	if cap(c.buf) < n {
		c.buf = make([]byte, n)
	}
	c.buf = c.buf[:n]
	if _, err := io.ReadFull(c.r, c.buf); err != nil {
		return a, err
	}
	return decodeAnswer(c.buf)
}

func decodeAnswer(packet []byte) (a Answer, err error) {
	var h iproto.Header
	body, ok := iproto.DecodeHeader(packet, &h)
	if !ok {
		return a, fmt.Errorf("malformed header of an answer: %x", packet)
	}
	a.Sync = h.Sync
	code := boxerr.Code(0)
	message := ""
	var list *boxerr.Error
	n, rest, ok := 0, body, true
	if len(body) > 0 {
		n, rest, ok = msgpack.ReadMapHeader(body)
	}
	for ; ok && n > 0; n-- {
		var key uint64
		if key, rest, ok = msgpack.ReadUint(rest); !ok {
			break
		}
		value := rest
		if rest, ok = msgpack.Skip(rest); !ok {
			break
		}
		value = value[:len(value)-len(rest)]
		switch iproto.Key(key) {
		case iproto.KeyData:
			a.Data = value
		case iproto.KeyError24:
			text, _, _ := msgpack.ReadString(value)
			message = string(text)
		case iproto.KeyError:
			list, _, _ = boxerr.Decode(value)
		}
	}
	if !ok {
		return a, fmt.Errorf("malformed body of an answer: %x", packet)
	}
	if h.Type >= iproto.TypeError {
		code = boxerr.Code(h.Type - iproto.TypeError)
		if a.Err = list; list == nil {
			a.Err = boxerr.Reason(code, message)
		}
	}
	return a, nil
}

// Eval runs an expression and waits for what it returns.
func (c *Conn) Eval(expression string, args ...any) ([]any, error) {
	return c.run(iproto.TypeEval, iproto.KeyExpr, expression, args)
}

// Call calls a function and waits for what it returns.
func (c *Conn) Call(function string, args ...any) ([]any, error) {
	return c.run(iproto.TypeCall, iproto.KeyFunctionName, function, args)
}

func (c *Conn) run(typ iproto.Type, key iproto.Key, text string, args []any) ([]any, error) {
	body := msgpack.AppendMapHeader(nil, 2)
	body = append(body, byte(key))
	body = msgpack.AppendString(body, text)
	body = append(body, byte(iproto.KeyTuple))
	if args == nil {
		args = []any{}
	}
	body, err := msgpack.Append(body, args)
	if err != nil {
		return nil, err
	}
	c.sync++
	c.out = AppendRequest(c.out[:0], typ, c.sync, 0, body)
	if err := c.Send(c.out); err != nil {
		return nil, err
	}
	a, err := c.Receive()
	if err != nil {
		return nil, err
	}
	if a.Err != nil {
		return nil, a.Err
	}
	v, _, err := msgpack.Decode(a.Data)
	if err != nil {
		return nil, err
	}
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("the server answered %v instead of a list", v)
	}
	return list, nil
}

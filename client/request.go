package client

import (
	"math"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// Request is something to ask of a server.
type Request interface {
	// Type is the number of the request.
	Type() iproto.Type
	// AppendBody appends the body, a MessagePack map as a rule, or nothing when the request has none.
	AppendBody(b []byte) ([]byte, error)
}

// appendRequest appends a packet. On an error b is returned as it was.
func appendRequest(b []byte, r Request, sync, stream uint64) ([]byte, error) {
	start := len(b)
	pairs := byte(2)
	if stream != 0 {
		pairs++
	}
	out := append(b, 0xce, 0, 0, 0, 0, 0x80|pairs, byte(iproto.KeyRequestType))
	out = msgpack.AppendUint(out, uint64(r.Type()))
	out = msgpack.AppendUint(append(out, byte(iproto.KeySync)), sync)
	if stream != 0 {
		out = msgpack.AppendUint(append(out, byte(iproto.KeyStreamID)), stream)
	}
	out, err := r.AppendBody(out)
	if err != nil {
		return b, encodingError(err)
	}
	if len(out)-start > math.MaxInt32 {
		return b, boxerr.Illegal("the request is too large")
	}
	iproto.End(out, start)
	return out, nil
}

// encodingError is the error of a value that has no encoding.
func encodingError(err error) error {
	if e, ok := err.(*boxerr.Error); ok {
		return e
	}
	return boxerr.Illegal("%s", err.Error())
}

// Raw is a request of any type.
type Raw struct {
	// Code is its number.
	Code iproto.Type
	// Body is any value that package msgpack can encode, nil for none. Keys are those of the protocol, or the server's own.
	Body any
}

// Type is r.Code.
func (r Raw) Type() iproto.Type { return r.Code }

// AppendBody implements Request.
func (r Raw) AppendBody(b []byte) ([]byte, error) {
	if r.Body == nil {
		return b, nil
	}
	return msgpack.Append(b, r.Body)
}

// Ping asks whether the server is there.
type Ping struct{}

// Type implements Request.
func (Ping) Type() iproto.Type { return iproto.TypePing }

// AppendBody implements Request.
func (Ping) AppendBody(b []byte) ([]byte, error) { return b, nil }

// body appends a map whose number of pairs is known at its end. The first error stays.
type body struct {
	b     []byte
	at    int // of the header, a fixmap
	pairs byte
	err   error
}

func newBody(b []byte) body { return body{b: append(b, 0x80), at: len(b)} }

func (w *body) key(k iproto.Key) {
	w.b = append(w.b, byte(k))
	w.pairs++
}

func (w *body) uint(k iproto.Key, v uint64) {
	w.key(k)
	w.b = msgpack.AppendUint(w.b, v)
}

func (w *body) string(k iproto.Key, v string) {
	w.key(k)
	w.b = msgpack.AppendString(w.b, v)
}

func (w *body) bool(k iproto.Key, v bool) {
	w.key(k)
	w.b = msgpack.AppendBool(w.b, v)
}

// value appends any value, and an empty array for nil where an array must be.
func (w *body) array(k iproto.Key, v any) {
	w.key(k)
	if v == nil {
		w.b = append(w.b, 0x90)
		return
	}
	w.append(v)
}

func (w *body) append(v any) {
	if w.err == nil {
		w.b, w.err = msgpack.Append(w.b, v)
	}
}

func (w *body) end() ([]byte, error) {
	w.b[w.at] = 0x80 | w.pairs
	return w.b, w.err
}

// space appends a space by its name, or by its number when the name is empty.
func (w *body) space(name string, id uint32) {
	if name != "" {
		w.string(iproto.KeySpaceName, name)
		return
	}
	w.uint(iproto.KeySpaceID, uint64(id))
}

func (w *body) index(name string, id uint32) {
	if name != "" {
		w.string(iproto.KeyIndexName, name)
		return
	}
	w.uint(iproto.KeyIndexID, uint64(id))
}

// list appends an array of values.
func (w *body) list(k iproto.Key, values []any) {
	w.key(k)
	w.b = msgpack.AppendArrayHeader(w.b, len(values))
	for _, v := range values {
		w.append(v)
	}
}

package client

import (
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// Response is an answer of a server.
type Response struct {
	// Type is iproto.TypeOK in most cases.
	Type iproto.Type
	// Sync is the number of the request.
	Sync uint64
	// SchemaVersion is the version of the server's schema, 0 when it was not told.
	SchemaVersion uint64
	// Body is the whole body, nil without one.
	Body msgpack.Raw
}

// decodeResponse reads a packet without its length, whose bytes the response keeps. An answer that is an error comes as
// both. The response is nil when the packet can't belong to any request.
func decodeResponse(p []byte) (*Response, error) {
	var h iproto.Header
	body, ok := iproto.DecodeHeader(p, &h)
	if !ok {
		return nil, boxerr.New(boxerr.InvalidMsgpack, "packet header")
	}
	r := &Response{Type: h.Type, Sync: h.Sync, SchemaVersion: h.SchemaVersion}
	if len(body) > 0 {
		if rest, ok := msgpack.Check(body); !ok || len(rest) > 0 {
			return r, boxerr.New(boxerr.InvalidMsgpack, "packet body")
		}
		r.Body = body
	}
	if h.Type&iproto.TypeError != 0 && h.Type < 2*iproto.TypeError {
		return r, r.decodeError()
	}
	return r, nil
}

// decodeError reads the error that the body holds.
func (r *Response) decodeError() *boxerr.Error {
	if b := r.Value(iproto.KeyError); b != nil {
		if e, _, ok := boxerr.Decode(b); ok {
			return e
		}
	}
	text, _, _ := msgpack.ReadString(r.Value(iproto.KeyError24))
	e := boxerr.Reason(boxerr.Unknown, string(text))
	e.Code = boxerr.Code(r.Type &^ iproto.TypeError)
	return e
}

// Value is the value that the body has under a key, nil without one.
func (r *Response) Value(key iproto.Key) msgpack.Raw {
	var value msgpack.Raw
	n, b, ok := msgpack.ReadMapHeader(r.Body)
	for ; ok && n > 0; n-- {
		k, rest, isUint := msgpack.ReadUint(b)
		if !isUint {
			if rest, ok = msgpack.Skip(b); !ok {
				return nil
			}
		}
		if b, ok = msgpack.Skip(rest); ok && isUint && k == uint64(key) {
			value = msgpack.Raw(rest[:len(rest)-len(b)])
		}
	}
	return value
}

// Data is what the request has returned, most often an array: the tuples of a DML request, the values of a call. nil
// when there is nothing.
func (r *Response) Data() msgpack.Raw { return r.Value(iproto.KeyData) }

// Values decodes Data, see msgpack.Decode.
func (r *Response) Values() ([]any, error) {
	data := r.Data()
	if data == nil {
		return nil, nil
	}
	v, _, err := msgpack.Decode(data)
	if err != nil {
		return nil, boxerr.New(boxerr.InvalidMsgpack, err.Error())
	}
	list, ok := v.([]any)
	if !ok {
		return []any{v}, nil
	}
	return list, nil
}

// Tuples decodes Data as tuples.
func (r *Response) Tuples() ([][]any, error) {
	values, err := r.Values()
	if err != nil {
		return nil, err
	}
	tuples := make([][]any, len(values))
	for i, v := range values {
		var ok bool
		if tuples[i], ok = v.([]any); !ok {
			return nil, boxerr.New(boxerr.TupleNotArray)
		}
	}
	return tuples, nil
}

// Rows returns the tuples of Data without decoding them.
func (r *Response) Rows() ([]Row, error) {
	data := r.Data()
	if data == nil {
		return nil, nil
	}
	n, rest, ok := msgpack.ReadArrayHeader(data)
	if !ok {
		return nil, boxerr.New(boxerr.TupleNotArray)
	}
	rows := make([]Row, 0, min(n, len(rest)))
	for range n {
		if _, _, ok := msgpack.ReadArrayHeader(rest); !ok {
			return nil, boxerr.New(boxerr.TupleNotArray)
		}
		end, _ := msgpack.Skip(rest)
		rows, rest = append(rows, Row(rest[:len(rest)-len(end)])), end
	}
	return rows, nil
}

// Row is a tuple, a MessagePack array.
type Row msgpack.Raw

// Scan reads the first fields into variables, each as msgpack.ReadInto does: pointers to string, []byte, bool, integers,
// float64, msgpack.Raw or any. A nil skips a field. The error is an IllegalParams for a field that doesn't fit or isn't there.
func (t Row) Scan(into ...any) error {
	n, rest, _ := msgpack.ReadArrayHeader(t)
	for i, p := range into {
		if i >= n {
			return boxerr.Illegal("a tuple of %d fields has no field %d", n, i)
		}
		after, ok := msgpack.ReadInto(rest, p)
		if !ok {
			return boxerr.Illegal("field %d: %s doesn't fit into %T", i, msgpack.AppendText(nil, rest), p)
		}
		rest = after
	}
	return nil
}

// Position is where a Select with FetchPosition has ended, for Select.After; "" when there was nothing.
func (r *Response) Position() string {
	text, _, _ := msgpack.ReadString(r.Value(iproto.KeyPosition))
	return string(text)
}

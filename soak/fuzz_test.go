package soak

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/lycosatest"
	"github.com/lycosadb/lycosa/msgpack"
)

// anything are handlers that look at any body with all that objects can do.
const anything = `
local function look(v)
    if msgpack.is_object(v) then
        tostring(v)
        pcall(v.decode, v)
        pcall(v.get, v, 'space_id')
        pcall(function() return v.space_id, v[1], v.tuple, v[0x20] end)
        local ok, it = pcall(v.iterator, v)
        if ok then
            pcall(it.decode_array_header, it)
            pcall(it.decode_map_header, it)
            pcall(it.decode, it)
            pcall(it.skip, it)
            pcall(it.take, it)
            pcall(it.take_array, it, 2)
        end
        pcall(msgpack.encode, v)
        kept = v
    end
end
msgpack = require('msgpack')
local function handler(header, body)
    look(header)
    look(body)
    box.iproto.send(box.session.id(), { request_type = 0, sync = header.sync }, { data = { body } })
    return true
end
for _, kind in ipairs { 'select', 'insert', 'call', 'eval', 'unknown', 'id', 'auth', 'begin' } do box.iproto.override(kind, handler) end
box.iproto.wrap('ping', function(request, next)
    look(request.header)
    look(request.body)
    local header, body, pushed = next()
    look(header)
    look(body)
    return header, body
end)
box.iproto.wrap('replace', function(request, next) return next(request.body) end, { trace = 0.5, shadow = false })
box.iproto.override('update', handler, { shadow = true })
box.iproto.override('delete', function() return false end, { trace = 1 })
-- Whatever a handler sends is the client's own affair, but must not harm the server.
box.iproto.override(201, function(header, body)
    local kind, text = body[1], body[2]
    if kind == 1 then
        box.iproto.send(box.session.id(), text)
    elseif kind == 2 then
        box.iproto.send(box.session.id(), { sync = header.sync }, text)
    elseif kind == 3 then
        box.iproto.send(box.session.id(), body, body)
    elseif kind == 4 then
        box.iproto.send(box.session.id(), body:decode(), msgpack.decode(text))
    elseif kind == 5 then
        error(body:decode())
    else
        return msgpack.decode(text)
    end
    return true
end)
box.iproto.wrap(202, function(request, next) return next(request.body[2]) end)
box.iproto.wrap(203, function(request, next) return request.body[1], request.body[2] end)
`

// fuzzed is a server whose handlers look at anything.
func fuzzed(f *testing.F) *world {
	w := create(f)
	_, err := w.db.Eval(anything)
	w.check(err)
	w.check(w.db.Override(210, func(q *lycosa.Request) (bool, error) {
		_, _, _, _ = q.Uint(0x10), q.String(0x22), q.Tuple(0x21), q.Raw(0x20).Any()
		return true, q.Reply([]any{q.Body(), q.Header()})
	}, lycosa.Inline()))
	w.check(w.db.Override(211, func(q *lycosa.Request) (bool, error) {
		return true, errors.Join(q.Send(q.Raw(1), q.Raw(2)), q.Push(q.Raw(1)), q.Reply(q.Raw(1)))
	}))
	w.check(w.db.Wrap(212, func(q *lycosa.Request, next lycosa.Next) (*lycosa.Response, error) {
		a, err := next(q.Raw(1))
		if a != nil {
			_, _, _ = a.Err(), a.Tuples(), a.SetData(q.Raw(2))
		}
		return a, err
	}))
	return w
}

// survive sends bytes to a server on a connection of their own, and asks it on another one whether it lives. What comes
// back has to be packets, as far as the handlers have not made it otherwise.
func (w *world) survive(packet []byte) {
	conn, err := net.Dial("unix", w.socket)
	w.check(err)
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	_, err = conn.Write(packet)
	if err == nil {
		if u, ok := conn.(*net.UnixConn); ok {
			_ = u.CloseWrite()
		}
		_, err = io.Copy(io.Discard, conn)
	}
	_ = conn.Close()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		w.Fatalf("the server doesn't end with %x", packet)
	}
	c, err := w.connect()
	w.check(err)
	defer c.Close()
	if _, err := c.Do(iproto.TypePing, nil); err != nil {
		w.Fatalf("after %x: %v", packet, err)
	}
}

// FuzzBodies sends any bodies to types of requests that handlers take over.
func FuzzBodies(f *testing.F) {
	w := fuzzed(f)
	types := []iproto.Type{iproto.TypeSelect, iproto.TypeInsert, iproto.TypeReplace, iproto.TypeUpdate, iproto.TypeDelete, iproto.TypeCall,
		iproto.TypeEval, iproto.TypeUpsert, iproto.TypePing, iproto.TypeID, iproto.TypeAuth, iproto.TypeBegin, 201, 202, 203, 210, 211, 212, 500}
	f.Add(byte(0), []byte{0x82, 0x10, 0xcd, 2, 88, 0x20, 0x90}, true)
	f.Add(byte(2), []byte{0x82, 0x10, 0xcd, 2, 88, 0x21, 0x91, 1}, true)
	f.Add(byte(12), []byte{0x82, 1, 1, 2, 0xa1, 0xc1}, true)
	f.Add(byte(12), []byte{0x82, 1, 3, 2, 0xa1, 0xc1}, true)
	f.Add(byte(13), []byte{0x82, 1, 0x80, 2, 0xa1, 0x80}, true)
	f.Add(byte(14), []byte{0x82, 1, 0x81, 0, 0, 2, 0x80}, true)
	f.Add(byte(16), []byte{0x82, 1, 0x91, 1, 2, 0x80}, true)
	f.Add(byte(15), []byte{0xdf, 0xff, 0xff, 0xff, 0xff}, false)
	f.Add(byte(0), []byte{0xdd, 0xff, 0xff, 0xff, 0xff}, true)
	f.Fuzz(func(t *testing.T, which byte, body []byte, wellFormed bool) {
		w.TB = t
		if rest, ok := msgpack.Check(body); wellFormed && (!ok || len(rest) > 0) {
			body = msgpack.AppendBin(nil, body)
		}
		header, err := lycosa.ValueOf(map[iproto.Key]any{iproto.KeyRequestType: uint32(types[int(which)%len(types)]), iproto.KeySync: 7})
		w.check(err)
		n := len(header) + len(body)
		w.survive(append(append([]byte{0xce, byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}, header...), body...))
	})
}

// FuzzSend has a handler send any strings and tables.
func FuzzSend(f *testing.F) {
	w := fuzzed(f)
	for kind := range 7 {
		f.Add(byte(kind), "\x82\x00\x00\x01\x05")
		f.Add(byte(kind), "\xc1")
		f.Add(byte(kind), "")
		f.Add(byte(kind), "\xdf\xff\xff\xff\xff")
	}
	f.Fuzz(func(t *testing.T, kind byte, text string) {
		w.TB = t
		packet, err := lycosatest.Packet(map[iproto.Key]any{iproto.KeyRequestType: 201, iproto.KeySync: 7}, map[int]any{1: kind % 7, 2: text})
		w.check(err)
		w.survive(packet)
	})
}

//go:build cgo

package lua

import (
	"testing"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/msgpack"
	"github.com/lycosadb/lycosa/server"
)

// TestSessionOverSocket talks with a session that a script has opened over a pair of sockets.
func TestSessionOverSocket(t *testing.T) {
	t.Chdir(t.TempDir())
	b := box.New(box.Config{})
	srv := server.New(b, server.Options{})
	b.Cord.Lock()
	s, err := New(b, Options{Server: srv})
	b.Cord.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, chunk, want string }{
		{"no socket", `return try(box.session.new, {}) .. '; ' .. try(box.session.new, {fd = 1e6})`,
			"IllegalParams: options parameter 'fd' should be nonnegative integer; SystemError: bad file descriptor"},
		{"no such user", `
			local a = socket.socketpair('AF_UNIX', 'SOCK_STREAM', 0)
			return try(box.session.new, {fd = a:fd(), user = 'nobody'}) .. '; ' .. try(box.session.new, {fd = a:fd(), user = 1})`,
			"ClientError: User 'nobody' is not found; IllegalParams: options parameter 'user' should be a string"},
		{"user and storage", `
			local a, z = socket.socketpair('AF_UNIX', 'SOCK_STREAM', 0)
			box.session.new{fd = a:fd(), user = 'admin', storage = {x = 7}}
			a:detach()
			local greeting = z:read(128)
			local c = iproto.encode_packet({request_type = box.iproto.type.EVAL, sync = 1},
				{expr = 'return box.session.user(), box.session.storage.x, box.session.type()', tuple = {}})
			z:write(c)
			local length = msgpack.decode(z:read(5))
			local _, body = iproto.decode_packet(msgpack.encode(length) .. z:read(length))
			return greeting:sub(1, 16) .. require('json').encode(body:get('data'))`,
			`Tarantool 3.2.1 ["admin",7,"binary"]`},
		{"the descriptor is closed with the session", `
			local a, z = socket.socketpair('AF_UNIX', 'SOCK_STREAM', 0)
			local fd = a:fd()
			box.session.new{fd = fd}
			a:detach()
			z:read(128)
			z:shutdown('W')
			return #z:read(1) .. ''`,
			"0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			const locals = "local socket, iproto, msgpack = require('socket'), box.iproto, require('msgpack')\n"
			type result struct {
				out []byte
				err error
			}
			done := make(chan result, 1)
			b.Cord.Lock()
			err := s.Run([]byte(prelude+locals+c.chunk), "=test", nil, func(out []byte, _ int, err error) { done <- result{out, err} })
			b.Cord.Unlock()
			if err != nil {
				t.Fatal(err)
			}
			r := <-done
			if r.err != nil {
				t.Fatal(r.err)
			}
			if got, _, _ := msgpack.ReadString(r.out); string(got) != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	srv.Close()
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	b.Cord.Lock()
	s.Close()
	b.Cord.Unlock()
	b.Cord.Stop()
}

//go:build cgo

package lua

import (
	"bytes"
	"io"
	"math/rand/v2"
	"net"
	"testing"
	"time"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/lycosatest"
	"github.com/lycosadb/lycosa/server"
)

// BenchmarkTurns measures requests that Lua serves, in full turns and without sockets.
func BenchmarkTurns(b *testing.B) {
	const turn = 64
	call := func(name string) func(int) []byte {
		return func(key int) []byte {
			return packet(b, iproto.TypeCall, map[iproto.Key]any{iproto.KeyFunctionName: name, iproto.KeyTuple: []any{key}})
		}
	}
	get := func(key int) []byte {
		return packet(b, iproto.TypeSelect, map[iproto.Key]any{iproto.KeySpaceID: 512, iproto.KeyIndexID: 0, iproto.KeyLimit: 1,
			iproto.KeyOffset: 0, iproto.KeyIterator: 0, iproto.KeyKey: []any{key}})
	}
	for _, test := range []struct {
		name, chunk string
		request     func(key int) []byte
	}{
		{"echo", `function echo(...) return ... end`, call("echo")},
		{"get", `function get(key) return box.space.bench:get(key) end`, call("get")},
		{"declines", `box.iproto.override(1, function(header, body) return body.space_id == 600 end)`, get},
		{"answers", `box.iproto.override(1, function(header, body)
			box.iproto.send(box.session.id(),
				{request_type = box.iproto.type.OK, sync = header.sync, schema_version = box.info.schema_version}, {data = {1, 2, 3}})
			return true
		end)`, get},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.Chdir(b.TempDir())
			base := box.New(box.Config{})
			defer base.Cord.Stop()
			srv := server.New(base, server.Options{})
			defer srv.Close()
			base.Cord.Lock()
			s, err := New(base, Options{Server: srv})
			if err != nil {
				b.Fatal(err)
			}
			done := make(chan error, 1)
			err = s.Run([]byte(`box.cfg{wal_mode = 'none', log = 'log'}
				box.schema.user.grant('guest', 'super')
				local space = box.schema.space.create('bench', {id = 512})
				space:create_index('primary')
				for key = 0, 99999 do space:replace{key, ('v'):rep(64), key} end
			`+test.chunk), "=bench", nil, func(_ []byte, _ int, err error) { done <- err })
			base.Cord.Unlock()
			if err != nil {
				b.Fatal(err)
			}
			if err := <-done; err != nil {
				b.Fatal(err)
			}
			c := &source{left: b.N, begin: make(chan struct{}), ended: make(chan struct{})}
			for range 100 {
				var packets bytes.Buffer
				for range turn {
					packets.Write(test.request(rand.IntN(100000)))
				}
				c.turns = append(c.turns, packets.Bytes())
			}
			c.size = turn
			srv.Start(c)
			b.ReportAllocs()
			b.ResetTimer()
			close(c.begin)
			<-c.ended
		})
	}
}

func packet(b *testing.B, typ iproto.Type, body any) []byte {
	b.Helper()
	p, err := lycosatest.Packet(map[iproto.Key]any{iproto.KeyRequestType: uint32(typ), iproto.KeySync: 7}, body)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// source is the end of a connection from which turns of requests come, and which takes no notice of the answers.
type source struct {
	turns [][]byte
	size  int // of a turn in requests
	next  int
	left  int // how many requests are to come
	begin chan struct{}
	ended chan struct{}
}

func (c *source) Read(b []byte) (int, error) {
	<-c.begin
	if c.left <= 0 {
		close(c.ended)
		return 0, io.EOF
	}
	c.left -= c.size
	c.next = (c.next + 1) % len(c.turns)
	return copy(b, c.turns[c.next]), nil
}

func (c *source) Write(b []byte) (int, error)      { return len(b), nil }
func (c *source) Close() error                     { return nil }
func (c *source) LocalAddr() net.Addr              { return &net.UnixAddr{} }
func (c *source) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func (c *source) SetDeadline(time.Time) error      { return nil }
func (c *source) SetReadDeadline(time.Time) error  { return nil }
func (c *source) SetWriteDeadline(time.Time) error { return nil }

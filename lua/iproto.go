//go:build cgo

package lua

import (
	"crypto/rand"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

func init() { modules = append(modules, registerIproto) }

// registerIproto registers what builtin/iproto.lua stands on.
func registerIproto(s *State) {
	s.Func("iproto.constants", func(c *luajit.Call) error { return c.Push(constants()) })
	s.Sender("iproto.send", s.send)
	s.Blocking("iproto.next", s.next)
	s.Func("iproto.override_stats", s.overrideStats)
	s.Func("iproto.explain", func(c *luajit.Call) error {
		c.PushString(explain(c.Bytes()))
		return nil
	})
	s.Func("iproto.encode_greeting", encodeGreeting)
	s.Func("iproto.decode_greeting", func(c *luajit.Call) error {
		g, err := iproto.DecodeGreeting(c.Bytes())
		if err != nil {
			c.PushNil()
			c.PushString(err.Error())
			return nil
		}
		fields := map[string]any{"version": g.Version, "protocol": g.Protocol, "uuid": g.UUID, "salt": string(g.Salt)}
		return c.Push(fields)
	})
}

// constants are the groups of names and numbers of box.iproto, and its single numbers.
func constants() map[string]any {
	groups := map[string]any{
		"type": group(iproto.Types()), "key": group(iproto.Keys()), "flag": group(iproto.Flags()),
		"feature": group(iproto.AllFeatures()), "ballot_key": group(iproto.BallotKeys()),
		"metadata_key": group(iproto.MetadataKeys()), "raft_key": group(iproto.RaftKeys()),
		"protocol_version":          iproto.ProtocolVersion,
		"GREETING_SIZE":             iproto.GreetingSize,
		"GREETING_PROTOCOL_LEN_MAX": iproto.GreetingProtocolMax,
		"GREETING_SALT_LEN_MAX":     iproto.GreetingSaltMax,
	}
	features := map[string]any{}
	for _, f := range iproto.AllFeatures() {
		if slices.Contains(iproto.Features, iproto.Feature(f.Value)) {
			features[f.Name] = true
		}
	}
	groups["protocol_features"] = features
	return groups
}

func group(list []iproto.Constant) map[string]any {
	m := make(map[string]any, len(list))
	for _, c := range list {
		m[c.Name] = c.Value
	}
	return m
}

// send is box.iproto.send: the session's id, then the packet.
func (s *State) send(c *luajit.Call) error {
	id := c.Uint()
	session, err := s.Box.SessionByID(id)
	current := s.Ctx()
	if err != nil {
		if current == nil || current.Session.ID != id {
			return err
		}
		session = current.Session
	}
	o := s.overriding()
	switch {
	case current == nil || session != current.Session:
		o = nil
	case o != nil && o.request == nil:
		return boxerr.New(boxerr.Timeout)
	case o == nil && current.Sink != nil:
		current.Sink.Take(c.Args)
		return nil
	}
	if session.Conn == nil {
		return boxerr.New(boxerr.WrongSessionType, session.Type)
	}
	if session.Conn.Closed() {
		return boxerr.New(boxerr.SessionClosed)
	}
	// The reference yields here, with what that means for a transaction.
	if current != nil && current.Txn != nil {
		s.Box.OnYield(current)
	}
	if o != nil {
		return o.request.SendPacket(c.Args)
	}
	return session.Conn.Send(c.Args)
}

// overriding is the request that the running fiber handles, nil for none.
func (s *State) overriding() *override {
	if s.current == nil {
		return nil
	}
	o, _ := s.current.end.(*override)
	return o
}

// sent takes the packets that the running fiber has sent to the client of its own session.
func (s *State) sent(packets []byte) {
	f := s.current
	if f == nil || f.ctx == nil || f.ctx.Session.Conn == nil {
		return
	}
	if f.ctx.Txn != nil {
		s.Box.OnYield(f.ctx)
	}
	// The connection was open when the fiber began to run, and nobody could close it since.
	o := s.overriding()
	switch {
	case o == nil:
		_ = f.ctx.Session.Conn.Send(packets)
	case o.request != nil: // otherwise the time of the handler is over
		_ = o.request.SendPacket(packets)
	}
}

// overrideStats is box.stat.override: a list of maps.
func (s *State) overrideStats(c *luajit.Call) error {
	if s.options.Server == nil {
		return c.Push([]any{})
	}
	var list []any
	for _, o := range s.options.Server.OverrideStats() {
		st := o.Stats
		list = append(list, map[string]any{
			"event": o.Event, "name": o.Name, "calls": st.Calls, "handled": st.Handled, "fallbacks": st.Fallbacks,
			"errors": st.Errors, "timeouts": st.Timeouts, "bypassed": st.Bypassed, "yields": st.Yields,
			"in_flight": st.InFlight, "bytes_out": st.BytesOut, "differences": st.Differences,
			"latency": map[string]any{"p50": st.P50.Seconds(), "p90": st.P90.Seconds(), "p99": st.P99.Seconds(), "max": st.Max.Seconds()},
		})
	}
	return c.Push(list)
}

// explain says why a text is no MessagePack value.
func explain(b []byte) string {
	for len(b) > 0 {
		if b[0] == 0xc1 {
			return "illegal code"
		}
		switch msgpack.TypeOf(b[0]) {
		case msgpack.Array:
			_, rest, ok := msgpack.ReadArrayHeader(b)
			if !ok {
				return "truncated input"
			}
			b = rest
		case msgpack.Map:
			_, rest, ok := msgpack.ReadMapHeader(b)
			if !ok {
				return "truncated input"
			}
			b = rest
		default:
			rest, ok := msgpack.Skip(b)
			if !ok {
				return "truncated input"
			}
			b = rest
		}
	}
	return "truncated input"
}

// encodeGreeting makes a greeting of a version, a uuid and a salt, each of which may be left out.
func encodeGreeting(c *luajit.Call) error {
	fail := func(text string) error {
		c.PushNil()
		c.PushString(text)
		return nil
	}
	version, _ := versionNumbers(box.CompatibleVersion)
	g := iproto.Greeting{Version: version, Protocol: "Binary", UUID: uuid.Nil.String()}
	if !c.IsNil() {
		version, ok := versionNumbers(c.Str())
		if !ok {
			return fail("cannot parse version string")
		}
		g.Version = version
	}
	if !c.IsNil() {
		id, err := uuid.Parse(c.Str())
		if err != nil {
			return fail("cannot parse uuid string")
		}
		g.UUID = id.String()
	} else {
		g.UUID = uuid.NewString()
	}
	if !c.IsNil() {
		g.Salt = []byte(c.Str())
		if len(g.Salt) > iproto.GreetingSaltMax {
			return fail("salt string length cannot be greater than " + strconv.Itoa(iproto.GreetingSaltMax))
		}
	} else {
		g.Salt = make([]byte, 32)
		_, _ = rand.Read(g.Salt)
	}
	text, err := g.Append(nil)
	if err != nil {
		return fail(err.Error())
	}
	c.PushBytes(text)
	return nil
}

// versionNumbers takes the three numbers that a version text begins with.
func versionNumbers(text string) (string, bool) {
	rest := text
	for i := range 3 {
		end := 0
		for end < len(rest) && rest[end] >= '0' && rest[end] <= '9' {
			end++
		}
		if _, err := strconv.ParseUint(rest[:end], 10, 8); err != nil {
			return "", false
		}
		rest = rest[end:]
		if i < 2 {
			if !strings.HasPrefix(rest, ".") {
				return "", false
			}
			rest = rest[1:]
		}
	}
	return text[:len(text)-len(rest)], true
}

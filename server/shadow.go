package server

import (
	"fmt"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// shadowSample is one in how many differences of a shadow is written to the log; the first ones all are.
const shadowSample = 100

// comparison waits for the real answer and the shadow's.
type comparison struct {
	guard          *Guard
	head           iproto.Header
	real, shadow   *Response
	outcome        Outcome
	err            error
	ended, realEnd bool
}

// shadow runs a handler on a copy of the request. What it sends is kept for a comparison, what it writes is rolled
// back: the copy has a context and a transaction of its own.
func (r *Request) shadow(h Handler, g *Guard) {
	s := r.conn.server
	c := &comparison{guard: g, head: r.head, shadow: new(Response)}
	r.compared = append(r.compared, c)
	x := r.within(nil)
	x.ctx = s.box.NewCtx(r.conn.session)
	x.ctx.Sink = c.shadow
	x.inner = &inner{request: x, sink: c.shadow}
	if err := s.box.Begin(x.ctx, box.TxnOptions{}); err != nil {
		c.finish(s, Declined, err)
		return
	}
	x.shadowOf = c
	g.begin(&x.asked)
	out, err := x.invoke(h)
	if out == Parked && err == nil {
		if !x.finished {
			x.parked = true
			return
		}
		out, err = x.outcome, x.err
	}
	x.endShadow(out, err)
}

// endShadow is the end of the handler of a shadow.
func (r *Request) endShadow(out Outcome, err error) {
	s, c := r.conn.server, r.shadowOf
	r.shadowOf = nil
	c.guard.ended(s, &r.asked, out, err)
	r.asked.guard = nil
	if r.ctx.Txn != nil {
		_ = s.box.Rollback(r.ctx)
	}
	r.ended = true
	r.inner = nil
	r.ctx = nil
	s.release(r)
	c.finish(s, out, err)
}

// finish takes the end of the shadow.
func (c *comparison) finish(s *Server, out Outcome, err error) {
	c.outcome, c.err, c.ended = out, err, true
	c.compare(s)
}

// answered takes what the request was really answered.
func (c *comparison) answered(s *Server, a *Response) {
	c.real, c.realEnd = a, true
	c.compare(s)
}

// compare counts a difference, and writes some to the log, once both sides are there. A shadow that would have passed
// the request on differs only if it has sent something.
func (c *comparison) compare(s *Server) {
	if !c.ended || !c.realEnd {
		return
	}
	var text string
	switch {
	case c.err != nil:
		text = "the handler failed: " + c.err.Error()
	case c.outcome == Declined && c.shadow.Len() == 0:
		return
	default:
		want, got := c.real.text(), c.shadow.text()
		if want == got {
			return
		}
		text = "answered " + want + ", the handler would have answered " + got
	}
	g := c.guard
	g.differences++
	if n := g.differences; n <= 10 || n%shadowSample == 0 {
		s.options.Log('W', fmt.Sprintf("shadow %s, difference %d: %s with sync %d: %s", g.Name, n, c.head.Type, c.head.Sync, shorten(text)))
	}
}

// maxLogged bounds what is written of one request.
const maxLogged = 2000

func shorten(text string) string {
	if len(text) > maxLogged {
		return text[:maxLogged] + "..."
	}
	return text
}

// text shows the packets of a response, without what differs from one moment to the next: the schema version.
func (a *Response) text() string {
	var b []byte
	for i := range a.Len() {
		header, body := a.Packet(i)
		if i > 0 {
			b = append(b, ' ')
		}
		var head iproto.Header
		if _, ok := iproto.DecodeHeader(header, &head); ok {
			b = fmt.Appendf(b, "%s sync %d", answerName(head.Type), head.Sync)
		} else {
			b = msgpack.AppendText(b, header)
		}
		if body != nil && !(len(body) == 1 && body[0] == 0x80) {
			b = append(b, ' ')
			b = appendNamed(b, body)
		}
	}
	return string(b)
}

// answerName names a response code.
func answerName(t iproto.Type) string {
	if t&iproto.TypeError != 0 {
		return fmt.Sprintf("error %d", t&^iproto.TypeError)
	}
	return t.String()
}

// appendNamed shows a body with the names of its keys.
func appendNamed(b, body []byte) []byte {
	n, rest, ok := msgpack.ReadMapHeader(body)
	if !ok {
		return msgpack.AppendText(b, body)
	}
	b = append(b, '{')
	for i := range n {
		if i > 0 {
			b = append(b, ", "...)
		}
		after, ok := msgpack.Skip(rest)
		if !ok {
			break
		}
		key := rest[:len(rest)-len(after)]
		if k, _, ok := msgpack.ReadUint(key); ok && iproto.Key(k).Name() != "" {
			b = append(b, iproto.Key(k).Name()...)
		} else {
			b = msgpack.AppendText(b, key)
		}
		b = append(b, ": "...)
		next, ok := msgpack.Skip(after)
		if !ok {
			break
		}
		b = msgpack.AppendText(b, after[:len(after)-len(next)])
		rest = next
	}
	return append(b, '}')
}

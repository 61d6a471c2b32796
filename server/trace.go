package server

import (
	"fmt"
	"time"
)

// traced is a request that is written to the log with its answer.
type traced struct {
	guard *Guard
	since time.Time
	text  string
}

// trace notes what the request is, while it can still be read.
func (r *Request) trace(g *Guard, since time.Time) {
	text := fmt.Sprintf("%s sync %d", r.head.Type, r.head.Sync)
	if r.head.StreamID != 0 {
		text += fmt.Sprintf(" stream %d", r.head.StreamID)
	}
	if r.body != nil {
		text += " " + string(appendNamed(nil, r.body))
	}
	r.traces = append(r.traces, traced{g, since, text})
}

// writeTraces writes the traced request to the log, with what it was answered.
func (r *Request) writeTraces(a *Response) {
	for _, t := range r.traces {
		r.conn.server.options.Log('I', fmt.Sprintf("trace %s: session %d: %s -> %s in %v", t.guard.Name, r.conn.session.ID,
			shorten(t.text), shorten(a.text()), time.Since(t.since)))
	}
}

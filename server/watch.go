package server

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/iproto"
)

// watch is a client's interest in a key. Guarded by the cord's lock.
type watch struct {
	conn    *conn
	watcher *box.Watcher
	// sync is the one of the last WATCH for the key; events carry it.
	sync uint64
}

// notify sends an event. A WATCH of the client acknowledges it.
func (w *watch) notify(watcher *box.Watcher, value []byte) {
	s := w.conn.server
	b := iproto.AppendEvent(s.scratch[:0], w.sync, watcher.Key(), value)
	s.scratch = reuse(b)
	_ = w.conn.Send(b)
}

// watch begins to watch a key, or acknowledges what the client was told about it.
func (c *conn) watch(key []byte, sync uint64) {
	if w := c.watchers[string(key)]; w != nil {
		w.sync = sync
		c.server.box.AckWatcher(w.watcher)
		return
	}
	if c.closed {
		return
	}
	if c.watchers == nil {
		c.watchers = make(map[string]*watch)
	}
	w := &watch{conn: c, sync: sync}
	name := string(key)
	c.watchers[name] = w
	w.watcher = c.server.box.Watch(name, w.notify)
	if name == shutdownKey {
		c.server.shutdown++
	}
}

// unwatch ends watching a key.
func (c *conn) unwatch(key []byte) {
	w := c.watchers[string(key)]
	if w == nil {
		return
	}
	c.server.box.StopWatcher(w.watcher)
	delete(c.watchers, string(key))
	if string(key) == shutdownKey {
		c.server.shutdown--
	}
}

// unwatchAll ends watching.
func (c *conn) unwatchAll() {
	for key := range c.watchers {
		c.unwatch([]byte(key))
	}
}

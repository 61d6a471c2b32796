package client

import (
	"context"
	"slices"

	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// watch is the connection's interest in a key. The connection's lock guards it.
type watch struct {
	value        msgpack.Raw
	events       uint64 // how many have come
	acknowledged uint64 // the last one that the server knows to be taken
	watchers     []*Watcher
}

// Watcher is told of the values of a key.
type Watcher struct {
	conn  *Conn
	key   string
	f     func(key string, value msgpack.Raw)
	wake  chan struct{} // holds a token when there is an event
	quit  chan struct{} // closed by Stop
	ended chan struct{} // closed when f will not be called any more
	// Guarded by the connection's lock:
	taken   uint64 // the last event that f has taken
	stopped bool
}

// SendWatch asks for the events of a key, and says that the last one was taken: for those who handle Options.OnEvent.
// Others use Watch.
func (c *Conn) SendWatch(key string) { c.sendKeyed(iproto.TypeWatch, key) }

// SendUnwatch asks for no more events of a key.
func (c *Conn) SendUnwatch(key string) { c.sendKeyed(iproto.TypeUnwatch, key) }

func (c *Conn) sendKeyed(code iproto.Type, key string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.enqueueKeyed(code, key)
}

func (c *Conn) enqueueKeyed(code iproto.Type, key string) {
	if c.err == nil {
		_ = c.enqueue(keyed{code, key}, 0)
	}
}

// Watch has f called with the value of a key, now and when it changes; the value is nil for a key without one. f runs on
// a goroutine of the watcher, one call at a time, and may block: of the values that come meanwhile only the last is told.
// Watching ends with Stop or with the connection. It needs a server with iproto.FeatureWatchers.
func (c *Conn) Watch(key string, f func(key string, value msgpack.Raw)) (*Watcher, error) {
	if !c.server.Has(iproto.FeatureWatchers) {
		return nil, boxerr.New(boxerr.Unsupported, "Remote server", "watchers")
	}
	w := &Watcher{conn: c, key: key, f: f, wake: make(chan struct{}, 1), quit: make(chan struct{}), ended: make(chan struct{})}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, remade(c.err)
	}
	if c.watches == nil {
		c.watches = map[string]*watch{}
	}
	k := c.watches[key]
	if k == nil {
		k = &watch{}
		c.watches[key] = k
		c.enqueueKeyed(iproto.TypeWatch, key)
	}
	k.watchers = append(k.watchers, w)
	if k.events > 0 {
		w.wake <- struct{}{}
	}
	go w.run(k)
	return w, nil
}

// event takes an EVENT.
func (c *Conn) event(answer *Response) {
	name, _, ok := msgpack.ReadString(answer.Value(iproto.KeyEventKey))
	if !ok {
		return
	}
	key, value := string(name), answer.Value(iproto.KeyEventData)
	if c.options.OnEvent != nil {
		c.options.OnEvent(key, value)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.watches[key]
	if k == nil {
		return
	}
	k.value = value
	k.events++
	for _, w := range k.watchers {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

// run is the goroutine of a watcher.
func (w *Watcher) run(k *watch) {
	defer close(w.ended)
	for {
		select {
		case <-w.wake:
		case <-w.quit:
			return
		case <-w.conn.done:
			return
		}
		c := w.conn
		c.mu.Lock()
		event, value := k.events, k.value
		idle := w.stopped || w.taken == event
		c.mu.Unlock()
		if idle {
			continue
		}
		w.f(w.key, value)
		c.mu.Lock()
		w.taken = event
		if !w.stopped {
			k.acknowledge(c, w.key)
		}
		c.mu.Unlock()
	}
}

// acknowledge tells the server that the last event was taken, once all watchers have. The connection's lock is held.
func (k *watch) acknowledge(c *Conn, key string) {
	if k.acknowledged == k.events {
		return
	}
	for _, w := range k.watchers {
		if w.taken != k.events {
			return
		}
	}
	k.acknowledged = k.events
	c.enqueueKeyed(iproto.TypeWatch, key)
}

// Stop ends watching and waits until f has returned; f itself must not call it.
func (w *Watcher) Stop() {
	defer func() { <-w.ended }()
	c := w.conn
	c.mu.Lock()
	defer c.mu.Unlock()
	if w.stopped {
		return
	}
	w.stopped = true
	close(w.quit)
	k := c.watches[w.key]
	k.watchers = slices.DeleteFunc(k.watchers, func(x *Watcher) bool { return x == w })
	if len(k.watchers) > 0 {
		k.acknowledge(c, w.key)
		return
	}
	delete(c.watches, w.key)
	c.enqueueKeyed(iproto.TypeUnwatch, w.key)
}

// WatchOnce returns the value of a key, nil when it has none.
func (c *Conn) WatchOnce(ctx context.Context, key string) (msgpack.Raw, error) {
	if !c.server.Has(iproto.FeatureWatchOnce) {
		return nil, boxerr.New(boxerr.Unsupported, "Remote server", "watch once")
	}
	answer, err := c.Do(ctx, WatchOnce{key})
	if err != nil {
		return nil, err
	}
	n, rest, ok := msgpack.ReadArrayHeader(answer.Data())
	if !ok || n == 0 {
		return nil, nil
	}
	end, _ := msgpack.Skip(rest)
	return msgpack.Raw(rest[:len(rest)-len(end)]), nil
}

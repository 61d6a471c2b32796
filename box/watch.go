package box

// Watching: named keys with values that are broadcast, and those who want to be told about them.
//
// A watcher is told the value that its key has when it begins, and each new one after it has acknowledged the
// last. Values that were overtaken by others before that are skipped. Keys that begin with "box." are the
// server's own, which those who let users broadcast have to check.

// Watcher wants to be told about the values of one key.
type Watcher struct {
	notify func(w *Watcher, value []byte)
	key    *watchedKey
	place  int    // in key.watchers, -1 once it was stopped
	told   uint64 // version of the value told last
	busy   bool   // told and not acknowledged yet
	due    bool   // in watches.due
}

// watchedKey is a key that has a value or watchers.
type watchedKey struct {
	name     string
	value    []byte // MessagePack, nil when the key has no value
	version  uint64 // grows with every broadcast, from 1
	watchers []*Watcher
}

// watches is the registry of keys. Guarded by the cord's lock.
type watches struct {
	keys map[string]*watchedKey
	// due are watchers that have something to be told, from a function posted to the cord.
	due    []*Watcher
	posted bool
}

// key returns the key of that name, making it when it is new.
func (ws *watches) key(name string) *watchedKey {
	k := ws.keys[name]
	if k == nil {
		if ws.keys == nil {
			ws.keys = make(map[string]*watchedKey)
		}
		k = &watchedKey{name: name, version: 1}
		ws.keys[name] = k
	}
	return k
}

// tidy forgets a key with neither value nor watchers.
func (ws *watches) tidy(k *watchedKey) {
	if k.value == nil && len(k.watchers) == 0 {
		delete(ws.keys, k.name)
	}
}

// Watch has notify called for the values of a key: soon after the call, and after each later broadcast, as long
// as the watcher is not stopped. notify runs under the cord's lock and must not block; it, or somebody after it,
// calls Ack to be told of the next value. A nil value means that the key has none.
func (b *Box) Watch(key string, notify func(w *Watcher, value []byte)) *Watcher {
	k := b.watches.key(key)
	w := &Watcher{notify: notify, key: k, place: len(k.watchers)}
	k.watchers = append(k.watchers, w)
	b.tellWatcher(w)
	return w
}

// Broadcast sets the value of a key and has its watchers told. value is one MessagePack value, or nil to take
// the key's value away.
func (b *Box) Broadcast(key string, value []byte) {
	k := b.watches.key(key)
	k.value = nil
	if value != nil {
		k.value = append([]byte{}, value...)
	}
	k.version++
	for _, w := range k.watchers {
		b.tellWatcher(w)
	}
	b.watches.tidy(k)
}

// WatchOnce returns the value of a key, nil when it has none.
func (b *Box) WatchOnce(key string) []byte {
	if k := b.watches.keys[key]; k != nil {
		return k.value
	}
	return nil
}

// Key is the key that is watched.
func (w *Watcher) Key() string { return w.key.name }

// AckWatcher says that the value told last was taken note of.
func (b *Box) AckWatcher(w *Watcher) {
	w.busy = false
	if w.told < w.key.version {
		b.tellWatcher(w)
	}
}

// StopWatcher ends a watcher: it is not told of anything any more.
func (b *Box) StopWatcher(w *Watcher) {
	if w.place < 0 {
		return
	}
	k := w.key
	last := len(k.watchers) - 1
	k.watchers[w.place] = k.watchers[last]
	k.watchers[w.place].place = w.place
	k.watchers[last] = nil
	k.watchers = k.watchers[:last]
	w.place = -1
	b.watches.tidy(k)
}

// tellWatcher puts a watcher on the list of those to be told, unless it has to acknowledge something first.
func (b *Box) tellWatcher(w *Watcher) {
	if w.busy || w.due || w.place < 0 {
		return
	}
	w.due = true
	b.watches.due = append(b.watches.due, w)
	if !b.watches.posted {
		b.watches.posted = true
		b.Cord.Post(b.tellWatchers)
	}
}

// toldAtOnce is how many watchers are told before others may have the cord.
const toldAtOnce = 128

// tellWatchers tells those that are due, in several calls where they are many.
func (b *Box) tellWatchers() {
	ws := &b.watches
	due := ws.due[:min(len(ws.due), toldAtOnce)]
	if ws.due = ws.due[len(due):]; len(ws.due) == 0 {
		ws.due, ws.posted = nil, false
	} else {
		b.Cord.Post(b.tellWatchers)
	}
	for i, w := range due {
		due[i] = nil
		w.due = false
		if w.busy || w.place < 0 {
			continue
		}
		w.busy = true
		w.told = w.key.version
		w.notify(w, w.key.value)
	}
}

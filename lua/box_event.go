//go:build cgo

package lua

import (
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/internal/luajit"
	"github.com/lycosadb/lycosa/msgpack"
)

// watchers are those that Lua programs have set, by numbers from 1.
type watchers struct {
	last uint64
	byID map[uint64]*luaWatcher
}

// luaWatcher calls a Lua function in a fiber for each value that its key gets. While the function runs no other call is
// made; values that were overtaken by others meanwhile are skipped.
type luaWatcher struct {
	face    *boxFace
	handler *Handler
	watcher *box.Watcher
}

func (f *boxFace) registerEvent() {
	f.events.byID = make(map[uint64]*luaWatcher)
	f.fn("watch", func(c *luajit.Call, _ *box.Ctx) error {
		key := c.Str()
		w := &luaWatcher{face: f, handler: f.newHandler(c.Func(), 0)}
		f.events.last++
		number := f.events.last
		f.events.byID[number] = w
		w.watcher = f.Box.Watch(key, w.notify)
		c.PushUint(number)
		return nil
	})
	f.fn("unwatch", func(c *luajit.Call, _ *box.Ctx) error {
		number := c.Uint()
		if w := f.events.byID[number]; w != nil {
			f.Box.StopWatcher(w.watcher)
			delete(f.events.byID, number)
		}
		return nil
	})
	// The value in a list, or nothing.
	f.fn("watch_once", func(c *luajit.Call, _ *box.Ctx) error {
		if v := f.Box.WatchOnce(c.Str()); v != nil {
			c.PushRaw(append([]byte{0x91}, v...))
		}
		return nil
	})
	f.fn("broadcast", func(c *luajit.Call, _ *box.Ctx) error {
		key := c.Str()
		_, value, _ := msgpack.ReadArrayHeader(c.Raw())
		f.Box.Broadcast(key, value)
		return nil
	})
}

func (w *luaWatcher) notify(_ *box.Watcher, value []byte) {
	s := w.face.State
	fb := s.newFiber(nil, s.entry.run, w.handler.Ref, w)
	fb.in = msgpack.AppendString(nil, w.watcher.Key())
	if value == nil {
		fb.in = msgpack.AppendNil(fb.in)
	} else {
		fb.in = append(fb.in, value...)
	}
	fb.count = 2
	fb.run()
}

// done is called when the function has returned.
func (w *luaWatcher) done(*Fiber, []byte, int) { w.face.Box.AckWatcher(w.watcher) }

// failed is called when it has raised.
func (w *luaWatcher) failed(_ *Fiber, err *boxerr.Error) {
	w.face.Log().Error("a watcher's function failed", "key", w.watcher.Key(), "error", err.Message)
	w.face.Box.AckWatcher(w.watcher)
}

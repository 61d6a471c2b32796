//go:build cgo

package luajit

import (
	"slices"
	"sync"
	"sync/atomic"
)

// handle is the number by which C knows a State. It is looked up at each call of Go by Lua, so that the map of cgo.Handle
// would be seen.
type handle uintptr

// states are the States by their handles, nil where one was closed.
var states struct {
	list atomic.Pointer[[]*State] // replaced by a copy whenever it changes
	mu   sync.Mutex               // guards changes of the list
}

func changeStates(f func(list []*State) []*State) {
	states.mu.Lock()
	defer states.mu.Unlock()
	var list []*State
	if old := states.list.Load(); old != nil {
		list = slices.Clone(*old)
	}
	list = f(list)
	states.list.Store(&list)
}

// newHandle gives a State a number.
func newHandle(s *State) (h handle) {
	changeStates(func(list []*State) []*State {
		i := slices.Index(list, nil)
		if i < 0 {
			i, list = len(list), append(list, nil)
		}
		list[i] = s
		h = handle(i)
		return list
	})
	return h
}

// state returns the State of a handle that was not deleted.
func (h handle) state() *State { return (*states.list.Load())[h] }

func (h handle) delete() {
	changeStates(func(list []*State) []*State {
		list[h] = nil
		return list
	})
}

package lycosa

import (
	"context"
	"time"
)

// worker is a goroutine that runs handlers, one after another: a stack that has grown already is worth more than the
// goroutine.
type worker struct {
	tasks chan task // with room for one
}

// task is a request that a handler is to be asked for.
type task struct {
	handler *handler
	request *Request
}

const (
	// maxIdle is how many workers without work are kept, ...
	maxIdle = 256
	// trimInterval is how long those are kept that are not needed.
	trimInterval = time.Second
)

// startHandler has a worker run a handler. The lock is held.
func (db *DB) startHandler(t task) {
	db.running++
	n := len(db.idle)
	if n == 0 {
		w := &worker{tasks: make(chan task, 1)}
		w.tasks <- t
		go db.work(w)
		return
	}
	w := db.idle[n-1]
	db.idle[n-1] = nil
	db.idle = db.idle[:n-1]
	db.spare = min(db.spare, n-1)
	w.tasks <- t
}

// trim ends the workers that have not been needed since the last time. The lock is held.
func (db *DB) trim() {
	n := min(db.spare, len(db.idle))
	for _, w := range db.idle[:n] {
		close(w.tasks)
	}
	rest := copy(db.idle, db.idle[n:])
	clear(db.idle[rest:])
	db.idle = db.idle[:rest]
	db.spare = rest
	if db.trimming = rest > 0; db.trimming {
		db.Box.Cord.After(trimInterval, db.trim)
	}
}

// work is the goroutine of a worker. It ends with the database, or when there are enough others.
func (db *DB) work(w *worker) {
	for {
		select {
		case t, ok := <-w.tasks:
			if !ok {
				return
			}
			t.handler.run(t.request)
			db.Box.Cord.Post(func() { db.handlerEnded(w, t) })
		case <-db.quit:
			return
		}
	}
}

// handlerEnded takes the end of a handler. The lock is held.
func (db *DB) handlerEnded(w *worker, t task) {
	db.running--
	if len(db.idle) < maxIdle {
		db.idle = append(db.idle, w)
		if !db.trimming {
			db.trimming = true
			db.Box.Cord.After(trimInterval, db.trim)
		}
	} else {
		close(w.tasks)
	}
	t.handler.finish(t.request)
	if db.running == 0 && db.drained != nil {
		close(db.drained)
		db.drained = nil
	}
}

// awaitHandlers waits until the handlers that run have ended.
func (db *DB) awaitHandlers(ctx context.Context) {
	db.Box.Cord.Lock()
	if db.running == 0 {
		db.Box.Cord.Unlock()
		return
	}
	drained := make(chan struct{})
	db.drained = drained
	db.Box.Cord.Unlock()
	select {
	case <-drained:
	case <-ctx.Done():
	}
}

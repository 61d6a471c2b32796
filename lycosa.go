// Package lycosa is the embedding API: a Tarantool-compatible in-memory database, and its server, inside a Go program.
//
// DB is the main type. Open makes one and Listen serves it to clients. Override takes requests of clients over and Wrap
// goes around whatever handles them, both in the same chains as handlers in Lua. Space, Tx, Call and Eval work on the data
// from within the program, with the rights of admin. HandleFunc makes functions that clients CALL; OnReplace and
// BeforeReplace of a Space, and OnCommit and OnRollback of a Tx, are triggers.
//
// The rules:
//
//   - The methods of DB, and of the Space and Session that it returns, take the lock of the database themselves and wait
//     for the disk where they write. They must not be called within the function given to Tx, which holds the lock and
//     has methods of its own.
//   - Values of the database are MessagePack, read in place: see Value and Tuple. What goes in may be any Go value that
//     msgpack.Append takes.
//   - Errors are *boxerr.Error, with the codes and messages that clients get.
//
// Everything below is there for those who need more: DB.Box is the database, DB.Server the network; what works on them
// directly does so under the lock of DB.Box.Cord.
//
// Lua comes with package lua (lua.New on DB.Box), and is not needed: without it this package builds without cgo.
package lycosa

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/say"
	"github.com/lycosadb/lycosa/server"
	"github.com/lycosadb/lycosa/trigger"
)

// Version is the version of Lycosa.
const Version = "0.1.0"

// Options say how a database is opened. The zero value is one in memory.
type Options struct {
	// Config holds the options of the database. With MemtxDir the data is kept there, and read from there.
	Config box.Config
	// Log takes the log. slog.Default() when nil.
	Log *slog.Logger
	// Unconfigured leaves the data out; the owner calls Box.Start later, as box.cfg does.
	Unconfigured bool
	// NetMsgMax is how many requests may be in flight; 0 stands for the server's default.
	NetMsgMax int
}

// DB is an open database with its server. Its methods may be called from any goroutine.
type DB struct {
	Box    *box.Box
	Server *server.Server
	log    *slog.Logger

	ctx    context.Context // ends with the database
	cancel context.CancelFunc
	quit   chan struct{} // closed when nothing is left to do for workers
	once   sync.Once     // of closing quit

	// Guarded by the cord's lock.
	session  *box.Session  // on whose behalf the program works
	free     []*box.Ctx    // contexts of that session that nobody uses
	idle     []*worker     // goroutines for handlers that have nothing to do
	spare    int           // how many of these there were at least, lately
	running  int           // those that have something to do
	trimming bool          // a timer will look for workers that are not needed
	drained  chan struct{} // closed when there is none any more, for the one who waits for that
}

// Open opens a database: that of Options.Config.MemtxDir, which is made when there is none, or a fresh one in memory.
func Open(o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Config.Log == nil {
		o.Config.Log = o.Log
	}
	db := &DB{Box: box.New(o.Config), log: o.Log, quit: make(chan struct{})}
	db.ctx, db.cancel = context.WithCancel(context.Background())
	db.Server = server.New(db.Box, server.Options{NetMsgMax: o.NetMsgMax, Fire: db.fire, Log: db.write})
	if o.Unconfigured {
		return db, nil
	}
	db.Box.Cord.Lock()
	err := db.Box.Start()
	db.Box.Cord.Unlock()
	if err != nil {
		db.cancel()
		db.Server.Close()
		db.Box.Cord.Stop()
		return nil, err
	}
	return db, nil
}

// Listen serves clients at these addresses and at no others: "host:port", ":port", or the path of a unix socket.
func (db *DB) Listen(addresses ...string) error { return db.Server.Listen(addresses...) }

// Connect returns the client's end of a new connection within the process.
func (db *DB) Connect() net.Conn { return db.Server.Connect() }

// Close stops serving: connections are closed, what runs comes to its end or to the end of ctx. Then what was committed
// is written and the directory given up.
func (db *DB) Close(ctx context.Context) error {
	err := db.Server.Shutdown(ctx)
	db.cancel()
	db.awaitHandlers(ctx)
	if e := db.Box.Close(); err == nil {
		err = e
	}
	db.Box.Cord.Stop()
	db.once.Do(func() { close(db.quit) })
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// scope is on whose behalf operations run: DB takes the lock for each and gives it up, Tx has it.
type scope interface {
	// do runs f under the lock, and waits until what it has written is on disk if it isn't part of a transaction.
	do(f func(c *box.Ctx) error) error
	// share runs f, which only reads, for a user, together with others who read. It returns what f returns, and false if
	// f has to be run under the lock.
	share(f func(b *box.Box, u *box.User) bool) bool
	database() *DB
}

func (db *DB) database() *DB { return db }

func (db *DB) do(f func(c *box.Ctx) error) error {
	ticket, err := db.locked(f)
	if err != nil {
		return err
	}
	return ticket.Wait()
}

func (db *DB) share(f func(b *box.Box, u *box.User) bool) bool {
	b := db.Box
	b.Cord.Share()
	defer b.Cord.Unshare()
	return f(b, b.UserByID(box.AdminID))
}

// locked runs f under the lock.
func (db *DB) locked(f func(c *box.Ctx) error) (box.Ticket, error) {
	db.Box.Cord.Lock()
	defer db.Box.Cord.Unlock()
	c := db.begin()
	defer db.end(c)
	err := f(c)
	return c.Ticket, err
}

// begin returns a context of the program's own. The lock is held.
func (db *DB) begin() *box.Ctx {
	if db.session == nil {
		db.session = db.Box.NewSession(box.SessionBackground)
	}
	n := len(db.free)
	if n == 0 {
		return db.Box.NewCtx(db.session)
	}
	c := db.free[n-1]
	db.free = db.free[:n-1]
	c.Reset(db.session)
	return c
}

// maxFree is how many contexts are kept for use again.
const maxFree = 64

// end gives a context back. The lock is held.
func (db *DB) end(c *box.Ctx) {
	if c.Txn != nil {
		_ = db.Box.Rollback(c)
	}
	if len(db.free) < maxFree {
		db.free = append(db.free, c)
	}
}

// fire runs the handlers of an event of a session in the runtime, where they may wait, if there is one.
func (db *DB) fire(c *box.Ctx, e *trigger.Event, done func(error)) {
	if r, ok := db.Box.Runtime.(interface {
		Fire(c *box.Ctx, e *trigger.Event, done func(error))
	}); ok {
		r.Fire(c, e, done)
		return
	}
	done(db.Box.Fire(c, e, nil, 0))
}

// write takes a line of the server's log.
func (db *DB) write(level byte, message string) {
	db.log.Log(context.Background(), say.ByLetter(level), message)
}

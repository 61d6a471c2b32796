// Package lycosa is the embedding API: a Tarantool-compatible in-memory database, and its server, inside a Go program.
//
// DB is the main type. Open makes one, Listen serves it to clients, Override takes requests over. Everything below is
// there for those who need more: DB.Box is the database, DB.Server the network. What works on them directly does so under
// the lock of DB.Box.Cord; the methods of DB take it themselves.
//
// Lua comes with package lua (lua.New on DB.Box), and is not needed: without it this package builds without cgo.
package lycosa

import (
	"context"
	"errors"
	"log/slog"

	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/say"
	"github.com/lycosadb/lycosa/server"
	"github.com/lycosadb/lycosa/trigger"
)

// Version is the version of Lycosa.
const Version = "0.1.0"

// Options say how a database is opened. The zero value is one in memory.
type Options struct {
	// Config holds the options of the database.
	Config box.Config
	// Log takes the log. slog.Default() when nil.
	Log *slog.Logger
	// Unconfigured leaves the system spaces out; the owner calls Box.Bootstrap or recovers later, as box.cfg does.
	Unconfigured bool
	// NetMsgMax is how many requests may be in flight; 0 stands for the server's default.
	NetMsgMax int
}

// DB is an open database with its server.
type DB struct {
	Box    *box.Box
	Server *server.Server
	log    *slog.Logger
}

// Open opens a database.
func Open(o Options) (*DB, error) {
	if o.Log == nil {
		o.Log = slog.Default()
	}
	db := &DB{Box: box.New(o.Config), log: o.Log}
	db.Server = server.New(db.Box, server.Options{NetMsgMax: o.NetMsgMax, Fire: db.fire, Log: db.write})
	if o.Unconfigured {
		return db, nil
	}
	db.Box.Cord.Lock()
	defer db.Box.Cord.Unlock()
	if err := db.Box.Bootstrap(); err != nil {
		return nil, err
	}
	return db, nil
}

// Listen serves clients at these addresses and at no others: "host:port", ":port", or the path of a unix socket.
func (db *DB) Listen(addresses ...string) error { return db.Server.Listen(addresses...) }

// Close stops serving: connections are closed, what runs comes to its end or to the end of ctx. Then what was committed
// is written and the directory given up.
func (db *DB) Close(ctx context.Context) error {
	err := db.Server.Shutdown(ctx)
	db.Server.Close()
	if e := db.Box.Close(); err == nil {
		err = e
	}
	db.Box.Cord.Stop()
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
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

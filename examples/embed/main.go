// Command embed is a Go program with a database in it, that answers one kind of request itself: SELECT from space 600.
// No Lua is in it, so that it also builds with CGO_ENABLED=0.
//
//	go run ./examples/embed [address]
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/iproto"
)

func main() {
	address := "127.0.0.1:3301"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := serve(ctx, address); err != nil {
		fmt.Fprintln(os.Stderr, "embed:", err)
		os.Exit(1)
	}
}

// serve serves clients until the context ends.
func serve(ctx context.Context, address string) error {
	db, err := lycosa.Open(lycosa.Options{}) // in memory: nothing is kept
	if err != nil {
		return err
	}
	err = db.Override(iproto.TypeSelect, func(q *lycosa.Request) (handled bool, err error) {
		if q.Uint(iproto.KeySpaceID) != 600 {
			return false, nil // to the database
		}
		return true, q.Reply([]any{[]any{"hello", q.SessionID()}})
	})
	if err == nil {
		err = db.Listen(address)
	}
	if err != nil {
		return err
	}
	fmt.Println("embed: listening on", address)
	<-ctx.Done()
	return db.Close(context.Background())
}

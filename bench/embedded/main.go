// Command embedded is a Go program with a database in it, whose handler of SELECT in Go is what bench measures. It listens
// on the address in the environment variable LISTEN and prints "ready" when it does.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/iproto"
)

// space is the space that only the handler knows.
const space = 600

// answer is what it answers, kept as any so that giving it to Reply allocates nothing.
var answer any = []any{1, 2, 3}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, os.Getenv("LISTEN")); err != nil {
		fmt.Fprintln(os.Stderr, "embedded:", err)
		os.Exit(1)
	}
}

// serve serves clients until the context ends.
func serve(ctx context.Context, address string) error {
	db, err := lycosa.Open(lycosa.Options{})
	if err != nil {
		return err
	}
	err = db.Override(iproto.TypeSelect, func(q *lycosa.Request) (handled bool, err error) {
		if q.Uint(iproto.KeySpaceID) != space {
			return false, nil
		}
		return true, q.Reply(answer)
	}, lycosa.Inline())
	if err == nil {
		err = db.Listen(address)
	}
	if err != nil {
		return err
	}
	fmt.Println("ready")
	<-ctx.Done()
	return db.Close(context.Background())
}

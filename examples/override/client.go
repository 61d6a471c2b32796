// Command override shows, with the ecosystem's Go client, what examples/override/init.lua answers: a SELECT that its
// handler took over, one that fell back to the database, and a request of a type of its own.
//
//	go run ./examples/override [address]
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/tarantool/go-iproto"
	"github.com/tarantool/go-tarantool/v2"
	"github.com/vmihailenco/msgpack/v5"
)

// The spaces of init.lua: fruit is in the database, clock in its handler only.
const (
	fruit = 512
	clock = 513
)

func main() {
	address := "127.0.0.1:3301"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	if err := show(address); err != nil {
		fmt.Fprintln(os.Stderr, "override:", err)
		os.Exit(1)
	}
}

// show sends the requests and prints their answers.
func show(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	conn, err := tarantool.Connect(ctx, tarantool.NetDialer{Address: address, User: "guest"}, tarantool.Opts{})
	if err != nil {
		return fmt.Errorf("is the server running (make run)? %w", err)
	}
	defer func() { _ = conn.Close() }()

	selectAll := func(space int) ([]any, error) {
		return conn.Do(tarantool.NewSelectRequest(space).Iterator(tarantool.IterAll).Limit(10)).Get()
	}
	answer, err := selectAll(clock)
	if err != nil {
		return err
	}
	fmt.Println("space 513, answered by the handler: ", answer)
	if answer, err = selectAll(fruit); err != nil {
		return err
	}
	fmt.Println("space 512, answered by the database:", answer)

	if answer, err = conn.Do(echo{"hello"}).Get(); err != nil {
		return err
	}
	fmt.Println("request 120, unknown to the protocol:", answer)
	return nil
}

// echo is a request of a type that only init.lua's handler knows. It comes back with its text.
type echo struct{ text string }

// Type is the number that the handler looks for.
func (echo) Type() iproto.Type { return 120 }

// Body puts the text under the key of data.
func (e echo) Body(_ tarantool.SchemaResolver, enc *msgpack.Encoder) error {
	return enc.Encode(map[iproto.Key]string{iproto.IPROTO_DATA: e.text})
}

// Ctx is the context of the request: none.
func (echo) Ctx() context.Context { return nil }

// Async is false: there is an answer to wait for.
func (echo) Async() bool { return false }

// Response reads the answer as that of any other request.
func (echo) Response(header tarantool.Header, body io.Reader) (tarantool.Response, error) {
	return tarantool.DecodeBaseResponse(header, body)
}

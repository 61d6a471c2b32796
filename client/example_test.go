package client_test

import (
	"context"
	"fmt"
	"log"
	"net"

	"github.com/lycosadb/lycosa"
	"github.com/lycosadb/lycosa/box"
	"github.com/lycosadb/lycosa/boxerr"
	"github.com/lycosadb/lycosa/client"
	"github.com/lycosadb/lycosa/lycosatest"
	"github.com/lycosadb/lycosa/msgpack"
)

// exampleServer is a database in this process with a space of cities; the options connect to it whatever the address is.
func exampleServer() (*lycosa.DB, client.Options) {
	db, err := lycosa.Open(lycosa.Options{Config: box.Config{UseMVCC: true}})
	if err != nil {
		log.Fatal(err)
	}
	if err := lycosatest.GrantAll(db); err != nil {
		log.Fatal(err)
	}
	cities, err := db.CreateSpace("cities", box.SpaceSpec{})
	if err == nil {
		err = cities.CreateIndex("pk", box.IndexSpec{Keys: []box.Part{{Field: 0, Type: "string"}}})
	}
	if err != nil {
		log.Fatal(err)
	}
	return db, client.Options{Dial: func(context.Context, string, string) (net.Conn, error) { return db.Connect(), nil }}
}

func Example() {
	db, options := exampleServer()
	ctx := context.Background()
	defer func() { _ = db.Close(ctx) }()

	conn, err := client.Dial(ctx, "user:password@localhost:3301", client.Options{Dial: options.Dial, User: "guest"})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	for _, city := range []string{"Oslo", "Bonn", "Lima"} {
		if _, err := conn.Insert(ctx, "cities", []any{city, len(city)}); err != nil {
			log.Fatal(err)
		}
	}
	answer, err := conn.Select(ctx, client.Select{Space: "cities", Iterator: client.GE, Key: []any{"C"}, Limit: 10})
	if err != nil {
		log.Fatal(err)
	}
	rows, err := answer.Tuples()
	fmt.Println(rows, err)

	_, err = conn.Insert(ctx, "cities", []any{"Oslo"})
	fmt.Println(boxerr.Is(err, boxerr.TupleFound))
	// Output:
	// [[Lima 4] [Oslo 4]] <nil>
	// true
}

// Tuples are read into variables.
func ExampleRow_Scan() {
	db, options := exampleServer()
	ctx := context.Background()
	defer func() { _ = db.Close(ctx) }()
	conn, err := client.Dial(ctx, "localhost", options)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, err := conn.Insert(ctx, "cities", []any{"Oslo", 59.9}); err != nil {
		log.Fatal(err)
	}

	answer, err := conn.Select(ctx, client.Select{Space: "cities"})
	if err != nil {
		log.Fatal(err)
	}
	rows, err := answer.Rows()
	if err != nil {
		log.Fatal(err)
	}
	for _, row := range rows {
		var name string
		var latitude float64
		if err := row.Scan(&name, &latitude); err != nil {
			log.Fatal(err)
		}
		fmt.Println(name, latitude)
	}
	// Output: Oslo 59.9
}

// Requests that are sent without waiting share one trip to the server.
func ExampleConn_Go() {
	db, options := exampleServer()
	ctx := context.Background()
	defer func() { _ = db.Close(ctx) }()
	conn, err := client.Dial(ctx, "localhost", options)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = conn.Close() }()

	var futures []*client.Future
	for i := range 3 {
		futures = append(futures, conn.Go(client.Replace{Space: "cities", Tuple: []any{fmt.Sprint("city ", i)}}))
	}
	for _, f := range futures {
		answer, err := f.Wait(ctx)
		if err != nil {
			log.Fatal(err)
		}
		rows, _ := answer.Tuples()
		fmt.Println(rows)
	}
	// Output:
	// [[city 0]]
	// [[city 1]]
	// [[city 2]]
}

// A request type of the server's own, which a handler there has taken over.
func ExampleRaw() {
	db, options := exampleServer()
	ctx := context.Background()
	defer func() { _ = db.Close(ctx) }()
	const double = 1000
	if err := db.Override(double, func(q *lycosa.Request) (bool, error) {
		return true, q.Reply([]any{2 * q.Uint(1)})
	}); err != nil {
		log.Fatal(err)
	}
	conn, err := client.Dial(ctx, "localhost", options)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = conn.Close() }()

	answer, err := conn.Do(ctx, client.Raw{Code: double, Body: map[int]any{1: 21}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Values())
	// Output: [42] <nil>
}

func ExampleStream() {
	db, options := exampleServer()
	ctx := context.Background()
	defer func() { _ = db.Close(ctx) }()
	conn, err := client.Dial(ctx, "localhost", options)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = conn.Close() }()

	stream, err := conn.NewStream()
	if err != nil {
		log.Fatal(err)
	}
	if err := stream.Begin(ctx, client.Begin{}); err != nil {
		log.Fatal(err)
	}
	_, _ = stream.Insert(ctx, "cities", []any{"Rome"})
	seen, _ := conn.Get(ctx, "cities", "Rome")
	fmt.Println("before:", seen)
	if err := stream.Commit(ctx); err != nil {
		log.Fatal(err)
	}
	seen, _ = conn.Get(ctx, "cities", "Rome")
	fmt.Println("after:", seen)
	// Output:
	// before: []
	// after: [Rome]
}

func ExampleConn_Watch() {
	db, options := exampleServer()
	ctx := context.Background()
	defer func() { _ = db.Close(ctx) }()
	conn, err := client.Dial(ctx, "localhost", options)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = conn.Close() }()

	values := make(chan any)
	watcher, err := conn.Watch("weather", func(_ string, value msgpack.Raw) {
		v, _, _ := msgpack.Decode(append(value, 0xc0)) // a key without a value counts as nil
		values <- v
	})
	if err != nil {
		log.Fatal(err)
	}
	defer watcher.Stop()
	fmt.Println(<-values)
	broadcast(db, "weather", "rain")
	fmt.Println(<-values)
	// Output:
	// <nil>
	// rain
}

func ExamplePool() {
	db, options := exampleServer()
	ctx := context.Background()
	defer func() { _ = db.Close(ctx) }()

	pool, err := client.NewPool([]string{"one:3301", "two:3301"}, client.PoolOptions{Options: options, Size: 2})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = pool.Close() }()
	conn, err := pool.Conn(ctx)
	if err != nil {
		log.Fatal(err)
	}
	_ = conn.Close() // as if it were lost: another one will take its place
	answer, err := pool.Replace(ctx, "cities", []any{"Riga"})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Tuples())
	// Output: [[Riga]] <nil>
}

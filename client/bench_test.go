package client_test

import (
	"context"
	"testing"

	"github.com/lycosadb/lycosa/client"
	"github.com/lycosadb/lycosa/lycosatest"
)

// BenchmarkDo waits for each answer before the next request.
func BenchmarkDo(b *testing.B) {
	c := benchConn(b)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Do(ctx, client.Ping{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkGo keeps a hundred requests in flight.
func BenchmarkGo(b *testing.B) {
	c := benchConn(b)
	ctx := context.Background()
	futures := make([]*client.Future, 100)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		f := &futures[i%len(futures)]
		if *f != nil {
			if _, err := (*f).Wait(ctx); err != nil {
				b.Fatal(err)
			}
		}
		*f = c.Go(client.Ping{})
	}
}

func benchConn(b *testing.B) *client.Conn {
	b.Helper()
	db := lycosatest.Run(b)
	path := b.TempDir() + "/s.sock"
	if err := db.Listen(path); err != nil {
		b.Fatal(err)
	}
	c, err := client.Dial(context.Background(), path, client.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	return c
}

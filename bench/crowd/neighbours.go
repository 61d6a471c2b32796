package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/lycosadb/lycosa/internal/peer"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

// bad is how many bad neighbours there are of a kind.
const bad = 64

// good is how many clients ask one thing after another.
const good = 4

// neighbourhood is what clients may have beside them.
type neighbourhood struct {
	name    string
	start   func(context.Context, *link)
	server  *peer.Server
	clients links
	rates   []float64
	p50     []float64
	p99     []float64
}

// neighbours measures well-behaved clients beside others.
func neighbours(all *servers) error {
	kinds := []*neighbourhood{
		{name: "none"},
		{name: "wait", start: func(context.Context, *link) {}},
		{name: "never read large rows", start: flood(selectByKey(1001))},
		{name: "never read small rows", start: flood(selectByKey(7))},
		{name: "never read late answers", start: flood(call("late"))},
		{name: "send a byte a second", start: trickle},
	}
	for _, k := range kinds {
		s, err := all.start()
		if err != nil {
			return err
		}
		clients, err := dialMany(s.Socket, good)
		defer clients.close()
		if err != nil {
			return err
		}
		k.server, k.clients = s, clients
	}
	for range rounds {
		for _, k := range kinds {
			if err := k.measure(); err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
		}
	}
	fmt.Printf("\n| %d neighbours | requests/s | p50 µs | p99 µs | RSS at most, MB |\n| --- | --- | --- | --- | --- |\n", bad)
	for _, k := range kinds {
		_, most, err := memory(k.server)
		if err != nil {
			return err
		}
		fmt.Printf("| %s | %.0f | %.0f | %.0f | %.0f |\n", k.name, median(k.rates), median(k.p50), median(k.p99), megabytes(most))
	}
	return nil
}

func (k *neighbourhood) measure() error {
	ctx, cancel := context.WithCancel(context.Background())
	var others links
	var running sync.WaitGroup
	defer func() {
		cancel()
		others.close()
		running.Wait()
	}()
	if k.start != nil {
		var err error
		if others, err = dialMany(k.server.Socket, bad); err != nil {
			return err
		}
		for _, l := range others {
			running.Go(func() { k.start(ctx, l) })
		}
		time.Sleep(measured / 4) // the sockets fill
	}
	got, err := drive(k.clients, selectByKey(7), 1)
	if err != nil {
		return err
	}
	k.rates = append(k.rates, got.rate())
	k.p50 = append(k.p50, float64(percentile(got.waits, 50).Nanoseconds())/1e3)
	k.p99 = append(k.p99, float64(percentile(got.waits, 99).Nanoseconds())/1e3)
	return nil
}

// flood sends as much as goes out, and reads nothing.
func flood(packet []byte) func(context.Context, *link) {
	packets := repeat(packet, 64)
	return func(_ context.Context, l *link) {
		for {
			if _, err := l.Write(packets); err != nil {
				return
			}
		}
	}
}

// trickle sends a request so slowly that it doesn't end.
func trickle(ctx context.Context, l *link) {
	for _, b := range selectByKey(7) {
		if _, err := l.Write([]byte{b}); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
	}
}

// call is a request to call a function without arguments.
func call(name string) []byte {
	body := append(msgpack.AppendMapHeader(nil, 2), byte(iproto.KeyFunctionName))
	body = append(msgpack.AppendString(body, name), byte(iproto.KeyTuple))
	return peer.AppendRequest(nil, iproto.TypeCall, 1, 0, msgpack.AppendArrayHeader(body, 0))
}

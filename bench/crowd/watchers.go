package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lycosadb/lycosa/internal/peer"
	"github.com/lycosadb/lycosa/iproto"
	"github.com/lycosadb/lycosa/msgpack"
)

const (
	watching = 1_000 // connections
	keys     = 10    // that each of them watches
)

// watchers measures broadcasts to watchers, each of which acknowledges what it is told.
func watchers(all *servers) error {
	s, err := all.start()
	if err != nil {
		return err
	}
	list, err := dialMany(s.Socket, watching)
	defer func() { list.close() }()
	if err != nil {
		return err
	}
	before, _, err := memory(s)
	if err != nil {
		return err
	}
	for _, l := range list {
		if _, err := l.Write(watch(0, keys)); err != nil {
			return err
		}
	}
	if err := tell(list, keys); err != nil {
		return err
	}
	after, _, err := memory(s)
	if err != nil {
		return err
	}
	control, err := s.Dial(patience)
	if err != nil {
		return err
	}
	defer func() { _ = control.Close() }()
	aside, err := dialMany(s.Socket, 1)
	defer func() { aside.close() }()
	if err != nil {
		return err
	}
	fmt.Printf("\n%d watchers on %d connections: %.0f bytes a watcher\n", watching*keys, watching, float64(after-before)/watching/keys)
	fmt.Printf("\n| keys a broadcast | watchers told | until the last one knows, ms (median, p99) | CPU µs an event | others wait, µs (p50, p99, most) |\n")
	fmt.Printf("| --- | --- | --- | --- | --- |\n")
	for _, n := range []int{0, 1, keys} {
		if err := broadcasts(s, control, list, aside, n); err != nil {
			return err
		}
	}
	return nil
}

// broadcasts measures broadcasts of n keys: first alone, then while another client asks one thing after another.
func broadcasts(s *peer.Server, control *peer.Conn, list, aside links, n int) error {
	from, err := cpuTime(s)
	if err != nil {
		return err
	}
	took, err := broadcast(control, list, n)
	if err != nil {
		return err
	}
	to, err := cpuTime(s)
	if err != nil {
		return err
	}
	var others load
	var asked error
	var done sync.WaitGroup
	done.Go(func() { others, asked = drive(aside, selectByKey(7), 1) })
	_, err = broadcast(control, list, n)
	done.Wait()
	if err = errors.Join(err, asked); err != nil {
		return err
	}
	events := max(len(took)*len(list)*n, 1)
	fmt.Printf("| %d | %d | %.1f, %.1f | %.2f | %d, %d, %d |\n", n, len(list)*n,
		float64(percentile(took, 50).Microseconds())/1e3, float64(percentile(took, 99).Microseconds())/1e3,
		float64((to-from).Microseconds())/float64(events),
		percentile(others.waits, 50).Microseconds(), percentile(others.waits, 99).Microseconds(), percentile(others.waits, 100).Microseconds())
	return nil
}

// broadcast changes n keys time and again, each time when all watchers know of the last, and returns how long that took
// each time.
func broadcast(control *peer.Conn, list links, n int) (took []time.Duration, err error) {
	for began := time.Now(); n > 0 && time.Since(began) < measured; {
		sent := time.Now()
		if _, err := control.Eval("for i = 0, ... do box.broadcast('key' .. i, require('clock').time()) end", n-1); err != nil {
			return nil, err
		}
		if err := tell(list, n); err != nil {
			return nil, err
		}
		took = append(took, time.Since(sent))
	}
	return took, nil
}

// tell waits until all have been told of n keys, and acknowledges that.
func tell(list links, n int) error {
	acks := watch(0, n)
	for _, l := range list {
		for range n {
			if _, err := l.receive(); err != nil {
				return err
			}
		}
		if _, err := l.Write(acks); err != nil {
			return err
		}
	}
	return nil
}

// watch is a request to watch the keys from..to, or to be told of them again.
func watch(from, to int) []byte {
	var packets []byte
	for i := from; i < to; i++ {
		body := append(msgpack.AppendMapHeader(nil, 1), byte(iproto.KeyEventKey))
		packets = peer.AppendRequest(packets, iproto.TypeWatch, uint64(i), 0, msgpack.AppendString(body, fmt.Sprintf("key%d", i)))
	}
	return packets
}
